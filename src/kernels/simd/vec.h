/* vec - one vector of reals, of the width of the SIMD level this file is compiled for.
 *
 * SIMD_LEVEL (avx512, avx2 or portable, from the Makefile) fixes the width, so that the same source makes the
 * kernels of every level. Vectors are the compilers' own: + - * / and comparisons of integers work on them as
 * they are; the functions here are what C lacks. Outside x86 only the portable level exists, 16 bytes wide,
 * which NEON serves.
 *
 *   for (; i + W <= n; i += W) v_put(y + i, v_get(x + i, W) * a, W);     // whole vectors
 *   if (i < n) v_put(y + i, v_get(x + i, n - i) * a, n - i);             // the rest, same arithmetic
 *
 * Only v_fma fuses a multiplication and an addition, and only if the level can (portable x86 cannot). */
#ifndef DYT_SIMD_VEC_H
#define DYT_SIMD_VEC_H

#include "dyt/real.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)

#ifndef SIMD_LEVEL
#define SIMD_LEVEL portable
#endif
#define VEC_BITS_avx512   512
#define VEC_BITS_avx2     256
#define VEC_BITS_portable 128
#define VEC_BITS          JOIN(VEC_BITS_, SIMD_LEVEL)
#define VEC_BYTES         (VEC_BITS / 8)

/* The templates below are worth their name only when the compiler sees through them. */
#define INLINE static inline __attribute__((always_inline))

#if REAL_IS_F64
typedef int64_t integer; /* of the size of a real */
enum { MANTISSA_BITS = 52 };
#else
typedef int32_t integer;
enum { MANTISSA_BITS = 23 };
#endif

typedef real vec __attribute__((vector_size(VEC_BYTES)));
typedef integer ivec __attribute__((vector_size(VEC_BYTES)));
typedef real vec_anywhere __attribute__((vector_size(VEC_BYTES), aligned(sizeof(real)), may_alias));

enum { W = VEC_BYTES / sizeof(real) }; /* lanes */

/* The intrinsic of that name for this width and type. */
#if VEC_BITS == 512
#define V_PREFIX _mm512_
#elif VEC_BITS == 256
#define V_PREFIX _mm256_
#else
#define V_PREFIX _mm_
#endif
#if REAL_IS_F64
#define V(name) JOIN(JOIN(V_PREFIX, name), _pd)
#else
#define V(name) JOIN(JOIN(V_PREFIX, name), _ps)
#endif

/* --- lanes in and out --- */

/* `a` in every lane. (a - 0 is a, the sign of zero and NaN included.) */
INLINE vec v_set(real a) { return a - (vec){0}; }
INLINE vec v_load(const real *p) { return *(const vec_anywhere *)p; }
INLINE void v_store(real *p, vec a) { *(vec_anywhere *)p = a; }

#if VEC_BITS == 512
#if REAL_IS_F64
typedef __mmask8 mask;
#else
typedef __mmask16 mask;
#endif
INLINE mask lanes_below(int64_t n) { return (mask)((1u << n) - 1); }
INLINE vec v_select(mask m, vec yes, vec no) { return V(mask_blend)(m, no, yes); }
INLINE vec v_load_part(const real *p, int64_t n) { return V(maskz_loadu)(lanes_below(n), p); }
INLINE void v_store_part(real *p, vec a, int64_t n) { V(mask_storeu)(p, lanes_below(n), a); }
#else
typedef ivec mask; /* all bits of a lane or none */
INLINE mask lanes_below(int64_t n) {
  ivec lane;
  for (int i = 0; i < W; i++) lane[i] = i;
  return lane < (integer)n;
}
#if VEC_BITS == 256
INLINE vec v_select(mask m, vec yes, vec no) { return V(blendv)(no, yes, (vec)m); }
INLINE vec v_load_part(const real *p, int64_t n) { return V(maskload)(p, (__m256i)lanes_below(n)); }
INLINE void v_store_part(real *p, vec a, int64_t n) { V(maskstore)(p, (__m256i)lanes_below(n), a); }
#else
INLINE vec v_select(mask m, vec yes, vec no) { return (vec)((m & (ivec)yes) | (~m & (ivec)no)); }
INLINE vec v_load_part(const real *p, int64_t n) {
  real lanes[W] = {0};
  memcpy(lanes, p, (size_t)n * sizeof *p);
  return v_load(lanes);
}
INLINE void v_store_part(real *p, vec a, int64_t n) {
  real lanes[W];
  v_store(lanes, a);
  memcpy(p, lanes, (size_t)n * sizeof *p);
}
#endif
#endif

/* a with zero in the lanes from n on. */
INLINE vec v_keep(vec a, int64_t n) { return n >= W ? a : v_select(lanes_below(n), a, v_set(0)); }

/* The first n >= 1 numbers at p (no more than W; zero in the other lanes), and back. With n a constant W
 * there is no test. */
INLINE vec v_get(const real *p, int64_t n) { return n >= W ? v_load(p) : v_load_part(p, n); }
INLINE void v_put(real *p, vec a, int64_t n) {
  if (n >= W)
    v_store(p, a);
  else
    v_store_part(p, a, n);
}

/* --- arithmetic --- */

/* a b + c. Outside x86 the compiler makes one instruction of the lanes where there is one. */
INLINE vec v_fma(vec a, vec b, vec c) {
#if VEC_BITS >= 256
  return V(fmadd)(a, b, c);
#elif defined(__x86_64__)
  return a * b + c;
#else
  vec r;
  for (int i = 0; i < W; i++)
    r[i] = REAL_IS_F64 ? (real)fma(a[i], b[i], c[i]) : (real)fmaf((float)a[i], (float)b[i], (float)c[i]);
  return r;
#endif
}

#if defined(__x86_64__)
INLINE vec v_sqrt(vec a) { return V(sqrt)(a); }
/* a < b ? a : b, hence b where either is NaN: v_min(limit, x) lets the NaN of x through. v_max likewise. */
INLINE vec v_min(vec a, vec b) { return V(min)(a, b); }
INLINE vec v_max(vec a, vec b) { return V(max)(a, b); }
#else
INLINE vec v_sqrt(vec a) {
  for (int i = 0; i < W; i++) a[i] = (real)sqrt((double)a[i]);
  return a;
}
INLINE vec v_min(vec a, vec b) { return (vec)(((ivec)a & (a < b)) | ((ivec)b & ~(a < b))); }
INLINE vec v_max(vec a, vec b) { return (vec)(((ivec)a & (a > b)) | ((ivec)b & ~(a > b))); }
#endif

/* --- comparison --- */

/* a < b, false where either is NaN; v_select(mask, yes, no) chooses by it. */
INLINE mask v_less(vec a, vec b) {
#if VEC_BITS < 512
  return a < b;
#elif REAL_IS_F64
  return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ);
#else
  return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
#endif
}

/* In how many of the first n <= W lanes. */
INLINE int v_count(mask m, int64_t n) {
  m &= lanes_below(n);
#if VEC_BITS == 512
  return __builtin_popcount(m);
#else
  int count = 0;
  for (int i = 0; i < W; i++) count -= (int)m[i];
  return count;
#endif
}

/* --- signs and exponents --- */

#define SIGN_BIT ((integer)((uint64_t)1 << (sizeof(integer) * 8 - 1)))

INLINE vec v_abs(vec a) { return (vec)((ivec)a & ~((ivec){0} + SIGN_BIT)); }
/* |a| with the sign of s. */
INLINE vec v_copysign(vec a, vec s) {
  ivec sign = (ivec){0} + SIGN_BIT;
  return (vec)(((ivec)a & ~sign) | ((ivec)s & sign));
}

/* --- lanes in double --- */

typedef double dvec __attribute__((vector_size(VEC_BYTES)));

/* As many doubles as a vec has lanes: sums over more than a row are made in these. */
#if REAL_IS_F64
typedef struct wide {
  dvec lo;
} wide;
INLINE wide wide_of(vec a) { return (wide){a}; }
INLINE void wide_add(wide *sum, wide a) { sum->lo += a.lo; }
INLINE void wide_add_product(wide *sum, wide a, wide b) { sum->lo += a.lo * b.lo; }
INLINE wide wide_minus(wide a, double b) { return (wide){a.lo - b}; }
INLINE dvec wide_fold(wide a) { return a.lo; }
#else
typedef struct wide {
  dvec lo, hi;
} wide;
INLINE wide wide_of(vec a) {
#if VEC_BITS == 512
  return (wide){_mm512_cvtps_pd(_mm512_castps512_ps256(a)), _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1))};
#elif VEC_BITS == 256
  return (wide){_mm256_cvtps_pd(_mm256_castps256_ps128(a)), _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1))};
#else
  return (wide){{(double)a[0], (double)a[1]}, {(double)a[2], (double)a[3]}};
#endif
}
INLINE void wide_add(wide *sum, wide a) { sum->lo += a.lo, sum->hi += a.hi; }
INLINE void wide_add_product(wide *sum, wide a, wide b) { sum->lo += a.lo * b.lo, sum->hi += a.hi * b.hi; }
INLINE wide wide_minus(wide a, double b) { return (wide){a.lo - b, a.hi - b}; }
INLINE dvec wide_fold(wide a) { return a.lo + a.hi; }
#endif

/* The sum of all lanes. */
INLINE double wide_sum(wide a) {
  dvec d = wide_fold(a);
#if VEC_BITS == 512
  return _mm512_reduce_add_pd(d);
#else
  double sum = 0;
  for (size_t i = 0; i < VEC_BYTES / sizeof(double); i++) sum += d[i];
  return sum;
#endif
}
INLINE double v_sum(vec a) { return wide_sum(wide_of(a)); }

#endif
