/* The engine and the optimizer: the same bits for any number of threads, the right sums. */
#define _GNU_SOURCE
#include "small_vit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const config_optim adamw = {
    .name = "adamw", .lr = 1e-3, .betas = {0.9, 0.999}, .eps = 1e-8, .weight_decay = 0.05, .layer_decay = 1};

/* Three steps of training; returns a copy of the parameters. */
static real *train(small_vit *s, int threads, int shards, int micro) {
  small_vit_config(s, "dyt", "tanh");
  s->cfg.dropout = 0.1;
  s->cfg.drop_path = 0.2;
  small_vit_open(s, threads, shards, micro, false);
  optim o;
  assert_int_equal(optim_open(&o, &s->model.params, &adamw, NULL), ST_OK);
  for (uint64_t step = 0; step < 3; step++) {
    engine_result r;
    engine_step(&s->engine, SMALL_IMAGES, step, &s->feed, &r);
    optim_update(&o, s->pool, s->engine.grads[0], 1e-3, optim_reduce(&o, s->pool, s->engine.grads, shards));
    assert_true(r.finite && r.loss > 0);
  }
  size_t n = (size_t)s->model.params.total;
  real *out = mem_new(n, sizeof(real));
  memcpy(out, s->model.params.value, n * sizeof(real));
  optim_close(&o);
  return out;
}

static void test_threads_do_not_change_bits(void **state) {
  (void)state;
  small_vit s;
  for (int shards = 1; shards <= 9; shards += 2) { /* 9: more than there are samples */
    real *one = train(&s, 1, shards, 2);
    size_t bytes = (size_t)s.model.params.total * sizeof(real);
    small_vit_close(&s);
    for (int threads = 2; threads <= 4; threads++) {
      real *many = train(&s, threads, shards, 2);
      assert_memory_equal(one, many, bytes);
      small_vit_close(&s);
      mem_free(many);
    }
    mem_free(one);
  }
}

/* Shards and micro-batches change the order of sums, so rounding, and nothing else. */
static void test_micro_batches_change_rounding_only(void **state) {
  (void)state;
  small_vit s;
  real *whole = train(&s, 1, 1, 7);
  int64_t n = s.model.params.total;
  small_vit_close(&s);
  real *parts = train(&s, 1, 3, 1);
  double worst = 0;
  for (int64_t i = 0; i < n; i++) worst = fmax(worst, fabs((double)(whole[i] - parts[i])));
  print_message("parameters after 3 steps differ by %.1e at most\n", worst);
  /* Adam divides by the gradient's own size: where that is rounding noise the update is of the order of lr */
  assert_true(worst < (REAL_IS_F64 ? 1e-9 : 1e-3));
  small_vit_close(&s);
  mem_free(whole);
  mem_free(parts);
}

/* The gradients of one step, in the parameters' layout; the caller frees. */
static real *gradients(double drop_path, int64_t *total) {
  small_vit s;
  optim o;
  engine_result r;
  small_vit_config(&s, "layernorm", "tanh");
  s.cfg.drop_path = drop_path;
  small_vit_open(&s, 2, 2, 3, true);
  assert_int_equal(optim_open(&o, &s.model.params, &adamw, NULL), ST_OK);
  engine_step(&s.engine, SMALL_IMAGES, 0, &s.feed, &r);
  optim_reduce(&o, s.pool, s.engine.grads, s.engine.shards);
  *total = s.model.params.total;
  real *g = mem_new((size_t)*total, sizeof *g);
  memcpy(g, s.engine.grads[0], (size_t)*total * sizeof *g);
  optim_close(&o);
  small_vit_close(&s);
  return g;
}

/* Packed weights or BLAS; a residual connection added by the linear layer or by an operation of its own (as with stochastic
 * depth, which does nothing here): the same gradients but for rounding. */
static void test_ways_to_multiply_and_add_agree(void **state) {
  (void)state;
  real *g[4];
  int64_t n = 0;
  for (int i = 0; i < 4; i++) {
    setenv("DYT_GEMM", i % 2 ? "blas" : "own", 1);
    assert_int_equal(k_init(NULL, NULL), ST_OK);
    assert_true(k_packs() == !(i % 2));
    g[i] = gradients(i / 2 ? 0.2 : 0, &n);
  }
  unsetenv("DYT_GEMM");
  assert_int_equal(k_init(NULL, NULL), ST_OK);
  double worst = 0, largest = 0;
  for (int64_t j = 0; j < n; j++) largest = fmax(largest, fabs((double)g[0][j]));
  for (int i = 1; i < 4; i++)
    for (int64_t j = 0; j < n; j++) worst = fmax(worst, fabs((double)(g[i][j] - g[0][j])));
  print_message("gradients differ by %.1e of the largest\n", worst / largest);
  assert_true(worst < (REAL_IS_F64 ? 1e-14 : 2e-6) * largest);
  for (int i = 0; i < 4; i++) mem_free(g[i]);
}

typedef struct seen {
  const model *model;
  real *logits;
  int64_t samples;
  int64_t labels_right;
} seen;

static void take(void *context, const engine_part *part) {
  seen *s = context;
  memcpy(s->logits + part->first * SMALL_CLASSES, part->output,
         (size_t)(part->n * SMALL_CLASSES) * sizeof(real));
  for (int64_t i = 0; i < part->n; i++) {
    task_score score;
    task_classify.judge(s->model, part->slot, part->output, i, &score);
    __atomic_add_fetch(&s->labels_right, score.label == (part->first + i) % SMALL_CLASSES, __ATOMIC_RELAXED);
  }
  __atomic_add_fetch(&s->samples, part->n, __ATOMIC_RELAXED);
}

/* Evaluation, probing and training see the same function. */
static void test_modes_agree(void **state) {
  (void)state;
  small_vit s;
  small_vit_config(&s, "layernorm", "tanh");
  small_vit_open(&s, 2, 2, 3, true);
  real a[SMALL_IMAGES * SMALL_CLASSES], b[SMALL_IMAGES * SMALL_CLASSES];
  seen eval = {&s.model, a, 0, 0}, probe = {&s.model, b, 0, 0};
  engine_forward(&s.engine, ENGINE_EVAL, SMALL_IMAGES, &s.feed, &(engine_sink){take, &eval});
  engine_forward(&s.engine, ENGINE_PROBE, SMALL_IMAGES, &s.feed, &(engine_sink){take, &probe});
  assert_int_equal(eval.samples, SMALL_IMAGES);
  assert_int_equal(eval.labels_right, SMALL_IMAGES); /* the targets outlive the run */
  assert_memory_equal(a, b, sizeof a);
  engine_result r;
  engine_step(&s.engine, SMALL_IMAGES, 0, &s.feed, &r);
  double loss = 0; /* from the logits, with the engine's smoothing of 0.1 */
  for (int i = 0; i < SMALL_IMAGES; i++) {
    double sum = 0;
    for (int k = 0; k < SMALL_CLASSES; k++) sum += exp((double)a[i * SMALL_CLASSES + k]);
    for (int k = 0; k < SMALL_CLASSES; k++)
      loss += (0.9 * (k == i % SMALL_CLASSES) + 0.1 / SMALL_CLASSES) *
              (log(sum) - (double)a[i * SMALL_CLASSES + k]);
  }
  assert_true(fabs(loss / SMALL_IMAGES - r.loss) < (REAL_IS_F64 ? 1e-12 : 1e-5));
  real *w =
      params_value(&s.model.params, params_find(&s.model.params, "head.weight")); /* later weights are seen */
  for (int i = 0; i < 12 * SMALL_CLASSES; i++) w[i] = -w[i];
  seen after = {&s.model, b, 0, 0};
  engine_forward(&s.engine, ENGINE_EVAL, SMALL_IMAGES, &s.feed, &(engine_sink){take, &after});
  assert_memory_not_equal(a, b, sizeof a);
  small_vit_close(&s);
}

static void test_diagnosis_names_the_tensor(void **state) {
  (void)state;
  small_vit s;
  small_vit_config(&s, "dyt", "tanh");
  small_vit_open(&s, 2, 2, 3, true);
  params *p = &s.model.params;
  str text = {0};
  *params_value(p, params_find(p, "blocks.1.mlp.fc1.bias")) = (real)1e38 * (real)(REAL_IS_F64 ? 1e300 : 10);
  engine_diagnose(&s.engine, SMALL_IMAGES, 0, &s.feed, &text);
  assert_non_null(strstr(text.data, "blocks.1.mlp.fc1"));
  str_clear(&text);
  *params_value(p, params_find(p, "blocks.1.mlp.fc1.bias")) = 0;
  s.image[4][3] = (real)NAN;
  engine_diagnose(&s.engine, SMALL_IMAGES, 0, &s.feed, &text);
  assert_non_null(strstr(text.data, "patch"));
  str_free(&text);
  small_vit_close(&s);
}

static void test_schedule(void **state) {
  (void)state;
  assert_true(fabs(optim_lr(1, 0.1, 0, 10, 100) - 0.1) < 1e-12);
  assert_true(fabs(optim_lr(1, 0.1, 9, 10, 100) - 1) < 1e-12);
  assert_true(fabs(optim_lr(1, 0.1, 10, 10, 100) - 1) < 1e-12);
  assert_true(fabs(optim_lr(1, 0.1, 55, 10, 100) - 0.55) < 1e-12); /* half way */
  double last = optim_lr(1, 0.1, 99, 10, 100);
  assert_true(last > 0.1 && last < 0.102);
  assert_true(optim_lr(1, 0.1, 0, 0, 1) <= 1);
  for (int64_t t = 11; t < 100; t++)
    assert_true(optim_lr(1, 0.1, t, 10, 100) < optim_lr(1, 0.1, t - 1, 10, 100));
}

/* Clipping by PyTorch's rule: the first AdamW update does not depend on the gradient's scale, the moments do.
 * */
static void test_clipping(void **state) {
  (void)state;
  params p = {0};
  params_add(&p, "w", SHAPE(4), (params_init){INIT_CONSTANT, 0}, PARAM_TRAIN);
  assert_int_equal(params_seal(&p, NULL), ST_OK);
  work_pool *pool = work_new(1, NULL, NULL);
  config_optim c = adamw;
  c.clip_norm = 1;
  optim o;
  assert_int_equal(optim_open(&o, &p, &c, NULL), ST_OK);
  real a[16] = {3, 0, 4, 0}, b[16] = {0}, *grads[2] = {a, b};
  double norm = optim_reduce(&o, pool, grads, 2);
  assert_true(fabs(norm - 5) < 1e-6);
  optim_update(&o, pool, a, 1e-3, norm);
  assert_true(fabs((double)o.state[0][0] - 0.1 * 3 / 5.000001) < 1e-6);
  assert_true(fabs((double)o.state[0][2] - 0.1 * 4 / 5.000001) < 1e-6);
  optim_close(&o);
  work_free(pool);
  params_free(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_threads_do_not_change_bits),
      cmocka_unit_test(test_micro_batches_change_rounding_only),
      cmocka_unit_test(test_ways_to_multiply_and_add_agree),
      cmocka_unit_test(test_modes_agree),
      cmocka_unit_test(test_diagnosis_names_the_tensor),
      cmocka_unit_test(test_schedule),
      cmocka_unit_test(test_clipping),
  };
  if (k_init(NULL, NULL)) return 1;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
