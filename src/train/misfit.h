/* misfit - what does not fit between a weights file and a model, gathered into one sentence; not for others.
 *
 *   misfit m = {0};
 *   misfit_missing(&m, "cls_token");   misfit_other(&m, "conv1.weight");   misfit_shape(&m, entry, param);
 *   return misfit_end(&m, "w.safetensors", e);        // ST_OK when nothing was added
 */
#ifndef DYT_TRAIN_MISFIT_H
#define DYT_TRAIN_MISFIT_H

#include "dyt/params.h"
#include "dyt/safetensors.h"
#include "dyt/str.h"

/* Zero-initialise; misfit_end frees. */
typedef struct misfit {
  str missing, other, differ; /* the first names of each */
  int n_missing, n_other, n_differ;
} misfit;

void misfit_missing(misfit *m, const char *name); /* the model has it, the file does not */
void misfit_other(misfit *m, const char *name);   /* the reverse */
void misfit_shape(misfit *m, const safetensors_entry *t, const param *p); /* both have it */
/* ST_USER with the sentence about the file `path`, if there is anything to say. */
st misfit_end(misfit *m, const char *path, err *e);

#endif
