/* study_queue - the runs of a study as jobs: which there are, what state each is in, how long they will take. Not a public header. */
#ifndef DYT_ANALYZE_STUDY_QUEUE_H
#define DYT_ANALYZE_STUDY_QUEUE_H

#include "dyt/study_jobs.h"

#include "study_cost.h"
#include "study_work.h"

#include <sys/types.h>

typedef enum study_job_state {
  JOB_MISSING,
  JOB_ELSEWHERE,
  JOB_RUNNING,
  JOB_DONE,
  JOB_FAILED
} study_job_state;

/* Runs of several cells may be one job. */
typedef struct study_job {
  study_run *run; /* the plan's */
  study_job_state state;
  pid_t pid;
  double begun, looked;    /* clock */
  study_progress progress; /* as last looked at, */
  double moved;            /* clock, when that changed */
  double before;           /* seconds that its training took before this process began it */
  double expected;         /* seconds of the whole run, by earlier ones of its kind; NaN: not known */
} study_job;

typedef struct study_queue {
  const study *s;
  study_jobs_options o; /* with what was 0 settled */
  study_plan plan;
  study_job *job; /* [jobs] */
  int jobs;
  study_cost cost; /* of what the store holds, once cost_read */
  bool cost_read;
  bool dry; /* nothing is written */
} study_queue;

/* Makes the plan and its jobs; dry: writes nothing. ST_USER: what cannot be used. */
st study_queue_open(study_queue *q, const study *s, const study_jobs_options *o, bool dry, err *e);
void study_queue_free(study_queue *q);
/* Makes the plan again, after runs that choices wait for: adds jobs for runs that are new in it, and writes the study's folder. */
st study_queue_plan(study_queue *q, err *e);
int study_queue_count(const study_queue *q, study_job_state state);
/* Looks how far a run is. */
void study_queue_look(const study_queue *q, study_job *j);
/* Seconds of the whole run: at its own pace if it is far enough to tell, else as runs of its kind took; NaN: not known. */
double study_job_seconds(const study_job *j);
/* Seconds until all is done, if runs go on as fast and places are filled in turn; NaN: not known. */
double study_queue_time_left(const study_queue *q);

#endif
