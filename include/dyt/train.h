/* train - trains the model of a config and leaves a run directory.
 *
 *   train_options o = {.config_path = "configs/quick/fashion_dyt.json", .threads = 0};
 *   int signal = 0;
 *   st code = train_run(&cfg, &o, &signal, e);     // signal: 0, or what interrupted it after a checkpoint
 * was saved
 */
#ifndef DYT_TRAIN_H
#define DYT_TRAIN_H

#include "dyt/config.h"

typedef struct train_options {
  const char *config_path; /* names the default run directory; NULL when resuming without one */
  const char *run_dir;     /* NULL: runs/NAME-HASH */
  const char *resume;      /* a run directory to go on with; NULL: a new run */
  int threads;             /* 0: the cores this process may use, at most shards */
  /* Called after every step with its loss; true: save a checkpoint and stop. The training of another program:
   * nothing is printed but warnings, and signals are left alone. NULL: `dyt train`. */
  bool (*watch)(void *context, int64_t step, int64_t steps, double loss);
  void *watch_context;
} train_options;

/* `c` is a checked config; keys the data settles are filled in. Progress goes to stderr. SIGINT and SIGTERM
 * finish the step, save a
 * checkpoint and print how to go on; a second one ends at once.
 * ST_USER: what the user gave cannot be used, or the disk is full; ST_NUMBERS: training diverged. */
st train_run(config *c, const train_options *o, int *signal, err *e);

/* Keys that a resumed run may change, NULL-terminated. */
extern const char *const train_may_change[];

#endif
