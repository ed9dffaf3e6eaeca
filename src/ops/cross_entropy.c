/* cross_entropy: softmax cross-entropy with soft targets, summed over samples.
 *
 *   logits z [n, K], targets t [n, K], t' = t (1 - smoothing) + smoothing / K
 *   loss = sum over samples of (lse T - sum_k t'_k z_k), lse = log sum_k e^{z_k}, T = sum_k t'_k
 *   dz = (T softmax(z) - t') dloss
 *
 * In double, whatever `real` is: a row is short and the loss is what everything else is judged by. Targets
 * get no gradient. */
#include "dyt/ops.h"

#include <math.h>

enum { LOGITS, TARGETS };

static void infer(op_shapes *s) {
  OP_REQUIRE(s, s->in[LOGITS].rank == 2 && shape_equal(s->in[LOGITS], s->in[TARGETS]),
             "logits and targets are [n, K]");
  s->out = SHAPE(1);
}

static double smoothed(const op_call *c, double t, int64_t K) {
  double s = ((const op_cross_entropy_attr *)c->attr)->smoothing;
  return t * (1 - s) + s / (double)K;
}

static double log_sum_exp(const real *z, int64_t K) {
  double top = z[0], sum = 0;
  for (int64_t k = 1; k < K; k++) top = fmax(top, z[k]);
  for (int64_t k = 0; k < K; k++) sum += exp(z[k] - top);
  return top + log(sum);
}

static void forward(const op_call *c) {
  int64_t K = shape_cols(c->in[LOGITS].s);
  double loss = 0;
  for (int64_t i = 0; i < shape_rows(c->in[LOGITS].s); i++) {
    const real *z = c->in[LOGITS].x + i * K, *t = c->in[TARGETS].x + i * K;
    double lse = log_sum_exp(z, K);
    for (int64_t k = 0; k < K; k++) loss += smoothed(c, t[k], K) * (lse - z[k]);
  }
  c->out->x[0] = (real)loss;
}

static void backward(const op_call *c) {
  const tensor *logits = &c->in[LOGITS];
  int64_t K = shape_cols(logits->s);
  if (!logits->g) return;
  for (int64_t i = 0; i < shape_rows(logits->s); i++) {
    const real *z = logits->x + i * K, *t = c->in[TARGETS].x + i * K;
    real *dz = logits->g + i * K;
    double lse = log_sum_exp(z, K), total = 0;
    for (int64_t k = 0; k < K; k++) total += smoothed(c, t[k], K);
    for (int64_t k = 0; k < K; k++) {
      double d = (total * exp(z[k] - lse) - smoothed(c, t[k], K)) * c->out->g[0];
      dz[k] = (real)(logits->acc ? dz[k] + d : d);
    }
  }
}

const op op_cross_entropy = {.name = "cross_entropy",
                             .min_in = 2,
                             .max_in = 2,
                             .attr_size = sizeof(op_cross_entropy_attr),
                             .needs = OP_IN(LOGITS) | OP_IN(TARGETS),
                             .infer = infer,
                             .forward = forward,
                             .backward = backward};
