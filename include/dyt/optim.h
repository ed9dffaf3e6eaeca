/* optim - the optimizers over the flat parameter store, and the learning rate schedule.
 *
 * After engine_step: optim_reduce sums the shards' gradients along a fixed binary tree over the shard index
 * and takes the norm;
 * optim_update applies the update. Both run on all workers in spans of fixed size, so the bits do not depend
 * on threads.
 *
 *   optim o;
 *   if (optim_open(&o, &params, &cfg.optim, e)) return e->code;
 *   double norm = optim_reduce(&o, pool, g.grads, g.shards);            // not finite: stop before the update
 *   optim_update(&o, pool, g.grads[0], lr, norm);
 *   optim_close(&o);
 */
#ifndef DYT_OPTIM_H
#define DYT_OPTIM_H

#include "dyt/config.h"
#include "dyt/kernel.h"
#include "dyt/params.h"
#include "dyt/work.h"

/* A stretch of the flat arrays with one set of rules. */
typedef struct optim_span {
  int64_t at, n;
  bool decay;
  double
      rate; /* its learning rate over that of the update: layer_decay to the power of the layers above it */
} optim_span;

typedef struct optim optim;

/* What one update has in common. */
typedef struct optim_step {
  const optim *o;
  const real *grad;  /* [params->total] */
  double lr, gscale; /* lr is the span's own; the gradient counts times gscale */
} optim_step;

enum { OPTIM_STATES_MAX = 2 };

/* An optimizer of optimizers.def. */
typedef struct optimizer {
  const char *name;
  int states;                          /* arrays that it keeps from one update to the next */
  const char *state[OPTIM_STATES_MAX]; /* their names in a checkpoint, as in PyTorch */
  void (*update)(const optim_step *u, const optim_span *s);
} optimizer;

struct optim {
  const optimizer *kind;
  params *params;
  config_optim cfg;
  real *state[OPTIM_STATES_MAX]; /* [params->total] each; kind->states of them */
  int64_t steps;                 /* updates made */
  optim_span *span;
  int spans;
  double *square; /* [spans] sums of squares of the gradient */
  arena store;
};

/* The state is zero. ST_USER when memory is lacking. `p` must outlive it. */
st optim_open(optim *o, params *p, const config_optim *cfg, err *e);
void optim_close(optim *o);

/* grads[0] = the sum of grads[0 .. shards-1] (the others are overwritten); returns the L2 norm over trained
 * parameters. */
double optim_reduce(optim *o, work_pool *pool, real *const *grads, int shards);

/* One step of the optimizer with the gradient times min(1, clip_norm / (norm + 1e-6)) where clipping is on. */
void optim_update(optim *o, work_pool *pool, const real *grad, double lr, double norm);

/* The learning rate of update `step` (from 0) of `total`: linear from 0 over `warmup` updates (the first has
 * lr/warmup, the last
 * of them lr), then half a cosine from lr towards min_lr. */
double optim_lr(double lr, double min_lr, int64_t step, double warmup, int64_t total);

#endif
