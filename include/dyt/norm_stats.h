/* norm_stats - what goes into every norm layer: the rows of dyt.csv.
 *
 * For each norm site, over all elements of the layer's input on the first probe_samples training images
 * (unaugmented,
 * in eval mode): mean, standard deviation, largest absolute value, and for the point-wise norm alpha and the
 * share of elements
 * where the function has gone flat. alpha against 1/std is the paper's Figure 8.
 *
 *   norm_stats s;
 *   norm_stats_open(&s, &model, probe_samples, micro_batch, false);
 *   norm_stats_take(&s, &engine, &feed);  norm_stats_write(&s, step, epoch, &csv_rows);
 *   norm_stats_close(&s);
 */
#ifndef DYT_NORM_STATS_H
#define DYT_NORM_STATS_H

#include "dyt/engine.h"
#include "dyt/histogram.h"

#define NORM_STATS_HEADER "step,epoch,layer,index,site,kind,fn,alpha,inv_std,mean,std,absmax,sat_frac,n\n"

typedef struct norm_stat {
  double moments[3]; /* sum, sum of squares, largest absolute value */
  double range[2];   /* smallest and largest; of histograms only */
  int64_t saturated, n;
} norm_stat;

/* What dyt.csv says of a layer; NaN: empty. */
typedef struct norm_figures {
  double alpha, inv_std, mean, std, absmax, saturated;
} norm_figures;

typedef struct norm_stats {
  const model *model;
  int64_t samples;
  int units; /* micro-batches */
  norm_stat
      *part; /* [units][norms]: each micro-batch fills its own row, so that the sums have a fixed order */
  norm_stat *total;        /* [norms] */
  double *limit;           /* [HISTOGRAM_BUCKETS]; NULL: no histograms */
  histogram_bucket *count; /* [norms][HISTOGRAM_BUCKETS] */
} norm_stats;

/* histograms: the inputs are counted into buckets too. */
void norm_stats_open(norm_stats *s, const model *m, int64_t samples, int micro_batch, bool histograms);
void norm_stats_close(norm_stats *s);
/* Runs the samples forward (the engine must have been opened with probe = samples) and adds up. */
void norm_stats_take(norm_stats *s, engine *g, const engine_feed *feed);
norm_figures norm_stats_figures(const norm_stats *s, int layer);
/* A row a norm layer, appended to `out`. */
void norm_stats_write(const norm_stats *s, int64_t step, double epoch, str *out);

#endif
