/* simd - the kernels of one SIMD level: what the files of this folder share.
 *
 * Each file is compiled once a level and build; every kernel gets the level's name at its end (k_add_avx2),
 * and table.c gathers them into k_table_avx2, from which k_init picks. */
#ifndef DYT_SIMD_SIMD_H
#define DYT_SIMD_SIMD_H

#include "dyt/kernel.h"
#include "kernels/simd/vec.h"

#define LEVEL(name) JOIN(JOIN(k_##name, _), SIMD_LEVEL)

#define KERNEL(result, name, params, args) result LEVEL(name) params;
#include "dyt/kernels.def"
extern const k_table LEVEL(table);

/* A number for each of C channels, or one for all: channels_get(c, i, n) is those of channels i .. i+n-1. */
typedef struct channels {
  const real *p; /* the given numbers, or `same` */
  int64_t every; /* -1: p[i], 0: p[0], without a branch in the loop */
  real same[W];
} channels;

/* `given` [C] if not NULL, else `constant`. */
static inline void channels_init(channels *c, const real *given, real constant) {
  v_store(c->same, v_set(constant));
  c->p = given ? given : c->same;
  c->every = given ? -1 : 0;
}
INLINE vec channels_get(const channels *c, int64_t i, int64_t n) { return v_get(c->p + (i & c->every), n); }

#endif
