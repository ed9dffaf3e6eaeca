/* dropout: each number is zeroed with probability `rate`; see drop.h. */
#include "drop.h"

static int64_t groups(shape s) { return shape_numel(s) / s.dim[0]; }

static void infer(op_shapes *s) {
  s->out = s->in[0];
  s->saved = shape_numel(s->in[0]);
}

static void forward(const op_call *c) { drop_forward(c, groups(c->out->s)); }
static void backward(const op_call *c) { drop_backward(c, groups(c->out->s)); }

const op op_dropout = {.name = "dropout",
                       .min_in = 1,
                       .max_in = 1,
                       .attr_size = sizeof(op_dropout_attr),
                       .in_place = OP_IN(0),
                       .infer = infer,
                       .forward = forward,
                       .backward = backward};
