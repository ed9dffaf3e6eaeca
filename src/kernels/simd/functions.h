/* functions - value and slope of every function in functions.def, on a vector.
 *
 *   f_NAME(z)       f(z)
 *   d_NAME(z, t)    f'(z), where t = f(z) is at hand: most slopes follow from it without another evaluation
 *
 * Infinite z gives the limit of the value, NaN gives NaN. Where a slope jumps (dyt/kernel.h, `kinks`) it is
 * that of the flat side, as in PyTorch; where it is infinite, at the origin of exproot and power23clip, it is
 * taken as 0: a single exact zero among the activations would otherwise end a training run. */
#ifndef DYT_SIMD_FUNCTIONS_H
#define DYT_SIMD_FUNCTIONS_H

#include "kernels/simd/elementary.h"

#include <float.h>

#define VALUE(name) INLINE vec f_##name(vec z)
#define SLOPE(name) INLINE vec d_##name(vec z __attribute__((unused)), vec t __attribute__((unused)))

/* x limited to [-limit, limit]; NaN stays. */
INLINE vec v_clip(vec x, real limit) { return v_max(v_set(-limit), v_min(v_set(limit), x)); }
/* slope where |z| < limit, 0 beyond. */
INLINE vec v_inside(vec z, real limit, vec slope) {
  return v_select(v_less(v_abs(z), v_set(limit)), slope, v_set(0));
}
INLINE vec v_square(vec x) { return x * x; }

/* Beyond these a function is its limit in both precisions; the square or cube of such a number is finite. */
#define LARGE_SQUARE ((real)1e18)
#define LARGE_CUBE   ((real)1e12)
#define LARGE        ((real)1e30)

/* --- in the place of a normalization --- */

VALUE(identity) { return z; }
SLOPE(identity) { return v_set(1); }

VALUE(tanh) { return v_tanh(z); }
SLOPE(tanh) { return v_fma(-t, t, v_set(1)); }

VALUE(hardtanh) { return v_clip(z, 1); }
SLOPE(hardtanh) { return v_inside(z, 1, v_set(1)); }

VALUE(sigmoid) { return 1 / (1 + v_exp(-z)); }
SLOPE(sigmoid) { return t * (1 - t); }

VALUE(erf) { return v_erf(z); }
SLOPE(erf) { return (real)1.1283791670955126 * v_exp(-z * z); } /* 2/sqrt(pi) */

VALUE(isru) {
  vec c = v_clip(z, LARGE_SQUARE);
  return c / v_sqrt(v_fma(c, c, v_set(1)));
}
SLOPE(isru) {
  vec s = v_sqrt(v_fma(z, z, v_set(1)));
  return 1 / (s * s * s);
}

VALUE(arctan) { return v_atan(z) * (real)0.6366197723675814; } /* 2/pi */
SLOPE(arctan) { return (real)0.6366197723675814 / v_fma(z, z, v_set(1)); }

#define PI_2 1.5707963267948966
VALUE(satursin) { return v_sin_quarter(v_clip(z, (real)PI_2)); }
/* cos z = sin(pi/2 - |z|); sqrt(1 - t^2) would lose half the digits near the ends. */
SLOPE(satursin) { return v_sin_quarter(v_max(v_set(0), (real)PI_2 - v_abs(z))); }

VALUE(expsign) { return v_copysign(v_expm1_neg(-v_abs(z)), z); }
SLOPE(expsign) { return 1 - v_abs(t); }

VALUE(smoothsign) {
  vec c = v_clip(z, LARGE);
  return c / (1 + v_abs(c));
}
SLOPE(smoothsign) { return v_square(1 / (1 + v_abs(z))); }

VALUE(relsign) {
  vec c = v_clip(z, LARGE_SQUARE);
  return c / (v_sqrt(v_fma(c, c, v_set(1))) + 1);
}
SLOPE(relsign) {
  vec s = v_sqrt(v_fma(z, z, v_set(1)));
  return 1 / (s * (s + 1));
}

#define SINH_1 1.1752011936438014
/* The outer clip takes off what rounding puts above 1. */
VALUE(arcsinhclip) { return v_clip(v_asinh_unit(v_clip(z, (real)SINH_1)), 1); }
SLOPE(arcsinhclip) { return v_inside(z, (real)SINH_1, 1 / v_sqrt(v_fma(z, z, v_set(1)))); }

VALUE(linearclip) { return f_hardtanh(z); }
SLOPE(linearclip) { return d_hardtanh(z, t); }

VALUE(exproot) { return v_copysign(v_expm1_neg(-v_sqrt(v_abs(z))), z); }
/* e^-r / (2 r), r = sqrt|z| */
SLOPE(exproot) {
  vec a = v_abs(z);
  return v_select(v_less(v_set(0), a), (1 - v_abs(t)) / (2 * v_sqrt(a)), a);
}

#define E_1 1.718281828459045 /* e - 1 */
VALUE(logsignclip) { return v_copysign(v_min(v_set(1), v_log1p(v_min(v_set((real)E_1), v_abs(z)))), z); }
SLOPE(logsignclip) { return v_inside(z, (real)E_1, 1 / (1 + v_abs(z))); }

#define SQRT_E_1 1.3108324944320862 /* sqrt(e - 1) */
VALUE(logquadclip) {
  return v_copysign(v_min(v_set(1), v_log1p(v_square(v_min(v_set((real)SQRT_E_1), v_abs(z))))), z);
}
SLOPE(logquadclip) { return v_inside(z, (real)SQRT_E_1, 2 * v_abs(z) / v_fma(z, z, v_set(1))); }

VALUE(power23clip) { return v_copysign(v_square(v_cbrt_unit(v_min(v_set(1), v_abs(z)))), z); }
/* 2/3 |z|^(-1/3) = 2/3 |t / z| */
SLOPE(power23clip) {
  vec a = v_abs(z);
  return v_inside(z, 1, v_select(v_less(v_set(0), a), (real)(2.0 / 3) * v_abs(t) / a, a));
}

VALUE(saturlog) {
  vec a = v_abs(z), l = v_log1p(a);
  return v_copysign(
      v_select(v_less(v_set(REAL_IS_F64 ? (real)DBL_MAX : (real)FLT_MAX), a), v_set(1), l / (l + 1)), z);
}
/* 1 / ((1 + |z|) (l + 1)^2), and 1 / (l + 1) = 1 - |t| */
SLOPE(saturlog) { return v_square(1 - v_abs(t)) / (1 + v_abs(z)); }

VALUE(cubsign) {
  vec c = v_clip(z, LARGE_CUBE), cube = c * c * c;
  return cube / (v_abs(cube) + 1);
}
SLOPE(cubsign) {
  vec c = v_clip(z, LARGE_CUBE), square = c * c;
  return 3 * square / v_square(v_fma(square, v_abs(c), v_set(1)));
}

/* --- activations of the MLP --- */

/* Below this z Phi(z) is zero in either precision; it keeps -infinity times 0 away. */
#define TAIL ((real)1e4)

VALUE(gelu) { return v_max(v_set(-TAIL), z) * v_normal(z); }
/* Phi + z phi, phi(z) = e^(-z^2/2) / sqrt(2 pi) */
SLOPE(gelu) {
  vec c = v_clip(z, 16), density = (real)0.3989422804014327 * v_exp((real)-0.5 * c * c);
  return v_fma(c, density, v_normal(z));
}

/* s = (1 + tanh u) / 2 = 1 / (1 + e^-2u) in the place of Phi, u = B (z + A z^3) */
#define GELU_B 0.7978845608028654 /* sqrt(2/pi) */
#define GELU_A 0.044715
INLINE vec gelu_tanh_share(vec c) {
  vec u = c * v_fma(c * c, v_set((real)(-2 * GELU_A * GELU_B)), v_set((real)(-2 * GELU_B)));
  return 1 / (1 + v_exp(u));
}
VALUE(gelu_tanh) { return v_max(v_set(-TAIL), z) * gelu_tanh_share(v_clip(z, 16)); }
/* s + z s', s' = 2 s (1 - s) u' */
SLOPE(gelu_tanh) {
  vec c = v_clip(z, 16), s = gelu_tanh_share(c);
  vec du = v_fma(c * c, v_set((real)(3 * GELU_A * GELU_B)), v_set((real)GELU_B));
  return v_fma(2 * c * s * (1 - s), du, s);
}

VALUE(relu) { return v_max(v_set(0), z); }
SLOPE(relu) { return v_select(v_less(v_set(0), z), v_set(1), v_set(0)); }

/* s = 1 / (1 + e^-z); beyond 88 e^-z would not be finite, and z s is nothing. */
INLINE vec silu_share(vec z, vec *e) {
  *e = v_exp(-v_clip(z, 88));
  return 1 / (1 + *e);
}
VALUE(silu) {
  vec e;
  return v_max(v_set(-88), z) * silu_share(z, &e);
}
/* s (1 + z (1 - s)); 1 - s = e^-z s */
SLOPE(silu) {
  vec e, s = silu_share(z, &e);
  return s * v_fma(v_clip(z, 88), e * s, v_set(1));
}

#define SELU_SCALE 1.0507009873554805
#define SELU_ALPHA 1.6732632423543772
VALUE(selu) {
  vec below = (real)(SELU_SCALE * SELU_ALPHA) * v_expm1_neg(v_min(v_set(0), z));
  return v_select(v_less(v_set(0), z), (real)SELU_SCALE * z, below);
}
SLOPE(selu) {
  return v_select(v_less(v_set(0), z), v_set((real)SELU_SCALE), t + (real)(SELU_SCALE * SELU_ALPHA));
}

#undef VALUE
#undef SLOPE
#endif
