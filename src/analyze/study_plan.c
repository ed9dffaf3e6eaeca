/* The runs of a study: its cells, what was chosen by tuning, and the configs that follow. */
#include "dyt/mem.h"
#include "dyt/metric.h"
#include "dyt/store.h"
#include "dyt/study.h"

#include "study_read.h"

#include <math.h>
#include <string.h>

/* A tie in the sense of docs/studies.md: closer than this (in the metric's unit for accuracies, points), the lower learning
 * rate is taken. */
static const double tie = 0.05;
enum { USE_DEPTH_MAX = 8 };

/* What a "use" stands for: the settings of the case that the other study chose. */
typedef struct used {
  const study_use *use;
  char **set;
  int sets;
} used;

typedef struct maker {
  const study *s;
  const char *store;
  study_plan *p;
  int depth; /* of studies that use studies */
  err *e;
  used *known; /* [n_known]: looked up once, not for every run, as all candidates' records are read for it */
  int n_known;
} maker;

/* --- cells --- */

static bool is_wanted(const study *s, const int *at) {
  bool in = s->includes == 0;
  for (int i = 0; i < s->includes; i++) in |= study_matches(s, &s->include[i], at);
  for (int i = 0; i < s->excludes; i++) in &= !study_matches(s, &s->exclude[i], at);
  return in;
}

/* The next cell in order, the last axis running fastest; false after the last. */
static bool next_cell(const study *s, int *at) {
  for (int i = s->axes - 1; i >= 0; i--) {
    if (++at[i] < s->axis[i].count) return true;
    at[i] = 0;
  }
  return false;
}

bool study_same_but_selected(const study *s, const int *a, const int *b) {
  for (int i = 0; i < s->axes; i++)
    if (!s->axis[i].selected && a[i] != b[i]) return false;
  return true;
}

st study_list_cells(const study *s, int (**cell)[STUDY_AXES_MAX], int *n, err *e) {
  int at[STUDY_AXES_MAX] = {0};
  double all = 1;
  for (int i = 0; i < s->axes; i++) all *= s->axis[i].count;
  *n = 0, *cell = NULL;
  if (all > STUDY_CELLS_MAX)
    return err_add(e, ST_USER, "%s: %.0f cells, expected at most %d", s->path, all, STUDY_CELLS_MAX);
  *cell = mem_new((size_t)all, sizeof **cell);
  do
    if (is_wanted(s, at)) memcpy((*cell)[(*n)++], at, sizeof at);
  while (next_cell(s, at));
  if (*n == 0) return err_add(e, ST_USER, "%s: no cell is left after include and exclude", s->path);
  return ST_OK;
}

/* --- configs --- */

typedef struct sets {
  const char **set; /* the strings belong to the study, or to `known` */
  int n;
} sets;

static void add_set(sets *x, const char *set) {
  x->set = mem_grow(x->set, (size_t)x->n, (size_t)x->n + 1, sizeof *x->set);
  x->set[x->n++] = set;
}

static st look_up(maker *m, const study_use *use, used *out);

static st add_use(maker *m, const study_use *use, sets *out) {
  int i = 0;
  while (i < m->n_known && m->known[i].use != use) i++;
  if (i == m->n_known) {
    used u = {.use = use};
    if (look_up(m, use, &u)) return m->e->code;
    m->known = mem_grow(m->known, (size_t)i, (size_t)i + 1, sizeof *m->known);
    m->known[m->n_known++] = u;
  }
  for (int j = 0; j < m->known[i].sets; j++) add_set(out, m->known[i].set[j]);
  return ST_OK;
}

static st add_sets(maker *m, const study_sets *does, sets *out) {
  st code = ST_OK;
  for (int i = 0; !code && i < does->uses; i++) code = add_use(m, &does->use[i], out);
  for (int i = 0; !code && i < does->sets; i++) add_set(out, does->set[i]);
  return code;
}

/* A sentence about a config of ours that says which cell it is of. */
static st of_cell(const maker *m, const int *at, const err *why) {
  str cell = {0};
  study_add_cell(m->s, at, true, &cell);
  err_add(m->e, ST_USER, "%s: %s: %s", m->s->path, cell.len ? cell.data : "the only cell", why->text);
  str_free(&cell);
  return ST_USER;
}

static st add_run(maker *m, const int *at, uint64_t seed, bool tuning) {
  study_plan *p = m->p;
  sets x = {0};
  err why = {0};
  study_run r = {.seed = seed, .tuning = tuning};
  memcpy(r.at, at, sizeof r.at);
  st code = add_sets(m, &m->s->does, &x);
  for (int i = 0; !code && i < m->s->axes; i++) code = add_sets(m, &m->s->axis[i].at[at[i]].does, &x);
  char *set_seed = mem_printf("train.seed=%llu", (unsigned long long)seed);
  add_set(&x, set_seed);
  if (!code && config_load(m->s->base, x.set, x.n, &r.cfg, &why)) code = of_cell(m, at, &why);
  /* a folder of pictures may have a part of its own for it */
  if (!code && m->s->by && r.cfg.data.val_size == 0 && strcmp(r.cfg.data.format, "imagefolder")) {
    err_add(&why, ST_USER, "select.by: %s is of images that are held out: set data.val_size", m->s->by);
    config_free(&r.cfg);
    code = of_cell(m, at, &why);
  }
  if (!code) {
    config_hash(&r.cfg, r.id);
    p->run = mem_grow(p->run, (size_t)p->runs, (size_t)p->runs + 1, sizeof *p->run);
    p->run[p->runs++] = r;
  }
  mem_free(set_seed);
  mem_free(x.set);
  return code;
}

static st add_runs(maker *m, const int *at, const study_seeds *seeds, bool tuning) {
  st code = ST_OK;
  for (int i = 0; !code && i < seeds->count; i++) code = add_run(m, at, seeds->at[i], tuning);
  return code;
}

const study_seeds *study_seeds_of(const study *s, const int *at) {
  const study_seeds *seeds = &s->seeds;
  for (int i = 0; i < s->axes; i++) {
    const study_seeds *own = &s->axis[i].at[at[i]].seeds;
    if (own->count && (seeds == &s->seeds || own->count < seeds->count)) seeds = own;
  }
  return seeds;
}

/* --- choosing --- */

/* What a finished run is worth, larger being better. A failed one is worth chance, or nothing where there is no chance. */
static st worth(const maker *m, const metric *by, const study_run *run, double *value) {
  record r = {0};
  char *path = store_path(m->store, run->id, ".json.gz");
  st code = record_read(&r, path, m->e);
  if (!code) {
    bool failed = metric_failure(&r) != 0;
    double v = failed ? metric_at_chance(by, &r) : metric_of(by, &r);
    *value = isnan(v) ? -INFINITY : by->lower_is_better ? -v : v;
    if (!failed && isnan(v))
      code = err_add(m->e, ST_USER, "%s: it has no %s, by which %s chooses", path, by->name, m->s->path);
  }
  record_free(&r);
  mem_free(path);
  return code;
}

/* The mean worth over the seeds of a cell; NaN: a record is missing. */
static st mean_of_cell(const maker *m, const metric *by, const int *at, double *mean, double *lr) {
  const study_plan *p = m->p;
  int n = 0;
  *mean = 0;
  for (int i = 0; i < p->runs; i++) {
    if (memcmp(p->run[i].at, at, sizeof p->run[i].at) || p->run[i].tuning != (m->s->tuning.count > 0))
      continue;
    double value = NAN;
    if (store_finished(m->store, p->run[i].id) && worth(m, by, &p->run[i], &value)) return m->e->code;
    *mean += value;
    *lr = p->run[i].cfg.optim.lr;
    n++;
  }
  *mean = n ? *mean / n : NAN;
  return ST_OK;
}

typedef struct candidate {
  const int *at;
  double value, lr; /* value: larger is better */
} candidate;

static int best_of(const candidate *c, int n, double within) {
  int best = 0;
  for (int i = 1; i < n; i++)
    if (c[i].value > c[best].value) best = i;
  double top = c[best].value;
  for (int i = 0; i < n; i++)
    if (c[i].value > top - within && c[i].lr < c[best].lr) best = i;
  return best;
}

static int edge_of(const study *s, const candidate *c, int n, const int *at) {
  for (int i = 0; i < s->axes; i++) {
    int low = at[i], high = at[i];
    if (!s->axis[i].selected) continue;
    for (int j = 0; j < n; j++) {
      low = c[j].at[i] < low ? c[j].at[i] : low;
      high = c[j].at[i] > high ? c[j].at[i] : high;
    }
    if (high - low >= 2 && (at[i] == low || at[i] == high)) return i;
  }
  return -1;
}

/* Chooses among the candidates; `out->trials` 0: a record is missing. */
static st choose(const maker *m, const metric *by, const int (*cell)[STUDY_AXES_MAX], const bool *in,
                 int cells, study_choice *out) {
  candidate *c = mem_new((size_t)cells, sizeof *c);
  int n = 0;
  st code = ST_OK;
  bool known = true;
  for (int i = 0; !code && i < cells; i++) {
    if (!in[i]) continue;
    c[n].at = cell[i];
    code = mean_of_cell(m, by, cell[i], &c[n].value, &c[n].lr);
    known &= !isnan(c[n].value);
    n++;
  }
  *out = (study_choice){0};
  if (!code && known && n) {
    int best = best_of(c, n, strcmp(by->unit, "%") ? 0 : tie);
    memcpy(out->at, c[best].at, sizeof out->at);
    out->value = by->lower_is_better ? -c[best].value : c[best].value;
    out->trials = n;
    out->edge = edge_of(m->s, c, n, c[best].at);
    c[best].value = -INFINITY;
    int next = best_of(c, n, 0);
    out->next = n < 2 ? NAN : by->lower_is_better ? -c[next].value : c[next].value;
  }
  mem_free(c);
  return code;
}

/* --- what another study chose --- */

/* What the study chose for the one cell that `match` leaves when selected axes are set aside. */
static st choose_matching(maker *m, const metric *by, const study_match *match, used *out) {
  const study *s = m->s;
  int(*cell)[STUDY_AXES_MAX] = NULL, cells = 0, first = -1;
  study_choice chosen = {0};
  st code = study_list_cells(s, &cell, &cells, m->e);
  bool *in = mem_new((size_t)cells + 1, sizeof *in);
  for (int i = 0; !code && i < cells; i++) {
    in[i] = study_matches(s, match, cell[i]);
    if (in[i] && first >= 0 && !study_same_but_selected(s, cell[i], cell[first]))
      code = err_add(m->e, ST_USER,
                     "%s: \"cell\" leaves more than one cell: name a case of every axis that is not selected",
                     s->path);
    if (in[i] && first < 0) first = i;
  }
  if (!code && first < 0) code = err_add(m->e, ST_USER, "%s: \"cell\" leaves no cell", s->path);
  if (!code) code = choose(m, by, (const int(*)[STUDY_AXES_MAX])cell, in, cells, &chosen);
  if (!code && !chosen.trials)
    code = err_add(m->e, ST_USER, "%s has not run: dyt study %s%s%s --runs %s comes first", s->path, s->path,
                   s->tier ? " --tier " : "", s->tier ? s->tier : "", m->store);
  for (int i = 0; !code && i < s->axes; i++) {
    const study_sets *does = &s->axis[i].at[chosen.at[i]].does;
    if (!s->axis[i].selected || !does->sets) continue;
    out->set = mem_grow(out->set, (size_t)out->sets, (size_t)(out->sets + does->sets), sizeof *out->set);
    for (int j = 0; j < does->sets; j++) out->set[out->sets++] = mem_strdup(does->set[j]);
  }
  mem_free(in);
  mem_free(cell);
  return code;
}

static st plan_tuning(maker *m);

static void forget(maker *m) {
  for (int i = 0; i < m->n_known; i++) {
    for (int j = 0; j < m->known[i].sets; j++) mem_free(m->known[i].set[j]);
    mem_free(m->known[i].set);
  }
  mem_free(m->known);
}

static st look_up(maker *m, const study_use *use, used *out) {
  study other;
  study_plan p = {0};
  metric by;
  study_match match;
  if (m->depth == USE_DEPTH_MAX)
    return json_fail(&m->s->doc, use->json, m->e,
                     "use: studies that use each other in a circle, or more than %d deep", USE_DEPTH_MAX);
  if (study_read(&other, use->path, m->s->tier, m->e)) return ST_USER;
  maker inner = {.s = &other, .store = m->store, .p = &p, .depth = m->depth + 1, .e = m->e};
  st code = other.by ? metric_find(&by, other.by, m->e)
                     : json_fail(&m->s->doc, use->json, m->e, "use: %s selects nothing", use->path);
  if (!code) code = study_read_match(&other, study_get(use->json, "cell"), &match, m->e);
  if (!code) code = plan_tuning(&inner);
  if (!code) code = choose_matching(&inner, &by, &match, out);
  forget(&inner);
  study_plan_free(&p);
  study_free(&other);
  return code;
}

/* --- the plan --- */

/* The runs of the whole grid: with the tuning seeds, or where there are none with the study's. */
static st plan_tuning(maker *m) {
  int(*cell)[STUDY_AXES_MAX] = NULL, cells = 0;
  bool tuned = m->s->tuning.count > 0;
  st code = study_list_cells(m->s, &cell, &cells, m->e);
  for (int i = 0; !code && i < cells; i++)
    code = add_runs(m, cell[i], tuned ? &m->s->tuning : study_seeds_of(m->s, cell[i]), tuned);
  mem_free(cell);
  return code;
}

static st add_choice(maker *m, const study_choice *c) {
  study_plan *p = m->p;
  p->choice = mem_grow(p->choice, (size_t)p->choices, (size_t)p->choices + 1, sizeof *p->choice);
  p->choice[p->choices++] = *c;
  return m->s->tuning.count && m->s->seeds.count ? add_runs(m, c->at, study_seeds_of(m->s, c->at), false)
                                                 : ST_OK;
}

/* For every cell of the other axes the choice, and the runs that report it. */
static st plan_choices(maker *m, const metric *by) {
  const study *s = m->s;
  int(*cell)[STUDY_AXES_MAX] = NULL, cells = 0;
  st code = study_list_cells(s, &cell, &cells, m->e);
  bool *in = mem_new((size_t)cells + 1, sizeof *in), *done = mem_new((size_t)cells + 1, sizeof *done);
  for (int i = 0; !code && i < cells; i++) {
    study_choice c;
    if (done[i]) continue;
    for (int j = 0; j < cells; j++) in[j] = study_same_but_selected(s, cell[i], cell[j]), done[j] |= in[j];
    code = choose(m, by, (const int(*)[STUDY_AXES_MAX])cell, in, cells, &c);
    if (!code && c.trials)
      code = add_choice(m, &c);
    else
      m->p->waiting++;
  }
  mem_free(in);
  mem_free(done);
  mem_free(cell);
  return code;
}

static bool uses_choices(const study *s, const int *at) {
  bool uses = s->does.uses > 0;
  for (int i = 0; i < s->axes; i++) uses |= s->axis[i].at[at[i]].does.uses > 0;
  return uses;
}

/* Cells may come out the same only by what was chosen for them. */
static st check_ids(const maker *m) {
  const study_plan *p = m->p;
  for (int i = 0; i < p->runs; i++)
    for (int j = 0; j < i; j++) {
      const study_run *a = &p->run[j], *b = &p->run[i];
      if (strcmp(a->id, b->id) || uses_choices(m->s, a->at) || uses_choices(m->s, b->at)) continue;
      str x = {0}, y = {0};
      study_add_cell(m->s, a->at, true, &x);
      study_add_cell(m->s, b->at, true, &y);
      err_add(m->e, ST_USER, "%s: two cells are the same run (seed %llu): %s; and %s: exclude one",
              m->s->path, (unsigned long long)b->seed, x.data, y.data);
      str_free(&x);
      str_free(&y);
      return ST_USER;
    }
  return ST_OK;
}

st study_plan_make(study_plan *p, const study *s, const char *store, err *e) {
  maker m = {.s = s, .store = store, .p = p, .e = e};
  metric by;
  *p = (study_plan){0};
  st code = s->by ? metric_find(&by, s->by, e) : ST_OK;
  if (!code) code = plan_tuning(&m);
  if (!code && s->by) code = plan_choices(&m, &by);
  if (!code) code = check_ids(&m);
  forget(&m);
  if (code) study_plan_free(p);
  return code;
}

void study_plan_free(study_plan *p) {
  for (int i = 0; i < p->runs; i++) config_free(&p->run[i].cfg);
  mem_free(p->run);
  mem_free(p->choice);
  *p = (study_plan){0};
}
