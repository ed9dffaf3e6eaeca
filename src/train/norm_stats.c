#include "dyt/norm_stats.h"

#include <math.h>
#include <string.h>

void norm_stats_open(norm_stats *s, const model *m, int64_t samples, int micro_batch) {
  int units = (int)((samples + micro_batch - 1) / micro_batch);
  *s = (norm_stats){.model = m,
                    .samples = samples,
                    .units = units,
                    .part = mem_new((size_t)units * (size_t)m->norms + 1, sizeof(norm_stat)),
                    .total = mem_new((size_t)m->norms + 1, sizeof(norm_stat))};
}

void norm_stats_close(norm_stats *s) {
  mem_free(s->part);
  mem_free(s->total);
  *s = (norm_stats){0};
}

static bool has_alpha(const nn_norm *n) { return n->alpha >= 0; }

/* A slope "below a tenth of that at zero" means something only where that one is a positive number. */
static bool can_saturate(const nn_norm *n) {
  return has_alpha(n) && isfinite(k_functions[n->fn].slope0) && k_functions[n->fn].slope0 > 0;
}

static void take(void *context, const engine_part *part) {
  norm_stats *s = context;
  const params *p = &s->model->params;
  for (int i = 0; i < s->model->norms; i++) {
    const nn_norm *norm = s->model->norm[i];
    val v = tape_find(part->tape->tape, norm->path);
    shape dims = tape_shape(part->tape->tape, v);
    const real *x = tape_at(part->run, v);
    norm_stat *out = &s->part[part->unit * s->model->norms + i];
    *out = (norm_stat){.n = shape_numel(dims)};
    k_moments(out->n, x, 0, out->moments);
    if (!can_saturate(norm)) continue;
    out->saturated = k_saturated(norm->fn, shape_rows(dims), shape_cols(dims), x,
                                 params_value(p, norm->alpha), shape_numel(p->p[norm->alpha].s) > 1,
                                 norm->shift >= 0 ? *params_value(p, norm->shift) : 0);
  }
}

void norm_stats_take(norm_stats *s, engine *g, const engine_feed *feed) {
  engine_forward(g, ENGINE_PROBE, s->samples, feed, &(engine_sink){take, s});
  for (int i = 0; i < s->model->norms; i++) {
    norm_stat *t = &s->total[i];
    *t = (norm_stat){0};
    for (int u = 0; u < s->units; u++) {
      const norm_stat *p = &s->part[u * s->model->norms + i];
      t->moments[0] += p->moments[0];
      t->moments[1] += p->moments[1];
      t->moments[2] = fmax(t->moments[2], p->moments[2]);
      t->saturated += p->saturated;
      t->n += p->n;
    }
  }
}

static double mean_alpha(const params *p, int index) {
  int64_t n = shape_numel(p->p[index].s);
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += (double)params_value(p, index)[i];
  return sum / (double)n;
}

static void add_field(str *out, double v) {
  str_add(out, ",");
  if (isfinite(v)) str_addf(out, "%.9g", v);
}

void norm_stats_write(const norm_stats *s, int64_t step, double epoch, str *out) {
  for (int i = 0; i < s->model->norms; i++) {
    const nn_norm *norm = s->model->norm[i];
    const norm_stat *t = &s->total[i];
    double n = (double)t->n, mean = t->moments[0] / n, std = sqrt(fmax(0, t->moments[1] / n - mean * mean));
    str_addf(out, "%lld,%.6g,%s,%d,%s,%s,%s", (long long)step, epoch, norm->path, i, norm->site,
             norm->cfg.kind, has_alpha(norm) ? norm->cfg.fn : "");
    add_field(out, has_alpha(norm) ? mean_alpha(&s->model->params, norm->alpha) : NAN);
    add_field(out, 1 / std);
    add_field(out, mean);
    add_field(out, std);
    add_field(out, t->moments[2]);
    add_field(out, can_saturate(norm) ? (double)t->saturated / n : NAN);
    str_addf(out, ",%lld\n", (long long)t->n);
  }
}
