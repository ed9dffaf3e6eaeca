/* figure - the figures of a study, drawn by gnuplot: SVG for pages, PNG for documents, script (.gp) and data (.csv) beside them.
 *
 * A study file says which: "figures": [{"kind": "bars"}, {"kind": "heat", "x": "lr", "y": "norm", "metric": "val_acc1"}, ...].
 *
 *   kind       keys                        what is drawn
 *   curves     cell                        training loss over steps, accuracy over epochs; mean and range over seeds, a colour a cell
 *   steps      cell, metric                a logged metric over steps, in the same manner
 *   norms      cell                        alpha and 1/std of every norm layer over steps, mean over seeds; a row of panels a cell
 *   alpha_std  cell                        alpha against 1/std at the end, a point a layer; a panel a cell, Pearson's r in its title
 *   shapes     cell                        R2 of a line and of a tanh by depth
 *   pairs                                  input against output of some layers of one run, from what `dyt probe RUN --out
 *                                          STUDY_DIR/figures` wrote there
 *   line       x, metric, cell             a metric against the numbers of an axis; a line for each case of the other axes
 *   heat       x, y, panels, metric, cell  a metric over two axes, panels over more
 *   bars       columns, metric, cell       a metric of each cell; grouped by the axis `columns` (the table's where there is none)
 *
 * Also each: "title", "caption". `cell` restricts to some cells ({"axis": label or list of labels}); `panels` is an axis or a list
 * of axes. A metric is one of metric.h; without one it is the table's, else test_acc1. Where an axis of a figure is one that the
 * study selects over, the runs are those that made the choice, and the metric without "metric" is the one chosen by; else they are
 * the runs at the chosen cases.
 *
 *   figures f;
 *   if (!figures_draw(&f, "results/table7", &study, &plan, records, e))
 *     for (int i = 0; i < f.count; i++) puts(f.at[i].name);                  // results/table7/figures/NAME.svg, .png, .gp
 *   figures_free(&f);
 */
#ifndef DYT_FIGURE_H
#define DYT_FIGURE_H

#include "dyt/record.h"
#include "dyt/study.h"

enum {
  FIGURES_MAX = 32,
  FIGURE_CELLS_MAX = 8 /* colours, and rows or panels of a figure that has one a cell */
};

typedef struct figure {
  char *name; /* of its files in figures/: "curves", "heat_2" */
  char *title,
      *caption; /* the study file's, or what the kind says of itself; then what the picture leaves out */
  bool written, drawn; /* data and script; SVG, of now or of before where what it is made of is gone */
} figure;

/* Zero-initialise; figures_free. */
typedef struct figures {
  figure *at; /* [count] */
  int count;
  char *undrawn; /* why what is written is not drawn, a sentence; NULL: all is */
} figures;

/* Checks "figures" of a study file that is otherwise read. ST_USER lists what is wrong, with places. */
st figure_check(const study *s, err *e);

/* Draws all figures of a study into FOLDER/figures. run[plan.runs]: the records, all zero where there is none yet. Without gnuplot,
 * or where it fails, data and scripts are written and `undrawn` says so. ST_USER: the disk. */
st figures_draw(figures *out, const char *folder, const study *s, const study_plan *p, const record *run,
                err *e);
void figures_free(figures *f);

#endif
