/* optim - AdamW over the flat parameter store, and the learning rate schedule.
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
} optim_span;

typedef struct optim {
  params *params;
  config_optim cfg;
  real *m, *v;   /* [params->total] first and second moments */
  int64_t steps; /* updates made */
  optim_span *span;
  int spans;
  double *square; /* [spans] sums of squares of the gradient */
  arena store;
} optim;

/* Moments are zero. ST_USER when memory is lacking. `p` must outlive it. */
st optim_open(optim *o, params *p, const config_optim *cfg, err *e);
void optim_close(optim *o);

/* grads[0] = the sum of grads[0 .. shards-1] (the others are overwritten); returns the L2 norm over trained
 * parameters. */
double optim_reduce(optim *o, work_pool *pool, real *const *grads, int shards);

/* One AdamW step (Loshchilov & Hutter 2019, as in PyTorch) with the gradient times min(1, clip_norm / (norm +
 * 1e-6)) where clipping is on. */
void optim_update(optim *o, work_pool *pool, const real *grad, double lr, double norm);

/* The learning rate of update `step` (from 0) of `total`: linear from 0 over `warmup` updates (the first has
 * lr/warmup, the last
 * of them lr), then half a cosine from lr towards min_lr. */
double optim_lr(double lr, double min_lr, int64_t step, double warmup, int64_t total);

#endif
