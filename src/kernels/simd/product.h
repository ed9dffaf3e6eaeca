/* product - matrix products in registers: those of the linear layers (linear.c) and of attention, where BLAS would spend
 * its time on calls and on packing what is used once.
 *
 *   c [M,N] = scale * a b + bias + plus        a [M,K] has any two strides (a transpose costs nothing), b [K,N] rows or panels
 *
 * A tile of rows x vectors of c is summed up in registers: each vector of b serves all its rows, each number
 * of a all its vectors. Any M, N, K >= 1; nothing beyond a row's N numbers is read or written. A number of c is one sum
 * over k in order, whatever the tile it falls in. */
#ifndef DYT_SIMD_PRODUCT_H
#define DYT_SIMD_PRODUCT_H

#include "kernels/simd/vec.h"

typedef struct product {
  int64_t M, N, K;
  const real *a;
  int64_t a_row, a_col; /* a(m, k) is a[m * a_row + k * a_col] */
  const real *b;
  int64_t b_row; /* b(k, n) is b[k * b_row + n]; 0: b is in panels, as pack_panels leaves it */
  real *c;
  int64_t c_row;
  real scale;
  const real *bias; /* [N] added to every row, or NULL */
  const real *plus; /* [M,N] added, with rows plus_row apart, or NULL; c itself to add to it */
  int64_t plus_row;
  /* Called when columns n .. n+width-1 of rows m .. m+rows-1 are written and still in cache; NULL: not. */
  void (*done)(const struct product *p, int64_t m, int64_t rows, int64_t n, int64_t width);
} product;

/* Sums that fit in the registers beside what feeds them: 24 of 32, or 12 of 16. A tile has at most 12 rows,
 * as two multiply-adds a cycle of 4 cycles' latency want at least 8 sums under way, and at most 4 vectors. */
#if VEC_BITS == 512 || defined(__aarch64__)
enum { TILE_VECTORS = 4, ROWS_1 = 12, ROWS_2 = 12, ROWS_3 = 8, ROWS_4 = 6 };
#define EACH_TILE(DO) TILES_12(DO, 1) TILES_12(DO, 2) TILES_8(DO, 3) TILES_6(DO, 4)
#else
enum { TILE_VECTORS = 3, ROWS_1 = 12, ROWS_2 = 6, ROWS_3 = 4, ROWS_4 = 0 };
#define EACH_TILE(DO) TILES_12(DO, 1) TILES_6(DO, 2) TILES_4(DO, 3)
#endif

#define TILES_4(DO, v)  DO(1, v) DO(2, v) DO(3, v) DO(4, v)
#define TILES_6(DO, v)  TILES_4(DO, v) DO(5, v) DO(6, v)
#define TILES_8(DO, v)  TILES_6(DO, v) DO(7, v) DO(8, v)
#define TILES_12(DO, v) TILES_8(DO, v) DO(9, v) DO(10, v) DO(11, v) DO(12, v)

/* `width` numbers of row m of c, from column n on. */
INLINE void put(const product *p, int64_t m, int64_t n, vec sum, int64_t width) {
  vec r = sum * v_set(p->scale);
  if (p->bias) r += v_get(p->bias + n, width);
  if (p->plus) r += v_get(p->plus + m * p->plus_row + n, width);
  v_put(p->c + m * p->c_row + n, r, width);
}

/* Written out, not looped: not every compiler keeps an array in registers when loops go over it. */
#define EACH_ROW(DO)       DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define EACH_VECTOR(DO, i) DO(i, 0) DO(i, 1) DO(i, 2) DO(i, 3)

/* Rows m .. m+rows-1 and `vectors` vectors from column n on, the last one `last` columns wide. */
INLINE void tile(const product *p, int64_t m, int64_t n, int rows, int vectors, int64_t last) {
  const int64_t a_row = p->a_row, b_row = p->b_row ? p->b_row : (vectors - 1) * W + last;
  /* A pointer for every third row: the two after it are one and two strides away, within one address. */
  const real *a[4], *b = p->b + (p->b_row ? n : n * p->K);
  for (int i = 0; i < 4; i++) a[i] = p->a + (m + (3 * i < rows ? 3 * i : 0)) * a_row;
  /* What is added at the end may come from far: ask for it now. */
  if (p->plus)
    for (int i = 0; i < rows; i++)
      for (int j = 0; j < vectors; j++) __builtin_prefetch(p->plus + (m + i) * p->plus_row + n + j * W);
  vec c[12][4] = {{{0}}}, bv[4], av;
  for (int64_t k = 0; k < p->K; k++, b += b_row) {
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
  if (j < vectors) put(p, m + i, n + j * W, c[i][j], j == vectors - 1 ? last : W);
#define PUT_ROW(i)                                                                                           \
  if (i < rows) {                                                                                            \
    EACH_VECTOR(PUT, i)                                                                                      \
  }
  EACH_ROW(PUT_ROW)
}

/* One function for each shape of tile; those of no vectors are for the columns that do not fill one. */
#define TILE(rows, vectors)                                                                                  \
  static void tile_##rows##x##vectors(const product *p, int64_t m, int64_t n) {                              \
    tile(p, m, n, rows, vectors, W);                                                                         \
  }
#define PART_TILE(rows, vectors)                                                                             \
  static void tile_##rows##x##vectors(const product *p, int64_t m, int64_t n) {                              \
    tile(p, m, n, rows, 1, p->N - n);                                                                        \
  }
EACH_TILE(TILE)
TILES_12(PART_TILE, 0)

#define ENTRY(rows, vectors) [vectors][rows] = tile_##rows##x##vectors,
static void (*const tiles[TILE_VECTORS + 1][13])(const product *p, int64_t m,
                                                 int64_t n) = {TILES_12(ENTRY, 0) EACH_TILE(ENTRY)};

/* All rows of `vectors` vectors of columns from n on, in tiles of nearly equal height: 17 rows as 8 and 9. */
static void product_columns(const product *p, int64_t n, int vectors) {
  static const int64_t most[] = {ROWS_1, ROWS_1, ROWS_2, ROWS_3, ROWS_4};
  int64_t blocks = (p->M + most[vectors] - 1) / most[vectors];
  for (int64_t i = 0, m = 0; i < blocks; i++) {
    int64_t rows = (p->M - m) / (blocks - i);
    tiles[vectors][rows](p, m, n);
    if (p->done) p->done(p, m, rows, n, vectors ? vectors * W : p->N - n);
    m += rows;
  }
}

/* How N columns fall into blocks of a tile's width: the vectors of the block at column n; 0: what does not fill one. */
INLINE int block_vectors(int64_t N, int64_t n) {
  int64_t whole = (N - n) / W, blocks = (whole + TILE_VECTORS - 1) / TILE_VECTORS;
  return blocks ? (int)(whole / blocks) : 0;
}
INLINE int64_t block_width(int64_t N, int64_t n) {
  int vectors = block_vectors(N, n);
  return vectors ? vectors * W : N - n;
}

INLINE void multiply(const product *p) {
  for (int64_t n = 0; n < p->N; n += block_width(p->N, n)) product_columns(p, n, block_vectors(p->N, n));
}

/* b [K,N] = w, rows `row` apart, as panels: each block of columns by itself, its rows without gaps. `panels` [K N]. */
INLINE void pack_panels(int64_t K, int64_t N, const real *w, int64_t row, real *panels) {
  for (int64_t n = 0, width; n < N; n += width) {
    width = block_width(N, n);
    for (int64_t k = 0; k < K; k++, panels += width) {
      int64_t i = 0;
      for (; i + W <= width; i += W) v_store(panels + i, v_load(w + k * row + n + i));
      if (i < width) v_put(panels + i, v_get(w + k * row + n + i, width - i), width - i);
    }
  }
}

#endif
