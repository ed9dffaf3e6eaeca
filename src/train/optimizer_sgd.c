/* SGD with momentum as torch.optim.SGD without dampening or Nesterov: weight decay is part of the gradient. PyTorch's first
 * buffer is the gradient itself; ours starts at zero, which comes to the same. */
#include "dyt/optim.h"

static void update(const optim_step *u, const optim_span *s) {
  const optim *o = u->o;
  k_sgd_args args = {.lr = u->lr,
                     .momentum = o->cfg.momentum,
                     .weight_decay = s->decay ? o->cfg.weight_decay : 0,
                     .gscale = u->gscale};
  k_sgd(s->n, o->params->value + s->at, u->grad + s->at, o->state[0] + s->at, &args);
}

const optimizer optimizer_sgd = {.name = "sgd", .states = 1, .state = {"momentum_buffer"}, .update = update};
