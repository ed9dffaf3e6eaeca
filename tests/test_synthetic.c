/* Synthetic data (src/data/format_synthetic.c). */
#include "data_support.h"
#include "dyt/data_format.h"

#include <math.h>

static config config_synthetic(int side, int channels, int classes) {
  return (config){.model = {.family = "vit", .image_size = side, .channels = channels, .classes = classes},
                  .data = {.format = "synthetic",
                           .n_mean = 1,
                           .n_std = 1,
                           .std = {1},
                           .train_fraction = 1,
                           .train_size = 400,
                           .test_size = 100}};
}

static void test_synthetic_is_fixed(void **state) {
  (void)state;
  config c = config_synthetic(7, 3, 5);
  data_set d = open_ok(&c), e = open_ok(&c);
  assert_true(d.height == 7 && d.channels == 3 && d.classes == 5 && d.train.n == 400 && d.test.n == 100);
  assert_string_equal(d.fingerprint, e.fingerprint);
  real a[147], b[147];
  unsigned char *scratch = mem_new(data_scratch(&d), 1);
  for (int i = 99; i >= 0; i--) {
    data_sample(&d, &d.test, i, NULL, a, NULL, scratch);
    data_sample(&e, &e.test, i, NULL, b, NULL, scratch);
    assert_memory_equal(a, b, sizeof a);
    data_sample(&d, &d.train, i, NULL, b, NULL, scratch);
    assert_memory_not_equal(a, b, sizeof a);
  }
  mem_free(scratch);
  data_close(&e);
  for (int k = 0; k < 5; k++) assert_true(count_of(&d.train, k) == 80 && count_of(&d.test, k) == 20);
  c.data.test_size = 99;
  e = open_ok(&c);
  assert_string_not_equal(d.fingerprint, e.fingerprint);
  data_close(&d);
  data_close(&e);
}

/* Normalized values have about mean 0 and standard deviation 1. */
static void test_synthetic_scale(void **state) {
  (void)state;
  config c = config_synthetic(28, 1, 10);
  c.data.mean[0] = 5, c.data.n_mean = 3; /* ignored */
  data_set d = open_ok(&c);
  double sum = 0, square = 0;
  real image[784];
  unsigned char *scratch = mem_new(data_scratch(&d), 1);
  for (int i = 0; i < 400; i++) {
    data_sample(&d, &d.train, i, NULL, image, NULL, scratch);
    for (int j = 0; j < 784; j++) sum += image[j], square += (double)image[j] * image[j];
  }
  double n = 400 * 784, mean = sum / n, std = sqrt(square / n - mean * mean);
  assert_true(fabs(mean) < 0.15 && std > 0.85 && std < 1.15);
  mem_free(scratch);
  data_close(&d);
}

/* Share of test pictures nearest to the mean training picture of their class. */
static double nearest_mean_accuracy(const data_set *d) {
  size_t size = (size_t)(d->height * d->width * d->channels), K = (size_t)d->classes;
  double *mean = mem_new(K * size, sizeof *mean);
  real *image = mem_new(size, sizeof *image);
  unsigned char *scratch = mem_new(data_scratch(d), 1);
  for (int64_t i = 0; i < d->train.n; i++) {
    data_sample(d, &d->train, i, NULL, image, NULL, scratch);
    size_t k = (size_t)d->train.label[i];
    for (size_t j = 0; j < size; j++) mean[k * size + j] += (double)image[j] / count_of(&d->train, (int)k);
  }
  int right = 0;
  for (int64_t i = 0; i < d->test.n; i++) {
    data_sample(d, &d->test, i, NULL, image, NULL, scratch);
    size_t best = 0;
    double least = INFINITY;
    for (size_t k = 0; k < K; k++) {
      double distance = 0;
      for (size_t j = 0; j < size; j++) distance += pow((double)image[j] - mean[k * size + j], 2);
      if (distance < least) least = distance, best = k;
    }
    right += best == (size_t)d->test.label[i];
  }
  mem_free(mean);
  mem_free(image);
  mem_free(scratch);
  return (double)right / (double)d->test.n;
}

static void test_synthetic_can_be_learnt(void **state) {
  (void)state;
  config c = config_synthetic(28, 1, 10);
  c.data.test_size = 400;
  data_set d = open_ok(&c);
  double accuracy = nearest_mean_accuracy(&d);
  print_message("synthetic 28 x 28, 10 classes: nearest class mean %.3f\n", accuracy);
  assert_true(accuracy > 0.5 && accuracy < 1);
  data_close(&d);
}

static void test_synthetic_odd(void **state) {
  (void)state;
  const int sizes[][3] = {{1, 1, 2}, {2, 1, 2}, {3, 16, 7}, {33, 2, 1}, {5, 3, 1000}};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    config c = config_synthetic(sizes[i][0], sizes[i][1], sizes[i][2]);
    c.data.train_size = 1, c.data.test_size = 3;
    c.data.augment = (config_augment){.crop_padding = 4, .hflip = 1};
    data_set d = open_ok(&c);
    assert_true(d.train.n == 1 && d.test.n == 3);
    real *image = mem_new((size_t)(d.height * d.width * d.channels), sizeof *image);
    real *target = mem_new((size_t)d.classes, sizeof *target), sum = 0;
    unsigned char *scratch = mem_new(data_scratch(&d), 1);
    data_sample(&d, &d.train, 0, &(data_draw){0, 0}, image, target, scratch);
    for (int k = 0; k < d.classes; k++) sum += target[k];
    assert_true(sum == 1 && target[d.train.label[0]] == 1);
    mem_free(image);
    mem_free(target);
    mem_free(scratch);
    data_close(&d);
  }
}

static void test_synthetic_bad(void **state) {
  (void)state;
  config c = config_synthetic(8, 1, 2);
  c.data.train_size = 0;
  ASSERT_BAD(&c, "data.train_size: 0");
  c = config_synthetic(DATA_SIDE_MAX + 1, 1, 2);
  ASSERT_BAD(&c, "model.image_size", "at most");
}

static void test_speed(void **state) {
  (void)state;
  config c = config_synthetic(28, 1, 10);
  print_speed("synthetic 28 x 28", &c, false);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_synthetic_is_fixed),      cmocka_unit_test(test_synthetic_scale),
      cmocka_unit_test(test_synthetic_can_be_learnt), cmocka_unit_test(test_synthetic_odd),
      cmocka_unit_test(test_synthetic_bad),           cmocka_unit_test(test_speed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
