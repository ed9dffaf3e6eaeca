#include "dyt/norm_stats.h"

#include <math.h>
#include <string.h>

void norm_stats_open(norm_stats *s, const model *m, int64_t samples, int micro_batch, bool histograms) {
  int units = (int)((samples + micro_batch - 1) / micro_batch);
  *s = (norm_stats){.model = m,
                    .samples = samples,
                    .units = units,
                    .part = mem_new((size_t)units * (size_t)m->norms + 1, sizeof(norm_stat)),
                    .total = mem_new((size_t)m->norms + 1, sizeof(norm_stat))};
  if (!histograms) return;
  s->limit = mem_new(HISTOGRAM_BUCKETS, sizeof *s->limit);
  s->count = mem_new((size_t)m->norms * HISTOGRAM_BUCKETS + 1, sizeof *s->count);
  histogram_limits(s->limit);
}

void norm_stats_close(norm_stats *s) {
  mem_free(s->part);
  mem_free(s->total);
  mem_free(s->limit);
  mem_free(s->count);
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
    if (s->limit) histogram_count(s->limit, out->n, x, s->count + (int64_t)i * HISTOGRAM_BUCKETS, out->range);
    if (!can_saturate(norm)) continue;
    out->saturated = k_saturated(norm->fn, shape_rows(dims), shape_cols(dims), x,
                                 params_value(p, norm->alpha), shape_numel(p->p[norm->alpha].s) > 1,
                                 norm->shift >= 0 ? *params_value(p, norm->shift) : 0);
  }
}

void norm_stats_take(norm_stats *s, engine *g, const engine_feed *feed) {
  for (int64_t b = 0; s->count && b < (int64_t)s->model->norms * HISTOGRAM_BUCKETS; b++) s->count[b] = 0;
  engine_forward(g, ENGINE_PROBE, s->samples, feed, &(engine_sink){take, s});
  for (int i = 0; i < s->model->norms; i++) {
    norm_stat *t = &s->total[i];
    *t = (norm_stat){.range = {INFINITY, -INFINITY}};
    for (int u = 0; u < s->units; u++) {
      const norm_stat *p = &s->part[u * s->model->norms + i];
      t->moments[0] += p->moments[0];
      t->moments[1] += p->moments[1];
      t->moments[2] = fmax(t->moments[2], p->moments[2]);
      t->range[0] = fmin(t->range[0], p->range[0]);
      t->range[1] = fmax(t->range[1], p->range[1]);
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

norm_figures norm_stats_figures(const norm_stats *s, int layer) {
  const nn_norm *norm = s->model->norm[layer];
  const norm_stat *t = &s->total[layer];
  double n = (double)t->n, mean = t->moments[0] / n, std = sqrt(fmax(0, t->moments[1] / n - mean * mean));
  return (norm_figures){.alpha = has_alpha(norm) ? mean_alpha(&s->model->params, norm->alpha) : NAN,
                        .inv_std = 1 / std,
                        .mean = mean,
                        .std = std,
                        .absmax = t->moments[2],
                        .saturated = can_saturate(norm) ? (double)t->saturated / n : NAN};
}

static void add_field(str *out, double v) {
  str_add(out, ",");
  if (isfinite(v)) str_addf(out, "%.9g", v);
}

void norm_stats_write(const norm_stats *s, int64_t step, double epoch, str *out) {
  for (int i = 0; i < s->model->norms; i++) {
    const nn_norm *norm = s->model->norm[i];
    norm_figures f = norm_stats_figures(s, i);
    const double field[] = {f.alpha, f.inv_std, f.mean, f.std, f.absmax, f.saturated};
    str_addf(out, "%lld,%.6g,%s,%d,%s,%s,%s", (long long)step, epoch, norm->path, i, norm->site,
             norm->cfg.kind, has_alpha(norm) ? norm->cfg.fn : "");
    for (size_t k = 0; k < sizeof field / sizeof *field; k++) add_field(out, field[k]);
    str_addf(out, ",%lld\n", (long long)s->total[i].n);
  }
}
