/* Pictures kept in memory or decoded anew, on any number of threads, and random crops of them: the same samples. */
#include "imagefolder_support.h"

#include "data/resized_crop.h"

#include "dyt/kernel.h"
#include "dyt/train.h"

#include <math.h>
#include <unistd.h>

enum { SIDE = 8, EACH = 10 };

/* Noise, 9 to 20 pixels a side, so that every crop is another picture. */
static void put_noise(const char *name, int which) {
  int height = 9 + which % 12, width = 20 - which % 7, row = (width * 3 + 3) / 4 * 4;
  put_bmp(name, height, width, 0);
  file_bytes b;
  err e = {0};
  rng r = rng_at(1, name, 0, 0);
  assert_int_equal(file_read(in_folder(name), 1 << 20, &b, &e), ST_OK);
  for (int i = 0; i < row * height; i++) b.data[54 + i] = (unsigned char)rng_u32(&r);
  put(name, b.data, b.size);
  file_bytes_free(&b);
}

static void put_pictures(void) {
  for (int i = 0; i < 2 * EACH; i++) {
    char name[64];
    snprintf(name, sizeof name, "train/%c/%02d.bmp", 'a' + i % 2, i);
    put_noise(name, i);
    if (i >= 6) continue;
    snprintf(name, sizeof name, "test/%c/%02d.bmp", 'a' + i % 2, i);
    put_noise(name, i + 100);
  }
}

static config config_for(bool crops) {
  config c = config_of(SIDE, 3, 2);
  if (crops) c.data.augment.resized_crop[0] = 0.2, c.data.augment.resized_crop[1] = 0.9;
  return c;
}

enum { PIXELS = SIDE * SIDE * 3 };

static void sample(const data_set *d, const data_split *s, int i, const data_draw *draw, real *image) {
  unsigned char *scratch = mem_new(data_scratch(d), 1);
  data_sample(d, s, i, draw, image, NULL, scratch);
  mem_free(scratch);
}

static void assert_same_samples(const data_set *a, const data_set *b, const data_draw *draw) {
  const data_split *of_a[] = {&a->train, &a->test}, *of_b[] = {&b->train, &b->test};
  for (int k = 0; k < (draw ? 1 : 2); k++) {
    assert_int_equal(of_a[k]->n, of_b[k]->n);
    for (int i = 0; i < of_a[k]->n; i++) {
      real x[PIXELS], y[PIXELS];
      sample(a, of_a[k], i, draw, x);
      sample(b, of_b[k], i, draw, y);
      assert_memory_equal(x, y, sizeof x);
    }
  }
}

static data_set open_with(config *c, const char *cache_mib) {
  if (cache_mib)
    setenv("DYT_CACHE_MIB", cache_mib, 1);
  else
    unsetenv("DYT_CACHE_MIB");
  data_set d = open_ok(c);
  unsetenv("DYT_CACHE_MIB");
  return d;
}

/* Bytes of the pictures for training, as samples or as they are in the files. */
static size_t train_bytes(bool crops) {
  size_t bytes = 0;
  for (int i = 0; i < 2 * EACH; i++) bytes += crops ? (size_t)((9 + i % 12) * (20 - i % 7) * 3) : PIXELS;
  return bytes;
}

/* All kept; the test part alone (its 6 samples and those 20 for training need 1152 and 3840 bytes of 3984); none. */
static void test_memory_changes_no_sample(void **state) {
  (void)state;
  static const char *const mib[] = {"0.0038", "0"};
  put_pictures();
  for (int crops = 0; crops < 2; crops++) {
    config c = config_for(crops);
    data_set kept = open_with(&c, NULL);
    for (int k = 0; k < 2; k++) {
      data_set anew = open_with(&c, mib[k]);
      assert_string_equal(kept.fingerprint, anew.fingerprint);
      assert_int_equal(kept.bytes - anew.bytes, train_bytes(crops) + (k ? 6 * PIXELS : 0));
      assert_same_samples(&kept, &anew, NULL);
      assert_same_samples(&kept, &anew, &(data_draw){3, 1});
      err e = {0};
      assert_int_equal(data_check(&anew, &e), ST_OK);
      data_close(&anew);
    }
    data_close(&kept);
  }
}

static data_set open_on(config *c, int threads) {
  data_set d;
  err e = {0};
  work_pool *pool = work_new(threads, NULL, NULL);
  if (data_open(c, pool, &d, &e)) fail_msg("%s", e.text);
  work_free(pool);
  return d;
}

static void test_threads_change_nothing(void **state) {
  (void)state;
  put_pictures();
  put_below("train/a/07x.png", "no", 2);
  put_below("train/b/03x.png", "no", 2);
  config c = config_for(false);
  c.data.skip_bad = true;
  data_set one = open_on(&c, 1);
  assert_int_equal(one.train.n, 2 * EACH);
  for (int threads = 2; threads <= 5; threads++) {
    data_set more = open_on(&c, threads);
    assert_string_equal(one.fingerprint, more.fingerprint);
    assert_same_samples(&one, &more, NULL);
    data_close(&more);
  }
  data_close(&one);
  c.data.skip_bad = false;
  for (int round = 0; round < 20; round++) ASSERT_BAD(&c, "train/a/07x.png"); /* the first of the two */
}

/* A crop is torchvision's, of the picture in the file, by draws of its own; without a draw nothing is cropped. */
static void test_crops_are_of_the_file(void **state) {
  (void)state;
  put_pictures();
  config c = config_for(true), plain = config_for(false);
  data_set d = open_ok(&c), still = open_ok(&plain);
  assert_same_samples(&d, &still, NULL);
  assert_string_not_equal(d.fingerprint, still.fingerprint);
  for (int i = 0; i < d.train.n; i++) {
    char name[64];
    picture p;
    err e = {0};
    real got[PIXELS];
    unsigned char want[PIXELS];
    sample(&d, &d.train, i, &(data_draw){5, 7}, got);
    snprintf(name, sizeof name, "train/%c/%02d.bmp", 'a' + i / EACH, i % EACH * 2 + i / EACH);
    assert_int_equal(picture_read(in_folder(name), 3, &p, &e), ST_OK);
    rng r = rng_at(5, "resized_crop", 7, (uint64_t)i);
    void *work = mem_new(resize_room(p.height, p.width, 3, SIDE, SIDE), 1);
    resize_view whole = resize_whole(&p);
    resized_crop(&whole, c.data.augment.resized_crop, SIDE, RESIZE_BICUBIC, &r, work, want);
    for (int j = 0; j < PIXELS; j++)
      assert_int_equal(lround(got[j] * 255), want[j % (SIDE * SIDE) * 3 + j / (SIDE * SIDE)]);
    mem_free(work);
    picture_free(&p);
  }
  data_close(&d);
  data_close(&still);
}

/* ---- a file that changes while it is needed ---- */

static void assert_check_fails(const data_set *d, const char *name, const char *words) {
  err e = {0};
  assert_int_equal(data_check(d, &e), ST_USER);
  assert_int_equal(e.count, 1);
  assert_non_null(strstr(e.text, name));
  if (!strstr(e.text, words)) fail_msg("\"%s\" does not mention \"%s\"", e.text, words);
}

static void test_file_that_changes(void **state) {
  (void)state;
  put_pictures();
  for (int crops = 0; crops < 2; crops++) {
    config c = config_for(crops);
    data_set d = open_with(&c, "0");
    real image[PIXELS];
    put_noise("train/b/07.bmp", 7); /* the same again */
    for (int i = 0; i < d.train.n; i++) sample(&d, &d.train, i, &(data_draw){0, 0}, image);
    assert_int_equal(data_check(&d, NULL), ST_OK);
    put_bmp("train/b/07.bmp", 12, 12, 3);
    sample(&d, &d.train, EACH + 3, &(data_draw){0, 0}, image);
    for (int j = 0; j < PIXELS; j++) assert_true(image[j] == 0);
    assert_check_fails(&d, "train/b/07.bmp", "another picture than at the start");
    assert_int_equal(unlink(in_folder("train/a/04.bmp")), 0);
    sample(&d, &d.train, EACH + 3, NULL, image);
    sample(&d, &d.train, 2, NULL, image);
    assert_check_fails(&d, "train/a/04.bmp", "cannot be read"); /* the first by name of those that failed */
    data_close(&d);
    put_noise("train/b/07.bmp", 7);
    put_noise("train/a/04.bmp", 4);
  }
}

/* Takes a picture away in the second epoch, each of which has ten steps. */
static bool take_away(void *context, int64_t step, int64_t steps, double loss) {
  (void)steps, (void)loss;
  *(int64_t *)context = step;
  if (step == 11) assert_int_equal(unlink(in_folder("train/b/03.bmp")), 0);
  return false;
}

static bool watch(void *context, int64_t step, int64_t steps, double loss) {
  (void)context, (void)step, (void)steps, (void)loss;
  return false;
}

static st train(const char *config_file, const train_options *o, err *e) {
  config c;
  int number;
  *e = (err){0};
  assert_int_equal(config_load(in_folder(config_file), NULL, 0, &c, e), ST_OK);
  st code = train_run(&c, o, &number, e);
  config_free(&c);
  return code;
}

static file_bytes read_below(const char *name) {
  file_bytes b;
  err e = {0};
  if (file_read(in_folder(name), 1 << 20, &b, &e)) fail_msg("%s", e.text);
  return b;
}

/* The run that ends for a picture that is gone keeps its checkpoint; with the picture back it goes on, and ends as one that had
 * all in memory and no interruption. */
static void test_training_stops_and_goes_on(void **state) {
  (void)state;
  err e = {0};
  int64_t last = 0;
  put_pictures();
  char *text = mem_printf(
      "{ \"model\": { \"image_size\": 8, \"patch_size\": 4, \"dim\": 8, \"depth\": 1, \"heads\": 1 },"
      "  \"data\": { \"format\": \"imagefolder\", \"path\": \"%s\","
      "            \"augment\": { \"resized_crop\": [0.1, 1], \"hflip\": 0.5 } },"
      "  \"schedule\": { \"epochs\": 4 }, \"train\": { \"batch_size\": 2 } }",
      folder);
  put("c.json", text, strlen(text));
  mem_free(text);
  char *whole = mem_strdup(in_folder("whole")), *run = mem_strdup(in_folder("run"));
  assert_int_equal(k_init(NULL, &e), ST_OK);
  assert_int_equal(train("c.json", &(train_options){.run_dir = whole, .threads = 1, .watch = watch}, &e),
                   ST_OK);
  setenv("DYT_CACHE_MIB", "0", 1);
  assert_int_equal(
      train("c.json",
            &(train_options){.run_dir = run, .threads = 2, .watch = take_away, .watch_context = &last}, &e),
      ST_USER);
  assert_int_equal(e.count, 1);
  if (!strstr(e.text, "train/b/03.bmp: cannot be read")) fail_msg("%s", e.text);
  assert_true(last < 19); /* at the step that needed it, not at the epoch's end */
  file_bytes status = read_below("run/status.json");
  assert_non_null(strstr((char *)status.data, "\"failed\""));
  put_noise("train/b/03.bmp", 3);
  file_bytes at = read_below("run/checkpoints/last/state.json");
  assert_non_null(strstr((char *)at.data, "\"step\": 10,"));
  assert_int_equal(
      train("run/config.json", &(train_options){.resume = run, .threads = 2, .watch = watch}, &e), ST_OK);
  unsetenv("DYT_CACHE_MIB");
  file_bytes a = read_below("whole/checkpoints/last/model.safetensors"),
             b = read_below("run/checkpoints/last/model.safetensors");
  assert_true(a.size == b.size && memcmp(a.data, b.data, a.size) == 0);
  file_bytes *const read[] = {&status, &at, &a, &b};
  for (int i = 0; i < 4; i++) file_bytes_free(read[i]);
  mem_free(whole);
  mem_free(run);
}

static void test_bad_variable(void **state) {
  (void)state;
  put_pictures();
  config c = config_for(false);
  static const char *const bad[] = {"", "x", "-1", "1G", "nan"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    setenv("DYT_CACHE_MIB", bad[i], 1);
    ASSERT_BAD(&c, "DYT_CACHE_MIB", "expected the MiB");
  }
  unsetenv("DYT_CACHE_MIB");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST_IN_FOLDER(test_memory_changes_no_sample),   TEST_IN_FOLDER(test_threads_change_nothing),
      TEST_IN_FOLDER(test_crops_are_of_the_file),      TEST_IN_FOLDER(test_file_that_changes),
      TEST_IN_FOLDER(test_training_stops_and_goes_on), TEST_IN_FOLDER(test_bad_variable),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
