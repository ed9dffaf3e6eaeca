#include "dyt/stats.h"

#include "dyt/mem.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdbool.h>

/* Told by the numbers, not by their variance: rounding may leave some of it to numbers that are all the same. False for a NaN. */
static bool differ(const double *x, int n) {
  double min, max;
  gsl_stats_minmax(&min, &max, x, 1, (size_t)n);
  return max > min;
}

static bool can_correlate(const double *x, const double *y, int n) {
  return n >= 2 && differ(x, n) && differ(y, n);
}

double stats_pearson(const double *x, const double *y, int n) {
  return can_correlate(x, y, n) ? gsl_stats_correlation(x, 1, y, 1, (size_t)n) : NAN;
}

double stats_spearman(const double *x, const double *y, int n) {
  if (!can_correlate(x, y, n)) return NAN;
  double *ranks = mem_new(2 * (size_t)n, sizeof *ranks);
  double rho = gsl_stats_spearman(x, 1, y, 1, (size_t)n, ranks);
  mem_free(ranks);
  return rho;
}
