#include "support.h"

#include "dyt/json.h"
#include "dyt/mem.h"
#include "dyt/rng.h"
#include "dyt/stats.h"

#include <math.h>

/* --- SciPy's numbers --- */

static json_doc reference;

static int read_reference(void **state) {
  (void)state;
  err e = {0};
  return json_read("tests/reference/stats.json", &reference, &e);
}

static int free_reference(void **state) {
  (void)state;
  json_free(&reference);
  return 0;
}

enum { MOST = 64 };

static int numbers(const cJSON *of, const char *key, double x[MOST]) {
  int n = 0;
  const cJSON *value;
  cJSON_ArrayForEach(value, cJSON_GetObjectItemCaseSensitive(of, key)) {
    assert_true(n < MOST);
    x[n++] = value->valuedouble;
  }
  return n;
}

static void assert_near(double got, double want, double most) {
  if (!(fabs(got - want) <= most)) fail_msg("%.17g, expected %.17g", got, want);
}

static void assert_same(const cJSON *of, const char *key, double got) {
  const cJSON *want = cJSON_GetObjectItemCaseSensitive(of, key);
  assert_non_null(want);
  assert_near(got, want->valuedouble, 1e-9 * fmin(1, fabs(want->valuedouble)) + 1e-13);
}

#define EACH(of, list) cJSON_ArrayForEach(of, json_at(&reference, list))

static void test_summary(void **state) {
  (void)state;
  int cases = 0;
  const cJSON *k;
  EACH(k, "summary") {
    double x[MOST];
    stats_summary s = stats_summarize(x, numbers(k, "x", x));
    assert_same(k, "mean", s.mean);
    assert_near(s.sd, cJSON_GetObjectItemCaseSensitive(k, "sd")->valuedouble, 1e-9 * fmax(1, s.sd));
    assert_same(k, "min", s.min);
    assert_same(k, "max", s.max);
    cases++;
  }
  assert_int_equal(cases, 4);
}

static void test_paired(void **state) {
  (void)state;
  int cases = 0;
  const cJSON *k;
  EACH(k, "paired") {
    double x[MOST], y[MOST];
    int n = numbers(k, "x", x);
    assert_int_equal(numbers(k, "y", y), n);
    stats_paired p =
        stats_compare_paired(x, y, n, cJSON_GetObjectItemCaseSensitive(k, "margin")->valuedouble);
    assert_int_equal(p.n, n);
    assert_same(k, "difference", p.difference);
    assert_same(k, "sd", p.sd);
    assert_same(k, "low", p.low);
    assert_same(k, "high", p.high);
    assert_same(k, "low90", p.low90);
    assert_same(k, "high90", p.high90);
    assert_same(k, "correlation", p.correlation);
    assert_same(k, "p_greater", p.p_greater);
    assert_same(k, "p_two_sided", p.p_two_sided);
    assert_same(k, "p_equivalent", p.p_equivalent);
    for (int i = 0; i < n; i++) x[i] -= y[i];
    assert_same(k, "p_greater", stats_p_positive(x, n));
    cases++;
  }
  assert_int_equal(cases, 9);
}

static void test_correlation(void **state) {
  (void)state;
  int cases = 0;
  const cJSON *k;
  EACH(k, "correlation") {
    double x[MOST], y[MOST];
    int n = numbers(k, "x", x);
    assert_int_equal(numbers(k, "y", y), n);
    assert_same(k, "pearson", stats_pearson(x, y, n));
    assert_same(k, "spearman", stats_spearman(x, y, n));
    cases++;
  }
  assert_int_equal(cases, 7);
}

static void test_holm(void **state) {
  (void)state;
  int cases = 0;
  const cJSON *k;
  EACH(k, "holm") {
    double p[MOST], want[MOST];
    int n = numbers(k, "p", p);
    assert_int_equal(numbers(k, "holm", want), n);
    stats_holm(p, n);
    for (int i = 0; i < n; i++) assert_near(p[i], want[i], 1e-15);
    cases++;
  }
  assert_int_equal(cases, 4);
}

static void test_power(void **state) {
  (void)state;
  int cases = 0;
  const cJSON *k;
  EACH(k, "power") {
    int n = (int)cJSON_GetObjectItemCaseSensitive(k, "n")->valuedouble;
    double sd = cJSON_GetObjectItemCaseSensitive(k, "sd")->valuedouble;
    double margin = cJSON_GetObjectItemCaseSensitive(k, "margin")->valuedouble;
    double want = cJSON_GetObjectItemCaseSensitive(k, "power")->valuedouble;
    assert_near(stats_power_equivalence(n, sd, margin), want,
                1e-4); /* by 2,000 quantiles, there by quadrature */
    cases++;
  }
  assert_int_equal(cases, 6);
  assert_true(isnan(stats_power_equivalence(1, 0.35, 0.5)));
  assert_true(isnan(stats_power_equivalence(3, 0, 0.5)));
  assert_true(isnan(stats_power_equivalence(3, 0.35, NAN)));
}

/* --- what is not defined --- */

/* 0.1 is no binary fraction: the mean of many need not be exactly it. */
static void test_no_correlation(void **state) {
  (void)state;
  double x[7] = {1, 2, 3, 4, 5, 6, 7}, same[7] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
  double lacks[7] = {1, 2, NAN, 4, 5, 6, 7};
  double (*const correlation[])(const double *, const double *, int) = {stats_pearson, stats_spearman};
  for (int i = 0; i < 2; i++) {
    assert_true(isnan(correlation[i](x, same, 7)));
    assert_true(isnan(correlation[i](same, x, 7)));
    assert_true(isnan(correlation[i](x, lacks, 7)));
    assert_true(isnan(correlation[i](lacks, x, 7)));
    assert_true(isnan(correlation[i](x, x, 1)));
    assert_true(isnan(correlation[i](x, x, 0)));
    assert_near(correlation[i](x, x, 2), 1, 1e-12);
  }
}

static void assert_no_test(const stats_paired *p) {
  const double none[] = {p->sd,          p->low,       p->high,        p->low90,       p->high90,
                         p->correlation, p->p_greater, p->p_two_sided, p->p_equivalent};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_true(isnan(none[i]));
}

static void test_too_few(void **state) {
  (void)state;
  double x[] = {3, NAN, 5}, y[] = {1, 2, 1};
  stats_paired one = stats_compare_paired(x, y, 1, 0.5), none = stats_compare_paired(x, y, 0, 0.5);
  stats_paired lacks = stats_compare_paired(x, y, 3, 0.5);
  assert_no_test(&one);
  assert_no_test(&none);
  assert_no_test(&lacks);
  assert_true(one.difference == 2 && isnan(none.difference) && isnan(lacks.difference));
  stats_summary s = stats_summarize(x, 1), empty = stats_summarize(x, 0);
  assert_true(s.n == 1 && s.mean == 3 && s.min == 3 && s.max == 3 && isnan(s.sd));
  assert_true(empty.n == 0 && isnan(empty.mean) && isnan(empty.min) && isnan(empty.max) && isnan(empty.sd));
  assert_true(isnan(stats_p_positive(x, 1)));
  stats_paired no_margin = stats_compare_paired((double[]){1, 2, 4}, y, 3, NAN);
  assert_true(isnan(no_margin.p_equivalent) && no_margin.p_greater > 0 && no_margin.p_greater < 1);
}

/* Differences that are all the same: no doubt is left, except at the border. */
static void test_all_the_same(void **state) {
  (void)state;
  double x[] = {2, 3, 4}, y[] = {1.5, 2.5, 3.5};
  stats_paired up = stats_compare_paired(x, y, 3, 1), down = stats_compare_paired(y, x, 3, 0.25);
  stats_paired border = stats_compare_paired(x, y, 3, 0.5), equal = stats_compare_paired(x, x, 3, 0.5);
  assert_true(up.sd == 0 && up.low == 0.5 && up.high == 0.5 && up.low90 == 0.5 && up.high90 == 0.5);
  assert_true(up.p_greater == 0 && up.p_two_sided == 0 && up.p_equivalent == 0);
  assert_true(down.p_greater == 1 && down.p_two_sided == 0 && down.p_equivalent == 1);
  assert_near(border.p_equivalent, 0.5, 1e-12);
  assert_true(equal.difference == 0 && equal.p_equivalent == 0);
  assert_near(equal.p_greater, 0.5, 1e-12);
  assert_near(equal.p_two_sided, 1, 1e-12);
}

/* Far out in a tail GSL must give a number, and not end the program. */
static void test_tails(void **state) {
  (void)state;
  static const int counts[] = {2, 3, 4, 8, 31, 33, MOST};
  for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
    for (double scale = 1; scale < 1e150; scale *= 10) {
      double x[MOST];
      for (int i = 0; i < counts[k]; i++) x[i] = scale + i % 2;
      double p = stats_p_positive(x, counts[k]);
      for (int i = 0; i < counts[k]; i++) x[i] = -x[i];
      assert_true(p >= 0 && p < 0.5);
      assert_near(stats_p_positive(x, counts[k]), 1 - p, 1e-12);
    }
}

static void test_holm_skips(void **state) {
  (void)state;
  double p[] = {NAN, 0.04, NAN, 0.01}, none[] = {NAN};
  stats_holm(p, 4);
  assert_true(isnan(p[0]) && isnan(p[2]));
  assert_near(p[1], 0.04, 1e-15);
  assert_near(p[3], 0.02, 1e-15);
  stats_holm(none, 1);
  stats_holm(none, 0);
  assert_true(isnan(none[0]));
}

/* --- bootstrap --- */

enum { SEEDS = 8, IMAGES = 2000, DRAWS = 4000 };

typedef struct rows {
  unsigned char right[2][SEEDS][IMAGES];
  const unsigned char *x[SEEDS], *y[SEEDS];
} rows;

/* Runs are right where an image is easy for it and the seed: x more often than y. */
static rows *draw_rows(double spread_of_seeds) {
  rows *w = mem_new(1, sizeof *w);
  rng r = rng_at(0, "rows", 0, 0);
  double easy[IMAGES];
  for (int i = 0; i < IMAGES; i++) easy[i] = 0.7 + 0.25 * rng_uniform(&r);
  for (int s = 0; s < SEEDS; s++) {
    w->x[s] = w->right[0][s];
    w->y[s] = w->right[1][s];
    double ahead = 0.03 + spread_of_seeds * rng_normal(&r);
    for (int i = 0; i < IMAGES; i++) {
      w->right[0][s][i] = rng_uniform(&r) < easy[i] + ahead;
      w->right[1][s][i] = rng_uniform(&r) < easy[i];
    }
  }
  return w;
}

/* The exact moments of a draw: with d = a + seed's part + image's part + rest, in mean squares A (seeds), B (images), C (rest),
 * its variance is A / S + B / I + C / (S I). */
static void expect(const rows *w, int seeds, double *mean, double *sd) {
  double of_seed[SEEDS] = {0}, of_image[IMAGES] = {0}, all = 0, A = 0, B = 0, C = 0;
  for (int s = 0; s < seeds; s++)
    for (int i = 0; i < IMAGES; i++) {
      double d = w->x[s][i] - w->y[s][i];
      of_seed[s] += d / IMAGES;
      of_image[i] += d / seeds;
      all += d / seeds / IMAGES;
    }
  for (int s = 0; s < seeds; s++) A += (of_seed[s] - all) * (of_seed[s] - all) / seeds;
  for (int i = 0; i < IMAGES; i++) B += (of_image[i] - all) * (of_image[i] - all) / IMAGES;
  for (int s = 0; s < seeds; s++)
    for (int i = 0; i < IMAGES; i++) {
      double rest = w->x[s][i] - w->y[s][i] - of_seed[s] - of_image[i] + all;
      C += rest * rest / seeds / IMAGES;
    }
  *mean = 100 * all;
  *sd = 100 * sqrt(A / seeds + B / IMAGES + C / seeds / IMAGES);
}

/* Nearly normal, so 1.96 standard deviations wide each way; a percentile of 4,000 draws has a standard error of 0.04 of them. Most of
 * the spread comes from seeds, from images, and of a single seed all from images. */
static void test_bootstrap(void **state) {
  (void)state;
  static const struct {
    double spread;
    int seeds;
  } cases[] = {{0.02, SEEDS}, {0, SEEDS}, {0.02, 1}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    rows *w = draw_rows(cases[k].spread);
    double mean, sd;
    expect(w, cases[k].seeds, &mean, &sd);
    stats_interval b = stats_bootstrap(w->x, w->y, cases[k].seeds, IMAGES, DRAWS, 7);
    stats_interval swapped = stats_bootstrap(w->y, w->x, cases[k].seeds, IMAGES, DRAWS, 7);
    assert_near((b.low - mean) / sd, -1.96, 0.16);
    assert_near((b.high - mean) / sd, 1.96, 0.16);
    assert_near(swapped.low, -b.high, 1e-9);
    mem_free(w);
  }
}

/* The same seed, the same bits; another, others. */
static void test_bootstrap_bits(void **state) {
  (void)state;
  rows *w = draw_rows(0.02);
  stats_interval a = stats_bootstrap(w->x, w->y, SEEDS, IMAGES, 100, 7),
                 b = stats_bootstrap(w->x, w->y, SEEDS, IMAGES, 100, 7);
  stats_interval other = stats_bootstrap(w->x, w->y, SEEDS, IMAGES, 100, 8);
  assert_true(a.low == b.low && a.high == b.high && a.low != other.low);
  stats_interval same = stats_bootstrap(w->x, w->x, SEEDS, IMAGES, 10, 7);
  assert_true(same.low == 0 && same.high == 0);
  stats_interval none = stats_bootstrap(w->x, w->y, 0, IMAGES, 10, 7);
  assert_true(isnan(none.low) && isnan(none.high));
  mem_free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_summary),     cmocka_unit_test(test_paired),
      cmocka_unit_test(test_correlation), cmocka_unit_test(test_holm),
      cmocka_unit_test(test_power),       cmocka_unit_test(test_no_correlation),
      cmocka_unit_test(test_too_few),     cmocka_unit_test(test_all_the_same),
      cmocka_unit_test(test_tails),       cmocka_unit_test(test_holm_skips),
      cmocka_unit_test(test_bootstrap),   cmocka_unit_test(test_bootstrap_bits),
  };
  return cmocka_run_group_tests(tests, read_reference, free_reference);
}
