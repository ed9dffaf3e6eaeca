/* Test support: whether draws are distributed as they should be. */
#ifndef DYT_TESTS_STATISTICS_H
#define DYT_TESTS_STATISTICS_H

#include <math.h>
#include <stdlib.h>

static inline int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov's distance of x[n] (which it sorts) from a distribution function, times root n: above 1.95 for one
 * sample in a thousand that is distributed so. */
static inline double kolmogorov(int n, double *x, double (*cdf)(double)) {
  double most = 0;
  qsort(x, (size_t)n, sizeof *x, ascending);
  for (int i = 0; i < n; i++) {
    double f = cdf(x[i]);
    most = fmax(most, fmax(f - (double)i / n, (double)(i + 1) / n - f));
  }
  return most * sqrt(n);
}

/* Deviations of a count of n from the chance p of each. */
static inline double deviations(int count, int n, double p) {
  return fabs(count - n * p) / sqrt(n * p * (1 - p) + 1e-9);
}

#endif
