/* stats - the statistics of study tables: correlations, t tests on pairs, Holm's correction, a bootstrap over seeds and images.
 *
 *   stats_paired c = stats_compare_paired(dyt, ln, n, 0.5);           // accuracies in points, of the same seeds in the same order
 *   printf("%+.2f [%.2f, %.2f]\n", c.difference, c.low, c.high);
 *   if (c.p_equivalent < 0.05) puts("equal within half a point");     // the same as -0.5 < c.low90 and c.high90 < 0.5
 *
 * Nothing allocates what a caller must free, and nothing fails: what is not defined is NaN, and a number that is NaN makes NaN of all
 * that follows from it. Distributions and correlations are GSL's; tests/reference/stats.json has SciPy's numbers for them.
 */
#ifndef DYT_STATS_H
#define DYT_STATS_H

#include <stdint.h>

/* Correlation of n pairs, in -1..1: Pearson's r, and Spearman's rho, which is Pearson's r of the ranks (ties get the mean of their
 * ranks). NaN below 2 pairs, or if all of x or all of y are the same. */
double stats_pearson(const double *x, const double *y, int n);
double stats_spearman(const double *x, const double *y, int n);

typedef struct stats_summary {
  int n;
  double mean, sd, min, max; /* sd with n - 1: NaN below 2 numbers; the others NaN of none */
} stats_summary;
stats_summary stats_summarize(const double *x, int n);

/* By Student's t with n - 1 degrees of freedom on the differences x - y of pairs. Below 2 pairs all but `difference` is NaN. If all
 * differences are the same, intervals have no width and p is 0 or 1 (t = 0 where the difference is what it is tested against). */
typedef struct stats_paired {
  int n;
  double difference, sd; /* mean and standard deviation of x - y */
  double low, high;      /* 95% interval of the mean difference */
  double low90, high90;  /* 90%: inside +-margin if and only if p_equivalent < 0.05 */
  double correlation;    /* Pearson's r of x and y: what pairing gains */
  double p_greater;      /* one-sided: the mean difference is above 0 */
  double p_two_sided;    /* it is not 0 */
  double
      p_equivalent; /* it is inside +-margin: the larger p of two one-sided tests (Schuirmann 1987); NaN without a margin */
} stats_paired;
/* margin > 0 in the unit of x and y; NaN: none. */
stats_paired stats_compare_paired(const double *x, const double *y, int n, double margin);

/* One-sided p of a t test that the mean of x[n] is above 0; NaN below 2 numbers. */
double stats_p_positive(const double *x, int n);

/* p values of n tests become Holm's (1979): the k-th smallest of m times m - k + 1, not below the one before, at most 1. NaN stays
 * and does not count. */
void stats_holm(double *p, int n);

/* The share of studies of n pairs in which p_equivalent < 0.05 when there is no difference at all and differences are normal with
 * this standard deviation. NaN below 2 pairs, or unless sd and margin are above 0. */
double stats_power_equivalence(int n, double sd, double margin);

typedef struct stats_interval {
  double low, high;
} stats_interval;

/* 95% percentile interval of the difference of mean accuracies (x - y, in points) of two rows of a table, from `draws` draws with
 * replacement of seeds and of images: a drawn seed counts for both rows, a drawn image for both rows and all seeds.
 * right_x[seed][image] is 1 where the run of that seed was right, else 0. The same `seed` of the draws gives the same bits anywhere.
 * Takes draws * images * about 10 ns. NaN if there are no seeds, images or draws. */
stats_interval stats_bootstrap(const unsigned char *const *right_x, const unsigned char *const *right_y,
                               int seeds, int images, int draws, uint64_t seed);

#endif
