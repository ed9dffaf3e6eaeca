/* Training that begins with other weights: what is carried over, resampled, new, dropped and refused, and what the run keeps
 * of it. The initial values are seen in the checkpoint of a step with a learning rate of zero. */
#include "command.h"

#include "dyt/mem.h"
#include "dyt/safetensors.h"
#include "train/pos_embed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STILL     " --set optim.lr=0 --set schedule.min_lr=0 --set train.max_steps=1"
#define LAYERNORM " --set model.norm.kind=layernorm"

/* --- position embeddings --- */

static real *read_values(const safetensors *f, const char *name, int64_t *n) {
  const safetensors_entry *t = safetensors_find(f, name);
  err e = {0};
  if (!t) fail_msg("%s: no tensor %s", f->path, name);
  *n = safetensors_numel(t);
  real *x = mem_new((size_t)*n, sizeof *x);
  if (safetensors_to_real(f, t, x, &e)) fail_msg("%s", e.text);
  return x;
}

/* timm works in float32: its own rounding is the tolerance. */
static void test_resampling_is_timm_s(void **state) {
  (void)state;
  static const int grids[][2] = {{1, 3}, {2, 3}, {3, 8}, {7, 14}, {14, 7}, {9, 4}, {5, 1}};
  enum { CHANNELS = 2 };
  safetensors f;
  err e = {0};
  double worst = 0;
  if (safetensors_read("tests/reference/pos_embed.safetensors", &f, &e)) fail_msg("%s", e.text);
  for (size_t k = 0; k < sizeof grids / sizeof grids[0]; k++) {
    int from = grids[k][0], to = grids[k][1];
    char name[32];
    int64_t n_in, n_out;
    snprintf(name, sizeof name, "%d.%d.in", from, to);
    real *in = read_values(&f, name, &n_in);
    snprintf(name, sizeof name, "%d.%d.out", from, to);
    real *want = read_values(&f, name, &n_out), *have = mem_new((size_t)n_out, sizeof *have);
    assert_int_equal(n_out, (to * to + 1) * CHANNELS);
    pos_embed_resample(CHANNELS, from, in + CHANNELS, to, have + CHANNELS);
    for (int64_t i = CHANNELS; i < n_out; i++) worst = fmax(worst, fabs((double)(have[i] - want[i])));
    mem_free(in);
    mem_free(want);
    mem_free(have);
  }
  safetensors_free(&f);
  print_message("largest difference from timm: %.1e\n", worst);
  assert_true(worst <= 2e-6);
}

/* --- runs --- */

/* The weights of a run in the folder, as they were saved. */
static safetensors open_run(const command *c, const char *run, const char *file) {
  char *path = mem_printf("%s/%s/checkpoints/last/%s.safetensors", c->folder, run, file);
  safetensors f;
  err e = {0};
  if (safetensors_read(path, &f, &e)) fail_msg("%s", e.text);
  mem_free(path);
  return f;
}

static bool same(const safetensors *a, const char *a_name, const safetensors *b, const char *b_name) {
  const safetensors_entry *s = safetensors_find(a, a_name), *t = safetensors_find(b, b_name);
  if (!s || !t) fail_msg("%s or %s is missing", a_name, b_name);
  return s->bytes == t->bytes && memcmp(s->data, t->data, s->bytes) == 0;
}

static void assert_same(const safetensors *a, const safetensors *b, const char *name, bool expected) {
  if (same(a, name, b, name) != expected) fail_msg("%s: %s", name, expected ? "not the same" : "the same");
}

static void train(command *c, const char *run, const char *more) {
  if (command_run(c, "train @/tiny.json --run-dir @/%s %s", run, more)) fail_msg("%s: %s", run, c->err);
}

static const char *const everywhere[] = {"cls_token", "patch_embed.proj.weight", "patch_embed.proj.bias",
                                         "blocks.0.attn.qkv.weight", "blocks.1.mlp.fc2.bias"};
enum { EVERYWHERE = sizeof everywhere / sizeof everywhere[0] };

/* LayerNorm becomes DyT, on larger images, for fewer classes. */
static void test_layernorm_becomes_dyt(void **state) {
  command *c = *state;
  train(c, "ln", LAYERNORM);
  const char *other = "--set model.norm.alpha0=0.7 --set model.image_size=16 --set model.classes=5" STILL;
  train(c, "drawn", other);
  char *from = mem_printf("--init-from %s/ln %s", c->folder, other);
  train(c, "dyt", from);
  mem_free(from);
  command_assert_contains(
      c->err,
      "model.safetensors: 29 carried over, 1 resampled (pos_embed (2x2 to 4x4)), 7 new (blocks.*.norm1.alpha, "
      "blocks.*.norm2.alpha, fc_norm.alpha, head.weight, head.bias), 2 dropped (head.bias, head.weight)\n");
  safetensors ln = open_run(c, "ln", "model"), dyt = open_run(c, "dyt", "model"),
              drawn = open_run(c, "drawn", "model");
  for (int i = 0; i < EVERYWHERE; i++) assert_same(&ln, &dyt, everywhere[i], true);
  assert_same(&ln, &dyt, "blocks.1.norm2.weight", true); /* gamma and beta */
  assert_same(&ln, &dyt, "fc_norm.bias", true);
  assert_same(&drawn, &dyt, "fc_norm.alpha", true);
  assert_same(&drawn, &dyt, "head.weight", true);
  assert_same(&drawn, &dyt, "fc_norm.bias", false);
  int64_t n_in, n_out, C = 16;
  real *in = read_values(&ln, "pos_embed", &n_in), *out = read_values(&dyt, "pos_embed", &n_out);
  real *want = mem_new((size_t)n_out, sizeof *want);
  memcpy(want, in, (size_t)C * sizeof *want); /* the class token's is kept */
  pos_embed_resample(C, 2, in + C, 4, want + C);
  assert_int_equal(n_out, 17 * C);
  assert_memory_equal(out, want, (size_t)n_out * sizeof *out);
  mem_free(in);
  mem_free(out);
  mem_free(want);
  safetensors_free(&ln);
  safetensors_free(&dyt);
  safetensors_free(&drawn);
}

/* And back, taken before the class token now; what DyT alone has is dropped. The same norm keeps its alpha. */
static void test_dyt_becomes_layernorm(void **state) {
  command *c = *state;
  train(c, "dyt", "");
  char *from = mem_printf("--init-from %s/dyt --set model.pool=token" LAYERNORM STILL, c->folder);
  train(c, "ln", from);
  mem_free(from);
  command_assert_contains(
      c->err, ": 32 carried over, 5 dropped (blocks.*.norm1.alpha, blocks.*.norm2.alpha, fc_norm.alpha)\n");
  from = mem_printf("--init-from %s/dyt/checkpoints/last/model.safetensors" STILL, c->folder);
  train(c, "same", from);
  mem_free(from);
  command_assert_contains(c->err, ": 37 carried over\n");
  safetensors dyt = open_run(c, "dyt", "model"), ln = open_run(c, "ln", "model"),
              again = open_run(c, "same", "model");
  assert_true(same(&dyt, "fc_norm.weight", &ln, "norm.weight"));
  for (int i = 0; i < dyt.count; i++) assert_same(&dyt, &again, dyt.entry[i].name, true);
  safetensors_free(&dyt);
  safetensors_free(&ln);
  safetensors_free(&again);
}

/* The average is what a run is worth; a fixed alpha is the config's; another patch size needs another embedding, bias included. */
static void test_average_and_new_parts(void **state) {
  command *c = *state;
  train(c, "run", "--set train.ema=0.9");
  char *from = mem_printf(
      "--init-from %s/run --set model.patch_size=2 --set model.norm.alpha_learnable=false" STILL, c->folder);
  train(c, "new", from);
  mem_free(from);
  command_assert_contains(c->err,
                          "ema.safetensors: 29 carried over, 1 resampled (pos_embed (2x2 to 4x4)), 7 new ("
                          "patch_embed.proj.weight, patch_embed.proj.bias, blocks.*.norm1.alpha, ");
  safetensors average = open_run(c, "run", "ema"), raw = open_run(c, "run", "model"),
              new = open_run(c, "new", "model");
  assert_same(&average, &new, "head.weight", true);
  assert_same(&raw, &new, "head.weight", false);
  assert_same(&average, &new, "patch_embed.proj.bias", false);
  int64_t n;
  real *alpha = read_values(&new, "blocks.0.norm1.alpha", &n);
  assert_true(*alpha == 1);
  mem_free(alpha);
  safetensors_free(&average);
  safetensors_free(&raw);
  safetensors_free(&new);
}

static void test_weights_that_do_not_fit(void **state) {
  command *c = *state;
  train(c, "run", STILL);
  static const struct {
    const char *more, *sentence;
  } bad[] = {
      {"--set model.depth=3",
       "the weights do not fit the model; 8 missing from the file: blocks.2.attn.qkv.weight"},
      {"--set model.depth=1", "; 14 not of this model: blocks.1."},
      {"--set model.dim=32", "cls_token (file [1, 1, 16], model [1, 1, 32])"},
      {"--set model.mlp_ratio=3",
       "; 6 of another shape: blocks.0.mlp.fc1.weight (file [32, 16], model [48, 16])"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/other --init-from @/run %s", bad[i].more),
                     2);
    command_assert_contains(c->err, "error: ");
    command_assert_contains(c->err, bad[i].sentence);
    assert_false(command_exists(c, "other"));
  }
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/other --init-from @/nowhere"), 2);
  command_assert_contains(c->err, "nowhere: there is no such run or file");
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/other --init-from @/run/checkpoints"), 2);
  command_assert_contains(c->err, "no run directory");
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/other --init-from @/tiny.json"), 2);
  assert_int_equal(command_run(c, "train --resume @/run --init-from @/run"), 2);
  command_assert_contains(c->err, "exclude each other");
  assert_false(command_exists(c, "other"));
}

/* --- what the run keeps --- */

/* The config pins the weights; a checkpoint makes them superfluous, and until there is one they are read again. */
static void test_the_run_keeps_it(void **state) {
  command *c = *state;
  char other[64];
  train(c, "base", STILL);
  char *from = mem_printf("--init-from %s/base --set train.max_steps=9", c->folder);
  train(c, "run", from);
  mem_free(from);
  file_bytes config = command_read(c, "run/config.json");
  const char *hash = strstr((char *)config.data, "\"xxh64\": \"");
  command_assert_contains((char *)config.data, "/base\"");
  assert_non_null(hash);
  /* the config of a run repeats it, and notices other weights */
  assert_int_equal(command_run(c, "train @/run/config.json --run-dir @/again"), 0);
  command_assert_same(c, "run/checkpoints/last/model.safetensors",
                      "again/checkpoints/last/model.safetensors");
  snprintf(other, sizeof other, "--set train.init_from.xxh64=%.15s0", hash + 10);
  if (hash[25] == '0') other[strlen(other) - 1] = '1';
  assert_int_equal(command_run(c, "train @/run/config.json --run-dir @/third %s", other), 2);
  command_assert_contains(c->err, "these are other weights");
  assert_false(command_exists(c, "third"));
  file_bytes_free(&config);
  /* killed before its first checkpoint */
  assert_int_equal(command_run(c, "train --resume @/again"), 0);
  char *checkpoints = command_path(c, "again/checkpoints"), *base = command_path(c, "base"),
       *moved = command_path(c, "moved");
  assert_int_equal(file_remove(checkpoints, NULL), ST_OK);
  assert_int_equal(command_run(c, "train --resume @/again"), 0);
  command_assert_same(c, "run/checkpoints/last/model.safetensors",
                      "again/checkpoints/last/model.safetensors");
  /* without the weights */
  assert_int_equal(file_rename(base, moved, NULL), ST_OK);
  assert_int_equal(command_run(c, "train --resume @/run"), 0);
  assert_int_equal(command_run(c, "train @/tiny.json --set train.max_steps=9 --resume @/run"), 0);
  assert_int_equal(
      command_run(c, "train @/tiny.json --set train.max_steps=9 --set train.init_from.path=x --resume @/run"),
      2);
  command_assert_contains(c->err, "may not change train.init_from.path");
  assert_int_equal(file_remove(checkpoints, NULL), ST_OK);
  assert_int_equal(command_run(c, "train --resume @/again"), 2);
  command_assert_contains(c->err, "base: there is no such run or file");
  mem_free(checkpoints);
  mem_free(base);
  mem_free(moved);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const char *f64 = getenv("DYT_F64");
  if (REAL_IS_F64) setenv("DYT", f64 ? f64 : "build/f64/dyt", 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_resampling_is_timm_s),
      TEST(test_layernorm_becomes_dyt),
      TEST(test_dyt_becomes_layernorm),
      TEST(test_average_and_new_parts),
      TEST(test_weights_that_do_not_fit),
      TEST(test_the_run_keeps_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
