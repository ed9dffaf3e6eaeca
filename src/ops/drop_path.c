/* drop_path: a whole sample of a residual branch is zeroed with probability `rate` (stochastic depth); see
 * drop.h. */
#include "drop.h"

static void infer(op_shapes *s) {
  s->out = s->in[0];
  s->saved = s->in[0].dim[0];
}

static void forward(const op_call *c) { drop_forward(c, 1); }
static void backward(const op_call *c) { drop_backward(c, 1); }

const op op_drop_path = {.name = "drop_path",
                         .min_in = 1,
                         .max_in = 1,
                         .attr_size = sizeof(op_dropout_attr),
                         .in_place = OP_IN(0),
                         .infer = infer,
                         .forward = forward,
                         .backward = backward};
