/* augment - random changes to a training picture.
 *
 * A list of steps, each from bytes [height, width, channels] to bytes; steps that are off cost nothing. All
 * draws of a picture come from one generator, in the order of the steps: crop   augment.crop_padding p > 0: p
 * pixels of zeros on every side, then a window of the old size at (top, left); top = below(2p+1), left =
 * below(2p+1). torchvision's RandomCrop(size, padding=p). hflip  augment.hflip > 0: mirrored left to right if
 * uniform() < hflip.
 *
 *   rng r = rng_at(seed, "augment", epoch, sample);
 *   const unsigned char *result = augment_apply(&cfg, (augment_size){28, 28, 1}, pixels, &r, work);
 */
#ifndef DYT_DATA_AUGMENT_H
#define DYT_DATA_AUGMENT_H

#include "dyt/config.h"
#include "dyt/rng.h"

#include <stddef.h>

typedef struct augment_size {
  int height, width, channels;
} augment_size;

/* Bytes of one picture. */
static inline size_t augment_bytes(augment_size s) {
  return (size_t)s.height * (size_t)s.width * (size_t)s.channels;
}

/* The changed picture: `image` itself if nothing changed it, else inside `work`, which holds two pictures. */
const unsigned char *augment_apply(const config_augment *a, augment_size s, const unsigned char *image,
                                   rng *r, unsigned char *work);

#endif
