/* add: y = a + b (the residual connection).
 *
 *   da = dy        db = dy
 *
 * The plan lets the three gradients share memory where it can; then there is nothing to do. */
#include "dyt/ops.h"

static void infer(op_shapes *s) {
  OP_REQUIRE(s, shape_equal(s->in[0], s->in[1]), "both terms have one shape");
  s->out = s->in[0];
}

static void forward(const op_call *c) { k_add(shape_numel(c->out->s), c->in[0].x, c->in[1].x, c->out->x); }

static void backward(const op_call *c) {
  for (int k = 0; k < 2; k++) {
    const tensor *a = &c->in[k];
    if (!a->g || (a->g == c->out->g && !a->acc)) continue;
    k_scale(shape_numel(c->out->s), 1, c->out->g, a->g, a->acc);
  }
}

const op op_add = {.name = "add",
                   .min_in = 2,
                   .max_in = 2,
                   .in_place = OP_IN(0) | OP_IN(1),
                   .passes = OP_IN(0) | OP_IN(1),
                   .infer = infer,
                   .forward = forward,
                   .backward = backward};
