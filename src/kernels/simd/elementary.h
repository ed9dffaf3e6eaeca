/* elementary - exp, tanh, erf and their kin on a vector.
 *
 * In the float build these are polynomials of ours, within 4 units in the last place at every level (the
 * tests report each), on the stated domain; NaN gives NaN, infinities their limits. Results below the
 * smallest normal number may be zero: subnormal numbers only slow a training step down. In the double build,
 * which serves for checks, each lane calls libm.
 *
 * The coefficients are minimax fits of relative error (Lawson's iteration on Chebyshev nodes, rounded to
 * float); the error each leaves is less than 2^-25 unless said. */
#ifndef DYT_SIMD_ELEMENTARY_H
#define DYT_SIMD_ELEMENTARY_H

#include "kernels/simd/vec.h"

#if REAL_IS_F64

INLINE vec v_map(double (*f)(double), vec a) {
  for (int i = 0; i < W; i++) a[i] = f(a[i]);
  return a;
}
INLINE vec v_exp(vec x) { return v_map(exp, x); }
INLINE vec v_exp2_neg(vec x) { return v_map(exp2, x); }
INLINE vec v_expm1_neg(vec x) { return v_map(expm1, x); }
INLINE vec v_tanh(vec x) { return v_map(tanh, x); }
INLINE vec v_erf(vec x) { return v_map(erf, x); }
INLINE vec v_log1p(vec x) { return v_map(log1p, x); }
INLINE vec v_atan(vec x) { return v_map(atan, x); }
INLINE vec v_sin_quarter(vec x) { return v_map(sin, x); }
INLINE vec v_asinh_unit(vec x) { return v_map(asinh, x); }
INLINE vec v_cbrt_unit(vec x) { return v_map(cbrt, x); }
INLINE vec v_normal(vec x) { return (real)0.5 * v_map(erfc, x * -0.7071067811865476); }

#else

/* c[0] + c[1] x + ... + c[n-1] x^(n-1) */
INLINE vec v_horner(vec x, const float *c, int n) {
  vec sum = v_set(c[n - 1]);
#pragma GCC unroll 16
  for (int i = n - 2; i >= 0; i--) sum = v_fma(sum, x, v_set(c[i]));
  return sum;
}
#define POLYNOMIAL(x, ...)                                                                                   \
  v_horner(x, (const float[]){__VA_ARGS__}, (int)(sizeof((const float[]){__VA_ARGS__}) / sizeof(float)))

/* Adding this rounds a number of less than 2^22 to an integer, which then stands in the low bits. */
#define ROUNDER 0x1.8p23f

/* 2^n for the sum of ROUNDER, 127 and n: the low bits are the exponent field. */
INLINE vec v_power_of_2(vec rounded) { return (vec)((ivec)rounded << MANTISSA_BITS); }

/* ln 2 in two parts, the first short enough for exact products with exponents where nothing is fused. */
#define LN2_HI  0x1.63p-1f
#define LN2_LO  -0x1.bd0106p-13f
#define LOG2_E  0x1.715476p+0f

/* e^x = 2^n e^r, r = x - n ln 2. As half = 2^(n-1), which reaches 0 and the largest exponent, times 2 e^r. */
INLINE vec v_exp(vec x) {
  x = v_min(v_set(89), v_max(v_set(-87.33f), x));
  vec rounder = v_set(ROUNDER + 126), rounded = v_fma(x, v_set(LOG2_E), rounder), n = rounded - rounder;
  vec r = v_fma(n, v_set(-LN2_LO), v_fma(n, v_set(-LN2_HI), x));
  vec twice = POLYNOMIAL(r, 2.0f, 2.0f, 0.9999998412493099f, 0.3333283962595373f, 0.08333645570512192f,
                         0.016749691807603807f, 0.002767361480535486f);
  return twice * v_power_of_2(rounded);
}

/* 2^x for x <= 0, to 1.3e-7: the weights of a softmax, summed over, do not show it. Zero below 2^-126. */
INLINE vec v_exp2_neg(vec x) {
  x = v_max(v_set(-127), x);
  vec rounder = v_set(ROUNDER + 127), rounded = x + rounder, r = x - (rounded - rounder);
  return POLYNOMIAL(r, 1.0000000716544188f, 0.6931469670565563f, 0.24022119724700322f, 0.055507132868990214f,
                    0.009675541299903008f, 0.0013276467660022287f) *
         v_power_of_2(rounded);
}

/* e^x - 1 for x <= 0: with s = 2^n and p = e^r - 1, it is s p + (s - 1). One part of ln 2 is enough here: for
 * the large |n| where its error counts, e^x is small beside 1. */
INLINE vec v_expm1_neg(vec x) {
  x = v_max(v_set(-40), x);
  vec rounder = v_set(ROUNDER + 127), rounded = v_fma(x, v_set(LOG2_E), rounder), n = rounded - rounder;
  vec r = v_fma(n, v_set(-0x1.62e43p-1f), x), s = v_power_of_2(rounded);
  vec q = POLYNOMIAL(r, 0.4999999815110281f, 0.1666654349061635f, 0.0416672004288535f, 0.00836653817067701f,
                     0.0013882517784759247f);
  vec p = v_fma(r * r, q, r);
  return v_fma(s, p, s - 1);
}

/* With e = e^(-2|x|) - 1: |tanh x| = -e / (2 + e), which is never more than 1 and reaches it. */
INLINE vec v_tanh(vec x) {
  vec e = v_expm1_neg(v_abs(x) * -2);
  return v_copysign(e / (e + 2), x);
}

/* |erf x| = 1 - erfc |x|, and ln erfc |x| = |x| times a polynomial; from 4 on erf is 1. */
INLINE vec v_erf(vec x) {
  vec a = v_min(v_set(4), v_abs(x));
  vec p = POLYNOMIAL(a, -1.128379225730896f, -0.6366193890571594f, -0.10277783125638962f,
                     0.019153064116835594f, 0.00016039592446759343f, -0.001667027361690998f,
                     0.000632836832664907f, -0.00011764126975322142f, 9.25626591197215e-06f);
  return v_copysign(v_expm1_neg(a * p), x);
}

/* ln(1 + x) for x >= 0: 1 + x = 2^n (1 + f) with f in [sqrt(1/2) - 1, sqrt 2 - 1]. */
INLINE vec v_log1p(vec x) {
  x = v_min(v_set(1e38f), x);
  vec y = x + 1;
  ivec n = ((ivec)y - 0x3f3504f3) >> MANTISSA_BITS;
  vec f = v_select(v_less(x, v_set(0.4142f)), x, y * (vec)((127 - n) << MANTISSA_BITS) - 1);
  vec e = __builtin_convertvector(n, vec);
  vec q =
      POLYNOMIAL(f, 0.3333333170918722f, -0.25000821382534877f, 0.20001227139740285f, -0.1662334417437159f,
                 0.14201741003366686f, -0.13160302720767936f, 0.1276176569166203f, -0.07634403729068288f);
  vec small = f * f * v_fma(f, q, v_set(-0.5f));
  return v_fma(e, v_set(LN2_HI), f + v_fma(e, v_set(LN2_LO), small));
}

/* With a = min(|x|, 1/|x|): atan a, or pi/2 less it. */
INLINE vec v_atan(vec x) {
  vec one = v_set(1), z = v_abs(x), a = v_min(one, z) / v_max(one, z), u = a * a;
  vec q =
      POLYNOMIAL(u, -0.3333315273375732f, 0.19993772780941713f, -0.1421105486618637f, 0.10666002895028061f,
                 -0.07552210542260591f, 0.04321181643330114f, -0.01636790064286314f, 0.0029206853839733996f);
  vec p = v_fma(a * u, q, a);
  return v_copysign(v_select(v_less(one, z), 0x1.921fb6p+0f - p, p), x);
}

/* sin x for |x| <= pi/2. */
INLINE vec v_sin_quarter(vec x) {
  vec u = x * x;
  vec q = POLYNOMIAL(u, -0.16666659550402682f, 0.008333066245567703f, -0.00019809602869910002f,
                     2.605780575653582e-06f);
  return v_fma(x * u, q, x);
}

/* asinh x for |asinh x| <= 1. */
INLINE vec v_asinh_unit(vec x) {
  vec u = x * x;
  vec q = POLYNOMIAL(u, -0.16666619287020068f, 0.07498509832009496f, -0.044479066943086606f,
                     0.02947695048221546f, -0.019423117493495935f, 0.011122147782599644f,
                     -0.00477325226435063f, 0.0012916634989190534f, -0.00016064262356360604f);
  return v_fma(x * u, q, x);
}

/* The cube root for 0 <= x <= 1: a third of the exponent, then Halley's iteration: three times the digits. */
INLINE vec v_cbrt_unit(vec x) {
  vec third = __builtin_convertvector((ivec)x, vec) * (1.0f / 3);
  vec c = (vec)(__builtin_convertvector(third, ivec) + 0x2a5119f2);
  for (int i = 0; i < 2; i++) {
    vec cube = c * c * c;
    c -= c * (cube - x) / (cube + cube + x);
  }
  return v_select(v_less(x, v_set(0x1p-126f)), x, c);
}

/* The normal distribution function: 1/2 and an odd rational function of x, to 2^-24 of 1; at 5.7 that exceeds 1/2, and is
 * limited to it: beyond, the result is 0 or 1. The division runs beside the multiplications, so this is half the time of one with an exponential. */
INLINE vec v_normal(vec x) {
  vec c = v_max(v_set(-5.7f), v_min(v_set(5.7f), x)), u = c * c;
  vec p = POLYNOMIAL(u, 0.398942232131958f, 0.03337226808071136f, 0.004650854039937258f,
                     0.0001643221476115286f, 6.360027327900752e-06f, 2.338673255053436e-08f);
  vec q = POLYNOMIAL(u, 1.0f, 0.2503179609775543f, 0.02837871201336384f, 0.001858984003774822f,
                     7.240035483846441e-05f, 1.216591499542119e-06f);
  return v_max(v_set(-0.5f), v_min(v_set(0.5f), c * p / q)) + 0.5f;
}

#endif
#endif
