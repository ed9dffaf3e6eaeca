/* dyt bench: every benchmark's JSON has its keys, finite numbers that agree with each other and with the model; rounds are taken in
 * turns; what cannot be measured is refused. Times are short and say nothing. */
#include "command.h"

#include "analyze/bench_growth.h"
#include "analyze/bench_parts.h"
#include "dyt/kernel.h"
#include "dyt/progress.h"

#include <cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- reading --- */

static const cJSON *member(const cJSON *o, const char *key) {
  const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
  if (!v) fail_msg("no key %s", key);
  return v;
}

static double number(const cJSON *o, const char *key) {
  const cJSON *v = member(o, key);
  if (!cJSON_IsNumber(v) || !isfinite(v->valuedouble)) fail_msg("%s is no finite number", key);
  return v->valuedouble;
}

static double positive(const cJSON *o, const char *key) {
  double v = number(o, key);
  if (!(v > 0)) fail_msg("%s is %g", key, v);
  return v;
}

/* A median between its smallest and its largest round. */
static double stat(const cJSON *o, const char *key) {
  double v = number(o, key);
  char *spread = mem_printf("%s_spread", key);
  const cJSON *s = member(o, spread), *min = cJSON_GetArrayItem(s, 0), *max = cJSON_GetArrayItem(s, 1);
  assert_int_equal(cJSON_GetArraySize(s), 2);
  if (!(min->valuedouble <= v && v <= max->valuedouble)) fail_msg("%s: %g is not within its spread", key, v);
  mem_free(spread);
  return v;
}

static double positive_stat(const cJSON *o, const char *key) {
  stat(o, key);
  return positive(o, key);
}

static const char *text(const cJSON *o, const char *key) {
  const cJSON *v = member(o, key);
  assert_true(cJSON_IsString(v));
  return v->valuestring;
}

static void assert_near(double a, double b, double relative) {
  if (!(fabs(a - b) <= relative * fabs(b))) fail_msg("%g and %g differ", a, b);
}

/* --- running --- */

static const char *const sets[] = {"train.shards=2", "train.batch_size=6"};

/* One image is 21664 multiply-adds in linear layers, counted by hand from command.c's tiny.json: patches 4 x 16 x 16, two blocks of
 * 5 tokens x (16 x 48 + 16 x 16 + 2 x 16 x 32), head 16 x 10. Attention: 2 blocks x 2 x 5 x 5 x 16. */
enum {
  BATCH = 6,
  PATCHES = 4 * 16 * 16,
  LINEAR = PATCHES + 2 * 5 * (16 * 48 + 16 * 16 + 2 * 16 * 32) + 16 * 10,
  ATTENTION = 2 * 2 * 5 * 5 * 16
};

/* The result of a benchmark on the tiny model, as text and, if JSON, parsed. */
static cJSON *run(command *c, const char *name, bench_options o, str *out) {
  err e = {0};
  config cfg = {0};
  char *path = command_path(c, "tiny.json");
  assert_int_equal(config_load(path, sets, 2, &cfg, &e), ST_OK);
  o.cfg = &cfg;
  o.name = path;
  if (!o.round_ms) o.round_ms = 1;
  if (!o.threads) o.threads = 2;
  const bench *b = bench_find(name, &e);
  if (!b || bench_run(b, &o, out, &e)) fail_msg("%s", e.text);
  cJSON *json = o.json ? cJSON_ParseWithOpts(out->data, NULL, true) : NULL;
  if (o.json && !json) fail_msg("no JSON: %s", out->data);
  if (o.json) {
    assert_string_equal(text(json, "config"), path);
    assert_int_equal((int)number(json, "threads"), o.threads);
    assert_string_equal(text(json, "simd"), k_simd_level());
    assert_string_equal(text(json, "blas"), k_blas_name());
  }
  mem_free(path);
  config_free(&cfg);
  return json;
}

static cJSON *run_json(command *c, const char *name, bench_options o) {
  str out = {0};
  o.json = true;
  cJSON *json = run(c, name, o, &out);
  str_free(&out);
  return json;
}

static void assert_table(command *c, const char *name, bench_options o, const char *const *parts) {
  str out = {0};
  run(c, name, o, &out);
  for (; *parts; parts++) command_assert_contains(out.data, *parts);
  str_free(&out);
}

/* --- the benchmarks --- */

static void test_step(void **state) {
  command *c = *state;
  cJSON *j = run_json(c, "step", (bench_options){0});
  double img = positive_stat(j, "img_per_s"), gemm = positive_stat(j, "gemm_gflops"),
         flops = number(j, "flops_per_image");
  assert_near(flops, 3 * 2 * (LINEAR + ATTENTION), 1e-5);
  assert_near(number(j, "gflops"), img * flops * 1e-9, 1e-4);
  assert_near(number(j, "step_over_gemm"), number(j, "gflops") / gemm, 1e-4);
  positive(j, "peak_rss_mb");
  const cJSON *p;
  bool linear = false, attention = false, updated = false;
  cJSON_ArrayForEach(p, member(j, "ops")) {
    positive(p, "fwd_ms");
    assert_true(number(p, "bwd_ms") >= 0);
    linear |= !strcmp(text(p, "name"), "linear") && number(p, "bwd_ms") > 0;
    attention |= !strcmp(text(p, "name"), "attention");
    updated |= !strcmp(text(p, "name"), "optimizer");
  }
  assert_true(linear && attention && updated);
  cJSON_Delete(j);
  assert_table(c, "step", (bench_options){.threads = 1},
               (const char *const[]){"images/s", "GFLOP/s", "step over gemm", "optimizer", NULL});
}

/* The rows with their counts make up the step's products: forward, dW and dX of every linear layer, but no gradient of an image. */
static void test_gemm(void **state) {
  command *c = *state;
  cJSON *j = run_json(c, "gemm", (bench_options){0});
  double flops = 0, peak[2] = {positive_stat(j, "peak_gflops_1"), positive_stat(j, "peak_gflops_all")};
  const cJSON *p;
  cJSON_ArrayForEach(p, member(j, "products")) {
    flops += 2 * positive(p, "m") * positive(p, "n") * positive(p, "k") * positive(p, "per_step");
    positive_stat(p, "gflops_1");
    positive_stat(p, "gflops_all");
    /* of the peak's best round, which is no lower than its median */
    assert_true(number(p, "gflops_1") / positive(p, "share_of_peak_1") > peak[0] * 0.999);
    assert_true(number(p, "gflops_all") / positive(p, "share_of_peak_all") > peak[1] * 0.999);
  }
  assert_near(flops, 2.0 * BATCH * (3 * LINEAR - PATCHES), 1e-9);
  for (int i = 0; i < 2; i++) assert_true(peak[i] < 1e5); /* a loop that was optimized away is faster */
  cJSON_Delete(j);
  assert_table(c, "gemm", (bench_options){0}, (const char *const[]){"forward", "dx", "dw", "peak", NULL});
}

static void test_ops(void **state) {
  command *c = *state;
  cJSON *j = run_json(c, "ops", (bench_options){.only = "norm.layernorm"});
  int rows = 0;
  const cJSON *r;
  cJSON_ArrayForEach(r, member(j, "rows")) {
    rows++;
    assert_string_equal(text(r, "op"), "norm.layernorm");
    double ns = positive_stat(r, "fwd_ns"), n = positive(r, "elements"),
           copy = positive_stat(r, "copy_gb_per_s");
    positive_stat(r, "bwd_ns");
    /* reads x, gamma and beta, writes y; 16 channels */
    double bytes = (2 * n + 2 * 16) * sizeof(real);
    assert_near(number(r, "fwd_gb_per_s"), bytes / n / ns, 1e-4);
    assert_near(number(r, "fwd_share_of_copy"), number(r, "fwd_gb_per_s") / copy, 1e-4);
    positive(r, "bwd_gb_per_s");
    assert_true(cJSON_IsNull(member(r, "fwd_gflops")));
    assert_true(number(r, "over_layernorm") == 1);
    bool cache = !strcmp(text(r, "place"), "cache");
    assert_true(cache ? n * sizeof(real) <= 100 << 10 : n * sizeof(real) > 60 << 20);
  }
  assert_int_equal(rows, 4); /* in cache and out of it, 1 thread and 2 */
  cJSON_Delete(j);
}

static void test_infer(void **state) {
  command *c = *state;
  cJSON *j = run_json(c, "infer", (bench_options){0});
  double ms = positive_stat(j, "latency_ms");
  assert_true(number(j, "latency_p90_ms") >= ms);
  assert_true(number(j, "calls") >= BENCH_ROUNDS);
  positive_stat(j, "img_per_s");
  positive(j, "peak_rss_mb");
  assert_near(number(j, "flops_per_image"), 2 * (LINEAR + ATTENTION), 1e-5);
  cJSON_Delete(j);
  assert_table(c, "infer", (bench_options){0}, (const char *const[]){"p90", "128 images, 2 threads", NULL});
}

static void test_norms(void **state) {
  command *c = *state;
  cJSON *j = run_json(c, "norms", (bench_options){0});
  static const char *const kinds[] = {"none", "layernorm", "rmsnorm", "dyt"};
  int i = 0;
  const cJSON *r;
  cJSON_ArrayForEach(r, member(j, "rows")) {
    assert_string_equal(text(r, "mode"), i < 4 ? "inference" : "training");
    assert_string_equal(text(r, "kind"), kinds[i % 4]);
    double whole = positive_stat(r, "model_ms");
    if (i++ % 4 == 0) continue;
    double layer = stat(r, "layer_ms");
    assert_near(number(r, "layer_share"), layer / whole, 1e-4);
    const cJSON *spread = member(r, "layer_ms_spread");
    double product = cJSON_GetArrayItem(spread, 0)->valuedouble * cJSON_GetArrayItem(spread, 1)->valuedouble;
    assert_int_equal(cJSON_IsTrue(member(r, "resolved")), product > 0);
  }
  assert_int_equal(i, 8);
  cJSON_ArrayForEach(r, member(j, "dyt_against_layernorm")) {
    stat(r, "less_ms");
    number(r, "less_of_layer");
    number(r, "less_of_model");
    assert_true(cJSON_IsBool(member(r, "resolved")));
  }
  cJSON_Delete(j);
  assert_table(
      c, "norms", (bench_options){0},
      (const char *const[]){"layernorm", "rmsnorm", "DyT against LayerNorm", "inference", "training", NULL});
}

/* What is planned is exact: it can be compared from point to point. */
static void test_growth(void **state) {
  command *c = *state;
  char *folder = command_path(c, "growth");
  cJSON *j = run_json(c, "growth", (bench_options){.out = folder});
  const cJSON *p, *before = NULL;
  int points = 0;
  cJSON_ArrayForEach(p, member(j, "points")) {
    double ms = positive_stat(p, "step_ms"), attention = positive(p, "attention_ms");
    assert_near(positive(p, "linear_ms") + attention + positive(p, "other_ms"), ms, 1e-4);
    assert_near(number(p, "attention_share"), attention / ms, 1e-4);
    double memory = positive(p, "activations_mib"), weights = positive(p, "parameters_mib");
    if (before && !strcmp(text(p, "axis"), text(before, "axis"))) {
      assert_true(number(p, "x") > 1.9 * number(before, "x"));
      bool batch = !strcmp(text(p, "axis"), "batch");
      assert_int_equal(batch, memory == number(before, "activations_mib"));
      assert_int_equal(batch, weights == number(before, "parameters_mib"));
    }
    before = p;
    points++;
  }
  assert_int_equal(points, 16);
  static const char *const axes[] = {"batch", "depth", "tokens", "width"};
  double memory[4], weights[4];
  for (int a = 0; a < 4; a++) {
    const cJSON *slope = cJSON_GetArrayItem(member(j, "slopes"), a);
    assert_string_equal(text(slope, "axis"), axes[a]);
    memory[a] = number(slope, "activations");
    weights[a] = number(slope, "parameters");
    number(slope, "step");
    number(slope, "attention");
  }
  /* the probabilities of attention are quadratic in tokens, weight matrices in width */
  assert_true(memory[0] == 0 && memory[1] < 1 && memory[2] > 1.1);
  assert_true(weights[0] == 0 && weights[1] < 1 && weights[2] < 0.5 && weights[3] > 1.5);
  cJSON_Delete(j);
  assert_true(command_exists(c, "growth/growth.svg") && command_exists(c, "growth/growth.png"));
  file_bytes csv = command_read(c, "growth/growth.csv");
  int lines = 0;
  for (const char *s = (const char *)csv.data; (s = strchr(s, '\n')); s++) lines++;
  assert_int_equal(lines, 17);
  file_bytes_free(&csv);
  mem_free(folder);
}

/* --- timing --- */

typedef struct turn {
  int *turns, mine, prepared;
  bool in_turn;
} turn;

static void prepare_turn(void *context) {
  turn *t = context;
  t->in_turn &= *t->turns % 2 == t->mine;
  t->prepared++;
  ++*t->turns;
}

static void spend_half_a_ms(void *context, int64_t times) {
  (void)context;
  for (double end = progress_clock() + 5e-4 * (double)times; progress_clock() < end;) {
  }
}

static void test_turns(void **state) {
  (void)state;
  int turns = 0;
  turn a = {&turns, 0, 0, true}, b = {&turns, 1, 0, true};
  const bench_subject subject[2] = {{prepare_turn, spend_half_a_ms, &a}, {prepare_turn, spend_half_a_ms, &b}};
  bench_series seconds[2];
  bench_in_turns(2, subject, 2, seconds);
  assert_true(a.in_turn && b.in_turn);
  assert_int_equal(a.prepared, BENCH_ROUNDS + 1);
  for (int i = 0; i < 2; i++) assert_true(bench_stat_of(&seconds[i]).min > 4.99e-4);
}

static void test_statistics(void **state) {
  (void)state;
  bench_series a = {{5, 1, 7, 3, 2, 6, 4}}, b = {{4, 1, 5, 3, 3, 3, 3}};
  bench_stat s = bench_stat_of(&a);
  assert_true(s.median == 4 && s.min == 1 && s.max == 7);
  bench_series d = bench_difference(&a, &b), r = bench_rate(&a, 6);
  s = bench_stat_of(&d);
  assert_true(s.median == 1 && s.min == -1 && s.max == 3);
  assert_true(r.round[0] == 6.0 / 5 && r.round[2] == 6.0 / 7);
}

static void test_peak_is_computed(void **state) {
  (void)state;
  real sum[2] = {0, 0};
  double one = k_fma_peak(1, &sum[0]), ten = k_fma_peak(10, &sum[1]);
  assert_true(one > 0 && ten == 10 * one);
  /* a lane that began at c is c/2 + 1 after one round, and nearly 2 after ten */
  double lanes = one / 24;
  assert_near((double)sum[0], lanes * (66 / 2.0 + 12), 1e-5);
  assert_near((double)sum[1], lanes * (66 / 1024.0 + 12 * (2 - 2 / 1024.0)), 1e-5);
}

/* --- what is refused --- */

static void test_refusals(void **state) {
  command *c = *state;
  command_refuse(c, "bench steps @/tiny.json", "step, gemm, ops, infer, norms or growth");
  command_refuse(c, "bench", "argument");
  command_refuse(c, "bench step", "config");
  command_refuse(c, "bench growth --json", "config");
  command_refuse(c, "bench step @/none.json", "none.json");
  command_refuse(c, "bench step @/tiny.json --set model.dim=15", "heads");
  command_refuse(c, "bench ops --only nothing", "nothing");
  static const char *const names[] = {"step", "gemm", "infer", "norms"};
  for (int i = 0; i < 4; i++) {
    char *line = mem_printf("bench %s @/tiny.json --set model.dim=16384 --set model.depth=512", names[i]);
    command_refuse(c, line, "are available");
    mem_free(line);
  }
  assert_int_equal(command_run(c, "bench --help"), 0);
  for (const bench *b = bench_all; b->name; b++) command_assert_contains(c->out, b->help);
}

/* Data and script are there all the same. */
static void test_without_gnuplot(void **state) {
  command *c = *state;
  char *path = mem_strdup(getenv("PATH"));
  char *folder = command_path(c, "growth");
  growth_axis axis[GROWTH_AXES];
  for (int a = 0; a < GROWTH_AXES; a++) {
    axis[a] = (growth_axis){.name = "x", .unit = "y"};
    for (int i = 0; i < GROWTH_POINTS; i++)
      axis[a].point[i] = (growth_point){1 << i, {1, 1, 1}, 1, 1, 1, 1, 1, 1, 1};
  }
  err e = {0};
  setenv("PATH", "/nowhere", 1);
  st code = growth_draw(axis, "title", folder, &e);
  setenv("PATH", path, 1);
  assert_int_equal(code, ST_USER);
  assert_int_equal(e.count, 1);
  command_assert_contains(e.text, "scripts/setup.sh bench");
  assert_true(command_exists(c, "growth/growth.csv") && command_exists(c, "growth/growth.gp"));
  mem_free(path);
  mem_free(folder);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_turns),
      cmocka_unit_test(test_statistics),
      cmocka_unit_test(test_peak_is_computed),
      TEST(test_step),
      TEST(test_gemm),
      TEST(test_ops),
      TEST(test_infer),
      TEST(test_norms),
      TEST(test_growth),
      TEST(test_without_gnuplot),
      TEST(test_refusals),
  };
  if (k_init(NULL, NULL)) return 1;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
