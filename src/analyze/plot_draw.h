/* plot_draw - the pictures of `dyt plot`: data files and a script each; gnuplot does the rest. Not a public header. */
#ifndef DYT_ANALYZE_PLOT_DRAW_H
#define DYT_ANALYZE_PLOT_DRAW_H

#include "dyt/record.h"

st plot_write_curves(const record *run, int count, const char *folder, err *e);
st plot_write_norms(const record *run, int count, const char *folder, err *e);
st plot_write_alpha_std(const record *run, int count, const char *folder, err *e);

#endif
