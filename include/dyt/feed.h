/* feed - the samples of a data set as the engine wants them.
 *
 *   feed f;
 *   feed_open(&f, &data, work_threads(pool));
 *   feed_split(&f, &data.train, order + 128 * step, &(data_draw){seed, epoch});   // NULL, NULL: as is, in
 * order
 *   engine_step(&g, 128, step, &f.engine, &result);
 *   feed_close(&f);
 */
#ifndef DYT_FEED_H
#define DYT_FEED_H

#include "dyt/data.h"
#include "dyt/engine.h"

typedef struct feed {
  const data_set *data;
  const data_split *split;
  const int32_t *order; /* sample i of the batch is order[i] of the split; NULL: i */
  data_draw draw;
  bool augment;
  unsigned char *scratch; /* [threads][one] */
  size_t one;
  engine_feed engine;
} feed;

/* The feed stays where it is opened: its own address is in `engine`. */
void feed_open(feed *f, const data_set *d, int threads);
void feed_close(feed *f);
/* What the next batch consists of. draw: NULL for no augmentation. */
void feed_split(feed *f, const data_split *split, const int32_t *order, const data_draw *draw);

#endif
