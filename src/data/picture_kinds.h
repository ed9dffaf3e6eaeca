/* picture_kinds - the decoders behind picture.c: a row for each, by what it can read. */
#ifndef DYT_DATA_PICTURE_KINDS_H
#define DYT_DATA_PICTURE_KINDS_H

#include "data/picture.h"

#include <stdbool.h>

enum { PICTURE_WHY = 256 }; /* bytes of a reason, ended by 0 */

typedef struct picture_kind {
  /* Height, width, and channels as they are decoded (1 grey, 3 colour, one more with alpha); nothing else is touched.
   * False, and why, if these bytes are no such picture. Sizes are still unchecked. */
  bool (*header)(const unsigned char *bytes, size_t size, picture *p, char why[PICTURE_WHY]);
  /* Pixels [height, width, channels] for `p` from `header`, all of them from the file; mem_free. NULL, and why. */
  unsigned char *(*pixels)(const unsigned char *bytes, size_t size, const picture *p, char why[PICTURE_WHY]);
} picture_kind;

extern const picture_kind picture_jpeg; /* by libjpeg-turbo */
extern const picture_kind picture_stb;  /* PNG and BMP, by stb_image */

#endif
