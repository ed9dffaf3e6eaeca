/* Training as a user does it: the run directory, interruption and resumption, the same bytes whatever
 * happens. */
#include "command.h"

#include "dyt/mem.h"
#include "dyt/rng.h"

#include <cJSON.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int lines_of(const command *c, const char *name) {
  file_bytes b = command_read(c, name);
  int n = 0;
  for (size_t i = 0; i < b.size; i++) n += b.data[i] == '\n';
  file_bytes_free(&b);
  return n;
}

static void test_run_directory(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/run"), 0);
  static const char *const files[] = {"run/config.json",
                                      "run/env.json",
                                      "run/status.json",
                                      "run/log.jsonl",
                                      "run/steps.jsonl",
                                      "run/summary.csv",
                                      "run/predictions.csv",
                                      "run/dyt.csv",
                                      "run/checkpoints/last/model.safetensors",
                                      "run/checkpoints/last/optim.safetensors",
                                      "run/checkpoints/last/state.json",
                                      "run/checkpoints/best/model.safetensors"};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
    if (!command_exists(c, files[i])) fail_msg("%s is missing", files[i]);
  assert_int_equal(lines_of(c, "run/log.jsonl"), 3);
  assert_int_equal(lines_of(c, "run/summary.csv"), 4);
  assert_int_equal(lines_of(c, "run/predictions.csv"), 91);
  assert_int_equal(lines_of(c, "run/steps.jsonl"), 2); /* step 50, and the last one, 90 */
  /* at 0, every 7 of 90, at 30, 60, 90; 5 norm layers; a header */
  assert_int_equal(lines_of(c, "run/dyt.csv"), 1 + 5 * (1 + 12 + 3));
  file_bytes status = command_read(c, "run/status.json"), log = command_read(c, "run/log.jsonl");
  command_assert_contains((char *)status.data, "\"state\": \"done\"");
  static const char *const keys[] = {"\"epoch\": 3",  "\"step\": 90",  "\"train_loss\"",
                                     "\"test_loss\"", "\"test_acc1\"", "\"test_acc5\"",
                                     "\"lr\"",        "\"img_per_s\"", "\"seconds\""};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
    command_assert_contains((char *)log.data, keys[i]);
  file_bytes_free(&status);
  file_bytes_free(&log);
  static const char *const announced[] = {
      "thread", "OpenBLAS", "parameters", "memory:", "470 train", "90 test", "run: "};
  for (size_t i = 0; i < sizeof announced / sizeof announced[0]; i++)
    command_assert_contains(c->err, announced[i]);
}

static void test_it_learns(void **state) {
  command *c = *state;
  assert_int_equal(
      command_run(c, "train @/tiny.json --run-dir @/run --set schedule.epochs=12 --set data.train_size=2000 "
                     "--set data.augment=null"),
      0);
  assert_int_equal(command_run(c, "eval @/run --json"), 0);
  double acc1 = atof(strstr(c->out, "\"acc1\": ") + 8);
  print_message("tiny model after 12 epochs: %.1f%% (chance 10%%)\n", 100 * acc1);
  assert_true(acc1 > 0.5);
}

#define AUGMENTED                                                                                                   \
  " --set data.augment.randaugment=rand-m9-mstd0.5-inc1 --set data.augment.erase=0.25 --set data.augment.mixup=0.8" \
  " --set data.augment.cutmix=1 --set train.label_smoothing=0.1"

static void test_threads(void **state) {
  command *c = *state;
  for (int threads = 1; threads <= 3; threads++)
    assert_int_equal(
        command_run(c, "train @/tiny.json --run-dir @/t%d --threads %d" AUGMENTED, threads, threads), 0);
  static const char *const same[] = {"checkpoints/last/model.safetensors",
                                     "checkpoints/last/optim.safetensors", "dyt.csv", "steps.jsonl",
                                     "predictions.csv"};
  for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
    for (int threads = 2; threads <= 3; threads++) {
      char one[80], many[80];
      snprintf(one, sizeof one, "t1/%s", same[i]);
      snprintf(many, sizeof many, "t%d/%s", threads, same[i]);
      command_assert_same(c, one, many);
    }
}

static void assert_same_end(command *c) {
  if (command_exists(c, "whole/checkpoints/last/ema.safetensors"))
    command_assert_same(c, "whole/checkpoints/last/ema.safetensors", "run/checkpoints/last/ema.safetensors");
  command_assert_same(c, "whole/checkpoints/last/model.safetensors",
                      "run/checkpoints/last/model.safetensors");
  command_assert_same(c, "whole/checkpoints/last/optim.safetensors",
                      "run/checkpoints/last/optim.safetensors");
  command_assert_same(c, "whole/dyt.csv", "run/dyt.csv");
  command_assert_same(c, "whole/steps.jsonl", "run/steps.jsonl");
  command_assert_same(c, "whole/predictions.csv", "run/predictions.csv");
  assert_int_equal(lines_of(c, "run/log.jsonl"), lines_of(c, "whole/log.jsonl"));
}

#define LONGER "--set schedule.epochs=8 --set model.dim=32 --set model.dropout=0.1 --set data.train_size=1900"

#define RECIPE " --set optim.name=sgd --set optim.lr=0.05 --set train.accumulate=2 --set train.ema=0.99"

/* Killed at random moments, again and again, and resumed: the same end. */
static void test_killed_and_resumed(void **state) {
  command *c = *state;
  struct timespec begun, ended;
  clock_gettime(CLOCK_MONOTONIC, &begun);
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/whole " LONGER), 0);
  clock_gettime(CLOCK_MONOTONIC, &ended);
  double whole = (double)(ended.tv_sec - begun.tv_sec) + 1e-9 * (double)(ended.tv_nsec - begun.tv_nsec);
  rng r = rng_at((uint64_t)ended.tv_nsec, "kill", 0, 0);
  int kills = 0, code = 137;
  pid_t pid = command_start(c, "train @/tiny.json --run-dir @/run " LONGER);
  for (int i = 0; i < 6 && code != 0; i++) {
    if (i == 0)
      command_wait_for(c, "run/steps.jsonl",
                       "\"step\": 50"); /* on any machine, one kill falls into the training */
    else
      command_nap(whole * (0.1 + 0.5 * rng_uniform(&r)));
    kill(pid, SIGKILL);
    code = command_wait(pid);
    kills += code == 137;
    if (!command_exists(c, "run/config.json")) { /* killed before there was a run */
      pid = command_start(c, "train @/tiny.json --run-dir @/run " LONGER);
      continue;
    }
    if (code) pid = command_start(c, "train --resume @/run --threads %d", 1 + i % 3);
  }
  if (code) code = command_wait(pid);
  print_message("killed %d times\n", kills);
  assert_true(kills >= 1);
  assert_int_equal(code, 0);
  assert_same_end(c);
}

/* Ctrl-C in the middle of an epoch: finishes the step, saves, says how to go on. */
static void interrupt_and_resume(command *c, const char *sets) {
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/whole " LONGER "%s", sets), 0);
  static const int signals[] = {SIGINT, SIGTERM};
  for (int i = 0; i < 2; i++) {
    pid_t pid = i == 0 ? command_start(c, "train @/tiny.json --run-dir @/run " LONGER "%s", sets)
                       : command_start(c, "train --resume @/run");
    command_wait_for(c, i == 0 ? "run/steps.jsonl" : "stderr", i == 0 ? "\"step\": 50" : "resuming at step");
    command_nap(0.05);
    kill(pid, signals[i]);
    assert_int_equal(command_wait(pid), 128 + signals[i]);
    file_bytes text = command_read(c, "stderr"), status = command_read(c, "run/status.json");
    command_assert_contains((char *)text.data, "dyt train --resume");
    command_assert_contains((char *)status.data, "\"state\": \"interrupted\"");
    file_bytes_free(&text);
    file_bytes_free(&status);
  }
  assert_int_equal(command_run(c, "train --resume @/run"), 0);
  assert_same_end(c);
}

static void test_interrupted_and_resumed(void **state) { interrupt_and_resume(*state, ""); }

/* Between the two every key of data.augment: some exclude each other. (tiny.json has crop_padding and hflip.) */
static void test_recipes_are_resumed(void **state) { interrupt_and_resume(*state, RECIPE AUGMENTED); }

static void test_crops_are_resumed(void **state) {
  interrupt_and_resume(*state, " --set data.augment.crop_padding=0 --set data.augment.resized_crop=[0.08,1]"
                               " --set data.augment.color_jitter=0.4 --set optim.layer_decay=0.75"
                               " --set train.ema=0.9 --set train.tensorboard=true");
}

static void test_resume_of_a_finished_run(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/run --set schedule.epochs=1"), 0);
  file_bytes before = command_read(c, "run/status.json");
  assert_int_equal(command_run(c, "train --resume @/run"), 0);
  file_bytes after = command_read(c, "run/status.json");
  assert_int_equal(before.size, after.size);
  assert_memory_equal(before.data, after.data, before.size);
  file_bytes_free(&before);
  file_bytes_free(&after);
}

/* A run that was killed before its first checkpoint starts again at step 0. */
static void test_resume_without_a_checkpoint(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/whole"), 0);
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/run --set schedule.epochs=3"), 0);
  char *checkpoints = command_path(c, "run/checkpoints");
  assert_int_equal(file_remove(checkpoints, NULL), ST_OK);
  mem_free(checkpoints);
  assert_int_equal(command_run(c, "train --resume @/run"), 0);
  assert_same_end(c);
}

static void test_resume_with_a_changed_config(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/run --set train.max_steps=5"), 0);
  assert_int_equal(
      command_run(c, "train @/tiny.json --resume @/run --set train.max_steps=5 --set optim.lr=0.5"), 2);
  command_assert_contains(c->err, "optim.lr");
  assert_null(strstr(c->err, "max_steps"));
  assert_int_equal(
      command_run(c, "train --resume @/run --set train.probe_every=3 --set train.eval_train=true"), 0);
  assert_int_equal(command_run(c, "train @/tiny.json --resume @/run --set train.max_steps=5"), 0);
}

static void test_a_checkpoint_that_is_damaged(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/run --set schedule.epochs=1"), 0);
  char *path = command_path(c, "run/checkpoints/last/optim.safetensors");
  file_bytes b = command_read(c, "run/checkpoints/last/optim.safetensors");
  b.data[b.size - 3] ^= 1;
  assert_int_equal(file_write(path, b.data, b.size, NULL), ST_OK);
  file_bytes_free(&b);
  mem_free(path);
  assert_int_equal(command_run(c, "train --resume @/run"), 2);
  command_assert_contains(c->err, "optim.safetensors");
  command_assert_contains(c->err, "checksum");
}

static void test_divergence(void **state) {
  command *c = *state;
  assert_int_equal(
      command_run(c, "train @/tiny.json --run-dir @/run --set model.norm.fn=identity --set optim.lr=1e19 "
                     "--set schedule.warmup_epochs=0"),
      3);
  command_assert_contains(c->err, "diverged at step");
  file_bytes status = command_read(c, "run/status.json");
  command_assert_contains((char *)status.data, "\"state\": \"diverged\"");
  file_bytes_free(&status);
}

/* The one update overflows, and no later step is there to see it: no such weights are saved. */
static void test_divergence_at_the_last_step(void **state) {
  command *c = *state;
  assert_int_equal(
      command_run(c, "train @/tiny.json --run-dir @/run --set optim.lr=1e39 --set train.max_steps=1 "
                     "--set schedule.warmup_epochs=0"),
      3);
  command_assert_contains(c->err, "the parameter");
  assert_false(command_exists(c, "run/checkpoints/last/state.json"));
}

static void test_validation_split(void **state) {
  command *c = *state;
  assert_int_equal(
      command_run(c, "train @/tiny.json --run-dir @/run --set data.val_size=100 --set train.eval_train=true "
                     "--set data.train_fraction=0.5"),
      0);
  file_bytes log = command_read(c, "run/log.jsonl");
  char *first_line = strtok((char *)log.data, "\n"), *second = strtok(NULL, "\n"),
       *third = strtok(NULL, "\n");
  command_assert_contains(first_line, "val_acc1");
  assert_null(strstr(first_line, "test_acc1")); /* once, at the end */
  assert_null(strstr(second, "test_acc1"));
  command_assert_contains(third, "test_acc1");
  command_assert_contains(third, "eval_train_acc1");
  file_bytes_free(&log);
  command_assert_contains(c->err, "185 train, 100 val, 90 test");
}

/* The value under a column's name in the last row; NULL: no such column, "": nothing there. */
static char *last_in_column(const char *csv, const char *name) {
  const char *row = csv + strlen(csv) - 1;
  while (row[-1] != '\n') row--;
  for (const char *column = csv; *csv != '\n'; column = csv += *csv == ',') {
    csv += strcspn(csv, ",\n");
    size_t n = strcspn(row, ",\n");
    if ((size_t)(csv - column) == strlen(name) && strncmp(column, name, strlen(name)) == 0)
      return mem_printf("%.*s", (int)n, row);
    row += n + 1;
  }
  return NULL;
}

/* All that log.jsonl says, with whatever can be asked for. */
static void test_summary(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/run --set data.val_size=100 "
                                  "--set train.eval_train=true --set train.ema=0.9"),
                   0);
  file_bytes log = command_read(c, "run/log.jsonl"), summary = command_read(c, "run/summary.csv");
  cJSON *line = cJSON_Parse(strrchr((char *)log.data, '{'));
  int raw = 0;
  for (const cJSON *v = line->child; v; v = v->next) {
    char *field = last_in_column((char *)summary.data, v->string);
    if (!field || atof(field) != v->valuedouble) fail_msg("%s: %s in summary.csv", v->string, field);
    mem_free(field);
    raw += strncmp(v->string, "raw_", 4) == 0;
  }
  assert_int_equal(raw, 9);
  cJSON_Delete(line);
  file_bytes_free(&log);
  file_bytes_free(&summary);
}

/* A short try of a long recipe: the warm-up need not fit. */
static void test_a_fraction_of_an_epoch(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/new/folder/ --set schedule.epochs=0.2"), 0);
  file_bytes log = command_read(c, "new/folder/log.jsonl");
  command_assert_contains((char *)log.data, "\"epoch\": 0.2, \"step\": 6");
  file_bytes_free(&log);
}

static void test_evaluation_by_steps(void **state) {
  command *c = *state;
  assert_int_equal(
      command_run(c, "train @/tiny.json --run-dir @/run --set train.eval_every=20 --set train.max_steps=50"),
      0);
  assert_int_equal(lines_of(c, "run/log.jsonl"), 3); /* 20, 40, and the end */
}

/* eval repeats what training found at its end, from a run and from a weights file. */
static void test_eval(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/run"), 0);
  file_bytes log = command_read(c, "run/log.jsonl");
  const char *last = strrchr((char *)log.data, '{');
  double want = atof(strstr(last, "\"test_loss\": ") + 13);
  file_bytes_free(&log);
  assert_int_equal(command_run(c, "eval @/run --json"), 0);
  assert_true(atof(strstr(c->out, "\"loss\": ") + 8) == want);
  command_assert_contains(c->out, "\"n\": 90");
  assert_int_equal(
      command_run(c, "eval @/run/checkpoints/last/model.safetensors --config @/tiny.json --json"), 0);
  assert_true(atof(strstr(c->out, "\"loss\": ") + 8) == want);
  assert_int_equal(command_run(c, "eval @/run/checkpoints/last/model.safetensors"), 2);
  command_assert_contains(c->err, "--config");
}

static void test_few_classes(void **state) {
  command *c = *state;
  assert_int_equal(
      command_run(c, "train @/tiny.json --run-dir @/run --set model.classes=3 --set train.max_steps=4"), 0);
  assert_int_equal(command_run(c, "eval @/run --json"), 0);
  command_assert_contains(c->out, "\"acc5\": null");
}

static void test_layernorm_statistics(void **state) {
  command *c = *state;
  assert_int_equal(
      command_run(
          c, "train @/tiny.json --run-dir @/run --set model.norm.kind=layernorm --set train.max_steps=2"),
      0);
  file_bytes b = command_read(c, "run/dyt.csv");
  command_assert_contains((char *)b.data,
                          "step,epoch,layer,index,site,kind,fn,alpha,inv_std,mean,std,absmax,sat_frac,n\n");
  command_assert_contains((char *)b.data, "0,0,blocks.0.norm1,0,attn,layernorm,,,");
  command_assert_contains((char *)b.data, "fc_norm,4,final,layernorm,,,");
  file_bytes_free(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_run_directory),
      TEST(test_it_learns),
      TEST(test_threads),
      TEST(test_killed_and_resumed),
      TEST(test_interrupted_and_resumed),
      TEST(test_recipes_are_resumed),
      TEST(test_crops_are_resumed),
      TEST(test_resume_of_a_finished_run),
      TEST(test_resume_without_a_checkpoint),
      TEST(test_resume_with_a_changed_config),
      TEST(test_a_checkpoint_that_is_damaged),
      TEST(test_divergence),
      TEST(test_divergence_at_the_last_step),
      TEST(test_validation_split),
      TEST(test_summary),
      TEST(test_a_fraction_of_an_epoch),
      TEST(test_evaluation_by_steps),
      TEST(test_eval),
      TEST(test_few_classes),
      TEST(test_layernorm_statistics),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
