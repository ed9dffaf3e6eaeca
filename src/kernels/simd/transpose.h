/* transpose - a small square of numbers, in registers.
 *
 *   for (t..; t += SQUARE) for (d..; d += SQUARE) transpose_square(x + t * row + d, row, y + d * y_row + t, y_row); */
#ifndef DYT_SIMD_TRANSPOSE_H
#define DYT_SIMD_TRANSPOSE_H

#include "kernels/simd/vec.h"

/* y(d, t) = x(t, d) for t, d < SQUARE. */
#if REAL_IS_F64
enum { SQUARE = 1 };
INLINE void transpose_square(const real *x, int64_t row, real *y, int64_t y_row) {
  (void)row, (void)y_row;
  *y = *x;
}
#else
enum { SQUARE = 4 };
typedef float quad __attribute__((vector_size(16)));
typedef float quad_anywhere __attribute__((vector_size(16), aligned(4), may_alias));

INLINE void transpose_square(const real *x, int64_t row, real *y, int64_t y_row) {
  quad a = *(const quad_anywhere *)x, b = *(const quad_anywhere *)(x + row);
  quad c = *(const quad_anywhere *)(x + 2 * row), d = *(const quad_anywhere *)(x + 3 * row);
  quad ac = __builtin_shufflevector(a, c, 0, 4, 1, 5), bd = __builtin_shufflevector(b, d, 0, 4, 1, 5);
  quad AC = __builtin_shufflevector(a, c, 2, 6, 3, 7), BD = __builtin_shufflevector(b, d, 2, 6, 3, 7);
  *(quad_anywhere *)y = __builtin_shufflevector(ac, bd, 0, 4, 1, 5);
  *(quad_anywhere *)(y + y_row) = __builtin_shufflevector(ac, bd, 2, 6, 3, 7);
  *(quad_anywhere *)(y + 2 * y_row) = __builtin_shufflevector(AC, BD, 0, 4, 1, 5);
  *(quad_anywhere *)(y + 3 * y_row) = __builtin_shufflevector(AC, BD, 2, 6, 3, 7);
}
#endif

#endif
