/* study_read - what readers of parts of a study file share. Not a public header. */
#ifndef DYT_ANALYZE_STUDY_READ_H
#define DYT_ANALYZE_STUDY_READ_H

#include "dyt/study.h"

const cJSON *study_get(const cJSON *o, const char *key);
/* Complains of keys of an object `what` that are not among `known` (NULL-terminated). */
st study_check_keys(const study *s, const cJSON *o, const char *what, const char *const *known, err *e);

#endif
