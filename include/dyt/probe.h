#ifndef DYT_PROBE_H
#define DYT_PROBE_H
#include "dyt/err.h"
typedef struct probe_shape {
  double line_r2, tanh_r2, a, b, linear_share;
} probe_shape;
st probe_shapes(const char *run_dir, int threads, probe_shape **out, int *layers, err *e);
#endif
