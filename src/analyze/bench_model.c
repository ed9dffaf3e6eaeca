#include "bench_parts.h"

#include <string.h>

static int64_t images(const bench_model *b) { return b->train > b->eval ? b->train : b->eval; }
static shape slot_shape(const bench_model *b, int slot, int64_t n) {
  return task_classify.slot_shape(&b->model, slot, n);
}

static void fill(void *context, int64_t first, int64_t n, real *const *slot, int worker) {
  const bench_model *b = context;
  (void)worker;
  for (int k = 0; k < task_classify.slots; k++) {
    int64_t one = shape_numel(slot_shape(b, k, 1));
    memcpy(slot[k], b->slot[k] + first * one, (size_t)(n * one) * sizeof(real));
  }
}

static void make_batch(bench_model *b) {
  int classes = b->model.cfg.classes;
  for (int k = 0; k < task_classify.slots; k++) {
    int64_t n = shape_numel(slot_shape(b, k, images(b)));
    b->slot[k] = mem_new((size_t)n, sizeof(real));
    bench_fill(b->slot[k], n);
  }
  for (int64_t i = 0; i < images(b) * classes; i++)
    b->slot[1][i] = (real)(i % classes == i / classes % classes);
  b->feed = (engine_feed){fill, b};
}

size_t bench_model_bytes(const bench_model *b) {
  size_t batch = 0;
  for (int k = 0; k < task_classify.slots; k++)
    batch += (size_t)shape_numel(slot_shape(b, k, images(b))) * sizeof(real);
  return b->model.params.store.size + b->optim.store.size + engine_gradient_bytes(&b->engine) +
         engine_packed_bytes(&b->engine) + engine_workspace_bytes(&b->engine) + batch;
}

static st take_memory(bench_model *b, err *e) {
  const config *c = &b->cfg;
  if (model_build(&b->model, &c->model, e)) return e->code;
  engine_use use = {.shards = c->train.shards,
                    .micro_batch = c->train.micro_batch,
                    .label_smoothing = c->train.label_smoothing,
                    .seed = c->train.seed,
                    .train = {b->train},
                    .eval = {b->eval}};
  if (engine_open(&b->engine, &b->model, &task_classify, &use, b->pool, e)) return e->code;
  if (b->train && optim_open(&b->optim, &b->model.params, &c->optim, e)) return e->code;
  return mem_afford("the benchmark", bench_model_bytes(b),
                    "a smaller model, train.batch_size, train.shards or train.micro_batch may fit", e);
}

st bench_model_open(bench_model *b, const config *c, work_pool *pool, int64_t train, int64_t eval, err *e) {
  *b = (bench_model){.cfg = *c, .pool = pool, .train = train, .eval = eval};
  if (take_memory(b, e)) {
    bench_model_close(b);
    return e->code;
  }
  params_draw(&b->model.params, c->train.seed, b->pool);
  make_batch(b);
  if (train) bench_model_step(b, 1);
  if (eval) bench_model_forward(b, 1);
  return ST_OK;
}

void bench_model_close(bench_model *b) {
  for (int k = 0; k < TASK_SLOTS_MAX; k++) mem_free(b->slot[k]);
  if (b->optim.params) optim_close(&b->optim);
  if (b->engine.model) engine_close(&b->engine);
  if (b->model.family) model_free(&b->model);
  *b = (bench_model){0};
}

void bench_model_backward(void *context, int64_t times) {
  bench_model *b = context;
  engine_result r;
  for (int64_t i = 0; i < times; i++) engine_step(&b->engine, b->train, b->step++, &b->feed, &r);
}

/* lr is tiny, so that a long benchmark does not diverge. */
void bench_model_update(bench_model *b, const engine *g) {
  double norm = optim_reduce(&b->optim, g->pool, g->grads, g->shards);
  optim_update(&b->optim, g->pool, g->grads[0], 1e-9, norm);
}

void bench_model_step(void *context, int64_t times) {
  bench_model *b = context;
  for (int64_t i = 0; i < times; i++) {
    bench_model_backward(b, 1);
    bench_model_update(b, &b->engine);
  }
}

static void ignore(void *context, const engine_part *part) { (void)context, (void)part; }

void bench_model_forward(void *context, int64_t times) {
  bench_model *b = context;
  const engine_sink sink = {ignore, NULL};
  for (int64_t i = 0; i < times; i++) engine_forward(&b->engine, ENGINE_EVAL, b->eval, &b->feed, &sink);
}

double bench_model_flops(const model *m) {
  task_tape r = task_classify.record(m, 0, 1);
  double flops = tape_flops(r.tape);
  tape_free(r.tape);
  return flops;
}
