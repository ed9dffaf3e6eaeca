/* dyt probe: outputs of norm layers are those of their operations, fits are least squares, tables say what dyt.csv says. */
#include "command.h"
#include "small_vit.h"

#include "analyze/probe_parts.h"
#include "dyt/mem.h"
#include "dyt/probe.h"
#include "dyt/rng.h"

#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdlib.h>
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
    assert_int_equal(l.absmax_channel, how == 2 ? -1 : how ? l.absmax_channel : 0);
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

/* --- the command --- */

static void train(command *c, const char *name, const char *sets) {
  if (command_run(c, "train @/tiny.json --run-dir @/%s --set train.max_steps=20 %s", name, sets))
    fail_msg("train: %s", c->err);
}

/* The n-th field (from 0) of a line, of the caller's own. */
static char *field(const char *text, int n) {
  for (; n > 0; n--) text += strcspn(text, ",") + 1;
  return mem_printf("%.*s", (int)strcspn(text, ",\n"), text);
}

/* Line `n` (from 0) of a text. */
static const char *line_at(const char *text, int n) {
  for (; n > 0; n--) text += strcspn(text, "\n") + 1;
  return text;
}

enum { LAYERS = 5 };

/* The last rows of dyt.csv, field by field: alpha, inv_std, mean, std, absmax, sat_frac. */
static void assert_as_logged(const command *c, const char *run, const char *layers) {
  char *name = mem_printf("%s/dyt.csv", run);
  file_bytes log = command_read(c, name), table = command_read(c, layers);
  int rows = 0;
  for (const char *p = (char *)log.data; *p; p++) rows += *p == '\n';
  for (int i = 0; i < LAYERS; i++)
    for (int k = 0; k < 6; k++) {
      char *a = field(line_at((char *)log.data, rows - LAYERS + i), 7 + k),
           *b = field(line_at((char *)table.data, 1 + i), 5 + k);
      assert_string_equal(a, b);
      mem_free(a);
      mem_free(b);
    }
  file_bytes_free(&log);
  file_bytes_free(&table);
  mem_free(name);
}

/* Each pair lies on its layer's function, and says where it comes from. */
static void assert_pairs(const command *c, const char *pairs, const char *layers) {
  file_bytes b = command_read(c, pairs), t = command_read(c, layers);
  int n = 0;
  for (const char *row = line_at((char *)b.data, 1); *row; row = line_at(row, 1), n++) {
    char *text[9];
    for (int k = 0; k < 9; k++) text[k] = field(row, k);
    int i = atoi(text[1]);
    char *alpha = field(line_at((char *)t.data, 1 + i), 5), *path = field(line_at((char *)t.data, 1 + i), 0);
    assert_near(atof(text[8]), tanh(atof(alpha) * atof(text[7])), 1e-6);
    assert_string_equal(text[0], path);
    assert_in_range(atoi(text[4]), 0, 49);
    assert_in_range(atoi(text[6]), 0, 15);
    assert_true(strcmp(text[2], "final") == 0 ? !*text[5] : (*text[5] && atoi(text[5]) < 5));
    for (int k = 0; k < 9; k++) mem_free(text[k]);
    mem_free(alpha);
    mem_free(path);
  }
  /* 50 images, a class token and 4 patches, 16 channels; the final norm has fewer elements than pairs are kept */
  assert_int_equal(n, 4 * PROBE_PAIRS + 50 * 16);
  file_bytes_free(&b);
  file_bytes_free(&t);
}

static void assert_shapes(const command *c, const char *run, const char *layers) {
  char *path = command_path(c, run);
  file_bytes t = command_read(c, layers);
  probe_shape *got;
  int n;
  err e = {0};
  if (probe_shapes(path, 1, &got, &n, &e)) fail_msg("%s", e.text);
  assert_int_equal(n, LAYERS);
  for (int i = 0; i < n; i++) {
    const double value[] = {got[i].line_r2, got[i].tanh_r2, got[i].a, got[i].b, got[i].linear_share};
    static const int column[] = {12, 13, 17, 18, 19};
    for (int k = 0; k < 5; k++) {
      char *text = field(line_at((char *)t.data, 1 + i), column[k]);
      assert_near(value[k], atof(text), 1e-8 * fabs(value[k]));
      mem_free(text);
    }
  }
  mem_free(got);
  file_bytes_free(&t);
  mem_free(path);
}

static void test_dyt_run(void **state) {
  command *c = *state;
  train(c, "run", "");
  if (command_run(c, "probe @/run")) fail_msg("%s", c->err);
  command_assert_contains(c->out, "\nblocks.0.norm1  dyt  ");
  command_assert_contains(c->out, "without the final norm, 4 layers: Pearson");
  command_assert_contains(c->out, "50 images");
  assert_as_logged(c, "run", "run/probe/layers.csv");
  assert_pairs(c, "run/probe/pairs.csv", "run/probe/layers.csv");
  assert_shapes(c, "run", "run/probe/layers.csv");
  static const char *const files[] = {"layers.csv", "pairs.csv", "tokens.csv", "correlation.csv"};
  assert_int_equal(command_run(c, "probe @/run --threads 2 --out @/again/out"), 0);
  for (int i = 0; i < 4; i++) {
    char *a = mem_printf("run/probe/%s", files[i]), *b = mem_printf("again/out/%s", files[i]);
    command_assert_same(c, a, b);
    mem_free(a);
    mem_free(b);
  }
  assert_true(command_exists(c, "run/probe/tokens.svg") && command_exists(c, "run/probe/channels.png"));
}

/* An element is where it belongs, whatever micro-batches the images came in. */
static void test_micro_batches(void **state) {
  command *c = *state;
  train(c, "run", "");
  static const char *const size[] = {"50", "7"};
  file_bytes b[2];
  for (int i = 0; i < 2; i++) {
    assert_int_equal(command_run(c, "probe @/run --out @/%s --set train.micro_batch=%s", size[i], size[i]),
                     0);
    char *name = mem_printf("%s/pairs.csv", size[i]);
    b[i] = command_read(c, name);
    mem_free(name);
  }
  const char *row[] = {line_at((char *)b[0].data, 1), line_at((char *)b[1].data, 1)};
  for (; *row[0]; row[0] = line_at(row[0], 1), row[1] = line_at(row[1], 1)) {
    char *x[] = {field(row[0], 7), field(row[1], 7)};
    assert_near(atof(x[0]), atof(x[1]), 1e-4);
    mem_free(x[0]), mem_free(x[1]);
  }
  assert_int_equal(*row[1], 0);
  for (int i = 0; i < 2; i++) file_bytes_free(&b[i]);
}

static void test_layernorm_run(void **state) {
  command *c = *state;
  train(c, "ln", "--set model.norm.kind=layernorm");
  c->under = "env PATH=/nowhere";
  assert_int_equal(command_run(c, "probe @/ln --set train.probe_samples=7"), 0);
  c->under = NULL;
  command_assert_contains(c->err, "warning: ");
  command_assert_contains(c->err, "scripts/setup.sh bench");
  command_assert_contains(c->out, "7 images");
  assert_null(strstr(c->out, "Pearson"));
  file_bytes b = command_read(c, "ln/probe/correlation.csv");
  command_assert_contains((char *)b.data, "\nall,0,,,,,,\nwithout_final,0,,,,,,\n");
  file_bytes_free(&b);
  assert_true(command_exists(c, "ln/probe/tokens.csv") && command_exists(c, "ln/probe/tokens.gp"));
  assert_int_equal(command_run(c, "probe @/ln"), 0);
  assert_as_logged(c, "ln", "ln/probe/layers.csv");
}

static void test_refusals(void **state) {
  command *c = *state;
  command_refuse(c, "probe", "argument");
  command_refuse(c, "probe @/none", "none: no run directory");
  command_refuse(c, "probe @/tiny.json", "tiny.json: no run directory");
  command_refuse(c, "probe @", "no config.json");
  train(c, "run", "");
  command_refuse(c, "probe @/run --checkpoint first", "expected last or best");
  command_refuse(c, "probe @/run --out @/tiny.json", "tiny.json");
  assert_false(command_exists(c, "run/probe"));
}

#define COMMAND(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_outputs),
                                     cmocka_unit_test(test_token_is_a_line),
                                     cmocka_unit_test(test_fits),
                                     cmocka_unit_test(test_straight),
                                     cmocka_unit_test(test_nothing_to_fit),
                                     cmocka_unit_test(test_samples),
                                     cmocka_unit_test(test_extremes),
                                     cmocka_unit_test(test_correlation),
                                     COMMAND(test_dyt_run),
                                     COMMAND(test_micro_batches),
                                     COMMAND(test_layernorm_run),
                                     COMMAND(test_refusals)};
  if (k_init(NULL, NULL)) return 1;
  gsl_set_error_handler_off();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
