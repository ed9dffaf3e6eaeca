/* metric - the numbers that a record can be judged by, and when a run counts as failed.
 *
 * Logged ones are named as in log.jsonl: the last finite value, or with "@EPOCH" the one at the first evaluation at or after that
 * epoch; accuracies in percent. The others are of norm layers, with std that of all elements of a layer's input:
 *
 *   best_val_acc1                     the best of all evaluations
 *   pearson, spearman                 correlation of alpha with 1/std over the layers at the end; with _blocks: without the final norm
 *   alpha_depth, std_depth            Pearson's r of alpha with the layer's index; Spearman's of std with it, without the final norm
 *   alpha_cv, std_cv                  standard deviation over mean, over layers at the end, of alpha std and of std
 *   alpha_travel                      mean over layers of |alpha at the end - alpha at step 0|
 *   follow                            mean over layers of Pearson's r of alpha with 1/std over the logging points, lag 0
 *   line_r2_first, line_r2_last       R^2 of a line through input and output of the first and last norm of the blocks (probe.h)
 *   tanh_gain_last                    R^2 of a tanh there less that of a line, in the last
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
  double epoch;             /* the first logged at or after it; NaN: the last */
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

/* Why a run counts as failed (shared with every table): 'D' a number became non-finite, 'C' its last validation accuracy (test
 * accuracy where there is no validation split) lies more than 10 points below its best, 'N' the training loss of its last epoch (of its last 50 steps where it made less than an
 * epoch) is above 0.95 ln(classes); 0: it did not. */
char metric_failure(const record *r);

#endif
