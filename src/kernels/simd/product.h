/* product - small matrix products for attention, where BLAS would spend its time on calls and packing.
 *
 *   c [M,N] (+)= scale * a b,   a [M,K] with any two strides (a transpose costs nothing), b [K,N] and c rows
 * of numbers
 *
 * A tile of rows x vectors of c is summed up in registers: each vector of b serves all rows, each number of
 * a, spread over a vector, all vectors. Any M, N, K >= 1; nothing beyond a row's N numbers is read or
 * written. */
#ifndef DYT_SIMD_PRODUCT_H
#define DYT_SIMD_PRODUCT_H

#include "kernels/simd/vec.h"

typedef struct product {
  int64_t M, N, K;
  const real *a;
  int64_t a_row, a_col; /* a(m, k) is a[m * a_row + k * a_col] */
  const real *b;
  int64_t b_row; /* b(k, n) is b[k * b_row + n] */
  real *c;
  int64_t c_row;
  real scale;
  bool acc;
} product;

/* Sums that fit in the registers beside what feeds them: 24 of 32, or 12 of 16. A tile has at most 12 rows,
 * as two multiply-adds a cycle of 4 cycles' latency want at least 8 sums under way, and at most 4 vectors. */
#if VEC_BITS == 512 || defined(__aarch64__)
#define TILE_VECTORS 4
#define TILE_ROWS                                                                                            \
  { 12, 12, 12, 8, 6 }
#else
#define TILE_VECTORS 3
#define TILE_ROWS                                                                                            \
  { 12, 12, 6, 4 }
#endif

/* `width` numbers of c, from number `at` on. */
INLINE void put(const product *p, int64_t at, vec sum, int64_t width) {
  vec r = sum * v_set(p->scale);
  v_put(p->c + at, p->acc ? v_get(p->c + at, width) + r : r, width);
}

/* Written out, not looped: not every compiler keeps an array in registers once it has unrolled the loops over
 * it. */
#define EACH_ROW(DO)       DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define EACH_VECTOR(DO, i) DO(i, 0) DO(i, 1) DO(i, 2) DO(i, 3)

/* Rows m .. m+rows-1 and `vectors` vectors from column n on, the last one `last` columns wide. */
INLINE void tile(const product *p, int64_t m, int64_t n, int rows, int vectors, int64_t last) {
  const int64_t a_row = p->a_row;
  /* A pointer for every third row: the others are one and two strides away, which the address itself can say.
   */
  const real *a[4], *b = p->b + n;
  for (int i = 0; i < 4; i++) a[i] = p->a + (m + (3 * i < rows ? 3 * i : 0)) * a_row;
  vec c[12][4] = {{{0}}}, bv[4], av;
  for (int64_t k = 0; k < p->K; k++, b += p->b_row) {
#define LOAD(i, j)                                                                                           \
  if (j < vectors) bv[j] = v_get(b + j * W, j == vectors - 1 ? last : W);
#define ADD(i, j)                                                                                            \
  if (j < vectors) c[i][j] = v_fma(av, bv[j], c[i][j]);
#define ADD_ROW(i)                                                                                           \
  if (i < rows) {                                                                                            \
    av = v_set(a[i / 3][i % 3 * a_row]);                                                                     \
    EACH_VECTOR(ADD, i)                                                                                      \
  }
    EACH_VECTOR(LOAD, 0)
    EACH_ROW(ADD_ROW)
    a[0] += p->a_col, a[1] += p->a_col, a[2] += p->a_col, a[3] += p->a_col;
  }
#define PUT(i, j)                                                                                            \
  if (j < vectors) put(p, (m + i) * p->c_row + n + j * W, c[i][j], j == vectors - 1 ? last : W);
#define PUT_ROW(i)                                                                                           \
  if (i < rows) {                                                                                            \
    EACH_VECTOR(PUT, i)                                                                                      \
  }
  EACH_ROW(PUT_ROW)
}

#define TILE(rows, vectors)                                                                                  \
  static void tile_##rows##x##vectors(const product *p, int64_t m, int64_t n) {                              \
    tile(p, m, n, rows, vectors, W);                                                                         \
  }
#define TILE_PART(rows, vectors)                                                                             \
  static void tile_part_##rows(const product *p, int64_t m, int64_t n) { tile(p, m, n, rows, 1, p->N - n); }
#define ROWS_1_4(X, v)  X(1, v) X(2, v) X(3, v) X(4, v)
#define ROWS_5_6(X, v)  X(5, v) X(6, v)
#define ROWS_7_8(X, v)  X(7, v) X(8, v)
#define ROWS_9_12(X, v) X(9, v) X(10, v) X(11, v) X(12, v)
#define ROWS_4(X, v)    ROWS_1_4(X, v)
#define ROWS_6(X, v)    ROWS_4(X, v) ROWS_5_6(X, v)
#define ROWS_8(X, v)    ROWS_6(X, v) ROWS_7_8(X, v)
#define ROWS_12(X, v)   ROWS_8(X, v) ROWS_9_12(X, v)

ROWS_12(TILE, 1)
ROWS_12(TILE_PART, 0)
#if TILE_VECTORS == 4
ROWS_12(TILE, 2)
ROWS_8(TILE, 3)
ROWS_6(TILE, 4)
#else
ROWS_6(TILE, 2)
ROWS_4(TILE, 3)
#endif

#define TILE_ENTRY(rows, vectors)      [rows] = tile_##rows##x##vectors,
#define TILE_PART_ENTRY(rows, vectors) [rows] = tile_part_##rows,

/* tiles[vectors][rows]; [0] for the columns that do not fill a vector. */
static void (*const tiles[TILE_VECTORS + 1][13])(const product *p, int64_t m, int64_t n) = {
    [0] = {ROWS_12(TILE_PART_ENTRY, 0)}, [1] = {ROWS_12(TILE_ENTRY, 1)},
#if TILE_VECTORS == 4
    [2] = {ROWS_12(TILE_ENTRY, 2)},      [3] = {ROWS_8(TILE_ENTRY, 3)},  [4] = {ROWS_6(TILE_ENTRY, 4)},
#else
    [2] = {ROWS_6(TILE_ENTRY, 2)},
    [3] = {ROWS_4(TILE_ENTRY, 3)},
#endif
};

/* All rows of `vectors` vectors of columns from n on, in tiles of nearly equal height: 17 rows are 9 + 8, not
 * 12 + 5. */
static void product_columns(const product *p, int64_t n, int vectors) {
  static const int64_t most[TILE_VECTORS + 1] = TILE_ROWS;
  int64_t blocks = (p->M + most[vectors] - 1) / most[vectors];
  for (int64_t i = 0, m = 0; i < blocks; i++) {
    int64_t rows = (p->M - m) / (blocks - i);
    tiles[vectors][rows](p, m, n);
    m += rows;
  }
}

static void multiply(const product *p) {
  int64_t whole = p->N / W, n = 0;
  for (int64_t blocks = (whole + TILE_VECTORS - 1) / TILE_VECTORS; blocks > 0; blocks--) {
    int64_t vectors = whole / blocks;
    product_columns(p, n, (int)vectors);
    n += vectors * W, whole -= vectors;
  }
  if (n < p->N) product_columns(p, n, 0);
}

#endif
