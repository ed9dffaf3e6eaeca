/* Format imagefolder: folders of small BMP files, and what is wrong with some. */
#include "imagefolder_support.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* ---- what is odd, and works ---- */

/* Pictures of every kind and size in folders whose names are not ASCII, links among them; hidden ones do not count. */
static void test_odd_pictures(void **state) {
  (void)state;
  static const char *const kinds[] = {"alpha.png",   "bits.png",       "cmyk.jpg",    "colour.bmp",
                                      "grey.jpg",    "grey_alpha.png", "palette.png", "rgb16.png",
                                      "rgb_1x1.png", "rgb_1x7.png",    "ycck.jpg"};
  enum { KINDS = sizeof kinds / sizeof kinds[0] };
  for (int i = 0; i < KINDS; i++) {
    char *name = mem_printf("train/gr\xc3\xbc\xc3\x9f e \xe7\x8c\xab/%s", kinds[i]);
    put_reference(name, kinds[i], 1);
    mem_free(name);
  }
  put_reference("train/a b/one.JPG", "colour.jpg", 1);
  put_reference("train/a b/One.jpg", "grey.jpg", 1);
  put_reference("train/a b/.hidden.jpg", "grey.jpg", 0.5);
  put_reference("train/.hidden/x.jpg", "grey.jpg", 0.5);
  put_reference("elsewhere/deep/x.png", "grey.png", 1);
  assert_int_equal(symlink("../../elsewhere/deep", in_folder("train/a b/linked")), 0);
  assert_int_equal(symlink("one.JPG", in_folder("train/a b/two.jpg")), 0);
  put_reference("test/a b/one.jpg", "colour.jpg", 1);
  config c = config_of(8, 3, 2);
  data_set d = open_ok(&c);
  assert_string_equal(d.class_names[0], "a b");
  assert_string_equal(d.class_names[1], "gr\xc3\xbc\xc3\x9f e \xe7\x8c\xab");
  assert_int_equal(count_of(&d.train, 0), 4);
  assert_int_equal(count_of(&d.train, 1), KINDS);
  data_close(&d);
}

/* ---- what is wrong ---- */

/* Two classes that are fine, and a test picture. */
static config put_good(void) {
  put_bmp("train/a/1.bmp", 6, 6, 1);
  put_bmp("train/b/1.bmp", 6, 6, 2);
  put_bmp("test/a/1.bmp", 6, 6, 3);
  return config_of(6, 3, 2);
}

static void make_folder_below(const char *name) {
  err e = {0};
  assert_int_equal(file_make_folder(in_folder(name), &e), ST_OK);
}

static void test_bad_folders(void **state) {
  (void)state;
  config c = put_good();
  make_folder_below("train/empty");
  ASSERT_BAD(&c, "train/empty: no picture in it, expected at least one");
  put_below("train/empty/notes.txt", "x", 1);
  ASSERT_BAD(&c, "train/empty: no picture in it, expected at least one");
  assert_int_equal(file_remove(in_folder("train/empty"), NULL), ST_OK);
  put_bmp("test/A/1.bmp", 6, 6, 3);
  ASSERT_BAD(&c, "test/A: no such class");
  assert_int_equal(file_remove(in_folder("test/A"), NULL), ST_OK);
  assert_int_equal(symlink("nowhere", in_folder("test/b")), 0);
  ASSERT_BAD(&c, "test/b: a link to nothing");
  assert_int_equal(symlink("nowhere", in_folder("train/c")), 0);
  ASSERT_BAD(&c, "train/c: a link to nothing");
  assert_int_equal(file_remove(in_folder("train/c"), NULL), ST_OK);
  assert_int_equal(file_remove(in_folder("train/b"), NULL), ST_OK);
  ASSERT_BAD(&c, "train: 1 folder in it, expected at least two");
  assert_int_equal(file_remove(in_folder("train"), NULL), ST_OK);
  assert_int_equal(file_remove(in_folder("test"), NULL), ST_OK);
  make_folder_below("a");
  make_folder_below("b");
  ASSERT_BAD(&c, folder, "no picture files in its folders");
}

/* Each of these alone stops with a sentence that names it, and is left out with data.skip_bad. */
static void assert_bad_file(config *c, const char *name, const char *words) {
  c->data.skip_bad = false;
  ASSERT_BAD(c, in_folder(name), words);
  c->data.skip_bad = true;
  data_set d = open_ok(c);
  assert_int_equal(d.train.n, 2);
  data_close(&d);
  assert_int_equal(file_remove(in_folder(name), NULL), ST_OK);
}

/* The header of a PNG of that size, and no more. */
static void put_png_header(const char *name, int side) {
  unsigned char b[45] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
  for (int k = 0; k < 4; k++) b[16 + k] = b[20 + k] = (unsigned char)(side >> (24 - 8 * k));
  b[24] = 8, b[25] = 2;
  memcpy(b + 37, "IDAT", 4); /* the length before it is 0 */
  put_below(name, b, sizeof b);
}

static void test_bad_files(void **state) {
  (void)state;
  config c = put_good();
  put_reference("train/a/cut.jpg", "colour.jpg", 0.7);
  assert_bad_file(&c, "train/a/cut.jpg", "Premature end of JPEG file");
  put_reference("train/a/cut.png", "rgb_17x31.png", 0.7);
  assert_bad_file(&c, "train/a/cut.png", "damaged or cut short");
  put_below("train/b/text.PNG", "this is no picture\n", 19);
  assert_bad_file(&c, "train/b/text.PNG", "not a PNG, JPEG or BMP picture");
  put_below("train/b/empty.png", "", 0);
  assert_bad_file(&c, "train/b/empty.png", "not a PNG, JPEG or BMP picture");
  put_png_header("train/b/huge.png", 20000);
  assert_bad_file(&c, "train/b/huge.png", "20000 x 20000, expected at most 16384 a side");
  put_png_header("train/b/large.png", 16000);
  assert_bad_file(&c, "train/b/large.png",
                  "16000 x 16000, expected at most 16384 a side and 67108864 pixels");
  assert_int_equal(symlink("nowhere", in_folder("train/a/broken.png")), 0);
  assert_bad_file(&c, "train/a/broken.png", "cannot be read: No such file");
  put_below("train/a/web.webp", "RIFF    WEBP", 12);
  assert_bad_file(&c, "train/a/web.webp", "not a PNG, JPEG or BMP picture");
}

/* Also for the owner of all files: who opens it is nobody for a moment. */
static void test_unreadable_file(void **state) {
  (void)state;
  config c = put_good();
  uid_t me = geteuid();
  assert_int_equal(chmod(folder, 0755), 0);
  put_bmp("train/a/secret.bmp", 6, 6, 4);
  assert_int_equal(chmod(in_folder("train/a/secret.bmp"), 0), 0);
  if (me == 0) assert_int_equal(seteuid(65534), 0);
  ASSERT_BAD(&c, "train/a/secret.bmp: cannot be read: Permission denied");
  assert_int_equal(seteuid(me), 0);
}

/* A class all of whose pictures are left out has none. */
static void test_nothing_left_of_a_class(void **state) {
  (void)state;
  config c = put_good();
  put_below("train/c/1.png", "no", 2);
  c.data.skip_bad = true;
  ASSERT_BAD(&c, "train/c: no picture in it that can be read");
  c.model.image_size = 0;
  for (int i = 0; i < 2; i++) put_below(i ? "train/a/1.bmp" : "train/b/1.bmp", "no", 2);
  put_below("test/a/1.bmp", "no", 2);
  ASSERT_BAD(&c, folder, "none of its pictures can be read", "train/a/1.bmp");
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
      TEST_IN_FOLDER(test_odd_pictures),
      TEST_IN_FOLDER(test_bad_folders),
      TEST_IN_FOLDER(test_bad_files),
      TEST_IN_FOLDER(test_unreadable_file),
      TEST_IN_FOLDER(test_nothing_left_of_a_class),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
