/* probe - what the norm layers of a trained run do: input against output, and what of it a line or a tanh explains.
 *
 *   probe p;
 *   if (probe_open(&p, &(trained_options){.source = "runs/x"}, e)) return e->code;
 *   probe_table(&p, &text);                                   // for people, on a terminal
 *   if (probe_write(&p, "out", e)) ...                        // layers.csv, pairs.csv, tokens.csv, correlation.csv
 *   if (probe_draw(&p, "out", e)) warn(e);                    // pictures by gnuplot
 *   probe_close(&p);
 *
 * Measured as dyt.csv is: over all elements of each norm layer's input on the first train.probe_samples training images,
 * unaugmented, in eval mode. The output y is that before gamma and beta: (x - mean) / sqrt(var + eps) of each token for LayerNorm,
 * without the mean for RMSNorm, f(alpha x + shift) for the point-wise norm. Results do not depend on threads.
 */
#ifndef DYT_PROBE_H
#define DYT_PROBE_H

#include "dyt/norm_stats.h"
#include "dyt/trained.h"

enum {
  PROBE_PAIRS = 2000,  /* pairs kept of a layer, drawn uniformly from all */
  PROBE_TOKENS = 12,   /* rows (tokens) kept whole of a layer, drawn uniformly from all */
  PROBE_FITTED = 20000 /* pairs that a tanh is fitted to, drawn uniformly from all */
};

/* How far x -> y of a layer is a line, how far an S: least squares of y = slope x + intercept and of y = a tanh(b x). R^2 =
 * 1 - SSE / SST over all pairs, SST about the mean of y; below 0 for a tanh where outputs are not about 0 (a sigmoid's). NaN: an
 * input is not finite or all are the same. */
typedef struct probe_shape {
  double line_r2, tanh_r2;
  double a, b; /* b >= 0, a b the slope at zero; for pairs that do not bend b is next to 0 and a very large */
  double linear_share; /* of all pairs: |b x| < 0.5 */
} probe_shape;

/* A channel and its share of the layer's largest |x|. */
typedef struct probe_channel {
  int64_t channel; /* -1: there is none */
  double share;
} probe_channel;

/* Element `at` of a layer's input [images, tokens, channels]. */
typedef struct probe_pair {
  int64_t at;
  double x, y;
} probe_pair;

enum { PROBE_TOP = 3 };
typedef struct probe_layer {
  const nn_norm *norm;
  norm_figures figures;
  int64_t n, tokens, channels; /* elements; tokens of an image, 0 where it is one pooled vector; channels */
  probe_shape shape;
  double slope, intercept; /* of the line */
  int64_t absmax_channel;  /* that holds the largest |x| */
  probe_channel
      top[PROBE_TOP]; /* those that hold most of the largest thousandth of |x| (at least one), most first */
  probe_pair *pair;   /* [pairs] in order of `at`; owned */
  int64_t pairs;
  probe_pair *token; /* [whole][channels] whole rows, in order of `at`; owned */
  int64_t whole;
} probe_layer;

typedef struct probe {
  trained run;
  int64_t samples;
  probe_layer *layer; /* [layers] in order of depth */
  int layers;
} probe;

/* Measures a trained run, with its weights' average where there is one. Activations are held for as many layers at a time as
 * 256 MiB hold. The probe stays where it is opened. ST_USER: as trained_open_data; memory is lacking; a picture cannot be read
 * any more. */
st probe_open(probe *p, const trained_options *o, err *e);
void probe_close(probe *p);

/* The shapes alone, for tables over many runs: one a norm layer, in order of depth, of the caller's own (mem_free). */
st probe_shapes(const char *run_dir, int threads, probe_shape **out, int *layers, err *e);

/* How alpha goes with the inputs' standard deviation over the layers that have an alpha, with or without those of site "final",
 * which see pooled vectors. NaN where undefined. */
typedef struct probe_correlation {
  int layers;
  double pearson, spearman; /* of alpha and 1/std */
  double cv_alpha_std,
      cv_std; /* coefficients of variation (sample standard deviation over mean) of alpha std, of std */
  double depth_pearson, depth_spearman; /* of alpha and the layer's index: the confounder */
} probe_correlation;
probe_correlation probe_correlate(const probe *p, bool with_final);

/* A line a layer, then one on the correlations where there is an alpha. Appended. */
void probe_table(const probe *p, str *out);
/* Writes FOLDER/layers.csv, pairs.csv, tokens.csv, correlation.csv (columns: docs/architecture.md); makes the folder.
 * ST_USER: the disk. */
st probe_write(const probe *p, const char *folder, err *e);
/* Draws tokens.svg, .png and channels.svg, .png from what probe_write wrote: up to nine layers, input against output. ST_USER:
 * there is no gnuplot, or it failed; scripts are written then. */
st probe_draw(const probe *p, const char *folder, err *e);

#endif
