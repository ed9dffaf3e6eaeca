/* packs - the weight matrices of a parameter store in the order that the matrix kernels read them.
 *
 * Made once a step from the current values and then shared by all workers: packing costs what it costs once, not once a
 * product. Where the kernels do not want it (k_packs) there is nothing here, and linear layers call BLAS.
 *
 *   packs k;
 *   if (packs_open(&k, &params, true, e)) return e->code;
 *   packs_refresh(&k, pool);                   // after every change of the parameters
 *   tape_run r = {.., .panels = k.panels};
 *   packs_close(&k);
 */
#ifndef DYT_PACKS_H
#define DYT_PACKS_H

#include "dyt/params.h"
#include "dyt/work.h"

typedef struct packs {
  const params *params;
  bool backward; /* also what the backward pass needs */
  real *
      panels; /* [2 params->total], a matrix's at twice its offset in the store (tensor.panels); NULL: no packing */
  arena store;
} packs;

/* ST_USER when memory is lacking. `p` must be sealed and outlive it. */
st packs_open(packs *k, const params *p, bool backward, err *e);
void packs_close(packs *k);
/* Packs the parameters as they are now, on all workers of `pool`; NULL: on this thread. */
void packs_refresh(packs *k, work_pool *pool);

#endif
