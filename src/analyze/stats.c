#include "dyt/stats.h"

#include "dyt/mem.h"
#include "dyt/rng.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* --- correlation --- */

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

/* --- t tests --- */

stats_summary stats_summarize(const double *x, int n) {
  stats_summary s = {n, NAN, NAN, NAN, NAN};
  if (n < 1) return s;
  gsl_stats_minmax(&s.min, &s.max, x, 1, (size_t)n);
  s.mean = gsl_stats_mean(x, 1, (size_t)n);
  if (n >= 2) s.sd = gsl_stats_sd_m(x, 1, (size_t)n, s.mean);
  return s;
}

static double error_of_mean(const stats_summary *s) { return s->sd / sqrt(s->n); }

/* One-sided p that a mean is above 0. GSL is asked only for t that are numbers. */
static double p_above(double mean, const stats_summary *s) {
  double error = error_of_mean(s), t = error == 0 && mean == 0 ? 0 : mean / error;
  if (isnan(t)) return NAN;
  if (isinf(t)) return t > 0 ? 0 : 1;
  return gsl_cdf_tdist_Q(t, s->n - 1);
}

static stats_interval interval_of(const stats_summary *s, double share) {
  if (s->n < 2) return (stats_interval){NAN, NAN};
  double half = gsl_cdf_tdist_Qinv((1 - share) / 2, s->n - 1) * error_of_mean(s);
  return (stats_interval){s->mean - half, s->mean + half};
}

static stats_summary summarize_differences(const double *x, const double *y, int n) {
  double *d = mem_new((size_t)n + 1, sizeof *d);
  for (int i = 0; i < n; i++) d[i] = x[i] - y[i];
  stats_summary s = stats_summarize(d, n);
  mem_free(d);
  return s;
}

stats_paired stats_compare_paired(const double *x, const double *y, int n, double margin) {
  stats_summary s = summarize_differences(x, y, n);
  stats_interval wide = interval_of(&s, 0.95), narrow = interval_of(&s, 0.90);
  return (stats_paired){
      .n = n,
      .difference = s.mean,
      .sd = s.sd,
      .low = wide.low,
      .high = wide.high,
      .low90 = narrow.low,
      .high90 = narrow.high,
      .correlation = stats_pearson(x, y, n),
      .p_greater = p_above(s.mean, &s),
      .p_two_sided = 2 * p_above(fabs(s.mean), &s),
      .p_equivalent = fmax(p_above(margin + s.mean, &s), p_above(margin - s.mean, &s)),
  };
}

double stats_p_positive(const double *x, int n) {
  stats_summary s = stats_summarize(x, n);
  return p_above(s.mean, &s);
}

/* Given the measured standard deviation s, the mean's 90% interval is inside the margin with a normal's chance; s^2 (n - 1) / sd^2
 * is distributed as chi squared, whose quantiles stand for it. */
double stats_power_equivalence(int n, double sd, double margin) {
  enum { QUANTILES = 2000 };
  if (n < 2 || !(sd > 0) || !(margin > 0)) return NAN;
  double freedom = n - 1, t = gsl_cdf_tdist_Qinv(0.05, freedom), power = 0;
  for (int i = 0; i < QUANTILES; i++) {
    double s = sqrt(gsl_cdf_chisq_Pinv((i + 0.5) / QUANTILES, freedom) / freedom);
    power += fmax(0, 2 * gsl_cdf_ugaussian_P(margin * sqrt(n) / sd - t * s) - 1);
  }
  return power / QUANTILES;
}

/* --- many tests --- */

static int by_value(const void *a, const void *b) {
  double x = **(double *const *)a, y = **(double *const *)b;
  return (x > y) - (x < y);
}

void stats_holm(double *p, int n) {
  double **at = mem_new((size_t)n + 1, sizeof *at), least = 0;
  int tests = 0;
  for (int i = 0; i < n; i++)
    if (!isnan(p[i])) at[tests++] = &p[i];
  qsort(at, (size_t)tests, sizeof *at, by_value);
  for (int i = 0; i < tests; i++) *at[i] = least = fmax(least, fmin(1, (tests - i) * *at[i]));
  mem_free(at);
}

/* --- bootstrap --- */

/* [seeds][images]: 1 where only x was right, -1 where only y was. */
static signed char *differences(const unsigned char *const *right_x, const unsigned char *const *right_y,
                                int seeds, int images) {
  signed char *d = mem_new((size_t)seeds * (size_t)images, 1);
  for (int s = 0; s < seeds; s++)
    for (int i = 0; i < images; i++)
      d[(size_t)s * (size_t)images + (size_t)i] = (signed char)(right_x[s][i] - right_y[s][i]);
  return d;
}

/* First seeds are drawn, which adds up to a number an image (`of_image`, room for it); then images, whose numbers are added up. */
static double draw_once(const signed char *d, int seeds, int images, rng *r, int *of_image) {
  memset(of_image, 0, (size_t)images * sizeof *of_image);
  for (int k = 0; k < seeds; k++) {
    const signed char *row = d + (size_t)rng_below(r, (uint32_t)seeds) * (size_t)images;
    for (int i = 0; i < images; i++) of_image[i] += row[i];
  }
  int64_t sum = 0;
  for (int i = 0; i < images; i++) sum += of_image[rng_below(r, (uint32_t)images)];
  return 100 * (double)sum / ((double)seeds * images);
}

stats_interval stats_bootstrap(const unsigned char *const *right_x, const unsigned char *const *right_y,
                               int seeds, int images, int draws, uint64_t seed) {
  if (seeds < 1 || images < 1 || draws < 1) return (stats_interval){NAN, NAN};
  signed char *d = differences(right_x, right_y, seeds, images);
  int *of_image = mem_new((size_t)images, sizeof *of_image);
  double *drawn = mem_new((size_t)draws, sizeof *drawn);
  for (int k = 0; k < draws; k++) {
    rng r = rng_at(seed, "bootstrap", (uint64_t)k, 0);
    drawn[k] = draw_once(d, seeds, images, &r, of_image);
  }
  gsl_sort(drawn, 1, (size_t)draws);
  stats_interval interval = {gsl_stats_quantile_from_sorted_data(drawn, 1, (size_t)draws, 0.025),
                             gsl_stats_quantile_from_sorted_data(drawn, 1, (size_t)draws, 0.975)};
  mem_free(drawn);
  mem_free(of_image);
  mem_free(d);
  return interval;
}
