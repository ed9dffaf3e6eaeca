/* The point-wise norm, y = gamma f(alpha x + shift) + beta: one pass over memory each way. */
#include "kernels/simd/functions.h"
#include "kernels/simd/simd.h"

typedef vec value_of(vec z);
typedef vec slope_of(vec z, vec t);

/* What all rows share. */
typedef struct row_terms {
  channels alpha, gamma, beta;
  real shift;
} row_terms;

static row_terms *terms_init(row_terms *p, const real *alpha, bool per_channel, const real *shift,
                             const real *gamma, const real *beta) {
  channels_init(&p->alpha, per_channel ? alpha : NULL, alpha[0]);
  channels_init(&p->gamma, gamma, 1);
  channels_init(&p->beta, beta, 0);
  p->shift = shift ? *shift : 0;
  return p;
}

/* --- forward --- */

INLINE void fwd_at(value_of *f, const row_terms *p, int64_t i, int64_t n, const real *x, real *y, real *t) {
  vec v = f(v_fma(channels_get(&p->alpha, i, n), v_get(x + i, n), v_set(p->shift)));
  if (t) v_put(t + i, v, n);
  v_put(y + i, v_fma(channels_get(&p->gamma, i, n), v, channels_get(&p->beta, i, n)), n);
}

INLINE void fwd_rows(value_of *f, const row_terms *terms, int64_t N, int64_t C, const real *x, real *y,
                     real *t) {
  const row_terms copy = *terms, *p = &copy; /* which no store can change: it stays in registers */
  for (int64_t r = 0; r < N; r++, x += C, y += C, t = t ? t + C : t) {
    int64_t i = 0;
    for (; i + W <= C; i += W) fwd_at(f, p, i, W, x, y, t);
    if (i < C) fwd_at(f, p, i, C - i, x, y, t);
  }
}

/* --- backward --- */

typedef struct bwd_args {
  row_terms terms;
  const real *x, *t, *dy;
  real *dx, *dalpha, *dgamma, *dbeta; /* dalpha: one for each channel, or NULL */
  bool acc;
} bwd_args;

INLINE void add_to(real *to, int64_t i, int64_t n, vec a) {
  if (to) v_put(to + i, v_get(to + i, n) + a, n);
}

/* n channels from i on of the row that begins at number `row`: sum[0], sum[1] += x q, q. */
INLINE void bwd_at(value_of *f, slope_of *d, const bwd_args *p, int64_t row, int64_t i, int64_t n,
                   vec sum[2]) {
  vec x = v_get(p->x + row + i, n), dy = v_get(p->dy + row + i, n),
      alpha = channels_get(&p->terms.alpha, i, n);
  vec z = v_fma(alpha, x, v_set(p->terms.shift)), t = p->t ? v_get(p->t + row + i, n) : f(z);
  vec q = d(z, t) * (channels_get(&p->terms.gamma, i, n) * dy), dx = alpha * q;
  if (p->dx) v_put(p->dx + row + i, p->acc ? v_get(p->dx + row + i, n) + dx : dx, n);
  add_to(p->dalpha, i, n, x * q);
  add_to(p->dgamma, i, n, t * dy);
  add_to(p->dbeta, i, n, dy);
  sum[0] = v_fma(x, q, sum[0]);
  sum[1] += q;
}

/* sums[0], sums[1] = the sums of x q and of q over all, in double but for a lane's share of one row. Row
 * after row as they lie in memory, with the parameters' gradients in L1: going down columns with those in
 * registers is up to a third faster in cache, but half as fast out of it. */
INLINE void bwd_rows(value_of *f, slope_of *d, const bwd_args *args, const real *t, int64_t N, int64_t C,
                     double sums[2]) {
  bwd_args copy = *args, *p = &copy;
  p->t = t;
  wide total[2] = {{.lo = {0}}};
  for (int64_t row = 0; row < N * C; row += C) {
    vec sum[2][2] = {{{0}}};
    int64_t i = 0;
    for (; i + 2 * W <= C; i += 2 * W) {
      bwd_at(f, d, p, row, i, W, sum[0]);
      bwd_at(f, d, p, row, i + W, W, sum[1]);
    }
    for (; i + W <= C; i += W) bwd_at(f, d, p, row, i, W, sum[0]);
    if (i < C) bwd_at(f, d, p, row, i, C - i, sum[1]);
    for (int k = 0; k < 2; k++) wide_add(&total[k], wide_of(sum[0][k] + sum[1][k]));
  }
  for (int k = 0; k < 2; k++) sums[k] = wide_sum(total[k]);
}

/* --- one instance for each function --- */

#define FN(name, group)                                                                                      \
  static void fwd_##name(const row_terms *p, int64_t N, int64_t C, const real *x, real *y, real *t) {        \
    fwd_rows(f_##name, p, N, C, x, y, t);                                                                    \
  }                                                                                                          \
  static void bwd_##name(const bwd_args *p, int64_t N, int64_t C, double sums[2]) {                          \
    if (p->t)                                                                                                \
      bwd_rows(f_##name, d_##name, p, p->t, N, C, sums);                                                     \
    else                                                                                                     \
      bwd_rows(f_##name, d_##name, p, NULL, N, C, sums);                                                     \
  }
#include "dyt/functions.def"

static const struct {
  void (*fwd)(const row_terms *p, int64_t N, int64_t C, const real *x, real *y, real *t);
  void (*bwd)(const bwd_args *p, int64_t N, int64_t C, double sums[2]);
} functions[K_FN_COUNT] = {
#define FN(name, group) {fwd_##name, bwd_##name},
#include "dyt/functions.def"
};

void LEVEL(pointwise_fwd)(k_fn fn, int64_t N, int64_t C, const real *x, const real *alpha, bool per_channel,
                          const real *shift, const real *gamma, const real *beta, real *y, real *t) {
  row_terms p;
  functions[fn].fwd(terms_init(&p, alpha, per_channel, shift, gamma, beta), N, C, x, y, t);
}

void LEVEL(pointwise_bwd)(k_fn fn, int64_t N, int64_t C, const real *x, const real *t, const real *alpha,
                          bool per_channel, const real *shift, const real *gamma, const real *dy, real *dx,
                          bool acc, real *dalpha, real *dshift, real *dgamma, real *dbeta) {
  double sums[2];
  bwd_args p = {.x = x,
                .t = t,
                .dy = dy,
                .dx = dx,
                .dalpha = per_channel ? dalpha : NULL,
                .dgamma = dgamma,
                .dbeta = dbeta,
                .acc = acc};
  terms_init(&p.terms, alpha, per_channel, shift, gamma, NULL);
  functions[fn].bwd(&p, N, C, sums);
  if (dalpha && !per_channel) *dalpha += (real)sums[0];
  if (dshift) *dshift += (real)sums[1];
}
