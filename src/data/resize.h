/* resize - a picture at another size, to the byte as PIL's Image.resize does it (and so torchvision's Resize).
 *
 * Each output is a sum over the pixels under a filter that widens with the reduction (antialias), in 22-bit fixed point, rounded
 * to bytes between two passes: along the rows, then along the columns; for a picture more than 100 times as high as wide that
 * becomes lower the other way round. (Pillow 13 does that more often.) Only a
 * window of the result is made: a crop after it costs nothing.
 *
 *   resize_window w = {.height = 256, .width = 341, .top = 16, .left = 58, .rows = 224, .columns = 224};
 *   picture small = resize_picture(&large, &w, RESIZE_BICUBIC);      ...      picture_free(&small);
 */
#ifndef DYT_DATA_RESIZE_H
#define DYT_DATA_RESIZE_H

#include "data/picture.h"

typedef enum resize_filter { RESIZE_BILINEAR, RESIZE_BICUBIC } resize_filter;

/* "bilinear" or "bicubic", data.interpolation's. */
resize_filter resize_filter_named(const char *name);

typedef struct resize_window {
  int height, width;            /* of the whole result */
  int top, left, rows, columns; /* what of it is made */
} resize_window;

/* Pixels of others: a picture, or a part of one, to which the rest does not exist (PIL's crop). */
typedef struct resize_view {
  const unsigned char *pixels;
  int height, width, channels;
  size_t stride; /* bytes from one row to the next */
} resize_view;

resize_view resize_whole(const picture *p);

/* picture_free. */
picture resize_picture(const picture *in, const resize_window *w, resize_filter filter);

/* The same into out [rows, columns, channels], which `in` does not overlap. Allocates nothing: `work`, aligned to 64 bytes,
 * holds resize_room bytes. */
void resize_into(const resize_view *in, const resize_window *w, resize_filter filter, void *work,
                 unsigned char *out);
/* What the work takes for every input up to this size and every window of so many rows and columns. */
size_t resize_room(int height, int width, int channels, int rows, int columns);

/* torchvision's Resize(shorter) and CenterCrop(side); side <= shorter. */
resize_window resize_and_crop(int height, int width, int shorter, int side);

#endif
