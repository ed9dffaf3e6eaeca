/* init_from - a training that begins with the weights of another model: fine-tuning, or a norm exchanged for another.
 *
 * What the model and the weights have in common by name and shape is carried over. A position embedding of another grid is
 * resampled, the final norm is found under its name for either pool, and new, as drawn from the seed, are: a head of another
 * class count, a patch embedding of another patch size or other channels, and what a norm has that the one before had not
 * (DyT in the place of LayerNorm: alpha, which is alpha0). A fixed alpha is always the config's. Anything else that differs, and
 * anything in a block that this model has not, is an error.
 *
 *   config c;
 *   if (init_from_config("c.json", sets, n_sets, "runs/x", &c, e)) return e->code;    // pins the weights by their checksum
 *   ... model_build, params_draw ...
 *   if (init_from_weights(&c, &m, &said, e)) return e->code;
 */
#ifndef DYT_INIT_FROM_H
#define DYT_INIT_FROM_H

#include "dyt/model.h"

/* config_load; then train.init_from is {`source`, its checksum}. With `source` NULL the config's own path, if it names one
 * without a checksum. ST_USER also when there are no such weights. */
st init_from_config(const char *path, const char *const *sets, int n_sets, const char *source, config *out,
                    err *e);

/* config_load for a run that is resumed: where the config leaves open what the run began with, it is `began`. The weights
 * themselves are not needed any more once there is a checkpoint. */
st init_from_resumed(const char *path, const char *const *sets, int n_sets, const config_init_from *began,
                     config *out, err *e);

/* Overwrites the initial values of m's parameters with the weights that c->train.init_from names (of a run: the last
 * checkpoint, the average where there is one), and says in one line, appended to `said`, what was carried, resampled, new and
 * dropped. ST_USER: no such weights, another checksum than the config's, or weights that do not fit: then `m` is of no use. */
st init_from_weights(const config *c, model *m, str *said, err *e);

#endif
