/* A metric against the numbers of an axis: a line for each case of the other axes. */
#include "figure_parts.h"

#include "dyt/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 2 * STYLE_COLORS };

/* Cells that differ in the number of x alone; a cell whose x is no number is a line of its own. */
typedef struct line {
  int first; /* a cell of it */
  int points, color;
  bool flat; /* no number, or but one where others have more: a horizontal line */
} line;

static uint32_t others(const figure_job *j) { return j->varies & ~((uint32_t)1 << j->x); }

static double x_of(const figure_job *j, int cell) {
  return figure_number(j->s, j->x, j->cell[cell].at[j->x]);
}

static bool same_but_x(const figure_job *j, int a, int b) {
  for (int i = 0; i < j->s->axes; i++)
    if ((others(j) >> i & 1) && j->cell[a].at[i] != j->cell[b].at[i]) return false;
  return true;
}

static bool same_line(const figure_job *j, int a, int b) {
  bool numbers = isfinite(x_of(j, a)) && isfinite(x_of(j, b));
  return same_but_x(j, a, b) && (numbers || j->cell[a].at[j->x] == j->cell[b].at[j->x]);
}

/* What is compared along x has the same colour. */
static int color_of(const figure_job *j, const line *l, int n, int cell) {
  int most = 0;
  for (int k = 0; k < n; k++) {
    if (same_but_x(j, l[k].first, cell)) return l[k].color;
    most = l[k].color > most ? l[k].color : most;
  }
  return most + 1;
}

static int find_lines(figure_job *j, line *out) {
  int n = 0, most = 1, left_out = 0;
  for (int i = 0; i < j->cells; i++) {
    int k = 0;
    while (k < n && !same_line(j, out[k].first, i)) k++;
    if (k == n) {
      int color = color_of(j, out, n, i);
      left_out += n == LINES_MAX || color > STYLE_COLORS;
      if (n == LINES_MAX || color > STYLE_COLORS) continue;
      out[n++] = (line){.first = i, .color = color};
    }
    if (isfinite(x_of(j, i))) out[k].points++;
  }
  for (int k = 0; k < n; k++) most = out[k].points > most ? out[k].points : most;
  for (int k = 0; k < n; k++) out[k].flat = out[k].points == 0 || (out[k].points == 1 && most > 1);
  if (left_out) str_addf(&j->notes, " The first %d lines are drawn.", n);
  return n;
}

static void widen(record_range *r, double v) {
  if (isfinite(v)) *r = (record_range){fmin(r->low, v), fmax(r->high, v)};
}

/* What is drawn of a line; ticks at the numbers that there are. */
typedef struct axes {
  record_range x, y;
  int failed;
} axes;

static int by_x(const void *a, const void *b) {
  const double *p = a, *q = b;
  return (*p > *q) - (*p < *q);
}

typedef struct point {
  double x;
  figure_value v;
} point;

static void add_line(const figure_job *j, const line *l, int number, str *data, axes *a) {
  point *p = mem_new((size_t)j->cells + 1, sizeof *p);
  int n = 0;
  for (int i = 0; i < j->cells; i++) {
    if (!same_line(j, l->first, i)) continue;
    double x = x_of(j, i);
    if (isfinite(x) || l->flat) p[n++] = (point){x, figure_value_of(&j->cell[i], &j->m)};
  }
  qsort(p, (size_t)n, sizeof *p, by_x);
  for (int i = 0; i < n; i++) {
    const figure_value *v = &p[i].v;
    str_addf(data, "%d", number);
    style_add_field(data, p[i].x), style_add_field(data, v->ok.mean);
    style_add_field(data, isnan(v->ok.sd) ? 0 : v->ok.sd);
    str_addf(data, ",%d,%d\n", v->ok.n, v->failed);
    if (!l->flat) widen(&a->x, p[i].x);
    figure_widen(v, &a->y);
    a->failed += v->failed;
  }
  if (!n) str_addf(data, "%d,,,,0,0\n", number);
  str_add(data, "\n\n");
  mem_free(p);
}

/* The axis' own numbers are its marks. */
static void add_x(const figure_job *j, record_range x, str *s) {
  bool log_scale = x.low > 0 && x.high > 3 * x.low;
  double margin = x.high > x.low ? 0.06 * (x.high - x.low) : 1;
  if (x.low > x.high) x = (record_range){0, 1};
  if (log_scale)
    str_addf(s, "set logscale x\nset xrange [%.9g:%.9g]\n", x.low / 1.25, x.high * 1.25);
  else
    str_addf(s, "set xrange [%.9g:%.9g]\n", x.low - margin, x.high + margin);
  str_add(s, "set xtics (");
  for (int i = 0, n = 0; i < j->s->axis[j->x].count; i++) {
    double v = figure_number(j->s, j->x, i);
    if (isfinite(v) && v >= x.low && v <= x.high) str_addf(s, "%s'%.6g' %.9g", n++ ? ", " : "", v, v);
  }
  str_add(s, ")\nset xlabel x_name noenhanced\nset ylabel y_name noenhanced\n");
}

static void plot_line(const figure_job *j, const line *l, int i, str *s) {
  str_add(s, i ? ", \\\n  " : "plot ");
  if (l->flat)
    str_addf(
        s,
        "'%s.csv' skip 1 index %d using (flat_left):3:(flat_width):(0) with vectors nohead linestyle %d dashtype 2",
        j->name, i, l->color);
  else
    str_addf(s,
             "'%s.csv' skip 1 index %d using 2:3 with lines linestyle %d, \\\n"
             "  '%s.csv' skip 1 index %d using 2:3:4 with yerrorbars linestyle %d pointsize 0.9",
             j->name, i, l->color, j->name, i, l->color);
}

static void plot_lines(const figure_job *j, const line *l, int n, const axes *a, str *s) {
  bool nothing = a->x.low > a->x.high, log_scale = a->x.low > 0 && a->x.high > 3 * a->x.low;
  double left = log_scale ? a->x.low / 1.25 : a->x.low - 1,
         right = log_scale ? a->x.high * 1.25 : a->x.high + 1;
  str_addf(s, "flat_left = %.9g\nflat_width = %.9g\n", nothing ? 0 : left, nothing ? 1 : right - left);
  if (a->y.low > a->y.high) {
    style_add_empty("no run has this metric, or all failed", s);
    return;
  }
  for (int i = 0; i < n; i++) plot_line(j, &l[i], i, s);
  str_add(s, "\n");
}

static void add_key(const line *l, int n, const style_grid *g, int rows, str *s) {
  style_add_key(g, rows, s);
  for (int i = 0; i < n; i++)
    str_addf(s, "%sNaN with %s linestyle %d%s title line_%d", i ? ", " : "",
             l[i].flat ? "lines" : "linespoints", l[i].color, l[i].flat ? " dashtype 2" : "", i + 1);
  str_add(s, "\n");
}

static void define_names(const figure_job *j, const char *const *label, int n, str *out) {
  char *y = mem_printf("%s%s%s%s", j->m.title, *j->m.unit ? " (" : "", j->m.unit, *j->m.unit ? ")" : "");
  const char *x[1] = {j->s->axis[j->x].name}, *ys[1] = {y};
  style_add_names("line_", label, n, out);
  style_add_names("x_name_", x, 1, out);
  style_add_names("y_name_", ys, 1, out);
  str_add(out, "x_name = x_name_1\ny_name = y_name_1\n");
  mem_free(y);
}

static void add_script(const figure_job *j, const line *l, int n, const char *const *label, const axes *a,
                       str *s) {
  int rows = n > 1 ? style_key_rows(label, n, 360) : 0;
  style_grid g = style_grid_of(1, 1, 360, 260, 0, rows ? STYLE_KEY_ROW * rows + STYLE_KEY_ROOM : 4);
  str names = {0};
  define_names(j, label, n, &names);
  style_begin(j->name, names.data, &g, s);
  str_free(&names);
  add_x(j, a->x, s);
  style_add_range("y", a->y, STYLE_LOG_LOSS, s);
  plot_lines(j, l, n, a, s);
  if (rows) add_key(l, n, &g, rows, s);
}

static st write_line(figure_job *j, err *e) {
  line l[LINES_MAX];
  str label[LINES_MAX] = {0}, data = {0}, s = {0};
  const char *text[LINES_MAX];
  axes a = {RECORD_NOTHING, RECORD_NOTHING, 0};
  int n = find_lines(j, l);
  str_add(&data, "line,x,mean,sd,n,failed\n");
  for (int i = 0; i < n; i++) {
    bool named = !isfinite(x_of(j, l[i].first));
    figure_add_label(j, j->cell[l[i].first].at, named ? j->varies : others(j), &label[i]);
    if (!label[i].len) str_add(&label[i], j->s->axis[j->x].name);
    text[i] = label[i].data;
    add_line(j, &l[i], i + 1, &data, &a);
  }
  add_script(j, l, n, text, &a, &s);
  if (a.failed)
    str_addf(&j->notes, " %d run%s failed and %s left out.", a.failed, a.failed == 1 ? "" : "s",
             a.failed == 1 ? "is" : "are");
  for (int i = 0; i < n; i++) str_free(&label[i]);
  st code = style_write_data(j->folder, j->name, &data, e), written = style_finish(j->folder, j->name, &s, e);
  return code ? code : written;
}

static bool has_epochs(const record *r) { return r->epochs.rows || r->steps.rows; }

const figure_kind figure_line = {.name = "line",
                                 .title = "Along an axis",
                                 .caption = "Means over seeds, error bars: standard deviation.",
                                 .lacks = "no run was evaluated",
                                 .keys = FIGURE_X | FIGURE_METRIC,
                                 .needs = FIGURE_X,
                                 .cells_most = STUDY_CELLS_MAX,
                                 .has = has_epochs,
                                 .write = write_line};
