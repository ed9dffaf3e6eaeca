/* alpha and 1/std of norm layers: over training, and one against the other at its end. */
#include "figure_parts.h"

#include "dyt/mem.h"

#include <math.h>
#include <string.h>

static int layers_of(const figure_cell *c) { return c->runs ? c->run[0]->layers : 0; }

/* Seeds of a cell have the same layers, unless somebody mixed records. */
static bool alike(const record *a, const record *b) {
  bool same = a->layers == b->layers;
  for (int l = 0; same && l < a->layers; l++) same = strcmp(a->layer[l].name, b->layer[l].name) == 0;
  return same;
}

static int sites_of(const figure_job *j, bool has[STYLE_SITES]) {
  int n = 0;
  for (int site = 0; site < STYLE_SITES; site++) {
    has[site] = false;
    for (int i = 0; i < j->cells; i++) has[site] |= style_has_site(j->cell[i].run[0], site);
    n += has[site];
  }
  return n;
}

static void begin(const figure_job *j, const style_grid *g, str *s) {
  str names = {0};
  figure_add_labels(j, "cell_", &names);
  style_begin(j->name, names.data, g, s);
  str_free(&names);
  style_add_shades(s);
}

static int place_below(const figure_cell *c) { return layers_of(c) > 1 ? layers_of(c) - 1 : 1; }

/* --- over training --- */

static bool has_norms(const record *r) { return r->norms.rows > 0; }

/* Means over seeds of a layer at the logging points of the first seed. */
static void add_layer(const figure_cell *c, int number, int l, str *data, record_range *x,
                      record_range y[2]) {
  const record_table *t = &c->run[0]->norms;
  for (int row = l; row < t->rows; row += layers_of(c)) {
    double sum[2] = {0};
    int n = 0;
    for (int k = 0; k < c->runs; k++) {
      const record_table *of = &c->run[k]->norms;
      if (!alike(c->run[0], c->run[k]) || row >= of->rows ||
          record_at(of, row, NORMS_STEP) != record_at(t, row, NORMS_STEP))
        continue;
      sum[0] += record_at(of, row, NORMS_ALPHA), sum[1] += record_at(of, row, NORMS_INV_STD);
      n++;
    }
    str_addf(data, "%d,%.0f,%d,%s,%s", number, record_at(t, row, NORMS_STEP), l, c->run[0]->layer[l].name,
             c->run[0]->layer[l].site);
    for (int q = 0; q < 2; q++) {
      double mean = sum[q] / n;
      style_add_field(data, mean);
      if (isfinite(mean)) y[q] = (record_range){fmin(y[q].low, mean), fmax(y[q].high, mean)};
    }
    str_addf(data, ",%d\n", n);
    x->low = fmin(x->low, record_at(t, row, NORMS_STEP)),
    x->high = fmax(x->high, record_at(t, row, NORMS_STEP));
  }
}

static const struct quantity {
  const char *label, *none;
  int column;
} quantities[2] = {{STYLE_ALPHA, "no " STYLE_ALPHA, 6}, {"1/std of the input", "nothing logged", 7}};

static bool has_alpha(const figure_cell *c) { return c->runs && record_has(&c->run[0]->norms, NORMS_ALPHA); }

/* A block of the data file a layer: those of a cell stand together. */
static void add_panel(const figure_job *j, int i, int first_block, const struct quantity *q, bool any,
                      str *s) {
  const figure_cell *c = &j->cell[i];
  str_addf(s, "set title cell_%d noenhanced\nset xlabel 'step'\nset ylabel '%s'\n", i + 1, q->label);
  if (!any) {
    style_add_empty(q->none, s);
    return;
  }
  int points = layers_of(c) ? c->run[0]->norms.rows / layers_of(c) : 0;
  str_addf(
      s,
      "plot for [block=%d:%d] '%s.csv' skip 1 index block using 2:%d:(shade(strcol(5), column(3) / %d.0)) with %s "
      "linewidth 1.6 linecolor rgb variable\n",
      first_block, first_block + layers_of(c) - 1, j->name, q->column, place_below(c),
      points <= STYLE_FEW / 2 ? "linespoints pointtype 7 pointsize 0.35" : "lines");
}

static st write_norms(figure_job *j, err *e) {
  record_range x = RECORD_NOTHING, y[2] = {RECORD_NOTHING, RECORD_NOTHING};
  int block[FIGURE_CELLS_MAX], blocks = 0;
  bool has[STYLE_SITES], alpha = false;
  str data = {0}, s = {0};
  str_add(&data, "cell,step,index,layer,site,alpha,inv_std,n\n");
  for (int i = 0; i < j->cells; i++) {
    block[i] = blocks;
    for (int l = 0; l < layers_of(&j->cell[i]); l++, blocks++) {
      add_layer(&j->cell[i], i + 1, l, &data, &x, y);
      str_add(&data, "\n\n");
    }
    alpha |= has_alpha(&j->cell[i]);
  }
  int columns = alpha ? 2 : 1, width = alpha ? 300 : 420;
  sites_of(j, has);
  style_grid g = style_grid_of(j->cells, columns, width, 220, 1, style_site_key_height(columns * width));
  begin(j, &g, &s);
  style_add_time_range(x, &s);
  for (int i = 0; i < j->cells; i++)
    for (int q = alpha ? 0 : 1; q < 2; q++) {
      style_add_range("y", y[q], STYLE_LOG_STD, &s);
      add_panel(j, i, block[i], &quantities[q], q || has_alpha(&j->cell[i]), &s);
    }
  style_add_site_key(&g, has, false, &s);
  st code = style_write_data(j->folder, j->name, &data, e), written = style_finish(j->folder, j->name, &s, e);
  return code ? code : written;
}

const figure_kind figure_norms = {.name = "norms",
                                  .title = STYLE_ALPHA " and 1/std over training",
                                  .caption = "A line a norm layer, mean over seeds; paler: earlier layers.",
                                  .lacks = "no run has logged its norm layers",
                                  .cells_most = 4,
                                  .has = has_norms,
                                  .write = write_norms};

/* --- at the end --- */

static bool has_end(const record *r) {
  record_end end = record_end_of(r);
  mem_free(end.points.x);
  return end.points.rows > 0;
}

/* Sums of a layer over seeds. */
typedef struct layer_sum {
  double alpha, inv_std;
  int n;
} layer_sum;

/* r of each seed; its points. */
static stats_summary add_seeds(const figure_cell *c, int number, layer_sum *sum, str *data) {
  double r[STUDY_SEEDS_MAX];
  int n = 0;
  for (int k = 0; k < c->runs; k++) {
    record_end end = record_end_of(c->run[k]);
    for (int row = 0; alike(c->run[0], c->run[k]) && row < end.points.rows; row++) {
      int l = (int)record_at(&end.points, row, NORMS_LAYER);
      double alpha = record_at(&end.points, row, NORMS_ALPHA),
             inv_std = record_at(&end.points, row, NORMS_INV_STD);
      sum[l] = (layer_sum){sum[l].alpha + alpha, sum[l].inv_std + inv_std, sum[l].n + 1};
      str_addf(data, "%d,%d,%d,%s,%s", number, k + 1, l, c->run[0]->layer[l].name, c->run[0]->layer[l].site);
      style_add_field(data, alpha), style_add_field(data, inv_std);
      str_add(data, "\n");
    }
    if (isfinite(end.pearson)) r[n++] = end.pearson;
    mem_free(end.points.x);
  }
  return stats_summarize(r, n);
}

/* The means are seed 0 of the data file. */
static stats_summary add_end(const figure_cell *c, int number, str *data, record_range *x, record_range *y) {
  layer_sum *sum = mem_new((size_t)layers_of(c) + 1, sizeof *sum);
  str means = {0};
  stats_summary r = add_seeds(c, number, sum, data);
  for (int l = 0; l < layers_of(c); l++) {
    if (!sum[l].n) continue;
    double alpha = sum[l].alpha / sum[l].n, inv_std = sum[l].inv_std / sum[l].n;
    str_addf(&means, "%d,0,%d,%s,%s", number, l, c->run[0]->layer[l].name, c->run[0]->layer[l].site);
    style_add_field(&means, alpha), style_add_field(&means, inv_std);
    str_add(&means, "\n");
  }
  for (int k = 0; k < c->runs; k++) {
    record_end end = record_end_of(c->run[k]);
    record_widen(&end.points, NORMS_INV_STD, x), record_widen(&end.points, NORMS_ALPHA, y);
    mem_free(end.points.x);
  }
  if (means.len) str_add(data, means.data);
  str_free(&means);
  mem_free(sum);
  str_add(data, "\n\n");
  return r;
}

static void plot_end(const figure_job *j, int i, stats_summary r, str *s) {
  str_addf(s, "set title cell_%d.\"\\n", i + 1);
  if (!r.n)
    str_add(s, "Pearson r undefined");
  else if (r.n == 1)
    str_addf(s, "Pearson r = %.2f", r.mean);
  else
    str_addf(s, "Pearson r = %.2f (%.2f to %.2f)", r.mean, r.min, r.max);
  str_addf(
      s,
      "\" noenhanced\nplot '%s.csv' skip 1 index %d using 7:6:(column(2) > 0 ? 0.45 : 1.15):(mark(strcol(5))):"
      "(shade(strcol(5), column(3) / %d.0)) with points pointsize variable pointtype variable linecolor rgb variable\n",
      j->name, i, place_below(&j->cell[i]));
}

static st write_alpha_std(figure_job *j, err *e) {
  record_range x = RECORD_NOTHING, y[FIGURE_CELLS_MAX];
  stats_summary r[FIGURE_CELLS_MAX];
  bool has[STYLE_SITES];
  str data = {0}, s = {0};
  str_add(&data, "cell,seed,index,layer,site,alpha,inv_std\n");
  for (int i = 0; i < j->cells; i++) {
    y[i] = RECORD_NOTHING;
    r[i] = add_end(&j->cell[i], i + 1, &data, &x, &y[i]);
  }
  int columns = j->cells < 2 ? 1 : 2, width = columns > 1 ? 300 : 380;
  sites_of(j, has);
  style_grid g = style_grid_of((j->cells + columns - 1) / columns, columns, width, 290, 2,
                               style_site_key_height(columns * width));
  begin(j, &g, &s);
  str_add(&s, "set grid xtics\nset xlabel '1/std of the input'\nset ylabel '" STYLE_ALPHA "'\n");
  style_add_range("x", x, STYLE_LOG_STD, &s);
  for (int i = 0; i < j->cells; i++) {
    style_add_range("y", y[i], STYLE_LOG_STD, &s);
    plot_end(j, i, r[i], &s);
  }
  style_add_site_key(&g, has, true, &s);
  st code = style_write_data(j->folder, j->name, &data, e), written = style_finish(j->folder, j->name, &s, e);
  return code ? code : written;
}

const figure_kind figure_alpha_std = {
    .name = "alpha_std",
    .title = STYLE_ALPHA " against 1/std at the end of training",
    .caption =
        "A point a norm layer: large the mean over seeds, small each seed; each panel has its own " STYLE_ALPHA
        " axis. Pearson's r over layers, mean and range over seeds.",
    .lacks = "no run has norm layers with an alpha",
    .cells_most = FIGURE_CELLS_MAX,
    .has = has_end,
    .write = write_alpha_std};
