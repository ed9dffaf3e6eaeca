/* Random resized crops (data/resized_crop.h): what is drawn, and what becomes of it in a data set. */
#include "data/resized_crop.h"
#include "data_support.h"

#include <math.h>

enum { DRAWS = 20000, BINS = 20 };

/* 19 degrees of freedom: one in a thousand exceeds 43.8. */
static void assert_uniform(const int bin[BINS], const char *what) {
  double chi2 = 0, mean = 0;
  for (int i = 0; i < BINS; i++) mean += (double)bin[i] / BINS;
  for (int i = 0; i < BINS; i++) chi2 += (bin[i] - mean) * (bin[i] - mean) / mean;
  if (chi2 > 43.8) fail_msg("%s: chi squared %.1f", what, chi2);
}

static void count(int bin[BINS], double x, double low, double high) {
  int i = (int)floor((x - low) / (high - low) * BINS);
  bin[i < 0 ? 0 : i >= BINS ? BINS - 1 : i]++;
}

/* On a large square every draw fits at first: area, logarithm of the ratio and place are uniform between their ends. */
static void test_draws_are_uniform(void **state) {
  (void)state;
  enum { SIDE = 10000 };
  const double area[2] = {0.08, 0.7};
  int by_area[BINS] = {0}, by_ratio[BINS] = {0}, by_top[BINS] = {0}, by_left[BINS] = {0};
  for (uint64_t i = 0; i < DRAWS; i++) {
    rng r = rng_at(3, "test", 1, i);
    crop_box b = resized_crop_draw(SIDE, SIDE, area, &r);
    double share = (double)b.height * b.width / SIDE / SIDE, ratio = (double)b.width / b.height;
    assert_true(share > 0.0799 && share < 0.7001 && ratio > 0.7495 && ratio < 1.334);
    assert_true(b.top >= 0 && b.left >= 0 && b.top + b.height <= SIDE && b.left + b.width <= SIDE);
    count(by_area, share, area[0], area[1]);
    count(by_ratio, log(ratio), log(0.75), log(4.0 / 3));
    count(by_top, b.top + 0.5, 0, SIDE - b.height + 1);
    count(by_left, b.left + 0.5, 0, SIDE - b.width + 1);
  }
  assert_uniform(by_area, "area");
  assert_uniform(by_ratio, "ratio");
  assert_uniform(by_top, "top");
  assert_uniform(by_left, "left");
}

/* Where nothing fits: the middle, as wide or high as the ratios allow. */
static void test_middle(void **state) {
  (void)state;
  static const struct {
    int height, width;
    crop_box box;
  } c[] = {{90, 900, {0, 390, 90, 120}}, {900, 90, {390, 0, 120, 90}}, {1, 1, {0, 0, 1, 1}},
           {1, 7, {0, 3, 1, 1}},         {5, 30, {0, 11, 5, 7}},       {30, 2, {13, 0, 3, 2}}};
  for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
    rng r = rng_at(0, "test", 0, i);
    crop_box b = resized_crop_draw(c[i].height, c[i].width, (double[]){1, 1}, &r);
    assert_memory_equal(&b, &c[i].box, sizeof b);
  }
}

/* In small pictures, and with all of the area asked for, a part is never outside and never empty. */
static void test_small_pictures(void **state) {
  (void)state;
  for (int height = 1; height <= 9; height++)
    for (int width = 1; width <= 9; width++)
      for (uint64_t i = 0; i < 50; i++) {
        rng r = rng_at(0, "small", i, (uint64_t)(height * 10 + width));
        crop_box b = resized_crop_draw(height, width, (double[]){0.001, 1}, &r);
        assert_true(b.height >= 1 && b.width >= 1 && b.top >= 0 && b.left >= 0);
        assert_true(b.top + b.height <= height && b.left + b.width <= width);
      }
}

/* The part is resized as a picture of its own: what lies around it does not matter. */
static void test_part_is_all(void **state) {
  (void)state;
  enum { H = 23, W = 31, SIDE = 12 };
  unsigned char pixels[H * W * 3], part[H * W * 3], a[SIDE * SIDE * 3], b[SIDE * SIDE * 3];
  for (int i = 0; i < H * W * 3; i++) pixels[i] = (unsigned char)(i * i % 251);
  void *work = mem_new(resize_room(H, W, 3, SIDE, SIDE), 1);
  for (uint64_t i = 0; i < 200; i++) {
    rng r = rng_at(1, "part", 0, i), again = r;
    crop_box box = resized_crop_draw(H, W, (double[]){0.05, 1}, &again);
    for (int y = 0; y < box.height; y++)
      memcpy(part + y * box.width * 3, pixels + ((box.top + y) * W + box.left) * 3, (size_t)box.width * 3);
    resize_view whole = {pixels, H, W, 3, W * 3};
    resized_crop(&whole, (double[]){0.05, 1}, SIDE, RESIZE_BICUBIC, &r, work, a);
    picture p = {box.height, box.width, 3, part};
    resize_window w = {.height = SIDE, .width = SIDE, .rows = SIDE, .columns = SIDE};
    picture small = resize_picture(&p, &w, RESIZE_BICUBIC);
    memcpy(b, small.pixels, sizeof b);
    picture_free(&small);
    assert_memory_equal(a, b, sizeof a);
  }
  mem_free(work);
}

/* A format that has only its stored pictures: crops are of those, and evaluation sees them whole. */
static void test_of_stored_pictures(void **state) {
  (void)state;
  enum { SIDE = 9, N = 20 };
  unsigned char label[N];
  for (int i = 0; i < N; i++) label[i] = (unsigned char)(i % 10);
  put_images(put, "train-images-idx3-ubyte", N, SIDE, SIDE);
  put_labels(put, "train-labels-idx1-ubyte", N, label);
  put_images(put, "t10k-images-idx3-ubyte", N, SIDE, SIDE);
  put_labels(put, "t10k-labels-idx1-ubyte", N, label);
  config c = {.model = {.image_size = SIDE, .channels = 1, .classes = 10},
              .data = {.format = "idx",
                       .path = folder,
                       .std = {1},
                       .n_mean = 1,
                       .n_std = 1,
                       .train_fraction = 1,
                       .interpolation = "bilinear",
                       .augment = {.resized_crop = {0.1, 0.5}}}};
  data_set d = open_ok(&c);
  unsigned char *scratch = mem_new(data_scratch(&d), 1);
  void *work = mem_new(resize_room(SIDE, SIDE, 1, SIDE, SIDE), 1);
  for (int i = 0; i < N; i++) {
    real image[SIDE * SIDE];
    unsigned char stored[SIDE * SIDE], want[SIDE * SIDE];
    for (int j = 0; j < SIDE * SIDE; j++) stored[j] = byte_of(i, j);
    data_sample(&d, &d.train, i, NULL, image, NULL, scratch);
    for (int j = 0; j < SIDE * SIDE; j++) assert_int_equal(lround(image[j] * 255), stored[j]);
    data_sample(&d, &d.train, i, &(data_draw){2, 9}, image, NULL, scratch);
    rng r = rng_at(2, "resized_crop", 9, (uint64_t)i);
    resize_view whole = {stored, SIDE, SIDE, 1, SIDE};
    resized_crop(&whole, c.data.augment.resized_crop, SIDE, RESIZE_BILINEAR, &r, work, want);
    for (int j = 0; j < SIDE * SIDE; j++) assert_int_equal(lround(image[j] * 255), want[j]);
  }
  mem_free(work);
  mem_free(scratch);
  data_close(&d);
}

static void test_speed(void **state) {
  (void)state;
  enum { SIDE = 32, N = 3000 };
  unsigned char pixels[SIDE * SIDE * 3] = {0}, out[SIDE * SIDE * 3];
  void *work = mem_new(resize_room(SIDE, SIDE, 3, SIDE, SIDE), 1);
  resize_view whole = {pixels, SIDE, SIDE, 3, SIDE * 3};
  double begin = seconds();
  for (uint64_t i = 0; i < N; i++) {
    rng r = rng_at(1, "speed", 0, i);
    resized_crop(&whole, (double[]){0.08, 1}, SIDE, RESIZE_BICUBIC, &r, work, out);
  }
  print_message("resized crop, 32 x 32 x 3: %.1f us\n", (seconds() - begin) * 1e6 / N);
  mem_free(work);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_draws_are_uniform), cmocka_unit_test(test_middle),
      cmocka_unit_test(test_small_pictures),    cmocka_unit_test(test_part_is_all),
      TEST_IN_FOLDER(test_of_stored_pictures),  cmocka_unit_test(test_speed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
