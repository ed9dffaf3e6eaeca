/* study_read - what readers of parts of a study file share. Not a public header. */
#ifndef DYT_ANALYZE_STUDY_READ_H
#define DYT_ANALYZE_STUDY_READ_H

#include "dyt/study.h"

const cJSON *study_get(const cJSON *o, const char *key);
/* Complains of keys of an object `what` that are not among `known` (NULL-terminated). */
st study_check_keys(const study *s, const cJSON *o, const char *what, const char *const *known, err *e);

/* Whether two cells are the same when selected axes are set aside. */
bool study_same_but_selected(const study *s, const int *a, const int *b);
/* All wanted cells [*n][STUDY_AXES_MAX] in order, the last axis running fastest; of the caller's own, after an error too. */
st study_list_cells(const study *s, int (**cell)[STUDY_AXES_MAX], int *n, err *e);
/* The seeds that report a cell: those of its cases where one has its own, of several the one with fewest. */
const study_seeds *study_seeds_of(const study *s, const int *at);

#endif
