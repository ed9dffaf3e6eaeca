/* What a record is judged by, and when its run counts as failed; records are made by hand. */
#include "support.h"

#include "dyt/mem.h"
#include "dyt/metric.h"

#include <math.h>
#include <string.h>

/* --- a record, made by hand --- */

static int setup(void **state) {
  record *r = mem_new(1, sizeof *r);
  r->steps.columns = STEPS_COLUMNS, r->epochs.columns = EPOCHS_COLUMNS, r->norms.columns = NORMS_COLUMNS;
  r->state = mem_strdup("done");
  r->config = cJSON_Parse("{\"model\": {\"classes\": 10}}");
  *state = r;
  return 0;
}

static int teardown(void **state) {
  record_free(*state);
  mem_free(*state);
  return 0;
}

static double *row(record_table *t) {
  double *x = record_add_row(t);
  for (int c = 0; c < t->columns; c++) x[c] = NAN;
  return x;
}

static void epoch(record *r, double at, double train_loss, double val_acc1) {
  double *x = row(&r->epochs);
  x[EPOCHS_EPOCH] = at, x[EPOCHS_TRAIN_LOSS] = train_loss, x[EPOCHS_VAL_ACC1] = val_acc1;
}

static void step(record *r, double at, double loss) {
  double *x = row(&r->steps);
  x[STEPS_STEP] = at, x[STEPS_LOSS] = loss;
}

static void layers(record *r, const char *const *site, int n) {
  r->layer = mem_new((size_t)n, sizeof *r->layer);
  for (int i = 0; i < n; i++) r->layer[i] = (record_layer){mem_printf("norm%d", i), mem_strdup(site[i])};
  r->layers = n;
}

/* A logging point of three layers, the last the final one. */
static void point(record *r, double at, const double alpha[3], const double inv_std[3]) {
  if (!r->layers) layers(r, (const char *[]){"attn", "ffn", "final"}, 3);
  for (int i = 0; i < 3; i++) {
    double *x = row(&r->norms);
    x[NORMS_STEP] = at, x[NORMS_LAYER] = i, x[NORMS_ALPHA] = alpha[i], x[NORMS_INV_STD] = inv_std[i];
  }
}

static double of(const record *r, const char *name) {
  metric m;
  err e = {0};
  if (metric_find(&m, name, &e)) fail_msg("%s", e.text);
  return metric_of(&m, r);
}

static void assert_is(const record *r, const char *name, double expected) {
  double v = of(r, name);
  bool same = isnan(expected) ? isnan(v) : fabs(v - expected) <= 1e-12;
  if (!same) fail_msg("%s: %.17g, expected %.17g", name, v, expected);
}

/* --- what was logged --- */

static void test_logged(void **state) {
  record *r = *state;
  assert_is(r, "val_acc1", NAN);
  assert_is(r, "best_val_acc1", NAN);
  epoch(r, 0.5, 2, 0.25);
  epoch(r, 1, 1.5, 0.75);
  epoch(r, 2, 1, 0.625);
  epoch(r, 2.5, NAN, NAN);
  assert_is(r, "val_acc1", 62.5);
  assert_is(r, "best_val_acc1", 75);
  assert_is(r, "train_loss", 1);
  assert_is(r, "val_acc1@0", 25);
  assert_is(r, "val_acc1@0.6", 75);
  assert_is(r, "val_acc1@1", 75);
  assert_is(r, "train_loss@2.5", NAN); /* the row is there, the number is not */
  assert_is(r, "train_loss@3", NAN);
  assert_is(r, "test_acc1", NAN);
}

static void test_description(void **state) {
  (void)state;
  metric m;
  assert_int_equal(metric_find(&m, "val_acc1@1", NULL), ST_OK);
  assert_string_equal(m.name, "val_acc1@1");
  assert_string_equal(m.title, "validation accuracy after epoch 1");
  assert_string_equal(m.unit, "%");
  assert_false(m.lower_is_better);
  assert_int_equal(metric_find(&m, "eval_train_loss", NULL), ST_OK);
  assert_true(m.lower_is_better);
  assert_string_equal(m.unit, "nats");
}

static void test_refusals(void **state) {
  (void)state;
  static const struct {
    const char *name, *part;
  } cases[] = {{"test_acc", "did you mean 'test_acc1'?"}, {"", "expected one of test_acc1, test_acc5"},
               {"seconds", "no metric 'seconds'"},        {"step", "no metric"},
               {"val_acc1@", "an epoch from 0"},          {"val_acc1@-1", "an epoch from 0"},
               {"val_acc1@nan", "an epoch from 0"},       {"val_acc1@1x", "an epoch from 0"},
               {"pearson@1", "a logged metric"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    metric m;
    err e = {0};
    assert_int_equal(metric_find(&m, cases[i].name, &e), ST_USER);
    assert_int_equal(e.count, 1);
    if (!strstr(e.text, cases[i].part)) fail_msg("expected '%s' in: %s", cases[i].part, e.text);
  }
}

/* --- norm layers --- */

static void test_norms(void **state) {
  record *r = *state;
  assert_is(r, "pearson", NAN);
  assert_is(r, "alpha_travel", NAN);
  point(r, 0, (double[]){1, 1, 1}, (double[]){4, 2, 1});
  point(r, 50, (double[]){2, 3, 0.5}, (double[]){5, 4, 1});
  point(r, 100, (double[]){4, 2, 4}, (double[]){8, 4, 2});
  assert_is(r, "pearson_blocks", 1);
  assert_is(r, "spearman_blocks", 1);
  assert_is(r, "pearson", 1 / sqrt(28)); /* deviations (2, -4, 2) / 3 and (10, -2, -8) / 3 */
  assert_is(r, "spearman", 0);           /* ranks 2.5, 1, 2.5 and 3, 2, 1 */
  assert_is(r, "alpha_depth", 0);
  assert_is(r, "std_depth", 1);
  assert_is(r, "alpha_travel", 7.0 / 3);
  assert_is(r, "alpha_cv", sqrt(0.75)); /* 0.5, 0.5, 2 */
  assert_is(r, "std_cv", sqrt(21) / 7); /* 3, 6, 12, all / 24 */
}

/* The last point was cut short: the one before is the end. */
static void test_unfinished_point(void **state) {
  record *r = *state;
  point(r, 0, (double[]){1, 1, 1}, (double[]){4, 2, 1});
  point(r, 50, (double[]){2, 3, 4}, (double[]){1, 2, 3});
  double *x = row(&r->norms);
  x[NORMS_STEP] = 100, x[NORMS_LAYER] = 0, x[NORMS_ALPHA] = 100, x[NORMS_INV_STD] = 1;
  assert_is(r, "pearson", 1);
  assert_is(r, "alpha_travel", 2);
}

/* LayerNorm has no alpha but an input. */
static void test_without_alpha(void **state) {
  record *r = *state;
  point(r, 0, (double[]){NAN, NAN, NAN}, (double[]){4, 2, 1});
  assert_is(r, "pearson", NAN);
  assert_is(r, "alpha_travel", NAN);
  assert_is(r, "follow", NAN);
  assert_is(r, "std_depth", 1);
}

/* Layer 0 follows, layer 1 goes against, layer 2 is fixed and does not count. */
static void test_follow(void **state) {
  record *r = *state;
  point(r, 0, (double[]){1, 1, 1}, (double[]){1, 4, 1});
  point(r, 50, (double[]){2, 2, 1}, (double[]){2, 3, 2});
  point(r, 100, (double[]){3, 3, 1}, (double[]){3, 2, 3});
  assert_is(r, "follow", 0);
  r->norms.x[4 * NORMS_COLUMNS + NORMS_ALPHA] = NAN; /* layer 1 at step 50: two points are left */
  r->norms.x[7 * NORMS_COLUMNS + NORMS_ALPHA] = 1;   /* and its alpha is the same in both */
  assert_is(r, "follow", 1);
}

static void test_shapes(void **state) {
  record *r = *state;
  assert_is(r, "line_r2_first", NAN);
  layers(r, (const char *[]){"attn", "ffn", "final"}, 3);
  r->shape = mem_new(3, sizeof *r->shape);
  r->shape[0] = (probe_shape){.line_r2 = 0.99, .tanh_r2 = 0.99};
  r->shape[1] = (probe_shape){.line_r2 = 0.75, .tanh_r2 = 0.875};
  r->shape[2] = (probe_shape){.line_r2 = 0.25, .tanh_r2 = 0.5};
  assert_is(r, "line_r2_first", 0.99);
  assert_is(r, "line_r2_last", 0.75);
  assert_is(r, "tanh_gain_last", 0.125);
}

/* --- failures --- */

static void set_state(record *r, const char *state) {
  mem_free(r->state);
  r->state = mem_strdup(state);
}

static void test_collapsed(void **state) {
  record *r = *state;
  epoch(r, 1, 1, 0.7);
  epoch(r, 2, 1, 0.6); /* 10 points: not more */
  assert_int_equal(metric_failure(r), 0);
  epoch(r, 3, 1, 0.59);
  assert_int_equal(metric_failure(r), 'C');
  epoch(r, 4, 1, 0.65);
  assert_int_equal(metric_failure(r), 0);
  epoch(r, 5, 1, 0.1);
  set_state(r, "diverged");
  assert_int_equal(metric_failure(r), 'D'); /* the first reason */
}

/* 0.95 ln 10 = 2.187 */
static void test_not_learning(void **state) {
  record *r = *state;
  step(r, 50, 2.5);
  step(r, 100, 2.19);
  assert_int_equal(metric_failure(r), 'N');
  step(r, 150, 2.18);
  assert_int_equal(metric_failure(r), 0);
  epoch(r, 0.5, 2.3, 0.1); /* less than an epoch: its mean is of the beginning too */
  assert_int_equal(metric_failure(r), 0);
  epoch(r, 1, 2.19, 0.1);
  assert_int_equal(metric_failure(r), 'N');
  epoch(r, 2, 2.18, 0.1);
  assert_int_equal(metric_failure(r), 0);
  cJSON_Delete(r->config);
  r->config = cJSON_Parse("{\"model\": {\"classes\": 8}}");
  assert_int_equal(metric_failure(r), 'N'); /* 0.95 ln 8 = 1.975 */
}

static void test_chance(void **state) {
  record *r = *state;
  static const struct {
    const char *name;
    double chance;
  } cases[] = {
      {"test_acc1", 10}, {"best_val_acc1", 10}, {"test_acc5", 50}, {"test_loss", NAN}, {"pearson", NAN}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    metric m;
    assert_int_equal(metric_find(&m, cases[i].name, NULL), ST_OK);
    double v = metric_at_chance(&m, r);
    if (isnan(cases[i].chance) ? !isnan(v) : fabs(v - cases[i].chance) > 1e-12)
      fail_msg("%s: %g, expected %g", cases[i].name, v, cases[i].chance);
  }
  cJSON_Delete(r->config);
  r->config = cJSON_Parse("{\"model\": {\"classes\": 2}}");
  metric m;
  metric_find(&m, "test_acc5", NULL);
  assert_true(metric_at_chance(&m, r) <= 100);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_logged),           TEST(test_description),   TEST(test_refusals), TEST(test_norms),
      TEST(test_unfinished_point), TEST(test_without_alpha), TEST(test_follow),   TEST(test_shapes),
      TEST(test_collapsed),        TEST(test_not_learning),  TEST(test_chance),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
