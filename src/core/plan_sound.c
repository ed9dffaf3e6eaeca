#include "dyt/plan.h"

#include <string.h>

/* Runs the tape on symbols instead of numbers: what a node computes is a hash of the node and of what it
 * reads. Once in
 * the plan's arena, where sharing may go wrong, and once with a place for everything. Whatever a node reads
 * must be the same. */
typedef struct twin {
  const plan *p;
  uint64_t *arena; /* [numbers] */
  uint64_t *value; /* [values] the symbol each value should hold */
  uint64_t *grad;  /* [values] */
  uint64_t *saved; /* [nodes] */
  err *e;
  bool ok;
} twin;

static uint64_t mix(uint64_t h, uint64_t x) {
  h = (h ^ x) * 0x9e3779b97f4a7c15u;
  return h ^ h >> 29;
}

static void fill(twin *w, int64_t at, int64_t n, uint64_t symbol) {
  for (int64_t i = 0; at >= 0 && i < n; i++) w->arena[at + i] = symbol;
}

static void expect(twin *w, int64_t at, int64_t n, uint64_t symbol, const char *path, const char *what) {
  for (int64_t i = 0; at >= 0 && i < n; i++) {
    if (w->arena[at + i] == symbol) continue;
    if (w->ok) err_add(w->e, ST_INTERNAL, "%s: %s was overwritten before it was read", path, what);
    w->ok = false;
    return;
  }
}

static int64_t size_of(const twin *w, val v) { return shape_numel(w->p->tape->value[v].s); }

static void forward(twin *w, int i) {
  const tape_node *n = &w->p->tape->node[i];
  uint64_t h = mix(1, (uint64_t)i);
  for (int k = 0; k < n->n_in; k++) {
    if (n->in[k] == NO_VAL) continue;
    expect(w, w->p->value_at[n->in[k]], size_of(w, n->in[k]), w->value[n->in[k]], n->path, "an input");
    h = mix(h, w->value[n->in[k]]);
  }
  w->value[n->out] = h;
  fill(w, w->p->value_at[n->out], size_of(w, n->out), h);
  w->saved[i] = mix(h, 2);
  fill(w, w->p->saved_at[i], n->saved, w->saved[i]);
}

/* The second of two operands that are one value adds to what the first has just written: nothing to check. */
static bool first_of_node(const tape_node *n, int k) {
  for (int j = 0; j < k; j++)
    if (n->in[j] == n->in[k]) return false;
  return true;
}

static void contribute(twin *w, int i, int k, uint64_t symbol) {
  const tape_node *n = &w->p->tape->node[i];
  val v = n->in[k];
  if (w->p->tape->value[v].kind == TAPE_PARAM) return;
  bool acc = w->p->acc[i] >> k & 1;
  if (acc && first_of_node(n, k))
    expect(w, w->p->grad_at[v], size_of(w, v), w->grad[v], n->path, "a gradient that is added to");
  w->grad[v] = acc ? w->grad[v] + symbol : symbol;
}

static void backward(twin *w, int i) {
  const tape_node *n = &w->p->tape->node[i];
  expect(w, w->p->grad_at[n->out], size_of(w, n->out), w->grad[n->out], n->path,
         "the gradient of its result");
  expect(w, w->p->saved_at[i], n->saved, w->saved[i], n->path, "a saved tensor");
  if (n->op->needs & OP_OUT)
    expect(w, w->p->value_at[n->out], size_of(w, n->out), w->value[n->out], n->path, "its result");
  for (int k = 0; k < n->n_in; k++)
    if (n->in[k] != NO_VAL && n->op->needs & OP_IN(k))
      expect(w, w->p->value_at[n->in[k]], size_of(w, n->in[k]), w->value[n->in[k]], n->path, "an input");
  uint64_t dout = w->grad[n->out];
  for (int k = 0; k < n->n_in; k++)
    if (n->in[k] != NO_VAL && w->p->tape->value[n->in[k]].wants_grad)
      contribute(w, i, k, n->op->passes & OP_IN(k) ? dout : mix(mix(dout, (uint64_t)i), (uint64_t)k));
  for (int k = 0; k < n->n_in; k++) /* all reads of a node come before its writes */
    if (n->in[k] != NO_VAL && w->p->tape->value[n->in[k]].wants_grad)
      fill(w, w->p->grad_at[n->in[k]], size_of(w, n->in[k]), w->grad[n->in[k]]);
}

bool plan_sound(const plan *p, err *e) {
  const tape *t = p->tape;
  size_t values = (size_t)t->values + 1, nodes = (size_t)t->nodes + 1;
  twin w = {.p = p, .e = e, .ok = true};
  w.arena = mem_new((size_t)p->numbers + 1, sizeof(uint64_t));
  w.value = mem_new(values, sizeof(uint64_t));
  w.grad = mem_new(values, sizeof(uint64_t));
  w.saved = mem_new(nodes, sizeof(uint64_t));
  for (val v = 0; v < t->values; v++) {
    if (t->value[v].kind != TAPE_INPUT) continue;
    w.value[v] = mix(3, (uint64_t)v);
    fill(&w, p->value_at[v], size_of(&w, v), w.value[v]);
  }
  for (int i = 0; i < t->nodes; i++)
    if (p->run[i] & PLAN_FORWARD) forward(&w, i);
  if (p->train) {
    w.grad[p->loss] = 4;
    fill(&w, p->grad_at[p->loss], 1, 4);
  }
  for (int i = t->nodes - 1; i >= 0; i--)
    if (p->run[i] & PLAN_BACKWARD) backward(&w, i);
  mem_free(w.arena);
  mem_free(w.value);
  mem_free(w.grad);
  mem_free(w.saved);
  return w.ok;
}
