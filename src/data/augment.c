#include "data/augment.h"

#include "data/augment_ops.h"
#include "data/randaugment.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* One step: draws from `r` and takes the picture on, or leaves it as it is. */
typedef void step(const augment *g, augment_picture *p, rng *r);

static int clamp(int v, int low, int high) { return v < low ? low : v > high ? high : v; }

static void crop(const augment *g, augment_picture *p, rng *r) {
  augment_size s = p->size;
  int pad = g->cfg.crop_padding;
  if (pad == 0) return;
  int down = (int)rng_below(r, 2 * (uint32_t)pad + 1) -
             pad; /* where the window begins in the picture without padding */
  int right = (int)rng_below(r, 2 * (uint32_t)pad + 1) - pad;
  if (down == 0 && right == 0) return;
  int first = clamp(-right, 0, s.width),
      end = clamp(s.width - right, first, s.width); /* columns that are in the picture */
  size_t C = (size_t)s.channels, row = (size_t)s.width * C;
  unsigned char *out = augment_free(p);
  memset(out, 0, augment_bytes(s));
  for (int y = clamp(-down, 0, s.height); y < clamp(s.height - down, 0, s.height); y++)
    if (end > first)
      memcpy(out + (size_t)y * row + (size_t)first * C,
             p->now + (size_t)(y + down) * row + (size_t)(first + right) * C, (size_t)(end - first) * C);
  augment_moved(p);
}

static void hflip(const augment *g, augment_picture *p, rng *r) {
  if (g->cfg.hflip == 0 || rng_uniform(r) >= g->cfg.hflip) return;
  const unsigned char *in = p->now;
  unsigned char *out = augment_free(p);
  int W = p->size.width, C = p->size.channels;
  for (int y = 0; y < p->size.height; y++, in += W * C, out += W * C)
    for (int x = 0; x < W; x++)
      for (int c = 0; c < C; c++) out[x * C + c] = in[(W - 1 - x) * C + c];
  augment_moved(p);
}

/* torchvision's ColorJitter without hue: the order first, then in that order each factor. */
static void color_jitter(const augment *g, augment_picture *p, rng *r) {
  static augment_op *const ops[] = {augment_brightness, augment_contrast, augment_saturation};
  enum { OPS = sizeof ops / sizeof ops[0] };
  double most = 1 + g->cfg.color_jitter, least = fmax(0, 1 - g->cfg.color_jitter);
  int32_t order[OPS];
  if (g->cfg.color_jitter == 0) return;
  rng_permutation(r, OPS, order);
  for (int i = 0; i < OPS; i++) {
    augment_arg a = {.value = least + (most - least) * rng_uniform(r)};
    if (ops[order[i]](p->size, p->now, augment_free(p), &a)) augment_moved(p);
  }
}

static step *const steps[] = {crop, hflip, color_jitter, randaugment};

const unsigned char *augment_apply(const augment *g, const unsigned char *image, rng *r,
                                   unsigned char *work) {
  augment_picture p = {.size = g->size, .now = image, .work = {work, work + augment_bytes(g->size)}};
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) steps[i](g, &p, r);
  return p.now;
}
