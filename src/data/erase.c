#include "data/erase.h"

#include <math.h>
#include <stdbool.h>

typedef struct box {
  int top, left, height, width;
} box;

static bool find_box(augment_size s, rng *r, box *b) {
  enum { TRIES = 10 };
  const double least = 0.02, most = 1.0 / 3, lowest = log(0.3), highest = log(1 / 0.3);
  for (int i = 0; i < TRIES; i++) {
    double area = (least + (most - least) * rng_uniform(r)) * s.height * s.width;
    double aspect = exp(lowest + (highest - lowest) * rng_uniform(r));
    b->height = (int)rint(sqrt(area * aspect));
    b->width = (int)rint(sqrt(area / aspect));
    if (b->height >= s.height || b->width >= s.width) continue;
    b->top = (int)rng_below(r, (uint32_t)(s.height - b->height + 1));
    b->left = (int)rng_below(r, (uint32_t)(s.width - b->width + 1));
    return true;
  }
  return false;
}

void erase(double chance, augment_size s, real *image, rng *r) {
  box b;
  if (chance == 0 || rng_uniform(r) >= chance || !find_box(s, r, &b)) return;
  for (int c = 0; c < s.channels; c++)
    for (int y = b.top; y < b.top + b.height; y++)
      rng_normals(r, b.width, image + ((int64_t)c * s.height + y) * s.width + b.left);
}
