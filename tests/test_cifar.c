/* Formats cifar10 and cifar100: small files with the published names. */
#include "data_support.h"

#include <math.h>
#include <unistd.h>

enum { PIXELS = 3072, AREA = 1024 };

/* Rows of a file: label bytes as given (coarse[i] before, if there is one), pixels byte_of(first + i, j). */
static void put_rows(const char *name, int first, int n, const unsigned char *coarse,
                     const unsigned char *label) {
  str s = {0};
  for (int i = 0; i < n; i++) {
    if (coarse) str_add_bytes(&s, coarse + i, 1);
    str_add_bytes(&s, label + i, 1);
    for (int j = 0; j < PIXELS; j++) str_add_bytes(&s, &(unsigned char){byte_of(first + i, j)}, 1);
  }
  put(name, s.data, s.len);
  str_free(&s);
}

static unsigned char label_of(int i) { return (unsigned char)(i * 3 % 10); }

/* Training files of 2, 3, 4, 5 and 6 rows, a test file of 4, numbered on. */
enum { TRAIN = 20, TESTS = 4 };
static void put_cifar10(const char *below) {
  char name[64];
  unsigned char label[TRAIN + TESTS];
  for (int i = 0; i < TRAIN + TESTS; i++) label[i] = label_of(i);
  for (int f = 1, first = 0; f <= 5; first += f + 1, f++) {
    snprintf(name, sizeof name, "%sdata_batch_%d.bin", below, f);
    put_rows(name, first, f + 1, NULL, label + first);
  }
  snprintf(name, sizeof name, "%stest_batch.bin", below);
  put_rows(name, TRAIN, TESTS, NULL, label + TRAIN);
}

static void put_cifar100(void) {
  static const unsigned char coarse[] = {3, 19, 0, 7}, fine[] = {99, 0, 42, 5};
  put_rows("train.bin", 0, 4, coarse, fine);
  put_rows("test.bin", 4, 2, coarse, fine + 2);
}

static config config_of(const char *format) {
  return (config){.model = {.family = "vit"},
                  .data = {.format = format,
                           .path = folder,
                           .mean = {0.25, 0.5, 0.75},
                           .std = {0.5, 0.25, 2},
                           .n_mean = 3,
                           .n_std = 3,
                           .train_fraction = 1}};
}

/* A config whose shapes are settled: data_open fills only those of a loaded one. */
static config settled(const char *format, int classes) {
  config c = config_of(format);
  c.model.image_size = 32, c.model.channels = 3, c.model.classes = classes;
  return c;
}

static void assert_pixels(const data_set *d, const data_split *s, int first) {
  static real image[PIXELS];
  unsigned char *scratch = mem_new(data_scratch(d), 1);
  for (int i = 0; i < s->n; i++) {
    data_sample(d, s, i, NULL, image, NULL, scratch);
    for (int j = 0; j < PIXELS; j++) {
      const double mean[] = {0.25, 0.5, 0.75}, std[] = {0.5, 0.25, 2};
      double want = (byte_of(first + i, j) / 255.0 - mean[j / AREA]) / std[j / AREA];
      assert_true(fabs(image[j] - want) < 1e-5);
    }
  }
  mem_free(scratch);
}

static void test_cifar10(void **state) {
  (void)state;
  put_cifar10("");
  config c = settled("cifar10", 10);
  data_set d = open_ok(&c);
  assert_true(d.height == 32 && d.width == 32 && d.channels == 3 && d.classes == 10);
  assert_true(d.train.n == TRAIN && d.val.n == 0 && d.test.n == TESTS);
  for (int i = 0; i < TRAIN; i++) assert_int_equal(d.train.label[i], label_of(i));
  for (int i = 0; i < TESTS; i++) assert_int_equal(d.test.label[i], label_of(TRAIN + i));
  assert_string_equal(d.class_names[9], "9");
  assert_pixels(&d, &d.train, 0);
  assert_pixels(&d, &d.test, TRAIN);
  data_close(&d);
}

static void test_cifar100(void **state) {
  (void)state;
  put_cifar100();
  config c = settled("cifar100", 100);
  data_set d = open_ok(&c);
  assert_true(d.train.n == 4 && d.test.n == 2 && d.classes == 100);
  assert_true(d.train.label[0] == 99 && d.train.label[3] == 5 && d.test.label[0] == 42);
  assert_pixels(&d, &d.train, 0);
  assert_pixels(&d, &d.test, 4);
  data_close(&d);
}

/* The archive's own folder inside data.path; its names; keys that are null. */
static void test_as_unpacked(void **state) {
  (void)state;
  static const char names[] = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";
  assert_int_equal(file_make_folder(in_folder("cifar-10-batches-bin"), NULL), ST_OK);
  put_cifar10("cifar-10-batches-bin/");
  put("cifar-10-batches-bin/batches.meta.txt", names, sizeof names - 1);
  config c = load_config("cifar10", "");
  data_set d = open_ok(&c);
  assert_true(c.model.image_size == 32 && c.model.channels == 3 && c.model.classes == 10);
  assert_string_equal(d.class_names[0], "airplane");
  assert_string_equal(d.class_names[9], "truck");
  data_close(&d);
  config_free(&c);
}

/* As many classes as the format has, whatever labels a short file happens to hold. */
static void test_classes_do_not_depend_on_the_rows(void **state) {
  (void)state;
  put_cifar100();
  static const unsigned char coarse[] = {0, 0}, fine[] = {1, 0};
  put_rows("train.bin", 0, 2, coarse, fine);
  put_rows("test.bin", 0, 2, coarse, fine);
  config c = load_config("cifar100", "");
  data_set d = open_ok(&c);
  assert_int_equal(d.classes, 100);
  data_close(&d);
  config_free(&c);
}

static void test_fingerprint(void **state) {
  (void)state;
  put_cifar10("");
  config c = settled("cifar10", 10);
  data_set d = open_ok(&c);
  char first[17];
  memcpy(first, d.fingerprint, sizeof first);
  data_close(&d);
  put_rows("data_batch_5.bin", 99, 6, NULL, (const unsigned char[6]){0});
  d = open_ok(&c);
  assert_string_not_equal(first, d.fingerprint);
  data_close(&d);
}

static void test_bad(void **state) {
  (void)state;
  config c = settled("cifar10", 10);
  c.data.path = NULL;
  ASSERT_BAD(&c, "data.path", "scripts/fetch_data.sh cifar10");
  c.data.path = in_folder("none");
  ASSERT_BAD(&c, c.data.path, "no such folder", "scripts/fetch_data.sh cifar10");
  c.data.path = folder;
  ASSERT_BAD(&c, in_folder("data_batch_1.bin"), "no such file", "scripts/fetch_data.sh cifar10");
  put("batches.meta", "pickle", 6);
  ASSERT_BAD(&c, in_folder("data_batch_1.bin"), "version for Python", "binary version");
  put_cifar10("");
  put("data_batch_3.bin", "", 0);
  ASSERT_BAD(&c, in_folder("data_batch_3.bin"), "0 bytes", "rows of 3073");
  static const unsigned char zeros[2 * 3073 - 1];
  put("data_batch_3.bin", zeros, sizeof zeros);
  ASSERT_BAD(&c, in_folder("data_batch_3.bin"), "6145 bytes", "rows of 3073", "cut short");
  put_rows("data_batch_3.bin", 0, 3, NULL, (const unsigned char[]){9, 0, 10});
  ASSERT_BAD(&c, in_folder("data_batch_3.bin"), "label 10 of row 2", "0 to 9");
  put_cifar10("");
  put_rows("test_batch.bin", 0, 2, NULL, (const unsigned char[]){0, 1});
  c.model.classes = 5;
  ASSERT_BAD(&c, folder, "label 6 of sample 2", "model.classes is 5");
  c = settled("cifar10", 10);
  put("batches.meta.txt", "cat\ndog\n", 8);
  ASSERT_BAD(&c, in_folder("batches.meta.txt"), "2 names, expected 10");
  unlink(in_folder("batches.meta.txt"));
  unlink(in_folder("test_batch.bin"));
  ASSERT_BAD(&c, in_folder("test_batch.bin"), "no such file");
}

static void test_bad_100(void **state) {
  (void)state;
  put_cifar100();
  config c = settled("cifar100", 100);
  put_rows("test.bin", 0, 2, (const unsigned char[]){1, 1}, (const unsigned char[]){99, 100});
  ASSERT_BAD(&c, in_folder("test.bin"), "label 100 of row 1", "0 to 99");
  put_rows("test.bin", 0, 2, NULL, (const unsigned char[]){1, 1});
  ASSERT_BAD(&c, in_folder("test.bin"), "6146 bytes", "rows of 3074");
}

static void test_speed(void **state) {
  (void)state;
  put_cifar10("");
  config c = settled("cifar10", 10);
  c.data.augment = (config_augment){.crop_padding = 4, .hflip = 0.5};
  print_speed("cifar10", &c, false);
  print_speed("cifar10, crop and flip", &c, true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST_IN_FOLDER(test_cifar10),     TEST_IN_FOLDER(test_cifar100),
      TEST_IN_FOLDER(test_as_unpacked), TEST_IN_FOLDER(test_classes_do_not_depend_on_the_rows),
      TEST_IN_FOLDER(test_fingerprint), TEST_IN_FOLDER(test_bad),
      TEST_IN_FOLDER(test_bad_100),     TEST_IN_FOLDER(test_speed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
