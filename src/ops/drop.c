#include "drop.h"

#include "dyt/rng.h"

#include <string.h>

static int64_t width_of(const op_call *c, int64_t groups) {
  return shape_numel(c->out->s) / c->out->s.dim[0] / groups;
}

/* One sample's multipliers; `keep` walks over the groups. */
static void draw(const op_call *c, uint64_t name, int64_t sample, int64_t groups, real *keep) {
  double rate = ((const op_dropout_attr *)c->attr)->rate;
  real scale = (real)(1 / (1 - rate));
  rng r = rng_at_name(name, c->run->step, (uint64_t)(c->run->first_sample + sample));
  for (int64_t j = 0; j < groups; j++) keep[j] = rng_uniform(&r) < rate ? 0 : scale;
}

static void multiply(const op_call *c, int64_t groups, const real *keep, const real *from, real *to,
                     bool acc) {
  int64_t width = width_of(c, groups), all = groups * c->out->s.dim[0];
  for (int64_t j = 0; j < all; j++)
    for (int64_t i = j * width; i < (j + 1) * width; i++)
      to[i] = acc ? to[i] + keep[j] * from[i] : keep[j] * from[i];
}

void drop_forward(const op_call *c, int64_t groups) {
  if (!c->run->train || !c->saved) { /* evaluation */
    if (c->out->x != c->in[0].x) k_scale(shape_numel(c->out->s), 1, c->in[0].x, c->out->x, false);
    for (int64_t j = 0, n = groups * c->out->s.dim[0]; c->saved && j < n; j++) c->saved[j] = 1;
    return;
  }
  uint64_t name = rng_name(c->run->seed, c->path);
  for (int64_t i = 0; i < c->out->s.dim[0]; i++) draw(c, name, i, groups, c->saved + i * groups);
  multiply(c, groups, c->saved, c->in[0].x, c->out->x, false);
}

void drop_backward(const op_call *c, int64_t groups) {
  if (c->in[0].g) multiply(c, groups, c->saved, c->out->g, c->in[0].g, c->in[0].acc);
}
