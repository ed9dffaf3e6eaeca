/* model_guess - which model a weights file belongs to, judged by names and shapes.
 *
 *   config_model c;
 *   if (model_guess(&f, &c)) model_guess_write(&c, f.path, &text);      // a config that config_load takes
 *
 * What weights do not tell is a suggestion: heads (dim / 64, or the next smaller divisor of dim), the activation, the function
 * of a point-wise norm (tanh; with a shift erf, as in Derf), a norm without parameters (LayerNorm).
 */
#ifndef DYT_MODEL_GUESS_H
#define DYT_MODEL_GUESS_H

#include "dyt/model.h"
#include "dyt/safetensors.h"

/* False: of no family. `out` is whole but for classes, which is 0 where there is no head. Not every tensor need belong to
 * that model: weights_fit says which do not. */
bool model_guess(const safetensors *f, config_model *out);

/* The config as JSON, appended to `out`; `_about` says what is a guess. */
void model_guess_write(const config_model *c, const char *path, str *out);

#endif
