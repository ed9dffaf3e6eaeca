/* JPEG by libjpeg-turbo, with its defaults: the exact integer transform and smooth upsampling, as PIL has them.
 *
 * Four components are C, M, Y, K as Adobe's programs store them, inverted (PIL assumes it too), and become colour as PIL's
 * convert("RGB") makes it: R = K - C' K / 255 with C' = 255 - C. */
#include "data/picture_kinds.h"

#include "dyt/mem.h"

#include <setjmp.h>
#include <stdio.h>
#include <jpeglib.h>
#include <jerror.h>

_Static_assert(JMSG_LENGTH_MAX <= PICTURE_WHY, "a message has room");

/* The library leaves by longjmp where it cannot go on. */
typedef struct reader {
  struct jpeg_error_mgr errors; /* first: the library hands out a pointer to it */
  struct jpeg_decompress_struct jpeg;
  jmp_buf out;
  char *why;
} reader;

static void leave(j_common_ptr jpeg) {
  reader *r = (reader *)(void *)jpeg->err;
  jpeg->err->format_message(jpeg, r->why);
  longjmp(r->out, 1);
}

/* Of what the library can go on after, only what leaves every pixel as it was meant is let pass: bytes between two segments,
 * or a header that says odd things beside the picture. */
static void judge(j_common_ptr jpeg, int level) {
  static const int harmless[] = {JWRN_EXTRANEOUS_DATA, JWRN_ADOBE_XFORM, JWRN_JFIF_MAJOR, JWRN_BOGUS_ICC};
  if (level >= 0) return; /* no warning */
  for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
    if (jpeg->err->msg_code == harmless[i]) return;
  leave(jpeg);
}

static void begin(reader *r, const unsigned char *bytes, size_t size) {
  r->jpeg.err = jpeg_std_error(&r->errors);
  r->errors.error_exit = leave;
  r->errors.emit_message = judge;
  jpeg_create_decompress(&r->jpeg);
  jpeg_mem_src(&r->jpeg, bytes, size);
  jpeg_read_header(&r->jpeg, TRUE);
}

static bool read_header(reader *r, const unsigned char *bytes, size_t size, picture *p) {
  if (setjmp(r->out)) return false;
  begin(r, bytes, size);
  int components = r->jpeg.num_components;
  p->height = (int)r->jpeg.image_height, p->width = (int)r->jpeg.image_width;
  p->channels = components == 1 ? 1 : 3;
  if (components == 1 || components == 3 || components == 4) return true;
  snprintf(r->why, PICTURE_WHY, "%d components", components);
  return false;
}

static unsigned char times(int a, int b) { /* a b / 255, rounded */
  int t = a * b + 128;
  return (unsigned char)((t + (t >> 8)) >> 8);
}

static void colour_of_inks(const unsigned char *ink, int n, unsigned char *rgb) {
  for (int i = 0; i < n; i++, ink += 4)
    for (int k = 0; k < 3; k++) *rgb++ = (unsigned char)(ink[3] - times(255 - ink[k], ink[3]));
}

static bool read_pixels(reader *r, const unsigned char *bytes, size_t size, unsigned char *out) {
  if (setjmp(r->out)) return false;
  begin(r, bytes, size);
  jpeg_start_decompress(&r->jpeg);
  JDIMENSION width = r->jpeg.output_width;
  bool inks = r->jpeg.output_components == 4;
  JSAMPARRAY row = NULL;
  if (inks) row = r->jpeg.mem->alloc_sarray((j_common_ptr)&r->jpeg, JPOOL_IMAGE, width * 4, 1);
  while (r->jpeg.output_scanline < r->jpeg.output_height) {
    size_t at = (size_t)r->jpeg.output_scanline * width * (inks ? 3 : (size_t)r->jpeg.output_components);
    jpeg_read_scanlines(&r->jpeg, inks ? row : &(JSAMPROW){out + at}, 1);
    if (inks) colour_of_inks(row[0], (int)width, out + at);
  }
  jpeg_finish_decompress(&r->jpeg);
  return true;
}

static bool header(const unsigned char *bytes, size_t size, picture *p, char why[PICTURE_WHY]) {
  reader r = {.why = why};
  bool ok = read_header(&r, bytes, size, p);
  jpeg_destroy_decompress(&r.jpeg);
  return ok;
}

static unsigned char *pixels(const unsigned char *bytes, size_t size, const picture *p,
                             char why[PICTURE_WHY]) {
  reader r = {.why = why};
  unsigned char *out = mem_new((size_t)p->height * (size_t)p->width * (size_t)p->channels, 1);
  bool ok = read_pixels(&r, bytes, size, out);
  jpeg_destroy_decompress(&r.jpeg);
  if (ok) return out;
  mem_free(out);
  return NULL;
}

const picture_kind picture_jpeg = {header, pixels};
