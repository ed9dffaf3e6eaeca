/* feed - the samples of a data set as the engine wants them.
 *
 *   feed f;
 *   feed_open(&f, &data, work_threads(pool));
 *   if (feed_open_mix(&f, 128, 128, e)) return e->code;                           // for training
 *   feed_split(&f, &data.train, order + 128 * step, &(data_draw){seed, epoch});   // NULL, NULL: as is, in
 * order
 *   feed_prepare(&f, pool, step, 128);
 *   engine_step(&g, 128, step, &f.engine, &result);
 *   feed_close(&f);
 *
 * Without mixup and cutmix a sample is decoded and augmented where the engine asks for it. With them every sample is needed
 * twice, by itself and by its partner: feed_prepare has all workers augment the batch into a buffer of bytes first, and what the
 * engine asks for is normalized, erased and mixed from there.
 */
#ifndef DYT_FEED_H
#define DYT_FEED_H

#include "dyt/data.h"
#include "dyt/engine.h"
#include "dyt/mix.h"

typedef struct feed {
  const data_set *data;
  const data_split *split;
  const int32_t *order; /* sample i of the batch is order[i] of the split; NULL: i */
  data_draw draw;
  bool augment;
  unsigned char *scratch; /* [threads][one] */
  size_t one;
  int threads;
  int64_t batch;  /* samples that are mixed among themselves; 0: no mixing */
  int64_t n;      /* samples prepared */
  arena pictures; /* [samples of a step] bytes of each, augmented */
  arena partner;  /* [threads] a picture in numbers */
  mix *mix;       /* [batches of a step] */
  engine_feed engine;
} feed;

/* The feed stays where it is opened: its own address is in `engine`. */
void feed_open(feed *f, const data_set *d, int threads);
/* Takes what mixing needs, where the data set's augmentation mixes: batches of `batch` samples (the last may be smaller), up to
 * `most` samples a step. ST_USER when memory is lacking. */
st feed_open_mix(feed *f, int64_t batch, int64_t most, err *e);
void feed_close(feed *f);
/* Bytes that mixing takes. */
size_t feed_mix_bytes(const feed *f);
/* What the next batch consists of. draw: NULL for no augmentation. */
void feed_split(feed *f, const data_split *split, const int32_t *order, const data_draw *draw);
/* To be called before each step on n augmented samples; does something only if feed_open_mix took memory. The first of them
 * begins batch `first` of the epoch. Allocates nothing. */
void feed_prepare(feed *f, work_pool *pool, int64_t first, int64_t n);

#endif
