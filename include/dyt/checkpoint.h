/* checkpoint - everything a training needs to go on as if it had never stopped.
 *
 * checkpoints/step-N/ holds model.safetensors, optim.safetensors, where the average of the weights is kept
 * ema.safetensors, and state.json, which carries the counters
 * below and the
 * checksum of each file. A checkpoint is written under a temporary name and renamed; then the links `last`
 * and
 * `best` are moved and step folders that neither names are removed. A full disk or a kill at any moment
 * leaves the one before intact.
 *
 *   if (checkpoint_write(run_path, &params, &optim, &ema, &state, is_best, e)) return e->code;
 *   if (checkpoint_read(run_path, "last", &params, &optim, &ema, &state, e)) return e->code;
 */
#ifndef DYT_CHECKPOINT_H
#define DYT_CHECKPOINT_H

#include "dyt/ema.h"
#include "dyt/optim.h"

enum { CHECKPOINT_EVENTS = 3, CHECKPOINT_LOGS };
/* Files of a run that grow: log.jsonl, steps.jsonl, dyt.csv, the event file for TensorBoard. */
extern const char *const checkpoint_log[CHECKPOINT_LOGS];

/* Counters beside weights and optimizer. Sums are kept exactly (17 digits). */
typedef struct checkpoint_state {
  int64_t step; /* updates made */
  double loss_sum, right_sum,
      seen;             /* since the last line of log.jsonl: training loss and top-1 over `seen` samples */
  double window_loss;   /* since the last line of steps.jsonl, over */
  int64_t window_steps; /* steps */
  double seconds, train_seconds; /* in all, and since the last line of log.jsonl in training steps */
  double best_epoch, best_acc1, best_loss; /* best_epoch < 0: none yet */
  uint64_t log_size[CHECKPOINT_LOGS];      /* what the logs held */
} checkpoint_state;

/* ST_USER: the disk is full or not writable; what was there is untouched. */
st checkpoint_write(const char *run, const params *p, const optim *o, const ema *m, const checkpoint_state *s,
                    bool best, err *e);

/* `which` is "last" or "best". ST_USER: files missing, damaged (checksum) or
 * not of this model. */
st checkpoint_read(const char *run, const char *which, params *p, optim *o, ema *m, checkpoint_state *s,
                   err *e);

bool checkpoint_exists(const char *run, const char *which);

/* The file of a checkpoint's weights, of the caller's own: the average where one is kept, unless `raw`. */
char *checkpoint_weights(const char *run, const char *which, bool raw);
/* The same for a folder that a user named: ST_USER when it is no run, has no such checkpoint, or the file is damaged (checksum). */
st checkpoint_find(const char *run, const char *which, bool raw, char **weights, err *e);

/* ST_USER when a file of a checkpoint is missing or damaged (checksum). */
st checkpoint_check(const char *run, const char *which, err *e);

/* RUN/checkpoints/WHICH/NAME, of the caller's own. */
char *checkpoint_file(const char *run, const char *which, const char *name);

#endif
