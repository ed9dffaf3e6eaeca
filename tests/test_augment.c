/* The random steps of augmentation: what they draw, how often, and that each does what its draws say (data/augment.h,
 * data/randaugment.h, data/erase.h). What single operations do: test_augment_ops. */
#include "data/augment_ops.h"
#include "data/erase.h"
#include "data/randaugment.h"
#include "data_support.h"
#include "statistics.h"

enum { SIDE = 9, CHANNELS = 3, BYTES = SIDE * SIDE * CHANNELS };

static augment opened(config_augment cfg) {
  return (augment){.size = {SIDE, SIDE, CHANNELS}, .fill = {120, 60, 30}, .cfg = cfg};
}

static void make_picture(int i, unsigned char *p) {
  for (int j = 0; j < BYTES; j++) p[j] = byte_of(i, j * (i + 3) / 2);
}

static void test_off_is_nothing(void **state) {
  (void)state;
  unsigned char in[BYTES], work[2 * BYTES];
  augment g = opened((config_augment){.mixup = 1, .cutmix = 1, .erase = 1}); /* those come later */
  rng r = rng_at(1, "augment", 0, 0), same = r;
  assert_ptr_equal(augment_apply(&g, in, &r, work), in);
  assert_int_equal(rng_u32(&r), rng_u32(&same));
}

/* ---- colour jitter ---- */

/* Three operations in the order that is drawn, each with its own factor. */
static void test_jitter_does_what_it_draws(void **state) {
  (void)state;
  static augment_op *const ops[] = {augment_brightness, augment_contrast, augment_saturation};
  enum { N = 3000 };
  int first[3] = {0};
  augment g = opened((config_augment){.color_jitter = 0.4});
  for (int i = 0; i < N; i++) {
    unsigned char in[BYTES], work[2 * BYTES], want[2][BYTES];
    int32_t order[3];
    make_picture(i, in);
    rng r = rng_at(5, "augment", 0, (uint64_t)i), copy = r;
    const unsigned char *got = augment_apply(&g, in, &r, work);
    rng_permutation(&copy, 3, order);
    memcpy(want[0], in, BYTES);
    for (int k = 0; k < 3; k++) {
      ops[order[k]](g.size, want[k % 2], want[1 - k % 2],
                    &(augment_arg){.value = 0.6 + 0.8 * rng_uniform(&copy)});
    }
    assert_memory_equal(got, want[1], BYTES);
    first[order[0]]++;
  }
  for (int k = 0; k < 3; k++) assert_true(deviations(first[k], N, 1.0 / 3) < 4);
}

static double jitter; /* color_jitter of the test below */
static double brightness_cdf(double factor) {
  double least = fmax(0, 1 - jitter);
  return fmin(1, fmax(0, (factor - least) / (1 + jitter - least)));
}

/* On a flat picture contrast and saturation do nothing, so that brightness shows: uniform from max(0, 1 - c) to 1 + c. */
static void test_jitter_factor_is_uniform(void **state) {
  (void)state;
  enum { N = 4000, GREY = 80 };
  static double factor[N];
  static const double all[] = {0.4, 1.5};
  for (int k = 0; k < 2; k++) {
    jitter = all[k];
    augment g = opened((config_augment){.color_jitter = jitter});
    for (int i = 0; i < N; i++) {
      unsigned char in[BYTES], work[2 * BYTES];
      memset(in, GREY, BYTES);
      rng r = rng_at(9, "augment", (uint64_t)k, (uint64_t)i);
      factor[i] = (augment_apply(&g, in, &r, work)[0] + 0.5) / GREY;
      assert_true(factor[i] > fmax(0, 1 - jitter) - 0.01 && factor[i] < 1 + jitter + 0.01);
    }
    double distance = kolmogorov(N, factor, brightness_cdf);
    print_message("color_jitter %g: distance of brightness from uniform %.2f\n", jitter, distance);
    assert_true(distance < 1.95);
  }
}

/* ---- RandAugment ---- */

typedef struct tally {
  int op[RANDAUGMENT_OPS], chosen, done, negative, with_sign, cubic, geometric;
  double sum, squares; /* of magnitudes */
  int drawn;
} tally;

static augment_op *op_named(const char *name) {
  static const struct {
    const char *name;
    augment_op *op;
  } all[] = {{"AutoContrast", augment_autocontrast},
             {"Equalize", augment_equalize},
             {"Invert", augment_invert},
             {"Rotate", augment_rotate},
             {"Posterize", augment_posterize},
             {"Solarize", augment_solarize},
             {"SolarizeAdd", augment_solarize_add},
             {"Color", augment_saturation},
             {"Contrast", augment_contrast},
             {"Brightness", augment_brightness},
             {"Sharpness", augment_sharpness},
             {"ShearX", augment_shear_x},
             {"ShearY", augment_shear_y},
             {"TranslateXRel", augment_translate_x},
             {"TranslateYRel", augment_translate_y}};
  for (int i = 0; i < RANDAUGMENT_OPS; i++)
    if (strcmp(all[i].name, name) == 0) return all[i].op;
  fail_msg("no operation %s", name);
  return NULL;
}

static bool is_geometric(const char *name) {
  return strstr(name, "Rotate") || strstr(name, "Shear") || strstr(name, "Translate");
}

/* Of the increasing set only the enhancements go either way. */
static bool has_sign(const char *name, bool increasing) {
  return is_geometric(name) || (increasing && (strstr(name, "Color") || strstr(name, "Contrast") == name ||
                                               strstr(name, "Brightness") || strstr(name, "Sharpness")));
}

/* One layer by the documented draws. */
static void one_layer(const augment *g, unsigned char *p, rng *r, tally *t) {
  const config_randaugment *c = &g->cfg.randaugment;
  int k = (int)rng_below(r, RANDAUGMENT_OPS), sign = 1;
  const char *name = randaugment_name(k);
  unsigned char in[BYTES];
  augment_arg a = {.fill = g->fill};
  double m = c->magnitude;
  t->op[k]++, t->chosen++;
  if (rng_uniform(r) >= 0.5) return;
  t->done++;
  if (c->std > 0) m += c->std * rng_normal(r);
  if (c->std > 0) t->sum += m, t->squares += m * m, t->drawn++;
  m = fmin(fmax(m, 0), 10);
  if (has_sign(name, c->increasing)) {
    sign = rng_uniform(r) >= 0.5 ? -1 : 1;
    t->with_sign++, t->negative += sign < 0;
  }
  if (is_geometric(name)) a.cubic = rng_uniform(r) >= 0.5, t->geometric++, t->cubic += a.cubic;
  a.value = randaugment_value(k, c->increasing, m, sign, g->size);
  memcpy(in, p, BYTES);
  if (!op_named(name)(g->size, in, p, &a)) memcpy(p, in, BYTES);
}

static void check_randaugment(config_randaugment c, tally *t) {
  enum { N = 8000 };
  augment g = opened((config_augment){.randaugment = c});
  *t = (tally){0};
  for (int i = 0; i < N; i++) {
    unsigned char in[BYTES], work[2 * BYTES], want[BYTES];
    make_picture(i, in);
    memcpy(want, in, BYTES);
    rng r = rng_at(3, "augment", 7, (uint64_t)i), copy = r;
    const unsigned char *got = augment_apply(&g, in, &r, work);
    for (int k = 0; k < c.layers; k++) one_layer(&g, want, &copy, t);
    assert_memory_equal(got, want, BYTES);
  }
  assert_int_equal(t->chosen, N * c.layers);
}

static void test_randaugment_does_what_it_draws(void **state) {
  (void)state;
  tally t;
  check_randaugment((config_randaugment){.layers = 3, .magnitude = 10}, &t);
  assert_int_equal(t.with_sign, t.geometric);
  check_randaugment((config_randaugment){.layers = 2, .magnitude = 9, .std = 0.5, .increasing = true}, &t);
  double chi2 = 0, mean = (double)t.chosen / RANDAUGMENT_OPS;
  for (int k = 0; k < RANDAUGMENT_OPS; k++) chi2 += (t.op[k] - mean) * (t.op[k] - mean) / mean;
  double m = t.sum / t.drawn, deviation = sqrt(t.squares / t.drawn - m * m);
  print_message(
      "operations: chi2 %.1f of 14; %d of %d done, %d of %d negative, %d of %d bicubic; magnitude %.3f +- %.3f\n",
      chi2, t.done, t.chosen, t.negative, t.with_sign, t.cubic, t.geometric, m, deviation);
  assert_true(chi2 < 36); /* 14 degrees of freedom: 0.1 % exceed 36 */
  assert_true(deviations(t.done, t.chosen, 0.5) < 4 && deviations(t.negative, t.with_sign, 0.5) < 4 &&
              deviations(t.cubic, t.geometric, 0.5) < 4);
  assert_true(fabs(m - 9) < 4 * 0.5 / sqrt(t.drawn) && fabs(deviation - 0.5) < 4 * 0.5 / sqrt(2.0 * t.drawn));
}

/* ---- erasing ---- */

typedef struct rectangle {
  int top, left, height, width;
} rectangle;

enum { WIDE = 40, TALL = 30 };

/* The rectangle of numbers that are not 1000, which must be all of them; height 0 if there is none. */
static rectangle find_rectangle(const real *image) {
  int top = TALL, left = WIDE, bottom = 0, right = 0, n = 0;
  for (int y = 0; y < TALL; y++)
    for (int x = 0; x < WIDE; x++) {
      if (image[y * WIDE + x] == 1000) continue;
      top = y < top ? y : top, left = x < left ? x : left;
      bottom = y + 1 > bottom ? y + 1 : bottom, right = x + 1 > right ? x + 1 : right;
      n++;
    }
  if (n == 0) return (rectangle){0};
  assert_int_equal(n, (bottom - top) * (right - left));
  return (rectangle){top, left, bottom - top, right - left};
}

static double normal_cdf(double x) { return 0.5 * erfc(-x / sqrt(2)); }
static double uniform_cdf(double x) { return x; }

static void test_erasing(void **state) {
  (void)state;
  enum { N = 6000, CHANNELS_HERE = 2, AREA = TALL * WIDE };
  augment_size s = {TALL, WIDE, CHANNELS_HERE};
  static real image[CHANNELS_HERE * AREA];
  static double noise[100000], place[N];
  int erased = 0, taller = 0, numbers = 0, places = 0;
  double area = 0;
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < CHANNELS_HERE * AREA; j++) image[j] = 1000;
    rng r = rng_at(2, "erase", 3, (uint64_t)i);
    erase(0.25, s, image, &r);
    rectangle b = find_rectangle(image), b2 = find_rectangle(image + AREA);
    assert_memory_equal(&b, &b2, sizeof b);
    if (b.height == 0) continue;
    double share = (double)b.height * b.width / AREA, aspect = (double)b.height / b.width;
    assert_true(share > 0.015 && share < 0.345 && aspect > 0.2 && aspect < 5);
    assert_true(b.height < TALL && b.width < WIDE);
    erased++, taller += b.height > b.width, area += share;
    rng u = rng_at(0, "jitter", 0, (uint64_t)i); /* whole places made continuous */
    place[places++] = (b.left + rng_uniform(&u)) / (WIDE - b.width + 1);
    for (int j = 0; j < AREA && numbers < 100000 && i % 8 == 0; j++)
      if (image[j] != 1000) noise[numbers++] = (double)image[j];
  }
  double normal = kolmogorov(numbers, noise, normal_cdf), even = kolmogorov(places, place, uniform_cdf);
  print_message(
      "%d of %d erased, mean area %.3f, %d taller than wide; %d numbers: distance from normal %.2f; of places %.2f\n",
      erased, N, area / erased, taller, numbers, normal, even);
  assert_true(deviations(erased, N, 0.25) < 4);
  assert_true(area / erased > 0.15 &&
              area / erased < 0.18); /* (0.02 + 1/3) / 2, less what is tried again as too tall */
  assert_true(normal < 1.95 && even < 1.95 && numbers > 10000);
  assert_true(taller > 0.35 * erased &&
              taller < 0.5 * erased); /* half of what is drawn; the tallest do not fit in 30 x 40 */
}

/* ---- through a data set ---- */

static data_set open_flat(config_augment a) {
  enum { N = 400 };
  str s = {0};
  unsigned char label[N] = {0};
  add_header(&s, 3, (const uint32_t[]){N, SIDE, SIDE});
  for (int i = 0; i < N * SIDE * SIDE; i++) str_add_bytes(&s, &(unsigned char){200}, 1);
  put("train-images-idx3-ubyte", s.data, s.len);
  put_labels(put, "train-labels-idx1-ubyte", N, label);
  put("t10k-images-idx3-ubyte", s.data, s.len);
  put_labels(put, "t10k-labels-idx1-ubyte", N, label);
  str_free(&s);
  config c = {.model = {.classes = 2},
              .data = {.format = "idx",
                       .path = folder,
                       .mean = {0.3},
                       .std = {0.5},
                       .n_mean = 1,
                       .n_std = 1,
                       .train_fraction = 1,
                       .augment = a}};
  return open_ok(&c);
}

/* What a shift uncovers has the data's mean: in a picture of 200 every other byte is 255 * 0.3 = 76.5, rounded to 76. */
static void test_fill_is_the_mean(void **state) {
  (void)state;
  data_set d = open_flat((config_augment){.randaugment = {.layers = 1, .magnitude = 10}});
  unsigned char *scratch = mem_new(data_scratch(&d), 1);
  int uncovered = 0;
  for (int i = 0; i < d.train.n; i++) {
    const unsigned char *p = data_picture(&d, &d.train, i, &(data_draw){0, 0}, scratch);
    int other = 0, covered = 0;
    for (int j = 0; j < SIDE * SIDE; j++) covered += p[j] == 200, other += p[j] == 76;
    uncovered += other && covered;
    if (covered && other + covered != SIDE * SIDE) fail_msg("picture %d has a third colour", i);
  }
  assert_true(deviations(uncovered, (int)d.train.n, 1.0 / 6) < 4); /* 5 of 15 operations, half of the time */
  mem_free(scratch);
  data_close(&d);
}

/* Noise stands among normalized numbers, it is a sample's own in an epoch, and evaluation has none. */
static void test_erasing_a_sample(void **state) {
  (void)state;
  data_set d = open_flat((config_augment){.erase = 1});
  unsigned char *scratch = mem_new(data_scratch(&d), 1);
  real a[SIDE * SIDE], b[SIDE * SIDE], plain = (real)((200 / 255.0 - 0.3) / 0.5);
  double sum = 0, squares = 0;
  int n = 0;
  for (int i = 0; i < d.train.n; i++) {
    data_sample(&d, &d.train, i, &(data_draw){4, 1}, a, NULL, scratch);
    data_sample(&d, &d.train, i, &(data_draw){4, 1}, b, NULL, scratch);
    assert_memory_equal(a, b, sizeof a);
    for (int j = 0; j < SIDE * SIDE; j++)
      if (fabs((double)(a[j] - plain)) > 1e-6)
        sum += (double)a[j], squares += (double)a[j] * (double)a[j], n++;
    data_sample(&d, &d.train, i, &(data_draw){4, 2}, b, NULL, scratch);
    assert_memory_not_equal(a, b, sizeof a);
    data_sample(&d, &d.train, i, NULL, b, NULL, scratch);
    for (int j = 0; j < SIDE * SIDE; j++) assert_true(fabs((double)(b[j] - plain)) < 1e-6);
  }
  assert_true(fabs(sum / n) < 4 / sqrt(n) && fabs(squares / n - 1) < 4 * sqrt(2.0 / n));
  mem_free(scratch);
  data_close(&d);
}

/* ---- speed ---- */

/* A picture of 32 x 32 x 3 with everything on, normalization and mixing not counted. */
static void test_speed(void **state) {
  (void)state;
  config c = {.model = {.image_size = 32, .channels = 3, .classes = 10},
              .data = {.format = "synthetic", .train_fraction = 1, .train_size = 200, .test_size = 10}};
  print_speed("32 x 32 x 3", &c, false);
  c.data.augment = (config_augment){.crop_padding = 4, .hflip = 0.5};
  print_speed("crop and flip", &c, true);
  c.data.augment.color_jitter = 0.4;
  print_speed("crop, flip, jitter", &c, true);
  c.data.augment.color_jitter = 0;
  c.data.augment.randaugment = (config_randaugment){2, 9, 0.5, true};
  print_speed("crop, flip, RandAugment", &c, true);
  c.data.augment.erase = 0.25;
  print_speed("crop, flip, RandAugment, erasing", &c, true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_off_is_nothing),
      cmocka_unit_test(test_jitter_does_what_it_draws),
      cmocka_unit_test(test_jitter_factor_is_uniform),
      cmocka_unit_test(test_randaugment_does_what_it_draws),
      cmocka_unit_test(test_erasing),
      TEST_IN_FOLDER(test_fill_is_the_mean),
      TEST_IN_FOLDER(test_erasing_a_sample),
      cmocka_unit_test(test_speed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
