/* bench norms: what the norm layers cost in a whole model, as Tables 14 and 15 of Zhu et al. 2025 measure it.
 *
 *   layer = time of the model - time of the same model with every norm replaced by nothing
 *
 * Inference is a forward pass over a batch, training a forward and backward pass (no optimizer, as there). All models are timed
 * in turns and differences taken within a round. A difference whose rounds do not all have one sign is inside the noise. */
#include "bench_parts.h"

#include "dyt/workers.h"

#include <string.h>

enum { NONE, LAYERNORM, RMSNORM, DYT, KINDS };
static const char *const kind_name[KINDS] = {"none", "layernorm", "rmsnorm", "dyt"};

enum { INFERENCE, TRAINING, MODES };
static const char *const mode_name[MODES] = {"inference", "training"};

typedef struct norms {
  bench_model m[KINDS];
  bench_series ms[MODES][KINDS];
  int threads;
} norms;

static void set_kind(config_model *c, const char *kind) { c->attn.kind = c->ffn.kind = c->final.kind = kind; }

static st open_all(norms *s, const bench_options *o, work_pool *pool, err *e) {
  for (int k = 0; k < KINDS; k++) {
    config c = *o->cfg;
    set_kind(&c.model, kind_name[k]);
    if (bench_model_open(&s->m[k], &c, pool, c.train.batch_size, c.train.batch_size, e)) return e->code;
  }
  return ST_OK;
}

static void time_all(norms *s, int round_ms) {
  bench_subject subject[MODES * KINDS];
  bench_series seconds[MODES * KINDS];
  for (int k = 0; k < KINDS; k++) {
    subject[INFERENCE * KINDS + k] = (bench_subject){NULL, bench_model_forward, &s->m[k]};
    subject[TRAINING * KINDS + k] = (bench_subject){NULL, bench_model_backward, &s->m[k]};
  }
  bench_in_turns(MODES * KINDS, subject, round_ms, seconds);
  for (int i = 0; i < MODES * KINDS; i++)
    for (int round = 0; round < BENCH_ROUNDS; round++)
      s->ms[i / KINDS][i % KINDS].round[round] = seconds[i].round[round] * 1e3;
}

/* --- results --- */

static bench_stat layer_of(const norms *s, int mode, int kind) {
  bench_series d = bench_difference(&s->ms[mode][kind], &s->ms[mode][NONE]);
  return bench_stat_of(&d);
}

static bool resolved(bench_stat s) { return s.min > 0 || s.max < 0; }

/* What DyT takes less than LayerNorm, as a share of what LayerNorm takes: of the layers, and of the whole model. */
typedef struct reduction {
  bench_stat ms; /* LayerNorm - DyT */
  double layer, model;
  bool resolved;
} reduction;

static reduction reduction_of(const norms *s, int mode) {
  bench_series d = bench_difference(&s->ms[mode][LAYERNORM], &s->ms[mode][DYT]);
  bench_stat ms = bench_stat_of(&d), layer = layer_of(s, mode, LAYERNORM);
  return (reduction){ms, ms.median / layer.median, ms.median / bench_stat_of(&s->ms[mode][LAYERNORM]).median,
                     resolved(ms) && resolved(layer)};
}

static void write_mode(const norms *s, int mode, str *out) {
  str_addf(out, "\n%-12s %28s   %28s   %s\n", mode_name[mode], "model, ms", "norm layers, ms",
           "of the model");
  for (int k = 0; k < KINDS; k++) {
    bench_stat whole = bench_stat_of(&s->ms[mode][k]), layer = layer_of(s, mode, k);
    str_addf(out, "  %-10s %8.2f (%7.2f .. %7.2f)", kind_name[k], whole.median, whole.min, whole.max);
    if (k != NONE)
      str_addf(out, "   %8.3f (%7.3f .. %7.3f)   %5.1f%%%s", layer.median, layer.min, layer.max,
               100 * layer.median / whole.median, resolved(layer) ? "" : "   inside the noise");
    str_add(out, "\n");
  }
  reduction r = reduction_of(s, mode);
  str_addf(out, "  DyT against LayerNorm: %.3f ms less (%.3f .. %.3f), ", r.ms.median, r.ms.min, r.ms.max);
  if (r.resolved)
    str_addf(out, "%.1f%% less in the layers, %.1f%% in the model\n", 100 * r.layer, 100 * r.model);
  else
    str_add(out, "inside the noise, no reduction shown\n");
}

static void write_table(const norms *s, const bench_options *o, str *out) {
  bench_write_title(o, s->threads, out);
  str_addf(out, "batch of %d; dyt is %s; in brackets the smallest and largest round\n",
           o->cfg->train.batch_size, o->cfg->model.attn.fn);
  for (int mode = 0; mode < MODES; mode++) write_mode(s, mode, out);
  str_add(
      out,
      "\nnorm layers: the model minus the one without norms, round by round; inside the noise: the rounds "
      "differ in sign\n");
}

static void write_json_kind(const norms *s, int mode, int kind, str *out) {
  bench_stat whole = bench_stat_of(&s->ms[mode][kind]), layer = layer_of(s, mode, kind);
  str_addf(out, "%s{\"mode\": \"%s\", \"kind\": \"%s\"", mode || kind ? ", " : "", mode_name[mode],
           kind_name[kind]);
  bench_write_stat(out, "model_ms", whole);
  if (kind != NONE) {
    bench_write_stat(out, "layer_ms", layer);
    bench_write_number(out, "layer_share", layer.median / whole.median);
    str_addf(out, ", \"resolved\": %s", resolved(layer) ? "true" : "false");
  }
  str_add(out, "}");
}

static void write_json(const norms *s, const bench_options *o, str *out) {
  bench_write_begin(o, s->threads, out);
  str_addf(out, ", \"batch\": %d, \"fn\": \"%s\", \"rows\": [", o->cfg->train.batch_size,
           o->cfg->model.attn.fn);
  for (int mode = 0; mode < MODES; mode++)
    for (int k = 0; k < KINDS; k++) write_json_kind(s, mode, k, out);
  str_add(out, "], \"dyt_against_layernorm\": [");
  for (int mode = 0; mode < MODES; mode++) {
    reduction r = reduction_of(s, mode);
    str_addf(out, "%s{\"mode\": \"%s\"", mode ? ", " : "", mode_name[mode]);
    bench_write_stat(out, "less_ms", r.ms);
    bench_write_number(out, "less_of_layer", r.layer);
    bench_write_number(out, "less_of_model", r.model);
    str_addf(out, ", \"resolved\": %s}", r.resolved ? "true" : "false");
  }
  str_add(out, "]}\n");
}

st bench_norms(const bench_options *o, str *out, err *e) {
  norms s = {0};
  work_pool *pool = workers_new(o->threads, o->cfg->train.shards);
  s.threads = work_threads(pool);
  st code = open_all(&s, o, pool, e);
  if (!code) {
    time_all(&s, o->round_ms);
    (o->json ? write_json : write_table)(&s, o, out);
  }
  for (int k = 0; k < KINDS; k++) bench_model_close(&s.m[k]);
  work_free(pool);
  return code;
}
