/* PNG and BMP by stb_image. */
#include "data/picture_kinds.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>

/* stb_image says no more of a PNG beyond its own limits than that it does not know the type: here are its sizes. */
static bool is_large_png(const unsigned char *bytes, size_t size, picture *p) {
  static const unsigned char begins[16] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
  int side[2] = {0};
  if (size < 24 || memcmp(bytes, begins, sizeof begins) != 0) return false;
  for (int i = 0; i < 8; i++) side[i / 4] = (int)((unsigned)side[i / 4] << 8 | bytes[16 + i]);
  p->width = side[0], p->height = side[1], p->channels = 3;
  return p->width > PICTURE_SIDE_MAX || p->height > PICTURE_SIDE_MAX;
}

static bool header(const unsigned char *bytes, size_t size, picture *p, char why[PICTURE_WHY]) {
  if (!stbi_info_from_memory(bytes, (int)size, &p->width, &p->height, &p->channels)) {
    snprintf(why, PICTURE_WHY, "%s", stbi_failure_reason());
    return is_large_png(bytes, size, p);
  }
  if (p->height < 0 && p->height > INT_MIN) p->height = -p->height; /* a BMP from top to bottom */
  return true;
}

static size_t little_endian(const unsigned char *p, int n) {
  size_t v = 0;
  while (n--) v = v << 8 | p[n];
  return v;
}

/* The pixels that the header (of the kinds that can be read: not compressed) promises are there: stb_image takes those that
 * are not for zeros. */
static bool whole_bmp(const unsigned char *bytes, size_t size, const picture *p) {
  enum { OFFSET = 10, HEADER = 14, BITS_OLD = 24, BITS = 28, LEAST = 30 };
  if (size < LEAST) return false;
  size_t bits = little_endian(bytes + (little_endian(bytes + HEADER, 4) == 12 ? BITS_OLD : BITS), 2);
  size_t row = ((size_t)p->width * bits + 31) / 32 * 4;
  return little_endian(bytes + OFFSET, 4) + row * (size_t)p->height <= size;
}

static unsigned char *pixels(const unsigned char *bytes, size_t size, const picture *p,
                             char why[PICTURE_WHY]) {
  int width, height, channels;
  if (bytes[0] == 'B' && !whole_bmp(bytes, size, p)) {
    snprintf(why, PICTURE_WHY, "pixels are missing at its end");
    return NULL;
  }
  unsigned char *out = stbi_load_from_memory(bytes, (int)size, &width, &height, &channels, p->channels);
  if (!out) snprintf(why, PICTURE_WHY, "%s", stbi_failure_reason());
  return out;
}

const picture_kind picture_stb = {header, pixels};
