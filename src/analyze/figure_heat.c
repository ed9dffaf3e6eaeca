/* A metric over two axes, panels over more: where training works. */
#include "figure_parts.h"

#include "dyt/mem.h"

#include <math.h>
#include <string.h>

enum { PANELS_MAX = 12, BOX_WIDTH = 68, BOX_HEIGHT = 40, LETTER = 7 /* pixels of a label's letter */ };

/* Cases of an axis that the cells have, in the axis' order. */
typedef struct cases {
  int at[STUDY_CASES_MAX], count;
} cases;

static cases cases_of(const figure_job *j, int axis) {
  cases c = {.count = 0};
  for (int i = 0; i < j->s->axis[axis].count; i++)
    for (int k = 0; k < j->cells; k++)
      if (j->cell[k].at[axis] == i) {
        c.at[c.count++] = i;
        break;
      }
  return c;
}

static int place_of(const cases *c, int at) {
  int i = 0;
  while (i < c->count && c->at[i] != at) i++;
  return i;
}

static bool same_panel(const figure_job *j, const int *a, const int *b) {
  for (int i = 0; i < j->s->axes; i++)
    if ((j->panels >> i & 1) && a[i] != b[i]) return false;
  return true;
}

static int find_panels(figure_job *j, int *first) {
  int n = 0;
  for (int i = 0; i < j->cells; i++) {
    int k = 0;
    while (k < n && !same_panel(j, j->cell[first[k]].at, j->cell[i].at)) k++;
    if (k == n && n < PANELS_MAX) first[n++] = i;
  }
  return n;
}

/* "88.3", "88.3 (1/2)" where a seed failed, the letter where all did. */
static void add_text(const figure_job *j, const figure_value *v, str *out) {
  if (v->ok.n) str_addf(out, "%.*f", j->m.digits > 1 ? j->m.digits - 1 : j->m.digits, v->ok.mean);
  if (v->failed) {
    if (v->ok.n)
      str_addf(out, " %c %d/%d", v->letter, v->failed, v->runs);
    else
      str_addf(out, "%c", v->letter);
  }
}

static void add_cell(const figure_job *j, const figure_cell *c, int panel, const cases *x, const cases *y,
                     str *data) {
  figure_value v = figure_value_of(c, &j->m);
  str text = {0};
  add_text(j, &v, &text);
  str_addf(data, "%d,%d,%d", panel, place_of(x, c->at[j->x]), place_of(y, c->at[j->y]));
  style_add_field(data, v.ok.mean);
  str_addf(data, ",%d,%d,%d,%s\n", v.ok.n, v.failed, v.runs, text.data ? text.data : "");
  str_free(&text);
}

static void add_ticks(const figure_job *j, const char *axis, const char *prefix, const cases *c, str *s) {
  (void)j;
  str_addf(s, "set %stics (", axis);
  for (int i = 0; i < c->count; i++) str_addf(s, "%s%s%d %d", i ? ", " : "", prefix, i + 1, i);
  str_addf(s, ") scale 0\nset %srange [-0.5:%.1f]\n", axis, c->count - 0.5);
}

static size_t add_case_names(const figure_job *j, const char *prefix, int axis, const cases *c, str *out) {
  const char *label[STUDY_CASES_MAX];
  size_t longest = 0;
  for (int i = 0; i < c->count; i++) {
    label[i] = j->s->axis[axis].at[c->at[i]].label;
    if (strlen(label[i]) > longest) longest = strlen(label[i]);
  }
  style_add_names(prefix, label, c->count, out);
  return longest;
}

static void add_panel_names(const figure_job *j, const int *first, int panels, str *out) {
  const char *label[PANELS_MAX];
  str text[PANELS_MAX] = {0};
  for (int i = 0; i < panels; i++) {
    figure_add_label(j, j->cell[first[i]].at, j->panels, &text[i]);
    label[i] = text[i].data;
  }
  style_add_names("panel_", label, panels, out);
  for (int i = 0; i < panels; i++) str_free(&text[i]);
}

/* Dark to bright is low to high, to the eye and to the colour-blind (cividis); what has no number is grey. */
static const char look[] =
    "set palette defined (0 '#00224e', 0.25 '#3e4a76', 0.5 '#7d7c78', 0.75 '#bcae6c', 1 '#fee838')\n"
    "unset grid\nset style fill solid 1 noborder\nset cbtics scale 0.4\n"
    "of(panel, v) = column(1) == panel ? v : NaN\n"
    "bright(v) = (v - low) / (high - low) > 0.55\n"
    "ink(v) = v == v ? (bright(v) ? 0x010101 : 0xfefefe) : 0x010101\n";

static void plot_panel(const figure_job *j, int panel, bool named, str *s) {
  if (named) str_addf(s, "set title panel_%d noenhanced\n", panel);
  str_addf(
      s,
      "plot '%s.csv' skip 1 using (of(%d, column(2))):3:($2 - 0.47):($2 + 0.47):($3 - 0.46):($3 + 0.46) with boxxyerror "
      "fillcolor rgb '#c8c8c8', \\\n"
      "  '' skip 1 using (of(%d, column(2))):3:($2 - 0.47):($2 + 0.47):($3 - 0.46):($3 + 0.46):4 with boxxyerror palette, \\\n"
      "  '' skip 1 using (of(%d, column(2))):3:(strcol(8)):(ink(column(4))) with labels font small textcolor rgb variable\n",
      j->name, panel, panel, panel);
}

/* The scale of colours, below all panels. */
static void add_scale(const figure_job *j, const style_grid *g, str *s) {
  (void)j;
  str_addf(s,
           "set colorbox horizontal user origin screen %.4f, %.4f size screen %.4f, %.4f\n"
           "set cblabel y_name_1 noenhanced offset 0,0.4\n",
           (double)g->left / g->width, 62.0 / g->height, 1 - (g->left + 30.0) / g->width, 10.0 / g->height);
}

static st write_heat(figure_job *j, err *e) {
  cases x = cases_of(j, j->x), y = cases_of(j, j->y);
  int first[PANELS_MAX], panels = find_panels(j, first), columns = panels < 3 ? panels : panels == 4 ? 2 : 3;
  record_range z = RECORD_NOTHING;
  str data = {0}, names = {0}, s = {0};
  str_add(&data, "panel,x,y,mean,n,failed,runs,text\n");
  for (int i = 0; i < j->cells; i++) {
    figure_value v = figure_value_of(&j->cell[i], &j->m);
    if (v.ok.n) z = (record_range){fmin(z.low, v.ok.mean), fmax(z.high, v.ok.mean)};
    for (int k = 0; k < panels; k++)
      if (same_panel(j, j->cell[first[k]].at, j->cell[i].at)) add_cell(j, &j->cell[i], k + 1, &x, &y, &data);
  }
  add_case_names(j, "x_", j->x, &x, &names);
  size_t letters = add_case_names(j, "y_", j->y, &y, &names);
  char *title = mem_printf("%s%s%s%s", j->m.title, *j->m.unit ? " (" : "", j->m.unit, *j->m.unit ? ")" : "");
  const char *const y_name[1] = {title}, *const axes[2] = {j->s->axis[j->x].name, j->s->axis[j->y].name};
  style_add_names("y_name_", y_name, 1, &names);
  style_add_names("axis_", axes, 2, &names);
  if (j->panels) add_panel_names(j, first, panels, &names);
  style_grid g = style_grid_of((panels + columns - 1) / columns, columns, BOX_WIDTH * x.count,
                               BOX_HEIGHT * y.count, j->panels ? 1 : 0, 82);
  if (letters > 6) style_widen_left(&g, LETTER * (int)(letters - 6));
  style_begin(j->name, names.data, &g, &s);
  if (z.low >= z.high) z = z.low > z.high ? (record_range){0, 1} : (record_range){z.low - 1, z.high};
  str_addf(&s, "low = %.9g\nhigh = %.9g\nset cbrange [low:high]\n%s", z.low, z.high, look);
  add_ticks(j, "x", "x_", &x, &s);
  add_ticks(j, "y", "y_", &y, &s);
  str_add(&s, "set xlabel axis_1 noenhanced\nset ylabel axis_2 noenhanced\n");
  add_scale(j, &g, &s);
  for (int i = 0; i < panels; i++) {
    plot_panel(j, i + 1, j->panels != 0, &s);
    if (i == 0) str_add(&s, "unset colorbox\n");
  }
  mem_free(title);
  str_free(&names);
  st code = style_write_data(j->folder, j->name, &data, e), written = style_finish(j->folder, j->name, &s, e);
  return code ? code : written;
}

static bool has_logs(const record *r) { return r->epochs.rows || r->steps.rows; }

const figure_kind figure_heat = {
    .name = "heat",
    .title = "Over two axes",
    .caption =
        "Means over the seeds that did not fail. D: numbers became non-finite; C: accuracy collapsed; N: nothing was learnt.",
    .lacks = "no run was evaluated",
    .keys = FIGURE_X | FIGURE_Y | FIGURE_PANELS | FIGURE_METRIC,
    .needs = FIGURE_X | FIGURE_Y,
    .cells_most = STUDY_CELLS_MAX,
    .has = has_logs,
    .write = write_heat};
