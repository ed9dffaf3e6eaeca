/* Which cells a figure has, their names, and their numbers. */
#include "figure_parts.h"

#include "study_read.h"

#include "dyt/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- names --- */

double figure_number(const study *s, int axis, int at) {
  const char *label = s->axis[axis].at[at].label, *space = strrchr(label, ' ');
  char *end;
  const char *word = space ? space + 1 : label;
  double v = strtod(word, &end);
  return end > word && !*end && isfinite(v) ? v : NAN;
}

/* "0.5" says nothing without the axis' name. */
static bool is_number(const char *label) {
  char *end;
  strtod(label, &end);
  return end > label && !*end;
}

void figure_add_label(const figure_job *j, const int *at, uint32_t axes, str *out) {
  int n = 0;
  str_add(out, "");
  for (int i = 0; i < j->s->axes; i++) {
    if (!(axes >> i & 1)) continue;
    const char *label = j->s->axis[i].at[at[i]].label;
    if (n++) str_add(out, ", ");
    if (is_number(label) || strcmp(label, "true") == 0 || strcmp(label, "false") == 0)
      str_addf(out, "%s ", j->s->axis[i].name);
    str_add(out, label);
  }
}

void figure_add_labels(const figure_job *j, const char *prefix, str *s) {
  const char *label[STUDY_CELLS_MAX];
  for (int i = 0; i < j->cells; i++) label[i] = j->cell[i].label;
  style_add_names(prefix, label, j->cells, s);
}

/* --- cells --- */

static int axis_of(const study *s, const cJSON *name) {
  return cJSON_IsString(name) ? study_find_axis(s, name->valuestring) : -1;
}

static uint32_t axes_of(const study *s, const cJSON *names) {
  const cJSON *name;
  uint32_t mask = 0;
  if (cJSON_IsString(names)) return (uint32_t)1 << axis_of(s, names);
  cJSON_ArrayForEach(name, names) mask |= (uint32_t)1 << axis_of(s, name);
  return mask;
}

static uint32_t selected_axes(const study *s) {
  uint32_t mask = 0;
  for (int i = 0; i < s->axes; i++) mask |= (uint32_t)s->axis[i].selected << i;
  return mask;
}

static bool same_cell(const study *s, const int *a, const int *b) {
  return memcmp(a, b, (size_t)s->axes * sizeof *a) == 0;
}

static bool is_chosen(const study *s, const study_plan *p, const int *at) {
  for (int i = 0; i < p->choices; i++)
    if (same_cell(s, p->choice[i].at, at)) return true;
  return false;
}

/* Whether a run is one of the figure's. */
static bool takes(const figure_job *j, const study_plan *p, const study_run *r) {
  if (j->choosing) return r->tuning == (j->s->tuning.count > 0);
  return !r->tuning && (!selected_axes(j->s) || is_chosen(j->s, p, r->at));
}

static figure_cell *cell_of(figure_job *j, const int *at, int runs) {
  for (int i = 0; i < j->cells; i++)
    if (same_cell(j->s, j->cell[i].at, at)) return &j->cell[i];
  figure_cell *c = &j->cell[j->cells++];
  memcpy(c->at, at, sizeof c->at);
  c->run = mem_new((size_t)runs, sizeof *c->run);
  return c;
}

static void find_cells(figure_job *j, const study_plan *p, const record *run, const study_match *m,
                       const figure_kind *kind) {
  j->cell = mem_new((size_t)p->runs + 1, sizeof *j->cell);
  for (int i = 0; i < p->runs; i++) {
    const study_run *r = &p->run[i];
    if (!run[i].state || !takes(j, p, r) || !study_matches(j->s, m, r->at) || !kind->has(&run[i])) continue;
    figure_cell *c = cell_of(j, r->at, p->runs);
    if (c->runs < STUDY_SEEDS_MAX) c->run[c->runs++] = &run[i];
  }
}

static void cell_free(figure_cell *c) {
  mem_free(c->run);
  mem_free(c->label);
}

static void leave_out(figure_job *j, int most) {
  for (; j->cells > most; j->left_out++) cell_free(&j->cell[--j->cells]);
  if (j->left_out)
    str_addf(&j->notes, " The first %d of %d cells are drawn.", j->cells, j->cells + j->left_out);
}

/* The chosen cases are not part of a name: they follow from the others. */
static void name_cells(figure_job *j) {
  for (int i = 1; i < j->cells; i++)
    for (int a = 0; a < j->s->axes; a++) j->varies |= (uint32_t)(j->cell[i].at[a] != j->cell[0].at[a]) << a;
  if (!j->choosing) j->varies &= ~selected_axes(j->s);
  uint32_t all = j->choosing ? UINT32_MAX : ~selected_axes(j->s), axes = j->cells == 1 ? all : j->varies;
  for (int i = 0; i < j->cells; i++) {
    str label = {0};
    figure_add_label(j, j->cell[i].at, axes, &label);
    j->cell[i].label = label.len ? label.data : mem_strdup(j->s->name);
    if (!label.len) str_free(&label);
  }
}

static const char *metric_name(const figure_job *j) {
  const char *given = cJSON_GetStringValue(study_get(j->spec, "metric"));
  const char *table = cJSON_GetStringValue(study_get(j->s->table, "metric"));
  return given ? given : j->choosing ? j->s->by : table ? table : "test_acc1";
}

st figure_job_open(figure_job *j, const study_plan *p, const record *run, const figure_kind *kind, err *e) {
  study_match m;
  const cJSON *cell = study_get(j->spec, "cell");
  memset(&m, 0xff, sizeof m);
  if (cell && study_read_match(j->s, cell, &m, e)) return ST_USER;
  j->x = axis_of(j->s, study_get(j->spec, "x")), j->y = axis_of(j->s, study_get(j->spec, "y"));
  j->panels = axes_of(j->s, study_get(j->spec, "panels"));
  uint32_t drawn = j->panels | (j->x < 0 ? 0 : (uint32_t)1 << j->x) | (j->y < 0 ? 0 : (uint32_t)1 << j->y);
  j->choosing = !j->s->seeds.count || (drawn & selected_axes(j->s)) != 0;
  if ((kind->keys & FIGURE_METRIC) && metric_find(&j->m, metric_name(j), e)) return ST_USER;
  find_cells(j, p, run, &m, kind);
  leave_out(j, kind->cells_most);
  name_cells(j);
  return ST_OK;
}

void figure_job_free(figure_job *j) {
  for (int i = 0; i < j->cells; i++) cell_free(&j->cell[i]);
  mem_free(j->cell);
  str_free(&j->notes);
}

/* --- numbers --- */

figure_value figure_value_of(const figure_cell *c, const metric *m) {
  figure_value v = {.runs = c->runs};
  int n = 0;
  for (int i = 0; i < c->runs; i++) {
    char letter = metric_failure(c->run[i]);
    double x = metric_of(m, c->run[i]);
    if (letter) {
      if (!v.failed++) v.letter = letter;
    } else if (isfinite(x)) {
      v.v[n++] = x;
    }
  }
  v.ok = stats_summarize(v.v, n);
  return v;
}

static void widen(record_range *r, double v) {
  if (!isfinite(v)) return;
  r->low = fmin(r->low, v);
  r->high = fmax(r->high, v);
}

void figure_widen(const figure_value *v, record_range *r) {
  if (!v->ok.n) return;
  double sd = isnan(v->ok.sd) ? 0 : v->ok.sd;
  widen(r, v->ok.mean - sd), widen(r, v->ok.mean + sd);
  widen(r, v->ok.min), widen(r, v->ok.max);
}

/* --- bands --- */

const char figure_band_header[] = "cell,x,mean,low,high,n\n";

typedef struct point {
  double x, y;
} point;

static int by_x(const void *a, const void *b) {
  const point *p = a, *q = b;
  return (p->x > q->x) - (p->x < q->x);
}

static int collect(const figure_cell *c, const figure_source *from, point **out) {
  int room = 0, n = 0;
  for (int i = 0; i < c->runs; i++) room += from->table(c->run[i])->rows;
  *out = mem_new((size_t)room + 1, sizeof **out);
  for (int i = 0; i < c->runs; i++) {
    const record_table *t = from->table(c->run[i]);
    for (int row = 0; row < t->rows; row++) {
      point p = {record_at(t, row, from->x), from->scale * record_at(t, row, from->y)};
      if (isfinite(p.x) && isfinite(p.y)) (*out)[n++] = p;
    }
  }
  qsort(*out, (size_t)n, sizeof **out, by_x);
  return n;
}

void figure_add_band(const figure_cell *c, int number, const figure_source *from, str *data, record_range *x,
                     record_range *y, int *points) {
  point *p;
  int n = collect(c, from, &p), count = 0;
  for (int i = 0, next; i < n; i = next, count++) {
    double sum = 0, low = INFINITY, high = -INFINITY;
    for (next = i; next < n && p[next].x == p[i].x; next++) {
      sum += p[next].y;
      low = fmin(low, p[next].y), high = fmax(high, p[next].y);
    }
    str_addf(data, "%d,%.9g,%.9g,%.9g,%.9g,%d\n", number, p[i].x, sum / (next - i), low, high, next - i);
    widen(x, p[i].x), widen(y, low), widen(y, high);
  }
  if (!n) str_addf(data, "%d,,,,,0\n", number);
  str_add(data, "\n\n");
  if (points) *points = count > *points ? count : *points;
  mem_free(p);
}
