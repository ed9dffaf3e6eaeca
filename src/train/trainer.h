/* trainer - what the files of the trainer share: everything a training holds. Not a public header. */
#ifndef DYT_TRAIN_TRAINER_H
#define DYT_TRAIN_TRAINER_H

#include "dyt/checkpoint.h"
#include "dyt/evaluate.h"
#include "dyt/load.h"
#include "dyt/norm_stats.h"
#include "dyt/progress.h"
#include "dyt/run.h"
#include "dyt/train.h"

typedef struct trainer {
  config *cfg;
  const train_options *options;
  work_pool *pool;
  data_set data;
  model model;
  engine engine;
  optim optim;
  ema ema;
  norm_stats stats;
  feed feed, probe_feed;
  task_score *score; /* [largest evaluated split] */
  int32_t *order;    /* [data.train.n] of the current epoch */
  int64_t order_epoch;
  int64_t batch; /* images a step: train.batch_size times train.accumulate */
  run run;
  progress progress;
  checkpoint_state at;
  int64_t steps_per_epoch, steps; /* steps: in the whole run */
  int64_t saved_step;             /* of the newest checkpoint; -1: none */
  int64_t last_step;              /* where this run ends: steps, or max_steps if that is less */
  double warmup;                  /* steps */
  size_t baseline, plan;          /* bytes: of process and libraries, and of everything */
  double first_step;              /* seconds from the start of the process to its first step; 0: none yet */
  load load;                      /* of the cores, after the first step; no cores: it needs no second look */
  double started;                 /* clock when this process began to train */
  double seconds_before;          /* of earlier processes of this run */
  int64_t steps_before;
  double lr, loss; /* of the last update, of the last step */
  bool stop;       /* the watch asked for it */
  str init_said;   /* what train.init_from did; empty: nothing */
  str last_line;   /* of log.jsonl: the members, without braces */
} trainer;

/* setup: everything that happens before the first step, and after the last. */
st trainer_open(trainer *t, config *c, const train_options *o, err *e);
void trainer_close(trainer *t);
void trainer_announce(const trainer *t);

/* log: the files of the run directory. */
st trainer_write_status(trainer *t, const char *state, const char *message, err *e);
st trainer_log_window(trainer *t, double grad_norm, err *e);
st trainer_log_stats(trainer *t, err *e);
/* The same for TensorBoard, where train.tensorboard asks for it: the numbers of a log's JSON line under "GROUP/KEY", and what
 * was just measured of the norm layers. */
st trainer_event_of_line(trainer *t, const char *group, const str *line, err *e);
st trainer_event_of_stats(trainer *t, err *e);
/* Evaluates, writes the line of log.jsonl and summary.csv (at the end predictions.csv too), and says whether
 * this is the best so far. */
st trainer_log_evaluation(trainer *t, bool *best, err *e);

#endif
