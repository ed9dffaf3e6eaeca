/* linear: y = f(z), z = x W^T + b + r for every row of x; f a function of functions.def, r a residual connection.
 *
 *   x [N, in], W [out, in], b [out], r [N, out], y [N, out], N = all leading dimensions
 *   dz = f'(z) dy        dx = dz W        dW += dz^T x        db += sum over rows of dz        dr = dz
 *
 * W may have more dimensions (a convolution's [out, C, p, p]): its rows are flattened. r is allowed without f only: then
 * its gradient is y's, and the plan lets them share memory.
 * Saved where there is an f: f'(z), made when z is at hand. Weights that come packed are multiplied by kernels of ours,
 * which add b and r and apply f to what is still in cache; others by BLAS. */
#include "dyt/ops.h"

enum { X, WEIGHT, BIAS, RESIDUAL };

static k_fn function_of(const void *attr) { return ((const op_linear_attr *)attr)->fn; }

static void infer(op_shapes *s) {
  shape x = s->in[X], w = s->in[WEIGHT];
  OP_REQUIRE(s, w.rank >= 2 && shape_cols(x) == shape_numel(w) / w.dim[0],
             "the rows of x must fit the weight");
  OP_REQUIRE(s, s->in[BIAS].rank == 0 || shape_numel(s->in[BIAS]) == w.dim[0], "one bias an output");
  s->out = x;
  s->out.dim[x.rank - 1] = w.dim[0];
  bool f = function_of(s->attr) != K_identity;
  OP_REQUIRE(s, s->in[RESIDUAL].rank == 0 || (!f && shape_equal(s->in[RESIDUAL], s->out)),
             "a residual of the result's shape, and no function");
  int64_t rows = shape_rows(x), n = f ? shape_numel(s->out) : 0;
  s->saved = n;
  s->scratch = n + k_linear_scratch(rows, shape_cols(x));
}

/* z = x W^T + b + r by BLAS, into y. */
static void product_by_blas(int64_t rows, int64_t in, int64_t out, const tensor *t, real *y) {
  const real *bias = t[BIAS].x, *residual = t[RESIDUAL].x;
  if (residual && y != residual) k_scale(rows * out, 1, residual, y, false);
  if (bias && !residual) k_rows_set(rows, out, bias, y);
  if (bias && residual)
    for (int64_t r = 0; r < rows; r++) k_add(out, y + r * out, bias, y + r * out);
  k_gemm(false, true, rows, out, in, 1, t[X].x, in, t[WEIGHT].x, in, bias || residual, y, out);
}

static void forward(const op_call *c) {
  const tensor *t = c->in;
  int64_t rows = shape_rows(t[X].s), in = shape_cols(t[X].s), out = shape_cols(c->out->s);
  k_fn fn = function_of(c->attr);
  if (t[WEIGHT].panels) {
    k_linear_fwd(rows, in, out, t[X].x, t[WEIGHT].panels, t[BIAS].x, t[RESIDUAL].x, fn, c->out->x, c->saved);
    return;
  }
  real *z = c->saved ? c->saved : c->out->x;
  product_by_blas(rows, in, out, t, z);
  if (fn != K_identity) k_activate(fn, rows, out, out, z, c->out->x, c->saved != NULL);
}

static void products_back(const op_call *c, const real *dz, real *scratch) {
  const tensor *x = &c->in[X], *w = &c->in[WEIGHT];
  int64_t rows = shape_rows(x->s), in = shape_cols(x->s), out = shape_cols(c->out->s);
  const real *panels = w->panels;
  if (x->g && panels) k_linear_dx(rows, in, out, dz, panels + in * out, x->g, x->acc);
  if (x->g && !panels) k_gemm(false, false, rows, in, out, 1, dz, out, w->x, in, x->acc, x->g, in);
  if (w->g && panels) k_linear_dw(rows, in, out, dz, x->x, w->g, scratch);
  if (w->g && !panels) k_gemm(true, false, out, in, rows, 1, dz, out, x->x, in, 1, w->g, in);
}

static void backward(const op_call *c) {
  const tensor *b = &c->in[BIAS], *r = &c->in[RESIDUAL], *y = c->out;
  int64_t rows = shape_rows(y->s), out = shape_cols(y->s), n = rows * out;
  const real *dz = y->g;
  real *scratch = c->scratch;
  if (c->saved) {
    k_slope_bwd(rows, out, c->saved, y->g, scratch, b->g);
    dz = scratch, scratch += n;
  } else if (b->g) {
    k_colsum(rows, out, dz, b->g);
  }
  products_back(c, dz, scratch);
  if (r->g && r->g != y->g) k_scale(n, 1, dz, r->g, r->acc);
}

static double flops(const op_shapes *s) {
  return 2.0 * (double)shape_rows(s->in[X]) * (double)shape_numel(s->in[WEIGHT]);
}

const op op_linear = {.name = "linear",
                      .min_in = 2,
                      .max_in = 4,
                      .attr_size = sizeof(op_linear_attr),
                      .needs = OP_IN(X) | OP_IN(WEIGHT),
                      .in_place = OP_IN(RESIDUAL),
                      .passes = OP_IN(RESIDUAL),
                      .infer = infer,
                      .forward = forward,
                      .backward = backward,
                      .flops = flops};
