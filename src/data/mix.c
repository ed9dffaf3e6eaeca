#include "dyt/mix.h"

#include "dyt/rng.h"

#include <math.h>
#include <string.h>

bool mix_is_on(const config_augment *a) { return (a->mixup > 0 || a->cutmix > 0) && a->mixup_prob > 0; }

static int clamp(int v, int high) { return v < 0 ? 0 : v > high ? high : v; }

/* The box of share 1 - lambda, cut off at the border, and the lambda that is left of it. */
static void draw_box(mix *m, int height, int width, rng *r) {
  double ratio = sqrt(1 - m->lambda);
  int tall = (int)(height * ratio), wide = (int)(width * ratio);
  int y = (int)rng_below(r, (uint32_t)height), x = (int)rng_below(r, (uint32_t)width);
  m->top = clamp(y - tall / 2, height), m->bottom = clamp(y + (tall + 1) / 2, height);
  m->left = clamp(x - wide / 2, width), m->right = clamp(x + (wide + 1) / 2, width);
  m->lambda = 1 - (double)(m->bottom - m->top) * (m->right - m->left) / ((double)height * width);
}

mix mix_draw(const config_augment *a, int height, int width, uint64_t seed, uint64_t epoch, uint64_t batch) {
  rng r = rng_at(seed, "mix", epoch, batch);
  mix m = {.lambda = 1};
  if (!mix_is_on(a) || rng_uniform(&r) >= a->mixup_prob) return m;
  m.cut = a->cutmix > 0;
  if (m.cut && a->mixup > 0) m.cut = rng_uniform(&r) < a->mixup_switch;
  m.lambda = rng_beta(&r, m.cut ? a->cutmix : a->mixup);
  if (m.cut) draw_box(&m, height, width, &r);
  return m;
}

void mix_images(const mix *m, int channels, int height, int width, const real *partner, real *image) {
  int64_t area = (int64_t)height * width;
  real keep = (real)m->lambda, take = (real)(1 - m->lambda);
  for (int64_t i = 0; i < channels * area && !m->cut; i++) image[i] = keep * image[i] + take * partner[i];
  for (int64_t c = 0; c < channels && m->cut; c++)
    for (int y = m->top; y < m->bottom; y++) {
      int64_t at = c * area + (int64_t)y * width + m->left;
      memcpy(image + at, partner + at, (size_t)(m->right - m->left) * sizeof *image);
    }
}

void mix_targets(const mix *m, int classes, const real *partner, real *target) {
  for (int k = 0; k < classes; k++)
    target[k] = (real)(m->lambda * (double)target[k] + (1 - m->lambda) * (double)partner[k]);
}
