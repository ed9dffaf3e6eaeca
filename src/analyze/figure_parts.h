/* figure_parts - what the figures of a study share: their cells, the numbers of a cell. Not a public header. */
#ifndef DYT_ANALYZE_FIGURE_PARTS_H
#define DYT_ANALYZE_FIGURE_PARTS_H

#include "plot_style.h"

#include "dyt/figure.h"
#include "dyt/metric.h"
#include "dyt/stats.h"
#include "dyt/str.h"

/* A cell of the study with the records of its seeds. */
typedef struct figure_cell {
  int at[STUDY_AXES_MAX];
  char *label;        /* what tells it apart from the figure's other cells; owned */
  const record **run; /* [runs], owned; the records are not */
  int runs;
} figure_cell;

/* A figure on its way: what it is about, read from the study file, and its cells in the order of the plan. */
typedef struct figure_job {
  const study *s;
  const cJSON *spec;
  const char *folder; /* STUDY_DIR/figures */
  const char *name;
  bool choosing;   /* the runs that made a choice, else those that report */
  int x, y;        /* axes; -1: none */
  uint32_t panels; /* a bit an axis */
  metric m;
  figure_cell *cell; /* [cells], owned */
  int cells, left_out;
  uint32_t varies; /* axes in which the cells differ, but for those that were chosen over */
  str notes;       /* sentences for the caption */
} figure_job;

enum {
  FIGURE_X = 1,
  FIGURE_Y = 2,
  FIGURE_PANELS = 4,
  FIGURE_METRIC = 8,
  FIGURE_COLUMNS = 16,
  FIGURE_LOGGED = 32 /* a metric of epochs only */
};

typedef struct figure_kind {
  const char *name, *title, *caption, *lacks;
  unsigned keys, needs;         /* FIGURE_X, ... */
  int cells_most;               /* more are left out */
  bool (*has)(const record *r); /* whether a run has something to show */
  const char *const *files;     /* of the folder, that it is drawn from, up to NULL; NULL: none */
  st (*write)(figure_job *j, err *e);
} figure_kind;

extern const figure_kind figure_curves, figure_steps, figure_norms, figure_alpha_std, figure_shapes,
    figure_pairs, figure_line, figure_heat, figure_bars;
/* Fills a job from its object, which was checked. figure_job_free. */
st figure_job_open(figure_job *j, const study_plan *p, const record *run, const figure_kind *kind, err *e);
void figure_job_free(figure_job *j);

/* Appends what names a cell by the axes of a mask: "DyT, lr 0.004"; numbers have their axis' name before them. */
void figure_add_label(const figure_job *j, const int *at, uint32_t axes, str *out);
/* The number a case stands for: its label, or the label's last word. NaN: none. */
double figure_number(const study *s, int axis, int at);

/* A metric over the seeds of a cell. */
typedef struct figure_value {
  stats_summary ok; /* of the runs that did not fail and have the metric */
  double v[STUDY_SEEDS_MAX];
  int runs, failed;
  char letter; /* of the first that failed; 0: none did */
} figure_value;
figure_value figure_value_of(const figure_cell *c, const metric *m);
/* Grows a range by means and standard deviations, and by seeds. */
void figure_widen(const figure_value *v, record_range *r);

/* Points (x, y) of all seeds by x: mean and range. Appended as a block of a data file: lines "CELL,X,MEAN,LOW,HIGH,N", then two empty
 * lines, so that gnuplot finds it by its index. */
typedef struct figure_source {
  const record_table *(*table)(const record *r);
  int x, y;
  double scale; /* of y */
} figure_source;
void figure_add_band(const figure_cell *c, int number, const figure_source *from, str *data, record_range *x,
                     record_range *y, int *points);
extern const char figure_band_header[];

/* The column of record.epochs that has a metric of that name; -1: it is not logged. */
int figure_logged(const char *name);

/* Gnuplot strings PREFIX1, PREFIX2, ... of the cells' labels. */
void figure_add_labels(const figure_job *j, const char *prefix, str *s);

#endif
