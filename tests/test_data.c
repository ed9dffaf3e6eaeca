/* Folders of IDX files, splits, order and augmentation (dyt/data.h). */
#include "data_support.h"
#include "dyt/rng.h"

#include <math.h>
#include <string.h>

enum { TRAIN = 103, TESTS = 11, SIDE = 5 };

/* Uneven classes, none of number 2: 0 (61 samples), 1 (31), 3 (11). */
static unsigned char label_of(int i) { return i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 3; }

static void put_set(void) {
  unsigned char label[TRAIN];
  for (int i = 0; i < TRAIN; i++) label[i] = label_of(i);
  put_images(put, "train-images-idx3-ubyte", TRAIN, SIDE, SIDE);
  put_labels(put_gz, "train-labels-idx1-ubyte.gz", TRAIN, label);
  put_images(put_gz, "t10k-images-idx3-ubyte.gz", TESTS, SIDE, SIDE);
  put_labels(put, "t10k-labels-idx1-ubyte", TESTS, label);
}

static config config_of(const char *format) {
  return (config){.model = {.family = "vit", .image_size = SIDE, .channels = 1, .classes = 4},
                  .data = {.format = format,
                           .path = folder,
                           .mean = {0.25},
                           .std = {0.5},
                           .n_mean = 1,
                           .n_std = 1,
                           .train_fraction = 1,
                           .train_size = 400,
                           .test_size = 100}};
}

/* ---- a folder of them ---- */

static void test_idx_folder(void **state) {
  (void)state;
  put_set();
  config c = config_of("idx");
  c.data.mean[0] = 0.3, c.data.std[0] = 0.7;
  data_set d = open_ok(&c);
  assert_true(d.height == SIDE && d.width == SIDE && d.channels == 1 && d.classes == 4);
  assert_true(d.train.n == TRAIN && d.val.n == 0 && d.test.n == TESTS);
  assert_string_equal(d.class_names[3], "3");
  assert_true(d.bytes >= (TRAIN + TESTS) * SIDE * SIDE);
  real image[SIDE * SIDE], target[4];
  unsigned char *scratch = mem_new(data_scratch(&d), 1);
  for (int i = 0; i < TRAIN; i++) {
    data_sample(&d, &d.train, i, NULL, image, target, scratch);
    assert_int_equal(d.train.index[i], i);
    assert_int_equal(d.train.label[i], label_of(i));
    for (int j = 0; j < SIDE * SIDE; j++)
      assert_true(fabs(image[j] - (byte_of(i, j) / 255.0 - 0.3) / 0.7) < 1e-6);
    for (int k = 0; k < 4; k++) assert_true(target[k] == (k == label_of(i)));
  }
  mem_free(scratch);
  data_close(&d);
}

static void test_plain_is_preferred(void **state) {
  (void)state;
  put_set();
  put("train-images-idx3-ubyte.gz", "nonsense", 8);
  config c = config_of("idx");
  data_set d = open_ok(&c);
  data_close(&d);
}

static void test_folder_bad(void **state) {
  (void)state;
  config c = config_of("idx");
  c.data.path = NULL;
  ASSERT_BAD(&c, "data.path", "scripts/fetch_data.sh");
  c.data.path = in_folder("mnist");
  ASSERT_BAD(&c, c.data.path, "no such folder", "scripts/fetch_data.sh mnist");
  c.data.path = folder;
  ASSERT_BAD(&c, "train-images-idx3-ubyte", ".gz", "scripts/fetch_data.sh fashion-mnist");
  put_set();
  unsigned char label[TRAIN] = {0};
  put_labels(put, "t10k-labels-idx1-ubyte", TESTS - 1, label);
  ASSERT_BAD(&c, "t10k-labels-idx1-ubyte", "10 labels", "t10k-images-idx3-ubyte.gz", "11 pictures");
  put_labels(put, "t10k-labels-idx1-ubyte", TESTS, label);
  put_images(put, "t10k-images-idx3-ubyte", TESTS, SIDE + 1, SIDE + 1);
  ASSERT_BAD(&c, "t10k-images-idx3-ubyte", "6 x 6", "5 x 5");
  put_images(put, "t10k-images-idx3-ubyte", TESTS, SIDE, SIDE + 1);
  put_images(put, "train-images-idx3-ubyte", TRAIN, SIDE, SIDE + 1);
  ASSERT_BAD(&c, folder, "5 x 6", "square");
}

static void test_config_does_not_fit(void **state) {
  (void)state;
  put_set();
  config c = config_of("idx");
  c.model.image_size = 28;
  ASSERT_BAD(&c, "model.image_size: 28", "5 x 5");
  c = config_of("idx"), c.model.channels = 3;
  ASSERT_BAD(&c, "model.channels: 3", "have 1");
  put_labels(put, "t10k-labels-idx1-ubyte", TESTS, (const unsigned char[TESTS]){0});
  c = config_of("idx"), c.model.classes = 3;
  ASSERT_BAD(&c, "train-labels-idx1-ubyte.gz", "label 3 of sample 9", "model.classes is 3", "0 to 2");
  c = config_of("idx"), c.data.n_mean = 3;
  ASSERT_BAD(&c, "data.mean: 3 values", "1 channel");
  c = config_of("idx"), c.data.n_std = 2;
  ASSERT_BAD(&c, "data.std: 2 values");
  c = config_of("idx"), c.data.class_names = (const char *[]){"a", "b"}, c.data.n_class_names = 2;
  ASSERT_BAD(&c, "data.class_names: 2", "4 classes");
  c = config_of("idx"), c.data.val_size = TRAIN;
  ASSERT_BAD(&c, "data.val_size: 103", "103 training pictures");
}

/* Keys that are null get what the data say. */
static void test_null_keys_are_filled(void **state) {
  (void)state;
  put_set();
  config c = load_config("idx", "\"model\": {\"patch_size\": 1}, ");
  data_set d = open_ok(&c);
  assert_true(c.model.image_size == SIDE && c.model.channels == 1 && c.model.classes == 4);
  data_close(&d);
  config_free(&c);
}

static void test_class_names(void **state) {
  (void)state;
  put_set();
  config c = config_of("idx");
  c.data.class_names = (const char *[]){"shirt", "shoe", "bag", "coat"}, c.data.n_class_names = 4;
  data_set d = open_ok(&c);
  assert_string_equal(d.class_names[0], "shirt");
  assert_string_equal(d.class_names[3], "coat");
  data_close(&d);
}

/* Of a split's pixels, from 0 to 1. */
static void naive_moments(const data_set *d, const data_split *s, double *mean, double *std) {
  real image[SIDE * SIDE];
  unsigned char *scratch = mem_new(data_scratch(d), 1);
  double sum = 0, square = 0, n = (double)s->n * SIDE * SIDE;
  for (int pass = 0; pass < 2; pass++)
    for (int64_t i = 0; i < s->n; i++) {
      data_sample(d, s, i, NULL, image, NULL, scratch);
      for (int j = 0; j < SIDE * SIDE; j++) {
        double v = round(((double)image[j] / (double)d->inv_std[0] + (double)d->mean[0]) * 255) / 255;
        sum += pass ? 0 : v;
        square += pass ? (v - sum / n) * (v - sum / n) : 0;
      }
    }
  *mean = sum / n, *std = sqrt(square / n);
  mem_free(scratch);
}

/* "auto": of the images that are trained on, not of those held out or left out, nor of the test. */
static void test_auto_normalization(void **state) {
  (void)state;
  put_set();
  config c = config_of("idx");
  double mean, std, first;
  c.data.val_size = 20, c.data.train_fraction = 0.5, c.data.n_mean = c.data.n_std = 0;
  data_set d = open_ok(&c);
  naive_moments(&d, &d.train, &mean, &std);
  assert_true(c.data.n_mean == 1 && c.data.n_std == 1);
  assert_true(fabs(c.data.mean[0] - mean) < 1e-12 && fabs(c.data.std[0] - std) < 1e-12);
  assert_true((double)d.mean[0] == (double)(real)c.data.mean[0]);
  first = c.data.mean[0];
  data_close(&d);
  c.data.n_mean = 0, c.data.std[0] = 3, c.train.seed = 8; /* alone, of other images */
  d = open_ok(&c);
  assert_true(c.data.mean[0] != first && c.data.std[0] == 3);
  data_close(&d);
  static const unsigned char label[TRAIN] = {0, 1, 2, 3};
  unsigned char *flat = mem_new(16 + TRAIN * SIDE * SIDE, 1);
  const unsigned char head[16] = {0, 0, 8, 3, 0, 0, 0, TRAIN, 0, 0, 0, SIDE, 0, 0, 0, SIDE};
  memcpy(flat, head, sizeof head);
  put("train-images-idx3-ubyte", flat, 16 + TRAIN * SIDE * SIDE);
  put_labels(put, "train-labels-idx1-ubyte", TRAIN, label);
  c.data.n_std = 0;
  ASSERT_BAD(&c, "data.std: \"auto\"", "channel 0", "expected a number");
  mem_free(flat);
}

/* A data set without samples normalizes and names as the one it stands for. */
static void test_recall(void **state) {
  (void)state;
  err e = {0};
  data_set d;
  config c = config_of("synthetic");
  c.data.n_mean = c.data.n_std = 0; /* this format's own */
  c.model.image_size = 4, c.model.channels = 1, c.model.classes = 3;
  assert_int_equal(data_recall(&c, &d, &e), ST_OK);
  assert_true(d.height == 4 && d.width == 4 && d.channels == 1 && d.classes == 3 && d.test.n == 0);
  assert_string_equal(d.class_names[2], "2");
  real image[16];
  data_normalize(&d, (const unsigned char[16]){0, 255}, image);
  assert_true(image[0] == (real)(-0.5 / 0.21) && image[1] == (real)(0.5 / 0.21));
  data_close(&d);
  c.data.format = "idx", c.model.classes = 0;
  assert_int_equal(data_recall(&c, &d, &e), ST_USER);
  assert_int_equal(e.count, 1);
  assert_non_null(strstr(e.text, "model.classes, data.mean, data.std: left to the data"));
}

static void test_fingerprint(void **state) {
  (void)state;
  put_set();
  config c = config_of("idx");
  char first[17];
  data_set d = open_ok(&c);
  memcpy(first, d.fingerprint, sizeof first);
  assert_int_equal(strlen(first), 16);
  data_close(&d);
  c.data.val_size = 20, c.data.train_fraction = 0.5, c.train.seed = 7; /* the same data, cut otherwise */
  d = open_ok(&c);
  assert_string_equal(first, d.fingerprint);
  data_close(&d);
  unsigned char label[TESTS] = {1};
  put_labels(put, "t10k-labels-idx1-ubyte", TESTS, label);
  d = open_ok(&c);
  assert_string_not_equal(first, d.fingerprint);
  data_close(&d);
}

/* ---- splits ---- */

static bool contains(const data_split *s, int32_t index) {
  for (int64_t i = 0; i < s->n; i++)
    if (s->index[i] == index) return true;
  return false;
}

static void assert_ascending_and_labelled(const data_split *s) {
  for (int64_t i = 0; i < s->n; i++) {
    assert_true(i == 0 || s->index[i - 1] < s->index[i]);
    assert_int_equal(s->label[i], label_of(s->index[i]));
  }
}

static void test_validation_split(void **state) {
  (void)state;
  put_set();
  for (int size = 0; size < TRAIN; size++) {
    config c = config_of("idx");
    c.data.val_size = size;
    data_set d = open_ok(&c);
    assert_true(d.val.n == size && d.train.n == TRAIN - size && d.test.n == TESTS);
    assert_ascending_and_labelled(&d.val);
    assert_ascending_and_labelled(&d.train);
    for (int i = 0; i < TRAIN; i++) assert_true(contains(&d.val, i) != contains(&d.train, i));
    for (int k = 0; k < 4; k++) {
      double share = (double)size * (count_of(&d.val, k) + count_of(&d.train, k)) / TRAIN;
      assert_true(fabs(count_of(&d.val, k) - share) < 1);
    }
    data_close(&d);
  }
}

static bool same(const data_split *a, const data_split *b) {
  return a->n == b->n && memcmp(a->index, b->index, (size_t)a->n * sizeof *a->index) == 0;
}

static void test_seeds_of_splits(void **state) {
  (void)state;
  put_set();
  config c = config_of("idx");
  c.data.val_size = 20, c.data.train_fraction = 0.5;
  data_set d = open_ok(&c);
  c.train.seed = 1;
  data_set other_seed = open_ok(&c);
  assert_true(same(&d.val, &other_seed.val));
  assert_false(same(&d.train, &other_seed.train));
  c.data.split_seed = 1;
  data_set other_split = open_ok(&c);
  assert_false(same(&d.val, &other_split.val));
  data_close(&d);
  data_close(&other_seed);
  data_close(&other_split);
}

static void test_train_fraction_is_nested(void **state) {
  (void)state;
  put_set();
  config c = config_of("idx");
  c.data.val_size = 13, c.data.train_fraction = 0.0001;
  data_set small = open_ok(&c);
  assert_int_equal(small.train.n, 1); /* never none */
  for (int want = 2; want <= TRAIN - 13; want++) {
    c.data.train_fraction = want / 90.0;
    data_set d = open_ok(&c);
    assert_int_equal(d.train.n, want);
    assert_ascending_and_labelled(&d.train);
    for (int64_t i = 0; i < small.train.n; i++) assert_true(contains(&d.train, small.train.index[i]));
    for (int64_t i = 0; i < d.train.n; i++) assert_false(contains(&d.val, d.train.index[i]));
    data_close(&small);
    small = d;
  }
  data_close(&small);
}

static void test_order(void **state) {
  (void)state;
  enum { N = 257 };
  int32_t a[N], b[N];
  bool seen[N] = {false};
  data_order(3, 0, N, a);
  for (int i = 0; i < N; i++) {
    assert_true(a[i] >= 0 && a[i] < N && !seen[a[i]]);
    seen[a[i]] = true;
  }
  data_order(3, 0, N, b);
  assert_memory_equal(a, b, sizeof a);
  data_order(3, 1, N, b);
  assert_memory_not_equal(a, b, sizeof a);
  data_order(4, 0, N, b);
  assert_memory_not_equal(a, b, sizeof a);
  data_order(3, 0, 1, b);
  assert_int_equal(b[0], 0);
}

/* ---- augmentation ---- */

/* Opens the test set with normalization off, so that a value times 255 is the byte. */
static data_set open_bytes(int crop, double hflip) {
  put_set();
  config c = config_of("idx");
  c.data.mean[0] = 0, c.data.std[0] = 1;
  c.data.augment = (config_augment){.crop_padding = crop, .hflip = hflip};
  return open_ok(&c);
}

static void sample_bytes(const data_set *d, int i, const data_draw *draw, unsigned char *out) {
  real image[SIDE * SIDE];
  unsigned char *scratch = mem_new(data_scratch(d), 1);
  data_sample(d, &d->train, i, draw, image, NULL, scratch);
  for (int j = 0; j < SIDE * SIDE; j++) out[j] = (unsigned char)lround(image[j] * 255);
  mem_free(scratch);
}

/* The byte at (y, x) of picture i, 0 outside. */
static unsigned char byte_at(int i, int y, int x) {
  return y >= 0 && y < SIDE && x >= 0 && x < SIDE ? byte_of(i, y * SIDE + x) : 0;
}

/* Every picture equals the documented window and mirror of the documented draws; padding wider than the
 * picture too. */
static void test_augmentation_is_exact(void **state) {
  (void)state;
  const int pads[] = {0, 1, 2, 9};
  int mirrored = 0;
  for (size_t p = 0; p < sizeof pads / sizeof pads[0]; p++) {
    data_set d = open_bytes(pads[p], 0.5);
    for (int i = 0; i < TRAIN; i++) {
      unsigned char got[SIDE * SIDE];
      sample_bytes(&d, i, &(data_draw){11, 4}, got);
      rng r = rng_at(11, "augment", 4, (uint64_t)i);
      int top = 0, left = 0;
      if (pads[p]) top = (int)rng_below(&r, (uint32_t)(2 * pads[p] + 1)) - pads[p];
      if (pads[p]) left = (int)rng_below(&r, (uint32_t)(2 * pads[p] + 1)) - pads[p];
      bool flip = rng_uniform(&r) < 0.5;
      mirrored += flip;
      for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
          assert_int_equal(got[y * SIDE + x], byte_at(i, y + top, (flip ? SIDE - 1 - x : x) + left));
    }
    data_close(&d);
  }
  assert_true(mirrored > TRAIN && mirrored < 3 * TRAIN); /* of 4 TRAIN */
}

static void test_crop_offsets_are_uniform(void **state) {
  (void)state;
  enum { PAD = 2, EPOCHS = 5000, PLACES = (2 * PAD + 1) * (2 * PAD + 1) };
  data_set d = open_bytes(PAD, 0);
  int seen[PLACES] = {0};
  for (int epoch = 0; epoch < EPOCHS; epoch++) {
    unsigned char got[SIDE * SIDE];
    sample_bytes(&d, 0, &(data_draw){0, (uint64_t)epoch}, got);
    /* The bytes of picture 0 all differ: the centre, which is never padding, tells the offset. */
    int j = 0;
    while (byte_of(0, j) != got[SIDE * SIDE / 2]) j++;
    int y = j / SIDE - SIDE / 2 + PAD, x = j % SIDE - SIDE / 2 + PAD;
    seen[y * (2 * PAD + 1) + x]++;
  }
  double chi2 = 0, mean = (double)EPOCHS / PLACES;
  for (int i = 0; i < PLACES; i++) chi2 += (seen[i] - mean) * (seen[i] - mean) / mean;
  assert_true(chi2 < 51); /* 24 degrees of freedom: 0.1 % exceed 51 */
  data_close(&d);
}

static void test_draws_depend_on_seed_epoch_sample(void **state) {
  (void)state;
  data_set d = open_bytes(2, 0.5);
  unsigned char a[TRAIN][SIDE * SIDE], b[SIDE * SIDE];
  int by_epoch = 0, by_seed = 0;
  for (int i = 0; i < TRAIN; i++) sample_bytes(&d, i, &(data_draw){5, 2}, a[i]);
  for (int i = TRAIN - 1; i >= 0; i--) {
    sample_bytes(&d, i, &(data_draw){5, 2}, b);
    assert_memory_equal(a[i], b, sizeof b);
    sample_bytes(&d, i, &(data_draw){5, 3}, b);
    by_epoch += memcmp(a[i], b, sizeof b) != 0;
    sample_bytes(&d, i, &(data_draw){6, 2}, b);
    by_seed += memcmp(a[i], b, sizeof b) != 0;
  }
  assert_true(by_epoch > TRAIN * 8 / 10 && by_seed > TRAIN * 8 / 10);
  data_close(&d);
}

/* A sample keeps its draws when the split around it changes: they follow its number among the stored samples.
 */
static void test_draws_survive_another_split(void **state) {
  (void)state;
  put_set();
  config c = config_of("idx");
  c.data.augment = (config_augment){.crop_padding = 2, .hflip = 0.5};
  data_set all = open_ok(&c);
  c.data.val_size = 50;
  data_set some = open_ok(&c);
  real a[SIDE * SIDE], b[SIDE * SIDE];
  unsigned char *scratch = mem_new(data_scratch(&all), 1);
  for (int64_t i = 0; i < some.train.n; i++) {
    data_sample(&all, &all.train, some.train.index[i], &(data_draw){1, 1}, a, NULL, scratch);
    data_sample(&some, &some.train, i, &(data_draw){1, 1}, b, NULL, scratch);
    assert_memory_equal(a, b, sizeof a);
  }
  mem_free(scratch);
  data_close(&all);
  data_close(&some);
}

/* ---- speed ---- */

static void test_speed(void **state) {
  (void)state;
  unsigned char label[400] = {0};
  put_images(put, "train-images-idx3-ubyte", 400, 28, 28);
  put_labels(put, "train-labels-idx1-ubyte", 400, label);
  put_images(put, "t10k-images-idx3-ubyte", 1, 28, 28);
  put_labels(put, "t10k-labels-idx1-ubyte", 1, label);
  config c = config_of("idx");
  c.model.image_size = 28, c.model.classes = 10;
  c.data.augment = (config_augment){.crop_padding = 2, .hflip = 0.5};
  print_speed("idx 28 x 28", &c, false);
  print_speed("idx 28 x 28, crop and flip", &c, true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST_IN_FOLDER(test_idx_folder),
      TEST_IN_FOLDER(test_plain_is_preferred),
      TEST_IN_FOLDER(test_folder_bad),
      TEST_IN_FOLDER(test_config_does_not_fit),
      TEST_IN_FOLDER(test_null_keys_are_filled),
      TEST_IN_FOLDER(test_class_names),
      TEST_IN_FOLDER(test_auto_normalization),
      cmocka_unit_test(test_recall),
      TEST_IN_FOLDER(test_fingerprint),
      TEST_IN_FOLDER(test_validation_split),
      TEST_IN_FOLDER(test_seeds_of_splits),
      TEST_IN_FOLDER(test_train_fraction_is_nested),
      TEST_IN_FOLDER(test_order),
      TEST_IN_FOLDER(test_augmentation_is_exact),
      TEST_IN_FOLDER(test_crop_offsets_are_uniform),
      TEST_IN_FOLDER(test_draws_depend_on_seed_epoch_sample),
      TEST_IN_FOLDER(test_draws_survive_another_split),
      TEST_IN_FOLDER(test_speed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
