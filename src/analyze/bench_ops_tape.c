/* One operation on a tape of its own. */
#include "bench_ops.h"

#include <stdio.h>
#include <string.h>

/* rest: x -> a loss that costs nothing and whose gradient is whatever lies in the place of x's: so that a backward pass of
 * one operation has somewhere to begin. */
static void rest_infer(op_shapes *s) { s->out = SHAPE(1); }
static void rest_nothing(const op_call *c) { (void)c; }
static const op op_rest = {.name = "rest",
                           .min_in = 1,
                           .max_in = 1,
                           .infer = rest_infer,
                           .forward = rest_nothing,
                           .backward = rest_nothing};

static double bytes_of(const tape *t, val v) {
  return v == NO_VAL ? 0 : (double)shape_numel(tape_shape(t, v)) * sizeof(real);
}

/* Forward reads every input and writes the result; backward reads the result's gradient and the inputs that it needs, and writes
 * the gradients of the inputs. What an operation keeps for itself between the two is its own choice and does not count. */
static void count(bench_row *row) {
  const tape_node *n = &row->t->node[0];
  double result = bytes_of(row->t, n->out);
  row->bytes[BENCH_FWD] = row->bytes[BENCH_BWD] = result;
  for (int k = 0; k < n->n_in; k++) {
    double size = bytes_of(row->t, n->in[k]);
    row->bytes[BENCH_FWD] += size;
    if (n->op->needs & OP_IN(k)) row->bytes[BENCH_BWD] += size;
    if (n->in[k] != NO_VAL && row->t->value[n->in[k]].wants_grad) row->bytes[BENCH_BWD] += size;
  }
  row->elements = (double)shape_numel(tape_shape(row->t, n->in[0]));
  row->flops[BENCH_FWD] = n->flops;
  row->flops[BENCH_BWD] = 2 * n->flops;
}

static void register_parameters(bench_row *row, const op *o, int n, const bench_input *in, int *index) {
  char name[8];
  for (int k = 0; k < n; k++) {
    snprintf(name, sizeof name, "p%d", k);
    if (in[k].param)
      index[k] = params_add(&row->store, name, in[k].s, (params_init){INIT_CONSTANT, 0.5},
                            PARAM_TRAIN | (o == &op_linear && k == 1 ? PARAM_MATRIX : 0));
  }
  REQUIRE(!params_seal(&row->store, NULL), "%s: no memory for parameters", row->name);
  params_draw(&row->store, 1, NULL);
  REQUIRE(!packs_open(&row->packs, &row->store, true, NULL), "%s: no memory for packed weights", row->name);
  packs_refresh(&row->packs, NULL);
}

/* All inputs are kept to the end, so that a run can be repeated; targets want no gradient, as elsewhere. */
static void record(bench_row *row, const op *o, const void *attr, int n, const bench_input *in) {
  int index[OP_IN_MAX] = {0}, n_keep = 0;
  val x[OP_IN_MAX], keep[OP_IN_MAX];
  register_parameters(row, o, n, in, index);
  row->t = tape_new(&row->store, in[0].s.dim[0]);
  for (int k = 0; k < n; k++) {
    bool target = o == &op_cross_entropy && k == 1;
    x[k] = in[k].param    ? tape_param(row->t, index[k])
           : in[k].s.rank ? keep[n_keep++] = tape_input(row->t, "x", in[k].s, !target)
                          : NO_VAL;
  }
  row->out = tape_emit(row->t, o, attr, n, x);
  bool is_loss = shape_numel(tape_shape(row->t, row->out)) == 1;
  val loss = is_loss ? row->out : tape_emit(row->t, &op_rest, NULL, 1, &row->out);
  row->p = plan_new(row->t, loss, n_keep, keep);
  count(row);
}

bench_row *bench_rows_add(bench_rows *r, const char *name, const op *o, const void *attr, int n,
                          const bench_input *in) {
  if (r->only && strncmp(name, r->only, strlen(r->only))) return NULL;
  REQUIRE(r->count < BENCH_ROWS_MAX, "more than %d rows", BENCH_ROWS_MAX);
  bench_row *row = &r->row[r->count++];
  snprintf(row->name, sizeof row->name, "%s", name);
  record(row, o, attr, n, in);
  return row;
}

void bench_rows_free(bench_rows *r) {
  for (int i = 0; i < r->count; i++) {
    plan_free(r->row[i].p);
    tape_free(r->row[i].t);
    packs_close(&r->row[i].packs);
    params_free(&r->row[i].store);
  }
  *r = (bench_rows){0};
}
