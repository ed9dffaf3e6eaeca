/* study_cost - how long runs take. Not a public header. */
#ifndef DYT_ANALYZE_STUDY_COST_H
#define DYT_ANALYZE_STUDY_COST_H

#include "dyt/study.h"

/* Runs of a kind (the same model but for its norms, data and length) take as long as each other. */
typedef struct study_cost_kind {
  char *key;
  double seconds; /* in all, of */
  int runs;
} study_cost_kind;

typedef struct study_cost {
  study_cost_kind *kind; /* [kinds] */
  int kinds;
} study_cost;

/* What the records of a store say. A folder that is not there has none. */
st study_cost_read(study_cost *c, const char *store, err *e);
void study_cost_free(study_cost *c);
/* Seconds that a run takes; NaN: none of its kind is known. */
double study_cost_of(const study_cost *c, const study_run *r);
/* Adds its kind by training it for a few seconds in a temporary folder. */
st study_cost_measure(study_cost *c, study_run *r, int threads, err *e);

#endif
