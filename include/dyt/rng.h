/* rng - counter-based random numbers (Philox4x32-10, from Random123).
 *
 * A draw is a function of what it is for, never of who asks first:
 *   seed    the run's seed
 *   stream  what is drawn: a parameter's name, "order", "augment", a dropout node's path
 *   a, b    where: epoch or step, and sample
 *   i       the how-manieth number there
 * So threads, resumption and the order of calls cannot change a draw, and there is no state to save.
 *
 *   rng r = rng_at(seed, "augment", epoch, sample);
 *   if (rng_uniform(&r) < 0.5) flip();
 */
#ifndef DYT_RNG_H
#define DYT_RNG_H

#include "dyt/real.h"

#include <stdint.h>

typedef struct rng {
  uint32_t key[2];
  uint64_t a, b; /* b holds the sample in its low 32 bits; its high 32 bits count blocks of four draws */
  uint32_t block[4];
  int left; /* unread words of `block` */
} rng;

/* The draws of `stream` at (a, b); b < 2^32. Owns nothing, may be copied. */
rng rng_at(uint64_t seed, const char *stream, uint64_t a, uint64_t b);

/* Same, for a stream whose 64-bit name was computed before (rng_name): no string work, for use inside a step.
 * */
uint64_t rng_name(uint64_t seed, const char *stream);
rng rng_at_name(uint64_t name, uint64_t a, uint64_t b);

uint32_t rng_u32(rng *r);
double rng_uniform(rng *r);                     /* in (0, 1), 32 bits */
uint32_t rng_below(rng *r, uint32_t n);         /* 0 .. n-1, unbiased; n > 0 */
double rng_normal(rng *r);                      /* mean 0, standard deviation 1 */
void rng_normals(rng *r, int64_t n, real *out); /* n of them at half the price: both numbers of each pair */
double rng_beta(rng *r, double a);              /* Beta(a, a), a > 0, in [0, 1] */
double rng_trunc_normal(rng *r,
                        double std); /* normal of that std, redrawn until inside +-2 (absolute, as timm) */
void rng_permutation(rng *r, int64_t n, int32_t *out); /* 0 .. n-1 shuffled */

#endif
