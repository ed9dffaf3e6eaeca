/* stats - the statistics of study tables: correlations. Computed with GSL; nothing here allocates what a caller must free, nothing
 * fails: what is not defined is NaN.
 */
#ifndef DYT_STATS_H
#define DYT_STATS_H

/* Correlation of n pairs, in -1..1: Pearson's r, and Spearman's rho, which is Pearson's r of the ranks (ties get the mean of their
 * ranks). NaN below 2 pairs, if all of x or all of y are the same, or if a number is NaN. */
double stats_pearson(const double *x, const double *y, int n);
double stats_spearman(const double *x, const double *y, int n);

#endif
