/* plot - pictures of what training runs logged, as SVG and PNG, with the data and a gnuplot script beside each.
 *
 *   curves     training loss over steps, validation or test loss and accuracy over epochs; a colour a run
 *   norms      alpha and 1/std of every norm layer over steps; a row of panels a run
 *   alpha_std  alpha against 1/std at the last logged step, a point a layer; a panel a run, Pearson's r in its title
 *
 *   str said = {0};
 *   if (!plot((const char *[]){"runs/ln", "runs/dyt"}, 2, "plots", &said, e)) fputs(said.data, stdout);
 *   str_free(&said);
 *
 * A run may still be training or have diverged: what is there is drawn, and its name says so.
 */
#ifndef DYT_PLOT_H
#define DYT_PLOT_H

#include "dyt/err.h"
#include "dyt/str.h"

enum { PLOT_RUNS_MAX = 8 }; /* colours that can be told apart */

/* Draws into `folder`, which is made where it is not there, and appends a line for each picture, or why there is none, to
 * `said`. ST_USER: no run directory, nothing in its logs, a log that cannot be, or no gnuplot (data and scripts are there
 * then). */
st plot(const char *const *path, int count, const char *folder, str *said, err *e);

#endif
