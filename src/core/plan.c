#include "dyt/plan.h"

#include <stdlib.h>
#include <string.h>

/* Time: the forward pass of node i happens at i, its backward pass at 2N-1-i, and what is read after the run
 * at 2N.
 * A block is one or more values (or gradients) that lie in the same place; it is alive from its first write
 * to its last read. */
enum { ALIGN = 16, BEFORE = -1 };

typedef struct block {
  int birth, death; /* birth > death: nothing to store */
  int64_t size, at;
  int same; /* a block of lower number whose place this one takes; itself: none */
} block;

typedef struct planner {
  const tape *t;
  plan *p;
  int end;       /* 2N */
  block *b;      /* values, then gradients, then saved tensors */
  int n;         /* blocks */
  bool *kept;    /* [values] */
  int *consumer; /* [values] the last node whose backward pass contributes to its gradient; -1: none */
  int *second;   /* [values] the one before it (may be the same node); -1: none */
} planner;

static int backward_time(const planner *w, int node) { return w->end - 1 - node; }
static int grad_block(const planner *w, val v) { return w->t->values + v; }
static int saved_block(const planner *w, int node) { return 2 * w->t->values + node; }

static int root(const planner *w, int i) {
  while (w->b[i].same != i) i = w->b[i].same;
  return i;
}

/* Which nodes run: backwards from what is wanted. A gradient flows only along the way from the loss. */
static void mark_nodes(planner *w, val loss) {
  const tape *t = w->t;
  bool *wanted = mem_new((size_t)t->values + 1, 1), *graded = mem_new((size_t)t->values + 1, 1);
  memcpy(wanted, w->kept, (size_t)t->values);
  if (loss != NO_VAL) wanted[loss] = graded[loss] = true;
  for (int i = t->nodes - 1; i >= 0; i--) {
    const tape_node *n = &t->node[i];
    bool back = graded[n->out] && t->value[n->out].wants_grad;
    if (wanted[n->out]) w->p->run[i] |= PLAN_FORWARD;
    if (back) w->p->run[i] |= PLAN_BACKWARD;
    for (int k = 0; k < n->n_in; k++) {
      if (n->in[k] == NO_VAL) continue;
      wanted[n->in[k]] |= wanted[n->out];
      graded[n->in[k]] |= back;
    }
  }
  mem_free(wanted);
  mem_free(graded);
}

static void use(block *b, int time) {
  if (time > b->death) b->death = time;
}

static void live_values(planner *w) {
  const tape *t = w->t;
  for (val v = 0; v < t->values; v++) {
    block *b = &w->b[v];
    const tape_value *tv = &t->value[v];
    bool stored = tv->kind == TAPE_INPUT || (tv->kind == TAPE_NODE && w->p->run[tv->index]);
    if (!stored) continue;
    b->birth = b->death = tv->kind == TAPE_INPUT ? BEFORE : tv->index;
    if (w->kept[v]) b->death = w->end;
  }
  for (int i = 0; i < t->nodes; i++) {
    const tape_node *n = &t->node[i];
    if (!w->p->run[i]) continue;
    bool back = w->p->run[i] & PLAN_BACKWARD;
    for (int k = 0; k < n->n_in; k++) {
      if (n->in[k] == NO_VAL || t->value[n->in[k]].kind == TAPE_PARAM) continue;
      use(&w->b[n->in[k]], back && n->op->needs & OP_IN(k) ? backward_time(w, i) : i);
    }
    if (back && n->op->needs & OP_OUT) use(&w->b[n->out], backward_time(w, i));
    block *saved = &w->b[saved_block(w, i)];
    if (n->saved && back) *saved = (block){i, backward_time(w, i), n->saved, 0, saved_block(w, i)};
  }
}

/* Contributions come from the last consumer first: that one overwrites, the others add. */
static void live_gradients(planner *w, val loss) {
  const tape *t = w->t;
  for (int i = t->nodes - 1; i >= 0; i--) {
    const tape_node *n = &t->node[i];
    if (!(w->p->run[i] & PLAN_BACKWARD)) continue;
    for (int k = 0; k < n->n_in; k++) {
      val v = n->in[k];
      if (v == NO_VAL || !t->value[v].wants_grad) continue;
      bool first = t->value[v].kind != TAPE_PARAM && w->consumer[v] < 0;
      if (!first) w->p->acc[i] |= (unsigned char)(1 << k);
      if (w->consumer[v] < 0)
        w->consumer[v] = i;
      else if (w->second[v] < 0)
        w->second[v] = i;
    }
  }
  for (val v = 0; v < t->values; v++) {
    const tape_value *tv = &t->value[v];
    if (tv->kind == TAPE_PARAM || !tv->wants_grad || (w->consumer[v] < 0 && v != loss)) continue;
    block *b = &w->b[grad_block(w, v)];
    b->birth = v == loss ? t->nodes : backward_time(w, w->consumer[v]);
    b->death = tv->kind == TAPE_INPUT ? w->end : backward_time(w, tv->index);
  }
}

static void join(planner *w, int a, int b) {
  int x = root(w, a), y = root(w, b);
  int low = x < y ? x : y, high = x < y ? y : x;
  w->b[high].same = low;
}

/* out may lie where an operand lay that nobody reads after this node. */
static void share_in_place(planner *w) {
  const tape *t = w->t;
  for (int i = 0; i < t->nodes; i++) {
    const tape_node *n = &t->node[i];
    if (!n->op->in_place || !w->p->run[i]) continue;
    for (int k = 0; k < n->n_in; k++) {
      val v = n->in[k];
      if (v == NO_VAL || !(n->op->in_place & OP_IN(k)) || t->value[v].kind != TAPE_NODE || w->b[v].death != i)
        continue;
      if (!shape_equal(t->value[v].s, t->value[n->out].s)) continue;
      join(w, v, n->out);
      break;
    }
  }
}

/* Would a later addition to one gradient of a class change another that is still to be read? */
static bool class_is_safe(const planner *w, int class) {
  const tape *t = w->t;
  for (val v = 0; v < t->values; v++) {
    if (root(w, grad_block(w, v)) != class || w->second[v] < 0) continue;
    int added = backward_time(w, w->second[v]);
    for (val u = 0; u < t->values; u++) {
      const block *b = &w->b[grad_block(w, u)];
      if (u != v && root(w, grad_block(w, u)) == class && b->birth <= added && added <= b->death)
        return false;
    }
  }
  return true;
}

/* The gradients of a residual connection's two branches are the gradient of their sum: keep one copy while
 * none changes. */
static void share_passed(planner *w) {
  const tape *t = w->t;
  for (int i = t->nodes - 1; i >= 0; i--) {
    const tape_node *n = &t->node[i];
    if (!n->op->passes || !(w->p->run[i] & PLAN_BACKWARD)) continue;
    for (int k = 0; k < n->n_in; k++) {
      val v = n->in[k];
      if (v == NO_VAL || !(n->op->passes & OP_IN(k)) || t->value[v].kind != TAPE_NODE) continue;
      if (!t->value[v].wants_grad || w->p->acc[i] >> k & 1) continue;
      if (!shape_equal(t->value[v].s, t->value[n->out].s)) continue;
      int mine = grad_block(w, v), its = root(w, grad_block(w, n->out));
      join(w, mine, its);
      int class = root(w, mine);
      if (class_is_safe(w, class)) continue;
      w->b[mine].same = mine; /* undo: the joined tree had `mine` alone on one side */
      if (class == mine) w->b[its].same = its;
    }
  }
}

static bool overlap_in_time(const block *a, const block *b) {
  return a->birth <= b->death && b->birth <= a->death;
}

static const block *sorted_blocks; /* qsort has no context; plans are made by one thread */
static int larger_first(const void *x, const void *y) {
  const int i = *(const int *)x, j = *(const int *)y;
  const block *a = &sorted_blocks[i], *b = &sorted_blocks[j];
  if (a->size != b->size) return a->size < b->size ? 1 : -1;
  return i < j ? -1 : 1;
}

/* The lowest place for block i that is free during its life, among blocks already placed (in order of place).
 * */
static int64_t lowest_place(const planner *w, const int *placed, int n_placed, int i) {
  int64_t at = 0;
  for (int j = 0; j < n_placed; j++) {
    const block *b = &w->b[placed[j]];
    if (!overlap_in_time(b, &w->b[i])) continue;
    if (at + w->b[i].size <= b->at) break;
    if (b->at + b->size > at) at = b->at + b->size;
  }
  return at;
}

/* Largest block first, each at the lowest free place. */
static void place(planner *w) {
  int *order = mem_new((size_t)w->n + 1, sizeof *order), *placed = mem_new((size_t)w->n + 1, sizeof *placed);
  int n = 0, n_placed = 0;
  for (int i = 0; i < w->n; i++)
    if (w->b[i].same == i && w->b[i].size > 0 && w->b[i].birth <= w->b[i].death) order[n++] = i;
  sorted_blocks = w->b;
  qsort(order, (size_t)n, sizeof *order, larger_first);
  for (int j = 0; j < n; j++) {
    block *b = &w->b[order[j]];
    b->at = lowest_place(w, placed, n_placed, order[j]);
    if (b->at + b->size > w->p->numbers) w->p->numbers = b->at + b->size;
    int k = n_placed++;
    for (; k > 0 && w->b[placed[k - 1]].at > b->at; k--) placed[k] = placed[k - 1];
    placed[k] = order[j];
  }
  mem_free(order);
  mem_free(placed);
}

/* Joined blocks live from the first birth to the last death. */
static void merge_lives(planner *w) {
  for (int i = 0; i < w->n; i++) {
    block *r = &w->b[root(w, i)], *b = &w->b[i];
    if (b == r || b->birth > b->death) continue;
    if (b->birth < r->birth) r->birth = b->birth;
    if (b->death > r->death) r->death = b->death;
  }
}

static void start_blocks(planner *w) {
  const tape *t = w->t;
  for (int i = 0; i < w->n; i++) w->b[i] = (block){.birth = 1, .death = 0, .same = i};
  for (val v = 0; v < t->values; v++) {
    int64_t size = (shape_numel(t->value[v].s) + ALIGN - 1) / ALIGN * ALIGN;
    w->b[v].size = w->b[grad_block(w, v)].size = size;
    w->consumer[v] = w->second[v] = -1;
  }
}

static int64_t place_of(const planner *w, int i) {
  return w->b[i].birth > w->b[i].death ? -1 : w->b[root(w, i)].at;
}

static void write_places(planner *w) {
  const tape *t = w->t;
  int64_t scratch = 0;
  for (val v = 0; v < t->values; v++) {
    w->p->value_at[v] = place_of(w, v);
    w->p->grad_at[v] = place_of(w, grad_block(w, v));
  }
  for (int i = 0; i < t->nodes; i++) {
    w->p->saved_at[i] = place_of(w, saved_block(w, i));
    if (w->p->run[i] && t->node[i].scratch > scratch) scratch = t->node[i].scratch;
  }
  w->p->scratch_at = scratch ? w->p->numbers : -1;
  w->p->numbers += (scratch + ALIGN - 1) / ALIGN * ALIGN;
}

static plan *plan_alloc(const tape *t, val loss) {
  size_t values = (size_t)t->values + 1, nodes = (size_t)t->nodes + 1;
  plan *p = mem_new(1, sizeof *p);
  *p = (plan){.tape = t,
              .train = loss != NO_VAL,
              .loss = loss,
              .value_at = mem_new(values, sizeof(int64_t)),
              .grad_at = mem_new(values, sizeof(int64_t)),
              .saved_at = mem_new(nodes, sizeof(int64_t)),
              .run = mem_new(nodes, 1),
              .acc = mem_new(nodes, 1)};
  return p;
}

static void planner_free(planner *w) {
  mem_free(w->b);
  mem_free(w->kept);
  mem_free(w->consumer);
  mem_free(w->second);
}

plan *plan_new(const tape *t, val loss, int n_keep, const val *keep) {
  REQUIRE(loss == NO_VAL || (t->value[loss].wants_grad && shape_numel(t->value[loss].s) == 1),
          "the loss is one number");
  size_t values = (size_t)t->values + 1;
  planner w = {.t = t, .p = plan_alloc(t, loss), .end = 2 * t->nodes, .n = 2 * t->values + t->nodes};
  w.b = mem_new((size_t)w.n + 1, sizeof *w.b);
  w.kept = mem_new(values, 1);
  w.consumer = mem_new(values, sizeof(int));
  w.second = mem_new(values, sizeof(int));
  for (int i = 0; i < n_keep; i++) w.kept[keep[i]] = true;
  start_blocks(&w);
  mark_nodes(&w, loss);
  live_values(&w);
  live_gradients(&w, loss);
  share_in_place(&w);
  share_passed(&w);
  merge_lives(&w);
  place(&w);
  write_places(&w);
  planner_free(&w);
  return w.p;
}

void plan_free(plan *p) {
  if (!p) return;
  mem_free(p->value_at);
  mem_free(p->grad_at);
  mem_free(p->saved_at);
  mem_free(p->run);
  mem_free(p->acc);
  mem_free(p);
}
