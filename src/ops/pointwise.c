/* pointwise: what stands in the place of a normalization, y = gamma f(alpha x + s) + beta; with f = tanh and
 * no shift
 * it is Dynamic Tanh (Zhu et al. 2025, section 4), with f = erf and a shift it is Derf (Chen et al. 2025).
 *
 *   z = alpha x + s, t = f(z), q = f'(z) gamma dy
 *   dx = alpha q        dalpha += sum of x q (over everything, or a channel)        ds += sum of q (over
 * everything)
 *   dgamma += sum over rows of dy t        dbeta += sum over rows of dy
 *
 * Saved: t, from which most slopes follow without evaluating f again, as long as it stays in cache until it is needed. A
 * larger one takes longer to fetch than to compute. */
#include "dyt/ops.h"

enum { X, ALPHA, SHIFT, GAMMA, BETA };
enum { KEPT_MAX = 1 << 20 }; /* numbers; docs/speed.md */

static void infer(op_shapes *s) {
  int64_t channels = shape_cols(s->in[X]), alphas = shape_numel(s->in[ALPHA]);
  OP_REQUIRE(s, alphas == 1 || alphas == channels, "one alpha, or one a channel");
  OP_REQUIRE(s, s->in[SHIFT].rank == 0 || shape_numel(s->in[SHIFT]) == 1, "one shift");
  for (int k = GAMMA; k <= BETA; k++)
    OP_REQUIRE(s, s->in[k].rank == 0 || shape_numel(s->in[k]) == channels, "one gamma and beta a channel");
  s->out = s->in[X];
  if (shape_numel(s->in[X]) <= KEPT_MAX) s->saved = shape_numel(s->in[X]);
}

/* One alpha for one channel is a scalar: the result is the same. */
static bool per_channel(const op_call *c) { return shape_numel(c->in[ALPHA].s) > 1; }

static void forward(const op_call *c) {
  const op_pointwise_attr *a = c->attr;
  const tensor *in = c->in;
  k_pointwise_fwd(a->fn, shape_rows(in[X].s), shape_cols(in[X].s), in[X].x, in[ALPHA].x, per_channel(c),
                  in[SHIFT].x, in[GAMMA].x, in[BETA].x, c->out->x, c->saved);
}

static void backward(const op_call *c) {
  const op_pointwise_attr *a = c->attr;
  const tensor *in = c->in;
  k_pointwise_bwd(a->fn, shape_rows(in[X].s), shape_cols(in[X].s), in[X].x, c->saved, in[ALPHA].x,
                  per_channel(c), in[SHIFT].x, in[GAMMA].x, c->out->g, in[X].g, in[X].acc, in[ALPHA].g,
                  in[SHIFT].g, in[GAMMA].g, in[BETA].g);
}

const op op_pointwise = {.name = "pointwise",
                         .min_in = 2,
                         .max_in = 5,
                         .attr_size = sizeof(op_pointwise_attr),
                         .needs = OP_IN(X) | OP_IN(ALPHA) | OP_IN(SHIFT) | OP_IN(GAMMA),
                         .infer = infer,
                         .forward = forward,
                         .backward = backward};
