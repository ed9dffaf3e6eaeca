/* dyt probe on runs: tables say what dyt.csv says, pairs lie on their layers' functions, bits do not depend on threads. */
#include "command.h"

#include "dyt/mem.h"
#include "dyt/probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
    assert_true(fabs(atof(text[8]) - (tanh(atof(alpha) * atof(text[7])))) <= 1e-6);
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
      assert_true(fabs(value[k] - (atof(text))) <= 1e-8 * fabs(value[k]));
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
    assert_true(fabs(atof(x[0]) - (atof(x[1]))) <= 1e-4);
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(test_dyt_run), TEST(test_micro_batches), TEST(test_layernorm_run),
                                     TEST(test_refusals)};
  if (k_init(NULL, NULL)) return 1;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
