#include "dyt/nn.h"
#include "dyt/ops.h"

void nn_linear_init(nn_linear *m, params *p, const char *path, int64_t in, int64_t out, params_init weight,
                    params_init bias) {
  *m = (nn_linear){.path = mem_strdup(path)};
  m->weight = nn_param(p, path, "weight", SHAPE(out, in), weight, PARAM_TRAIN | PARAM_DECAY | PARAM_MATRIX);
  m->bias = nn_param(p, path, "bias", SHAPE(out), bias, PARAM_TRAIN);
}

val nn_linear_apply(const nn_linear *m, tape *t, val x, k_fn fn) {
  tape_scope(t, m->path);
  return tape_emit(t, &op_linear, &(op_linear_attr){fn}, 3,
                   (val[]){x, tape_param(t, m->weight), tape_param(t, m->bias)});
}

void nn_linear_free(nn_linear *m) { mem_free(m->path); }
