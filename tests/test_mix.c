/* Mixup and cutmix: Beta draws, boxes, pairs, targets, and the feed that mixes a batch (dyt/mix.h, dyt/feed.h). */
#include "data_support.h"
#include "statistics.h"

#include "dyt/feed.h"
#include "dyt/ops.h"
#include "dyt/rng.h"

#include <math.h>

/* ---- draws ---- */

static double arcsine_cdf(double x) { return 2 / 3.14159265358979323846 * asin(sqrt(x)); }
static double uniform_cdf(double x) { return x; }
static double parabola_cdf(double x) { return x * x * (3 - 2 * x); }
static double normal_cdf(double x) { return 0.5 * erfc(-x / sqrt(2)); }

/* Distribution functions that are known, then moments: mean 1/2, variance 1/(4 (2 a + 1)), kurtosis 3 - 6/(2 a + 3). */
static void test_beta(void **state) {
  (void)state;
  enum { N = 20000 };
  static const struct {
    double a;
    double (*cdf)(double);
  } cases[] = {{0.5, arcsine_cdf}, {1, uniform_cdf}, {2, parabola_cdf}, {0.01, NULL},
               {0.2, NULL},        {0.8, NULL},      {30, NULL}};
  static double x[N];
  for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
    double a = cases[k].a, sum = 0, squares = 0, variance = 1 / (4 * (2 * a + 1));
    for (int i = 0; i < N; i++) {
      rng r = rng_at(1, "beta", k, (uint64_t)i);
      x[i] = rng_beta(&r, a);
      assert_true(x[i] >= 0 && x[i] <= 1);
      sum += x[i], squares += (x[i] - 0.5) * (x[i] - 0.5);
    }
    double spread = variance * sqrt((2 - 6 / (2 * a + 3)) / N); /* deviation of the measured variance */
    assert_true(fabs(sum / N - 0.5) < 4 * sqrt(variance / N));
    if (fabs(squares / N - variance) > 4 * spread + 1e-9)
      fail_msg("Beta(%g): variance %g, expected %g", a, squares / N, variance);
    if (cases[k].cdf) assert_true(kolmogorov(N, x, cases[k].cdf) < 1.95);
  }
  rng r = rng_at(1, "beta", 0, 0);
  for (int i = 0; i < 100; i++) assert_true(isfinite(rng_beta(&r, i % 2 ? 1e-320 : 1000)));
}

static void test_normals(void **state) {
  (void)state;
  enum { N = 20001 };
  static real drawn[N + 1];
  static double x[N], product;
  rng r = rng_at(1, "normals", 0, 0);
  drawn[N] = 7;
  rng_normals(&r, N, drawn); /* an odd number */
  assert_true(drawn[N] == 7);
  for (int i = 0; i < N; i++) x[i] = (double)drawn[i];
  for (int i = 0; i + 1 < N; i += 2) product += x[i] * x[i + 1];
  assert_true(fabs(product / (N / 2)) < 4 / sqrt(N / 2)); /* the two of a pair do not know of each other */
  assert_true(kolmogorov(N, x, normal_cdf) < 1.95);
}

static mix draw(const config_augment *a, int i) { return mix_draw(a, 24, 32, 5, 1, (uint64_t)i); }

static void test_how_often(void **state) {
  (void)state;
  enum { N = 4000 };
  config_augment a = {.mixup = 0.8, .cutmix = 1, .mixup_prob = 0.7, .mixup_switch = 0.3};
  int mixed = 0, cut = 0;
  for (int i = 0; i < N; i++) {
    mix m = draw(&a, i);
    if (m.lambda == 1 && !m.cut) continue;
    mixed++, cut += m.cut;
  }
  assert_true(deviations(mixed, N, 0.7) < 4 && deviations(cut, mixed, 0.3) < 4);
  a = (config_augment){
      .mixup = 1000, .cutmix = 1, .mixup_prob = 1, .mixup_switch = 0.5}; /* each has its own alpha */
  int small = 0;
  for (int i = 0; i < 200; i++) {
    mix m = draw(&a, i);
    small += m.cut && m.lambda < 0.4;
    assert_true(m.cut || fabs(m.lambda - 0.5) < 0.1);
  }
  assert_true(small > 10);
  config_augment only[] = {{.mixup = 0.8, .mixup_prob = 1, .mixup_switch = 1},
                           {.cutmix = 0.8, .mixup_prob = 1, .mixup_switch = 0},
                           {.mixup = 0.8, .mixup_prob = 0},
                           {.mixup_prob = 1}};
  for (int i = 0; i < 100; i++) {
    assert_false(draw(&only[0], i).cut);
    assert_true(draw(&only[1], i).cut);
    for (int k = 0; k < 4; k++) assert_true(draw(&only[k], i).lambda == 1 || k < 2);
  }
  for (int k = 0; k < 4; k++) assert_int_equal(mix_is_on(&only[k]), k < 2);
}

static void test_share_of_mixup(void **state) {
  (void)state;
  enum { N = 4000 };
  config_augment a = {.mixup = 0.5, .mixup_prob = 1};
  static double x[N];
  for (int i = 0; i < N; i++) x[i] = draw(&a, i).lambda;
  assert_true(kolmogorov(N, x, arcsine_cdf) < 1.95);
}

/* The box by timm's formula from the documented draws; lambda is what it leaves. */
static void test_boxes(void **state) {
  (void)state;
  enum { N = 4000, H = 24, W = 32 };
  config_augment a = {.cutmix = 1, .mixup_prob = 1};
  int inside[H * W] = {0}, clipped = 0;
  for (int i = 0; i < N; i++) {
    mix m = draw(&a, i);
    rng r = rng_at(5, "mix", 1, (uint64_t)i);
    rng_uniform(&r);
    double lambda = rng_beta(&r, 1);
    int tall = (int)(H * sqrt(1 - lambda)), wide = (int)(W * sqrt(1 - lambda));
    int y = (int)rng_below(&r, H), x = (int)rng_below(&r, W);
    int top = y - tall / 2, left = x - wide / 2, area = 0;
    for (int j = 0; j < H * W; j++) {
      bool in = j / W >= top && j / W < top + tall && j % W >= left && j % W < left + wide;
      bool got = j / W >= m.top && j / W < m.bottom && j % W >= m.left && j % W < m.right;
      assert_int_equal(in, got);
      area += in, inside[j] += in;
    }
    clipped += area < tall * wide;
    assert_true(fabs(m.lambda - (1 - (double)area / (H * W))) < 1e-12);
  }
  assert_true(clipped > N / 4 && inside[0] > 0 && inside[H * W - 1] > 0 && inside[H * W / 2] > inside[0]);
}

static void test_draws_depend_on_seed_epoch_batch(void **state) {
  (void)state;
  config_augment a = {.mixup = 0.8, .mixup_prob = 1};
  double first = mix_draw(&a, 8, 8, 1, 2, 3).lambda;
  assert_true(mix_draw(&a, 8, 8, 1, 2, 3).lambda == first);
  assert_true(mix_draw(&a, 8, 8, 2, 2, 3).lambda != first && mix_draw(&a, 8, 8, 1, 3, 3).lambda != first &&
              mix_draw(&a, 8, 8, 1, 2, 4).lambda != first);
}

/* ---- targets ---- */

/* A mixed target and the loss with smoothing, against timm's mixup_target and SoftTargetCrossEntropy. */
static void test_loss_like_timm(void **state) {
  (void)state;
  enum { K = 5 };
  file_bytes cases;
  err e = {0};
  if (file_read("tests/reference/augment/mixed.txt", 1 << 20, &cases, &e)) fail_msg("%s", e.text);
  double share, smoothing, z[K], want;
  int label, other, used, seen = 0;
  for (const char *line = (char *)cases.data;
       sscanf(line, "%lf %d %d %lf %lf %lf %lf %lf %lf %lf\n%n", &share, &label, &other, &smoothing, &z[0],
              &z[1], &z[2], &z[3], &z[4], &want, &used) == 10;
       line += used, seen++) {
    real logits[K], target[K] = {0}, partner[K] = {0}, loss;
    for (int k = 0; k < K; k++) logits[k] = (real)z[k];
    target[label] = 1, partner[other] = 1;
    mix_targets(&(mix){.lambda = share}, K, partner, target);
    double sum = 0;
    for (int k = 0; k < K; k++) sum += (double)target[k];
    assert_true(fabs(sum - 1) < 1e-6);
    op_cross_entropy_attr attr = {smoothing};
    tensor in[OP_IN_MAX] = {{.s = SHAPE(1, K), .x = logits}, {.s = SHAPE(1, K), .x = target}};
    tensor out = {.s = SHAPE(1), .x = &loss};
    op_cross_entropy.forward(&(op_call){.in = in, .out = &out, .attr = &attr});
    if (fabs((double)loss - want) > 2e-6)
      fail_msg("case %d: loss %.7f, expected %.7f", seen, (double)loss, want);
  }
  assert_int_equal(seen, 15);
  file_bytes_free(&cases);
}

/* ---- a batch through the feed ---- */

enum { SAMPLES = 60, SIDE = 8, CLASSES = 10, NUMBERS = 3 * SIDE * SIDE, STEP = 23, BATCH = 10 };

static data_set open_mixing(config_augment a) {
  config c = {
      .model = {.image_size = SIDE, .channels = 3, .classes = CLASSES},
      .data = {
          .format = "synthetic", .train_fraction = 1, .train_size = SAMPLES, .test_size = 10, .augment = a}};
  return open_ok(&c);
}

static const config_augment everything = {.crop_padding = 1,
                                          .hflip = 0.5,
                                          .randaugment = {2, 9, 0.5, true},
                                          .erase = 0.5,
                                          .mixup = 0.8,
                                          .cutmix = 1,
                                          .mixup_prob = 1,
                                          .mixup_switch = 0.5};

typedef struct batch {
  real image[STEP * NUMBERS], target[STEP * CLASSES];
} batch;

/* A step of STEP samples in batches of BATCH, of which the first is number `first` of the epoch, by so many workers. */
static void fill_batch(const data_set *d, int threads, uint64_t epoch, int64_t first, const int32_t *order,
                       batch *out) {
  feed f;
  err e = {0};
  work_pool *pool = work_new(threads, NULL, NULL);
  feed_open(&f, d, threads);
  assert_int_equal(feed_open_mix(&f, BATCH, STEP, &e), ST_OK);
  feed_split(&f, &d->train, order, &(data_draw){7, epoch});
  feed_prepare(&f, pool, first, STEP);
  for (int i = 0, n; i < STEP; i += n) { /* in pieces that are no batches */
    n = STEP - i < 7 ? STEP - i : 7;
    f.engine.fill(f.engine.context, i, n,
                  (real *const[]){out->image + i * NUMBERS, out->target + i * CLASSES}, threads - 1);
  }
  assert_true(feed_mix_bytes(&f) > 0 || !mix_is_on(&d->augment));
  feed_close(&f);
  work_free(pool);
}

/* Single samples, mixed by hand in batches of 10, 10 and 3. */
static void mix_by_hand(const data_set *d, uint64_t epoch, int64_t first, const int32_t *order, batch *out) {
  static batch plain;
  unsigned char *scratch = mem_new(data_scratch(d), 1);
  for (int i = 0; i < STEP; i++)
    data_sample(d, &d->train, order[i], &(data_draw){7, epoch}, plain.image + i * NUMBERS,
                plain.target + i * CLASSES, scratch);
  *out = plain;
  for (int i = 0; i < STEP; i++) {
    int b = i / BATCH, j = b == 2 ? 42 - i : 20 * b + 9 - i;
    mix m = mix_draw(&d->augment, SIDE, SIDE, 7, epoch, (uint64_t)(first + b));
    mix_images(&m, 3, SIDE, SIDE, plain.image + j * NUMBERS, out->image + i * NUMBERS);
    mix_targets(&m, CLASSES, plain.target + j * CLASSES, out->target + i * CLASSES);
  }
  mem_free(scratch);
}

static void test_feed(void **state) {
  (void)state;
  static batch got, want, first;
  data_set d = open_mixing(everything);
  int32_t order[SAMPLES];
  int cut = 0, soft = 0;
  data_order(7, 0, SAMPLES, order);
  for (uint64_t epoch = 0; epoch < 6; epoch++) {
    for (int threads = 1; threads <= 3; threads++) {
      fill_batch(&d, threads, epoch, 3, order, &got);
      mix_by_hand(&d, epoch, 3, order, &want);
      assert_memory_equal(&got, &want, sizeof got);
    }
    for (int b = 0; b < 3; b++) cut += mix_draw(&d.augment, SIDE, SIDE, 7, epoch, (uint64_t)(3 + b)).cut;
    for (int i = 0; i < STEP; i++) {
      double sum = 0, largest = 0;
      for (int k = 0; k < CLASSES; k++) {
        sum += (double)got.target[i * CLASSES + k];
        largest = fmax(largest, (double)got.target[i * CLASSES + k]);
      }
      assert_true(fabs(sum - 1) < 1e-6);
      soft += largest < 0.99;
    }
    assert_true(epoch == 0 || memcmp(&first, &got, sizeof got));
    first = got;
  }
  assert_true(cut > 0 && cut < 18 && soft > 30);
  fill_batch(&d, 1, 5, 4, order, &got); /* another place in the epoch */
  assert_memory_not_equal(&first, &got, sizeof got);
  data_close(&d);
}

/* By hand once more, with nothing shared: half a picture and half another. */
static void test_images(void **state) {
  (void)state;
  enum { H = 4, W = 5, N = 2 * H * W };
  real a[N], b[N];
  for (int i = 0; i < N; i++) a[i] = (real)i, b[i] = (real)(1000 + i);
  mix_images(&(mix){.lambda = 0.75}, 2, H, W, b, a);
  for (int i = 0; i < N; i++) assert_true(fabs((double)a[i] - (i + 250)) < 1e-3);
  for (int i = 0; i < N; i++) a[i] = (real)i;
  mix_images(&(mix){.lambda = 0.7, .cut = true, .top = 1, .bottom = 3, .left = 2, .right = 5}, 2, H, W, b, a);
  for (int i = 0; i < N; i++) {
    int y = i / W % H, x = i % W;
    assert_true(a[i] == (real)(y >= 1 && y < 3 && x >= 2 ? 1000 + i : i));
  }
}

/* The same feed without mixing, and evaluating between steps: nothing is mixed. */
static void test_feed_evaluates_as_is(void **state) {
  (void)state;
  data_set d = open_mixing(everything);
  int32_t order[SAMPLES];
  real image[NUMBERS], target[CLASSES], want[NUMBERS];
  feed f;
  err e = {0};
  work_pool *pool = work_new(1, NULL, NULL);
  unsigned char *scratch = mem_new(data_scratch(&d), 1);
  data_order(7, 0, SAMPLES, order);
  feed_open(&f, &d, 1);
  assert_int_equal(feed_open_mix(&f, BATCH, STEP, &e), ST_OK);
  feed_split(&f, &d.train, order, &(data_draw){7, 0});
  feed_prepare(&f, pool, 0, STEP);
  feed_split(&f, &d.test, NULL, NULL);
  f.engine.fill(f.engine.context, 4, 1, (real *const[]){image, target}, 0);
  data_sample(&d, &d.test, 4, NULL, want, NULL, scratch);
  assert_memory_equal(image, want, sizeof want);
  assert_true(target[d.test.label[4]] == 1);
  feed_close(&f);
  work_free(pool);
  mem_free(scratch);
  data_close(&d);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_beta),           cmocka_unit_test(test_normals),
      cmocka_unit_test(test_how_often),      cmocka_unit_test(test_share_of_mixup),
      cmocka_unit_test(test_boxes),          cmocka_unit_test(test_draws_depend_on_seed_epoch_batch),
      cmocka_unit_test(test_loss_like_timm), cmocka_unit_test(test_images),
      cmocka_unit_test(test_feed),           cmocka_unit_test(test_feed_evaluates_as_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
