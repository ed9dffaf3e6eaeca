#include "data/picture.h"

#include "dyt/file.h"
#include "dyt/mem.h"

#include <stdbool.h>
#include <stdlib.h>

#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_MALLOC(size)     calloc(1, size) /* a JPEG scan may name a code table that the file does not have */
#define STBI_REALLOC(p, size) realloc(p, size)
#define STBI_FREE(p)          free(p)
#define STBI_MAX_DIMENSIONS   (1 << 14) /* PICTURE_SIDE_MAX */
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>

_Static_assert(STBI_MAX_DIMENSIONS == PICTURE_SIDE_MAX, "the decoder has the same limit");

enum { JPEG_FIRST = 0xFF }; /* the first byte of a file */

/* Weights of red, green and blue in PIL's "L", in 1/65536. */
enum { RED = 19595, GREEN = 38470, BLUE = 7471, HALF = 1 << 15, SHIFT = 16 };

/* Do the code tables of the segment at `at` hold at most 256 codes each? stb_image 2.27 writes past its own otherwise.
 * Bytes past the end are zeros to it. */
static bool tables_fit(const unsigned char *bytes, size_t size, size_t at) {
  enum { LENGTHS = 16, CODES_MAX = 256 };
  if (at + 2 > size) return true;
  int left = (bytes[at] << 8 | bytes[at + 1]) - 2;
  for (at += 2; left > 0;) {
    int codes = 0;
    for (size_t i = at + 1; i <= at + LENGTHS && i < size; i++) codes += bytes[i];
    if (codes > CODES_MAX) return false;
    at += 1 + LENGTHS + (size_t)codes;
    left -= 1 + LENGTHS + codes;
  }
  return true;
}

/* Segments before the first scan are stepped over, as marks within them mean nothing (a profile, a small preview); from
 * there on every mark of a code table counts. */
static bool sound_jpeg(const unsigned char *bytes, size_t size) {
  enum { MARK = 0xFF, TABLES = 0xC4, START = 0xD8, SCAN = 0xDA };
  bool scans = false;
  for (size_t i = 2; i + 2 < size; i++) {
    if (bytes[i - 1] != MARK || bytes[i] == MARK || bytes[i] == START) continue;
    if (bytes[i] == TABLES && !tables_fit(bytes, size, i + 1)) return false;
    scans = scans || bytes[i] == SCAN;
    if (!scans) i += (size_t)(bytes[i + 1] << 8 | bytes[i + 2]) + 1; /* the next mark begins after this */
  }
  return true;
}

static st check_header(const unsigned char *bytes, size_t size, const char *path, picture *p, err *e) {
  int stored = 0;
  *p = (picture){0};
  if (size > PICTURE_FILE_MAX)
    return err_add(e, ST_USER, "%s: %zu bytes, expected at most %d", path, size, PICTURE_FILE_MAX);
  if (size > 0 && bytes[0] == JPEG_FIRST && !sound_jpeg(bytes, size))
    return err_add(e, ST_USER, "%s: the JPEG picture is damaged (a code table of more than 256 codes)", path);
  if (!stbi_info_from_memory(bytes, (int)size, &p->width, &p->height, &stored))
    return err_add(e, ST_USER, "%s: not a PNG, JPEG or BMP picture that can be read (%s)", path,
                   stbi_failure_reason());
  if (p->height < 0 && p->height >= -PICTURE_SIDE_MAX) p->height = -p->height; /* a BMP from top to bottom */
  if (p->width < 1 || p->height < 1 || p->width > PICTURE_SIDE_MAX || p->height > PICTURE_SIDE_MAX ||
      (size_t)p->width * (size_t)p->height > PICTURE_AREA_MAX)
    return err_add(e, ST_USER, "%s: a picture of %d x %d, expected at most %d a side and %d pixels in all",
                   path, p->height, p->width, PICTURE_SIDE_MAX, PICTURE_AREA_MAX);
  p->channels = stored < 3 ? 1 : 3;
  return ST_OK;
}

static size_t little_endian(const unsigned char *p, int n) {
  size_t v = 0;
  while (n--) v = v << 8 | p[n];
  return v;
}

/* The pixels that the header (of the kinds that can be read: not compressed) promises are there. */
static bool whole_bmp(const unsigned char *bytes, size_t size, const picture *p) {
  enum { OFFSET = 10, HEADER = 14, BITS_OLD = 24, BITS = 28, LEAST = 30 };
  if (size < LEAST) return false;
  size_t bits = little_endian(bytes + (little_endian(bytes + HEADER, 4) == 12 ? BITS_OLD : BITS), 2);
  size_t row = ((size_t)p->width * bits + 31) / 32 * 4;
  return little_endian(bytes + OFFSET, 4) + row * (size_t)p->height <= size;
}

/* The last scan is followed by the mark for the end. */
static bool whole_jpeg(const unsigned char *bytes, size_t size) {
  enum { MARK = 0xFF, SCAN = 0xDA, END = 0xD9 };
  for (size_t i = size - 1; i > 0; i--)
    if (bytes[i - 1] == MARK && (bytes[i] == SCAN || bytes[i] == END)) return bytes[i] == END;
  return false;
}

/* stb_image takes what a file lacks at its end for zeros, but in PNG. */
static bool is_whole(const unsigned char *bytes, size_t size, const picture *p) {
  return bytes[0] == 'B' ? whole_bmp(bytes, size, p) : bytes[0] != JPEG_FIRST || whole_jpeg(bytes, size);
}

static unsigned char grey_of(const unsigned char *rgb) {
  return (unsigned char)((rgb[0] * RED + rgb[1] * GREEN + rgb[2] * BLUE + HALF) >> SHIFT);
}

/* From `stored` channels (1, 3, or one more with alpha) to those of `p`. */
static void convert(const unsigned char *in, int stored, picture *p) {
  size_t area = (size_t)p->width * (size_t)p->height;
  bool colour = stored >= 3;
  unsigned char *out = p->pixels = mem_new(area * (size_t)p->channels, 1);
  for (size_t i = 0; i < area; i++, in += stored, out += p->channels)
    if (p->channels == 1)
      *out = colour ? grey_of(in) : *in;
    else
      for (int k = 0; k < 3; k++) out[k] = in[colour ? k : 0];
}

st picture_decode(const unsigned char *bytes, size_t size, const char *path, int channels, picture *out,
                  err *e) {
  REQUIRE(channels == 0 || channels == 1 || channels == 3, "%d channels", channels);
  int stored = 0;
  if (check_header(bytes, size, path, out, e)) return e->code;
  if (!is_whole(bytes, size, out)) return err_add(e, ST_USER, "%s: the picture is cut short", path);
  unsigned char *pixels = stbi_load_from_memory(bytes, (int)size, &out->width, &out->height, &stored, 0);
  if (!pixels)
    return err_add(e, ST_USER, "%s: the picture cannot be decoded (%s): the file is damaged or cut short",
                   path, stbi_failure_reason());
  if (channels) out->channels = channels;
  convert(pixels, stored, out);
  stbi_image_free(pixels);
  return ST_OK;
}

st picture_read(const char *path, int channels, picture *out, err *e) {
  file_bytes b;
  *out = (picture){0};
  if (file_read(path, PICTURE_FILE_MAX, &b, e)) return e->code;
  st code = picture_decode(b.data, b.size, path, channels, out, e);
  file_bytes_free(&b);
  return code;
}

st picture_probe(const char *path, picture *out, err *e) {
  file_bytes b;
  *out = (picture){0};
  if (file_read(path, PICTURE_FILE_MAX, &b, e)) return e->code;
  st code = check_header(b.data, b.size, path, out, e);
  file_bytes_free(&b);
  return code;
}

void picture_free(picture *p) {
  mem_free(p->pixels);
  *p = (picture){0};
}
