/* erase - random erasing: a rectangle of a normalized picture becomes noise.
 *
 * timm's RandomErasing, mode pixel, one rectangle: with probability `chance`, up to ten tries of an area uniform in 0.02 .. 1/3 of
 * the picture and an aspect (height over width) log-uniform in 0.3 .. 1/0.3, until it is smaller than the picture both ways; a
 * uniform place; every number in it is drawn from N(0, 1).
 *
 *   rng r = rng_at(seed, "erase", epoch, sample);
 *   erase(0.25, (augment_size){28, 28, 1}, image, &r);
 */
#ifndef DYT_DATA_ERASE_H
#define DYT_DATA_ERASE_H

#include "data/augment.h"
#include "dyt/real.h"

/* image: [channels, height, width], normalized. */
void erase(double chance, augment_size s, real *image, rng *r);

#endif
