/* resized_crop - a random part of a picture at the size of a sample: torchvision's RandomResizedCrop, with its ratios.
 *
 * Up to ten times an area, uniform between the two shares of the picture's, and a ratio of width to height, uniform in its
 * logarithm between 3/4 and 4/3, are drawn until such a part fits; then its place, uniform. If none fits: the middle part, as
 * large as these ratios allow. The part is resized as if it were all of the picture.
 *
 *   rng r = rng_at(seed, "resized_crop", epoch, sample);
 *   resized_crop(&view, (double[2]){0.08, 1}, 224, RESIZE_BICUBIC, &r, work, out);       // out [224, 224, channels]
 */
#ifndef DYT_DATA_RESIZED_CROP_H
#define DYT_DATA_RESIZED_CROP_H

#include "data/resize.h"
#include "dyt/rng.h"

typedef struct crop_box {
  int top, left, height, width;
} crop_box;

/* The part of a picture of that size. */
crop_box resized_crop_draw(int height, int width, const double area[2], rng *r);

/* work: resize_room(in->height, in->width, in->channels, side, side) bytes, as resize_into wants them. */
void resized_crop(const resize_view *in, const double area[2], int side, resize_filter filter, rng *r,
                  void *work, unsigned char *out);

#endif
