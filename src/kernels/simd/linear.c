/* The products of a linear layer, y = x W^T + b, without BLAS: 8 to 15% faster on the shapes of small transformers, as the
 * weight is packed once a step instead of once a call and activations are read where they lie (docs/speed.md).
 *
 * W comes as panels (product.h), once as the right operand of y = x W^T and once as that of dx = dy W. */
#include "kernels/simd/product.h"
#include "kernels/simd/simd.h"
#include "kernels/simd/transpose.h"

/* The columns n .. n+width-1 of a [K,N], a(k, n) = w[n * K + k], as one panel. */
static void pack_transposed(int64_t K, const real *w, int64_t width, real *panel) {
  int64_t c4 = width / SQUARE * SQUARE, k4 = K / SQUARE * SQUARE;
  for (int64_t c = 0; c < c4; c += SQUARE)
    for (int64_t k = 0; k < k4; k += SQUARE) transpose_square(w + c * K + k, K, panel + k * width + c, width);
  for (int64_t k = 0; k < K; k++)
    for (int64_t c = k < k4 ? c4 : 0; c < width; c++) panel[k * width + c] = w[c * K + k];
}

void LEVEL(linear_pack)(bool transposed, int64_t out, int64_t in, const real *w, real *panels) {
  if (!transposed) {
    pack_panels(out, in, w, in, panels);
    return;
  }
  for (int64_t n = 0, width; n < out; n += width) {
    width = block_width(out, n);
    pack_transposed(in, w + n * in, width, panels + n * in);
  }
}

/* Rows are taken some hundreds at a time, so that they stay in cache while all columns are gone through: the length of the
 * block that begins at row r, of nearly equal ones. */
static int64_t block_rows(int64_t N, int64_t r) {
  enum { ROWS = 256 };
  return (N - r) / ((N - r + ROWS - 1) / ROWS);
}

typedef struct activated {
  product p; /* first: what `done` is handed */
  k_fn act;
  real *y;
  bool slope;
} activated;

static void activate(const product *p, int64_t m, int64_t rows, int64_t n, int64_t width) {
  const activated *a = (const activated *)p;
  int64_t at = m * p->c_row + n;
  LEVEL(activate)(a->act, rows, width, p->c_row, p->c + at, a->y + at, a->slope);
}

static void forward_block(int64_t N, int64_t in, int64_t out, const real *x, const real *panels,
                          const real *bias, const real *plus, k_fn act, real *y, real *slope) {
  activated a = {.p = {.M = N,
                       .N = out,
                       .K = in,
                       .a = x,
                       .a_row = in,
                       .a_col = 1,
                       .b = panels,
                       .c = slope ? slope : y,
                       .c_row = out,
                       .scale = 1,
                       .bias = bias,
                       .plus = plus,
                       .plus_row = out,
                       .done = act == K_identity ? NULL : activate},
                 .act = act,
                 .y = y,
                 .slope = slope};
  multiply(&a.p);
}

void LEVEL(linear_fwd)(int64_t N, int64_t in, int64_t out, const real *x, const real *panels,
                       const real *bias, const real *plus, k_fn act, real *y, real *slope) {
  for (int64_t r = 0, rows; r < N; r += rows) {
    rows = block_rows(N, r);
    forward_block(rows, in, out, x + r * in, panels, bias, plus ? plus + r * out : NULL, act, y + r * out,
                  slope ? slope + r * out : NULL);
  }
}

void LEVEL(linear_dx)(int64_t N, int64_t in, int64_t out, const real *dy, const real *panels, real *dx,
                      bool acc) {
  for (int64_t r = 0, rows; r < N; r += rows) {
    rows = block_rows(N, r);
    real *to = dx + r * in;
    multiply(&(product){.M = rows,
                        .N = in,
                        .K = out,
                        .a = dy + r * out,
                        .a_row = out,
                        .a_col = 1,
                        .b = panels,
                        .c = to,
                        .c_row = in,
                        .scale = 1,
                        .plus = acc ? to : NULL,
                        .plus_row = in});
  }
}

/* Narrow vectors make narrow tiles, which read each operand more often: there both are packed, dy SLICE columns at a
 * time, lest the rows' strides put all of a tile's numbers into the same few sets of the cache. With 64 bytes a
 * vector reading in place is faster at every width tried. */
enum { SLICE = 24, IN_PLACE = VEC_BYTES == 64 };

static void add_product(int64_t N, int64_t in, int64_t rows, const real *dy, int64_t dy_row, const real *x,
                        int64_t x_row, real *dw) {
  multiply(&(product){.M = rows,
                      .N = in,
                      .K = N,
                      .a = dy,
                      .a_row = 1,
                      .a_col = dy_row,
                      .b = x,
                      .b_row = x_row,
                      .c = dw,
                      .c_row = in,
                      .scale = 1,
                      .plus = dw,
                      .plus_row = in});
}

static void add_block(int64_t N, int64_t in, int64_t out, const real *dy, const real *x, real *dw,
                      real *scratch) {
  if (IN_PLACE) {
    add_product(N, in, out, dy, out, x, in, dw);
    return;
  }
  real *panels = scratch, *slice = scratch + N * in;
  pack_panels(N, in, x, in, panels);
  for (int64_t m = 0, rows; m < out; m += rows) {
    rows = out - m < SLICE ? out - m : SLICE;
    for (int64_t k = 0; k < N; k++) memcpy(slice + k * rows, dy + k * out + m, (size_t)rows * sizeof *dy);
    add_product(N, in, rows, slice, rows, panels, 0, dw + m * in);
  }
}

void LEVEL(linear_dw)(int64_t N, int64_t in, int64_t out, const real *dy, const real *x, real *dw,
                      real *scratch) {
  for (int64_t r = 0, rows; r < N; r += rows) {
    rows = block_rows(N, r);
    add_block(rows, in, out, dy + r * out, x + r * in, dw, scratch);
  }
}
