#include "support.h"

#include "dyt/stats.h"

#include <math.h>

/* By hand: centred, x is -2 -1 0 1 2 and y -2 0 -1 2 1; the ranks of {1, 2, 2, 5} are 1, 2.5, 2.5, 4. */
static void test_correlation(void **state) {
  (void)state;
  double x[] = {1, 2, 3, 4, 5}, y[] = {10, 30, 20, 50, 40};
  assert_true(fabs(stats_pearson(x, y, 5) - 0.8) < 1e-12);
  assert_true(fabs(stats_spearman(x, y, 5) - 0.8) < 1e-12);
  double ties[] = {1, 2, 2, 5}, squares[] = {1, 4, 9, 16};
  assert_true(fabs(stats_spearman(ties, squares, 4) - 4.5 / sqrt(4.5 * 5)) < 1e-12);
}

/* 0.1 is no binary fraction: the mean of many is not exactly it. */
static void test_no_correlation(void **state) {
  (void)state;
  double x[7] = {1, 2, 3, 4, 5, 6, 7}, same[7] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1},
         lacks[7] = {1, 2, NAN, 4, 5, 6, 7};
  double (*const correlation[])(const double *, const double *, int) = {stats_pearson, stats_spearman};
  for (int i = 0; i < 2; i++) {
    assert_true(isnan(correlation[i](x, same, 7)));
    assert_true(isnan(correlation[i](same, x, 7)));
    assert_true(isnan(correlation[i](x, lacks, 7)));
    assert_true(isnan(correlation[i](x, x, 1)));
    assert_true(isnan(correlation[i](x, x, 0)));
    assert_true(correlation[i](x, x, 2) > 1 - 1e-12);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_correlation),
      cmocka_unit_test(test_no_correlation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
