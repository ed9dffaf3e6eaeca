/* Format imagefolder: folders of small BMP files, and what is wrong with some. */
#include "data_support.h"

#include <math.h>
#include <unistd.h>

/* A BMP of 24 bits in which every pixel of colour channel k is value + k. */
static void put_bmp(const char *name, int height, int width, int value) {
  int row = (width * 3 + 3) / 4 * 4, size = 54 + row * height;
  unsigned char *b = mem_new((size_t)size, 1);
  const struct {
    int at, value;
  } head[] = {{2, size}, {10, 54}, {14, 40}, {18, width}, {22, height}, {34, row * height}};
  memcpy(b, "BM", 2);
  for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
    for (int k = 0; k < 4; k++) b[head[i].at + k] = (unsigned char)(head[i].value >> 8 * k);
  b[26] = 1, b[28] = 24;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width * 3; x++) b[54 + y * row + x] = (unsigned char)(value + 2 - x % 3);
  err e = {0};
  char *path = mem_strdup(in_folder(name));
  *strrchr(path, '/') = 0;
  assert_int_equal(file_make_folder(path, &e), ST_OK);
  mem_free(path);
  put(name, b, (size_t)size);
  mem_free(b);
}

static config config_of(int size, int channels, int classes) {
  return (config){.model = {.family = "vit", .image_size = size, .channels = channels, .classes = classes},
                  .data = {.format = "imagefolder",
                           .path = folder,
                           .std = {1},
                           .n_mean = 1,
                           .n_std = 1,
                           .train_fraction = 1,
                           .test_fraction = 0.25,
                           .crop_pct = 1,
                           .interpolation = "bicubic"}};
}

/* The byte of channel k of a sample whose pixels are all the same. */
static int byte_of_sample(const data_set *d, const data_split *s, int i, int k) {
  real *image = mem_new((size_t)(d->height * d->width * d->channels), sizeof *image);
  unsigned char *scratch = mem_new(data_scratch(d), 1);
  int area = d->height * d->width;
  data_sample(d, s, i, NULL, image, NULL, scratch);
  int byte = (int)lround(image[k * area] * 255);
  for (int j = 0; j < area; j++) assert_int_equal(lround(image[k * area + j] * 255), byte);
  mem_free(image);
  mem_free(scratch);
  return byte;
}

/* Classes by bytes ("B" before "a"), files sorted within them and below them, other files passed over. */
static void put_parts(void) {
  put_bmp("train/a/2.bmp", 8, 8, 20);
  put_bmp("train/a/1.bmp", 8, 12, 10);
  put_bmp("train/a/deep/3.BMP", 16, 16, 30);
  put_bmp("train/B/x.bmp", 5, 5, 40);
  put_bmp("test/a/t.bmp", 8, 8, 50);
  put_bmp("val/B/v.bmp", 8, 8, 60);
  put("train/a/notes.txt", "no picture", 10);
}

static void test_parts(void **state) {
  (void)state;
  put_parts();
  config c = config_of(8, 3, 2);
  data_set d = open_ok(&c);
  assert_true(d.height == 8 && d.width == 8 && d.channels == 3 && d.classes == 2);
  assert_true(d.train.n == 4 && d.val.n == 1 && d.test.n == 1);
  assert_string_equal(d.class_names[0], "B");
  assert_string_equal(d.class_names[1], "a");
  static const int label[] = {0, 1, 1, 1}, value[] = {40, 10, 20, 30};
  for (int i = 0; i < 4; i++) {
    assert_int_equal(d.train.label[i], label[i]);
    for (int k = 0; k < 3; k++) assert_int_equal(byte_of_sample(&d, &d.train, i, k), value[i] + k);
  }
  assert_true(d.test.label[0] == 1 && byte_of_sample(&d, &d.test, 0, 0) == 50);
  assert_true(d.val.label[0] == 0 && byte_of_sample(&d, &d.val, 0, 0) == 60);
  data_close(&d);
}

/* val/ alone is the test part; grey is PIL's "L". */
static void test_val_alone_and_grey(void **state) {
  (void)state;
  put_parts();
  assert_int_equal(file_remove(in_folder("test"), NULL), ST_OK);
  config c = config_of(4, 1, 2);
  data_set d = open_ok(&c);
  assert_true(d.val.n == 0 && d.test.n == 1 && d.channels == 1);
  assert_int_equal(byte_of_sample(&d, &d.test, 0, 0), (60 * 19595 + 61 * 38470 + 62 * 7471 + 0x8000) >> 16);
  data_close(&d);
}

enum { EACH = 12 };

static void put_classes(int classes) {
  char name[64];
  for (int k = 0; k < classes; k++)
    for (int i = 0; i < EACH; i++) {
      snprintf(name, sizeof name, "class%d/%02d.bmp", k, i);
      put_bmp(name, 6, 6, 100 * k + i);
    }
}

/* Without parts: a quarter of each class for testing, by split_seed; every picture in one part only. */
static void test_held_out(void **state) {
  (void)state;
  put_classes(2);
  config c = config_of(6, 3, 2);
  data_set d = open_ok(&c);
  assert_true(d.train.n == 18 && d.test.n == 6 && d.val.n == 0);
  assert_true(count_of(&d.test, 0) == 3 && count_of(&d.test, 1) == 3);
  bool seen[200] = {false};
  int chosen[6];
  for (int i = 0; i < 18; i++) seen[byte_of_sample(&d, &d.train, i, 0)] = true;
  for (int i = 0; i < 6; i++) {
    chosen[i] = byte_of_sample(&d, &d.test, i, 0);
    assert_int_equal(d.test.label[i], chosen[i] / 100);
    assert_false(seen[chosen[i]]);
  }
  data_close(&d);
  int moved = 0;
  c.data.split_seed = 1, c.train.seed = 5;
  d = open_ok(&c);
  for (int i = 0; i < 6; i++) moved += byte_of_sample(&d, &d.test, i, 0) != chosen[i];
  assert_true(moved > 0);
  data_close(&d);
  c.data.split_seed = 0;
  d = open_ok(&c);
  for (int i = 0; i < 6; i++) assert_int_equal(byte_of_sample(&d, &d.test, i, 0), chosen[i]);
  data_close(&d);
}

/* Blackens what lies outside the middle 6 x 6 of a BMP of 12 x 12. */
static void blacken_border(const char *name) {
  file_bytes b;
  err e = {0};
  assert_int_equal(file_read(in_folder(name), 1 << 20, &b, &e), ST_OK);
  for (int y = 0; y < 12; y++)
    for (int x = 0; x < 12; x++)
      if (y < 3 || y >= 9 || x < 3 || x >= 9) memset(b.data + 54 + (y * 12 + x) * 3, 0, 3);
  put(name, b.data, b.size);
  file_bytes_free(&b);
}

/* Shorter side to image_size / crop_pct, then the middle: the border is gone. */
static void test_crop_pct(void **state) {
  (void)state;
  static const char *const names[] = {"train/a/1.bmp", "train/b/1.bmp", "test/a/1.bmp"};
  for (int i = 0; i < 3; i++) {
    put_bmp(names[i], 12, 12, 90);
    blacken_border(names[i]);
  }
  config c = config_of(6, 3, 2);
  c.data.crop_pct = 0.5;
  data_set d = open_ok(&c);
  assert_int_equal(byte_of_sample(&d, &d.train, 0, 1), 91);
  assert_int_equal(byte_of_sample(&d, &d.test, 0, 2), 92);
  char cropped[17];
  memcpy(cropped, d.fingerprint, sizeof cropped);
  data_close(&d);
  c.data.crop_pct = 1;
  d = open_ok(&c);
  assert_string_not_equal(cropped, d.fingerprint);
  data_close(&d);
  c.data.crop_pct = 1e-4;
  ASSERT_BAD(&c, "data.crop_pct", "at most 16384");
}

static void load(config *c) {
  char *text = mem_printf(
      "{\"model\": {\"patch_size\": 1}, \"data\": {\"format\": \"imagefolder\", \"path\": \"%s\"}}", folder);
  put("config.json", text, strlen(text));
  mem_free(text);
  err e = {0};
  if (config_load(in_folder("config.json"), NULL, 0, c, &e)) fail_msg("%s", e.text);
}

static void test_null_keys_are_filled(void **state) {
  (void)state;
  put_classes(3);
  config c;
  load(&c);
  data_set d = open_ok(&c);
  assert_true(c.model.image_size == 6 && c.model.channels == 3 && c.model.classes == 3);
  data_close(&d);
  config_free(&c);
  put_bmp("class1/odd.bmp", 6, 7, 0);
  load(&c);
  ASSERT_BAD(&c, "class1/odd.bmp", "6 x 7", "model.image_size");
  config_free(&c);
}

/* Each channel by itself; and what the folders are called is kept, whatever bytes it is. */
static void test_kept_with_the_config(void **state) {
  (void)state;
  put_bmp("train/b \"2\"/1.bmp", 6, 6, 30);
  put_bmp("train/a\xff\n/1.bmp", 6, 6, 10);
  put_bmp("test/b \"2\"/1.bmp", 6, 6, 200);
  config c;
  load(&c);
  c.data.n_mean = c.data.n_std = 0;
  data_set d = open_ok(&c);
  assert_string_equal(d.class_names[0], "a? ");
  assert_true(c.data.n_class_names == 2 && c.data.n_mean == 3 && c.data.n_std == 3);
  assert_string_equal(c.data.class_names[1], "b \"2\"");
  for (int k = 0; k < 3; k++)
    assert_true(fabs(c.data.mean[k] - (20 + k) / 255.0) < 1e-12 && fabs(c.data.std[k] - 10 / 255.0) < 1e-12);
  str text = {0};
  config_write(&c, &text);
  put("config.json", text.data, text.len);
  str_free(&text);
  data_close(&d);
  config_free(&c);
  err e = {0};
  if (config_load(in_folder("config.json"), NULL, 0, &c, &e)) fail_msg("%s", e.text);
  assert_int_equal(data_recall(&c, &d, &e), ST_OK);
  assert_string_equal(d.class_names[0], "a? ");
  assert_true(fabs((double)d.mean[2] - 22 / 255.0) < 1e-6);
  data_close(&d);
  config_free(&c);
}

static void test_bad(void **state) {
  (void)state;
  config c = config_of(6, 3, 2);
  ASSERT_BAD(&c, folder, "0 folders", "at least two");
  put_classes(2);
  put("class0/broken.png", "\x89PNG and no more", 15);
  ASSERT_BAD(&c, "class0/broken.png", "not a PNG, JPEG or BMP");
  c.data.skip_bad = true;
  data_set d = open_ok(&c);
  assert_int_equal(d.train.n + d.test.n, 2 * EACH);
  data_close(&d);
  c.model.channels = 2;
  ASSERT_BAD(&c, "model.channels: 2", "1 or 3");
  c = config_of(6, 3, 2);
  assert_int_equal(symlink("..", in_folder("class1/up")), 0);
  ASSERT_BAD(&c, "class1/up", "link to one above");
  put_bmp("train/a/1.bmp", 6, 6, 1);
  put_bmp("train/b/1.bmp", 6, 6, 1);
  ASSERT_BAD(&c, folder, "neither test nor val");
  put_bmp("val/c/1.bmp", 6, 6, 1);
  ASSERT_BAD(&c, "val/c", "no such class");
  c.data.path = in_folder("none");
  ASSERT_BAD(&c, "none", "no such folder");
  c.data.path = NULL;
  ASSERT_BAD(&c, "data.path", "imagefolder");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST_IN_FOLDER(test_parts),
      TEST_IN_FOLDER(test_val_alone_and_grey),
      TEST_IN_FOLDER(test_held_out),
      TEST_IN_FOLDER(test_crop_pct),
      TEST_IN_FOLDER(test_null_keys_are_filled),
      TEST_IN_FOLDER(test_bad),
      TEST_IN_FOLDER(test_kept_with_the_config),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
