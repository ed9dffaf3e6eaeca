/* trained - a model with weights from a run directory or a weights file, ready to predict or to be evaluated.
 *
 *   trained t;
 *   if (trained_open(&t, &(trained_options){.source = "runs/x"}, e)) return e->code;
 *   engine_forward(&t.engine, ENGINE_EVAL, n, ...);     // t.cfg, t.data (without samples), t.model
 *   trained_close(&t);
 */
#ifndef DYT_TRAINED_H
#define DYT_TRAINED_H

#include "dyt/evaluate.h"

typedef struct trained_options {
  const char *source;      /* a run directory or a safetensors file */
  const char *config_path; /* needed with a file; NULL: the run's own */
  const char *checkpoint;  /* "last" (NULL) or "best" */
  const char *const *sets; /* --set arguments */
  int n_sets, threads;
} trained_options;

typedef struct trained {
  config cfg;
  data_set data;
  model model;
  work_pool *pool;
  engine engine;
  feed feed;
} trained;

/* Reads config and weights; the engine can run any number of samples. No data set is read: t->data is what the config knows
 * of it (data_recall). ST_USER says what is missing or does not fit. */
st trained_open(trained *t, const trained_options *o, err *e);
/* The same with the data set; the engine and t->feed can evaluate the test split, whole. */
st trained_open_data(trained *t, const trained_options *o, err *e);
void trained_close(trained *t);

/* The config and the weights file that a source stands for (of a run with train.ema: the average), of the caller's own: *weights NULL for a run
 * without a checkpoint. */
st trained_find(const trained_options *o, config *cfg, char **weights, err *e);

#endif
