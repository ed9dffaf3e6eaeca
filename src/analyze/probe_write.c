/* A probe as a table for people and as files for programs, and how alpha goes with 1/std. */
#include "dyt/probe.h"

#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/stats.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* --- correlations --- */

static double cv(const double *x, int n) {
  stats_summary s = stats_summarize(x, n);
  return s.sd / s.mean;
}

probe_correlation probe_correlate(const probe *p, bool with_final) {
  enum { ALPHA, INV_STD, STD, ALPHA_STD, INDEX, COLUMNS };
  size_t room = (size_t)p->layers + 1;
  double *x = mem_new(COLUMNS * room, sizeof *x), *column[COLUMNS];
  for (size_t c = 0; c < COLUMNS; c++) column[c] = x + c * room;
  int n = 0;
  for (int i = 0; i < p->layers; i++) {
    const norm_figures *f = &p->layer[i].figures;
    if (isnan(f->alpha) || (!with_final && strcmp(p->layer[i].norm->site, "final") == 0)) continue;
    const double row[] = {f->alpha, f->inv_std, f->std, f->alpha * f->std, i};
    for (int c = 0; c < COLUMNS; c++) column[c][n] = row[c];
    n++;
  }
  probe_correlation r = {.layers = n,
                         .pearson = stats_pearson(column[ALPHA], column[INV_STD], n),
                         .spearman = stats_spearman(column[ALPHA], column[INV_STD], n),
                         .cv_alpha_std = cv(column[ALPHA_STD], n),
                         .cv_std = cv(column[STD], n),
                         .depth_pearson = stats_pearson(column[ALPHA], column[INDEX], n),
                         .depth_spearman = stats_spearman(column[ALPHA], column[INDEX], n)};
  mem_free(x);
  return r;
}

/* --- for people --- */

/* "-" where there is no number, and one that is too long as in 1.9e+06. */
static void add_cell(str *out, int width, int decimals, double v) {
  if (isfinite(v) && fabs(v) >= pow(10, width - decimals - 2))
    str_addf(out, "  %*.1e", width, v);
  else if (isfinite(v))
    str_addf(out, "  %*.*f", width, decimals, v);
  else
    str_addf(out, "  %*s", width, "-");
}

static void add_channels(str *out, const probe_layer *l) {
  for (int i = 0; i < PROBE_TOP && l->top[i].channel >= 0; i++)
    str_addf(out, "%s%" PRId64 " (%.0f%%)", i ? ", " : "  ", l->top[i].channel, 100 * l->top[i].share);
}

static int name_width(const probe *p) {
  size_t width = strlen("layer");
  for (int i = 0; i < p->layers; i++)
    if (strlen(p->layer[i].norm->path) > width) width = strlen(p->layer[i].norm->path);
  return (int)width;
}

static void add_correlation(str *out, const probe *p, bool with_final) {
  probe_correlation r = probe_correlate(p, with_final);
  const struct {
    const char *name;
    double value;
  } part[] = {{"Pearson", r.pearson},
              {", Spearman", r.spearman},
              {"; variation of alpha*std", r.cv_alpha_std},
              {", of std", r.cv_std},
              {"; alpha and depth: Pearson", r.depth_pearson}};
  str_addf(out, "%s, %d layers: ", with_final ? "alpha and 1/std" : "without the final norm", r.layers);
  for (size_t i = 0; i < sizeof part / sizeof *part; i++)
    if (isfinite(part[i].value))
      str_addf(out, "%s %.2f", part[i].name, part[i].value);
    else
      str_addf(out, "%s -", part[i].name);
  str_add(out, "\n");
}

void probe_table(const probe *p, str *out) {
  int width = name_width(p);
  str_addf(out, "%-*s  %-9s  %6s  %7s  %8s  %8s  %8s  %8s  %7s  %7s  %7s  largest |x| in channels\n", width,
           "layer", "kind", "alpha", "1/std", "|x| max", "flat", "R2 line", "R2 tanh", "a", "b", "|bx|<.5");
  for (int i = 0; i < p->layers; i++) {
    const probe_layer *l = &p->layer[i];
    const probe_shape *s = &l->shape;
    str_addf(out, "%-*s  %-9s", width, l->norm->path, l->norm->cfg.kind);
    add_cell(out, 6, 3, l->figures.alpha);
    add_cell(out, 7, 3, l->figures.inv_std);
    add_cell(out, 8, 2, l->figures.absmax);
    add_cell(out, 8, 3, l->figures.saturated);
    add_cell(out, 8, 4, s->line_r2);
    add_cell(out, 8, 4, s->tanh_r2);
    add_cell(out, 7, 3, s->a);
    add_cell(out, 7, 3, s->b);
    add_cell(out, 7, 3, s->linear_share);
    add_channels(out, l);
    str_add(out, "\n");
  }
  for (int with_final = 1; with_final >= 0; with_final--)
    if (probe_correlate(p, with_final).layers > 1) add_correlation(out, p, with_final);
}

/* --- for programs --- */

static void add_field(str *out, double v) {
  str_add(out, ",");
  if (isfinite(v)) str_add_number(out, v, 9);
}

static void add_channel(str *out, int64_t channel) {
  str_add(out, ",");
  if (channel >= 0) str_addf(out, "%" PRId64, channel);
}

static void add_layers(const probe *p, str *out) {
  str_add(out, "layer,index,site,kind,fn,alpha,inv_std,mean,std,absmax,sat_frac,alpha_std,line_r2,tanh_r2,"
               "tanh_minus_line,slope,intercept,a,b,linear_share,n,absmax_channel");
  for (int i = 1; i <= PROBE_TOP; i++) str_addf(out, ",channel_%d,share_%d", i, i);
  str_add(out, "\n");
  for (int i = 0; i < p->layers; i++) {
    const probe_layer *l = &p->layer[i];
    const norm_figures *f = &l->figures;
    const probe_shape *s = &l->shape;
    const double field[] = {f->alpha,     f->inv_std,        f->mean,    f->std,     f->absmax,
                            f->saturated, f->alpha * f->std, s->line_r2, s->tanh_r2, s->tanh_r2 - s->line_r2,
                            l->slope,     l->intercept,      s->a,       s->b,       s->linear_share};
    str_addf(out, "%s,%d,%s,%s,%s", l->norm->path, i, l->norm->site, l->norm->cfg.kind,
             isnan(f->alpha) ? "" : l->norm->cfg.fn);
    for (size_t k = 0; k < sizeof field / sizeof *field; k++) add_field(out, field[k]);
    str_addf(out, ",%" PRId64, l->n);
    add_channel(out, l->absmax_channel);
    for (int k = 0; k < PROBE_TOP; k++) {
      add_channel(out, l->top[k].channel);
      add_field(out, l->top[k].share);
    }
    str_add(out, "\n");
  }
}

static void add_pair(const probe *p, int i, const probe_pair *pair, str *out) {
  const probe_layer *l = &p->layer[i];
  int64_t row = pair->at / l->channels, tokens = l->tokens ? l->tokens : 1;
  str_addf(out, "%s,%d,%s,%s,%" PRId64 ",", l->norm->path, i, l->norm->site, l->norm->cfg.kind, row / tokens);
  if (l->tokens) str_addf(out, "%" PRId64, row % tokens);
  str_addf(out, ",%" PRId64, pair->at % l->channels);
  add_field(out, pair->x);
  add_field(out, pair->y);
}

static const char pair_header[] = "layer,index,site,kind,image,token,channel,x,y";

static void add_pairs(const probe *p, str *out) {
  str_addf(out, "%s\n", pair_header);
  for (int i = 0; i < p->layers; i++)
    for (int64_t k = 0; k < p->layer[i].pairs; k++) {
      add_pair(p, i, &p->layer[i].pair[k], out);
      str_add(out, "\n");
    }
}

static double spread(const probe_layer *l, int64_t token) {
  const probe_pair *pair = l->token + token * l->channels;
  double mean = 0, square = 0;
  for (int64_t c = 0; c < l->channels; c++) mean += pair[c].x / (double)l->channels;
  for (int64_t c = 0; c < l->channels; c++) square += (pair[c].x - mean) * (pair[c].x - mean);
  return square;
}

/* Tokens are numbered by the spread of their x, from the smallest, which is the steepest line of a LayerNorm. */
static void add_tokens(const probe *p, str *out) {
  str_addf(out, "%s,order\n", pair_header);
  for (int i = 0; i < p->layers; i++) {
    const probe_layer *l = &p->layer[i];
    double square[PROBE_TOKENS];
    for (int64_t t = 0; t < l->whole; t++) square[t] = spread(l, t);
    for (int64_t k = 0; k < l->whole * l->channels; k++) {
      int64_t t = k / l->channels, order = 1;
      for (int64_t u = 0; u < l->whole; u++)
        order += square[u] < square[t] || (square[u] == square[t] && u < t);
      add_pair(p, i, &l->token[k], out);
      str_addf(out, ",%" PRId64 "\n", order);
    }
  }
}

static void add_correlations(const probe *p, str *out) {
  str_add(out, "which,layers,pearson,spearman,cv_alpha_std,cv_std,depth_pearson,depth_spearman\n");
  for (int with_final = 1; with_final >= 0; with_final--) {
    probe_correlation r = probe_correlate(p, with_final);
    const double field[] = {r.pearson, r.spearman,      r.cv_alpha_std,
                            r.cv_std,  r.depth_pearson, r.depth_spearman};
    str_addf(out, "%s,%d", with_final ? "all" : "without_final", r.layers);
    for (size_t k = 0; k < sizeof field / sizeof *field; k++) add_field(out, field[k]);
    str_add(out, "\n");
  }
}

static const struct table {
  const char *name;
  void (*add)(const probe *p, str *out);
} tables[] = {{"layers.csv", add_layers},
              {"pairs.csv", add_pairs},
              {"tokens.csv", add_tokens},
              {"correlation.csv", add_correlations}};

st probe_write(const probe *p, const char *folder, err *e) {
  st code = file_make_folder(folder, e);
  for (size_t i = 0; !code && i < sizeof tables / sizeof *tables; i++) {
    str text = {0};
    char *path = mem_printf("%s/%s", folder, tables[i].name);
    tables[i].add(p, &text);
    code = file_write(path, text.data, text.len, e);
    mem_free(path);
    str_free(&text);
  }
  return code;
}
