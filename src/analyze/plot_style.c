#include "plot_style.h"

#include "fonts.h"
#include "gnuplot.h"

#include <math.h>
#include <string.h>

const style_site style_sites[STYLE_SITES] = {{"attn", "attention norm", 0, 114, 178, 7},
                                             {"ffn", "FFN norm", 213, 94, 0, 5},
                                             {"final", "final norm", 0, 158, 115, 13}};

static const char style[] =
    "set datafile separator ','\n"
    "small = kind eq 'svg' ? ',10.5' : ',8.75'\n"
    "set border 3 linecolor rgb '#404040'\n"
    "set tics nomirror out scale 0.6 textcolor rgb '#202020'\n"
    "set grid ytics linetype 1 linecolor rgb '#e6e6e6' linewidth 1\n"
    "unset key\n"
    "set title offset 0,-0.5\n"
    "set ylabel offset 1,0\n"
    "set style line 1 linecolor rgb '#0072b2' linewidth 1.8 pointtype 7 pointsize 0.6\n"
    "set style line 2 linecolor rgb '#d55e00' linewidth 1.8 pointtype 5 pointsize 0.6\n"
    "set style line 3 linecolor rgb '#009e73' linewidth 1.8 pointtype 9 pointsize 0.7\n"
    "set style line 4 linecolor rgb '#cc79a7' linewidth 1.8 pointtype 13 pointsize 0.7\n"
    "set style line 5 linecolor rgb '#56b4e9' linewidth 1.8 pointtype 11 pointsize 0.7\n"
    "set style line 6 linecolor rgb '#e69f00' linewidth 1.8 pointtype 6 pointsize 0.6\n"
    "set style line 7 linecolor rgb '#000000' linewidth 1.8 pointtype 4 pointsize 0.6\n"
    "set style line 8 linecolor rgb '#808080' linewidth 1.8 pointtype 8 pointsize 0.7\n";

/* For restyling, as functions of the script: a colour and a point for a site and a place from 0 (first) to 1. */
void style_add_shades(str *s) {
  str_add(s, "mix(c, place) = int(255 - (255 - c) * (0.35 + 0.65 * place))\n"
             "rgb(r, g, b, place) = 65536 * mix(r, place) + 256 * mix(g, place) + mix(b, place)\n"
             "shade(site, place) = ");
  for (int i = 0; i < STYLE_SITES; i++)
    str_addf(s, "site eq '%s' ? rgb(%d, %d, %d, place) : ", style_sites[i].name, style_sites[i].r,
             style_sites[i].g, style_sites[i].b);
  str_add(s, "rgb(90, 90, 90, place)\nmark(site) = ");
  for (int i = 0; i < STYLE_SITES; i++)
    str_addf(s, "site eq '%s' ? %d : ", style_sites[i].name, style_sites[i].point);
  str_add(s, "9\n");
}

/* What no font has is a question mark (fonts.h). */
void style_add_names(const char *prefix, const char *const *name, int count, str *s) {
  fonts f;
  fonts_open(&f);
  for (int i = 0; i < count; i++) {
    str drawn = {0};
    fonts_keep(&f, name[i], &drawn);
    str_addf(s, "%s%d = ", prefix, i + 1);
    gnuplot_quote(s, drawn.data ? drawn.data : "");
    str_add(s, "\n");
    str_free(&drawn);
  }
  fonts_close(&f);
}

void style_add_field(str *s, double v) {
  str_add(s, ",");
  if (isfinite(v)) str_addf(s, "%.9g", v);
}

enum { LEFT = 76, RIGHT = 17, BOTTOM = 58 };

style_grid style_grid_of(int rows, int columns, int panel_width, int panel_height, int titles, int key) {
  int top = 10 + 20 * titles;
  return (style_grid){.rows = rows,
                      .columns = columns,
                      .width = columns * (panel_width + LEFT + RIGHT),
                      .height = rows * (panel_height + top + BOTTOM) + key,
                      .left = LEFT,
                      .top = top,
                      .key = key};
}

void style_widen_left(style_grid *g, int pixels) {
  g->left += pixels;
  g->width += g->columns * pixels;
}

static void add_grid(const style_grid *g, str *s) {
  double w = g->width, h = g->height;
  str_addf(s, "set multiplot layout %d,%d margins %.4f,%.4f,%.4f,%.4f spacing %.4f,%.4f\n", g->rows,
           g->columns, g->left / w, 1 - RIGHT / w, (g->key + BOTTOM) / h, 1 - g->top / h,
           (g->left + RIGHT) / w, (g->top + BOTTOM) / h);
}

/* The strip is an empty plot; its entries follow. */
void style_add_key(const style_grid *g, int rows, str *s) {
  str_addf(
      s,
      "unset title\nunset xlabel\nunset ylabel\nunset label\nunset tics\nunset border\nunset grid\n"
      "unset logscale\nset xrange [0:1]\nset yrange [0:1]\n"
      "set lmargin at screen 0.01\nset rmargin at screen 0.99\nset bmargin at screen %.4f\n"
      "set tmargin at screen %.4f\nset key center center horizontal Left reverse samplen 2 maxrows %d noenhanced\nplot ",
      4.0 / g->height, (double)g->key / g->height, rows);
}

int style_key_rows(const char *const *name, int count, int width) {
  size_t longest = 0;
  for (int i = 0; i < count; i++)
    if (strlen(name[i]) > longest) longest = strlen(name[i]);
  int a_row = width / (7 * (int)longest + 50);
  return a_row < 1 ? count : (count + a_row - 1) / a_row;
}

/* The largest of 1, 2, 5 times a power of ten that is no larger; times `more` of them, from 0, the next ones. */
double style_round_number(double v, int more) {
  static const double digit[] = {1, 2, 5};
  int power = (int)floor(log10(v)), i = 2;
  while (i > 0 && digit[i] * pow(10, power) > v * (1 + 1e-9)) i--;
  return digit[(i + more) % 3] * pow(10, power + (i + more) / 3);
}

/* Marks at 1, 2, 5, 10, ... where that is not too many. */
static void add_log_tics(const char *axis, record_range r, str *s) {
  str_addf(s, "set logscale %s\n", axis);
  if (r.high > 1000 * r.low) return;
  str_addf(s, "set %stics (%.9g", axis, style_round_number(r.low, 1));
  for (int i = 2; style_round_number(r.low, i) <= r.high; i++)
    str_addf(s, ", %.9g", style_round_number(r.low, i));
  str_add(s, ")\n");
}

/* A range that shows all; logarithmic where what is positive spans more than `ratio`. */
void style_add_range(const char *axis, record_range r, double ratio, str *s) {
  if (r.low > r.high) r = (record_range){0, 1};
  bool log_scale = r.low > 0 && r.high > ratio * r.low;
  double margin = 0.04 * (r.high - r.low);
  if (margin <= 1e-9 * fabs(r.high)) margin = fabs(r.high) > 0 ? 0.1 * fabs(r.high) : 1;
  r = log_scale ? (record_range){r.low / 1.2, r.high * 1.2} : (record_range){r.low - margin, r.high + margin};
  str_addf(s, "unset logscale %s\nset %stics autofreq\nset %srange [%.9g:%.9g]\n", axis, axis, axis, r.low,
           r.high);
  if (log_scale) add_log_tics(axis, r, s);
}

/* Steps and epochs, from 0, with few enough marks for long numbers. */
void style_add_time_range(record_range r, str *s) {
  double high = r.high > 0 ? r.high : 1, apart = style_round_number(high / 5, 0);
  if (apart < 0.99 * high / 5) apart = style_round_number(high / 5, 1);
  str_addf(s, "set xrange [0:%.9g]\nset xtics %.9g\n", 1.02 * high, apart);
}

void style_add_empty(const char *text, str *s) {
  str_addf(s, "set label 1 '%s' at graph 0.5,0.5 center textcolor rgb '#808080'\nplot NaN\nunset label 1\n",
           text);
}

st style_finish(const char *folder, const char *name, str *script, err *e) {
  gnuplot_end(script);
  st code = gnuplot_write(folder, name, ".gp", script, e);
  str_free(script);
  return code;
}

st style_write_data(const char *folder, const char *name, str *data, err *e) {
  st code = gnuplot_write(folder, name, ".csv", data, e);
  str_free(data);
  return code;
}

void style_begin(const char *name, const char *definitions, const style_grid *g, str *s) {
  gnuplot_begin(name, definitions, g->width, g->height, s);
  str_add(s, style);
  add_grid(g, s);
}

/* --- what hues mean --- */

enum { SITE_KEY_WIDTH = 800 }; /* of one row */

int style_site_key_height(int width) {
  return width < SITE_KEY_WIDTH ? 2 * STYLE_SITE_KEY_ROW : STYLE_SITE_KEY_ROW;
}

bool style_has_site(const record *r, int site) {
  for (int l = 0; l < r->layers; l++)
    if (strcmp(r->layer[l].site, style_sites[site].name) == 0) return true;
  return false;
}

/* Lines have no points, which gnuplot would warn of. */
void style_add_site_key(const style_grid *g, const bool has[STYLE_SITES], bool points, str *s) {
  style_add_key(g, g->key / STYLE_SITE_KEY_ROW, s);
  for (int i = 0; i < STYLE_SITES; i++) {
    if (!has[i]) continue;
    str_add(s, "NaN with ");
    if (points)
      str_addf(s, "points pointtype %d", style_sites[i].point);
    else
      str_add(s, "lines linewidth 1.8");
    str_addf(s, " linecolor rgb shade('%s', 1) title '%s', ", style_sites[i].name, style_sites[i].label);
  }
  str_add(s, "NaN with lines linecolor rgb 'white' title 'paler: earlier layers'\n");
}
