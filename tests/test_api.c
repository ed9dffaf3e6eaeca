/* The public interface (dyt.h): training that is watched and stopped, prediction, errors. */
#include "command.h"

#include "dyt/dyt.h"
#include "dyt/mem.h"
#include "dyt/trained.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 90, TEST_IMAGES = 90 }; /* of tiny.json */

typedef struct watched {
  int64_t calls, step, steps, stop_at;
  double first, last;
} watched;

static int watch(void *context, int64_t step, int64_t steps, double loss) {
  watched *w = context;
  if (w->calls++ == 0) w->first = loss;
  w->step = step;
  w->steps = steps;
  w->last = loss;
  return step == w->stop_at;
}

static dyt_status train(const command *c, const char *run, watched *w, dyt_error *e) {
  char *file = command_path(c, "tiny.json"), *path = command_path(c, run);
  dyt_training t = {.config = file, .run_dir = path, .threads = 1, .watch = watch, .context = w};
  dyt_status s = dyt_train(&t, e);
  mem_free(file);
  mem_free(path);
  return s;
}

static void test_training_is_watched(void **state) {
  command *c = *state;
  watched w = {0};
  dyt_error e;
  if (train(c, "run", &w, &e)) fail_msg("%s", e.text);
  assert_string_equal(e.text, "");
  assert_int_equal(w.calls, STEPS);
  assert_int_equal(w.step, STEPS);
  assert_int_equal(w.steps, STEPS);
  assert_true(w.last < w.first && w.last > 0);
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/other"), 0);
  command_assert_same(c, "run/checkpoints/last/model.safetensors",
                      "other/checkpoints/last/model.safetensors");
}

static void test_training_is_stopped(void **state) {
  command *c = *state;
  watched w = {.stop_at = 41};
  dyt_error e;
  if (train(c, "run", &w, &e)) fail_msg("%s", e.text);
  assert_int_equal(w.calls, 41);
  file_bytes status = command_read(c, "run/status.json");
  command_assert_contains((char *)status.data, "\"state\": \"interrupted\", \"step\": 41,");
  file_bytes_free(&status);
  assert_int_equal(command_run(c, "train --resume @/run"), 0);
  w = (watched){0};
  assert_int_equal(train(c, "other", &w, &e), DYT_OK);
  command_assert_same(c, "run/checkpoints/last/model.safetensors",
                      "other/checkpoints/last/model.safetensors");
}

/* The test split's images with pixels from 0 to 1. */
static float *test_images(const trained *t) {
  const data_set *d = &t->data;
  int64_t area = (int64_t)d->height * d->width, numbers = d->channels * area;
  float *out = mem_new((size_t)(d->test.n * numbers), sizeof *out);
  real *image = mem_new((size_t)numbers, sizeof *image);
  unsigned char *scratch = mem_new(data_scratch(d) + 1, 1);
  for (int64_t i = 0; i < d->test.n; i++) {
    data_sample(d, &d->test, i, NULL, image, NULL, scratch);
    for (int64_t j = 0; j < numbers; j++)
      out[i * numbers + j] = (float)(image[j] / d->inv_std[j / area] + d->mean[j / area]);
  }
  mem_free(image);
  mem_free(scratch);
  return out;
}

/* What `dyt eval` computes. */
static task_score *scores_of(trained *t) {
  evaluation v;
  task_score *score = mem_new((size_t)t->data.test.n, sizeof *score);
  evaluate(&t->engine, &t->feed, &t->data.test, score, &v);
  return score;
}

static void assert_near(const float *p, int classes, const task_score *score, int64_t i) {
  double sum = 0;
  for (int k = 0; k < classes; k++) sum += (double)p[k];
  assert_true(fabs(sum - 1) < 1e-5);
  if (fabs((double)p[score->pred] - score->p) > 1e-5 ||
      fabs(-log((double)p[score->label]) - score->metric[0]) > 1e-4)
    fail_msg("image %lld: %g, evaluated to %g", (long long)i, (double)p[score->pred], score->p);
}

static void test_prediction_is_evaluation(void **state) {
  command *c = *state;
  watched w = {0};
  assert_int_equal(train(c, "run", &w, NULL), DYT_OK);
  char *path = command_path(c, "run");
  trained t;
  err own = {0};
  dyt_error e;
  dyt_run *run = dyt_open(path, 2, &e);
  if (!run) fail_msg("%s", e.text);
  if (trained_open_data(&t, &(trained_options){.source = path}, &own)) fail_msg("%s", own.text);
  assert_int_equal(dyt_image_size(run), 8);
  int classes = dyt_classes(run), numbers = dyt_channels(run) * 64;
  assert_int_equal(classes, 10);
  assert_string_equal(dyt_class_name(run, 9), "9");
  assert_null(dyt_class_name(run, 10));
  float *images = test_images(&t), *p = mem_new((size_t)(TEST_IMAGES * classes), sizeof *p);
  task_score *score = scores_of(&t);
  static const int64_t batches[] = {TEST_IMAGES, 1,  7,
                                    0,           37, 45}; /* any number at a time: 90 in all, twice */
  int64_t first = 0;
  for (size_t b = 0; b < sizeof batches / sizeof batches[0]; b++) {
    int64_t at = first % TEST_IMAGES;
    assert_int_equal(dyt_predict(run, images + at * numbers, batches[b], p, &e), DYT_OK);
    for (int64_t i = 0; i < batches[b]; i++) assert_near(p + i * classes, classes, &score[at + i], at + i);
    first += batches[b];
  }
  assert_int_equal(first, 2 * TEST_IMAGES);
  images[3 * numbers + 5] = NAN;
  assert_int_equal(dyt_predict(run, images, TEST_IMAGES, p, &e), DYT_USER);
  command_assert_contains(e.text, "pixel 5 of image 3");
  assert_int_equal(dyt_predict(run, images, -1, p, NULL), DYT_USER);
  assert_int_equal(dyt_predict(run, images, 3, p, &e), DYT_OK);
  assert_string_equal(e.text, "");
  dyt_close(run);
  trained_close(&t);
  mem_free(images);
  mem_free(p);
  mem_free(score);
  mem_free(path);
}

static void test_errors(void **state) {
  command *c = *state;
  dyt_error e;
  char *none = command_path(c, "none"), *file = command_path(c, "tiny.json"), *run = command_path(c, "run");
  assert_null(dyt_open(none, 0, &e));
  assert_int_equal(e.status, DYT_USER);
  command_assert_contains(e.text, "there is no such run");
  assert_null(dyt_open(none, 0, NULL));
  assert_null(dyt_open(none, -1, &e));
  dyt_close(NULL);
  assert_int_equal(dyt_train(&(dyt_training){.run_dir = run}, &e), DYT_USER);
  command_assert_contains(e.text, "config");
  assert_int_equal(dyt_train(&(dyt_training){.config = file}, &e), DYT_USER);
  command_assert_contains(e.text, "run_dir");
  const char *sets[] = {"optim.lrr=1", "model.dim=0"};
  assert_int_equal(dyt_train(&(dyt_training){.config = file, .run_dir = run, .sets = sets, .n_sets = 2}, &e),
                   DYT_USER);
  command_assert_contains(e.text, "optim.lr");
  assert_int_equal(dyt_train(&(dyt_training){.config = file,
                                             .run_dir = run,
                                             .sets = (const char *[]){"optim.lr=1e30"},
                                             .n_sets = 1},
                             &e),
                   DYT_DIVERGED);
  command_assert_contains(e.text, "diverged at step");
  mem_free(none);
  mem_free(file);
  mem_free(run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_training_is_watched, command_setup, command_teardown),
      cmocka_unit_test_setup_teardown(test_training_is_stopped, command_setup, command_teardown),
      cmocka_unit_test_setup_teardown(test_prediction_is_evaluation, command_setup, command_teardown),
      cmocka_unit_test_setup_teardown(test_errors, command_setup, command_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
