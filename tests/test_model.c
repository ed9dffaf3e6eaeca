/* Whole models: the gradient along a random direction of all parameters against a difference of the loss, for
 * every norm. */
#include "small_vit.h"

#include "dyt/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double loss_at(small_vit *s, const real *origin, const real *direction, double t) {
  params *p = &s->model.params;
  for (int64_t i = 0; i < p->total; i++) p->value[i] = (real)((double)origin[i] + t * (double)direction[i]);
  engine_result r;
  engine_step(&s->engine, SMALL_IMAGES, 1, &s->feed, &r);
  return r.loss;
}

/* Relative difference of the two; a step small enough to stay clear of most kinks. */
static double directional_error(small_vit *s, uint64_t seed, double h) {
  params *p = &s->model.params;
  size_t bytes = (size_t)p->total * sizeof(real);
  real *origin = mem_new((size_t)p->total, sizeof(real)),
       *direction = mem_new((size_t)p->total, sizeof(real));
  memcpy(origin, p->value, bytes);
  for (int i = 0; i < p->count; i++) {
    rng r = rng_at(seed, p->p[i].name, 2, 2);
    for (int64_t j = 0; p->p[i].flags & PARAM_TRAIN && j < shape_numel(p->p[i].s); j++)
      direction[p->p[i].offset + j] = (real)rng_normal(&r);
  }
  loss_at(s, origin, direction, 0);
  optim o;
  assert_int_equal(optim_open(&o, p, &(config_optim){.name = "adamw"}, NULL), ST_OK);
  optim_reduce(&o, s->pool, s->engine.grads, s->engine.shards);
  double dot = 0;
  for (int64_t i = 0; i < p->total; i++) dot += (double)s->engine.grads[0][i] * (double)direction[i];
  optim_close(&o);
  double difference = (8 * (loss_at(s, origin, direction, h) - loss_at(s, origin, direction, -h)) -
                       (loss_at(s, origin, direction, 2 * h) - loss_at(s, origin, direction, -2 * h))) /
                      (12 * h);
  memcpy(p->value, origin, bytes);
  mem_free(origin);
  mem_free(direction);
  assert_true(fabs(difference) > 1e-4);
  return fabs(dot - difference) / fabs(difference);
}

static void check(const char *label, small_vit *s, double tolerance, double h) {
  small_vit_open(s, 2, 3, 2, true);
  for (uint64_t seed = 1; seed <= 3; seed++) {
    double error = directional_error(s, seed, h);
    if (!(error < tolerance)) fail_msg("%s: relative error %.2e", label, error);
    if (seed == 3) print_message("%-14s %.1e\n", label, error);
  }
  small_vit_close(s);
}

static bool smooth(k_fn fn) { return k_functions[fn].kinks[0] < 0 && k_functions[fn].kinks[1] < 0; }

static void test_every_norm(void **state) {
  (void)state;
  static const char *const kinds[] = {"layernorm", "rmsnorm", "none"};
  small_vit s;
  for (int i = 0; i < 3; i++) {
    small_vit_config(&s, kinds[i], "tanh");
    check(kinds[i], &s, 1e-6, 1e-4);
  }
  for (k_fn fn = 0; fn < K_FN_COUNT; fn++) {
    if (k_functions[fn].group != K_NORM) continue;
    small_vit_config(&s, "dyt", k_functions[fn].name);
    s.cfg.ffn.shift = true;
    s.cfg.attn.alpha_shape = "channel";
    check(k_functions[fn].name, &s, smooth(fn) ? 1e-6 : 1e-4, smooth(fn) ? 1e-6 : 1e-7);
  }
}

static void test_every_activation_and_pool(void **state) {
  (void)state;
  small_vit s;
  for (k_fn fn = 0; fn < K_FN_COUNT; fn++) {
    if (k_functions[fn].group != K_ACT) continue;
    small_vit_config(&s, "dyt", "tanh");
    s.cfg.act = k_functions[fn].name;
    s.cfg.pool = "token";
    check(k_functions[fn].name, &s, smooth(fn) ? 1e-6 : 1e-4, smooth(fn) ? 1e-6 : 1e-7);
  }
}

/* With dropout and drop path the draws repeat, so the loss is still a function of the parameters. */
static void test_dropout(void **state) {
  (void)state;
  small_vit s;
  small_vit_config(&s, "layernorm", "tanh");
  s.cfg.dropout = 0.2;
  s.cfg.drop_path = 0.3;
  small_vit_open(&s, 1, 2, 3, false);
  assert_true(directional_error(&s, 1, 1e-4) < 1e-6);
  small_vit_close(&s);
}

/* Sites that differ; parameters exist exactly where they should. */
static void test_sites(void **state) {
  (void)state;
  small_vit s;
  small_vit_config(&s, "dyt", "erf");
  s.cfg.ffn.kind = "layernorm";
  s.cfg.final.kind = "rmsnorm";
  s.cfg.attn.alpha_learnable = false;
  check("mixed sites", &s, 1e-6, 1e-4);
  small_vit_open(&s, 1, 1, 1, true);
  const params *p = &s.model.params;
  int alpha = params_find(p, "blocks.1.norm1.alpha");
  assert_true(alpha >= 0 && !(p->p[alpha].flags & PARAM_TRAIN));
  assert_int_equal(params_find(p, "blocks.1.norm2.alpha"), -1);
  assert_true(params_find(p, "fc_norm.weight") >= 0);
  assert_int_equal(params_find(p, "fc_norm.bias"), -1);
  assert_int_equal(s.model.norms, 5);
  small_vit_close(&s);
}

/* Decay acts on weight matrices and on nothing else (paper: alpha, gamma, beta, biases, tokens and positions
 * are free of it). */
static void test_decay_groups(void **state) {
  (void)state;
  small_vit s;
  small_vit_config(&s, "dyt", "tanh");
  small_vit_open(&s, 1, 1, 1, true);
  for (int i = 0; i < s.model.params.count; i++) {
    const param *p = &s.model.params.p[i];
    bool matrix = p->s.rank >= 2 && strcmp(p->name, "cls_token") && strcmp(p->name, "pos_embed");
    assert_int_equal((p->flags & PARAM_DECAY) != 0, matrix);
  }
  small_vit_close(&s);
}

/* timm's initialisation, by its moments. */
static void test_initialisation(void **state) {
  (void)state;
  small_vit s;
  small_vit_config(&s, "dyt", "tanh");
  s.cfg.dim = 48;
  model m;
  assert_int_equal(model_build(&m, &s.cfg, NULL), ST_OK);
  params_draw(&m.params, 1, NULL);
  const struct {
    const char *name;
    double std, most;
  } want[] = {{"blocks.0.attn.qkv.weight", 0.02, 0.1},
              {"blocks.1.mlp.fc2.weight", 0.02, 0.1},
              {"pos_embed", 0.02, 0.1},
              {"cls_token", 1e-6, 6e-6},
              {"patch_embed.proj.weight", 1 / sqrt(32.0) / sqrt(3.0), 1 / sqrt(32.0)},
              {"patch_embed.proj.bias", 1 / sqrt(32.0) / sqrt(3.0), 1 / sqrt(32.0)}};
  for (size_t k = 0; k < sizeof want / sizeof want[0]; k++) {
    int i = params_find(&m.params, want[k].name);
    int64_t n = shape_numel(m.params.p[i].s);
    double sum = 0, most = 0;
    for (int64_t j = 0; j < n; j++) {
      double x = (double)params_value(&m.params, i)[j];
      sum += x * x;
      most = fmax(most, fabs(x));
    }
    double std = sqrt(sum / (double)n), slack = 3 * want[k].std / sqrt(2.0 * (double)n) + 0.02 * want[k].std;
    if (fabs(std - want[k].std) > slack || most > want[k].most)
      fail_msg("%s: std %g, largest %g", want[k].name, std, most);
  }
  int alpha = params_find(&m.params, "blocks.0.norm1.alpha"), bias = params_find(&m.params, "head.bias");
  assert_true(fabs((double)*params_value(&m.params, alpha) - 0.7) < 1e-6);
  assert_true(*params_value(&m.params, bias) == 0);
  model_free(&m);
}

/* A parameter's initial values depend on seed and name only: models share what they have in common. */
static void test_shared_draws(void **state) {
  (void)state;
  small_vit a, b;
  small_vit_config(&a, "layernorm", "tanh");
  small_vit_config(&b, "dyt", "tanh");
  model ma, mb;
  assert_int_equal(model_build(&ma, &a.cfg, NULL) | model_build(&mb, &b.cfg, NULL), ST_OK);
  work_pool *pool = work_new(3, NULL, NULL);
  params_draw(&ma.params, 3, NULL);
  params_draw(&mb.params, 3, pool);
  work_free(pool);
  int i = params_find(&ma.params, "blocks.1.mlp.fc1.weight"),
      j = params_find(&mb.params, "blocks.1.mlp.fc1.weight");
  assert_memory_equal(params_value(&ma.params, i), params_value(&mb.params, j), 12 * 24 * sizeof(real));
  model_free(&ma);
  model_free(&mb);
}

int main(void) {
  const struct CMUnitTest gradients[] = {cmocka_unit_test(test_every_norm),
                                         cmocka_unit_test(test_every_activation_and_pool),
                                         cmocka_unit_test(test_dropout), cmocka_unit_test(test_sites)};
  const struct CMUnitTest structure[] = {cmocka_unit_test(test_decay_groups),
                                         cmocka_unit_test(test_initialisation),
                                         cmocka_unit_test(test_shared_draws)};
  if (k_init(NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(structure, NULL, NULL);
  return REAL_IS_F64 ? failed + cmocka_run_group_tests(gradients, NULL, NULL) : failed;
}
