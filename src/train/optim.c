#include "dyt/optim.h"

#include <math.h>
#include <string.h>

#define OPTIMIZER(name) extern const optimizer optimizer_##name;
#include "dyt/optimizers.def"

static const optimizer *const optimizers[] = {
#define OPTIMIZER(name) &optimizer_##name,
#include "dyt/optimizers.def"
};

enum { SPAN = 16384 }; /* numbers: a span of all shards fits in a core's cache */

static const optimizer *optimizer_of(const char *name) {
  for (size_t i = 0; i < sizeof optimizers / sizeof optimizers[0]; i++)
    if (strcmp(optimizers[i]->name, name) == 0) return optimizers[i];
  REQUIRE(false, "no optimizer %s", name);
}

static int top_layer(const params *p) {
  int top = 0;
  for (int i = 0; i < p->count; i++) top = p->p[i].layer > top ? p->p[i].layer : top;
  return top;
}

static void add_spans(optim *o, const param *p, int top) {
  int64_t n = p->flags & PARAM_TRAIN ? shape_numel(p->s) : 0;
  double rate = pow(o->cfg.layer_decay, top - p->layer);
  for (int64_t at = 0; at < n; at += SPAN)
    o->span[o->spans++] =
        (optim_span){p->offset + at, n - at < SPAN ? n - at : SPAN, p->flags & PARAM_DECAY, rate};
}

st optim_open(optim *o, params *p, const config_optim *cfg, err *e) {
  *o = (optim){.kind = optimizer_of(cfg->name), .params = p, .cfg = *cfg};
  size_t states = (size_t)o->kind->states;
  if (mem_map(&o->store, states * (size_t)p->total * sizeof(real), "the optimizer", e)) return e->code;
  for (size_t k = 0; k < states; k++) o->state[k] = (real *)o->store.base + k * (size_t)p->total;
  o->span = mem_new((size_t)(p->total / SPAN + p->count) + 1, sizeof *o->span);
  for (int i = 0, top = top_layer(p); i < p->count; i++) add_spans(o, &p->p[i], top);
  o->square = mem_new((size_t)o->spans + 1, sizeof *o->square);
  return ST_OK;
}

void optim_close(optim *o) {
  mem_free(o->span);
  mem_free(o->square);
  mem_unmap(&o->store);
  *o = (optim){0};
}

typedef struct reduce_context {
  optim *o;
  real *const *grads;
  int shards;
} reduce_context;

static void reduce_span(void *context, int i, int worker) {
  const reduce_context *c = context;
  const optim_span *s = &c->o->span[i];
  (void)worker;
  for (int step = 1; step < c->shards; step *= 2)
    for (int k = 0; k + step < c->shards; k += 2 * step)
      k_add(s->n, c->grads[k] + s->at, c->grads[k + step] + s->at, c->grads[k] + s->at);
  c->o->square[i] = k_sumsq(s->n, c->grads[0] + s->at);
}

double optim_reduce(optim *o, work_pool *pool, real *const *grads, int shards) {
  reduce_context c = {o, grads, shards};
  work_run(pool, o->spans, reduce_span, &c);
  double sum = 0;
  for (int i = 0; i < o->spans; i++) sum += o->square[i];
  return sqrt(sum);
}

static void update_span(void *context, int i, int worker) {
  optim_step u = *(const optim_step *)context;
  const optim_span *s = &u.o->span[i];
  (void)worker;
  u.lr *= s->rate;
  u.o->kind->update(&u, s);
}

void optim_update(optim *o, work_pool *pool, const real *grad, double lr, double norm) {
  double clip = o->cfg.clip_norm, gscale = clip > 0 ? fmin(1, clip / (norm + 1e-6)) : 1;
  optim_step u = {o, grad, lr, gscale};
  o->steps++;
  work_run(pool, o->spans, update_span, &u);
}

double optim_lr(double lr, double min_lr, int64_t step, double warmup, int64_t total) {
  double t = (double)step;
  if (t + 1 <= warmup) return lr * (t + 1) / warmup;
  double rest = fmax(1, (double)total - warmup), done = fmin(1, fmax(0, (t - warmup) / rest));
  return min_lr + 0.5 * (lr - min_lr) * (1 + cos(3.14159265358979323846 * done));
}
