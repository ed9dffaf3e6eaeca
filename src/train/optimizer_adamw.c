/* AdamW (Loshchilov & Hutter 2019) as torch.optim.AdamW: weight decay apart from the gradient. */
#include "dyt/optim.h"

#include <math.h>

enum { FIRST, SECOND };

static void update(const optim_step *u, const optim_span *s) {
  const optim *o = u->o;
  const config_optim *c = &o->cfg;
  double t = (double)o->steps;
  k_adamw_args args = {.lr = u->lr,
                       .beta1 = c->betas[0],
                       .beta2 = c->betas[1],
                       .eps = c->eps,
                       .weight_decay = s->decay ? c->weight_decay : 0,
                       .gscale = u->gscale,
                       .c1 = 1 - pow(c->betas[0], t),
                       .c2 = 1 - pow(c->betas[1], t)};
  k_adamw(s->n, o->params->value + s->at, u->grad + s->at, o->state[FIRST] + s->at, o->state[SECOND] + s->at,
          &args);
}

const optimizer optimizer_adamw = {
    .name = "adamw", .states = 2, .state = {"exp_avg", "exp_avg_sq"}, .update = update};
