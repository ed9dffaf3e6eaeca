/* plan - where each value, gradient and saved tensor of a tape lies in a worker's arena.
 *
 * Built once from a tape. A liveness pass finds when each block is first written and last read over the
 * forward and the backward
 * sweep; blocks whose lives do not overlap share memory. Gradients of activations are short-lived, so their
 * memory
 * does not grow with depth; in a forward-only plan the values' does not either. Where it is safe a result
 * lies in the place of an
 * operand (op.in_place), and gradients that pass through an operation unchanged are not copied (op.passes).
 */
#ifndef DYT_PLAN_H
#define DYT_PLAN_H

#include "dyt/tape.h"

typedef struct plan {
  const tape *tape;
  bool train;
  val loss;           /* the value backward starts from; NO_VAL in a forward-only plan */
  int64_t numbers;    /* length of the arena in reals */
  int64_t *value_at;  /* [values] offset, -1: not in the arena (a parameter, or not computed) */
  int64_t *grad_at;   /* [values] offset, -1: no gradient */
  int64_t *saved_at;  /* [nodes] offset, -1: none */
  int64_t scratch_at; /* one region for all nodes; -1: none */
  unsigned char *run; /* [nodes] PLAN_FORWARD, PLAN_BACKWARD */
  unsigned char *acc; /* [nodes] bit k: input k's gradient already holds a contribution */
} plan;

enum { PLAN_FORWARD = 1, PLAN_BACKWARD = 2 };

/* Computes `keep` (n_keep values, readable after the run) and, when training, the gradients of the single
 * number `loss`.
 * loss: NO_VAL for a forward-only plan. Nodes that neither needs are skipped. The caller frees; the tape must
 * outlive it. */
plan *plan_new(const tape *t, val loss, int n_keep, const val *keep);
void plan_free(plan *p);

/* No two blocks that are alive at the same time overlap, but for those that may: a check for tests. */
bool plan_sound(const plan *p, err *e);

/* The plan as text: a line a node with operation, path, shapes, flops and places. Appended to `out`. */
void plan_describe(const plan *p, str *out);

#endif
