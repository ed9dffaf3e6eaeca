#include "dyt/replay.h"

#include "dyt/engine.h"
#include "dyt/optim.h"
#include "dyt/weights.h"
#include "dyt/workers.h"

#include <math.h>
#include <string.h>

typedef struct replay {
  config *cfg;
  const replay_options *opt;
  safetensors weights, batch;
  int64_t n;
  real *slot[TASK_SLOTS_MAX]; /* images, targets of the whole batch */
  model model;
  work_pool *pool;
  engine engine;
  optim optim;
  real *logits;
  real *loss, *grad; /* [max(1, steps)], first gradients in the store's layout */
} replay;

enum { IMAGES, TARGETS };

/* --- what is given --- */

static void fill_unknown(config *c, const char *key, int now, int64_t found) {
  if (now == 0 && found > 0) config_fill(c, key, (double)found);
}

/* The head's rows, or the targets' columns, are the classes. */
static int64_t count_classes(const replay *r) {
  const safetensors_entry *head = safetensors_find(&r->weights, "head.weight");
  const safetensors_entry *targets = safetensors_find(&r->batch, "targets");
  if (head && head->rank == 2) return head->shape[0];
  return targets && targets->rank == 2 ? targets->shape[1] : 0;
}

static st fit_images(replay *r, err *e) {
  const safetensors_entry *t = safetensors_find(&r->batch, "images");
  config *c = r->cfg;
  char text[64];
  if (!t || t->rank != 4 || t->shape[0] < 1)
    return err_add(e, ST_USER, "%s: expected a tensor images [N, C, H, W]", r->batch.path);
  safetensors_shape_text(t, text);
  if (t->shape[2] != t->shape[3] || t->shape[2] > 1 << 16 || t->shape[1] > CONFIG_CHANNELS_MAX ||
      t->shape[0] > 1 << 24)
    return err_add(e, ST_USER, "%s: images %s: expected square images of at most %d channels", r->batch.path,
                   text, CONFIG_CHANNELS_MAX);
  fill_unknown(c, "model.image_size", c->model.image_size, t->shape[2]);
  fill_unknown(c, "model.channels", c->model.channels, t->shape[1]);
  fill_unknown(c, "model.classes", c->model.classes, count_classes(r));
  if (t->shape[2] != c->model.image_size || t->shape[1] != c->model.channels)
    return err_add(e, ST_USER, "%s: images %s, but the model takes [N, %d, %d, %d]", r->batch.path, text,
                   c->model.channels, c->model.image_size, c->model.image_size);
  r->n = t->shape[0];
  r->slot[IMAGES] = mem_new((size_t)safetensors_numel(t), sizeof(real));
  st code = config_check_shapes(c, e);
  return code ? code : safetensors_to_real(&r->batch, t, r->slot[IMAGES], e);
}

static st read_labels(replay *r, const safetensors_entry *t, err *e) {
  int64_t *label = mem_new((size_t)r->n, sizeof *label), K = r->cfg->model.classes;
  st code = t->rank == 1 && t->shape[0] == r->n
                ? safetensors_to_int(&r->batch, t, label, e)
                : err_add(e, ST_USER, "%s: expected labels [%lld]", r->batch.path, (long long)r->n);
  for (int64_t i = 0; i < r->n && !code; i++) {
    if (label[i] < 0 || label[i] >= K)
      code = err_add(e, ST_USER, "%s: label %lld of sample %lld, but the model has %lld classes",
                     r->batch.path, (long long)label[i], (long long)i, (long long)K);
    else
      r->slot[TARGETS][i * K + label[i]] = 1;
  }
  mem_free(label);
  return code;
}

static st fit_targets(replay *r, err *e) {
  const safetensors_entry *labels = safetensors_find(&r->batch, "labels");
  const safetensors_entry *t = safetensors_find(&r->batch, "targets");
  int64_t K = r->cfg->model.classes;
  if (K == 0) return err_add(e, ST_USER, "model.classes: null, and neither head.weight nor targets tell it");
  r->slot[TARGETS] = mem_new((size_t)(r->n * K), sizeof(real));
  if (t && t->rank == 2 && t->shape[0] == r->n && t->shape[1] == K)
    return safetensors_to_real(&r->batch, t, r->slot[TARGETS], e);
  if (!t && labels) return read_labels(r, labels, e);
  return err_add(e, ST_USER, "%s: expected labels [%lld] (I64) or targets [%lld, %lld]", r->batch.path,
                 (long long)r->n, (long long)r->n, (long long)K);
}

static st open_all(replay *r, err *e) {
  const config_train *c = &r->cfg->train;
  if (safetensors_read(r->opt->weights, &r->weights, e) || safetensors_read(r->opt->batch, &r->batch, e))
    return e->code;
  if (fit_images(r, e) || fit_targets(r, e)) return e->code;
  if (model_build(&r->model, &r->cfg->model, e) || weights_read(r->opt->weights, &r->model.params, e))
    return e->code;
  engine_use use = {.shards = c->shards,
                    .micro_batch = c->micro_batch,
                    .label_smoothing = c->label_smoothing,
                    .still = true,
                    .train = {r->n},
                    .eval = {r->n}};
  if (engine_open(&r->engine, &r->model, &task_classify, &use, r->pool, e)) return e->code;
  if (optim_open(&r->optim, &r->model.params, &r->cfg->optim, e)) return e->code;
  r->logits = mem_new((size_t)(r->n * r->cfg->model.classes), sizeof(real));
  r->loss = mem_new((size_t)r->opt->steps + 1, sizeof(real));
  r->grad = mem_new((size_t)r->model.params.total, sizeof(real));
  return ST_OK;
}

static void close_all(replay *r) {
  if (r->optim.params) optim_close(&r->optim);
  if (r->engine.model) engine_close(&r->engine);
  if (r->model.family) model_free(&r->model);
  safetensors_free(&r->weights);
  safetensors_free(&r->batch);
  for (int k = 0; k < TASK_SLOTS_MAX; k++) mem_free(r->slot[k]);
  mem_free(r->logits);
  mem_free(r->loss);
  mem_free(r->grad);
  work_free(r->pool);
}

/* --- what is done with it --- */

static void fill(void *context, int64_t first, int64_t n, real *const *slot, int worker) {
  const replay *r = context;
  (void)worker;
  for (int k = 0; k < task_classify.slots; k++) {
    int64_t one = shape_numel(task_classify.slot_shape(&r->model, k, 1));
    memcpy(slot[k], r->slot[k] + first * one, (size_t)(n * one) * sizeof(real));
  }
}

static void keep_logits(void *context, const engine_part *part) {
  replay *r = context;
  int64_t K = r->cfg->model.classes;
  memcpy(r->logits + part->first * K, part->output, (size_t)(part->n * K) * sizeof(real));
}

static st run(replay *r, err *e) {
  engine_feed feed = {fill, r};
  engine_forward(&r->engine, ENGINE_EVAL, r->n, &feed, &(engine_sink){keep_logits, r});
  for (int i = 0; i == 0 || i < r->opt->steps; i++) {
    engine_result result;
    engine_step(&r->engine, r->n, (uint64_t)i, &feed, &result);
    double norm = optim_reduce(&r->optim, r->pool, r->engine.grads, r->engine.shards);
    r->loss[i] = (real)result.loss;
    if (i == 0) memcpy(r->grad, r->engine.grads[0], (size_t)r->model.params.total * sizeof(real));
    if (!result.finite || !isfinite(norm))
      return err_add(e, ST_NUMBERS, "step %d: the loss or a gradient is not finite", i);
    if (i < r->opt->steps) optim_update(&r->optim, r->pool, r->engine.grads[0], r->cfg->optim.lr, norm);
  }
  return ST_OK;
}

static safetensors_entry vector(const char *name, const real *x, int rank, int64_t rows, int64_t cols) {
  return (safetensors_entry){.name = name,
                             .dtype = REAL_NAME,
                             .rank = rank,
                             .shape = {rows, cols},
                             .data = x,
                             .bytes = (uint64_t)(rows * cols) * sizeof(real)};
}

static st write_out(const replay *r, err *e) {
  const params *p = &r->model.params;
  safetensors_entry *t = mem_new(2 * (size_t)p->count + 2, sizeof *t);
  char **name = mem_new((size_t)p->count + 1, sizeof *name);
  int count = 0, named = 0;
  t[count++] = vector("loss", r->loss, 1, r->opt->steps > 1 ? r->opt->steps : 1, 1);
  t[count++] = vector("logits", r->logits, 2, r->n, r->cfg->model.classes);
  for (int i = 0; i < p->count; i++) {
    if (r->opt->steps) t[count++] = weights_entry(&p->p[i], p->p[i].name, p->value);
    if (!(p->p[i].flags & PARAM_TRAIN)) continue;
    name[named] = mem_printf("grad.%s", p->p[i].name);
    t[count++] = weights_entry(&p->p[i], name[named++], r->grad);
  }
  st code = safetensors_write(r->opt->out, t, count, NULL, 0, e);
  for (int i = 0; i < named; i++) mem_free(name[i]);
  mem_free(name);
  mem_free(t);
  return code;
}

st replay_run(config *c, const replay_options *o, err *e) {
  replay r = {.cfg = c, .opt = o, .pool = workers_new(o->threads, c->train.shards)};
  st code = open_all(&r, e);
  if (!code) code = run(&r, e);
  if (!code) code = write_out(&r, e);
  close_all(&r);
  return code;
}
