#include "dyt/feed.h"

#include <string.h>

enum { IMAGES, TARGETS };

static int64_t numbers_of(const data_set *d) { return (int64_t)d->channels * d->height * d->width; }

static int64_t sample_of(const feed *f, int64_t i) { return f->order ? f->order[i] : i; }

static const data_draw *draw_of(const feed *f) { return f->augment ? &f->draw : NULL; }

static unsigned char *scratch_of(const feed *f, int worker) { return f->scratch + (size_t)worker * f->one; }

static void fill(void *context, int64_t first, int64_t n, real *const *slot, int worker) {
  const feed *f = context;
  const data_set *d = f->data;
  for (int64_t i = 0; i < n; i++)
    data_sample(d, f->split, sample_of(f, first + i), draw_of(f), slot[IMAGES] + i * numbers_of(d),
                slot[TARGETS] + i * d->classes, scratch_of(f, worker));
}

/* --- mixing --- */

/* Image and target of prepared sample i. */
static void take(const feed *f, int64_t i, real *image, real *target) {
  int64_t sample = sample_of(f, i);
  const unsigned char *picture = f->pictures.base + (size_t)i * data_picture_bytes(f->data);
  data_image(f->data, f->split, sample, draw_of(f), picture, image);
  data_target(f->data, f->split, sample, target);
}

static void fill_mixed(void *context, int64_t first, int64_t n, real *const *slot, int worker) {
  const feed *f = context;
  const data_set *d = f->data;
  int64_t numbers = numbers_of(d), K = d->classes;
  real *image = (real *)(void *)f->partner.base + worker * (numbers + K), *target = image + numbers;
  for (int64_t i = 0; i < n; i++) {
    int64_t at = first + i, begin = at / f->batch * f->batch;
    int64_t size = f->n - begin < f->batch ? f->n - begin : f->batch;
    const mix *m = &f->mix[at / f->batch];
    take(f, at, slot[IMAGES] + i * numbers, slot[TARGETS] + i * K);
    if (m->lambda == 1) continue;
    take(f, begin + mix_partner(at - begin, size), image, target);
    mix_images(m, d->channels, d->height, d->width, image, slot[IMAGES] + i * numbers);
    mix_targets(m, d->classes, target, slot[TARGETS] + i * K);
  }
}

enum { RUN = 8 }; /* samples that a worker prepares at once */

static void prepare(void *context, int part, int worker) {
  const feed *f = context;
  size_t bytes = data_picture_bytes(f->data);
  for (int64_t i = (int64_t)part * RUN; i < (int64_t)(part + 1) * RUN && i < f->n; i++)
    memcpy(f->pictures.base + (size_t)i * bytes,
           data_picture(f->data, f->split, sample_of(f, i), &f->draw, scratch_of(f, worker)), bytes);
}

void feed_prepare(feed *f, work_pool *pool, int64_t first, int64_t n) {
  const data_set *d = f->data;
  if (!f->batch) return;
  f->n = n;
  f->engine.fill = fill_mixed;
  for (int64_t b = 0; b * f->batch < n; b++)
    f->mix[b] =
        mix_draw(&d->augment, d->height, d->width, f->draw.seed, f->draw.epoch, (uint64_t)(first + b));
  work_run(pool, (int)((n + RUN - 1) / RUN), prepare, f);
}

/* --- life --- */

void feed_open(feed *f, const data_set *d, int threads) {
  size_t one = (data_scratch(d) + 63) / 64 * 64;
  *f = (feed){.data = d, .one = one, .threads = threads, .scratch = mem_new((size_t)threads * one + 1, 1)};
  f->engine = (engine_feed){fill, f};
}

st feed_open_mix(feed *f, int64_t batch, int64_t most, err *e) {
  const data_set *d = f->data;
  if (!mix_is_on(&d->augment)) return ST_OK;
  size_t one = (size_t)(numbers_of(d) + d->classes) * sizeof(real);
  if (mem_map(&f->pictures, (size_t)most * data_picture_bytes(d), "the pictures to mix", e)) return e->code;
  if (mem_map(&f->partner, (size_t)f->threads * one, "the pictures to mix", e)) return e->code;
  f->batch = batch;
  f->mix = mem_new((size_t)((most + batch - 1) / batch), sizeof *f->mix);
  return ST_OK;
}

void feed_close(feed *f) {
  mem_unmap(&f->pictures);
  mem_unmap(&f->partner);
  mem_free(f->mix);
  mem_free(f->scratch);
  *f = (feed){0};
}

size_t feed_mix_bytes(const feed *f) { return f->pictures.size + f->partner.size; }

void feed_split(feed *f, const data_split *split, const int32_t *order, const data_draw *draw) {
  f->split = split;
  f->order = order;
  f->augment = draw != NULL;
  if (draw) f->draw = *draw;
  f->engine.fill = fill;
}
