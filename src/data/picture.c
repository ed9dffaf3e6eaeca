#include "data/picture.h"

#include "data/picture_kinds.h"
#include "dyt/file.h"
#include "dyt/mem.h"

enum { JPEG_FIRST = 0xFF }; /* the first byte of a file */

/* Weights of red, green and blue in PIL's "L", in 1/65536. */
enum { RED = 19595, GREEN = 38470, BLUE = 7471, HALF = 1 << 15, SHIFT = 16 };

static const picture_kind *kind_of(const unsigned char *bytes, size_t size) {
  return size > 0 && bytes[0] == JPEG_FIRST ? &picture_jpeg : &picture_stb;
}

/* Channels are those that will be decoded. */
static st check_header(const unsigned char *bytes, size_t size, const char *path, picture *p, err *e) {
  char why[PICTURE_WHY];
  *p = (picture){0};
  if (size > PICTURE_FILE_MAX)
    return err_add(e, ST_USER, "%s: %zu bytes, expected at most %d", path, size, PICTURE_FILE_MAX);
  if (!kind_of(bytes, size)->header(bytes, size, p, why))
    return err_add(e, ST_USER, "%s: not a PNG, JPEG or BMP picture that can be read (%s)", path, why);
  if (p->width < 1 || p->height < 1 || p->width > PICTURE_SIDE_MAX || p->height > PICTURE_SIDE_MAX ||
      (size_t)p->width * (size_t)p->height > PICTURE_AREA_MAX)
    return err_add(e, ST_USER, "%s: a picture of %d x %d, expected at most %d a side and %d pixels in all",
                   path, p->height, p->width, PICTURE_SIDE_MAX, PICTURE_AREA_MAX);
  return ST_OK;
}

static int without_alpha(int channels) { return channels < 3 ? 1 : 3; }

static unsigned char grey_of(const unsigned char *rgb) {
  return (unsigned char)((rgb[0] * RED + rgb[1] * GREEN + rgb[2] * BLUE + HALF) >> SHIFT);
}

/* From the channels of `p` (1, 3, or one more with alpha) to 1 or 3. */
static void convert(picture *p, int channels) {
  size_t area = (size_t)p->width * (size_t)p->height;
  int stored = p->channels;
  if (stored == channels) return;
  const unsigned char *in = p->pixels;
  unsigned char *out = mem_new(area * (size_t)channels, 1), *to = out;
  for (size_t i = 0; i < area; i++, in += stored, to += channels)
    if (channels == 1)
      *to = stored < 3 ? *in : grey_of(in);
    else
      for (int k = 0; k < 3; k++) to[k] = in[stored < 3 ? 0 : k];
  mem_free(p->pixels);
  p->pixels = out;
  p->channels = channels;
}

st picture_decode(const unsigned char *bytes, size_t size, const char *path, int channels, picture *out,
                  err *e) {
  REQUIRE(channels == 0 || channels == 1 || channels == 3, "%d channels", channels);
  char why[PICTURE_WHY];
  if (check_header(bytes, size, path, out, e)) return e->code;
  out->pixels = kind_of(bytes, size)->pixels(bytes, size, out, why);
  if (!out->pixels)
    return err_add(e, ST_USER, "%s: the picture cannot be decoded (%s): the file is damaged or cut short",
                   path, why);
  convert(out, channels ? channels : without_alpha(out->channels));
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
  out->channels = without_alpha(out->channels);
  file_bytes_free(&b);
  return code;
}

void picture_free(picture *p) {
  mem_free(p->pixels);
  *p = (picture){0};
}
