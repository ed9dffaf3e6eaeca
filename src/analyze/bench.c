#include "dyt/bench.h"

#include "dyt/engine.h"
#include "dyt/optim.h"
#include "dyt/progress.h"
#include "dyt/rng.h"
#include "dyt/workers.h"

#include <stdlib.h>
#include <string.h>

enum { GEMM_IMAGES = 16, ROUND_MS = 250 };

typedef struct product {
  int64_t rows, in, out;
} product;

typedef struct bench {
  const config *cfg;
  model model;
  work_pool *pool;
  engine engine;
  optim optim;
  real *slot[TASK_SLOTS_MAX]; /* a batch */
  engine_feed feed;
  product *product; /* of every linear layer */
  int products;
  arena *buffer; /* [threads] operands of the products */
  uint64_t step;
  double last; /* clock at the end of the previous node */
  bench_step *out;
} bench;

/* --- set-up --- */

static void settle(config *c) {
  if (!c->model.image_size) config_fill(c, "model.image_size", 28);
  if (!c->model.channels) config_fill(c, "model.channels", 1);
  if (!c->model.classes) config_fill(c, "model.classes", 10);
}

static void fill(void *context, int64_t first, int64_t n, real *const *slot, int worker) {
  bench *b = context;
  (void)worker;
  for (int k = 0; k < task_classify.slots; k++) {
    int64_t one = shape_numel(task_classify.slot_shape(&b->model, k, 1));
    memcpy(slot[k], b->slot[k] + first * one, (size_t)(n * one) * sizeof(real));
  }
  if (b->engine.after) b->last = progress_clock();
}

static void make_batch(bench *b) {
  for (int k = 0; k < task_classify.slots; k++) {
    int64_t n = shape_numel(task_classify.slot_shape(&b->model, k, b->cfg->train.batch_size));
    rng r = rng_at(1, task_classify.slot_name[k], 0, 0);
    b->slot[k] = mem_new((size_t)n, sizeof(real));
    for (int64_t i = 0; i < n; i++) b->slot[k][i] = (real)rng_normal(&r);
  }
  int classes = b->model.cfg.classes;
  for (int64_t i = 0; i < b->cfg->train.batch_size * classes; i++)
    b->slot[1][i] = (real)(i % classes == i / classes % classes);
  b->feed = (engine_feed){fill, b};
}

/* The linear layers' shapes, from the tape of as many images as a call takes. */
static st list_products(bench *b, err *e) {
  task_tape r = task_classify.record(&b->model, 0, GEMM_IMAGES);
  int64_t most = 0;
  b->product = mem_new((size_t)r.tape->nodes + 1, sizeof *b->product);
  for (int i = 0; i < r.tape->nodes; i++) {
    const tape_node *n = &r.tape->node[i];
    if (strcmp(n->op->name, "linear")) continue;
    shape x = tape_shape(r.tape, n->in[0]), y = tape_shape(r.tape, n->out);
    product p = {shape_rows(x), shape_cols(x), shape_cols(y)};
    int64_t size = p.rows * p.in + p.rows * p.out + 2 * p.in * p.out;
    b->product[b->products++] = p;
    if (size > most) most = size;
  }
  tape_free(r.tape);
  b->buffer = mem_new((size_t)work_threads(b->pool), sizeof *b->buffer);
  for (int i = 0; i < work_threads(b->pool); i++)
    if (mem_map(&b->buffer[i], (size_t)most * sizeof(real), "matrices", e)) return e->code;
  return ST_OK;
}

static st open_all(bench *b, config *c, int threads, err *e) {
  settle(c);
  if (config_check_shapes(c, e) || model_build(&b->model, &c->model, e)) return e->code;
  b->pool = workers_new(threads, c->train.shards);
  params_draw(&b->model.params, c->train.seed, b->pool);
  engine_use use = {.shards = c->train.shards,
                    .micro_batch = c->train.micro_batch,
                    .label_smoothing = c->train.label_smoothing,
                    .seed = c->train.seed,
                    .train = {c->train.batch_size}};
  if (engine_open(&b->engine, &b->model, &task_classify, &use, b->pool, e)) return e->code;
  if (optim_open(&b->optim, &b->model.params, &c->optim, e)) return e->code;
  make_batch(b);
  return list_products(b, e);
}

static void close_all(bench *b) {
  for (int i = 0; b->buffer && i < work_threads(b->pool); i++) mem_unmap(&b->buffer[i]);
  for (int k = 0; k < TASK_SLOTS_MAX; k++) mem_free(b->slot[k]);
  mem_free(b->buffer);
  mem_free(b->product);
  if (b->optim.params) optim_close(&b->optim);
  if (b->engine.model) engine_close(&b->engine);
  if (b->model.family) model_free(&b->model);
  work_free(b->pool);
}

/* --- timing --- */

/* lr is tiny, so that a long benchmark does not diverge. */
static void one_step(bench *b) {
  engine_result r;
  engine_step(&b->engine, b->cfg->train.batch_size, b->step++, &b->feed, &r);
  double norm = optim_reduce(&b->optim, b->pool, b->engine.grads, b->engine.shards);
  optim_update(&b->optim, b->pool, b->engine.grads[0], 1e-9, norm);
}

static void one_set_of_products(void *context, int index, int worker) {
  const bench *b = context;
  (void)index;
  for (int i = 0; i < b->products; i++) {
    product p = b->product[i];
    real *x = (real *)b->buffer[worker].base, *y = x + p.rows * p.in, *w = y + p.rows * p.out,
         *dw = w + p.in * p.out;
    k_gemm(false, true, p.rows, p.out, p.in, 1, x, p.in, w, p.in, 0, y, p.out);
    k_gemm(false, false, p.rows, p.in, p.out, 1, y, p.out, w, p.in, 0, x, p.in);
    k_gemm(true, false, p.out, p.in, p.rows, 1, y, p.out, x, p.in, 1, dw, p.in);
  }
}

static void all_products(bench *b) { work_run(b->pool, work_threads(b->pool), one_set_of_products, b); }

/* Calls a second, over at least ROUND_MS. */
static double rate(bench *b, void (*call)(bench *)) {
  double begun = progress_clock(), now = begun;
  int calls = 0;
  for (; (now - begun) * 1e3 < ROUND_MS || calls < 2; calls++, now = progress_clock()) call(b);
  return calls / (now - begun);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void time_both(bench *b) {
  double flops = 0;
  for (int i = 0; i < b->products; i++)
    flops += 6.0 * (double)b->product[i].rows * (double)b->product[i].in * (double)b->product[i].out;
  for (int i = 0; i < 2; i++) one_step(b), all_products(b);
  for (int i = 0; i < BENCH_ROUNDS; i++) {
    b->out->img_per_s[i] = rate(b, one_step) * b->cfg->train.batch_size;
    b->out->gemm_gflops[i] = rate(b, all_products) * flops * work_threads(b->pool) * 1e-9;
  }
  qsort(b->out->img_per_s, BENCH_ROUNDS, sizeof(double), ascending);
  qsort(b->out->gemm_gflops, BENCH_ROUNDS, sizeof(double), ascending);
}

static bench_op *op_named(bench_step *out, const char *name) {
  for (int i = 0; i < out->ops; i++)
    if (strcmp(out->op[i].name, name) == 0) return &out->op[i];
  REQUIRE(out->ops < BENCH_OPS_MAX, "more than %d operations", BENCH_OPS_MAX);
  out->op[out->ops] = (bench_op){.name = name};
  return &out->op[out->ops++];
}

static void stamp(void *context, const tape_run *r, int node, bool backward) {
  bench *b = context;
  double now = progress_clock();
  bench_op *o = op_named(b->out, r->plan->tape->node[node].op->name);
  *(backward ? &o->bwd_ms : &o->fwd_ms) += (now - b->last) * 1e3;
  b->last = now;
}

/* Node by node on one thread, so in the steps of an engine of its own. */
static st time_ops(bench *b, err *e) {
  enum { STEPS = 3 };
  work_pool *one = workers_new(1, 1), *all = b->pool;
  engine g = b->engine;
  engine_use use = {
      .shards = g.shards, .micro_batch = g.micro_batch, .seed = g.seed, .train = {b->cfg->train.batch_size}};
  st code = engine_open(&b->engine, &b->model, &task_classify, &use, one, e);
  if (!code) {
    b->pool = one;
    one_step(b);
    b->engine.after = stamp;
    b->engine.after_context = b;
    for (int i = 0; i < STEPS; i++) one_step(b);
    for (int i = 0; i < b->out->ops; i++) {
      b->out->op[i].fwd_ms /= STEPS;
      b->out->op[i].bwd_ms /= STEPS;
    }
    engine_close(&b->engine);
  }
  b->engine = g;
  b->pool = all;
  work_free(one);
  return code;
}

st bench_step_run(config *c, int threads, bench_step *out, err *e) {
  *out = (bench_step){0};
  bench b = {.cfg = c, .out = out};
  st code = open_all(&b, c, threads, e);
  if (!code) {
    task_tape r = task_classify.record(&b.model, 0, 1);
    out->flops = 3 * tape_flops(r.tape);
    tape_free(r.tape);
    out->threads = work_threads(b.pool);
    time_both(&b);
    out->peak_rss_mb = (double)mem_peak() * 1e-6;
    code = time_ops(&b, e);
  }
  close_all(&b);
  return code;
}

/* --- writing --- */

static void write_json(const bench_step *b, const char *name, double gflops, double gemm, str *out) {
  str_add(out, "{\"config\": ");
  str_add_quoted(out, name);
  str_addf(out,
           ", \"threads\": %d, \"simd\": \"%s\", \"blas\": \"%s\", \"img_per_s\": %.6g, \"gflops\": %.4g",
           b->threads, k_simd_level(), k_blas_name(), b->img_per_s[BENCH_ROUNDS / 2], gflops);
  str_addf(out, ", \"gemm_gflops\": %.4g, \"step_over_gemm\": %.4f, \"peak_rss_mb\": %.4g, \"ops\": [", gemm,
           gflops / gemm, b->peak_rss_mb);
  for (int i = 0; i < b->ops; i++)
    str_addf(out, "%s{\"name\": \"%s\", \"fwd_ms\": %.4g, \"bwd_ms\": %.4g}", i ? ", " : "", b->op[i].name,
             b->op[i].fwd_ms, b->op[i].bwd_ms);
  str_add(out, "]}\n");
}

void bench_step_write(const bench_step *b, const char *name, bool json, str *out) {
  double img = b->img_per_s[BENCH_ROUNDS / 2], gflops = img * b->flops * 1e-9,
         gemm = b->gemm_gflops[BENCH_ROUNDS / 2];
  if (json) {
    write_json(b, name, gflops, gemm, out);
    return;
  }
  str_addf(out, "%s: %d threads, %s, %s; medians of %d rounds (min .. max)\n", name, b->threads,
           k_simd_level(), k_blas_name(), BENCH_ROUNDS);
  str_addf(out, "training step     %8.0f images/s  (%.0f .. %.0f), %.1f GFLOP/s\n", img, b->img_per_s[0],
           b->img_per_s[BENCH_ROUNDS - 1], gflops);
  str_addf(out, "matrix products   %8.1f GFLOP/s   (%.1f .. %.1f) on the step's own shapes\n", gemm,
           b->gemm_gflops[0], b->gemm_gflops[BENCH_ROUNDS - 1]);
  str_addf(out, "step over gemm    %8.3f\npeak memory       %8.1f MB\n\n", gflops / gemm, b->peak_rss_mb);
  str_addf(out, "%-16s %10s %10s   ms a step, one thread\n", "operation", "forward", "backward");
  for (int i = 0; i < b->ops; i++)
    str_addf(out, "%-16s %10.3f %10.3f\n", b->op[i].name, b->op[i].fwd_ms, b->op[i].bwd_ms);
}
