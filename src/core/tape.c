#include "dyt/tape.h"

#include "dyt/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- recording --- */

void op_shape_error(const op_shapes *s, const char *condition, const char *format, ...) {
  char text[512], one[80];
  size_t n = 0;
  va_list args;
  va_start(args, format);
  n += (size_t)vsnprintf(text, sizeof text / 2, format, args);
  va_end(args);
  if (n > sizeof text / 2) n = sizeof text / 2;
  for (int i = 0; i < s->n_in && n + 96 < sizeof text; i++)
    n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? ", " : "; inputs ",
                          shape_text(s->in[i], one));
  err_die(s->path, 0, condition, "%s", text);
}

tape *tape_new(const params *p, int64_t samples) {
  REQUIRE(samples >= 1, "a tape for %lld samples", (long long)samples);
  tape *t = mem_new(1, sizeof *t);
  *t = (tape){.params = p, .samples = samples, .of_param = mem_new((size_t)p->count + 1, sizeof(val))};
  for (int i = 0; i < p->count; i++) t->of_param[i] = NO_VAL;
  return t;
}

void tape_free(tape *t) {
  if (!t) return;
  for (int i = 0; i < t->values; i++) mem_free(t->value[i].name);
  for (int i = 0; i < t->nodes; i++) mem_free(t->node[i].path);
  mem_free(t->value);
  mem_free(t->node);
  mem_free(t->of_param);
  mem_free(t);
}

/* Doubles when full, so that recording is linear in the number of nodes. */
static void *room_for_one(void *p, int count, size_t size) {
  bool full = count == 0 || (count >= 16 && (count & (count - 1)) == 0);
  return full ? mem_grow(p, (size_t)count, count ? (size_t)count * 2 : 16, size) : p;
}

static val add_value(tape *t, tape_value v) {
  t->value = room_for_one(t->value, t->values, sizeof *t->value);
  t->value[t->values] = v;
  return t->values++;
}

val tape_input(tape *t, const char *name, shape s, bool wants_grad) {
  return add_value(t, (tape_value){TAPE_INPUT, -1, s, wants_grad, mem_strdup(name)});
}

val tape_param(tape *t, int index) {
  REQUIRE(index >= 0 && index < t->params->count, "no parameter %d", index);
  const param *p = &t->params->p[index];
  if (t->of_param[index] == NO_VAL)
    t->of_param[index] = add_value(t, (tape_value){TAPE_PARAM, index, p->s, p->flags & PARAM_TRAIN, NULL});
  return t->of_param[index];
}

val tape_emit(tape *t, const op *o, const void *attr, int n_in, const val *in) {
  REQUIRE(n_in >= o->min_in && n_in <= o->max_in && o->attr_size <= OP_ATTR_MAX, "%s with %d inputs", o->name,
          n_in);
  tape_node n = {
      .op = o, .n_in = n_in, .path = mem_printf("%s%s%s", t->scope, t->scope[0] ? "." : "", o->name)};
  if (o->attr_size) memcpy(n.attr, attr, o->attr_size);
  op_shapes s = {.n_in = n_in, .attr = n.attr, .path = n.path};
  bool wants_grad = false;
  for (int k = 0; k < OP_IN_MAX; k++) n.in[k] = NO_VAL;
  for (int k = 0; k < n_in; k++) {
    n.in[k] = in[k];
    if (in[k] == NO_VAL) continue;
    REQUIRE(in[k] >= 0 && in[k] < t->values, "%s: input %d is no value of this tape", n.path, k);
    s.in[k] = t->value[in[k]].s;
    wants_grad |= t->value[in[k]].wants_grad;
  }
  for (int k = 0; k < o->min_in; k++) REQUIRE(in[k] != NO_VAL, "%s: input %d is absent", n.path, k);
  o->infer(&s);
  n.saved = s.saved;
  n.scratch = s.scratch;
  n.flops = o->flops ? o->flops(&s) : 0;
  n.out = add_value(t, (tape_value){TAPE_NODE, t->nodes, s.out, wants_grad, NULL});
  t->node = room_for_one(t->node, t->nodes, sizeof *t->node);
  t->node[t->nodes++] = n;
  return n.out;
}

void tape_scope(tape *t, const char *module) {
  int n = snprintf(t->scope, sizeof t->scope, "%s", module);
  REQUIRE(n >= 0 && (size_t)n < sizeof t->scope, "scope too long: %s", module);
}

void tape_tap(tape *t, val v, const char *name) {
  mem_free(t->value[v].name);
  t->value[v].name = mem_strdup(name);
}

val tape_find(const tape *t, const char *name) {
  for (val v = 0; v < t->values; v++)
    if (t->value[v].name && strcmp(t->value[v].name, name) == 0) return v;
  return NO_VAL;
}

shape tape_shape(const tape *t, val v) { return t->value[v].s; }

double tape_flops(const tape *t) {
  double sum = 0;
  for (int i = 0; i < t->nodes; i++) sum += t->node[i].flops;
  return sum;
}

/* --- running --- */

real *tape_at(const tape_run *r, val v) {
  const tape_value *tv = &r->plan->tape->value[v];
  if (tv->kind == TAPE_PARAM) {
    union {
      const real *in;
      real *out;
    } values = {r->values}; /* operations get one pointer type and write no input */
    return values.out + r->plan->tape->params->p[tv->index].offset;
  }
  int64_t at = r->plan->value_at[v];
  return at < 0 ? NULL : r->base + at;
}

real *tape_grad_at(const tape_run *r, val v) {
  const tape_value *tv = &r->plan->tape->value[v];
  if (!tv->wants_grad || !r->plan->train) return NULL;
  if (tv->kind == TAPE_PARAM) return r->grads + r->plan->tape->params->p[tv->index].offset;
  int64_t at = r->plan->grad_at[v];
  return at < 0 ? NULL : r->base + at;
}

/* A weight matrix as the matrix kernels want it, where it was packed. */
static const real *panels_of(const tape_run *r, val v) {
  const tape_value *tv = &r->plan->tape->value[v];
  if (tv->kind != TAPE_PARAM || !r->panels) return NULL;
  const param *p = &r->plan->tape->params->p[tv->index];
  return p->flags & PARAM_MATRIX ? r->panels + 2 * p->offset : NULL;
}

static void call_node(const tape_run *r, int i, bool backward) {
  const plan *p = r->plan;
  const tape_node *n = &p->tape->node[i];
  tensor in[OP_IN_MAX] = {0};
  for (int k = 0; k < n->n_in; k++)
    if (n->in[k] != NO_VAL)
      in[k] = (tensor){.s = p->tape->value[n->in[k]].s,
                       .x = tape_at(r, n->in[k]),
                       .g = backward ? tape_grad_at(r, n->in[k]) : NULL,
                       .panels = panels_of(r, n->in[k]),
                       .acc = p->acc[i] >> k & 1};
  tensor out = {
      .s = p->tape->value[n->out].s, .x = tape_at(r, n->out), .g = backward ? tape_grad_at(r, n->out) : NULL};
  op_call c = {.in = in,
               .out = &out,
               .attr = n->attr,
               .saved = p->saved_at[i] < 0 ? NULL : r->base + p->saved_at[i],
               .scratch = n->scratch ? r->base + p->scratch_at : NULL,
               .path = n->path,
               .run = &r->op};
  (backward ? n->op->backward : n->op->forward)(&c);
  if (r->after) r->after(r->context, r, i, backward);
}

void tape_forward(const tape_run *r) {
  for (int i = 0; i < r->plan->tape->nodes; i++)
    if (r->plan->run[i] & PLAN_FORWARD) call_node(r, i, false);
}

void tape_backward(const tape_run *r, double seed) {
  REQUIRE(r->plan->train && r->grads, "backward on a forward-only plan");
  *tape_grad_at(r, r->plan->loss) = (real)seed;
  for (int i = r->plan->tape->nodes - 1; i >= 0; i--)
    if (r->plan->run[i] & PLAN_BACKWARD) call_node(r, i, true);
}
