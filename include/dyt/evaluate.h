/* evaluate - loss and accuracies of a model on a split.
 *
 *   evaluation v;
 *   evaluate(&engine, &feed, &data.test, scores, &v);      // v.metric[0] loss, [1] acc1, [2] acc5 (NAN below
 * 6 classes)
 */
#ifndef DYT_EVALUATE_H
#define DYT_EVALUATE_H

#include "dyt/feed.h"

typedef struct evaluation {
  int64_t n;
  double metric[TASK_METRICS_MAX]; /* means over the split, named by the engine's task */
} evaluation;

/* The engine must have been opened for this split's size. score [n] receives each sample's result. */
void evaluate(engine *g, feed *f, const data_split *split, task_score *score, evaluation *out);

/* predictions.csv: index,label,pred,p,loss. */
void evaluate_write_predictions(const task_score *score, int64_t n, str *out);

/* "loss": .., "acc1": .. as members of a JSON object, each name with a prefix; appended to `out`, each
 * preceded by ", ". */
void evaluate_write_json(const task *t, const evaluation *v, const char *prefix, str *out);

#endif
