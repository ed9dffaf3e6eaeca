/* bench_growth - the points of `dyt bench growth`, between measuring and drawing. Not a public header. */
#ifndef DYT_ANALYZE_BENCH_GROWTH_H
#define DYT_ANALYZE_BENCH_GROWTH_H

#include "bench_parts.h"

enum { GROWTH_BATCH, GROWTH_DEPTH, GROWTH_TOKENS, GROWTH_WIDTH, GROWTH_AXES };
enum { GROWTH_POINTS = 4 };

typedef struct growth_point {
  double x;                                 /* images, blocks, tokens or channels */
  bench_stat ms;                            /* a step on all threads */
  double linear_ms, attention_ms, other_ms; /* which it divides into */
  /* planned, MiB: of one worker, of all shards, and in use once it had run */
  double activations, parameters, gradients, resident;
} growth_point;

typedef struct growth_axis {
  const char *name, *unit;
  growth_point point[GROWTH_POINTS];
} growth_axis;

/* Writes growth.csv and growth.gp into `folder` and has gnuplot draw growth.svg and growth.png. ST_USER: a file cannot be
 * written, or there is no gnuplot (the first two files are there then). */
st growth_draw(const growth_axis *axis, const char *title, const char *folder, err *e);

#endif
