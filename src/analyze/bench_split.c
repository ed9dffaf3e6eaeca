#include "bench_parts.h"

#include "dyt/progress.h"
#include "dyt/workers.h"

#include <string.h>

typedef struct splitter {
  bench_model *m;
  bench_split *out;
  double last; /* clock at the end of the previous node */
} splitter;

static bench_part *part_named(bench_split *out, const char *name) {
  for (int i = 0; i < out->parts; i++)
    if (strcmp(out->part[i].name, name) == 0) return &out->part[i];
  REQUIRE(out->parts < BENCH_SPLIT_MAX, "more than %d operations", BENCH_SPLIT_MAX);
  out->part[out->parts] = (bench_part){.name = name};
  return &out->part[out->parts++];
}

static void stamp(void *context, const tape_run *r, int node, bool backward) {
  splitter *s = context;
  double now = progress_clock();
  bench_part *p = part_named(s->out, r->plan->tape->node[node].op->name);
  *(backward ? &p->bwd_ms : &p->fwd_ms) += (now - s->last) * 1e3;
  s->last = now;
}

/* The first node's time begins when the images are there. */
static void fill(void *context, int64_t first, int64_t n, real *const *slot, int worker) {
  splitter *s = context;
  s->m->feed.fill(s->m->feed.context, first, n, slot, worker);
  s->last = progress_clock();
}

/* Reduction and update, as one more operation without a backward pass. */
static void update(splitter *s, const engine *g) {
  s->last = progress_clock();
  bench_model_update(s->m, g);
  part_named(s->out, "optimizer")->fwd_ms += (progress_clock() - s->last) * 1e3;
}

static void time_steps(splitter *s, engine *g, int steps) {
  bench_model *m = s->m;
  engine_feed feed = {fill, s};
  engine_result r;
  engine_step(g, m->train, 0, &feed, &r);
  g->after = stamp;
  g->after_context = s;
  for (int i = 0; i < steps; i++) {
    engine_step(g, m->train, (uint64_t)i, &feed, &r);
    update(s, g);
  }
  for (int i = 0; i < s->out->parts; i++) {
    s->out->part[i].fwd_ms /= steps;
    s->out->part[i].bwd_ms /= steps;
  }
}

/* Node by node on one thread, so in an engine of its own. */
st bench_split_run(bench_model *m, int steps, bench_split *out, err *e) {
  *out = (bench_split){0};
  splitter s = {.m = m, .out = out};
  engine g;
  engine_use use = {.shards = m->engine.shards,
                    .micro_batch = m->engine.micro_batch,
                    .label_smoothing = m->engine.label_smoothing,
                    .seed = m->engine.seed,
                    .train = {m->train}};
  work_pool *one = workers_new(1, 1);
  st code = engine_open(&g, &m->model, &task_classify, &use, one, e);
  if (!code) {
    code = mem_afford("the time of each operation",
                      engine_workspace_bytes(&g) + engine_packed_bytes(&g) + engine_gradient_bytes(&g),
                      "a smaller model, train.shards or train.micro_batch may fit", e);
    if (!code) time_steps(&s, &g, steps);
    engine_close(&g);
  }
  work_free(one);
  return code;
}

double bench_split_ms(const bench_split *s, const char *name) {
  double ms = 0;
  for (int i = 0; i < s->parts; i++)
    if (!name || strcmp(s->part[i].name, name) == 0) ms += s->part[i].fwd_ms + s->part[i].bwd_ms;
  return ms;
}
