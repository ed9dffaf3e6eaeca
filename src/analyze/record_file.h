/* record_file - what the files of record share. Not a public header. */
#ifndef DYT_ANALYZE_RECORD_FILE_H
#define DYT_ANALYZE_RECORD_FILE_H

#include "dyt/record.h"

enum { RECORD_LAYERS_MAX = 1024, RECORD_INDEX_MAX = 1 << 24 /* of images and classes */ };

/* Reads a run directory. */
st record_read_run(record *r, const char *path, err *e);
/* Reads a record file. */
st record_read_file(record *r, const char *path, err *e);

/* What no float holds is no measurement, and would overflow axes: NaN. */
double record_measured(double v);
void record_add_prediction(record *r, int predicted, bool right);
void record_add_layer(record *r, const char *name, const char *site);

#endif
