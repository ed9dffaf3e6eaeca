#include "dyt/engine.h"

#include <math.h>
#include <string.h>

/* What a shard adds up; padded so that two workers do not write to one cache line. */
struct engine_sum {
  _Alignas(64) double loss, right;
};

/* --- sizes --- */

static int64_t shard_begin(const engine *g, int64_t batch, int shard) { return shard * batch / g->shards; }

/* The fewest samples, as a power of two, with rows enough for matrix products to run well, and activations that outweigh the
 * gradients, all of which a micro-batch reads and writes; within a workspace that stays in the shared cache. The fewer, the
 * more of a layer's numbers are still near when they are needed again. docs/speed.md has the measurements. */
int engine_micro_batch(const model *m, const task *t) {
  enum { ROWS = 100, BYTES = 20 << 20 };
  const double outweigh = 1.5;
  task_tape r = t->record(m, 0, 1);
  plan *p = plan_new(r.tape, r.loss, 1, &r.output);
  int64_t rows = 1, one = p->numbers * 4; /* bytes as float in either build */
  for (val v = 0; v < r.tape->values; v++)
    if (r.tape->value[v].kind == TAPE_NODE && shape_rows(r.tape->value[v].s) > rows)
      rows = shape_rows(r.tape->value[v].s);
  plan_free(p);
  tape_free(r.tape);
  double gradients = (double)m->params.numbers * 4;
  int micro = 1;
  while ((micro * rows < ROWS || (double)(micro * one) < outweigh * gradients) && 2 * micro * one <= BYTES)
    micro *= 2;
  return micro;
}

/* Kept to the end of a run: what is judged, and the inputs of norm layers when those are probed. */
static plan *plan_for(const engine *g, const task_tape *r, engine_mode mode) {
  val *keep = mem_new((size_t)g->model->norms + TASK_SLOTS_MAX + 1, sizeof *keep);
  int n = 0;
  keep[n++] = r->output;
  for (int k = 0; k < g->task->slots; k++)
    if (g->task->judged >> k & 1) keep[n++] = r->slot[k];
  for (int i = 0; i < g->model->norms && mode == ENGINE_PROBE; i++)
    keep[n++] = tape_find(r->tape, g->model->norm[i]->path);
  plan *p = plan_new(r->tape, mode == ENGINE_TRAIN ? r->loss : NO_VAL, n, keep);
  mem_free(keep);
  return p;
}

static void need_count(engine *g, engine_mode mode, int64_t n) {
  if (n == 0) return;
  engine_tape *t = &g->by_count[n];
  if (!t->rec.tape) t->rec = g->task->record(g->model, g->label_smoothing, n);
  if (!t->plan[mode]) t->plan[mode] = plan_for(g, &t->rec, mode);
}

/* The sizes of micro-batches that n samples are cut into. */
static void need_run(engine *g, engine_mode mode, int64_t n) {
  if (n >= g->micro_batch) need_count(g, mode, g->micro_batch);
  need_count(g, mode, n % g->micro_batch);
}

static void need_all(engine *g, const engine_use *use) {
  for (int i = 0; i < 2; i++)
    for (int s = 0; s < g->shards && use->train[i]; s++)
      need_run(g, ENGINE_TRAIN, shard_begin(g, use->train[i], s + 1) - shard_begin(g, use->train[i], s));
  for (int i = 0; i < 4; i++) need_run(g, ENGINE_EVAL, use->eval[i]);
  need_run(g, ENGINE_PROBE, use->probe);
  for (int n = 1; n <= g->micro_batch && use->eval_any; n++) need_count(g, ENGINE_EVAL, n);
}

static size_t workspace_size(const engine *g) {
  int64_t most = 0;
  for (int n = 1; n <= g->micro_batch; n++)
    for (int mode = 0; mode < ENGINE_MODES; mode++) {
      const plan *p = g->by_count[n].plan[mode];
      if (p && p->numbers > most) most = p->numbers;
    }
  return (size_t)most * sizeof(real);
}

/* --- life --- */

static st take_memory(engine *g, bool train, err *e) {
  int threads = work_threads(g->pool);
  size_t size = workspace_size(g), one = (size_t)g->model->params.total;
  g->workspace = mem_new((size_t)threads, sizeof *g->workspace);
  for (int i = 0; i < threads; i++)
    if (mem_map(&g->workspace[i], size, "activations", e)) return e->code;
  if (packs_open(&g->packs, &g->model->params, train, e)) return e->code;
  if (!train) return ST_OK;
  if (mem_map(&g->grad_store, (size_t)g->shards * one * sizeof(real), "gradients", e)) return e->code;
  g->grads = mem_new((size_t)g->shards, sizeof *g->grads);
  for (int s = 0; s < g->shards; s++) g->grads[s] = (real *)g->grad_store.base + (size_t)s * one;
  return ST_OK;
}

st engine_open(engine *g, const model *m, const task *t, const engine_use *use, work_pool *pool, err *e) {
  *g = (engine){.model = m,
                .task = t,
                .pool = pool,
                .shards = use->shards,
                .micro_batch = use->micro_batch ? use->micro_batch : engine_micro_batch(m, t),
                .label_smoothing = use->label_smoothing,
                .seed = use->seed,
                .still = use->still};
  g->by_count = mem_new((size_t)g->micro_batch + 1, sizeof *g->by_count);
  g->sum = mem_new((size_t)g->shards, sizeof *g->sum);
  need_all(g, use);
  if (take_memory(g, use->train[0] > 0, e)) {
    engine_close(g);
    return e->code;
  }
  return ST_OK;
}

void engine_close(engine *g) {
  for (int n = 0; g->by_count && n <= g->micro_batch; n++) {
    for (int mode = 0; mode < ENGINE_MODES; mode++) plan_free(g->by_count[n].plan[mode]);
    tape_free(g->by_count[n].rec.tape);
  }
  for (int i = 0; g->workspace && i < work_threads(g->pool); i++) mem_unmap(&g->workspace[i]);
  packs_close(&g->packs);
  mem_free(g->workspace);
  mem_free(g->by_count);
  mem_free(g->sum);
  mem_free(g->grads);
  mem_unmap(&g->grad_store);
  *g = (engine){0};
}

size_t engine_workspace_bytes(const engine *g) {
  return (size_t)work_threads(g->pool) * g->workspace[0].size;
}
size_t engine_packed_bytes(const engine *g) { return g->packs.store.size; }
size_t engine_gradient_bytes(const engine *g) { return g->grad_store.size; }

/* --- running --- */

/* One micro-batch in a worker's workspace, its slots filled. */
static tape_run start_run(engine *g, engine_mode mode, int64_t first, int64_t n, const engine_feed *feed,
                          int worker, real **slot) {
  const engine_tape *t = &g->by_count[n];
  REQUIRE(t->plan[mode], "no plan for %lld samples", (long long)n);
  tape_run r = {.plan = t->plan[mode],
                .base = (real *)g->workspace[worker].base,
                .values = g->model->params.value,
                .panels = g->packs.panels,
                .op = {.seed = g->seed, .first_sample = first},
                .after = g->after,
                .context = g->after_context};
  for (int k = 0; k < g->task->slots; k++) slot[k] = tape_at(&r, t->rec.slot[k]);
  feed->fill(feed->context, first, n, slot, worker);
  return r;
}

typedef struct step_context {
  engine *g;
  const engine_feed *feed;
  int64_t batch;
  uint64_t step;
} step_context;

static void run_shard(void *context, int shard, int worker) {
  const step_context *c = context;
  engine *g = c->g;
  struct engine_sum sum = {0};
  real *slot[TASK_SLOTS_MAX] = {0};
  int64_t end = shard_begin(g, c->batch, shard + 1), n = 0;
  memset(g->grads[shard], 0, (size_t)g->model->params.total * sizeof(real));
  for (int64_t i = shard_begin(g, c->batch, shard); i < end; i += n) {
    n = end - i < g->micro_batch ? end - i : g->micro_batch;
    tape_run r = start_run(g, ENGINE_TRAIN, i, n, c->feed, worker, slot);
    r.grads = g->grads[shard];
    r.op.train = !g->still;
    r.op.step = c->step;
    tape_forward(&r);
    sum.loss += (double)*tape_at(&r, g->by_count[n].rec.loss);
    for (int64_t j = 0; j < n; j++) {
      task_score score;
      g->task->judge(g->model, (const real *const *)slot, tape_at(&r, g->by_count[n].rec.output), j, &score);
      sum.right += score.metric[1];
    }
    tape_backward(&r, 1.0 / (double)c->batch);
  }
  g->sum[shard] = sum;
}

void engine_step(engine *g, int64_t batch, uint64_t step, const engine_feed *feed, engine_result *out) {
  step_context c = {g, feed, batch, step};
  packs_refresh(&g->packs, g->pool);
  work_run(g->pool, g->shards, run_shard, &c);
  *out = (engine_result){0};
  for (int s = 0; s < g->shards; s++) {
    out->loss += g->sum[s].loss / (double)batch;
    out->acc1 += g->sum[s].right / (double)batch;
  }
  out->finite = isfinite(out->loss);
}

typedef struct forward_context {
  engine *g;
  engine_mode mode;
  const engine_feed *feed;
  const engine_sink *sink;
  int64_t n;
} forward_context;

static void run_unit(void *context, int unit, int worker) {
  const forward_context *c = context;
  engine *g = c->g;
  real *slot[TASK_SLOTS_MAX] = {0};
  int64_t first = (int64_t)unit * g->micro_batch;
  int64_t n = c->n - first < g->micro_batch ? c->n - first : g->micro_batch;
  tape_run r = start_run(g, c->mode, first, n, c->feed, worker, slot);
  tape_forward(&r);
  const task_tape *t = &g->by_count[n].rec;
  engine_part part = {
      .run = &r, .tape = t, .output = tape_at(&r, t->output), .first = first, .n = n, .unit = unit};
  for (int k = 0; k < g->task->slots; k++) part.slot[k] = slot[k];
  c->sink->take(c->sink->context, &part);
}

void engine_forward(engine *g, engine_mode mode, int64_t n, const engine_feed *feed,
                    const engine_sink *sink) {
  forward_context c = {g, mode, feed, sink, n};
  if (g->grads || !g->packed) packs_refresh(&g->packs, g->pool);
  g->packed = true;
  work_run(g->pool, (int)((n + g->micro_batch - 1) / g->micro_batch), run_unit, &c);
}

/* --- diagnosis --- */

typedef struct suspect {
  const engine *g;
  str *out;
  bool found;
} suspect;

static void accuse(suspect *s, const char *what, const char *path, const real *x, int64_t n) {
  if (s->found || !x || k_finite(n, x)) return;
  int64_t bad = 0;
  while (isfinite((double)x[bad])) bad++;
  str_addf(s->out, "%s %s is %g at %lld of %lld", what, path, (double)x[bad], (long long)bad, (long long)n);
  s->found = true;
}

static void look(void *context, const tape_run *r, int node, bool backward) {
  suspect *s = context;
  const tape *t = r->plan->tape;
  const tape_node *n = &t->node[node];
  if (s->found) return;
  if (!backward) {
    accuse(s, "the result of", n->path, tape_at(r, n->out), shape_numel(t->value[n->out].s));
    return;
  }
  for (int k = 0; k < n->n_in; k++) {
    if (n->in[k] == NO_VAL) continue;
    const tape_value *v = &t->value[n->in[k]];
    const char *name = v->kind == TAPE_PARAM ? t->params->p[v->index].name : n->path;
    accuse(s, v->kind == TAPE_PARAM ? "the gradient of" : "the gradient of an input of", name,
           tape_grad_at(r, n->in[k]), shape_numel(v->s));
  }
}

void engine_diagnose(engine *g, int64_t batch, uint64_t step, const engine_feed *feed, str *out) {
  suspect s = {g, out, false};
  for (int i = 0; i < g->model->params.count; i++)
    accuse(&s, "the parameter", g->model->params.p[i].name, params_value(&g->model->params, i),
           shape_numel(g->model->params.p[i].s));
  g->after = look;
  g->after_context = &s;
  step_context c = {g, feed, batch, step};
  for (int shard = 0; shard < g->shards && !s.found; shard++) run_shard(&c, shard, 0);
  g->after = NULL;
  g->after_context = NULL;
  if (!s.found) str_add(out, "the sum of the gradients overflows though each is finite");
}
