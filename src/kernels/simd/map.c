/* Functions of a span: value, slope times gradient, and how much of a tensor lies where the slope is small.
 * Each loop is written once, as a template over the function's value f and slope d, and instantiated for
 * every row of functions.def. */
#include "kernels/simd/functions.h"
#include "kernels/simd/simd.h"

typedef vec value_of(vec z);
typedef vec slope_of(vec z, vec t);

INLINE void fwd_span(value_of *f, int64_t n, const real *x, real *y) {
  int64_t i = 0;
  for (; i + W <= n; i += W) v_store(y + i, f(v_load(x + i)));
  if (i < n) v_put(y + i, f(v_get(x + i, n - i)), n - i);
}

INLINE void bwd_at(slope_of *d, int64_t n, const real *x, const real *y, const real *dy, real *dx, bool acc) {
  vec r = d(v_get(x, n), v_get(y, n)) * v_get(dy, n);
  v_put(dx, acc ? v_get(dx, n) + r : r, n);
}

INLINE void bwd_span(slope_of *d, int64_t n, const real *x, const real *y, const real *dy, real *dx,
                     bool acc) {
  int64_t i = 0;
  for (; i + W <= n; i += W) bwd_at(d, W, x + i, y + i, dy + i, dx + i, acc);
  if (i < n) bwd_at(d, n - i, x + i, y + i, dy + i, dx + i, acc);
}

/* z becomes the slope at z if that is wanted. */
INLINE void activate_at(value_of *f, slope_of *d, int64_t n, real *z, real *y, bool slope) {
  vec v = v_get(z, n), t = f(v);
  v_put(y, t, n);
  if (slope) v_put(z, d(v, t), n);
}

INLINE void activate_rows(value_of *f, slope_of *d, int64_t N, int64_t C, int64_t row, real *z, real *y,
                          bool slope) {
  for (int64_t r = 0; r < N; r++, z += row, y += row) {
    int64_t i = 0;
    for (; i + W <= C; i += W) activate_at(f, d, W, z + i, y + i, slope);
    if (i < C) activate_at(f, d, C - i, z + i, y + i, slope);
  }
}

INLINE int64_t saturated_row(value_of *f, slope_of *d, int64_t C, const real *x, const channels *alpha,
                             vec shift, vec limit) {
  int64_t count = 0;
  for (int64_t i = 0; i < C; i += W) {
    vec z = v_fma(channels_get(alpha, i, C - i), v_get(x + i, C - i), shift);
    count += v_count(v_less(v_abs(d(z, f(z))), limit), C - i < W ? C - i : W);
  }
  return count;
}

#define FN(name, group)                                                                                      \
  static void fwd_##name(int64_t n, const real *x, real *y) { fwd_span(f_##name, n, x, y); }                 \
  static void bwd_##name(int64_t n, const real *x, const real *y, const real *dy, real *dx, bool acc) {      \
    bwd_span(d_##name, n, x, y, dy, dx, acc);                                                                \
  }                                                                                                          \
  static void activate_##name(int64_t N, int64_t C, int64_t row, real *z, real *y, bool slope) {             \
    if (slope)                                                                                               \
      activate_rows(f_##name, d_##name, N, C, row, z, y, true);                                              \
    else                                                                                                     \
      activate_rows(f_##name, d_##name, N, C, row, z, y, false);                                             \
  }                                                                                                          \
  static int64_t saturated_##name(int64_t C, const real *x, const channels *alpha, vec shift, vec limit) {   \
    return saturated_row(f_##name, d_##name, C, x, alpha, shift, limit);                                     \
  }
#include "dyt/functions.def"

static const struct {
  void (*fwd)(int64_t n, const real *x, real *y);
  void (*bwd)(int64_t n, const real *x, const real *y, const real *dy, real *dx, bool acc);
  void (*activate)(int64_t N, int64_t C, int64_t row, real *z, real *y, bool slope);
  int64_t (*saturated)(int64_t C, const real *x, const channels *alpha, vec shift, vec limit);
} functions[K_FN_COUNT] = {
#define FN(name, group) {fwd_##name, bwd_##name, activate_##name, saturated_##name},
#include "dyt/functions.def"
};

void LEVEL(map_fwd)(k_fn fn, int64_t n, const real *x, real *y) { functions[fn].fwd(n, x, y); }

void LEVEL(map_bwd)(k_fn fn, int64_t n, const real *x, const real *y, const real *dy, real *dx, bool acc) {
  functions[fn].bwd(n, x, y, dy, dx, acc);
}

void LEVEL(activate)(k_fn fn, int64_t N, int64_t C, int64_t row, real *z, real *y, bool slope) {
  functions[fn].activate(N, C, row, z, y, slope);
}

int64_t LEVEL(saturated)(k_fn fn, int64_t N, int64_t C, const real *x, const real *alpha, bool per_channel,
                         real shift) {
  channels a;
  channels_init(&a, per_channel ? alpha : NULL, alpha[0]);
  vec limit = v_set((real)(0.1 * fabs(k_functions[fn].slope0)));
  int64_t count = 0;
  for (int64_t r = 0; r < N; r++) count += functions[fn].saturated(C, x + r * C, &a, v_set(shift), limit);
  return count;
}
