/* token_mean: the mean over tokens first .. T-1 (average pooling; first = 1 leaves the class token out).
 *
 *   x [n, T, C] -> y [n, C], y = 1/(T-first) * sum of x_j
 *   dx_j = dy / (T-first) for j >= first, 0 before */
#include "dyt/ops.h"

#include <string.h>

static int64_t first_of(const void *attr) { return ((const op_token_mean_attr *)attr)->first; }

static void infer(op_shapes *s) {
  OP_REQUIRE(s, s->in[0].rank == 3 && first_of(s->attr) >= 0 && first_of(s->attr) < s->in[0].dim[1],
             "a mean over tokens from %lld on", (long long)first_of(s->attr));
  s->out = SHAPE(s->in[0].dim[0], s->in[0].dim[2]);
}

static void forward(const op_call *c) {
  int64_t first = first_of(c->attr), T = c->in[0].s.dim[1], C = c->in[0].s.dim[2];
  real part = (real)(1.0 / (double)(T - first));
  for (int64_t i = 0; i < c->in[0].s.dim[0]; i++) {
    real *y = c->out->x + i * C;
    memset(y, 0, (size_t)C * sizeof(real));
    for (int64_t j = first; j < T; j++) k_add(C, y, c->in[0].x + (i * T + j) * C, y);
    k_scale(C, part, y, y, false);
  }
}

static void backward(const op_call *c) {
  const tensor *x = &c->in[0];
  int64_t first = first_of(c->attr), T = x->s.dim[1], C = x->s.dim[2];
  real part = (real)(1.0 / (double)(T - first));
  if (!x->g) return;
  for (int64_t i = 0; i < x->s.dim[0]; i++) {
    if (!x->acc) memset(x->g + i * T * C, 0, (size_t)(first * C) * sizeof(real));
    for (int64_t j = first; j < T; j++) k_scale(C, part, c->out->g + i * C, x->g + (i * T + j) * C, x->acc);
  }
}

const op op_token_mean = {.name = "token_mean",
                          .min_in = 1,
                          .max_in = 1,
                          .attr_size = sizeof(op_token_mean_attr),
                          .infer = infer,
                          .forward = forward,
                          .backward = backward};
