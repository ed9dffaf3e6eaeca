/* drop - what dropout and drop_path share: each group of `width` numbers is kept with probability 1-rate and
 * scaled by
 * 1/(1-rate), so that the expected value is unchanged; in evaluation nothing happens (Srivastava et al. 2014,
 * Huang et al. 2016).
 *
 *   y = m x        dx = m dy        m = 0 or 1/(1-rate), one number a group
 *
 * A draw depends on seed, node path, step, sample and place in the sample: not on threads or micro-batches.
 * Saved: m of every group. */
#ifndef DYT_OPS_DROP_H
#define DYT_OPS_DROP_H

#include "dyt/ops.h"

/* groups: how many in a sample. */
void drop_forward(const op_call *c, int64_t groups);
void drop_backward(const op_call *c, int64_t groups);

#endif
