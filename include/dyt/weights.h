/* weights - the parameter store to and from safetensors files, under the names of timm and the official DyT
 * code.
 *
 *   if (weights_read("model.safetensors", &m.params, e)) return e->code;      // every name and shape must
 * fit
 *   if (weights_write("model.safetensors", &m.params, m.params.value, "model", step, e)) return e->code;
 */
#ifndef DYT_WEIGHTS_H
#define DYT_WEIGHTS_H

#include "dyt/params.h"
#include "dyt/safetensors.h"

/* Fills the store. ST_USER: names that are missing or not of this model, and shapes that differ, are listed
 * with both
 * shapes; then nothing was changed. */
st weights_read(const char *path, params *p, err *e);

/* Whether a file holds just the store's parameters. ST_USER with one sentence on what is missing, too many or of another shape. */
st weights_fit(const safetensors *f, const params *p, err *e);

/* The same for what an optimizer keeps: tensors PREFIX.NAME into `numbers`, an array in the store's
 * layout; every trained
 * parameter must be there. */
st weights_read_state(const safetensors *f, const params *p, const char *prefix, real *numbers, err *e);

/* Writes `values` (in the store's layout) atomically. The bytes depend on the arguments only. */
st weights_write(const char *path, const params *p, const real *values, const char *contents, int64_t step,
                 err *e);

/* Writes PREFIX.NAME for each trained parameter from each of `n` arrays. */
st weights_write_state(const char *path, const params *p, int n, const char *const *prefix,
                       real *const *numbers, int64_t step, err *e);

/* Whether a tensor of a file has that shape. */
bool weights_same_shape(const safetensors_entry *t, shape s);

/* One tensor of the store's layout as an entry to write; `name` and `values` are kept, not copied. */
safetensors_entry weights_entry(const param *p, const char *name, const real *values);

#endif
