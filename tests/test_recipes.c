/* What a recipe may ask of a training beyond one batch an update and the weights themselves: accumulation of batches, the
 * average of the weights. Resumption of such runs: test_train. */
#include "command.h"

#include "dyt/mem.h"
#include "dyt/safetensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two batches of 16 are one of 32: updates, their number, the schedule and the losses, the partial group at an epoch's end (22 of
 * 470) included. */
static void test_accumulation(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/two --set train.accumulate=2"), 0);
  command_assert_contains(c->err, "45 steps of 32 images");
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/one --set train.batch_size=32"), 0);
  static const char *const same[] = {"checkpoints/last/model.safetensors",
                                     "checkpoints/last/optim.safetensors", "dyt.csv", "steps.jsonl",
                                     "predictions.csv"};
  for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
    char two[80], one[80];
    snprintf(two, sizeof two, "two/%s", same[i]);
    snprintf(one, sizeof one, "one/%s", same[i]);
    command_assert_same(c, two, one);
  }
  assert_int_equal(
      command_run(
          c,
          "train @/tiny.json --run-dir @/all --set train.accumulate=1000000 --set train.batch_size=1000000"),
      0); /* more than there are */
  command_assert_contains(c->err, "3 steps of 1000000000000 images");
}

static double number_of(const char *text, const char *key) {
  command_assert_contains(text, key);
  return atof(strstr(text, key) + strlen(key));
}

/* Batches are mixed each by itself, by its number in the epoch: of a model that stands still two batches a step have the mean
 * of what they have in two steps. */
static void test_accumulation_of_mixed_batches(void **state) {
  command *c = *state;
  double loss[2];
  for (int k = 0; k < 2; k++) {
    assert_int_equal(
        command_run(c,
                    "train @/tiny.json --run-dir @/run%d --set train.accumulate=%d --set optim.lr=0 --set "
                    "schedule.min_lr=0 --set schedule.epochs=1 --set data.augment.mixup=0.8 --set "
                    "data.augment.cutmix=1",
                    k, k + 1),
        0);
    file_bytes log = command_read(c, k ? "run1/log.jsonl" : "run0/log.jsonl");
    loss[k] = number_of((char *)log.data, "\"train_loss\": ");
    file_bytes_free(&log);
  }
  print_message("loss of mixed batches, one a step %.9f, two a step %.9f\n", loss[0], loss[1]);
  assert_true(fabs(loss[1] - loss[0]) < 1e-6);
}

/* A weights file of the folder. */
static void read_tensors(const command *c, const char *name, safetensors *f) {
  char *path = command_path(c, name);
  err e = {0};
  if (safetensors_read(path, f, &e)) fail_msg("%s", e.text);
  mem_free(path);
}

/* Of the caller's own. */
static real *values_of(const safetensors *f, const char *name) {
  const safetensors_entry *t = safetensors_find(f, name);
  err e = {0};
  if (!t) fail_msg("%s: no tensor %s", f->path, name);
  real *x = mem_new((size_t)safetensors_numel(t), sizeof *x);
  if (safetensors_to_real(f, t, x, &e)) fail_msg("%s", e.text);
  return x;
}

/* Three steps, a checkpoint at each, of a model that is several spans long: the average by hand from the weights, which do not depend on it. */
static void test_average_of_the_weights(void **state) {
  command *c = *state;
  enum { STEPS = 3 };
  safetensors raw[STEPS + 1], average;
  char name[80];
  for (int k = 1; k <= STEPS; k++) {
    assert_int_equal(
        command_run(c,
                    "train @/tiny.json --run-dir @/run%d --set train.max_steps=%d --set train.ema=%s "
                    "--set data.val_size=100 --set model.dim=64 --set schedule.warmup_epochs=0",
                    k, k, k == STEPS ? "0.75" : "0"),
        0);
    snprintf(name, sizeof name, "run%d/checkpoints/last/model.safetensors", k);
    read_tensors(c, name, &raw[k]);
  }
  assert_int_equal(
      command_run(c, "train @/tiny.json --run-dir @/run0 --set train.max_steps=1 --set optim.lr=0 --set "
                     "schedule.min_lr=0 --set data.val_size=100 --set model.dim=64"),
      0);
  read_tensors(c, "run0/checkpoints/last/model.safetensors", &raw[0]); /* as drawn */
  read_tensors(c, "run3/checkpoints/last/ema.safetensors", &average);
  assert_false(command_exists(c, "run2/checkpoints/last/ema.safetensors"));
  assert_int_equal(average.count, raw[0].count);
  double apart = 0;
  for (int i = 0; i < average.count; i++) {
    real *have = values_of(&average, average.entry[i].name), *value[STEPS + 1];
    for (int k = 0; k <= STEPS; k++) value[k] = values_of(&raw[k], average.entry[i].name);
    for (int64_t j = 0; j < safetensors_numel(&average.entry[i]); j++) {
      double want = 0, last = 0;
      for (int k = 0; k <= STEPS; k++) {
        last = (double)value[k][j];
        want = k ? 0.75 * want + 0.25 * last : last;
      }
      if (!(fabs((double)have[j] - want) <= 1e-6 * fmax(1, fabs(want))))
        fail_msg("%s: %.9g, expected %.9g", average.entry[i].name, (double)have[j], want);
      apart = fmax(apart, fabs(want - last));
    }
    mem_free(have);
    for (int k = 0; k <= STEPS; k++) mem_free(value[k]);
  }
  assert_true(apart > 1e-3);
  for (int k = 0; k <= STEPS; k++) safetensors_free(&raw[k]);
  safetensors_free(&average);
}

/* What the log calls raw are the weights, the rest the average; eval repeats both. */
static void test_evaluation_of_the_average(void **state) {
  command *c = *state;
  assert_int_equal(
      command_run(c, "train @/tiny.json --run-dir @/run --set train.ema=0.9 --set data.val_size=100"), 0);
  file_bytes log = command_read(c, "run/log.jsonl");
  const char *last = strrchr((char *)log.data, '{');
  double average = number_of(last, "\"test_loss\": "), raw = number_of(last, "\"raw_test_loss\": ");
  command_assert_contains((char *)log.data, "\"raw_val_acc1\"");
  file_bytes_free(&log);
  assert_true(average != raw);
  assert_int_equal(command_run(c, "eval @/run --json"), 0);
  assert_true(number_of(c->out, "\"loss\": ") == average);
  static const char *const file[] = {"ema", "model"};
  for (int i = 0; i < 2; i++) {
    assert_int_equal(
        command_run(c, "eval @/run/checkpoints/last/%s.safetensors --config @/tiny.json --json", file[i]), 0);
    assert_true(number_of(c->out, "\"loss\": ") == (i ? raw : average));
  }
  /* the predictions are the average's too: their mean loss is the one that was logged */
  file_bytes b = command_read(c, "run/predictions.csv");
  double sum = 0;
  int n = 0;
  for (char *line = strtok((char *)b.data, "\n"); (line = strtok(NULL, "\n")); n++)
    sum += atof(strrchr(line, ',') + 1);
  assert_true(n == 90 && fabs(sum / n - average) < 1e-6);
  file_bytes_free(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const char *f64 = getenv("DYT_F64");
  if (REAL_IS_F64) setenv("DYT", f64 ? f64 : "build/f64/dyt", 1);
  const struct CMUnitTest tests[] = {
      TEST(test_accumulation),
      TEST(test_accumulation_of_mixed_batches),
      TEST(test_average_of_the_weights),
      TEST(test_evaluation_of_the_average),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
