#include "data/resized_crop.h"

#include <math.h>

static const double least_ratio = 3.0 / 4, most_ratio = 4.0 / 3;

static double between(double low, double high, rng *r) { return low + (high - low) * rng_uniform(r); }

/* rint is Python's round: halves to even. */
static crop_box middle(int height, int width) {
  crop_box b = {0, 0, height, width};
  double ratio = (double)width / height;
  if (ratio < least_ratio) b.height = (int)rint(width / least_ratio);
  if (ratio > most_ratio) b.width = (int)rint(height * most_ratio);
  b.top = (height - b.height) / 2, b.left = (width - b.width) / 2;
  return b;
}

crop_box resized_crop_draw(int height, int width, const double area[2], rng *r) {
  enum { ATTEMPTS = 10 };
  for (int i = 0; i < ATTEMPTS; i++) {
    double wanted = (double)height * width * between(area[0], area[1], r);
    double ratio = exp(between(log(least_ratio), log(most_ratio), r));
    double w = rint(sqrt(wanted * ratio)), h = rint(sqrt(wanted / ratio));
    if (w < 1 || w > width || h < 1 || h > height) continue;
    crop_box b = {.height = (int)h, .width = (int)w};
    b.top = (int)rng_below(r, (uint32_t)(height - b.height + 1));
    b.left = (int)rng_below(r, (uint32_t)(width - b.width + 1));
    return b;
  }
  return middle(height, width);
}

void resized_crop(const resize_view *in, const double area[2], int side, resize_filter filter, rng *r,
                  void *work, unsigned char *out) {
  crop_box b = resized_crop_draw(in->height, in->width, area, r);
  resize_view part = *in;
  part.pixels += (size_t)b.top * in->stride + (size_t)b.left * (size_t)in->channels;
  part.height = b.height, part.width = b.width;
  resize_window whole = {.height = side, .width = side, .rows = side, .columns = side};
  resize_into(&part, &whole, filter, work, out);
}
