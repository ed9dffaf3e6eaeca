/* What a probe computes: outputs of norm layers are those of their operations, fits are least squares. */
#include "small_vit.h"

#include "analyze/probe_parts.h"
#include "dyt/mem.h"
#include "dyt/probe.h"
#include "dyt/rng.h"

#include <gsl/gsl_errno.h>
#include <math.h>
#include <string.h>

/* --- outputs --- */

/* What the engine's own operations make of the layers' inputs. */
typedef struct spy {
  const small_vit *s;
  int looked_at;
  double largest; /* |y| */
} spy;

/* y from x as the papers have it, in double. */
static double expected(const nn_norm *norm, const params *p, const real *row, int64_t C, int64_t c) {
  double mean = 0, square = 0;
  if (strcmp(norm->cfg.kind, "dyt") == 0)
    return tanh((double)params_value(p, norm->alpha)[shape_numel(p->p[norm->alpha].s) > 1 ? c : 0] *
                    (double)row[c] +
                (norm->shift >= 0 ? (double)*params_value(p, norm->shift) : 0));
  for (int64_t k = 0; k < C && strcmp(norm->cfg.kind, "rmsnorm") != 0; k++)
    mean += (double)row[k] / (double)C;
  for (int64_t k = 0; k < C; k++) square += ((double)row[k] - mean) * ((double)row[k] - mean) / (double)C;
  return ((double)row[c] - mean) / sqrt(square + norm->cfg.eps);
}

static void look(void *context, const tape_run *r, int node, bool backward) {
  spy *w = context;
  const model *m = &w->s->model;
  const tape *t = r->plan->tape;
  const tape_node *n = &t->node[node];
  assert_false(backward);
  for (int i = 0; i < m->norms; i++) {
    if (strcmp(n->op->name, "norm") != 0 && strcmp(n->op->name, "pointwise") != 0) continue;
    if (n->in[0] != tape_find(t, m->norm[i]->path)) continue;
    shape dims = tape_shape(t, n->out);
    int64_t C = shape_cols(dims), all = shape_numel(dims);
    real *y = mem_new((size_t)all, sizeof *y);
    const real *x = tape_at(r, n->in[0]);
    probe_output(m->norm[i], &m->params, all / C, C, x, y);
    assert_memory_equal(y, tape_at(r, n->out), (size_t)all * sizeof *y);
    for (int64_t k = 0; k < all; k++) {
      double want = expected(m->norm[i], &m->params, x + k / C * C, C, k % C);
      assert_true(fabs((double)y[k] - want) < 1e-5);
      w->largest = fmax(w->largest, fabs(want));
    }
    mem_free(y);
    w->looked_at++;
  }
}

/* Without gamma and beta an operation's output is what probes speak of. */
static void check_outputs(const char *kind, const char *alpha_shape, bool shift) {
  small_vit s;
  small_vit_config(&s, kind, "tanh");
  config_norm *site[] = {&s.cfg.attn, &s.cfg.ffn, &s.cfg.final};
  for (int i = 0; i < 3; i++)
    site[i]->affine = false, site[i]->alpha_shape = alpha_shape, site[i]->shift = shift, site[i]->eps = 1e-2;
  small_vit_open(&s, 1, 1, SMALL_IMAGES, true);
  spy w = {.s = &s};
  norm_stats stats;
  norm_stats_open(&stats, &s.model, SMALL_IMAGES, SMALL_IMAGES, false);
  s.engine.after = look, s.engine.after_context = &w;
  norm_stats_take(&stats, &s.engine, &s.feed);
  assert_int_equal(w.looked_at, s.model.norms);
  assert_true(w.largest > 0.5);
  if (strcmp(kind, "layernorm") == 0) assert_true(w.largest < sqrt(s.cfg.dim - 1));
  norm_stats_close(&stats);
  small_vit_close(&s);
}

static void test_outputs(void **state) {
  (void)state;
  check_outputs("layernorm", "scalar", false);
  check_outputs("rmsnorm", "scalar", false);
  check_outputs("dyt", "scalar", false);
  check_outputs("dyt", "scalar", true);
  check_outputs("dyt", "channel", true);
  const real x[] = {1, -2, 3};
  real y[3];
  probe_output(&(nn_norm){.cfg = {.kind = "none"}}, NULL, 1, 3, x, y);
  assert_memory_equal(x, y, sizeof x);
}

static void measure(probe_layer *l, int64_t n, int64_t channels, const real *x, const real *y) {
  *l = (probe_layer){.n = n, .channels = channels};
  probe_measure(l, x, y, 3);
}

static void forget(probe_layer *l) {
  mem_free(l->pair);
  mem_free(l->token);
}

/* Each token of a LayerNorm is a line, and where one channel has all the variance |y| comes up to sqrt(C - 1). */
static void test_token_is_a_line(void **state) {
  (void)state;
  enum { C = 64, ROWS = 20 };
  real x[ROWS * C], y[ROWS * C];
  const nn_norm norm = {.cfg = {.kind = "layernorm", .eps = 1e-6}};
  support_fill("rows", ROWS * C, -3, 5, x);
  x[5] = 1e4f;
  for (int i = 0; i < ROWS * C; i++) x[i] *= (real)(1 + i / C); /* spreads that differ */
  probe_output(&norm, NULL, ROWS, C, x, y);
  for (int row = 0; row < ROWS; row++) {
    probe_layer l;
    measure(&l, C, C, x + row * C, y + row * C);
    assert_true(fabs(1 - l.shape.line_r2) < 1e-9);
    forget(&l);
  }
  probe_layer all;
  measure(&all, ROWS * C, C, x, y);
  assert_true(all.shape.line_r2 < 0.9);
  assert_true(y[5] > 0.999 * sqrt(C - 1) && y[5] <= sqrt(C - 1) * (1 + 1e-6));
  forget(&all);
}

/* --- fits --- */

enum { MANY = 50001 }; /* more than are fitted to */
static real many_x[MANY], many_y[MANY];

static void assert_near(double got, double want, double tolerance) {
  if (!(fabs(got - want) <= tolerance)) fail_msg("%.9g, expected %.9g within %g", got, want, tolerance);
}

/* 1 - SSE / SST of any function of x. */
static double r2(double (*f)(double x, const double at[2]), const double at[2]) {
  double mean = 0, sst = 0, sse = 0;
  for (int i = 0; i < MANY; i++) mean += (double)many_y[i] / MANY;
  for (int i = 0; i < MANY; i++) {
    double d = (double)many_y[i] - mean, rest = (double)many_y[i] - f((double)many_x[i], at);
    sst += d * d, sse += rest * rest;
  }
  return 1 - sse / sst;
}

static double line(double x, const double at[2]) { return at[0] * x + at[1]; }
static double curve(double x, const double at[2]) { return at[0] * tanh(at[1] * x); }

/* y = a tanh(b x) + noise. */
static void make(double a, double b, double noise) {
  rng r = rng_at(1, "test probe", 0, 0);
  for (int i = 0; i < MANY; i++) {
    many_x[i] = (real)(0.3 + 2 * rng_normal(&r));
    many_y[i] = (real)(a * tanh(b * (double)many_x[i]) + noise * rng_normal(&r));
  }
}

static void check_fit(double a, double b, double noise, double tolerance) {
  probe_layer l;
  make(a, b, noise);
  measure(&l, MANY, 3, many_x, many_y);
  assert_near(l.shape.a, a, tolerance * fabs(a));
  assert_near(l.shape.b, b, tolerance * b);
  const double tanh_at[] = {l.shape.a, l.shape.b}, line_at[] = {l.slope, l.intercept};
  assert_near(l.shape.tanh_r2, r2(curve, tanh_at), 1e-9);
  assert_near(l.shape.line_r2, r2(line, line_at), 1e-9);
  /* no other line is better */
  for (int k = 0; k < 2; k++)
    for (double step = -0.01; step < 0.02; step += 0.02) {
      double moved[] = {l.slope, l.intercept};
      moved[k] += step;
      assert_true(r2(line, moved) < l.shape.line_r2);
    }
  int64_t linear = 0;
  for (int i = 0; i < MANY; i++) linear += fabs(l.shape.b * (double)many_x[i]) < 0.5;
  assert_near(l.shape.linear_share, (double)linear / MANY, 1e-12);
  forget(&l);
}

static void test_fits(void **state) {
  (void)state;
  check_fit(3, 0.4, 0, 1e-5);
  check_fit(3, 0.4, 0.5, 0.03);
  check_fit(-2, 0.7, 0.1, 0.01); /* falling */
  check_fit(1, 8, 0, 1e-5);      /* nearly a step */
  check_fit(20, 0.05, 0, 1e-3);  /* nearly a line */
}

/* Pairs on a line, and pairs that bend the other way: the best tanh is a line through 0. */
static void test_straight(void **state) {
  (void)state;
  for (int bend = 0; bend < 2; bend++) {
    probe_layer l;
    make(1, 1, 0);
    for (int i = 0; i < MANY; i++)
      many_y[i] = bend ? 2 * many_x[i] + many_x[i] * many_x[i] * many_x[i] : 2 * many_x[i];
    measure(&l, MANY, 3, many_x, many_y);
    assert_true(l.shape.b >= 0 && l.shape.linear_share == 1);
    if (!bend) {
      assert_near(l.shape.line_r2, 1, 1e-12);
      assert_near(l.shape.tanh_r2, 1, 1e-6);
      assert_near(l.shape.a * l.shape.b, 2, 1e-3);
    }
    assert_true(l.shape.tanh_r2 <= l.shape.line_r2 + 1e-6 && l.shape.tanh_r2 > 0.5);
    forget(&l);
  }
}

/* No shape where nothing can be fitted; the pairs are there. */
static void test_nothing_to_fit(void **state) {
  (void)state;
  probe_layer l;
  for (int how = 0; how < 3; how++) {
    make(1, 1, 0);
    for (int i = 0; i < MANY && how < 2; i++) *(how ? &many_y[i] : &many_x[i]) = 1;
    if (how == 2) many_x[7] = INFINITY;
    measure(&l, MANY, 3, many_x, many_y);
    assert_true(isnan(l.shape.line_r2) && isnan(l.shape.tanh_r2) && isnan(l.shape.linear_share));
    assert_int_equal(l.pairs, PROBE_PAIRS);
    if (how != 1) assert_int_equal(l.absmax_channel, how ? -1 : 0);
    forget(&l);
  }
}

/* --- samples and extremes --- */

static void test_samples(void **state) {
  (void)state;
  probe_layer l, again, other = {.n = MANY, .channels = 3};
  make(1, 1, 0);
  measure(&l, MANY, 3, many_x, many_y);
  measure(&again, MANY, 3, many_x, many_y);
  probe_measure(&other, many_x, many_y, 4);
  assert_int_equal(l.pairs, PROBE_PAIRS);
  assert_memory_equal(l.pair, again.pair, PROBE_PAIRS * sizeof *l.pair);
  int same = 0;
  double mean = 0;
  for (int i = 0; i < PROBE_PAIRS; i++) {
    const probe_pair *p = &l.pair[i];
    assert_true(p->at < MANY && (i == 0 || p->at > l.pair[i - 1].at));
    assert_true(p->x == (double)many_x[p->at] && p->y == (double)many_y[p->at]);
    same += p->at == other.pair[i].at;
    mean += (double)p->at / PROBE_PAIRS;
  }
  assert_true(same < PROBE_PAIRS / 10);
  assert_near(mean / MANY, 0.5, 5 * 0.29 / sqrt(PROBE_PAIRS));
  assert_int_equal(l.whole, PROBE_TOKENS);
  for (int i = 0; i < 3 * PROBE_TOKENS; i++)
    assert_true(l.token[i].at == l.token[i - i % 3].at + i % 3 &&
                l.token[i].at / 3 * 3 == l.token[i - i % 3].at);
  forget(&l), forget(&again), forget(&other);
  measure(&l, 30, 3, many_x, many_y); /* all there are */
  assert_true(l.pairs == 30 && l.whole == 10 && l.pair[29].at == 29);
  forget(&l);
}

/* The 51 largest of 50001, in channels of 3: 0 has 9, 1 has 12, 2 has 30; the very largest is in channel 1. */
static void test_extremes(void **state) {
  (void)state;
  probe_layer l;
  support_fill("small", MANY, -1, 1, many_x);
  memcpy(many_y, many_x, sizeof many_y);
  for (int i = 0; i < 30; i++) many_x[300 * i + 2] = i % 2 ? -5 : 5;
  for (int i = 0; i < 12; i++) many_x[300 * i + 1] = -6;
  for (int i = 0; i < 9; i++) many_x[300 * i] = 4;
  many_x[900] = -4, many_x[901] = -9;
  measure(&l, MANY, 3, many_x, many_y);
  assert_int_equal(l.absmax_channel, 1);
  static const probe_channel want[PROBE_TOP] = {{2, 30.0 / 51}, {1, 12.0 / 51}, {0, 9.0 / 51}};
  for (int i = 0; i < PROBE_TOP; i++) {
    assert_int_equal(l.top[i].channel, want[i].channel);
    assert_near(l.top[i].share, want[i].share, 1e-12);
  }
  forget(&l);
  measure(&l, 4, 4, (const real[]){1, -3, 3, 2}, many_y); /* equal ones: the lower channel first */
  assert_true(l.absmax_channel == 1 && l.top[0].channel == 1 && l.top[0].share == 0.5);
  assert_true(l.top[1].channel == 2 && l.top[2].channel == -1);
  forget(&l);
}

/* --- alpha and 1/std --- */

static void test_correlation(void **state) {
  (void)state;
  static const nn_norm inner = {.site = "ffn"}, final = {.site = "final"};
  static const double alpha[] = {1, 2, NAN, 4, 1}, inv_std[] = {0.5, 1, 7, 2, 8};
  probe_layer layer[5];
  for (int i = 0; i < 5; i++)
    layer[i] = (probe_layer){.norm = i == 4 ? &final : &inner,
                             .figures = {.alpha = alpha[i], .inv_std = inv_std[i], .std = 1 / inv_std[i]}};
  probe p = {.layer = layer, .layers = 5};
  probe_correlation with = probe_correlate(&p, true), without = probe_correlate(&p, false);
  assert_true(with.layers == 4 && without.layers == 3);
  assert_near(without.pearson, 1, 1e-12);
  assert_near(without.spearman, 1, 1e-12);
  assert_near(without.cv_alpha_std, 0, 1e-12);
  assert_near(without.cv_std, sqrt(21) / 7, 1e-12); /* of 2, 1, 0.5: mean 7/6, variance 7/12 */
  assert_near(without.depth_pearson, 1, 1e-12);     /* of 1, 2, 4 and places 0, 1, 3 */
  assert_true(with.pearson < 0 && with.cv_alpha_std > 0.4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_outputs),  cmocka_unit_test(test_token_is_a_line), cmocka_unit_test(test_fits),
      cmocka_unit_test(test_straight), cmocka_unit_test(test_nothing_to_fit),  cmocka_unit_test(test_samples),
      cmocka_unit_test(test_extremes), cmocka_unit_test(test_correlation)};
  if (k_init(NULL, NULL)) return 1;
  gsl_set_error_handler_off();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
