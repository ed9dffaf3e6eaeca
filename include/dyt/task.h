/* task - what a model is trained for: its input slots, its loss, its metrics.
 *
 * Trainer, engine and logs know a task only through this descriptor; classification is the one there is.
 *
 *   task_tape r = task_classify.record(&model, smoothing, n);      // r.tape, r.slot[0] images, r.slot[1]
 * targets, r.output, r.loss
 *   task_classify.judge(&model, slots, output, i, &score);
 */
#ifndef DYT_TASK_H
#define DYT_TASK_H

#include "dyt/model.h"

enum { TASK_SLOTS_MAX = 4, TASK_METRICS_MAX = 4 };

/* A task recorded for a number of samples. The tape is the caller's. */
typedef struct task_tape {
  tape *tape;
  val slot[TASK_SLOTS_MAX];
  val output; /* what judge reads: [n, ..] */
  val loss;   /* [1], the sum over samples */
} task_tape;

/* One sample's result. */
typedef struct task_score {
  double
      metric[TASK_METRICS_MAX]; /* means over samples are what is reported; NAN: not defined for this model */
  int32_t label, pred;
  double p; /* probability of pred */
} task_score;

typedef struct task {
  const char *name;
  int slots;
  const char *slot_name[TASK_SLOTS_MAX];
  shape (*slot_shape)(const model *m, int slot, int64_t n);
  int metrics;
  const char
      *metric_name[TASK_METRICS_MAX]; /* metric 0 is the loss, metric 1 the one that `best` maximizes */
  task_tape (*record)(const model *m, double smoothing, int64_t n);
  int judged; /* bit k: judge reads slot k */
  /* Sample i of n; slot[k] and output are those of all n. The loss is without smoothing. */
  void (*judge)(const model *m, const real *const *slot, const real *output, int64_t i, task_score *out);
} task;

extern const task task_classify; /* images [n, C, H, W], targets [n, K]; metrics loss, acc1, acc5 */

#endif
