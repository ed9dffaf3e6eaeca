/* Kernels over a span of n numbers, and the optimizer's. */
#include "kernels/simd/simd.h"

void LEVEL(add)(int64_t n, const real *a, const real *b, real *y) {
  int64_t i = 0;
  for (; i + W <= n; i += W) v_store(y + i, v_load(a + i) + v_load(b + i));
  if (i < n) v_put(y + i, v_get(a + i, n - i) + v_get(b + i, n - i), n - i);
}

INLINE void scale_at(int64_t n, vec s, const real *x, real *y, bool acc) {
  vec r = s * v_get(x, n);
  v_put(y, acc ? v_get(y, n) + r : r, n);
}

INLINE void scale_span(int64_t n, real s, const real *x, real *y, bool acc) {
  int64_t i = 0;
  for (; i + W <= n; i += W) scale_at(W, v_set(s), x + i, y + i, acc);
  if (i < n) scale_at(n - i, v_set(s), x + i, y + i, acc);
}

void LEVEL(scale)(int64_t n, real s, const real *x, real *y, bool acc) {
  if (acc)
    scale_span(n, s, x, y, true);
  else
    scale_span(n, s, x, y, false);
}

double LEVEL(sumsq)(int64_t n, const real *x) {
  wide sum[2] = {{.lo = {0}}};
  int64_t i = 0;
  for (; i + 2 * W <= n; i += 2 * W) {
    wide a = wide_of(v_load(x + i)), b = wide_of(v_load(x + i + W));
    wide_add_product(&sum[0], a, a);
    wide_add_product(&sum[1], b, b);
  }
  for (; i < n; i += W) {
    wide a = wide_of(v_get(x + i, n - i));
    wide_add_product(&sum[0], a, a);
  }
  wide_add(&sum[0], sum[1]);
  return wide_sum(sum[0]);
}

/* 0 x is 0 for finite x and NaN for the others, which a sum keeps. */
bool LEVEL(finite)(int64_t n, const real *x) {
  vec sum[2] = {{0}};
  int64_t i = 0;
  for (; i + 2 * W <= n; i += 2 * W) {
    sum[0] += v_load(x + i) * 0;
    sum[1] += v_load(x + i + W) * 0;
  }
  for (; i < n; i += W) sum[0] += v_get(x + i, n - i) * 0;
  return v_sum(sum[0] + sum[1]) == 0;
}

INLINE void moments_of(vec x, double center, wide *sum, wide *square, vec *largest) {
  wide a = wide_of(x), d = wide_minus(a, center);
  wide_add(sum, a);
  wide_add_product(square, d, d);
  *largest = v_max(v_abs(x), *largest); /* in this order a NaN does not raise it; the sums show it */
}

/* a NaN does not raise it. (fmax in a loop stops GCC 12 for ARM with an internal error.) */
INLINE void raise_to(double *most, double a) {
  if (a > *most) *most = a;
}

void LEVEL(moments)(int64_t n, const real *x, double center, double out[3]) {
  wide sum = {0}, square = {0};
  vec largest = {0};
  int64_t i = 0;
  for (; i + W <= n; i += W) moments_of(v_load(x + i), center, &sum, &square, &largest);
  for (int lane = 0; lane < W; lane++) raise_to(&out[2], (double)largest[lane]);
  out[0] += wide_sum(sum);
  out[1] += wide_sum(square);
  for (; i < n; i++) {
    double a = (double)x[i], d = a - center;
    out[0] += a;
    out[1] += d * d;
    raise_to(&out[2], fabs(a));
  }
}

typedef struct adamw {
  vec decay, lerp1, beta2, rest2, gscale, step, root2, eps;
} adamw;

/* The order of operations, and roundings, of PyTorch's torch.optim.AdamW on float32 (not its fused or foreach
 * form): lerp_, mul_ and addcmul_, sqrt / sqrt(c2) + eps, addcdiv_. */
INLINE void adamw_at(int64_t n, real *w, const real *g, real *m, real *v, const adamw *a) {
  vec grad = v_get(g, n) * a->gscale, mean = v_get(m, n);
  mean = mean + a->lerp1 * (grad - mean);
  vec square = v_get(v, n) * a->beta2 + a->rest2 * grad * grad;
  vec denominator = v_sqrt(square) / a->root2 + a->eps;
  v_put(m, mean, n);
  v_put(v, square, n);
  v_put(w, v_get(w, n) * a->decay - a->step * mean / denominator, n);
}

void LEVEL(adamw)(int64_t n, real *w, const real *g, real *m, real *v, const k_adamw_args *a) {
  const adamw c = {.decay = v_set((real)(1 - a->lr * a->weight_decay)),
                   .lerp1 = v_set((real)(1 - a->beta1)),
                   .beta2 = v_set((real)a->beta2),
                   .rest2 = v_set((real)(1 - a->beta2)),
                   .gscale = v_set((real)a->gscale),
                   .step = v_set((real)(a->lr / a->c1)),
                   .root2 = v_set((real)sqrt(a->c2)),
                   .eps = v_set((real)a->eps)};
  int64_t i = 0;
  for (; i + W <= n; i += W) adamw_at(W, w + i, g + i, m + i, v + i, &c);
  if (i < n) adamw_at(n - i, w + i, g + i, m + i, v + i, &c);
}

typedef struct sgd {
  vec decay, momentum, gscale, lr;
} sgd;

INLINE void sgd_at(int64_t n, real *w, const real *g, real *buffer, const sgd *a) {
  vec value = v_get(w, n), grad = v_get(g, n) * a->gscale + a->decay * value;
  vec step = v_get(buffer, n) * a->momentum + grad;
  v_put(buffer, step, n);
  v_put(w, value - a->lr * step, n);
}

void LEVEL(sgd)(int64_t n, real *w, const real *g, real *buffer, const k_sgd_args *a) {
  const sgd c = {.decay = v_set((real)a->weight_decay),
                 .momentum = v_set((real)a->momentum),
                 .gscale = v_set((real)a->gscale),
                 .lr = v_set((real)a->lr)};
  int64_t i = 0;
  for (; i + W <= n; i += W) sgd_at(W, w + i, g + i, buffer + i, &c);
  if (i < n) sgd_at(n - i, w + i, g + i, buffer + i, &c);
}

INLINE void lerp_at(int64_t n, vec t, const real *x, real *y) {
  vec from = v_get(y, n);
  v_put(y, from + t * (v_get(x, n) - from), n);
}

void LEVEL(lerp)(int64_t n, real t, const real *x, real *y) {
  int64_t i = 0;
  for (; i + W <= n; i += W) lerp_at(W, v_set(t), x + i, y + i);
  if (i < n) lerp_at(n - i, v_set(t), x + i, y + i);
}
