/* histogram - how many numbers lie in buckets that grow by a tenth, from 1e-12 to 1e20 on both sides of 0: those that
 * TensorFlow's Histogram has by default, and TensorBoard expects.
 *
 *   double limit[HISTOGRAM_BUCKETS];   histogram_limits(limit);
 *   histogram_count(limit, n, x, count, range);       // any number of threads at once, into the same counts
 */
#ifndef DYT_HISTOGRAM_H
#define DYT_HISTOGRAM_H

#include "dyt/real.h"

#include <stdatomic.h>
#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 2 * 775 + 1 };

/* Counts are whole numbers: their order of addition does not matter. */
typedef _Atomic int64_t histogram_bucket;

/* Where buckets end: bucket i holds x with limit[i - 1] <= x < limit[i]. */
void histogram_limits(double limit[HISTOGRAM_BUCKETS]);
/* Adds x [n] to count [HISTOGRAM_BUCKETS]; range: the smallest and the largest of x alone. Numbers that are not finite go to
 * the outermost buckets. */
void histogram_count(const double *limit, int64_t n, const real *x, histogram_bucket *count, double range[2]);

#endif
