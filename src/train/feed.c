#include "dyt/feed.h"

enum { IMAGES, TARGETS };

static void fill(void *context, int64_t first, int64_t n, real *const *slot, int worker) {
  const feed *f = context;
  const data_set *d = f->data;
  int64_t pixels = (int64_t)d->channels * d->height * d->width;
  for (int64_t i = 0; i < n; i++) {
    int64_t sample = f->order ? f->order[first + i] : first + i;
    data_sample(d, f->split, sample, f->augment ? &f->draw : NULL, slot[IMAGES] + i * pixels,
                slot[TARGETS] + i * d->classes, f->scratch + (size_t)worker * f->one);
  }
}

void feed_open(feed *f, const data_set *d, int threads) {
  size_t one = (data_scratch(d) + 63) / 64 * 64;
  *f = (feed){.data = d, .one = one, .scratch = mem_new((size_t)threads * one + 1, 1)};
  f->engine = (engine_feed){fill, f};
}

void feed_close(feed *f) {
  mem_free(f->scratch);
  *f = (feed){0};
}

void feed_split(feed *f, const data_split *split, const int32_t *order, const data_draw *draw) {
  f->split = split;
  f->order = order;
  f->augment = draw != NULL;
  if (draw) f->draw = *draw;
}
