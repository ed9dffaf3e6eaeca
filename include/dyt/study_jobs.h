/* study_jobs - runs a study: several trainings side by side, each a process of its own, with locks that let other shells and
 * hosts work on the same study.
 *
 *   int signal = 0;
 *   st code = study_jobs_run(&s, &(study_jobs_options){.out = "studies/x", .store = "runs"}, &signal, e);
 */
#ifndef DYT_STUDY_JOBS_H
#define DYT_STUDY_JOBS_H

#include "dyt/study.h"

/* What stays of a run that has finished: its record alone, the last checkpoint and the logs too, everything. */
typedef enum study_keep { STUDY_KEEP_LAST, STUDY_KEEP_RECORD, STUDY_KEEP_ALL } study_keep;

typedef struct study_jobs_options {
  const char *out, *store; /* the study's folder, the runs' folder */
  int jobs,
      threads; /* runs side by side, threads of each; 0: as many jobs as cores of `threads` threads; threads 0: 1 */
  study_keep keep;
  bool fail_fast;          /* begin nothing more after the first run that failed */
  const char *const *only; /* [n_only] "AXIS=CASE", "seed=N" or "id=ID": the runs that match all */
  int n_only;
} study_jobs_options;

/* Trains what is missing: runs that have a record are left alone, interrupted ones go on, failed ones are tried again. Waits
 * for runs that others train. Writes the study's folder at the start and whenever something was chosen. Progress goes to
 * stderr. SIGINT and SIGTERM let every run save a checkpoint; then *signal is set. ST_USER: what cannot be used; ST_INTERNAL:
 * a run failed (a diverged one did not: it is a result). */
st study_jobs_run(const study *s, const study_jobs_options *o, int *signal, err *e);

/* The runs of the plan as a table with their states, and how long those that are missing will take: one that was begun goes
 * on at its own pace, others take as long as those of their kind in the store, else as measured here by a short training.
 * Appended to `out`. */
st study_jobs_dry_run(const study *s, const study_jobs_options *o, str *out, err *e);
/* For other schedulers: one command a run that is missing and can run now. Appended to `out`. */
st study_jobs_commands(const study *s, const study_jobs_options *o, str *out, err *e);

#endif
