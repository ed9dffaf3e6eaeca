/* vit_guess - a family's view of a weights file (model_guess.h); not for others. */
#ifndef DYT_MODELS_VIT_GUESS_H
#define DYT_MODELS_VIT_GUESS_H

#include "dyt/model.h"

bool vit_guess(const safetensors *f, config_model *out);

#endif
