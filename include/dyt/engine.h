/* engine - runs batches of a task through a model on all workers.
 *
 * A batch of B samples is cut into S shards (shard s holds samples floor(sB/S) .. floor((s+1)B/S)-1), a shard
 * into
 * micro-batches that stay in cache. A worker takes a shard and runs its micro-batches one after another in
 * its own
 * workspace, adding to that shard's gradients. Nothing depends on which worker does it: threads change speed,
 * never bits.
 * All memory is taken by engine_open; a step allocates nothing.
 *
 *   engine g;
 *   if (engine_open(&g, &model, &task_classify, &use, pool, e)) return e->code;
 *   engine_step(&g, 128, step, &feed, &result);           // gradients in g.grads[0 .. shards-1], not yet
 * summed
 *   engine_forward(&g, ENGINE_EVAL, n, &feed, &sink);     // outputs, in any order
 *   engine_close(&g);
 */
#ifndef DYT_ENGINE_H
#define DYT_ENGINE_H

#include "dyt/packs.h"
#include "dyt/plan.h"
#include "dyt/task.h"
#include "dyt/work.h"

typedef enum engine_mode {
  ENGINE_TRAIN, /* forward and backward */
  ENGINE_EVAL,  /* the output */
  ENGINE_PROBE, /* the output and the input of every norm layer */
  ENGINE_MODES
} engine_mode;

/* What the engine will be used for; sizes it has not been told of cannot be run. */
typedef struct engine_use {
  int shards;
  int micro_batch; /* 0: engine_micro_batch */
  double label_smoothing;
  uint64_t seed;
  bool still;       /* gradients of the model as it evaluates: no dropout, no drop path */
  int64_t train[2]; /* batch sizes that engine_step will see; 0: none */
  int64_t eval[4];  /* sample counts that engine_forward will see with ENGINE_EVAL; 0: none */
  int64_t probe;    /* the same with ENGINE_PROBE */
  bool eval_any;    /* any number of samples with ENGINE_EVAL */
} engine_use;

/* Fills samples first .. first+n-1 of a batch into the slots (each [n, ..]); called from workers. */
typedef struct engine_feed {
  void (*fill)(void *context, int64_t first, int64_t n, real *const *slot, int worker);
  void *context;
} engine_feed;

/* What a forward run hands over for samples first .. first+n-1; `unit` numbers the micro-batches. Called from
 * workers. */
typedef struct engine_part {
  const tape_run *run;
  const task_tape *tape;
  const real *slot[TASK_SLOTS_MAX];
  const real *output;
  int64_t first, n, unit;
} engine_part;

typedef struct engine_sink {
  void (*take)(void *context, const engine_part *part);
  void *context;
} engine_sink;

/* A task recorded for one sample count, and its plans. */
typedef struct engine_tape {
  task_tape rec;
  plan *plan[ENGINE_MODES]; /* NULL: not asked for */
} engine_tape;

typedef struct engine_result {
  double loss; /* mean over the batch, as trained on (smoothed) */
  double
      acc1; /* share of samples whose largest output is their target's largest class; of a mixed target: the larger share's */
  bool finite; /* the loss is a number */
} engine_result;

typedef struct engine {
  const model *model;
  const task *task;
  work_pool *pool;
  int shards, micro_batch;
  double label_smoothing;
  uint64_t seed;
  bool still;
  engine_tape *by_count; /* [micro_batch + 1] */
  packs packs;           /* of the model's matrices */
  bool packed; /* an engine that only evaluates packs once, at its first run: its weights do not change */
  arena *workspace; /* [threads] */
  arena grad_store;
  real **grads;           /* [shards] each in the parameters' layout; NULL without training */
  struct engine_sum *sum; /* [shards] */
  void (*after)(void *context, const tape_run *r, int node,
                bool backward); /* see tape_run; for diagnosis and timing */
  void *after_context;
} engine;

/* ST_USER when memory is lacking. model, task and pool must outlive the engine. */
st engine_open(engine *g, const model *m, const task *t, const engine_use *use, work_pool *pool, err *e);
void engine_close(engine *g);

/* Samples in a micro-batch when the user does not say: a function of the model alone. */
int engine_micro_batch(const model *m, const task *t);

/* One forward and backward pass over a batch of `batch` samples; gradients of the mean loss. */
void engine_step(engine *g, int64_t batch, uint64_t step, const engine_feed *feed, engine_result *out);

/* Runs n samples forward in micro-batches. */
void engine_forward(engine *g, engine_mode mode, int64_t n, const engine_feed *feed, const engine_sink *sink);

/* Repeats a step on one thread with every value checked, and says what is not finite first: a sentence
 * appended to `out`. */
void engine_diagnose(engine *g, int64_t batch, uint64_t step, const engine_feed *feed, str *out);

/* Memory the engine holds, in bytes: workspaces, packed weights, gradients. */
size_t engine_workspace_bytes(const engine *g);
size_t engine_packed_bytes(const engine *g);
size_t engine_gradient_bytes(const engine *g);

#endif
