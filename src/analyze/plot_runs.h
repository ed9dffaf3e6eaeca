/* plot_runs - what `dyt plot` has read of its runs. Not a public header. */
#ifndef DYT_ANALYZE_PLOT_RUNS_H
#define DYT_ANALYZE_PLOT_RUNS_H

#include "dyt/plot.h"

#include <math.h>
#include <stdbool.h>

/* Columns of the three tables. */
enum { STEPS_STEP, STEPS_LOSS, STEPS_LR, STEPS_GRAD_NORM, STEPS_COLUMNS };
enum {
  EPOCHS_EPOCH,
  EPOCHS_STEP,
  EPOCHS_TRAIN_LOSS,
  EPOCHS_TRAIN_ACC1,
  EPOCHS_VAL_LOSS,
  EPOCHS_VAL_ACC1,
  EPOCHS_TEST_LOSS,
  EPOCHS_TEST_ACC1,
  EPOCHS_COLUMNS
};
enum { NORMS_STEP, NORMS_LAYER, NORMS_ALPHA, NORMS_INV_STD, NORMS_COLUMNS };

typedef struct plot_table {
  int columns, rows, room;
  double *x; /* [rows][columns]; NaN: absent, null or not finite */
} plot_table;

typedef struct plot_layer {
  char *name, *site;
} plot_layer;

typedef struct plot_run {
  char *name; /* as in the legend */
  plot_table steps, epochs, norms;
  plot_layer *layer; /* [layers] */
  int layers;
} plot_run;

static inline double plot_at(const plot_table *t, int row, int column) {
  return t->x[(size_t)row * (size_t)t->columns + (size_t)column];
}

/* Smallest and largest of what is finite; low > high: nothing is. */
typedef struct plot_range {
  double low, high;
} plot_range;
#define PLOT_NOTHING ((plot_range){INFINITY, -INFINITY})

/* Grows a range by the finite numbers of a column. */
void plot_widen(const plot_table *t, int column, plot_range *r);
/* Whether a column of a run's norm layers has a finite number. */
bool plot_has(const plot_table *t, int column);
/* Whether a run is judged on a validation split: else on its test split. */
bool plot_on_validation(const plot_run *r);

/* The last step at which every layer was logged: its alphas and 1/std where both are finite, and Pearson's r of them (NaN:
 * less than two layers, or one of both is the same in all). */
typedef struct plot_end {
  plot_table points; /* as plot_run.norms */
  double pearson;
} plot_end;
plot_end plot_end_of(const plot_run *r);

st plot_read(plot_run *r, const char *path, err *e);
void plot_run_free(plot_run *r);
double *plot_add_row(plot_table *t);

/* A picture: data files and a script; gnuplot does the rest. */
st plot_write_curves(const plot_run *run, int count, const char *folder, err *e);
st plot_write_norms(const plot_run *run, int count, const char *folder, err *e);
st plot_write_alpha_std(const plot_run *run, int count, const char *folder, err *e);

#endif
