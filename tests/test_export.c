/* Weights on their way out of a run and into a config: export, and what info guesses. */
#include "command.h"

#include "dyt/config.h"
#include "dyt/mem.h"

#include <stdlib.h>
#include <string.h>

static void test_what_is_exported(void **state) {
  command *c = *state;
  assert_int_equal(
      command_run(c, "train @/tiny.json --run-dir @/run --set train.ema=0.9 --set data.val_size=100"), 0);
  static const struct {
    const char *more, *same;
  } cases[] = {{"", "run/checkpoints/last/ema.safetensors"},
               {"--raw", "run/checkpoints/last/model.safetensors"},
               {"--checkpoint best", "run/checkpoints/best/ema.safetensors"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_int_equal(command_run(c, "export @/run --out @/w.safetensors --force %s", cases[i].more), 0);
    command_assert_contains(c->out, "w.safetensors: 37 tensors, ");
    command_assert_same(c, "w.safetensors", cases[i].same);
  }
  file_bytes b = command_read(c, "w.safetensors");
  assert_non_null(strstr((char *)b.data + 8, "\"format\":\"pt\""));
  file_bytes_free(&b);
}

static void test_what_is_refused(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/run --set train.max_steps=1"), 0);
  assert_int_equal(command_run(c, "export @/run --out @/tiny.json"), 2);
  command_assert_contains(c->err,
                          "tiny.json: exists already: choose another --out, or replace it with --force");
  assert_int_equal(command_run(c, "config check @/tiny.json"), 0); /* untouched */
  assert_int_equal(command_run(c, "export @/run"), 2);
  command_assert_contains(c->err, "--out FILE is needed");
  assert_int_equal(command_run(c, "export @/run --out @/run --force"), 2);
  command_assert_contains(c->err, "found a folder");
  assert_int_equal(command_run(c, "export @/run --out @/w --checkpoint first"), 2);
  assert_int_equal(command_run(c, "export @/tiny.json --out @/w"), 2);
  assert_int_equal(command_run(c, "export @/run --out @/no/folder/w"), 2);
  command_assert_contains(c->err, "no/folder/w: cannot be written");
  char *path = command_path(c, "run/checkpoints/last/model.safetensors");
  file_bytes b = command_read(c, "run/checkpoints/last/model.safetensors");
  b.data[b.size - 2] ^= 1;
  assert_int_equal(file_write(path, b.data, b.size, NULL), ST_OK);
  file_bytes_free(&b);
  mem_free(path);
  assert_int_equal(command_run(c, "export @/run --out @/w"), 2);
  command_assert_contains(c->err, "damaged: its checksum");
  char *checkpoints = command_path(c, "run/checkpoints");
  assert_int_equal(file_remove(checkpoints, NULL), ST_OK);
  mem_free(checkpoints);
  assert_int_equal(command_run(c, "export @/run --out @/w"), 2);
  command_assert_contains(c->err, "this run has no checkpoint yet");
  assert_false(command_exists(c, "w"));
}

/* What info prints is a config: with the right heads and data it evaluates to what the run found. */
static void test_guessed_config_evaluates(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/run --set train.max_steps=20"), 0);
  assert_int_equal(command_run(c, "export @/run --out @/w.safetensors"), 0);
  assert_int_equal(command_run(c, "eval @/run --json"), 0);
  char *want = mem_strdup(c->out);
  assert_int_equal(command_run(c, "info @/w.safetensors --json"), 0);
  assert_string_equal(c->err, "");
  char *guess = mem_strdup(c->out), *path = support_write(c->folder, "guess.json", guess);
  assert_int_equal(command_run(c, "config check @/guess.json"), 0);
  assert_int_equal(command_run(c, "eval @/w.safetensors --config @/guess.json --json --set model.heads=2 "
                                  "--set data.format=synthetic --set data.test_size=90"),
                   0);
  assert_string_equal(c->out, want);
  assert_int_equal(command_run(c, "info @/w.safetensors"), 0);
  command_assert_contains(c->out, "blocks.0.attn.qkv.weight");
  command_assert_contains(c->out, guess);
  mem_free(want);
  mem_free(guess);
  mem_free(path);
}

/* Every site for itself; the heads are a suggestion that fits dim. */
static void test_guess_of_mixed_norms(void **state) {
  command *c = *state;
  assert_int_equal(
      command_run(
          c,
          "train @/tiny.json --run-dir @/run --set train.max_steps=1 --set model.image_size=15 --set model.patch_size=5 "
          "--set model.dim=200 --set model.mlp_ratio=0.287 --set model.pool=token --set model.norm.alpha_shape=channel "
          "--set model.norm.fn=erf --set model.norm.shift=true --set model.norm.ffn.affine=false "
          "--set model.norm.attn.kind=layernorm --set model.norm.final.kind=rmsnorm"),
      0);
  assert_int_equal(command_run(c, "info @/run/checkpoints/last/model.safetensors --json"), 0);
  mem_free(support_write(c->folder, "guess.json", c->out));
  char *path = command_path(c, "guess.json");
  config g;
  err e = {0};
  if (config_load(path, NULL, 0, &g, &e)) fail_msg("%s", e.text);
  const config_model *m = &g.model;
  assert_true(m->image_size == 15 && m->channels == 1 && m->classes == 10 && m->patch_size == 5);
  assert_true(m->dim == 200 && m->depth == 2 && m->heads == 2 && (int)(200 * m->mlp_ratio) == 57);
  assert_string_equal(m->pool, "token");
  assert_string_equal(m->attn.kind, "layernorm");
  assert_string_equal(m->ffn.kind, "dyt");
  assert_string_equal(m->ffn.fn, "erf");
  assert_string_equal(m->ffn.alpha_shape, "channel");
  assert_true(m->ffn.shift && !m->ffn.affine && m->attn.affine);
  assert_string_equal(m->final.kind, "rmsnorm");
  config_free(&g);
  mem_free(path);
}

static void test_weights_of_no_model(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/run --set train.max_steps=1"), 0);
  assert_int_equal(command_run(c, "info @/run/checkpoints/last/optim.safetensors"), 0);
  command_assert_contains(c->out, "no config can be guessed: found exp_avg, exp_avg_sq, expected a ViT's");
  assert_int_equal(command_run(c, "info @/run/checkpoints/last/optim.safetensors --json"), 2);
  command_assert_contains(c->err, "found exp_avg, exp_avg_sq, expected a ViT's");
  assert_int_equal(command_run(c, "info @/run --json"), 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const char *f64 = getenv("DYT_F64");
  if (REAL_IS_F64) setenv("DYT", f64 ? f64 : "build/f64/dyt", 1);
  const struct CMUnitTest tests[] = {
      TEST(test_what_is_exported),     TEST(test_what_is_refused),     TEST(test_guessed_config_evaluates),
      TEST(test_guess_of_mixed_norms), TEST(test_weights_of_no_model),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
