/* dyt data: counts, mean and deviation of pictures known byte by byte; warnings; a contact sheet read back pixel by pixel. */
#define _GNU_SOURCE
#include "command.h"
#include "data_support.h"

#include "analyze/fonts.h"
#include "data/picture.h"
#include "dyt/sheet.h"
#include "dyt/survey.h"
#include "dyt/text.h"

#include <cJSON.h>
#include <dirent.h>
#include <math.h>
#include <sys/stat.h>

/* --- text --- */

static void assert_fit(const char *text, int width, const char *expected) {
  str s = {0};
  text_fit(&s, text, width);
  assert_string_equal(s.data, expected);
  assert_true(text_width(s.data) <= width);
  str_free(&s);
}

static void test_text(void **state) {
  (void)state;
  assert_int_equal(text_width("abc"), 3);
  assert_int_equal(text_width("\xce\xb1\xc3\xa9"), 2);             /* alpha, e with an accent */
  assert_int_equal(text_width("e\xcc\x81"), 1);                    /* the accent is a mark of its own */
  assert_int_equal(text_width("\xe9\xb3\xa5\xf0\x9f\x8e\x89"), 4); /* a bird in Han, a pictograph */
  assert_int_equal(text_width("\xff\xc0\xaf\xed\xa0\x80"), 6);     /* no UTF-8: a column a byte */
  assert_fit("abc", 3, "abc");
  assert_fit("abcd", 3, "ab\xe2\x80\xa6");
  assert_fit("\xe9\xb3\xa5\xe9\xb3\xa5", 3, "\xe9\xb3\xa5\xe2\x80\xa6");
  assert_fit("\xe9\xb3\xa5\xe9\xb3\xa5", 2, "\xe2\x80\xa6");
  assert_fit("a\nb\x7f\xff", 9, "a b ?");
}

/* A fc-list that is known. */
static void test_fonts(void **state) {
  (void)state;
  static const char list[] = "#!/bin/sh\necho ':charset=20-7e a0 3b1-3b3'\necho\necho ':charset=9ce5'\n";
  char *path = mem_strdup(getenv("PATH")), *ours = mem_printf("%s:%s", folder, path);
  put("fc-list", list, sizeof list - 1);
  assert_int_equal(chmod(in_folder("fc-list"), 0755), 0);
  setenv("PATH", ours, 1);
  fonts f;
  fonts_open(&f);
  setenv("PATH", path, 1);
  assert_int_equal(f.n, 4);
  str s = {0};
  assert_true(fonts_keep(&f, "a~ \xce\xb3\xe9\xb3\xa5", &s));
  assert_string_equal(s.data, "a~ \xce\xb3\xe9\xb3\xa5");
  str_clear(&s);
  assert_false(fonts_keep(&f, "a\xce\xb4\xff\xce\xb1", &s));
  assert_string_equal(s.data, "a??\xce\xb1");
  fonts_close(&f);
  str_clear(&s);
  assert_true(fonts_keep(&f, "\xf0\x9f\x8e\x89", &s)); /* nothing is known of fonts */
  str_free(&s);
  mem_free(path);
  mem_free(ours);
}

/* --- the survey --- */

enum { TRAIN = 45, TEST = 4, SIDE = 5 };

/* 40 pictures of class 0, one of class 1, 4 of class 3; none of class 2, and class 1 is not tested. */
static void put_uneven(void) {
  unsigned char train[TRAIN] = {0}, test[TEST] = {0, 2, 3, 3};
  train[7] = 1;
  for (int i = 20; i < 24; i++) train[i] = 3;
  put_images(put, "train-images-idx3-ubyte", TRAIN, SIDE, SIDE);
  put_labels(put, "train-labels-idx1-ubyte", TRAIN, train);
  put_images(put, "t10k-images-idx3-ubyte", TEST, SIDE, SIDE);
  put_labels(put, "t10k-labels-idx1-ubyte", TEST, test);
}

static void test_counts(void **state) {
  (void)state;
  put_uneven();
  double sum = 0, squares = 0, n = TRAIN * SIDE * SIDE;
  for (int i = 0; i < TRAIN; i++)
    for (int j = 0; j < SIDE * SIDE; j++) {
      sum += byte_of(i, j) / 255.0;
      squares += byte_of(i, j) / 255.0 * byte_of(i, j) / 255.0;
    }
  config c = load_config("idx", "\"model\": {\"patch_size\": 1}, ");
  data_set d = open_ok(&c);
  for (int threads = 1; threads <= 3; threads++) {
    work_pool *pool = work_new(threads, NULL, NULL);
    survey s;
    survey_take(&s, &c, &d, pool);
    assert_true(fabs(s.mean[0] - sum / n) < 1e-12);
    assert_true(fabs(s.std[0] - sqrt(squares / n - sum / n * sum / n)) < 1e-9);
    static const int count[4][SURVEY_SPLITS] = {{40, 0, 1}, {1, 0, 0}, {0, 0, 1}, {4, 0, 2}};
    for (int k = 0; k < 4; k++)
      for (int p = 0; p < SURVEY_SPLITS; p++) assert_int_equal(s.count[k * SURVEY_SPLITS + p], count[k][p]);
    assert_int_equal(s.warnings, 4);
    assert_string_equal(s.warning[0], "no picture in the train split of: 2");
    assert_string_equal(s.warning[1], "no picture in the test split of: 1");
    command_assert_contains(s.warning[2], "from 1 (1) to 40 (0)");
    command_assert_contains(s.warning[3], "data.mean and data.std");
    survey_free(&s);
    work_free(pool);
  }
  data_close(&d);
  config_free(&c);
}

/* Nothing to warn of. */
static void test_even(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "data @/tiny.json --set data.val_size=30"), 0);
  command_assert_contains(c->out, "\nall         440        30        90\n");
  command_assert_contains(c->out, "augmentation {\"crop_padding\": 1, \"hflip\": 0.5}\n");
  assert_string_equal(c->err, "");
  assert_int_equal(command_run(c, "data @/tiny.json --set data.augment=null"), 0);
  command_assert_contains(c->out, "augmentation none\n");
}

static void test_json(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "data @/tiny.json --json --set model.channels=3 --out @/sheet.png"), 0);
  cJSON *o = cJSON_Parse(c->out);
  assert_int_equal(cJSON_GetObjectItem(o, "train")->valueint, 470);
  assert_int_equal(cJSON_GetObjectItem(o, "channels")->valueint, 3);
  assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(o, "mean")), 3);
  assert_int_equal(cJSON_GetObjectItem(cJSON_GetObjectItem(o, "augment"), "crop_padding")->valueint, 1);
  assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(o, "warnings")), 0);
  command_assert_contains(cJSON_GetObjectItem(o, "sheet")->valuestring, "/sheet.png");
  int train = 0;
  const cJSON *class;
  cJSON_ArrayForEach(class, cJSON_GetObjectItem(o, "classes")) train +=
      cJSON_GetObjectItem(class, "train")->valueint;
  assert_int_equal(train, 470);
  cJSON_Delete(o);
  assert_true(command_exists(c, "sheet.png"));
}

/* --- the sheet --- */

static void test_which_samples(void **state) {
  (void)state;
  int32_t few[] = {2, 0, 0, 2, 0}, many[200];
  int64_t sample[SHEET_ROWS];
  data_split s = {.n = 5, .label = few};
  assert_int_equal(sheet_samples(&s, 3, sample), 5);
  static const int64_t in_rounds[] = {1, 0, 2, 3, 4};
  assert_memory_equal(sample, in_rounds, sizeof in_rounds);
  for (int i = 0; i < 200; i++) many[i] = i / 2;
  s = (data_split){.n = 200, .label = many};
  assert_int_equal(sheet_samples(&s, 100, sample), SHEET_ROWS);
  for (int row = 0; row < SHEET_ROWS; row++) assert_int_equal(sample[row], row * 100 / SHEET_ROWS * 2);
}

/* How many source pixels of a cell are not those of the sample; enlarged ones are looked at in their middle. */
static int differ(const picture *p, const sheet_grid *g, int row, int column, const data_set *d, int64_t i,
                  const data_draw *draw) {
  int wrong = 0, area = d->height * d->width;
  real *image = mem_new((size_t)(area * d->channels), sizeof *image);
  unsigned char *scratch = mem_new(data_scratch(d), 1);
  data_sample(d, &d->train, i, draw, image, NULL, scratch);
  for (int y = 0; y < d->height; y++)
    for (int x = 0; x < d->width; x++)
      for (int k = 0; k < 3; k++) {
        int times = g->side / d->width, at_y = g->top + row * g->step_y + y * times + times / 2,
            at_x = g->left + column * g->step_x + x * times + times / 2, from = d->channels == 3 ? k : 0;
        unsigned char want = data_pixel(d, from, image[from * area + y * d->width + x]);
        wrong += p->pixels[(at_y * p->width + at_x) * 3 + k] != want;
      }
  mem_free(image);
  mem_free(scratch);
  return wrong;
}

static void check_sheet(const char *config_path, const char *const *sets, const char *path) {
  err e = {0};
  config c;
  if (config_load(config_path, sets, 2, &c, &e)) fail_msg("%s", e.text);
  data_set d = open_ok(&c);
  str said = {0};
  work_pool *pool = work_new(2, NULL, NULL);
  if (sheet_draw(&c, &d, pool, path, &said, &e)) fail_msg("%s", e.text);
  work_free(pool);
  picture p;
  if (picture_read(path, 3, &p, &e)) fail_msg("%s", e.text);
  int64_t sample[SHEET_ROWS];
  int rows = sheet_samples(&d.train, d.classes, sample), changed = 0;
  sheet_grid g = sheet_grid_of(&d, rows, false);
  assert_true(p.width == g.width && p.height == g.height && g.side % d.width == 0);
  for (int row = 0; row < rows; row++) {
    assert_int_equal(differ(&p, &g, row, 0, &d, sample[row], NULL), 0);
    for (int epoch = 0; epoch < SHEET_DRAWS; epoch++) {
      data_draw draw = {c.train.seed, (uint64_t)epoch};
      assert_int_equal(differ(&p, &g, row, 1 + epoch, &d, sample[row], &draw), 0);
      changed += differ(&p, &g, row, 1 + epoch, &d, sample[row], NULL) > 0;
    }
  }
  assert_true(changed > rows * SHEET_DRAWS / 2);
  picture_free(&p);
  str_free(&said);
  data_close(&d);
  config_free(&c);
}

static void test_pixels(void **state) {
  command *c = *state;
  char *config_path = command_path(c, "tiny.json"), *path = command_path(c, "it's a \"sheet\" `x` $y.png");
  check_sheet(config_path, (const char *const[]){"model.channels=1", "train.seed=5"}, path);
  check_sheet(config_path, (const char *const[]){"model.channels=3", "data.train_size=7"}, path);
  mem_free(config_path);
  mem_free(path);
}

/* Long names, of any letters. */
static void test_names(void **state) {
  command *c = *state;
  assert_int_equal(
      command_run(
          c, "data @/tiny.json --out @/sheet.png --set model.classes=3 --set 'data.class_names=[\"a\\\"; "
             "system(\\\"touch @/bad\\\")\", \"\xd0\xb4\xd0\xbb\xd0\xb8\xd0\xbd\xd0\xbd\xd0\xbe\xd0\xb5 "
             "\xd0\xb8\xd0\xbc\xd1\x8f, which has no end that fits\", \"\xe9\xb3\xa5\"]'"),
      0);
  assert_true(command_exists(c, "sheet.png"));
  assert_false(command_exists(c, "bad"));
}

/* --- what is refused --- */

static void assert_no_leftovers(const command *c) {
  DIR *d = opendir(c->folder);
  for (struct dirent *f; (f = readdir(d));)
    if (strstr(f->d_name, ".tmp-")) fail_msg("left %s", f->d_name);
  closedir(d);
}

static void test_refusals(void **state) {
  command *c = *state;
  char *taken = command_path(c, "taken.png");
  assert_int_equal(file_make_folder(taken, NULL), ST_OK);
  command_refuse(c, "data", "argument");
  command_refuse(c, "data @/none.json", "none.json");
  command_refuse(c, "data @/tiny.json --out @/sheet.jpg", "ends in .png");
  command_refuse(c, "data @/tiny.json --out ''", "ends in .png");
  command_refuse(c, "data @/tiny.json --out @/taken.png", "is a folder");
  command_refuse(c, "data @/tiny.json --out @/none/sheet.png", "there is no folder");
  command_refuse(c, "data @/tiny.json --set data.format=idx", "data.path");
  assert_no_leftovers(c);
  mem_free(taken);
}

/* The table needs none. */
static void test_without_gnuplot(void **state) {
  command *c = *state;
  mem_free(support_write(c->folder, "sheet.png", "an older one"));
  c->under = "env PATH=/nowhere";
  assert_int_equal(command_run(c, "data @/tiny.json --out @/sheet.png"), 2);
  command_assert_contains(c->err, "scripts/setup.sh bench");
  assert_ptr_equal(strchr(c->err, '\n'), c->err + strlen(c->err) - 1);
  command_assert_contains(c->out, "470");
  command_refuse(c, "data @/tiny.json --json --out @/sheet.png", "no gnuplot");
  c->under = "sh -c 'ulimit -f 100; trap \"\" XFSZ; exec \"$0\" \"$@\"'";
  command_refuse(c, "data @/tiny.json --json --out @/sheet.png", "cannot be written");
  file_bytes b = command_read(c, "sheet.png");
  assert_string_equal((char *)b.data, "an older one");
  file_bytes_free(&b);
  assert_no_leftovers(c);
}

#define COMMAND(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text), TEST_IN_FOLDER(test_fonts),
      TEST_IN_FOLDER(test_counts), COMMAND(test_even),
      COMMAND(test_json),          cmocka_unit_test(test_which_samples),
      COMMAND(test_pixels),        COMMAND(test_names),
      COMMAND(test_refusals),      COMMAND(test_without_gnuplot),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
