/* prefix_tokens: the class token in front of the patch tokens, and position embeddings added to all
 * (Dosovitskiy et al. 2021).
 *
 *   x [n, P, C], token [1, 1, C], position [1, P+1, C] -> y [n, P+1, C]
 *   y_0 = token + position_0        y_{j+1} = x_j + position_{j+1}
 *   dx_j = dy_{j+1}        dtoken += sum over samples of dy_0        dposition += sum over samples of dy */
#include "dyt/ops.h"

enum { X, TOKEN, POSITION };

static void infer(op_shapes *s) {
  shape x = s->in[X];
  OP_REQUIRE(s, x.rank == 3, "x is [n, P, C]");
  OP_REQUIRE(s, shape_numel(s->in[TOKEN]) == x.dim[2], "one token of C numbers");
  s->out = SHAPE(x.dim[0], x.dim[1] + 1, x.dim[2]);
  OP_REQUIRE(s, shape_numel(s->in[POSITION]) == (x.dim[1] + 1) * x.dim[2], "a position a token");
}

static void forward(const op_call *c) {
  const tensor *in = c->in;
  int64_t C = in[X].s.dim[2], body = in[X].s.dim[1] * C;
  for (int64_t i = 0; i < in[X].s.dim[0]; i++) {
    real *y = c->out->x + i * (body + C);
    k_add(C, in[TOKEN].x, in[POSITION].x, y);
    k_add(body, in[X].x + i * body, in[POSITION].x + C, y + C);
  }
}

static void backward(const op_call *c) {
  const tensor *in = c->in;
  int64_t C = in[X].s.dim[2], body = in[X].s.dim[1] * C;
  for (int64_t i = 0; i < in[X].s.dim[0]; i++) {
    const real *dy = c->out->g + i * (body + C);
    if (in[X].g) k_scale(body, 1, dy + C, in[X].g + i * body, in[X].acc);
    if (in[TOKEN].g) k_scale(C, 1, dy, in[TOKEN].g, in[TOKEN].acc || i > 0);
    if (in[POSITION].g) k_scale(body + C, 1, dy, in[POSITION].g, in[POSITION].acc || i > 0);
  }
}

const op op_prefix_tokens = {.name = "prefix_tokens",
                             .min_in = 3,
                             .max_in = 3,
                             .infer = infer,
                             .forward = forward,
                             .backward = backward};
