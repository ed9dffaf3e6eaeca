/* randaugment - RandAugment as timm does it: `layers` times one of 15 operations, each done with a chance of one half.
 *
 * Draws of a layer, in this order: below(15) the operation; uniform() >= 1/2: not done; if std > 0 normal() for its
 * magnitude m' = clamp(m + std normal, 0, 10); if the operation goes either way, uniform() >= 1/2: negative; if it is geometric,
 * uniform() >= 1/2: bicubic, else bilinear. */
#ifndef DYT_DATA_RANDAUGMENT_H
#define DYT_DATA_RANDAUGMENT_H

#include "data/augment.h"

void randaugment(const augment *g, augment_picture *p, rng *r);

/* For tests: the operations in order; the argument of one at a magnitude, `sign` -1 or 1. The name is timm's without "Increasing". */
enum { RANDAUGMENT_OPS = 15 };
const char *randaugment_name(int op);
double randaugment_value(int op, bool increasing, double magnitude, int sign, augment_size s);

#endif
