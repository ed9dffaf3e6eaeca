/* Attention of one sample, head by head, everything in the caller's scratch.
 *
 * Scores are kept with the queries along the vectors, P[key][query]: maximum and sum over keys then need no
 * sum across lanes and no key is padded. Queries are padded to k_padded(T); what stands in the padding is
 * finite and never read. With ' for a transpose, and S, P, dP, dS as they are kept:
 *   S = K Q'           P = softmax of S / sqrt(D)         out = P' V
 *   dP = V dout'       dS = P (dP - sum over keys of P dP)
 *   dV = P dout        dK = dS Q / sqrt(D)                dQ = dS' K / sqrt(D)
 * Only Q' and dout' are written out; the other transposes are a matter of strides. */
#include "kernels/simd/elementary.h"
#include "kernels/simd/product.h"
#include "kernels/simd/simd.h"
#include "kernels/simd/transpose.h"

typedef struct shape {
  int64_t T, H, D;
  int64_t row;    /* from one token's out to the next, H D; qkv takes three */
  int64_t padded; /* from one key's scores to the next */
  int64_t width;  /* of the scores that are computed: T rounded up to whole vectors, at most `padded` */
} shape;

static shape shape_of(int64_t T, int64_t H, int64_t D) {
  return (shape){.T = T, .H = H, .D = D, .row = H * D, .padded = k_padded(T), .width = (T + W - 1) / W * W};
}

/* --- transposition --- */

/* y [D, width] = the transpose of x [T, D], zero beyond T. */
static void transpose(const shape *s, const real *x, int64_t x_row, real *y) {
  int64_t T4 = s->T / SQUARE * SQUARE, D4 = s->D / SQUARE * SQUARE;
  for (int64_t t = 0; t < T4; t += SQUARE)
    for (int64_t d = 0; d < D4; d += SQUARE)
      transpose_square(x + t * x_row + d, x_row, y + d * s->padded + t, s->padded);
  for (int64_t d = 0; d < s->D; d++) {
    real *to = y + d * s->padded;
    for (int64_t t = d < D4 ? T4 : 0; t < s->T; t++) to[t] = x[t * x_row + d];
    for (int64_t t = s->T; t < s->width; t++) to[t] = 0;
  }
}

/* --- softmax over keys --- */

/* One vector of queries: e^(factor (s - max)) / sum in the place of each score s. `factor` holds log2 e. */
INLINE void softmax_lanes(const shape *s, real factor, real *p) {
  vec f = v_set(factor), most = v_load(p), sum[2] = {{0}};
  for (int64_t k = 1; k < s->T; k++) most = v_max(most, v_load(p + k * s->padded));
  vec offset = -most * f;
  for (int64_t k = 0; k < s->T; k++) {
    vec e = v_exp2_neg(v_fma(v_load(p + k * s->padded), f, offset));
    v_store(p + k * s->padded, e);
    sum[k & 1] += e;
  }
  vec scale = 1 / (sum[0] + sum[1]);
  for (int64_t k = 0; k < s->T; k++) v_store(p + k * s->padded, v_load(p + k * s->padded) * scale);
}

/* dp becomes dS = P (dP - sum over keys of P dP). */
INLINE void softmax_bwd_lanes(const shape *s, const real *p, real *dp) {
  vec sum = {0};
  for (int64_t k = 0; k < s->T; k++) sum = v_fma(v_load(p + k * s->padded), v_load(dp + k * s->padded), sum);
  for (int64_t k = 0; k < s->T; k++) {
    real *at = dp + k * s->padded;
    v_store(at, v_load(p + k * s->padded) * (v_load(at) - sum));
  }
}

/* --- products --- */

/* scores [key][query] = x yt: x [T,D] with row stride x_row for the keys, yt [D, padded] for the queries. */
static void score(const shape *s, const real *x, int64_t x_row, const real *yt, real *scores) {
  multiply(&(product){.M = s->T,
                      .N = s->width,
                      .K = s->D,
                      .a = x,
                      .a_row = x_row,
                      .a_col = 1,
                      .b = yt,
                      .b_row = s->padded,
                      .c = scores,
                      .c_row = s->padded,
                      .scale = 1});
}

/* y [T,D] (+)= scale * weights x: a row for each key, or, weights transposed, for each query. */
static void mix(const shape *s, const real *weights, bool transposed, const real *x, int64_t x_row,
                real scale, real *y, int64_t y_row, bool acc) {
  multiply(&(product){.M = s->T,
                      .N = s->D,
                      .K = s->T,
                      .a = weights,
                      .a_row = transposed ? 1 : s->padded,
                      .a_col = transposed ? s->padded : 1,
                      .b = x,
                      .b_row = x_row,
                      .c = y,
                      .c_row = y_row,
                      .scale = scale,
                      .plus = acc ? y : NULL,
                      .plus_row = y_row});
}

void LEVEL(attention_fwd)(int64_t T, int64_t H, int64_t D, const real *qkv, real *out, real *p,
                          real *scratch) {
  const shape s = shape_of(T, H, D);
  const real factor = (real)(1.4426950408889634 / sqrt((double)D));
  for (int64_t h = 0; h < H; h++, qkv += D, out += D, p += T * s.padded) {
    const real *q = qkv, *k = qkv + s.row, *v = qkv + 2 * s.row;
    transpose(&s, q, 3 * s.row, scratch);
    score(&s, k, 3 * s.row, scratch, p);
    for (int64_t i = 0; i < s.width; i += W) softmax_lanes(&s, factor, p + i);
    mix(&s, p, true, v, 3 * s.row, 1, out, s.row, false);
  }
}

void LEVEL(attention_bwd)(int64_t T, int64_t H, int64_t D, const real *qkv, const real *p, const real *dout,
                          real *dqkv, bool acc, real *scratch) {
  const shape s = shape_of(T, H, D);
  const real scale = (real)(1 / sqrt((double)D));
  real *dout_t = scratch, *ds = scratch + D * s.padded;
  for (int64_t h = 0; h < H; h++, qkv += D, dqkv += D, dout += D, p += T * s.padded) {
    const real *q = qkv, *k = qkv + s.row, *v = qkv + 2 * s.row;
    transpose(&s, dout, s.row, dout_t);
    score(&s, v, 3 * s.row, dout_t, ds);
    for (int64_t i = 0; i < s.width; i += W) softmax_bwd_lanes(&s, p + i, ds + i);
    mix(&s, p, false, dout, s.row, 1, dqkv + 2 * s.row, 3 * s.row, acc);
    mix(&s, ds, true, k, 3 * s.row, scale, dqkv, 3 * s.row, acc);
    mix(&s, ds, false, q, 3 * s.row, scale, dqkv + s.row, 3 * s.row, acc);
  }
}
