/* linear: y = x W^T + b for every row of x.
 *
 *   x [N, in], W [out, in], b [out], y [N, out], N = all leading dimensions
 *   dx = dy W        dW += dy^T x        db += sum over rows of dy
 *
 * W may have more dimensions (a convolution's [out, C, p, p]): its rows are flattened. The bias is written
 * into y before the product,
 * which then adds to it: one pass less. */
#include "dyt/ops.h"

static int64_t outputs(shape w) { return w.dim[0]; }
static int64_t inputs(shape w) { return shape_numel(w) / w.dim[0]; }

static void infer(op_shapes *s) {
  OP_REQUIRE(s, s->in[1].rank >= 2 && shape_cols(s->in[0]) == inputs(s->in[1]),
             "the rows of x must fit the weight");
  OP_REQUIRE(s, s->in[2].rank == 0 || shape_numel(s->in[2]) == outputs(s->in[1]), "one bias an output");
  s->out = s->in[0];
  s->out.dim[s->out.rank - 1] = outputs(s->in[1]);
}

static void forward(const op_call *c) {
  const tensor *x = &c->in[0], *w = &c->in[1], *b = &c->in[2], *y = c->out;
  int64_t rows = shape_rows(x->s), in = shape_cols(x->s), out = shape_cols(y->s);
  if (b->x) k_rows_set(rows, out, b->x, y->x);
  k_gemm(false, true, rows, out, in, 1, x->x, in, w->x, in, b->x ? 1 : 0, y->x, out);
}

static void backward(const op_call *c) {
  const tensor *x = &c->in[0], *w = &c->in[1], *b = &c->in[2], *y = c->out;
  int64_t rows = shape_rows(x->s), in = shape_cols(x->s), out = shape_cols(y->s);
  if (x->g) k_gemm(false, false, rows, in, out, 1, y->g, out, w->x, in, x->acc, x->g, in);
  if (w->g) k_gemm(true, false, out, in, rows, 1, y->g, out, x->x, in, 1, w->g, in);
  if (b->g) k_colsum(rows, out, y->g, b->g);
}

static double flops(const op_shapes *s) {
  return 2.0 * (double)shape_rows(s->in[0]) * (double)shape_numel(s->in[1]);
}

const op op_linear = {.name = "linear",
                      .min_in = 2,
                      .max_in = 3,
                      .needs = OP_NEEDS_IN(0) | OP_NEEDS_IN(1),
                      .infer = infer,
                      .forward = forward,
                      .backward = backward,
                      .flops = flops};
