/* augment - random changes to a training picture.
 *
 * A list of steps, each from bytes [height, width, channels] to bytes; steps that are off cost nothing and draw nothing. All
 * draws of a picture come from one generator, in the order of the steps (docs/augmentation.md has what each does):
 *
 *   crop          augment.crop_padding p > 0: a window of the picture with p zeros around it, at (below(2p+1), below(2p+1))
 *   hflip         augment.hflip > 0: mirrored left to right if uniform() < hflip
 *   color_jitter  augment.color_jitter > 0
 *   randaugment   augment.randaugment (randaugment.h)
 *
 *   rng r = rng_at(seed, "augment", epoch, sample);
 *   augment g = {(augment_size){28, 28, 1}, fill, cfg};
 *   const unsigned char *result = augment_apply(&g, pixels, &r, work);
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

/* A picture on its way through the steps: where it is, and two buffers, of which one at least is free. */
typedef struct augment_picture {
  augment_size size;
  const unsigned char *now;
  unsigned char *work[2];
} augment_picture;

/* The buffer that does not hold the picture; augment_moved says that now it does. */
static inline unsigned char *augment_free(const augment_picture *p) { return p->work[p->now == p->work[0]]; }
static inline void augment_moved(augment_picture *p) { p->now = augment_free(p); }

typedef struct augment {
  augment_size size;
  unsigned char fill[CONFIG_CHANNELS_MAX]; /* colour of what a rotation or shift uncovers: the data's mean */
  config_augment cfg;
} augment;

/* The changed picture: `image` itself if nothing changed it, else inside `work`, which holds two pictures. */
const unsigned char *augment_apply(const augment *g, const unsigned char *image, rng *r, unsigned char *work);

#endif
