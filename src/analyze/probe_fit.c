/* What follows from a layer's pairs: samples of them, a line and a tanh by least squares, and where the extremes are. */
#include "probe_parts.h"

#include "dyt/mem.h"
#include "dyt/rng.h"

#include <gsl/gsl_multifit_nlinear.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <string.h>

/* --- samples --- */

/* `most` of the numbers 0 .. n-1, or all, each set of them as probable as any other, in order (Knuth, volume 2, algorithm S). */
static int64_t draw(const char *name, uint64_t stream, int64_t n, int64_t most, int64_t *out) {
  rng r = rng_at(0, name, stream, 0);
  int64_t drawn = 0;
  for (int64_t i = 0; i < n && drawn < most; i++)
    if (rng_uniform(&r) * (double)(n - i) < (double)(most - drawn)) out[drawn++] = i;
  return drawn;
}

static void keep_pairs(probe_layer *l, const real *x, const real *y, uint64_t stream) {
  int64_t at[PROBE_PAIRS];
  l->pairs = draw("probe pairs", stream, l->n, PROBE_PAIRS, at);
  l->pair = mem_new((size_t)l->pairs + 1, sizeof *l->pair);
  for (int64_t i = 0; i < l->pairs; i++) l->pair[i] = (probe_pair){at[i], (double)x[at[i]], (double)y[at[i]]};
}

static void keep_tokens(probe_layer *l, const real *x, const real *y, uint64_t stream) {
  int64_t row[PROBE_TOKENS];
  l->whole = draw("probe tokens", stream, l->n / l->channels, PROBE_TOKENS, row);
  l->token = mem_new((size_t)(l->whole * l->channels) + 1, sizeof *l->token);
  for (int64_t i = 0; i < l->whole * l->channels; i++) {
    int64_t at = row[i / l->channels] * l->channels + i % l->channels;
    l->token[i] = (probe_pair){at, (double)x[at], (double)y[at]};
  }
}

/* --- a line --- */

/* Sums about the means. */
typedef struct sums {
  double mean_x, mean_y, xx, xy, yy;
} sums;

static sums sums_of(int64_t n, const real *x, const real *y) {
  sums s = {0};
  for (int64_t i = 0; i < n; i++) s.mean_x += (double)x[i], s.mean_y += (double)y[i];
  s.mean_x /= (double)n, s.mean_y /= (double)n;
  for (int64_t i = 0; i < n; i++) {
    double dx = (double)x[i] - s.mean_x, dy = (double)y[i] - s.mean_y;
    s.xx += dx * dx, s.xy += dx * dy, s.yy += dy * dy;
  }
  return s;
}

static void fit_line(probe_layer *l, const sums *s) {
  l->slope = s->xy / s->xx;
  l->intercept = s->mean_y - l->slope * s->mean_x;
  l->shape.line_r2 = s->xy * s->xy / (s->xx * s->yy);
}

/* --- a tanh ---
 *
 * a tanh(b x) is fitted as s g(b, x), g = tanh(b x) / b, with the slope at zero s = a b for a parameter: pairs that hardly bend
 * settle s and leave b near 0, where a would run away. dg/db = (x (1 - tanh^2) - g) / b. */

typedef struct points {
  size_t n;
  double *x, *y;
} points;

static double bent(double b, double x) {
  double z = b * x;
  return fabs(z) < 1e-4 ? x * (1 - z * z / 3) : tanh(z) / b;
}

static double bent_slope(double b, double x) {
  double z = b * x, t = tanh(z);
  return fabs(z) < 1e-4 ? -2.0 / 3 * b * x * x * x : (x * (1 - t * t) - t / b) / b;
}

static int residuals(const gsl_vector *at, void *data, gsl_vector *out) {
  const points *p = data;
  double s = gsl_vector_get(at, 0), b = gsl_vector_get(at, 1);
  for (size_t i = 0; i < p->n; i++) gsl_vector_set(out, i, s * bent(b, p->x[i]) - p->y[i]);
  return GSL_SUCCESS;
}

static int slopes(const gsl_vector *at, void *data, gsl_matrix *out) {
  const points *p = data;
  double s = gsl_vector_get(at, 0), b = gsl_vector_get(at, 1);
  for (size_t i = 0; i < p->n; i++) {
    gsl_matrix_set(out, i, 0, bent(b, p->x[i]));
    gsl_matrix_set(out, i, 1, s * bent_slope(b, p->x[i]));
  }
  return GSL_SUCCESS;
}

/* The best of some b, from nearly a line to nearly a step, each with its best slope. */
static void guess(const points *p, double *slope, double *b) {
  enum { FIRST = -6, LAST = 4 };
  double square = 0, best = -1;
  for (size_t i = 0; i < p->n; i++) square += p->x[i] * p->x[i];
  for (int power = FIRST; power <= LAST; power++) {
    double c = ldexp(1 / sqrt(square / (double)p->n), power), gg = 0, gy = 0;
    for (size_t i = 0; i < p->n; i++) {
      double g = bent(c, p->x[i]);
      gg += g * g, gy += g * p->y[i];
    }
    if (gy * gy / gg <= best) continue; /* what the fit takes off the sum of squares */
    best = gy * gy / gg;
    *slope = gy / gg, *b = c;
  }
}

static void fit_points(points *p, double *slope, double *b) {
  enum { ITERATIONS = 100 };
  const double tolerance = 1e-10;
  guess(p, slope, b);
  double start[] = {*slope, *b};
  int info;
  gsl_vector_view from = gsl_vector_view_array(start, 2);
  gsl_multifit_nlinear_parameters how = gsl_multifit_nlinear_default_parameters();
  gsl_multifit_nlinear_fdf f = {.f = residuals, .df = slopes, .n = p->n, .p = 2, .params = p};
  gsl_multifit_nlinear_workspace *w = gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &how, f.n, f.p);
  REQUIRE(w, "no memory to fit %zu points", p->n);
  gsl_multifit_nlinear_init(&from.vector, &f, w);
  /* Where it stops short of the tolerance it stands at the best it has found. */
  gsl_multifit_nlinear_driver(ITERATIONS, tolerance, tolerance, 0, NULL, NULL, &info, w);
  *slope = gsl_vector_get(w->x, 0);
  *b = fabs(gsl_vector_get(w->x, 1));
  gsl_multifit_nlinear_free(w);
}

/* Fitted to a sample, judged on all. */
static void fit_tanh(probe_layer *l, const real *x, const real *y, double sst, uint64_t stream) {
  int64_t *at = mem_new(PROBE_FITTED, sizeof *at);
  points p = {.n = (size_t)draw("probe fit", stream, l->n, PROBE_FITTED, at)};
  double *xy = mem_new(2 * p.n, sizeof *xy), slope = NAN, b = NAN, sse = 0;
  p.x = xy, p.y = xy + p.n;
  for (size_t i = 0; i < p.n; i++) p.x[i] = (double)x[at[i]], p.y[i] = (double)y[at[i]];
  fit_points(&p, &slope, &b);
  int64_t linear = 0;
  for (int64_t i = 0; i < l->n; i++) {
    double rest = (double)y[i] - slope * bent(b, (double)x[i]);
    sse += rest * rest;
    linear += fabs(b * (double)x[i]) < 0.5;
  }
  l->shape.a = slope / b, l->shape.b = b;
  l->shape.tanh_r2 = 1 - sse / sst;
  l->shape.linear_share = (double)linear / (double)l->n;
  mem_free(xy);
  mem_free(at);
}

/* --- extremes --- */

/* Puts a channel among those with the largest shares; of equal ones the lower, which came before, stays first. */
static void rank(probe_layer *l, probe_channel c) {
  int i = 0;
  while (i < PROBE_TOP && l->top[i].channel >= 0 && l->top[i].share >= c.share) i++;
  if (i == PROBE_TOP) return;
  memmove(&l->top[i + 1], &l->top[i], (size_t)(PROBE_TOP - 1 - i) * sizeof c);
  l->top[i] = c;
}

/* The largest thousandth is what is no smaller than its last one. */
static void find_extremes(probe_layer *l, const real *x) {
  size_t most = (size_t)(l->n + 999) / 1000;
  double *size = mem_new((size_t)l->n, sizeof *size), *largest = mem_new(most, sizeof *largest);
  int64_t *count = mem_new((size_t)l->channels, sizeof *count), all = 0;
  for (int64_t i = 0; i < l->n; i++) size[i] = fabs((double)x[i]);
  gsl_sort_largest(largest, most, size, 1, (size_t)l->n);
  for (int64_t i = l->n - 1; i >= 0; i--) {
    if (size[i] < largest[most - 1]) continue;
    count[i % l->channels]++, all++;
    if (size[i] == largest[0]) l->absmax_channel = i % l->channels;
  }
  for (int64_t c = 0; c < l->channels; c++)
    if (count[c]) rank(l, (probe_channel){c, (double)count[c] / (double)all});
  mem_free(size);
  mem_free(largest);
  mem_free(count);
}

void probe_measure(probe_layer *l, const real *x, const real *y, uint64_t stream) {
  l->shape = (probe_shape){NAN, NAN, NAN, NAN, NAN};
  l->slope = l->intercept = NAN;
  l->absmax_channel = -1;
  for (int i = 0; i < PROBE_TOP; i++) l->top[i] = (probe_channel){-1, NAN};
  keep_pairs(l, x, y, stream);
  keep_tokens(l, x, y, stream);
  if (!k_finite(l->n, x) || !k_finite(l->n, y)) return;
  find_extremes(l, x);
  sums s = sums_of(l->n, x, y);
  if (!(s.xx > 0 && s.yy > 0)) return;
  fit_line(l, &s);
  fit_tanh(l, x, y, s.yy, stream);
}
