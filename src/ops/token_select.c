/* token_select: one token of each sample (the class token: index 0).
 *
 *   x [n, T, C] -> y [n, C], y = x_index
 *   dx_index = dy, 0 elsewhere */
#include "dyt/ops.h"

#include <string.h>

static int64_t index_of(const void *attr) { return ((const op_token_select_attr *)attr)->index; }

static void infer(op_shapes *s) {
  OP_REQUIRE(s, s->in[0].rank == 3 && index_of(s->attr) >= 0 && index_of(s->attr) < s->in[0].dim[1],
             "token %lld", (long long)index_of(s->attr));
  s->out = SHAPE(s->in[0].dim[0], s->in[0].dim[2]);
}

static void forward(const op_call *c) {
  int64_t T = c->in[0].s.dim[1], C = c->in[0].s.dim[2];
  for (int64_t i = 0; i < c->in[0].s.dim[0]; i++)
    memcpy(c->out->x + i * C, c->in[0].x + (i * T + index_of(c->attr)) * C, (size_t)C * sizeof(real));
}

static void backward(const op_call *c) {
  const tensor *x = &c->in[0];
  int64_t T = x->s.dim[1], C = x->s.dim[2];
  if (!x->g) return;
  if (!x->acc) memset(x->g, 0, (size_t)shape_numel(x->s) * sizeof(real));
  for (int64_t i = 0; i < x->s.dim[0]; i++)
    k_scale(C, 1, c->out->g + i * C, x->g + (i * T + index_of(c->attr)) * C, x->acc);
}

const op op_token_select = {.name = "token_select",
                            .min_in = 1,
                            .max_in = 1,
                            .attr_size = sizeof(op_token_select_attr),
                            .infer = infer,
                            .forward = forward,
                            .backward = backward};
