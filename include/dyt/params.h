/* params - every number of a model that is saved, in flat arrays.
 *
 * Modules register their parameters by name while a model is built; params_seal then lays them out in one
 * block, so
 * that the optimizer is one loop, a gradient is one array of the same layout and a checkpoint is one write.
 * Numbers that are
 * saved but not trained (a fixed alpha) are in the store too and get no gradient.
 *
 *   params p = {0};
 *   int w = params_add(&p, "head.weight", SHAPE(10, 64), (params_init){INIT_TRUNC_NORMAL, 0.02}, PARAM_TRAIN
 * | PARAM_DECAY);
 *   if (params_seal(&p, e)) return e->code;
 *   params_draw(&p, seed, pool);
 *   params_free(&p);
 */
#ifndef DYT_PARAMS_H
#define DYT_PARAMS_H

#include "dyt/mem.h"
#include "dyt/tensor.h"
#include "dyt/work.h"

typedef enum params_law {
  INIT_CONSTANT,     /* the value a */
  INIT_NORMAL,       /* standard deviation a */
  INIT_TRUNC_NORMAL, /* standard deviation a, inside +-2 */
  INIT_UNIFORM       /* in (-a, a) */
} params_law;

typedef struct params_init {
  params_law law;
  double a;
} params_init;

enum {
  PARAM_TRAIN = 1,
  PARAM_DECAY = 2,  /* weight decay applies; only with PARAM_TRAIN */
  PARAM_MATRIX = 4, /* the weight of a linear layer, [out, ..]: see packs.h */
};

typedef struct param {
  char *name; /* as in the checkpoint, e.g. "blocks.0.attn.qkv.weight"; owned by the store */
  shape s;
  params_init init;
  int flags;
  int layer;      /* how far from the input, from 0: see params.layer */
  int64_t offset; /* of its first number in the flat arrays */
} param;

typedef struct params {
  param *p; /* [count] in the order of registration */
  int count;
  int layer; /* of the parameters registered from here on; the model sets it: 0 what meets the input first */
  int64_t total;   /* length of the flat arrays: numbers plus padding that stays zero */
  int64_t numbers; /* numbers without padding */
  real *value;     /* [total] after params_seal */
  arena store;
} params;

/* Registers a parameter and returns its index. Names are unique. Before params_seal only. */
int params_add(params *s, const char *name, shape dims, params_init init, int flags);
/* Takes memory for the values (zero). ST_USER when there is none. */
st params_seal(params *s, err *e);
/* Draws initial values, on all workers or (NULL) the caller alone: each parameter's draw depends on seed and its
 * name only. */
void params_draw(params *s, uint64_t seed, work_pool *pool);
void params_free(params *s);

int params_find(const params *s, const char *name); /* -1: none of that name */
static inline real *params_value(const params *s, int i) { return s->value + s->p[i].offset; }

#endif
