/* norm: LayerNorm (center) and RMSNorm of each row of C channels (Ba et al. 2016, Zhang & Sennrich 2019).
 *
 *   mu = mean of x (0 for RMSNorm), r = 1 / sqrt(mean of (x - mu)^2 + eps), h = (x - mu) r, y = gamma h +
 * beta
 *   q = gamma dy
 *   dx = r (q - mean of q - h * mean of (q h))        without "- mean of q" for RMSNorm
 *   dgamma += sum over rows of dy h        dbeta += sum over rows of dy
 *
 * Saved: mu and r of each row. */
#include "dyt/ops.h"

static void infer(op_shapes *s) {
  for (int k = 1; k <= 2; k++)
    OP_REQUIRE(s, s->in[k].rank == 0 || shape_numel(s->in[k]) == shape_cols(s->in[0]),
               "one gamma and beta a channel");
  s->out = s->in[0];
  s->saved = s->scratch = 2 * shape_rows(s->in[0]);
}

static void forward(const op_call *c) {
  const op_norm_attr *a = c->attr;
  const tensor *x = &c->in[0];
  k_norm_fwd(a->center, shape_rows(x->s), shape_cols(x->s), x->x, c->in[1].x, c->in[2].x, a->eps, c->out->x,
             c->saved ? c->saved : c->scratch);
}

static void backward(const op_call *c) {
  const op_norm_attr *a = c->attr;
  const tensor *x = &c->in[0], *gamma = &c->in[1], *beta = &c->in[2];
  k_norm_bwd(a->center, shape_rows(x->s), shape_cols(x->s), x->x, gamma->x, c->saved, c->out->g, x->g, x->acc,
             gamma->g, beta->g);
}

const op op_norm = {.name = "norm",
                    .min_in = 1,
                    .max_in = 3,
                    .attr_size = sizeof(op_norm_attr),
                    .needs = OP_IN(0) | OP_IN(1),
                    .infer = infer,
                    .forward = forward,
                    .backward = backward};
