#include "dyt/evaluate.h"

typedef struct judging {
  const engine *g;
  task_score *score;
} judging;

static void take(void *context, const engine_part *part) {
  const judging *j = context;
  for (int64_t i = 0; i < part->n; i++)
    j->g->task->judge(j->g->model, part->slot, part->output, i, &j->score[part->first + i]);
}

void evaluate(engine *g, feed *f, const data_split *split, task_score *score, evaluation *out) {
  judging j = {g, score};
  feed_split(f, split, NULL, NULL);
  engine_forward(g, ENGINE_EVAL, split->n, &f->engine, &(engine_sink){take, &j});
  *out = (evaluation){.n = split->n};
  for (int64_t i = 0; i < split->n; i++) /* in order, so that the sum does not depend on threads */
    for (int k = 0; k < g->task->metrics; k++) out->metric[k] += score[i].metric[k];
  for (int k = 0; k < g->task->metrics; k++) out->metric[k] /= (double)split->n;
}

void evaluate_write_predictions(const task_score *score, int64_t n, str *out) {
  str_add(out, "index,label,pred,p,loss\n");
  for (int64_t i = 0; i < n; i++)
    str_addf(out, "%lld,%d,%d,%.9g,%.9g\n", (long long)i, score[i].label, score[i].pred, score[i].p,
             score[i].metric[0]);
}

void evaluate_write_json(const task *t, const evaluation *v, const char *prefix, str *out) {
  for (int k = 0; k < t->metrics; k++) {
    str_addf(out, ", \"%s%s\": ", prefix, t->metric_name[k]);
    str_add_number(out, v->metric[k], 9);
  }
}
