/* tape - the recorded computation of a model for a fixed number of samples, and running it forwards and
 * backwards.
 *
 * Recorded once and then never changed: nodes stand in creation order, which is topological, so the backward
 * pass is one
 * reverse loop. A tape holds no numbers. A plan (plan.h) says where each value lies in an arena; a workspace
 * is the memory
 * of one worker. One tape serves many plans (training, evaluation) and many workspaces (threads).
 *
 *   tape *t = tape_new(&params, samples);
 *   val x = tape_input(t, "images", SHAPE(samples, 1, 28, 28), false);
 *   tape_scope(t, "head");
 *   val y = tape_emit(t, &op_linear, &attr, 3, (val[]){x, tape_param(t, w), tape_param(t, b)});
 *   plan *p = plan_new(t, y, 1, &y, true);
 *   tape_run r = {.plan = p, .base = arena, .values = params.value, .grads = shard_gradients, .op = {.train =
 * true}};
 *   memcpy(tape_at(&r, x), ...);  tape_forward(&r);  tape_backward(&r, 1.0 / batch);
 */
#ifndef DYT_TAPE_H
#define DYT_TAPE_H

#include "dyt/op.h"
#include "dyt/params.h"
#include "dyt/str.h"

typedef int32_t val; /* a value of a tape */
enum { NO_VAL = -1 };

typedef enum tape_kind { TAPE_INPUT, TAPE_PARAM, TAPE_NODE } tape_kind;

typedef struct tape_value {
  tape_kind kind;
  int index; /* of the parameter or the producing node; inputs: -1 */
  shape s;
  bool wants_grad; /* a trainable parameter, or computed from one */
  char *name;      /* of an input or a tap; NULL for others; owned by the tape */
} tape_value;

typedef struct tape_node {
  const op *op;
  int n_in;
  val in[OP_IN_MAX]; /* NO_VAL: absent */
  val out;
  int64_t saved, scratch;
  double flops;
  char *path; /* e.g. "blocks.3.attn.qkv.linear"; owned by the tape */
  _Alignas(16) unsigned char attr[OP_ATTR_MAX];
} tape_node;

typedef struct tape {
  const params *params;
  int64_t samples;
  tape_value *value; /* [values] */
  int values;
  tape_node *node; /* [nodes] */
  int nodes;
  val *of_param; /* [params->count] the value of a parameter, or NO_VAL */
  char scope[256];
} tape;

/* Recording. The tape is the caller's: tape_free. The store must outlive it and be complete (all registered).
 * */
tape *tape_new(const params *p, int64_t samples);
void tape_free(tape *t);
/* Numbers given before each run. wants_grad: only for gradient checks. */
val tape_input(tape *t, const char *name, shape s, bool wants_grad);
/* The value of parameter `index`; the same value each time it is asked for. */
val tape_param(tape *t, int index);
/* Records an operation under the current scope; attr holds op->attr_size bytes. */
val tape_emit(tape *t, const op *o, const void *attr, int n_in, const val *in);
/* The module that the nodes recorded from now on belong to: the first part of their path, e.g.
 * "blocks.3.attn.qkv". */
void tape_scope(tape *t, const char *module);
/* Names a value, so that it can be found: the input of a norm layer under the layer's path, the logits. */
void tape_tap(tape *t, val v, const char *name);
val tape_find(const tape *t, const char *name); /* NO_VAL: none */
shape tape_shape(const tape *t, val v);
/* 2 x multiply-adds of linear layers and attention in a forward pass over all samples. */
double tape_flops(const tape *t);

/* Running. */
struct plan;
typedef struct tape_run {
  const struct plan *plan;
  real *base;         /* the workspace: plan->numbers reals */
  const real *values; /* parameters (params.value) */
  const real *panels; /* their matrices packed (packs.panels); NULL: not */
  real *grads;        /* gradients in the parameters' layout, added to; NULL in a forward-only plan */
  op_run op;
  /* Called after every node when set: to look for NaN, to take times. */
  void (*after)(void *context, const struct tape_run *r, int node, bool backward);
  void *context;
} tape_run;

/* Where a value's numbers lie, and its gradient's (NULL: none). */
real *tape_at(const tape_run *r, val v);
real *tape_grad_at(const tape_run *r, val v);
void tape_forward(const tape_run *r);
/* From the gradient `seed` of the plan's loss (a single number). */
void tape_backward(const tape_run *r, double seed);

#endif
