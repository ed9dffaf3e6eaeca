/* augment_ops - single changes of a picture of bytes, as Pillow and torchvision make them; not for others than augment.c and
 * randaugment.c.
 *
 *   if (augment_contrast(s, in, out, &(augment_arg){.value = 1.4})) in = out;
 *
 * Each writes `out`, never the same memory as `in`, and returns true; or false, and `out` is of no meaning, where the picture
 * stays as it is. Pictures are [height, width, channels]. Grey is, of three channels, ITU-R 601's luma as Pillow rounds it, else
 * the channels' mean. Results are Pillow's to the byte but for those of augment_geometry.c, whose interpolation is in float
 * where Pillow's is in double: at most one level apart. */
#ifndef DYT_DATA_AUGMENT_OPS_H
#define DYT_DATA_AUGMENT_OPS_H

#include "data/augment.h"

#include <stdbool.h>

typedef struct augment_arg {
  double value;              /* what it is, each operation says */
  bool cubic;                /* geometry: bicubic (a = -1, Pillow's) instead of bilinear */
  const unsigned char *fill; /* geometry: [channels], where a result has no source */
} augment_arg;

typedef bool augment_op(augment_size s, const unsigned char *in, unsigned char *out, const augment_arg *a);

/* augment_color.c: by channel, ImageOps. */
augment_op augment_autocontrast; /* darkest to 0, lightest to 255 */
augment_op augment_equalize;     /* histogram made flat */
augment_op augment_invert;
augment_op augment_posterize;    /* value: upper bits that are kept, 0 to 8 */
augment_op augment_solarize;     /* value: bytes from there on are inverted */
augment_op augment_solarize_add; /* value: added to bytes below 128 */

/* augment_color.c: ImageEnhance, value times the picture plus (1 - value) times something without what is enhanced. */
augment_op augment_brightness; /* black */
augment_op augment_contrast;   /* the mean grey of all pixels */
augment_op augment_saturation; /* each pixel's grey; pictures without three channels stay as they are */
augment_op augment_sharpness;  /* smoothed by [1 1 1; 1 5 1; 1 1 1] / 13, the border not */

/* augment_geometry.c: Image.transform(AFFINE) around the centre of pixels. */
augment_op augment_rotate;      /* value: degrees against the clock, about the centre */
augment_op augment_shear_x;     /* value: result (x, y) from x + value y */
augment_op augment_shear_y;     /* from y + value x */
augment_op augment_translate_x; /* value: from x + value, pixels */
augment_op augment_translate_y;

#endif
