/* LayerNorm, RMSNorm and the sums over rows.
 *
 * Statistics are double sums made of short float ones: a lane adds up at most RUN numbers before its sum is
 * widened. For LayerNorm these are distances from a first mean m, itself good to about 1e-6 of the row's mean
 * magnitude. Their own mean corrects the first one, and nothing cancels in their squares:
 *   delta = sum (x - m) / C        mean = m + delta        var = sum (x - m)^2 / C - delta^2 */
#include "kernels/simd/simd.h"

/* --- sums of a row --- */

enum { CHAINS = 4, RUN = 16 }; /* independent partial sums, and additions to each before it is widened */

typedef struct row {
  const real *x, *dy;
  const channels *gamma;
  vec mean, rstd;
} row;

/* Adds to sum[0] and sum[1] its two terms for n channels from i on. */
typedef void terms_of(const row *p, int64_t i, int64_t n, vec sum[2]);

/* out[0], out[1] = the sums of the terms over the C channels. */
INLINE void row_sums(terms_of *terms, const row *p, int64_t C, double out[2]) {
  wide total[2] = {{.lo = {0}}};
  for (int64_t i = 0; i < C;) {
    vec sum[CHAINS][2] = {{{0}}};
    int64_t end = C - i > RUN * CHAINS * W ? i + RUN * CHAINS * W : C;
    for (; i + CHAINS * W <= end; i += CHAINS * W) {
      terms(p, i, W, sum[0]);
      terms(p, i + W, W, sum[1]);
      terms(p, i + 2 * W, W, sum[2]);
      terms(p, i + 3 * W, W, sum[3]);
    }
    for (; i + W <= end; i += W) terms(p, i, W, sum[0]);
    if (i < end) terms(p, i, end - i, sum[1]), i = end;
    for (int k = 0; k < 2; k++)
      wide_add(&total[k], wide_of((sum[0][k] + sum[1][k]) + (sum[2][k] + sum[3][k])));
  }
  for (int k = 0; k < 2; k++) out[k] = wide_sum(total[k]);
}

/* --- forward --- */

/* Rows are taken some at a time, phase by phase: from a row's numbers to its mean and deviation it is one
 * long chain of dependent operations, so several are kept under way. No row's result depends on another. Twice as
 * many gain nothing in cache and lose 10% out of it. */
enum { GROUP = 4 };

INLINE void value_terms(const row *p, int64_t i, int64_t n, vec sum[2]) { sum[0] += v_get(p->x + i, n); }

INLINE void distance_terms(const row *p, int64_t i, int64_t n, vec sum[2]) {
  vec d = v_keep(v_get(p->x + i, n) - p->mean, n);
  sum[0] += d;
  sum[1] = v_fma(d, d, sum[1]);
}

typedef struct fwd_args {
  int64_t C;
  double share; /* 1 / C */
  channels gamma, beta;
  double eps;
} fwd_args;

INLINE void first_mean(const fwd_args *a, row *p) {
  double sums[2];
  row_sums(value_terms, p, a->C, sums);
  p->mean = v_set((real)(sums[0] * a->share));
}

/* From p->mean, the first one or 0, to mean and variance. */
INLINE void second_mean(const fwd_args *a, bool center, const row *p, double *mean, double *var) {
  double sums[2];
  row_sums(distance_terms, p, a->C, sums);
  double delta = center ? sums[0] * a->share : 0;
  *mean = center ? (double)p->mean[0] + delta : 0;
  *var = sums[1] * a->share - delta * delta;
}

INLINE vec normalized_at(const row *p, int64_t i, int64_t n) {
  return (v_get(p->x + i, n) - p->mean) * p->rstd;
}

INLINE void fwd_at(const fwd_args *a, const row *p, int64_t i, int64_t n, real *y) {
  v_put(y + i, v_fma(normalized_at(p, i, n), channels_get(&a->gamma, i, n), channels_get(&a->beta, i, n)), n);
}

INLINE void fwd_group(const fwd_args *a, bool center, int rows, const real *x, real *y, real *stats) {
  row p[GROUP];
  double mean[GROUP], var[GROUP];
  const int64_t C = a->C;
  for (int r = 0; r < rows; r++) {
    p[r] = (row){.x = x + r * C};
    if (center) first_mean(a, &p[r]);
  }
  for (int r = 0; r < rows; r++) second_mean(a, center, &p[r], &mean[r], &var[r]);
  for (int r = 0; r < rows; r++) var[r] = 1 / sqrt((0 > var[r] ? 0 : var[r]) + a->eps);
  for (int r = 0; r < rows; r++, y += C) {
    p[r].mean = v_set(stats[2 * r] = (real)mean[r]);
    p[r].rstd = v_set(stats[2 * r + 1] = (real)var[r]);
    int64_t i = 0;
    for (; i + W <= C; i += W) fwd_at(a, &p[r], i, W, y);
    if (i < C) fwd_at(a, &p[r], i, C - i, y);
  }
}

INLINE void fwd_rows(const fwd_args *a, bool center, int64_t N, const real *x, real *y, real *stats) {
  int64_t r = 0;
  for (; r + GROUP <= N; r += GROUP) fwd_group(a, center, GROUP, x + r * a->C, y + r * a->C, stats + 2 * r);
  for (; r < N; r++) fwd_group(a, center, 1, x + r * a->C, y + r * a->C, stats + 2 * r);
}

void LEVEL(norm_fwd)(bool center, int64_t N, int64_t C, const real *x, const real *gamma, const real *beta,
                     double eps, real *y, real *stats) {
  fwd_args a = {.C = C, .share = 1 / (double)C, .eps = eps};
  channels_init(&a.gamma, gamma, 1);
  channels_init(&a.beta, beta, 0);
  if (center)
    fwd_rows(&a, true, N, x, y, stats);
  else
    fwd_rows(&a, false, N, x, y, stats);
}

/* --- backward --- */

typedef struct bwd_args {
  int64_t C;
  double share; /* 1 / C */
  channels gamma;
  bool acc;
  real *dgamma, *dbeta;
} bwd_args;

/* With h = gamma dy and u the normalized x: the sums of h and h u. */
INLINE void gradient_terms(const row *p, int64_t i, int64_t n, vec sum[2]) {
  vec h = channels_get(p->gamma, i, n) * v_get(p->dy + i, n);
  sum[0] += h;
  sum[1] = v_fma(h, normalized_at(p, i, n), sum[1]);
}

/* dx = rstd (h - mean of h - u mean of h u); without a mean taken off, the middle term is absent. */
INLINE void bwd_at(const bwd_args *a, const row *p, const vec means[2], int64_t i, int64_t n, real *dx) {
  vec gamma = channels_get(&a->gamma, i, n), dy = v_get(p->dy + i, n), u = normalized_at(p, i, n);
  if (a->dgamma) v_put(a->dgamma + i, v_fma(dy, u, v_get(a->dgamma + i, n)), n);
  if (a->dbeta) v_put(a->dbeta + i, v_get(a->dbeta + i, n) + dy, n);
  if (!dx) return;
  vec g = p->rstd * v_fma(-u, means[1], gamma * dy - means[0]);
  v_put(dx + i, a->acc ? v_get(dx + i, n) + g : g, n);
}

/* Row after row as they lie in memory, with the parameters' gradients in L1: several at a time are a tenth faster in cache
 * and a third slower out of it. */
INLINE void bwd_rows(const bwd_args *a, bool center, int64_t N, const real *x, const real *stats,
                     const real *dy, real *dx) {
  const int64_t C = a->C;
  for (int64_t r = 0; r < N; r++, x += C, dy += C, dx = dx ? dx + C : NULL) {
    const row p = {.x = x,
                   .dy = dy,
                   .gamma = &a->gamma,
                   .mean = v_set(center ? stats[2 * r] : 0),
                   .rstd = v_set(stats[2 * r + 1])};
    double sums[2];
    row_sums(gradient_terms, &p, C, sums);
    const vec means[2] = {v_set(center ? (real)(sums[0] * a->share) : 0), v_set((real)(sums[1] * a->share))};
    int64_t i = 0;
    for (; i + W <= C; i += W) bwd_at(a, &p, means, i, W, dx);
    if (i < C) bwd_at(a, &p, means, i, C - i, dx);
  }
}

void LEVEL(norm_bwd)(bool center, int64_t N, int64_t C, const real *x, const real *gamma, const real *stats,
                     const real *dy, real *dx, bool acc, real *dgamma, real *dbeta) {
  bwd_args a = {.C = C, .share = 1 / (double)C, .acc = acc, .dgamma = dgamma, .dbeta = dbeta};
  channels_init(&a.gamma, gamma, 1);
  if (center)
    bwd_rows(&a, true, N, x, stats, dy, dx);
  else
    bwd_rows(&a, false, N, x, stats, dy, dx);
}

/* --- sums over rows --- */

void LEVEL(rows_set)(int64_t N, int64_t C, const real *b, real *y) {
  for (int64_t r = 0; r < N; r++, y += C) {
    if (b)
      memcpy(y, b, (size_t)C * sizeof *b);
    else
      memset(y, 0, (size_t)C * sizeof *y);
  }
}

/* Columns i .. of rows 0 .. rows-1: `vectors` vectors, the last one of n columns; y = a dy where there is an a. */
INLINE void colsum_block(int64_t rows, int64_t C, const real *a, const real *dy, real *y, real *db,
                         int vectors, int64_t n) {
  vec sum[4] = {{0}};
  for (int64_t r = 0; r < rows * C; r += C) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
      vec d = v_get(dy + r + v * W, n);
      if (a) v_put(y + r + v * W, d *= v_get(a + r + v * W, n), n);
      sum[v] += d;
    }
  }
  if (!db) return;
#pragma GCC unroll 4
  for (int v = 0; v < vectors; v++) v_put(db + v * W, v_get(db + v * W, n) + sum[v], n);
}

/* So many rows at a time that they stay in cache while the columns are gone through. */
enum { ROWS = 32 };

INLINE void colsum_rows(int64_t N, int64_t C, const real *a, const real *dy, real *y, real *db) {
  for (int64_t r = 0; r < N; r += ROWS) {
    int64_t rows = N - r < ROWS ? N - r : ROWS, i = 0, at = r * C;
#define BLOCK(vectors, n)                                                                                    \
  colsum_block(rows, C, a ? a + at + i : NULL, dy + at + i, a ? y + at + i : NULL, db ? db + i : NULL,       \
               vectors, n)
    for (; i + 4 * W <= C; i += 4 * W) BLOCK(4, W);
    for (; i + W <= C; i += W) BLOCK(1, W);
    if (i < C) BLOCK(1, C - i);
#undef BLOCK
  }
}

void LEVEL(colsum)(int64_t N, int64_t C, const real *dy, real *db) { colsum_rows(N, C, NULL, dy, NULL, db); }

void LEVEL(slope_bwd)(int64_t N, int64_t C, const real *slope, const real *dy, real *dz, real *db) {
  colsum_rows(N, C, slope, dy, dz, db);
}
