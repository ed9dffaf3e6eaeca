/* A metric of each cell as bars with error bars, seeds as circles. */
#include "figure_parts.h"

#include "study_read.h"
#include "table_parts.h"

#include "dyt/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  CELLS_MOST = 40,
  BAR = 26 /* pixels with the room around it */,
  GROUP = 12 /* between groups */,
  LETTER = 7,
  WIDTH = 390, /* in all, where that leaves */
  LEAST = 230  /* for the bars */
};

/* Bars from the top: groups that share all but the axis of columns. */
typedef struct bar {
  int cell, group, color; /* group from 0; color from 1 */
  double y;               /* in pixels from the top */
  figure_value v;
  double paper; /* NaN: none */
} bar;

typedef struct chart {
  bar bar[CELLS_MOST];
  int bars, groups, columns; /* columns: axis, or -1 */
  int first[CELLS_MOST];     /* a cell of each group */
  record_range range;        /* of the axis */
  double high;               /* marks end there: beyond is room for the numbers */
  bool from_zero;
  double height;
} chart;

static int columns_of(const figure_job *j) {
  const cJSON *own = study_get(j->spec, "columns"), *name = own ? own : study_get(j->s->table, "columns");
  int axis = cJSON_IsString(name) ? study_find_axis(j->s, name->valuestring) : -1;
  return axis >= 0 && (j->varies >> axis & 1) ? axis : -1;
}

static bool same_group(const figure_job *j, const chart *c, const int *a, const int *b) {
  for (int i = 0; i < j->s->axes; i++)
    if (i != c->columns && (j->varies >> i & 1) && a[i] != b[i]) return false;
  return true;
}

/* The paper's number of a cell, where the study's table gives one. */
static double paper_of(const figure_job *j, const table_spec *t, const figure_cell *c) {
  for (int i = 0; i < t->cells; i++) {
    bool same = true;
    for (int a = 0; a < j->s->axes; a++)
      same &= (t->chosen && j->s->axis[a].selected) || t->place[i].at[a] == c->at[a];
    if (!same || !t->place[i].paper) continue;
    char *end;
    double v = strtod(t->place[i].paper, &end);
    return end > t->place[i].paper && !*end && isfinite(v) ? v : NAN;
  }
  return NAN;
}

static void find_bars(const figure_job *j, const table_spec *t, chart *c) {
  for (int i = 0; i < j->cells; i++) {
    int g = 0;
    while (g < c->groups && !same_group(j, c, j->cell[c->first[g]].at, j->cell[i].at)) g++;
    if (g == c->groups) c->first[c->groups++] = i;
    c->bar[c->bars++] = (bar){.cell = i,
                              .group = g,
                              .color = c->columns < 0 ? 1 : 1 + j->cell[i].at[c->columns] % STYLE_COLORS,
                              .v = figure_value_of(&j->cell[i], &j->m),
                              .paper = paper_of(j, t, &j->cell[i])};
  }
}

static void place_bars(chart *c) {
  double y = -BAR / 4.0;
  for (int g = 0; g < c->groups; g++) {
    for (int i = 0; i < c->bars; i++)
      if (c->bar[i].group == g) c->bar[i].y = y += BAR;
    y += c->columns < 0 ? 0 : GROUP;
  }
  c->height = y + 0.75 * BAR;
}

/* From 0, unless that hides the differences. */
static void find_range(chart *c) {
  record_range r = RECORD_NOTHING;
  for (int i = 0; i < c->bars; i++) figure_widen(&c->bar[i].v, &r);
  if (r.low > r.high) r = (record_range){0, 1};
  double span = r.high > r.low ? r.high - r.low : fmax(fabs(r.high), 1) * 0.1;
  for (int i = 0; i < c->bars; i++) {
    double *p = &c->bar[i].paper;
    if (*p < r.low - span || *p > r.high + span)
      *p = NAN; /* what is elsewhere would press the bars together */
    if (isfinite(*p)) r = (record_range){fmin(r.low, *p), fmax(r.high, *p)};
  }
  span = r.high > r.low ? r.high - r.low : span;
  c->from_zero = r.low >= 0 && r.low < 0.5 * r.high;
  double low = c->from_zero ? 0 : r.low - 0.2 * span;
  c->range = (record_range){low, r.high + 0.55 * (r.high - low)};
  c->high = r.high;
}

/* --- data --- */

static void add_value(const figure_job *j, const bar *b, str *out) {
  const figure_value *v = &b->v;
  if (v->ok.n) str_addf(out, "%.*f", j->m.digits, v->ok.mean);
  if (v->ok.n > 1) str_addf(out, " \xc2\xb1 %.*f", j->m.digits, v->ok.sd);
  if (v->ok.n && v->failed) str_addf(out, " (%d/%d ok)", v->runs - v->failed, v->runs);
  if (!v->ok.n) str_add(out, v->failed ? "failed" : "no value");
  if (!v->ok.n && v->failed) str_addf(out, " (%c)", v->letter);
}

static st write_data(const figure_job *j, const chart *c, err *e) {
  str data = {0};
  str_add(&data, "y,color,mean,sd,n,failed,paper,text\n");
  for (int i = 0; i < c->bars; i++) {
    const bar *b = &c->bar[i];
    str_addf(&data, "%g,%d", b->y, b->color);
    style_add_field(&data, b->v.ok.mean), style_add_field(&data, isnan(b->v.ok.sd) ? 0 : b->v.ok.sd);
    str_addf(&data, ",%d,%d", b->v.ok.n, b->v.failed);
    style_add_field(&data, b->paper);
    str_add(&data, ",");
    add_value(j, b, &data);
    str_add(&data, "\n");
  }
  str_add(&data, "\n\n");
  for (int i = 0; i < c->bars; i++)
    for (int k = 0; k < c->bar[i].v.ok.n; k++)
      str_addf(&data, "%g,%d,%.9g\n", c->bar[i].y, c->bar[i].color, c->bar[i].v.v[k]);
  return style_write_data(j->folder, j->name, &data, e);
}

/* --- script --- */

static size_t add_group_names(const figure_job *j, const chart *c, str *out) {
  const char *label[CELLS_MOST];
  str text[CELLS_MOST] = {0};
  size_t longest = 0;
  uint32_t axes = c->columns < 0 ? j->varies : j->varies & ~((uint32_t)1 << c->columns);
  for (int g = 0; g < c->groups; g++) {
    figure_add_label(j, j->cell[c->first[g]].at, axes, &text[g]);
    if (!text[g].len) str_add(&text[g], j->s->name);
    label[g] = text[g].data;
    if (text[g].len > longest) longest = text[g].len;
  }
  style_add_names("group_", label, c->groups, out);
  for (int g = 0; g < c->groups; g++) str_free(&text[g]);
  return longest;
}

static void add_axes(const chart *c, str *s) {
  double fifth = (c->high - c->range.low) / 5, apart = style_round_number(fifth, 0);
  if (apart < 0.99 * fifth) apart = style_round_number(fifth, 1); /* two marks at least */
  double first = ceil(c->range.low / apart) * apart;
  str_addf(
      s,
      "set xrange [%.9g:%.9g]\nset yrange [%g:0]\nset xlabel y_name_1 noenhanced\nunset ylabel\nset grid noytics xtics\n"
      "set xtics %.9g,%.9g,%.9g\nset ytics scale 0 (",
      c->range.low, c->range.high, c->height, first, apart, c->high + 0.2 * apart);
  for (int g = 0; g < c->groups; g++) {
    double sum = 0;
    int n = 0;
    for (int i = 0; i < c->bars; i++)
      if (c->bar[i].group == g) sum += c->bar[i].y, n++;
    str_addf(s, "%sgroup_%d %g", g ? ", " : "", g + 1, sum / n);
  }
  str_add(s, ")\n");
}

/* A line style's colour goes by number, so that one plot draws bars of all colours. */
static void plot_bars(const figure_job *j, const chart *c, str *s) {
  for (int color = 1; color <= STYLE_COLORS; color++) {
    bool used = false;
    for (int i = 0; i < c->bars; i++) used |= c->bar[i].color == color;
    if (!used) continue;
    str_addf(
        s,
        "%s'%s.csv' skip 1 index 0 using (%.9g):(of(%d)):(%.9g):3:(column(1) - %d):(column(1) + %d) with boxxyerror linestyle %d "
        "fillstyle transparent solid 0.35 noborder, \\\n"
        "  '' skip 1 index 1 using 3:(of(%d)) with points linestyle %d pointtype 6 pointsize 0.5 linewidth 0.8, \\\n"
        "  '' skip 1 index 0 using 3:(of(%d)):4 with xerrorbars linestyle %d pointtype 7 pointsize 0.7 linewidth 1.6",
        strstr(s->data + s->len - 2, "\n") ? "plot " : ", \\\n  ", j->name, c->range.low, color, c->range.low,
        BAR / 3, BAR / 3, color, color, color, color, color);
  }
  str_addf(
      s,
      ", \\\n  '' skip 1 index 0 using (%.9g):1:(strcol(8)) with labels right font small textcolor rgb '#202020'",
      c->range.high);
}

static void add_key(const figure_job *j, const chart *c, const style_grid *g, int rows, bool paper, str *s) {
  int n = 0;
  style_add_key(g, rows, s);
  for (int i = 0; c->columns >= 0 && i < j->s->axis[c->columns].count; i++) {
    bool used = false;
    for (int k = 0; k < j->cells; k++) used |= j->cell[k].at[c->columns] == i;
    if (used)
      str_addf(s, "%sNaN with linespoints linestyle %d pointtype 7 title column_%d", n++ ? ", " : "",
               1 + i % STYLE_COLORS, i + 1);
  }
  if (paper)
    str_addf(s,
             "%sNaN with points pointtype 2 linecolor rgb '#808080' linewidth 2 title \"the paper's number\"",
             n++ ? ", " : "");
  str_add(s, "\n");
}

/* The key's rows; defines the names of the columns. */
static int key_rows(const figure_job *j, const chart *c, bool paper, str *names) {
  const char *label[STUDY_CASES_MAX];
  str text[STUDY_CASES_MAX] = {0};
  int at[STUDY_AXES_MAX] = {0}, n = c->columns < 0 ? 0 : j->s->axis[c->columns].count;
  for (int i = 0; i < n; i++) {
    at[c->columns] = i;
    figure_add_label(j, at, (uint32_t)1 << c->columns, &text[i]);
    label[i] = text[i].data;
  }
  if (n) style_add_names("column_", label, n, names);
  int rows = (n ? style_key_rows(label, n, WIDTH) : 0) + paper;
  for (int i = 0; i < n; i++) str_free(&text[i]);
  return rows;
}

static st write_script(figure_job *j, const chart *c, err *e) {
  bool paper = false;
  for (int i = 0; i < c->bars; i++) paper |= isfinite(c->bar[i].paper);
  str names = {0}, s = {0};
  char *title = mem_printf("%s%s%s%s", j->m.title, *j->m.unit ? " (" : "", j->m.unit, *j->m.unit ? ")" : "");
  const char *const y_name[1] = {title};
  size_t letters = add_group_names(j, c, &names);
  style_add_names("y_name_", y_name, 1, &names);
  int rows = key_rows(j, c, paper, &names);
  int left = LETTER * (int)letters + 14, width = WIDTH - left > LEAST ? WIDTH - left : LEAST;
  style_grid g =
      style_grid_of(1, 1, width, (int)c->height, 0, rows ? STYLE_KEY_ROW * rows + STYLE_KEY_ROOM : 0);
  style_widen_left(&g, left - g.left);
  style_begin(j->name, names.data, &g, &s);
  str_add(&s, "of(color) = column(2) == color ? column(1) : NaN\n");
  add_axes(c, &s);
  plot_bars(j, c, &s);
  if (paper)
    str_add(
        &s,
        ", \\\n  '' skip 1 index 0 using 7:1 with points pointtype 2 pointsize 0.9 linewidth 1.6 linecolor rgb '#808080'");
  str_add(&s, "\n");
  if (rows) add_key(j, c, &g, rows, paper, &s);
  mem_free(title);
  str_free(&names);
  return style_finish(j->folder, j->name, &s, e);
}

static st write_bars(figure_job *j, err *e) {
  table_spec t = {0};
  chart *c = mem_new(1, sizeof *c);
  st code = table_spec_read(j->s, &t, e);
  c->columns = columns_of(j);
  if (!code) {
    find_bars(j, &t, c);
    place_bars(c);
    find_range(c);
    if (!c->from_zero) str_addf(&j->notes, " The axis begins at %.3g, not at 0.", c->range.low);
    code = write_data(j, c, e);
  }
  if (!code) code = write_script(j, c, e);
  table_spec_free(&t);
  mem_free(c);
  return code;
}

static bool has_logs(const record *r) { return r->epochs.rows || r->steps.rows; }

const figure_kind figure_bars = {
    .name = "bars",
    .title = "All cells",
    .caption = "Means over seeds that did not fail; bars: standard deviation; circles: seeds.",
    .lacks = "no run was evaluated",
    .keys = FIGURE_METRIC | FIGURE_COLUMNS,
    .cells_most = CELLS_MOST,
    .has = has_logs,
    .write = write_bars};
