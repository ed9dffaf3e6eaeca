/* export - the weights of a run alone, for other programs.
 *
 *   if (export_weights(&(export_options){.run = "runs/x", .out = "x.safetensors"}, &said, e)) return e->code;
 */
#ifndef DYT_EXPORT_H
#define DYT_EXPORT_H

#include "dyt/err.h"
#include "dyt/str.h"

typedef struct export_options {
  const char *run, *out;
  const char *checkpoint; /* "last" (NULL) or "best" */
  bool raw;               /* the weights even where the run keeps their average */
  bool force;             /* replace `out` */
} export_options;

/* Writes a safetensors file with names and shapes as in timm, atomically, and appends to `said` a line on what it holds.
 * ST_USER: no such run or checkpoint, a damaged one, `out` exists and may not be replaced, a full disk. */
st export_weights(const export_options *o, str *said, err *e);

#endif
