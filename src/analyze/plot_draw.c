/* The data files and gnuplot scripts of `dyt plot`. */
#include "dyt/plot.h"
#include "plot_draw.h"

#include "fonts.h"
#include "gnuplot.h"

#include "dyt/mem.h"

#include <math.h>
#include <string.h>

/* --- what the pictures share --- */

#define ALPHA "\xce\xb1" /* the letter, in UTF-8 */

static const char style[] =
    "set datafile separator ','\n"
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

/* Rows of other runs are NaN, which lines break at. */
static const char of_run[] = "of(run, c) = column(1) == run ? column(c) : NaN\n";

/* A site is a hue, a layer's place in the network its lightness. */
static const struct site {
  const char *name, *label;
  int r, g, b, point;
} sites[] = {{"attn", "attention norm", 0, 114, 178, 7},
             {"ffn", "FFN norm", 213, 94, 0, 5},
             {"final", "final norm", 0, 158, 115, 13}};
enum { SITES = sizeof sites / sizeof *sites };

/* For restyling, as functions of the script: a colour and a point for a site and a place from 0 (first) to 1. */
static void add_shades(str *s) {
  str_add(s, "mix(c, place) = int(255 - (255 - c) * (0.35 + 0.65 * place))\n"
             "rgb(r, g, b, place) = 65536 * mix(r, place) + 256 * mix(g, place) + mix(b, place)\n"
             "shade(site, place) = ");
  for (int i = 0; i < SITES; i++)
    str_addf(s, "site eq '%s' ? rgb(%d, %d, %d, place) : ", sites[i].name, sites[i].r, sites[i].g,
             sites[i].b);
  str_add(s, "rgb(90, 90, 90, place)\nmark(site) = ");
  for (int i = 0; i < SITES; i++) str_addf(s, "site eq '%s' ? %d : ", sites[i].name, sites[i].point);
  str_add(s, "9\n");
}

/* What no font has is a question mark (fonts.h). */
static void add_names(const record *run, int count, str *s) {
  fonts f;
  fonts_open(&f);
  for (int i = 0; i < count; i++) {
    str drawn = {0};
    fonts_keep(&f, run[i].name, &drawn);
    str_addf(s, "run_%d = ", i + 1);
    gnuplot_quote(s, drawn.data);
    str_add(s, "\n");
    str_free(&drawn);
  }
  fonts_close(&f);
}

static void add_field(str *s, double v) {
  str_add(s, ",");
  if (isfinite(v)) str_addf(s, "%.9g", v);
}

/* A grid of panels with room for title lines above each, and below all a strip of `key` pixels for what colours mean. */
typedef struct grid {
  int rows, columns, width, height, top, key;
} grid;
enum { LEFT = 76, RIGHT = 17, BOTTOM = 58 };

static grid grid_of(int rows, int columns, int panel_width, int panel_height, int titles, int key) {
  int top = 10 + 20 * titles;
  return (grid){.rows = rows,
                .columns = columns,
                .width = columns * (panel_width + LEFT + RIGHT),
                .height = rows * (panel_height + top + BOTTOM) + key,
                .top = top,
                .key = key};
}

static void add_grid(const grid *g, str *s) {
  double w = g->width, h = g->height;
  str_addf(s, "set multiplot layout %d,%d margins %.4f,%.4f,%.4f,%.4f spacing %.4f,%.4f\n", g->rows,
           g->columns, LEFT / w, 1 - RIGHT / w, (g->key + BOTTOM) / h, 1 - g->top / h, (LEFT + RIGHT) / w,
           (g->top + BOTTOM) / h);
}

/* The strip is an empty plot; its entries follow. */
static void add_key(const grid *g, int rows, str *s) {
  str_addf(
      s,
      "unset title\nunset xlabel\nunset ylabel\nunset label\nunset tics\nunset border\nunset grid\n"
      "unset logscale\nset xrange [0:1]\nset yrange [0:1]\n"
      "set lmargin at screen 0.01\nset rmargin at screen 0.99\nset bmargin at screen %.4f\n"
      "set tmargin at screen %.4f\nset key center center horizontal Left reverse samplen 2 maxrows %d noenhanced\nplot ",
      4.0 / g->height, (double)g->key / g->height, rows);
}

/* The largest of 1, 2, 5 times a power of ten that is no larger; times `more` of them, from 0, the next ones. */
static double round_number(double v, int more) {
  static const double digit[] = {1, 2, 5};
  int power = (int)floor(log10(v)), i = 2;
  while (i > 0 && digit[i] * pow(10, power) > v * (1 + 1e-9)) i--;
  return digit[(i + more) % 3] * pow(10, power + (i + more) / 3);
}

/* Marks at 1, 2, 5, 10, ... where that is not too many. */
static void add_log_tics(const char *axis, record_range r, str *s) {
  str_addf(s, "set logscale %s\n", axis);
  if (r.high > 1000 * r.low) return;
  str_addf(s, "set %stics (%.9g", axis, round_number(r.low, 1));
  for (int i = 2; round_number(r.low, i) <= r.high; i++) str_addf(s, ", %.9g", round_number(r.low, i));
  str_add(s, ")\n");
}

/* A range that shows all; logarithmic where what is positive spans more than `ratio`. */
static void add_range(const char *axis, record_range r, double ratio, str *s) {
  if (r.low > r.high) r = (record_range){0, 1};
  bool log_scale = r.low > 0 && r.high > ratio * r.low;
  double margin = 0.04 * (r.high - r.low);
  if (margin <= 1e-9 * fabs(r.high)) margin = fabs(r.high) > 0 ? 0.1 * fabs(r.high) : 1;
  r = log_scale ? (record_range){r.low / 1.2, r.high * 1.2} : (record_range){r.low - margin, r.high + margin};
  str_addf(s, "unset logscale %s\nset %stics autofreq\nset %srange [%.9g:%.9g]\n", axis, axis, axis, r.low,
           r.high);
  if (log_scale) add_log_tics(axis, r, s);
}
enum { LOG_LOSS = 100, LOG_STD = 10 };

/* Steps and epochs, from 0, with few enough marks for long numbers. */
static void add_time_range(record_range r, str *s) {
  double high = r.high > 0 ? r.high : 1, apart = round_number(high / 5, 0);
  if (apart < 0.99 * high / 5) apart = round_number(high / 5, 1);
  str_addf(s, "set xrange [0:%.9g]\nset xtics %.9g\n", 1.02 * high, apart);
}

static void add_empty(const char *text, str *s) {
  str_addf(s, "set label 1 '%s' at graph 0.5,0.5 center textcolor rgb '#808080'\nplot NaN\nunset label 1\n",
           text);
}

/* What every script begins with: the runs' names and, for each kind of file, what the panels share. */
static void begin(const char *name, const record *run, int count, const grid *g, str *s) {
  str names = {0};
  add_names(run, count, &names);
  gnuplot_begin(name, names.data, g->width, g->height, s);
  str_free(&names);
  str_add(s, style);
  str_add(s, of_run);
  add_grid(g, s);
}

static st finish(const char *folder, const char *name, str *script, err *e) {
  gnuplot_end(script);
  st code = gnuplot_write(folder, name, ".gp", script, e);
  str_free(script);
  return code;
}

static st write_data(const char *folder, const char *name, str *data, err *e) {
  st code = gnuplot_write(folder, name, ".csv", data, e);
  str_free(data);
  return code;
}

/* --- curves --- */

static st write_table(const char *folder, const char *name, const char *header, const record *run, int count,
                      const record_table *(*table)(const record *), err *e) {
  str s = {0};
  str_addf(&s, "run,%s\n", header);
  for (int i = 0; i < count; i++) {
    const record_table *t = table(&run[i]);
    for (int row = 0; row < t->rows; row++) {
      str_addf(&s, "%d", i + 1);
      for (int c = 0; c < t->columns; c++) add_field(&s, record_at(t, row, c));
      str_add(&s, "\n");
    }
  }
  return write_data(folder, name, &s, e);
}

static const record_table *steps_of(const record *r) { return &r->steps; }
static const record_table *epochs_of(const record *r) { return &r->epochs; }

/* One curve a run: its table's x column is the first. */
typedef struct panel {
  const char *file, *xlabel, *ylabel;
  double scale;
  const record_table *table[PLOT_RUNS_MAX];
  int column[PLOT_RUNS_MAX];
} panel;

enum { FEW = 40 }; /* so few points are marked */

static void add_panel(const panel *p, int count, str *s) {
  record_range x = RECORD_NOTHING, y = RECORD_NOTHING;
  for (int i = 0; i < count; i++) {
    record_widen(p->table[i], 0, &x);
    record_widen(p->table[i], p->column[i], &y);
  }
  str_addf(s, "set xlabel '%s'\nset ylabel '%s'\n", p->xlabel, p->ylabel);
  bool empty = y.low > y.high;
  add_time_range(x, s);
  add_range("y", empty ? y : (record_range){p->scale * y.low, p->scale * y.high}, LOG_LOSS, s);
  if (empty) {
    add_empty("nothing logged", s);
    return;
  }
  for (int i = 0; i < count; i++)
    str_addf(s, "%s'%s' using (of(%d, 2)):(%g * of(%d, %d)) with %s linestyle %d", i ? ", \\\n  " : "plot ",
             p->file, i + 1, p->scale, i + 1, p->column[i] + 2,
             p->table[i]->rows <= FEW ? "linespoints" : "lines", i + 1);
  str_add(s, "\n");
}

/* What a run is judged on, in the label where it is the same for all. */
static const char *split_of(const record *run, int count) {
  int on_validation = 0;
  for (int i = 0; i < count; i++) on_validation += record_on_validation(&run[i]);
  return on_validation == count ? "validation" : on_validation ? "validation or test" : "test";
}

static void add_curves(const record *run, int count, str *s) {
  char *loss = mem_printf("%s loss", split_of(run, count)),
       *acc = mem_printf("%s accuracy (%%)", split_of(run, count));
  bool steps = false; /* a published run may have left its steps.jsonl out */
  for (int i = 0; i < count; i++) steps |= record_has(&run[i].steps, STEPS_LOSS);
  panel p[3] = {{.file = steps ? "curves_steps.csv" : "curves_epochs.csv",
                 .xlabel = steps ? "step" : "epoch",
                 .ylabel = "training loss",
                 .scale = 1},
                {.file = "curves_epochs.csv", .xlabel = "epoch", .ylabel = loss, .scale = 1},
                {.file = "curves_epochs.csv", .xlabel = "epoch", .ylabel = acc, .scale = 100}};
  for (int i = 0; i < count; i++) {
    bool validation = record_on_validation(&run[i]);
    p[0].table[i] = steps ? &run[i].steps : &run[i].epochs;
    p[0].column[i] = steps ? STEPS_LOSS : EPOCHS_TRAIN_LOSS;
    p[1].table[i] = &run[i].epochs, p[1].column[i] = validation ? EPOCHS_VAL_LOSS : EPOCHS_TEST_LOSS;
    p[2].table[i] = &run[i].epochs, p[2].column[i] = validation ? EPOCHS_VAL_ACC1 : EPOCHS_TEST_ACC1;
  }
  for (int i = 0; i < 3; i++) add_panel(&p[i], count, s);
  mem_free(loss);
  mem_free(acc);
}

/* Rows of names that fit below panels of that width. */
static int key_rows(const record *run, int count, int width) {
  size_t longest = 0;
  for (int i = 0; i < count; i++)
    if (strlen(run[i].name) > longest) longest = strlen(run[i].name);
  int a_row = width / (9 * (int)longest + 60);
  return a_row < 1 ? count : (count + a_row - 1) / a_row;
}

st plot_write_curves(const record *run, int count, const char *folder, err *e) {
  st code = write_table(folder, "curves_steps", "step,train_loss,lr,grad_norm", run, count, steps_of, e);
  if (!code)
    code = write_table(folder, "curves_epochs",
                       "epoch,step,train_loss,train_acc1,val_loss,val_acc1,test_loss,test_acc1", run, count,
                       epochs_of, e);
  if (code) return code;
  str s = {0};
  int rows = key_rows(run, count, 3 * 300);
  grid g = grid_of(1, 3, 300, 260, 0, 22 * rows + 6);
  begin("curves", run, count, &g, &s);
  add_curves(run, count, &s);
  add_key(&g, rows, &s);
  for (int i = 0; i < count; i++)
    str_addf(&s, "%sNaN with linespoints linestyle %d title run_%d", i ? ", " : "", i + 1, i + 1);
  str_add(&s, "\n");
  return finish(folder, "curves", &s, e);
}

/* --- norm layers --- */

static int last_layer(const record *r) { return r->layers > 1 ? r->layers - 1 : 1; }

static bool has_site(const record *run, int count, const char *site) {
  for (int i = 0; i < count; i++)
    for (int l = 0; l < run[i].layers; l++)
      if (strcmp(run[i].layer[l].site, site) == 0) return true;
  return false;
}

enum { SITE_KEY_WIDTH = 800, SITE_KEY_ROW = 26 }; /* of one row */
static int site_key_height(int width) { return width < SITE_KEY_WIDTH ? 2 * SITE_KEY_ROW : SITE_KEY_ROW; }

/* Lines have no points, which gnuplot would warn of. */
static void add_site_key(const grid *g, const record *run, int count, bool points, str *s) {
  add_key(g, g->key / SITE_KEY_ROW, s);
  for (int i = 0; i < SITES; i++) {
    if (!has_site(run, count, sites[i].name)) continue;
    str_add(s, "NaN with ");
    if (points)
      str_addf(s, "points pointtype %d", sites[i].point);
    else
      str_add(s, "lines linewidth 1.8");
    str_addf(s, " linecolor rgb shade('%s', 1) title '%s', ", sites[i].name, sites[i].label);
  }
  str_add(s, "NaN with lines linecolor rgb 'white' title 'paler: earlier layers'\n");
}

/* Layer by layer, with an empty line after each, which lines break at. */
static st write_norms(const char *folder, const record *run, int count, err *e) {
  str s = {0};
  str_add(&s, "run,step,index,layer,site,alpha,inv_std\n");
  for (int i = 0; i < count; i++)
    for (int l = 0; l < run[i].layers; l++) {
      const record_table *t = &run[i].norms;
      for (int row = 0; row < t->rows; row++) {
        if (record_at(t, row, NORMS_LAYER) != l) continue;
        str_addf(&s, "%d,%.0f,%d,%s,%s", i + 1, record_at(t, row, NORMS_STEP), l, run[i].layer[l].name,
                 run[i].layer[l].site);
        add_field(&s, record_at(t, row, NORMS_ALPHA));
        add_field(&s, record_at(t, row, NORMS_INV_STD));
        str_add(&s, "\n");
      }
      str_add(&s, "\n");
    }
  return write_data(folder, "norms", &s, e);
}

static const struct quantity {
  int column, in_csv;
  const char *label;
} quantities[] = {{NORMS_ALPHA, 6, ALPHA}, {NORMS_INV_STD, 7, "1/std of the input"}};

static void add_norms_panel(const struct quantity *q, const record *run, int i, str *s) {
  str_addf(s, "set title run_%d noenhanced\nset xlabel 'step'\nset ylabel '%s'\n", i + 1, q->label);
  if (!record_has(&run[i].norms, q->column)) {
    add_empty(run[i].norms.rows ? "no " ALPHA : "nothing logged", s);
    return;
  }
  bool few = run[i].norms.rows <= FEW * run[i].layers;
  str_addf(s,
           "plot 'norms.csv' using (of(%d, 2)):(of(%d, %d)):(shade(strcol(5), column(3) / %d.0)) "
           "with %s linewidth 1.6 linecolor rgb variable\n",
           i + 1, i + 1, q->in_csv, last_layer(&run[i]),
           few ? "linespoints pointtype 7 pointsize 0.35" : "lines");
}

/* The same ranges for all runs, so that they can be compared. */
static void add_norms(const record *run, int count, bool alpha, str *s) {
  record_range x = RECORD_NOTHING, y[2] = {RECORD_NOTHING, RECORD_NOTHING};
  for (int i = 0; i < count; i++) {
    record_widen(&run[i].norms, NORMS_STEP, &x);
    for (int q = 0; q < 2; q++) record_widen(&run[i].norms, quantities[q].column, &y[q]);
  }
  add_time_range(x, s);
  for (int i = 0; i < count; i++)
    for (int q = alpha ? 0 : 1; q < 2; q++) {
      add_range("y", y[q], LOG_STD, s);
      add_norms_panel(&quantities[q], run, i, s);
    }
}

st plot_write_norms(const record *run, int count, const char *folder, err *e) {
  if (write_norms(folder, run, count, e)) return e->code;
  bool alpha = false;
  for (int i = 0; i < count; i++) alpha |= record_has(&run[i].norms, NORMS_ALPHA);
  int columns = alpha ? 2 : 1, width = alpha ? 415 : 550;
  str s = {0};
  grid g = grid_of(count, columns, width, 230, 1, site_key_height(columns * width));
  begin("norms", run, count, &g, &s);
  add_shades(&s);
  add_norms(run, count, alpha, &s);
  add_site_key(&g, run, count, false, &s);
  return finish(folder, "norms", &s, e);
}

/* --- alpha against 1/std --- */

static st write_ends(const char *folder, const record *run, const record_end *end, int count, err *e) {
  str s = {0};
  str_add(&s, "run,step,index,layer,site,alpha,inv_std\n");
  for (int i = 0; i < count; i++)
    for (int row = 0; row < end[i].points.rows; row++) {
      const record_table *t = &end[i].points;
      const record_layer *l = &run[i].layer[(int)record_at(t, row, NORMS_LAYER)];
      str_addf(&s, "%d,%.0f,%.0f,%s,%s", i + 1, record_at(t, row, NORMS_STEP), record_at(t, row, NORMS_LAYER),
               l->name, l->site);
      add_field(&s, record_at(t, row, NORMS_ALPHA));
      add_field(&s, record_at(t, row, NORMS_INV_STD));
      str_add(&s, "\n");
    }
  return write_data(folder, "alpha_std", &s, e);
}

static void add_end(const record *run, const record_end *end, int i, str *s) {
  str_addf(s, "set title run_%d.\"\\nstep %.0f, %d layer%s: Pearson ", i + 1,
           record_at(&end->points, 0, NORMS_STEP), end->points.rows, end->points.rows == 1 ? "" : "s");
  if (isnan(end->pearson))
    str_add(s, "r undefined");
  else
    str_addf(s, "r = %.2f", end->pearson);
  str_addf(
      s,
      "\" noenhanced\nplot 'alpha_std.csv' using (of(%d, 7)):(of(%d, 6)):(mark(strcol(5))):"
      "(shade(strcol(5), column(3) / %d.0)) with points pointtype variable pointsize 1.1 linecolor rgb variable\n",
      i + 1, i + 1, last_layer(run));
}

static void add_ends(const record *run, const record_end *end, int count, str *s) {
  record_range x = RECORD_NOTHING, y = RECORD_NOTHING;
  for (int i = 0; i < count; i++) {
    record_widen(&end[i].points, NORMS_INV_STD, &x);
    record_widen(&end[i].points, NORMS_ALPHA, &y);
  }
  str_add(s, "set grid xtics\nset xlabel '1/std of the input'\nset ylabel '" ALPHA "'\n");
  add_range("x", x, LOG_STD, s);
  add_range("y", y, LOG_STD, s);
  for (int i = 0; i < count; i++)
    if (end[i].points.rows) add_end(&run[i], &end[i], i, s);
}

st plot_write_alpha_std(const record *run, int count, const char *folder, err *e) {
  record_end end[PLOT_RUNS_MAX];
  int panels = 0;
  for (int i = 0; i < count; i++) {
    end[i] = record_end_of(&run[i]);
    panels += end[i].points.rows > 0;
  }
  str s = {0};
  int columns = panels < 3 ? panels : 3, width = panels > 1 ? 330 : 480;
  grid g =
      grid_of((panels + columns - 1) / columns, columns, width, 330, 2, site_key_height(columns * width));
  st code = write_ends(folder, run, end, count, e);
  begin("alpha_std", run, count, &g, &s);
  add_shades(&s);
  add_ends(run, end, count, &s);
  add_site_key(&g, run, count, true, &s);
  for (int i = 0; i < count; i++) mem_free(end[i].points.x);
  st written = finish(folder, "alpha_std", &s, e);
  return code ? code : written;
}
