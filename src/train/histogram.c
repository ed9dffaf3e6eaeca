#include "dyt/histogram.h"

#include <float.h>
#include <math.h>

void histogram_limits(double limit[HISTOGRAM_BUCKETS]) {
  enum { ZERO = HISTOGRAM_BUCKETS / 2, LAST = HISTOGRAM_BUCKETS - 1 };
  double v = 1e-12;
  limit[ZERO] = 0;
  for (int i = 1; i <= ZERO; i++, v *= 1.1) limit[ZERO + i] = ZERO + i < LAST ? v : DBL_MAX;
  for (int i = 1; i <= ZERO; i++) limit[ZERO - i] = -limit[ZERO + i];
}

/* The first limit above v, the last one where there is none: by halves, without a branch that would be guessed wrong. */
static int bucket_of(const double *limit, double v) {
  int below = 0; /* limits known to be no larger than v */
  for (int left = HISTOGRAM_BUCKETS - 1, half; left > 0; left -= half) {
    half = (left + 1) / 2;
    below += limit[below + half - 1] <= v ? half : 0;
  }
  return below;
}

void histogram_count(const double *limit, int64_t n, const real *x, histogram_bucket *count,
                     double range[2]) {
  int32_t own[HISTOGRAM_BUCKETS] = {0}; /* so that threads meet once a bucket, not once a number */
  range[0] = INFINITY, range[1] = -INFINITY;
  for (int64_t i = 0; i < n; i++) {
    double v = (double)x[i];
    range[0] = v < range[0] ? v : range[0];
    range[1] = v > range[1] ? v : range[1];
    own[bucket_of(limit, v)]++;
  }
  for (int b = 0; b < HISTOGRAM_BUCKETS; b++)
    if (own[b]) atomic_fetch_add_explicit(&count[b], own[b], memory_order_relaxed);
}
