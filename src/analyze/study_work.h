/* study_work - one run of a study, trained in a process of its own. Not a public header. */
#ifndef DYT_ANALYZE_STUDY_WORK_H
#define DYT_ANALYZE_STUDY_WORK_H

#include "dyt/study_jobs.h"

enum { STUDY_WORK_BUSY = 75 }; /* exit code: another process trains in the run's folder */

/* Trains the run, from its last checkpoint where there is one, writes its record and keeps what is to be kept. The exit code of
 * the process: 0 the record is there, STUDY_WORK_BUSY, 128 + signal, else a failure that STORE/ID.failed tells. */
int study_work(study_run *r, const study_jobs_options *o);
/* How far a run is that was begun, by its status.json, which every evaluation and every end of a process writes anew. */
typedef struct study_progress {
  double done;    /* share of its steps, 0 to 1 */
  double seconds; /* that they took, in all processes that trained it */
} study_progress;

/* Zeros: the run was not begun, or nothing is known. */
study_progress study_work_progress(const char *store, const study_run *r);

#endif
