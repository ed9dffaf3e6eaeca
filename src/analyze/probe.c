/* What a probe runs: the model, and for some layers at a time their inputs and outputs in memory. */
#include "dyt/probe.h"

#include "probe_parts.h"

#include "dyt/file.h"
#include "dyt/mem.h"

#include <gsl/gsl_errno.h>
#include <string.h>

/* --- the output of a layer before gamma and beta --- */

static void of_rows(bool center, const nn_norm *norm, int64_t rows, int64_t channels, const real *x,
                    real *y) {
  real *stats = mem_new(2 * (size_t)rows, sizeof *stats);
  k_norm_fwd(center, rows, channels, x, NULL, NULL, norm->cfg.eps, y, stats);
  mem_free(stats);
}

static void of_layernorm(const nn_norm *norm, const params *p, int64_t rows, int64_t channels, const real *x,
                         real *y) {
  (void)p;
  of_rows(true, norm, rows, channels, x, y);
}

static void of_rmsnorm(const nn_norm *norm, const params *p, int64_t rows, int64_t channels, const real *x,
                       real *y) {
  (void)p;
  of_rows(false, norm, rows, channels, x, y);
}

static void of_dyt(const nn_norm *norm, const params *p, int64_t rows, int64_t channels, const real *x,
                   real *y) {
  bool per_channel = shape_numel(p->p[norm->alpha].s) > 1;
  const real *shift = norm->shift >= 0 ? params_value(p, norm->shift) : NULL;
  k_pointwise_fwd(norm->fn, rows, channels, x, params_value(p, norm->alpha), per_channel, shift, NULL, NULL,
                  y, NULL);
}

static void of_none(const nn_norm *norm, const params *p, int64_t rows, int64_t channels, const real *x,
                    real *y) {
  (void)norm, (void)p;
  memcpy(y, x, (size_t)(rows * channels) * sizeof *y);
}

static const struct kind {
  const char *name;
  void (*output)(const nn_norm *norm, const params *p, int64_t rows, int64_t channels, const real *x,
                 real *y);
} kinds[] = {{"layernorm", of_layernorm}, {"rmsnorm", of_rmsnorm}, {"dyt", of_dyt}, {"none", of_none}};

void probe_output(const nn_norm *norm, const params *p, int64_t rows, int64_t channels, const real *x,
                  real *y) {
  size_t i = 0;
  while (i < sizeof kinds / sizeof *kinds && strcmp(kinds[i].name, norm->cfg.kind) != 0) i++;
  REQUIRE(i < sizeof kinds / sizeof *kinds, "%s: no norm of kind %s", norm->path, norm->cfg.kind);
  kinds[i].output(norm, p, rows, channels, x, y);
}

/* --- some layers at a time --- */

enum { GROUP_BYTES = 256 << 20 };

/* Layers first .. end-1, whose inputs and outputs are in memory. */
typedef struct held {
  probe *p;
  int first, end;
  real **x; /* [layers] into `store`; y follows x */
  arena store;
} held;

static void keep_inputs(void *context, const engine_part *part) {
  const held *h = context;
  for (int i = h->first; i < h->end; i++) {
    const probe_layer *l = &h->p->layer[i];
    int64_t one = l->n / h->p->samples;
    val v = tape_find(part->tape->tape, l->norm->path);
    memcpy(h->x[i] + part->first * one, tape_at(part->run, v), (size_t)(part->n * one) * sizeof(real));
  }
}

static void measure_layer(void *context, int nth, int worker) {
  const held *h = context;
  int i = h->first + nth;
  probe_layer *l = &h->p->layer[i];
  (void)worker;
  probe_output(l->norm, &h->p->run.model.params, l->n / l->channels, l->channels, h->x[i], h->x[i] + l->n);
  probe_measure(l, h->x[i], h->x[i] + l->n, (uint64_t)i);
}

static st run_group(held *h, engine *g, const feed *f, size_t numbers, err *e) {
  if (mem_map(&h->store, numbers * sizeof(real), "the norm layers' inputs and outputs", e)) return e->code;
  real *next = (real *)h->store.base;
  for (int i = h->first; i < h->end; i++) {
    h->x[i] = next;
    next += 2 * h->p->layer[i].n;
  }
  engine_forward(g, ENGINE_PROBE, h->p->samples, &f->engine, &(engine_sink){keep_inputs, h});
  work_run(h->p->run.pool, h->end - h->first, measure_layer, h);
  mem_unmap(&h->store);
  return ST_OK;
}

static st run_groups(probe *p, engine *g, const feed *f, err *e) {
  st code = ST_OK;
  held h = {.p = p, .x = mem_new((size_t)p->layers + 1, sizeof *h.x)};
  for (; !code && h.first < p->layers; h.first = h.end) {
    size_t numbers = 0;
    do numbers += 2 * (size_t)p->layer[h.end++].n;
    while (h.end < p->layers &&
           (numbers + 2 * (size_t)p->layer[h.end].n) * sizeof(real) <= (size_t)GROUP_BYTES);
    code = run_group(&h, g, f, numbers, e);
  }
  mem_free(h.x);
  return code;
}

/* --- a run --- */

/* Sizes as the tape of a micro-batch has them. */
static void name_layers(probe *p, const engine *g, const norm_stats *stats) {
  int64_t unit = p->samples < g->micro_batch ? p->samples : g->micro_batch;
  const tape *t = g->by_count[unit].rec.tape;
  p->layers = p->run.model.norms;
  p->layer = mem_new((size_t)p->layers + 1, sizeof *p->layer);
  for (int i = 0; i < p->layers; i++) {
    const nn_norm *norm = p->run.model.norm[i];
    shape s = tape_shape(t, tape_find(t, norm->path));
    p->layer[i] = (probe_layer){.norm = norm,
                                .figures = norm_stats_figures(stats, i),
                                .n = stats->total[i].n,
                                .tokens = s.rank > 2 ? shape_rows(s) / s.dim[0] : 0,
                                .channels = shape_cols(s)};
  }
}

static st measure_all(probe *p, engine *g, feed *f, err *e) {
  norm_stats stats;
  feed_split(f, &p->run.data.train, NULL, NULL);
  norm_stats_open(&stats, &p->run.model, p->samples, g->micro_batch, false);
  norm_stats_take(&stats, g, &f->engine);
  name_layers(p, g, &stats);
  norm_stats_close(&stats);
  if (run_groups(p, g, f, e)) return e->code;
  return data_check(&p->run.data, e);
}

st probe_open(probe *p, const trained_options *o, err *e) {
  *p = (probe){0};
  if (trained_open_data(&p->run, o, e)) return e->code;
  const config_train *c = &p->run.cfg.train;
  p->samples = c->probe_samples < p->run.data.train.n ? c->probe_samples : p->run.data.train.n;
  engine_use use = {.shards = 1, .micro_batch = c->micro_batch, .probe = p->samples};
  engine g;
  st code = engine_open(&g, &p->run.model, &task_classify, &use, p->run.pool, e);
  if (!code) {
    gsl_set_error_handler_off(); /* a fit that does not converge is no reason to end the process */
    code = measure_all(p, &g, &p->run.feed, e);
    engine_close(&g);
  }
  if (code) probe_close(p);
  return code;
}

void probe_close(probe *p) {
  for (int i = 0; i < p->layers; i++) {
    mem_free(p->layer[i].pair);
    mem_free(p->layer[i].token);
  }
  mem_free(p->layer);
  trained_close(&p->run);
  *p = (probe){0};
}

st probe_shapes(const char *run_dir, int threads, probe_shape **out, int *layers, err *e) {
  probe p;
  *out = NULL, *layers = 0;
  if (probe_open(&p, &(trained_options){.source = run_dir, .threads = threads}, e)) return e->code;
  *layers = p.layers;
  *out = mem_new((size_t)p.layers + 1, sizeof **out);
  for (int i = 0; i < p.layers; i++) (*out)[i] = p.layer[i].shape;
  probe_close(&p);
  return ST_OK;
}
