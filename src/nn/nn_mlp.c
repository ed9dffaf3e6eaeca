#include "dyt/nn.h"

void nn_mlp_init(nn_mlp *m, params *p, const char *path, int64_t dim, int64_t hidden, k_fn act,
                 double dropout) {
  *m = (nn_mlp){.path = mem_strdup(path), .act = act, .dropout = dropout};
  char *fc1 = mem_printf("%s.fc1", path), *fc2 = mem_printf("%s.fc2", path);
  nn_linear_init(&m->fc1, p, fc1, dim, hidden, NN_LINEAR_LAW, NN_BIAS_LAW);
  nn_linear_init(&m->fc2, p, fc2, hidden, dim, NN_LINEAR_LAW, NN_BIAS_LAW);
  mem_free(fc1);
  mem_free(fc2);
}

val nn_mlp_apply(const nn_mlp *m, tape *t, val x, const nn_residual *r) {
  val hidden = nn_linear_apply(&m->fc1, t, x, m->act);
  hidden = nn_dropout(t, m->fc1.path, m->dropout, hidden);
  return nn_residual_apply(r, t, &m->fc2, m->fc2.path, m->dropout, hidden);
}

void nn_mlp_free(nn_mlp *m) {
  nn_linear_free(&m->fc1);
  nn_linear_free(&m->fc2);
  mem_free(m->path);
}
