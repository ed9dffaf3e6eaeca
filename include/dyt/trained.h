/* trained - a model with weights from a run directory or a weights file, ready to be evaluated.
 *
 *   trained t;
 *   if (trained_open(&t, &(trained_options){.source = "runs/x"}, e)) return e->code;
 *   ... t.cfg, t.data, t.model, t.engine ...
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
  bool any; /* the engine can run any number of samples, not only the test split */
} trained_options;

typedef struct trained {
  config cfg;
  data_set data;
  model model;
  work_pool *pool;
  engine engine;
  feed feed;
} trained;

/* Reads config, data set and weights; the engine can evaluate the test split. ST_USER says what is missing or
 * does not fit. */
st trained_open(trained *t, const trained_options *o, err *e);
void trained_close(trained *t);

/* The config and the weights file that a source stands for (of a run with train.ema: the average), of the caller's own: *weights NULL for a run
 * without a checkpoint. */
st trained_find(const trained_options *o, config *cfg, char **weights, err *e);

#endif
