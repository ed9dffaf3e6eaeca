/* probe_parts - the steps of a probe. Not a public header. */
#ifndef DYT_ANALYZE_PROBE_PARTS_H
#define DYT_ANALYZE_PROBE_PARTS_H

#include "dyt/probe.h"

/* y [rows, channels] of a norm layer before gamma and beta, from its input x: what its operation computes without them. */
void probe_output(const nn_norm *norm, const params *p, int64_t rows, int64_t channels, const real *x,
                  real *y);

/* Fills what follows from the pairs alone: shape, line, channels, pairs, whole tokens. l->n, l->channels are set; `stream` numbers the
 * layer in random draws. */
void probe_measure(probe_layer *l, const real *x, const real *y, uint64_t stream);

#endif
