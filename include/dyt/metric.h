/* metric - the numbers that a record can be judged by, and when a run counts as failed.
 *
 *   metric m;
 *   if (metric_find(&m, "val_acc1@1", e)) return e->code;      // after the first epoch
 *   double v = metric_of(&m, &record);                          // in m.unit; NaN: the run has none
 */
#ifndef DYT_METRIC_H
#define DYT_METRIC_H

#include "dyt/record.h"

typedef struct metric {
  const struct metric_row *row;
  double epoch; /* the first logged at or after it; NaN: the last */
  char name[64], title[96]; /* "val_acc1@1", "validation accuracy after epoch 1" */
  const char *unit;         /* "%" "nats" ""; differences of "%" are in points */
  bool lower_is_better;
  int digits; /* after the point, in tables */
} metric;

/* ST_USER: no such metric; the sentence lists them. */
st metric_find(metric *m, const char *name, err *e);
double metric_of(const metric *m, const record *r);
/* What a failed run counts as where runs are compared: chance for accuracies of that many classes, else NaN. */
double metric_at_chance(const metric *m, const record *r);

/* Why a run counts as failed (shared with every table): 'D' a number became non-finite, 'C' its last validation accuracy lies
 * more than 10 points below its best, 'N' the training loss of its last epoch (of its last 50 steps where it made less than an
 * epoch) is above 0.95 ln(classes); 0: it did not. */
char metric_failure(const record *r);

#endif
