/* classify: images to classes, softmax cross-entropy, top-1 and top-5. */
#include "dyt/ops.h"
#include "dyt/task.h"

#include <math.h>

enum { IMAGES, TARGETS };
enum { LOSS, ACC1, ACC5 };

static shape slot_shape(const model *m, int slot, int64_t n) {
  return slot == IMAGES ? model_input(m, n) : SHAPE(n, m->cfg.classes);
}

static task_tape record(const model *m, double smoothing, int64_t n) {
  task_tape r = {.tape = tape_new(&m->params, n)};
  for (int k = 0; k < task_classify.slots; k++)
    r.slot[k] = tape_input(r.tape, task_classify.slot_name[k], slot_shape(m, k, n), false);
  r.output = model_record(m, r.tape, r.slot[IMAGES]);
  tape_tap(r.tape, r.output, "logits");
  tape_scope(r.tape, "loss");
  op_cross_entropy_attr attr = {smoothing};
  r.loss = tape_emit(r.tape, &op_cross_entropy, &attr, 2, (val[]){r.output, r.slot[TARGETS]});
  return r;
}

static int32_t largest(const real *x, int64_t n) {
  int32_t best = 0;
  for (int32_t k = 1; k < n; k++)
    if (x[k] > x[best]) best = k;
  return best;
}

/* Soft targets are judged against their largest class; a class of equal logit and lower number ranks before.
 * */
static void judge(const model *m, const real *const *slot, const real *output, int64_t i, task_score *out) {
  int64_t K = m->cfg.classes, rank = 0;
  const real *z = output + i * K, *t = slot[TARGETS] + i * K;
  int32_t label = largest(t, K), pred = largest(z, K);
  double sum = 0;
  for (int64_t k = 0; k < K; k++) {
    sum += exp((double)z[k] - (double)z[pred]);
    rank += z[k] > z[label] || (z[k] == z[label] && k < label);
  }
  out->label = label;
  out->pred = pred;
  out->p = 1 / sum;
  out->metric[LOSS] = (double)z[pred] - (double)z[label] + log(sum);
  out->metric[ACC1] = rank == 0;
  out->metric[ACC5] = K < 6 ? NAN : rank < 5;
}

const task task_classify = {.name = "classify",
                            .slots = 2,
                            .slot_name = {"images", "targets"},
                            .slot_shape = slot_shape,
                            .metrics = 3,
                            .metric_name = {"loss", "acc1", "acc5"},
                            .judged = 1 << TARGETS,
                            .record = record,
                            .judge = judge};
