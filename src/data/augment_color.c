#include "data/augment_ops.h"

#include <string.h>

enum { LEVELS = 256 };

/* --- a table: one for all channels, or one a channel --- */

static bool by_table(augment_size s, const unsigned char *in, unsigned char *out,
                     const unsigned char table[LEVELS]) {
  size_t n = augment_bytes(s);
  for (size_t i = 0; i < n; i++) out[i] = table[in[i]];
  return true;
}

static unsigned char clip(int v) { return (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v); }

/* What is known of one channel: how often each byte occurs, the first and the last that do. */
typedef struct histogram {
  int32_t count[LEVELS];
  int low, high;
  int pixels;
} histogram;

static histogram histogram_of(augment_size s, const unsigned char *in, int c) {
  histogram h = {.high = LEVELS - 1, .pixels = s.height * s.width};
  size_t n = augment_bytes(s), C = (size_t)s.channels;
  for (size_t i = (size_t)c; i < n; i += C) h.count[in[i]]++;
  while (h.low < LEVELS - 1 && !h.count[h.low]) h.low++;
  while (h.high > 0 && !h.count[h.high]) h.high--;
  return h;
}

/* A table a channel, made from its histogram. */
static bool by_histograms(augment_size s, const unsigned char *in, unsigned char *out,
                          void (*make)(const histogram *h, unsigned char table[LEVELS])) {
  unsigned char table[LEVELS];
  size_t n = augment_bytes(s), C = (size_t)s.channels;
  for (size_t c = 0; c < C; c++) {
    histogram h = histogram_of(s, in, (int)c);
    make(&h, table);
    for (size_t i = c; i < n; i += C) out[i] = table[in[i]];
  }
  return true;
}

static void stretch(const histogram *h, unsigned char table[LEVELS]) {
  bool flat = h->high <= h->low;
  double scale = flat ? 1 : 255.0 / (h->high - h->low), offset = flat ? 0 : -h->low * scale;
  for (int v = 0; v < LEVELS; v++) table[v] = clip((int)(v * scale + offset));
}

static void equalize(const histogram *h, unsigned char table[LEVELS]) {
  int step = (h->pixels - h->count[h->high]) / 255, sum = step / 2;
  for (int v = 0; v < LEVELS; sum += h->count[v++]) table[v] = step ? clip(sum / step) : (unsigned char)v;
}

bool augment_autocontrast(augment_size s, const unsigned char *in, unsigned char *out, const augment_arg *a) {
  return (void)a, by_histograms(s, in, out, stretch);
}

bool augment_equalize(augment_size s, const unsigned char *in, unsigned char *out, const augment_arg *a) {
  return (void)a, by_histograms(s, in, out, equalize);
}

bool augment_invert(augment_size s, const unsigned char *in, unsigned char *out, const augment_arg *a) {
  size_t n = augment_bytes(s);
  (void)a;
  for (size_t i = 0; i < n; i++) out[i] = (unsigned char)(255 - in[i]);
  return true;
}

bool augment_posterize(augment_size s, const unsigned char *in, unsigned char *out, const augment_arg *a) {
  size_t n = augment_bytes(s);
  unsigned char mask = (unsigned char)(0xff << (8 - (int)a->value));
  for (size_t i = 0; i < n; i++) out[i] = in[i] & mask;
  return true;
}

bool augment_solarize(augment_size s, const unsigned char *in, unsigned char *out, const augment_arg *a) {
  unsigned char table[LEVELS];
  for (int v = 0; v < LEVELS; v++) table[v] = (unsigned char)(v < a->value ? v : 255 - v);
  return by_table(s, in, out, table);
}

bool augment_solarize_add(augment_size s, const unsigned char *in, unsigned char *out, const augment_arg *a) {
  unsigned char table[LEVELS];
  for (int v = 0; v < LEVELS; v++) table[v] = v < 128 ? clip(v + (int)a->value) : (unsigned char)v;
  return by_table(s, in, out, table);
}

/* --- blending: Pillow's Image.blend, in float and cut off, not rounded --- */

static unsigned char blend(int plain, int v, float factor) {
  float x = (float)plain + factor * (float)(v - plain);
  x = x < 0 ? 0 : x;
  x = x > 255 ? 255 : x;
  return (unsigned char)(int)x;
}

static bool blend_with_level(augment_size s, const unsigned char *in, unsigned char *out, int level,
                             double factor) {
  unsigned char table[LEVELS];
  for (int v = 0; v < LEVELS; v++) table[v] = blend(level, v, (float)factor);
  return by_table(s, in, out, table);
}

static int luma(const unsigned char *p) { return (p[0] * 19595 + p[1] * 38470 + p[2] * 7471 + 0x8000) >> 16; }

/* Rounded as Pillow's mean of the grey picture. */
static int mean_grey(augment_size s, const unsigned char *in) {
  size_t n = augment_bytes(s), pixels = (size_t)s.height * (size_t)s.width;
  int64_t sum = 0;
  for (size_t i = 0; i < n && s.channels == 3; i += 3) sum += luma(in + i);
  for (size_t i = 0; i < n && s.channels != 3; i++) sum += in[i];
  return (int)((double)sum / (double)(s.channels == 3 ? pixels : n) + 0.5);
}

bool augment_brightness(augment_size s, const unsigned char *in, unsigned char *out, const augment_arg *a) {
  return blend_with_level(s, in, out, 0, a->value);
}

bool augment_contrast(augment_size s, const unsigned char *in, unsigned char *out, const augment_arg *a) {
  return blend_with_level(s, in, out, mean_grey(s, in), a->value);
}

bool augment_saturation(augment_size s, const unsigned char *in, unsigned char *out, const augment_arg *a) {
  size_t n = augment_bytes(s);
  float factor = (float)a->value;
  if (s.channels != 3) return false;
  for (size_t i = 0; i < n; i += 3) {
    int grey = luma(in + i);
    for (size_t c = 0; c < 3; c++) out[i + c] = blend(grey, in[i + c], factor);
  }
  return true;
}

/* The 13th part of a sum of up to 13 bytes, rounded; never halfway. */
static int thirteenth(int sum) { return (int)(((uint32_t)(sum + 6) * 5042) >> 16); }

bool augment_sharpness(augment_size s, const unsigned char *in, unsigned char *out, const augment_arg *a) {
  size_t C = (size_t)s.channels, row = (size_t)s.width * C;
  float factor = (float)a->value;
  memcpy(out, in, augment_bytes(s));
  if (s.width < 3) return true;
  for (size_t y = 1; y + 1 < (size_t)s.height; y++) {
    const unsigned char *p = in + y * row;
    unsigned char *to = out + y * row;
    for (size_t i = C; i < row - C; i++) {
      const unsigned char *q = p + i, *above = q - row, *below = q + row;
      int sum = above[-(ptrdiff_t)C] + above[0] + above[C] + q[-(ptrdiff_t)C] + 5 * q[0] + q[C] +
                below[-(ptrdiff_t)C] + below[0] + below[C];
      to[i] = blend(thirteenth(sum), q[0], factor);
    }
  }
  return true;
}
