/* picture - reads picture files: JPEG by libjpeg-turbo, PNG and BMP by stb_image (Debian: libjpeg-dev, libstb-dev).
 *
 * Whatever a file holds becomes bytes of one or three channels, those of PIL's convert("L") and convert("RGB"): alpha is
 * dropped, inks (CMYK) become colour, grey from colour is a weighted sum, colour from grey three times the same; but of 16
 * bits the high byte is kept. Orientation marks (EXIF) are not followed, as in torchvision's ImageFolder.
 *
 *   picture p;
 *   if (picture_read("cat.jpg", 3, &p, e)) return e->code;      // p.pixels [p.height, p.width, 3]
 *   picture_free(&p);
 */
#ifndef DYT_DATA_PICTURE_H
#define DYT_DATA_PICTURE_H

#include "dyt/err.h"

#include <stddef.h>

/* Limits that a header is held against before memory is taken. */
enum { PICTURE_SIDE_MAX = 1 << 14, PICTURE_AREA_MAX = 1 << 26, PICTURE_FILE_MAX = 1 << 28 };

typedef struct picture {
  int height, width, channels;
  unsigned char *pixels; /* [height, width, channels]; mem_new; NULL from picture_probe */
} picture;

/* A file's picture with 1 or 3 channels, or as many of these as it has (channels 0). ST_USER, and nothing to free:
 * unreadable, none of the three kinds, damaged, too large. */
st picture_read(const char *path, int channels, picture *out, err *e);
/* The same of bytes in memory; messages call them `path`. */
st picture_decode(const unsigned char *bytes, size_t size, const char *path, int channels, picture *out,
                  err *e);
/* Only what the header says: no pixels. */
st picture_probe(const char *path, picture *out, err *e);
void picture_free(picture *p);

#endif
