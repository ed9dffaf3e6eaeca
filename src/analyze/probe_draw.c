/* Input against output of some norm layers, a panel each: once with whole tokens, once with the channels of the extremes. */
#include "dyt/probe.h"

#include "gnuplot.h"

#include <inttypes.h>
#include <math.h>

enum { PANELS_MAX = 9, COLUMNS_MAX = 3 };
/* In pixels: a panel with the room around it; a strip below all panels for what colours mean. */
enum { WIDTH = 330, HEIGHT = 300, LEFT = 66, RIGHT = 14, TOP = 54, BOTTOM = 48, KEY = 34 };

static const char style[] = "set datafile separator ','\n"
                            "set border 3 linecolor rgb '#404040'\n"
                            "set tics nomirror out scale 0.6 textcolor rgb '#202020'\n"
                            "set grid linetype 1 linecolor rgb '#ececec' linewidth 1\n"
                            "set title offset 0,-0.6\n"
                            "set xlabel 'input x' offset 0,0.4\nset ylabel 'output y' offset 0.6,0\n"
                            "set samples 300\n"
                            "set key left top Left reverse samplen 0 spacing 0.9 font ',9' noenhanced\n"
                            "set palette defined (0 '#0072b2', 0.5 '#e8c547', 1 '#d55e00')\n"
                            "unset colorbox\n"
                            "on(channel) = column(7) == channel ? column(9) : NaN\n";

/* Layers evenly from the first to the last. */
static int panels_of(const probe *p) { return p->layers < PANELS_MAX ? p->layers : PANELS_MAX; }
static int layer_of(const probe *p, int panel) {
  int last = panels_of(p) - 1;
  return last ? (int)lround((double)panel * (p->layers - 1) / last) : 0;
}

/* A layer's rows of a file, which stand together: only they are read, so that a picture takes a second and not five. */
static void add_rows(const char *file, int64_t before, int64_t rows, str *s) {
  str_addf(s, "'%s' skip 1 every ::%" PRId64 "::%" PRId64, file, before, before + rows - 1);
}

static void add_pairs(const probe *p, int i, str *s) {
  int64_t before = 0;
  for (int k = 0; k < i; k++) before += p->layer[k].pairs;
  add_rows("pairs.csv", before, p->layer[i].pairs, s);
}

static void widen(double v, double range[2]) {
  if (!isfinite(v)) return;
  range[0] = fmin(range[0], v);
  range[1] = fmax(range[1], v);
}

/* All points, away from the axes. */
static void add_ranges(const probe_layer *l, str *s) {
  double x[2] = {0, 0}, y[2] = {0, 0};
  for (int64_t k = 0; k < l->pairs; k++) widen(l->pair[k].x, x), widen(l->pair[k].y, y);
  for (int64_t k = 0; k < l->whole * l->channels; k++) widen(l->token[k].x, x), widen(l->token[k].y, y);
  double dx = x[1] > x[0] ? 0.04 * (x[1] - x[0]) : 1, dy = y[1] > y[0] ? 0.05 * (y[1] - y[0]) : 1;
  str_addf(s, "set xrange [%.9g:%.9g]\nset yrange [%.9g:%.9g]\n", x[0] - dx, x[1] + dx, y[0] - dy, y[1] + dy);
}

static void begin_panel(const probe *p, int i, str *s) {
  const probe_layer *l = &p->layer[i];
  str_addf(s, "set title \"%s, %s\\n", l->norm->path, l->norm->cfg.kind);
  if (isnan(l->shape.tanh_r2))
    str_add(s, "no fit\"\n");
  else
    str_addf(s, "R\xc2\xb2 of a line %.4f, of a tanh %.4f\"\n", l->shape.line_r2, l->shape.tanh_r2);
  add_ranges(l, s);
  str_add(s, "plot ");
  add_pairs(p, i, s);
  str_add(s, " using 8:9 with points pointtype 7 pointsize 0.22 linecolor rgb '#bdbdbd' notitle");
}

static void end_panel(const probe *p, int i, str *s) {
  const probe_shape *f = &p->layer[i].shape;
  if (isfinite(f->a))
    str_addf(
        s,
        ", \\\n  %.9g * tanh(%.9g * x) with lines linewidth 1.4 dashtype 2 linecolor rgb '#000000' notitle",
        f->a, f->b);
  str_add(s, "\n");
}

static void add_tokens(const probe *p, int i, str *s) {
  int64_t before = 0;
  for (int k = 0; k < i; k++) before += p->layer[k].whole * p->layer[k].channels;
  begin_panel(p, i, s);
  str_add(s, ", \\\n  ");
  add_rows("tokens.csv", before, p->layer[i].whole * p->layer[i].channels, s);
  str_add(s, " using 8:9:10 with points pointtype 7 pointsize 0.32 linecolor palette notitle");
  end_panel(p, i, s);
}

static void add_channels(const probe *p, int i, str *s) {
  static const char *const colour[PROBE_TOP] = {"#d55e00", "#009e73", "#cc79a7"};
  const probe_layer *l = &p->layer[i];
  begin_panel(p, i, s);
  for (int k = 0; k < PROBE_TOP && l->top[k].channel >= 0; k++) {
    str_add(s, ", \\\n  ");
    add_pairs(p, i, s);
    str_addf(s,
             " using 8:(on(%" PRId64 ")) with points pointtype 7 pointsize 0.45 linecolor rgb '%s' title "
             "'ch. %" PRId64 ": %.0f%%'",
             l->top[k].channel, colour[k], l->top[k].channel, 100 * l->top[k].share);
  }
  end_panel(p, i, s);
}

static const struct picture {
  const char *name, *explains;
  void (*add)(const probe *p, int layer, str *s);
} pictures[] = {
    {"tokens",
     "grey: pairs of all tokens and channels; coloured: whole tokens, from the smallest spread of x (blue) to the "
     "largest (red); dashed: a tanh(b x)",
     add_tokens},
    {"channels",
     "grey: pairs of all tokens and channels; coloured: the channels (ch.) that hold most of the largest thousandth of "
     "|x|; dashed: a tanh(b x)",
     add_channels}};
enum { PICTURES = sizeof pictures / sizeof *pictures };

static st write_script(const probe *p, const struct picture *picture, const char *folder, err *e) {
  int panels = panels_of(p), columns = panels < COLUMNS_MAX ? panels : COLUMNS_MAX,
      rows = (panels + columns - 1) / columns;
  double width = columns * WIDTH, height = rows * HEIGHT + KEY;
  str s = {0};
  gnuplot_begin(picture->name, "", (int)width, (int)height, &s);
  str_add(&s, style);
  str_addf(&s,
           "set cbrange [1:%d]\n"
           "set multiplot layout %d,%d margins %.4f,%.4f,%.4f,%.4f spacing %.4f,%.4f\n"
           "set label 1 '%s' at screen 0.5,%.4f center font ',10' textcolor rgb '#404040'\n",
           PROBE_TOKENS, rows, columns, LEFT / width, 1 - RIGHT / width, (KEY + BOTTOM) / height,
           1 - TOP / height, (LEFT + RIGHT) / width, (TOP + BOTTOM) / height, picture->explains,
           0.5 * KEY / height);
  for (int i = 0; i < panels; i++) picture->add(p, layer_of(p, i), &s);
  gnuplot_end(&s);
  st code = gnuplot_write(folder, picture->name, ".gp", &s, e);
  str_free(&s);
  return code;
}

st probe_draw(const probe *p, const char *folder, err *e) {
  st code = ST_OK;
  for (int i = 0; !code && i < PICTURES; i++) code = write_script(p, &pictures[i], folder, e);
  for (int i = 0; !code && i < PICTURES; i++) code = gnuplot_run(folder, pictures[i].name, e);
  return code;
}
