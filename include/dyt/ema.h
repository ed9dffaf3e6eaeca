/* ema - a moving average of all parameters, often better than the weights it follows.
 *
 *   ema m;
 *   if (ema_open(&m, &params, 0.999, e)) return e->code;   // decay 0: none, and the calls below do nothing
 *   ema_start(&m);                                         // the average is the initial weights
 *   ema_update(&m, pool);                                  // after every update
 *   ema_swap(&m);                                          // the model is now the average; what was packed is not: see packs.h
 *   ema_swap(&m);                                          // and itself again
 *   ema_close(&m);
 */
#ifndef DYT_EMA_H
#define DYT_EMA_H

#include "dyt/params.h"
#include "dyt/work.h"

typedef struct ema {
  params *params;
  double decay;
  real *value; /* [params->total] in the store's layout; NULL: no average is kept */
  arena store;
} ema;

/* ST_USER when memory is lacking. `p` must be sealed and outlive it. */
st ema_open(ema *m, params *p, double decay, err *e);
void ema_close(ema *m);
void ema_start(ema *m);
/* average = decay average + (1 - decay) parameters, as timm's ModelEmaV3 without warm-up. */
void ema_update(ema *m, work_pool *pool);
/* Exchanges the parameters' values with the average. */
void ema_swap(ema *m);

#endif
