/* small_vit - a ViT of a few thousand parameters and a batch in memory, for tests of model, engine and
 * trainer. */
#ifndef DYT_TESTS_SMALL_VIT_H
#define DYT_TESTS_SMALL_VIT_H

#include "support.h"

#include "dyt/engine.h"
#include "dyt/optim.h"
#include "dyt/workers.h"

enum { SMALL_IMAGES = 7, SMALL_CLASSES = 3, SMALL_SIDE = 8 };

typedef struct small_vit {
  config_model cfg;
  model model;
  work_pool *pool;
  engine engine;
  engine_feed feed;
  real image[SMALL_IMAGES][2 * SMALL_SIDE * SMALL_SIDE];
  real target[SMALL_IMAGES][SMALL_CLASSES];
} small_vit;

/* dim 12, depth 2, heads 3, patch 4, 2 channels, kind `norm` at every site. Parameters are drawn and then
 * moved by random amounts, so that no
 * gradient is near zero. Change `cfg` between small_vit_config and small_vit_open as needed. */
void small_vit_config(small_vit *s, const char *kind, const char *fn);
void small_vit_open(small_vit *s, int threads, int shards, int micro_batch, bool still);
void small_vit_close(small_vit *s);

#endif
