/* run - a run directory: what a training leaves behind (layout: docs/architecture.md).
 *
 * It appears under its name in one rename, with config.json and env.json in it, and is locked while a process
 * trains in it.
 * Log lines are appended whole; status.json is replaced atomically.
 *
 *   run r;
 *   if (run_create(&r, "runs/fashion_dyt-1f2e...", &cfg, env, e)) return e->code;   // or run_resume(&r,
 * path, e)
 *   run_append(&r, "log.jsonl", line, e);
 *   run_close(&r);
 */
#ifndef DYT_RUN_H
#define DYT_RUN_H

#include "dyt/config.h"

typedef struct run {
  char *path;
  int lock; /* the locked folder */
} run;

/* ST_USER: the folder exists (and what to do then), or cannot be made; nothing is left behind. */
st run_create(run *r, const char *path, const config *c, const str *env, err *e);
/* Locks an existing run for training. ST_USER: no run directory, or another process is training in it. */
st run_resume(run *r, const char *path, err *e);
/* Releases the lock; the directory stays. */
void run_close(run *r);

/* PATH/NAME, of the caller's own. */
char *run_file(const char *path, const char *name);
/* Adds text (whole lines) to a file of the run. */
st run_append(const run *r, const char *name, const str *text, err *e);
/* Replaces a file of the run atomically. */
st run_replace(const run *r, const char *name, const str *text, err *e);
/* Whether status.json says "done". */
bool run_is_done(const run *r);
/* Bytes a file of the run has now. */
uint64_t run_size(const run *r, const char *name);

/* The default place: runs/NAME-HASH of a config file's name and resolved content; of the caller's own. */
char *run_default_path(const char *config_path, const config *c);

/* env.json: version, compiler, BLAS, SIMD level, CPU, threads, data fingerprint, host and time; appended to
 * `out`. */
void run_environment(int threads, const char *data_fingerprint, str *out);

/* summary.csv from log.jsonl's text: the columns are those that any run can have, a value a line does not have is left empty.
 * Appended to `out`. */
void run_summary(const char *log, str *out);

#endif
