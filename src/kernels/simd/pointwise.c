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

INLINE void fwd_rows(value_of *f, const row_terms *p, int64_t N, int64_t C, const real *x, real *y, real *t) {
  for (int64_t r = 0; r < N; r++, x += C, y += C, t = t ? t + C : t) {
    int64_t i = 0;
    for (; i + W <= C; i += W) fwd_at(f, p, i, W, x, y, t);
    if (i < C) fwd_at(f, p, i, C - i, x, y, t);
  }
}

/* --- backward --- */

typedef struct bwd_args {
  row_terms terms;
  int64_t C;
  const real *x, *t, *dy;
  real *dx, *dalpha, *dgamma, *dbeta; /* dalpha only with an alpha a channel */
  bool acc;
  wide sum_xq, sum_q; /* over the whole tensor, for one alpha and the shift */
} bwd_args;

/* Sums over rows are kept in registers for BLOCK vectors of channels and RUN rows at a time. RUN floats added
 * up in one lane err by less than 2e-6 of the sum of their magnitudes; runs are then added in double (alpha,
 * shift) or to the parameter's gradient. */
enum { BLOCK = VEC_BITS == 512 ? 4 : 2, RUN = 32 };

INLINE void add_column(real *to, vec sum, int64_t n) {
  if (to) v_put(to, v_get(to, n) + sum, n);
}

/* Channels i .. of rows r .. r+rows-1: `vectors` vectors, the last one of n channels. */
INLINE void bwd_block(slope_of *d, bwd_args *p, int64_t r, int64_t rows, int64_t i, int vectors, int64_t n) {
  vec xq[BLOCK] = {{0}}, q[BLOCK] = {{0}}, dgamma[BLOCK] = {{0}}, dbeta[BLOCK] = {{0}};
  const vec shift = v_set(p->terms.shift);
  for (int64_t at = r * p->C + i, row = 0; row < rows; row++, at += p->C) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
      vec x = v_get(p->x + at + v * W, n), t = v_get(p->t + at + v * W, n), dy = v_get(p->dy + at + v * W, n);
      vec alpha = channels_get(&p->terms.alpha, i + v * W, n);
      vec u = d(v_fma(alpha, x, shift), t) * (channels_get(&p->terms.gamma, i + v * W, n) * dy),
          dx = alpha * u;
      if (p->dx) v_put(p->dx + at + v * W, p->acc ? v_get(p->dx + at + v * W, n) + dx : dx, n);
      xq[v] = v_fma(x, u, xq[v]);
      q[v] += u;
      dgamma[v] = v_fma(t, dy, dgamma[v]);
      dbeta[v] += dy;
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < vectors; v++) {
    wide_add(&p->sum_xq, wide_of(xq[v]));
    wide_add(&p->sum_q, wide_of(q[v]));
    add_column(p->dalpha ? p->dalpha + i + v * W : NULL, xq[v], n);
    add_column(p->dgamma ? p->dgamma + i + v * W : NULL, dgamma[v], n);
    add_column(p->dbeta ? p->dbeta + i + v * W : NULL, dbeta[v], n);
  }
}

INLINE void bwd_rows(slope_of *d, bwd_args *p, int64_t N) {
  for (int64_t r = 0; r < N; r += RUN) {
    int64_t rows = N - r < RUN ? N - r : RUN, i = 0;
    for (; i + BLOCK * W <= p->C; i += BLOCK * W) bwd_block(d, p, r, rows, i, BLOCK, W);
    for (; i + W <= p->C; i += W) bwd_block(d, p, r, rows, i, 1, W);
    if (i < p->C) bwd_block(d, p, r, rows, i, 1, p->C - i);
  }
}

/* --- one instance for each function --- */

#define FN(name, group)                                                                                      \
  static void fwd_##name(const row_terms *p, int64_t N, int64_t C, const real *x, real *y, real *t) {        \
    fwd_rows(f_##name, p, N, C, x, y, t);                                                                    \
  }                                                                                                          \
  static void bwd_##name(bwd_args *p, int64_t N) { bwd_rows(d_##name, p, N); }
#include "dyt/functions.def"

static const struct {
  void (*fwd)(const row_terms *p, int64_t N, int64_t C, const real *x, real *y, real *t);
  void (*bwd)(bwd_args *p, int64_t N);
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
  bwd_args p = {.C = C,
                .x = x,
                .t = t,
                .dy = dy,
                .dx = dx,
                .dalpha = per_channel ? dalpha : NULL,
                .dgamma = dgamma,
                .dbeta = dbeta,
                .acc = acc};
  terms_init(&p.terms, alpha, per_channel, shift, gamma, NULL);
  functions[fn].bwd(&p, N);
  if (dalpha && !per_channel) *dalpha += (real)wide_sum(p.sum_xq);
  if (dshift) *dshift += (real)wide_sum(p.sum_q);
}
