#include "data/augment.h"

#include <stdbool.h>
#include <string.h>

/* One step: draws from `r`, writes `out` (never the same memory as `in`) and returns true, or false if `in`
 * stays as it is. */
typedef bool step(const config_augment *a, augment_size s, const unsigned char *in, unsigned char *out,
                  rng *r);

static int clamp(int v, int low, int high) { return v < low ? low : v > high ? high : v; }

static bool crop(const config_augment *a, augment_size s, const unsigned char *in, unsigned char *out,
                 rng *r) {
  int pad = a->crop_padding;
  if (pad == 0) return false;
  int down = (int)rng_below(r, 2 * (uint32_t)pad + 1) -
             pad; /* where the window begins in the picture without padding */
  int right = (int)rng_below(r, 2 * (uint32_t)pad + 1) - pad;
  if (down == 0 && right == 0) return false;
  int first = clamp(-right, 0, s.width),
      end = clamp(s.width - right, first, s.width); /* columns that are in the picture */
  size_t C = (size_t)s.channels, row = (size_t)s.width * C;
  memset(out, 0, augment_bytes(s));
  for (int y = clamp(-down, 0, s.height); y < clamp(s.height - down, 0, s.height); y++)
    if (end > first)
      memcpy(out + (size_t)y * row + (size_t)first * C,
             in + (size_t)(y + down) * row + (size_t)(first + right) * C, (size_t)(end - first) * C);
  return true;
}

static bool hflip(const config_augment *a, augment_size s, const unsigned char *in, unsigned char *out,
                  rng *r) {
  if (a->hflip == 0 || rng_uniform(r) >= a->hflip) return false;
  int W = s.width, C = s.channels;
  for (int y = 0; y < s.height; y++, in += W * C, out += W * C)
    for (int x = 0; x < W; x++)
      for (int c = 0; c < C; c++) out[x * C + c] = in[(W - 1 - x) * C + c];
  return true;
}

static step *const steps[] = {crop, hflip};

const unsigned char *augment_apply(const config_augment *a, augment_size s, const unsigned char *image,
                                   rng *r, unsigned char *work) {
  unsigned char *next = work, *spare = work + augment_bytes(s);
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    if (!steps[i](a, s, image, next, r)) continue;
    image = next;
    next = spare;
    spare = next == work ? work + augment_bytes(s) : work;
  }
  return image;
}
