/* activation: y = f(x) for each number; f is a row of functions.def (GELU, ReLU, ...).
 *
 *   dx = f'(x) dy */
#include "dyt/ops.h"

static void infer(op_shapes *s) { s->out = s->in[0]; }

static void forward(const op_call *c) {
  const op_activation_attr *a = c->attr;
  k_map_fwd(a->fn, shape_numel(c->out->s), c->in[0].x, c->out->x);
}

static void backward(const op_call *c) {
  const op_activation_attr *a = c->attr;
  const tensor *x = &c->in[0];
  if (x->g) k_map_bwd(a->fn, shape_numel(x->s), x->x, c->out->x, c->out->g, x->g, x->acc);
}

const op op_activation = {.name = "activation",
                          .min_in = 1,
                          .max_in = 1,
                          .attr_size = sizeof(op_activation_attr),
                          .needs = OP_IN(0) | OP_OUT,
                          .in_place = OP_IN(0),
                          .infer = infer,
                          .forward = forward,
                          .backward = backward};
