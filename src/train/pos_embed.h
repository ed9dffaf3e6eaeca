/* pos_embed - position embeddings for another grid of patches; not for others.
 *
 * As timm's resample_abs_pos_embed (PyTorch's bicubic with antialias): each output is a sum of inputs under Keys' cubic with
 * a = -1/2 around its centre, stretched by the reduction where the grid shrinks. Summed here in double; timm sums in float32 and
 * is within 2e-6 of this for embeddings of unit variance (tests/test_init_from.c). */
#ifndef DYT_TRAIN_POS_EMBED_H
#define DYT_TRAIN_POS_EMBED_H

#include "dyt/real.h"

#include <stdint.h>

/* in [from, from, channels] -> out [to, to, channels]; no class token in either. */
void pos_embed_resample(int64_t channels, int64_t from, const real *in, int64_t to, real *out);

#endif
