/* What the runs of a study say: its records, summaries over seeds, differences, tests. */
#include "table_parts.h"

#include "study_read.h"

#include "dyt/mem.h"
#include "dyt/store.h"
#include "dyt/str.h"

#include <math.h>
#include <string.h>

static const double level = 0.05; /* of every test */
static const double tie = 0.05;   /* points: docs/studies.md */

enum { DRAWS = 2000 };

/* --- records --- */

static void take(const table_spec *spec, const record *r, table_run *run) {
  metric best;
  metric_find(&best, "best_val_acc1", NULL);
  run->there = true;
  run->failed = metric_failure(r);
  run->best = metric_of(&best, r);
  for (int m = 0; m < spec->metrics; m++) run->value[m] = run->failed ? NAN : metric_of(&spec->metric[m], r);
  if (!spec->bootstrap || run->failed || !r->images) return;
  run->images = r->images;
  run->right = mem_new((size_t)r->images, 1);
  for (int i = 0; i < r->images; i++) run->right[i] = r->right[i];
}

static st load_run(const table *t, const char *store, const char *id, table_run *run, err *e) {
  record r = {0};
  if (!store_finished(store, id)) return ST_OK;
  char *path = store_path(store, id, ".json.gz");
  st code = record_read(&r, path, e);
  if (!code) take(&t->spec, &r, run);
  record_free(&r);
  mem_free(path);
  return code;
}

static void count(table_cell *c) {
  double sum = 0;
  for (int i = 0; i < c->runs; i++) {
    const table_run *r = &c->run[i];
    size_t n = strlen(c->letters);
    c->there += r->there;
    if (!r->failed) continue;
    c->failed++;
    sum += r->best;
    if (!strchr(c->letters, r->failed)) c->letters[n] = r->failed;
  }
  c->best = c->failed ? sum / c->failed : NAN;
}

/* The run of a cell and seed that is reported; NULL: not planned yet. */
static const study_run *planned(const table *t, const int *at, uint64_t seed) {
  bool tuning = !t->s.seeds.count;
  for (int i = 0; i < t->plan.runs; i++) {
    const study_run *r = &t->plan.run[i];
    if (r->seed == seed && r->tuning == tuning && !memcmp(r->at, at, sizeof r->at)) return r;
  }
  return NULL;
}

static st load_cell(table *t, int cell, const char *store, err *e) {
  const int *at = t->spec.place[cell].at;
  const study_seeds *seeds = t->s.seeds.count ? study_seeds_of(&t->s, at) : &t->s.tuning;
  table_cell *c = &t->cell[cell];
  st code = ST_OK;
  for (int i = 0; t->spec.chosen && i < t->plan.choices; i++)
    if (study_same_but_selected(&t->s, t->plan.choice[i].at, at)) c->choice = &t->plan.choice[i];
  bool known = c->choice || !t->spec.chosen;
  if (c->choice) at = c->choice->at;
  c->run = mem_new((size_t)seeds->count + 1, sizeof *c->run);
  for (int i = 0; !code && i < seeds->count; i++) {
    table_run *run = &c->run[c->runs++];
    const study_run *r = known ? planned(t, at, seeds->at[i]) : NULL;
    run->seed = seeds->at[i];
    run->best = NAN;
    for (int m = 0; m < t->spec.metrics; m++) run->value[m] = NAN;
    if (r) code = load_run(t, store, r->id, run, e);
  }
  count(c);
  return code;
}

static void count_missing(table *t, const char *store) {
  t->missing = t->plan.waiting * t->s.seeds.count;
  for (int i = 0; i < t->plan.runs; i++) t->missing += !store_finished(store, t->plan.run[i].id);
}

/* --- differences --- */

/* The run of the same seed in another cell; NULL: it has none. */
static const table_run *partner(const table_cell *c, uint64_t seed) {
  for (int i = 0; i < c->runs; i++)
    if (c->run[i].seed == seed) return &c->run[i];
  return NULL;
}

/* The values of two cells at the seeds that both have; none where a run of either failed. */
static int pairs(const table *t, int a, int b, int m, double *x, double *y) {
  const table_cell *p = &t->cell[a], *q = &t->cell[b];
  int n = 0;
  for (int i = 0; i < p->runs && !p->failed && !q->failed; i++) {
    const table_run *other = partner(q, p->run[i].seed);
    if (!other || isnan(p->run[i].value[m]) || isnan(other->value[m])) continue;
    x[n] = p->run[i].value[m], y[n++] = other->value[m];
  }
  return n;
}

static stats_interval resample(const table *t, int a, int b) {
  const unsigned char *x[STUDY_SEEDS_MAX], *y[STUDY_SEEDS_MAX];
  const table_cell *p = &t->cell[a], *q = &t->cell[b];
  int n = 0, images = 0;
  for (int i = 0; i < p->runs && !p->failed && !q->failed; i++) {
    const table_run *one = &p->run[i], *other = partner(q, one->seed);
    if (!other || !one->right || !other->right || one->images != other->images) continue;
    if (n && one->images != images) continue;
    images = one->images;
    x[n] = one->right, y[n++] = other->right;
  }
  return stats_bootstrap(x, y, n, images, DRAWS, 0);
}

static bool in_points(const metric *m) { return strcmp(m->unit, "%") == 0; }

static void compare(table *t, int cell, int m) {
  double x[STUDY_SEEDS_MAX] = {0}, y[STUDY_SEEDS_MAX] = {0};
  const metric *of = &t->spec.metric[m];
  table_value *v = &t->value[cell * t->spec.metrics + m];
  int base = t->spec.place[cell].baseline;
  double margin = in_points(of) ? t->spec.margin : NAN;
  int n = base < 0 ? 0 : pairs(t, cell, base, m, x, y);
  v->pair = stats_compare_paired(x, y, n, margin);
  v->pair.n = n;
  v->power = stats_power_equivalence(n, v->pair.sd, margin);
  v->images = (stats_interval){NAN, NAN};
  if (n > 1 && t->spec.bootstrap && strcmp(of->name, "test_acc1") == 0) v->images = resample(t, cell, base);
}

static void summarize(table *t, int cell, int m) {
  const table_cell *c = &t->cell[cell];
  double x[STUDY_SEEDS_MAX];
  int n = 0;
  for (int i = 0; i < c->runs; i++)
    if (!isnan(c->run[i].value[m])) x[n++] = c->run[i].value[m];
  t->value[cell * t->spec.metrics + m].over = stats_summarize(x, n);
}

static bool is_ranked(const table *t, int cell, int m) {
  const table_cell *c = &t->cell[cell];
  return !c->failed && c->there == c->runs && table_at(t, cell, m)->over.n > 1;
}

/* The mean that the others of a column must beat; NaN: less than two are ranked. */
static double best_mean(const table *t, int column, int m) {
  double best = NAN;
  int ranked = 0;
  for (int i = 0; i < t->spec.cells; i++) {
    double mean = table_at(t, i, m)->over.mean;
    if (t->spec.place[i].column != column || !is_ranked(t, i, m)) continue;
    if (!ranked++ || (t->spec.metric[m].lower_is_better ? mean < best : mean > best)) best = mean;
  }
  return ranked > 1 ? best : NAN;
}

/* Correlations and the like have no best. Means that read the same are best together. */
static void mark_best(table *t, int column, int m) {
  const metric *of = &t->spec.metric[m];
  double best = t->spec.screen || !*of->unit ? NAN : best_mean(t, column, m),
         same = 0.5 * pow(10, -of->digits);
  for (int i = 0; i < t->spec.cells; i++) {
    table_value *v = &t->value[i * t->spec.metrics + m];
    if (t->spec.place[i].column == column && is_ranked(t, i, m)) v->best = fabs(v->over.mean - best) < same;
  }
}

bool table_is_equal(const table_value *v) { return v->pair.p_equivalent < level; }

/* --- tests --- */

static void test(table *t, int i) {
  const table_claim *c = &t->spec.claim[i];
  double x[STUDY_SEEDS_MAX] = {0}, y[STUDY_SEEDS_MAX] = {0};
  table_test *of = &t->test[i];
  int than = c->than < 0 ? c->cell : c->than;
  bool whole = t->cell[c->cell].there == t->cell[c->cell].runs && t->cell[than].there == t->cell[than].runs;
  int n = whole ? pairs(t, c->cell, than, c->metric, x, y) : 0; /* nothing is tested along the way */
  if (c->than < 0) memset(y, 0, sizeof y);
  of->pair = stats_compare_paired(x, y, n, c->kind == TABLE_EQUAL ? t->spec.margin : NAN);
  of->pair.n = n;
  of->p = c->kind == TABLE_EQUAL ? of->pair.p_equivalent : of->pair.p_greater;
}

/* Tests that cannot be made yet, or stand in other studies, count as if they came last: Holm's p is never too small for that. */
static void test_all(table *t) {
  double p[TABLE_FAMILY_MAX];
  for (int i = 0; i < t->spec.claims; i++) test(t, i);
  for (int i = 0; i < t->spec.family; i++)
    p[i] = i < t->spec.claims && !isnan(t->test[i].p) ? t->test[i].p : 1;
  stats_holm(p, t->spec.family);
  for (int i = 0; i < t->spec.claims; i++) t->test[i].holm = isnan(t->test[i].p) ? NAN : p[i];
}

/* --- choices --- */

bool table_is_tie(const table *t, const study_choice *c) {
  metric by;
  return t->s.by && !metric_find(&by, t->s.by, NULL) && in_points(&by) && fabs(c->value - c->next) < tie;
}

void table_add_chosen(const study *s, const int *at, str *out) {
  int n = 0;
  for (int i = 0; i < s->axes; i++)
    if (s->axis[i].selected)
      str_addf(out, "%s%s %s", n++ ? ", " : "", s->axis[i].name, s->axis[i].at[at[i]].label);
}

/* --- the whole --- */

/* A metric that no run has is a mistake once all have run; before, it may come. */
static st check_metrics(const table *t, const char *folder, err *e) {
  int good = 0;
  for (int i = 0; i < t->spec.cells; i++) good += t->cell[i].there - t->cell[i].failed;
  for (int m = 0; m < t->spec.metrics && good && !t->missing; m++) {
    int n = 0;
    for (int i = 0; i < t->spec.cells; i++) n += table_at(t, i, m)->over.n;
    if (!n)
      return err_add(e, ST_USER, "%s: no run has the metric %s: expected one that its runs logged", folder,
                     t->spec.metric[m].name);
  }
  return ST_OK;
}

static st load_all(table *t, const char *folder, const char *store, err *e) {
  st code = table_spec_read(&t->s, &t->spec, e);
  if (code) return code;
  int cells = t->spec.cells, metrics = t->spec.metrics;
  t->cell = mem_new((size_t)cells + 1, sizeof *t->cell);
  t->value = mem_new((size_t)(cells * metrics) + 1, sizeof *t->value);
  count_missing(t, store);
  for (int i = 0; !code && i < cells; i++) code = load_cell(t, i, store, e);
  for (int i = 0; !code && i < cells * metrics; i++) {
    summarize(t, i / metrics, i % metrics);
    compare(t, i / metrics, i % metrics);
  }
  for (int i = 0; !code && i < t->spec.columns * metrics; i++) mark_best(t, i / metrics, i % metrics);
  if (!code) test_all(t);
  return code ? code : check_metrics(t, folder, e);
}

st table_load(table *t, const char *folder, const char *store, err *e) {
  char *own = NULL;
  st code = study_folder_read(folder, &t->s, &t->plan, &own, e);
  if (code) return code;
  code = load_all(t, folder, store ? store : own, e);
  mem_free(own);
  if (code) table_free(t);
  return code;
}

void table_free(table *t) {
  for (int i = 0; t->cell && i < t->spec.cells; i++) {
    for (int j = 0; j < t->cell[i].runs; j++) mem_free(t->cell[i].run[j].right);
    mem_free(t->cell[i].run);
  }
  mem_free(t->cell);
  mem_free(t->value);
  table_spec_free(&t->spec);
  study_plan_free(&t->plan);
  study_free(&t->s);
  *t = (table){0};
}
