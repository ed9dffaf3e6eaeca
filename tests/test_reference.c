/* `dyt replay` against PyTorch float64, on files that scripts/write_reference.py wrote: logits, every
 * gradient, the losses and
 * the parameters of ten steps of the optimizer. The double build must agree to rounding; the float build may be no
 * further from the
 * truth than four times PyTorch's own float32 error on the same case (CASE.tol.json). */
#include "command.h"

#include "dyt/mem.h"
#include "dyt/safetensors.h"

#include <cJSON.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char folder[] = "tests/reference";
static const double floor_of_float = 1e-5, tight = 1e-9, tight_steps = 1e-7;

static double *values_of(const safetensors *f, const safetensors_entry *t) {
  double *x = mem_new((size_t)safetensors_numel(t) + 1, sizeof *x);
  real *r = mem_new((size_t)safetensors_numel(t) + 1, sizeof *r);
  err e = {0};
  if (REAL_IS_F64 || strcmp(t->dtype, "F64")) {
    if (safetensors_to_real(f, t, r, &e)) fail_msg("%s", e.text);
    for (int64_t i = 0; i < safetensors_numel(t); i++) x[i] = (double)r[i];
  } else {
    memcpy(x, t->data, (size_t)t->bytes);
  }
  mem_free(r);
  return x;
}

/* Largest absolute difference; *largest: of the values wanted. */
static double difference(const safetensors *have, const safetensors *want, const safetensors_entry *w,
                         double *largest) {
  const safetensors_entry *h = safetensors_find(have, w->name);
  if (!h || safetensors_numel(h) != safetensors_numel(w))
    fail_msg("%s: no tensor %s of that size", have->path, w->name);
  double *x = values_of(have, h), *y = values_of(want, w), worst = 0;
  *largest = 0;
  for (int64_t i = 0; i < safetensors_numel(w); i++) {
    double d = fabs(x[i] - y[i]);
    worst = d <= worst ? worst : d; /* NaN stays */
    *largest = fmax(*largest, fabs(y[i]));
  }
  mem_free(x);
  mem_free(y);
  return worst;
}

static double number(const cJSON *o, const char *key) {
  const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
  if (!cJSON_IsNumber(v)) fail_msg("no number %s in the tolerances", key);
  return v->valuedouble;
}

/* How far this tensor may be from the truth; *relative: to its largest value. */
static double allowed(const char *name, const cJSON *tol, bool *relative) {
  bool grad = strncmp(name, "grad.", 5) == 0, logits = strcmp(name, "logits") == 0,
       loss = strcmp(name, "loss") == 0;
  *relative = grad;
  if (REAL_IS_F64) return grad || logits ? tight : tight_steps;
  double pytorch = logits || loss ? number(tol, name)
                   : grad         ? number(cJSON_GetObjectItemCaseSensitive(tol, "grad"), name + 5)
                                  : number(cJSON_GetObjectItemCaseSensitive(tol, "param"), name);
  return fmax(floor_of_float, 4 * pytorch);
}

static void compare(const char *label, const safetensors *have, const safetensors *want, const cJSON *tol) {
  double closest = 0; /* of all tensors: error over what is allowed */
  for (int i = 0; i < want->count; i++) {
    bool relative;
    double largest, limit = allowed(want->entry[i].name, tol, &relative);
    double error = difference(have, want, &want->entry[i], &largest);
    if (relative && largest > 0) error /= largest;
    if (!(error <= limit))
      fail_msg("%s: %s is off by %.2e, allowed %.2e", label, want->entry[i].name, error, limit);
    closest = fmax(closest, error / limit);
  }
  print_message("%-18s %3d tensors, error at most %.1e of what is allowed\n", label, want->count, closest);
}

static void run_case(command *c, const char *label) {
  char *tol_path = mem_printf("%s/%s.tol.json", folder, label),
       *want_path = mem_printf("%s/%s.expect.safetensors", folder, label);
  char *have_path = command_path(c, "out.safetensors");
  file_bytes b;
  safetensors have, want;
  err e = {0};
  assert_int_equal(file_read(tol_path, 1 << 20, &b, &e), ST_OK);
  cJSON *tol = cJSON_Parse((const char *)b.data);
  bool skipped = !REAL_IS_F64 && cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(tol, "float"));
  int code =
      skipped
          ? 0
          : command_run(
                c,
                "replay --config %s/%s.json --weights %s/%s.weights.safetensors --batch %s/%s.batch.safetensors "
                "--out @/out.safetensors --steps %d",
                folder, label, folder, label, folder, label, (int)number(tol, "steps"));
  if (code) fail_msg("%s: exit %d: %s", label, code, c->err);
  if (!skipped) {
    if (safetensors_read(have_path, &have, &e) || safetensors_read(want_path, &want, &e))
      fail_msg("%s", e.text);
    compare(label, &have, &want, tol);
    safetensors_free(&have);
    safetensors_free(&want);
  }
  cJSON_Delete(tol);
  file_bytes_free(&b);
  mem_free(tol_path);
  mem_free(want_path);
  mem_free(have_path);
}

static void test_all_cases(void **state) {
  DIR *d = opendir(folder);
  assert_non_null(d);
  int cases = 0;
  for (struct dirent *f; (f = readdir(d));) {
    char *end = strstr(f->d_name, ".tol.json");
    if (!end) continue;
    char label[256];
    snprintf(label, sizeof label, "%.*s", (int)(end - f->d_name), f->d_name);
    run_case(*state, label);
    cases++;
  }
  closedir(d);
  assert_true(cases >= 10);
}

/* The same numbers whatever the threads; shards change the order of additions and no more. */
static void test_threads_and_shards(void **state) {
  command *c = *state;
  static const char *const options[] = {"--threads 1 --out @/a.st", "--threads 3 --out @/b.st",
                                        "--threads 1 --set train.shards=1 --out @/c.st"};
  for (int i = 0; i < 3; i++)
    assert_int_equal(command_run(c,
                                 "replay --config %s/dyt.json --weights %s/dyt.weights.safetensors --batch "
                                 "%s/dyt.batch.safetensors --steps 3 %s",
                                 folder, folder, folder, options[i]),
                     0);
  command_assert_same(c, "a.st", "b.st");
  safetensors a, b;
  char *x = command_path(c, "a.st"), *y = command_path(c, "c.st");
  assert_int_equal(safetensors_read(x, &a, NULL) | safetensors_read(y, &b, NULL), ST_OK);
  for (int i = 0; i < a.count; i++) {
    double largest, error = difference(&b, &a, &a.entry[i], &largest);
    assert_true(error <= (REAL_IS_F64 ? 1e-12 : 1e-4) * fmax(1, largest));
  }
  safetensors_free(&a);
  safetensors_free(&b);
  mem_free(x);
  mem_free(y);
}

static void test_bad_batches(void **state) {
  command *c = *state;
  assert_int_equal(
      command_run(
          c,
          "replay --config %s/dyt.json --weights %s/dyt.weights.safetensors --batch %s/dyt.weights.safetensors --out @/o",
          folder, folder, folder),
      2);
  command_assert_contains(c->err, "images");
  assert_int_equal(
      command_run(
          c,
          "replay --config %s/dyt.json --weights %s/dyt.weights.safetensors --batch %s/dyt.batch.safetensors --out @/o "
          "--set model.classes=2",
          folder, folder, folder),
      2);
  assert_int_equal(
      command_run(
          c,
          "replay --config %s/dyt.json --weights %s/rmsnorm.weights.safetensors --batch %s/dyt.batch.safetensors --out @/o",
          folder, folder, folder),
      2);
  command_assert_contains(c->err, "alpha");
  assert_false(command_exists(c, "o"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const char *f64 = getenv("DYT_F64");
  if (REAL_IS_F64) setenv("DYT", f64 ? f64 : "build/f64/dyt", 1);
  const struct CMUnitTest tests[] = {TEST(test_all_cases), TEST(test_threads_and_shards),
                                     TEST(test_bad_batches)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
