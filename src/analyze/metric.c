#include "dyt/metric.h"

#include "dyt/mem.h"
#include "dyt/stats.h"
#include "dyt/str.h"

#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef double of_record(const metric *m, const record *r);

struct metric_row {
  const char *name, *title, *unit;
  bool lower_is_better;
  int digits;
  of_record *of;
  int column;  /* of record.epochs, where it is logged */
  double rank; /* of an accuracy: how many guesses count; 0: it is none */
};

/* --- logged --- */

/* A fraction in a log is a percentage in tables. */
static double logged(const metric *m, const record *r) {
  const record_table *t = &r->epochs;
  double found = NAN;
  for (int i = 0; i < t->rows; i++) {
    double v = record_at(t, i, m->row->column);
    if (record_at(t, i, EPOCHS_EPOCH) < m->epoch) continue;
    if (!isnan(v)) found = v;
    if (!isnan(m->epoch)) break;
  }
  return m->row->rank > 0 ? 100 * found : found;
}

static double best(const metric *m, const record *r) {
  record_range range = RECORD_NOTHING;
  record_widen(&r->epochs, m->row->column, &range);
  return range.low <= range.high ? 100 * range.high : NAN;
}

/* --- norm layers --- */

static bool in_block(const record *r, int layer) { return strcmp(r->layer[layer].site, "final") != 0; }

/* A number a layer at the end, of the layers that have all that is asked for. */
typedef struct layers {
  double *index, *alpha, *inv_std, *std; /* [n] */
  int n;
} layers;

static layers layers_at_end(const record *r, bool with_alpha, bool with_final) {
  size_t room = (size_t)r->layers + 1;
  layers l = {.index = mem_new(4 * room, sizeof(double))};
  l.alpha = l.index + room, l.inv_std = l.alpha + room, l.std = l.inv_std + room;
  int first = record_last_point(r);
  for (int i = 0; first >= 0 && i < r->layers; i++) {
    double alpha = record_at(&r->norms, first + i, NORMS_ALPHA);
    double inv_std = record_at(&r->norms, first + i, NORMS_INV_STD);
    if (isnan(inv_std) || (with_alpha && isnan(alpha)) || (!with_final && !in_block(r, i))) continue;
    l.index[l.n] = i, l.alpha[l.n] = alpha, l.inv_std[l.n] = inv_std, l.std[l.n] = 1 / inv_std;
    l.n++;
  }
  return l;
}

static double finish(layers l, double v) {
  mem_free(l.index);
  return v;
}

static double pearson(const metric *m, const record *r) {
  (void)m;
  layers l = layers_at_end(r, true, true);
  return finish(l, stats_pearson(l.alpha, l.inv_std, l.n));
}

static double pearson_blocks(const metric *m, const record *r) {
  (void)m;
  layers l = layers_at_end(r, true, false);
  return finish(l, stats_pearson(l.alpha, l.inv_std, l.n));
}

static double spearman(const metric *m, const record *r) {
  (void)m;
  layers l = layers_at_end(r, true, true);
  return finish(l, stats_spearman(l.alpha, l.inv_std, l.n));
}

static double spearman_blocks(const metric *m, const record *r) {
  (void)m;
  layers l = layers_at_end(r, true, false);
  return finish(l, stats_spearman(l.alpha, l.inv_std, l.n));
}

static double alpha_depth(const metric *m, const record *r) {
  (void)m;
  layers l = layers_at_end(r, true, true);
  return finish(l, stats_pearson(l.alpha, l.index, l.n));
}

static double std_depth(const metric *m, const record *r) {
  (void)m;
  layers l = layers_at_end(r, false, false);
  return finish(l, stats_spearman(l.std, l.index, l.n));
}

static double variation(const double *x, int n) {
  stats_summary s = stats_summarize(x, n);
  return s.sd / fabs(s.mean);
}

static double alpha_cv(const metric *m, const record *r) {
  (void)m;
  layers l = layers_at_end(r, true, true);
  for (int i = 0; i < l.n; i++) l.alpha[i] *= l.std[i];
  return finish(l, variation(l.alpha, l.n));
}

static double std_cv(const metric *m, const record *r) {
  (void)m;
  layers l = layers_at_end(r, false, true);
  return finish(l, variation(l.std, l.n));
}

/* Step 0 is the first logging point. */
static double alpha_travel(const metric *m, const record *r) {
  (void)m;
  const record_table *t = &r->norms;
  int last = record_last_point(r), n = 0;
  double sum = 0;
  if (last < 0 || record_at(t, 0, NORMS_STEP) != 0) return NAN;
  for (int i = 0; i < r->layers; i++) {
    double way = fabs(record_at(t, last + i, NORMS_ALPHA) - record_at(t, i, NORMS_ALPHA));
    if (isnan(way)) continue;
    sum += way;
    n++;
  }
  return n ? sum / n : NAN;
}

static double follow_layer(const record *r, int layer, double *alpha, double *inv_std) {
  const record_table *t = &r->norms;
  int n = 0;
  for (int i = 0; i < t->rows; i++) {
    if (record_at(t, i, NORMS_LAYER) != layer) continue;
    alpha[n] = record_at(t, i, NORMS_ALPHA), inv_std[n] = record_at(t, i, NORMS_INV_STD);
    if (!isnan(alpha[n]) && !isnan(inv_std[n])) n++;
  }
  return stats_pearson(alpha, inv_std, n);
}

/* A layer whose alpha is fixed has no correlation and does not count. */
static double follow(const metric *m, const record *r) {
  (void)m;
  size_t room = (size_t)r->norms.rows + 1;
  double *x = mem_new(2 * room, sizeof *x), sum = 0;
  int n = 0;
  for (int i = 0; i < r->layers; i++) {
    double one = follow_layer(r, i, x, x + room);
    if (isnan(one)) continue;
    sum += one;
    n++;
  }
  mem_free(x);
  return n ? sum / n : NAN;
}

/* --- shapes --- */

static const probe_shape *first_shape(const record *r) {
  for (int i = 0; r->shape && i < r->layers; i++)
    if (in_block(r, i)) return &r->shape[i];
  return NULL;
}

static const probe_shape *last_shape(const record *r) {
  for (int i = r->layers - 1; r->shape && i >= 0; i--)
    if (in_block(r, i)) return &r->shape[i];
  return NULL;
}

static double line_r2_first(const metric *m, const record *r) {
  (void)m;
  const probe_shape *s = first_shape(r);
  return s ? s->line_r2 : NAN;
}

static double line_r2_last(const metric *m, const record *r) {
  (void)m;
  const probe_shape *s = last_shape(r);
  return s ? s->line_r2 : NAN;
}

static double tanh_gain_last(const metric *m, const record *r) {
  (void)m;
  const probe_shape *s = last_shape(r);
  return s ? s->tanh_r2 - s->line_r2 : NAN;
}

/* --- the table --- */

#define LOSS(name, title, column)                                                                            \
  { name, title, "nats", true, 3, logged, column, 0 }
#define ACCURACY(name, title, column, rank)                                                                  \
  { name, title, "%", false, 2, logged, column, rank }
#define NORMS(name, title, lower, digits)                                                                    \
  { #name, title, "", lower, digits, name, 0, 0 }

static const struct metric_row rows[] = {
    ACCURACY("test_acc1", "test accuracy", EPOCHS_TEST_ACC1, 1),
    ACCURACY("test_acc5", "test top-5 accuracy", EPOCHS_TEST_ACC5, 5),
    LOSS("test_loss", "test loss", EPOCHS_TEST_LOSS),
    ACCURACY("val_acc1", "validation accuracy", EPOCHS_VAL_ACC1, 1),
    {"best_val_acc1", "best validation accuracy", "%", false, 2, best, EPOCHS_VAL_ACC1, 1},
    LOSS("val_loss", "validation loss", EPOCHS_VAL_LOSS),
    LOSS("train_loss", "training loss", EPOCHS_TRAIN_LOSS),
    ACCURACY("train_acc1", "training accuracy", EPOCHS_TRAIN_ACC1, 1),
    LOSS("eval_train_loss", "training loss in eval mode", EPOCHS_EVAL_TRAIN_LOSS),
    ACCURACY("eval_train_acc1", "training accuracy in eval mode", EPOCHS_EVAL_TRAIN_ACC1, 1),
    NORMS(pearson, "Pearson's r of alpha and 1/std", false, 2),
    NORMS(pearson_blocks, "Pearson's r of alpha and 1/std, without the final norm", false, 2),
    NORMS(spearman, "Spearman's rho of alpha and 1/std", false, 2),
    NORMS(spearman_blocks, "Spearman's rho of alpha and 1/std, without the final norm", false, 2),
    NORMS(alpha_depth, "Pearson's r of alpha and the layer's index", false, 2),
    NORMS(std_depth, "Spearman's rho of input std and the layer's index, without the final norm", false, 2),
    NORMS(alpha_cv, "coefficient of variation of alpha std over layers", true, 2),
    NORMS(std_cv, "coefficient of variation of input std over layers", true, 2),
    NORMS(alpha_travel, "mean |alpha - alpha0| over layers", false, 3),
    NORMS(follow, "Pearson's r of alpha and 1/std over training, mean over layers", false, 2),
    NORMS(line_r2_first, "R2 of a line, first norm", false, 3),
    NORMS(line_r2_last, "R2 of a line, last norm of the blocks", false, 3),
    NORMS(tanh_gain_last, "R2 of a tanh less that of a line, last norm of the blocks", false, 3),
};
enum { ROWS = sizeof rows / sizeof *rows };

static st no_such(const char *name, err *e) {
  const char *names[ROWS];
  str all = {0};
  for (int i = 0; i < ROWS; i++) {
    names[i] = rows[i].name;
    str_addf(&all, "%s%s", i ? ", " : "", names[i]);
  }
  const char *near = str_nearest(name, names, ROWS);
  err_add(e, ST_USER, "no metric '%.60s'%s%s%s: expected one of %s; a logged one may be followed by @EPOCH",
          name, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "", all.data);
  str_free(&all);
  return ST_USER;
}

static const struct metric_row *find(const char *name, size_t n) {
  for (int i = 0; i < ROWS; i++)
    if (strlen(rows[i].name) == n && strncmp(rows[i].name, name, n) == 0) return &rows[i];
  return NULL;
}

st metric_find(metric *m, const char *name, err *e) {
  const char *at = strchr(name, '@');
  const struct metric_row *row = find(name, at ? (size_t)(at - name) : strlen(name));
  if (!row || strlen(name) >= sizeof m->name) return no_such(name, e);
  *m = (metric){.row = row,
                .epoch = NAN,
                .unit = row->unit,
                .lower_is_better = row->lower_is_better,
                .digits = row->digits};
  snprintf(m->name, sizeof m->name, "%s", name);
  snprintf(m->title, sizeof m->title, "%s", row->title);
  if (!at) return ST_OK;
  char *end;
  m->epoch = strtod(at + 1, &end);
  if (row->of != logged || end == at + 1 || *end || !(m->epoch >= 0 && m->epoch < 1e9))
    return err_add(e, ST_USER, "metric '%s': expected the name of a logged metric, @ and an epoch from 0",
                   name);
  snprintf(m->title, sizeof m->title, "%s after epoch %s", row->title, at + 1);
  return ST_OK;
}

double metric_of(const metric *m, const record *r) {
  double v = m->row->of(m, r);
  return isfinite(v) ? v : NAN;
}

/* --- failures --- */

static double classes(const record *r) {
  const cJSON *of_model = cJSON_GetObjectItemCaseSensitive(r->config, "model");
  const cJSON *n = cJSON_GetObjectItemCaseSensitive(of_model, "classes");
  return cJSON_IsNumber(n) && n->valuedouble >= 1 ? n->valuedouble : NAN;
}

double metric_at_chance(const metric *m, const record *r) {
  double share = m->row->rank / classes(r);
  return m->row->rank > 0 ? 100 * (share > 1 ? 1 : share) : NAN;
}

static bool diverged(const record *r) { return r->state && strcmp(r->state, "diverged") == 0; }

static bool collapsed(const record *r) {
  int column = record_has(&r->epochs, EPOCHS_VAL_ACC1) ? EPOCHS_VAL_ACC1 : EPOCHS_TEST_ACC1;
  const metric m = {.row = &(struct metric_row){.column = column, .rank = 1}, .epoch = NAN};
  return best(&m, r) - logged(&m, r) > 10 + 1e-9; /* exactly 10 points are not more, whatever they round to */
}

/* The training loss of a run's end: a run that made less than an epoch ends with what was last logged of its steps. */
static double last_loss(const record *r) {
  const record_table *epochs = &r->epochs, *steps = &r->steps;
  if (epochs->rows && record_at(epochs, epochs->rows - 1, EPOCHS_EPOCH) >= 1)
    return record_at(epochs, epochs->rows - 1, EPOCHS_TRAIN_LOSS);
  return steps->rows ? record_at(steps, steps->rows - 1, STEPS_LOSS) : NAN;
}

char metric_failure(const record *r) {
  if (diverged(r)) return 'D';
  if (collapsed(r)) return 'C';
  return last_loss(r) > 0.95 * log(classes(r)) ? 'N' : 0;
}
