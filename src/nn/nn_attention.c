#include "dyt/nn.h"
#include "dyt/ops.h"

void nn_attention_init(nn_attention *m, params *p, const char *path, int64_t dim, int heads, double dropout) {
  *m = (nn_attention){.path = mem_strdup(path), .heads = heads, .dropout = dropout};
  char *qkv = mem_printf("%s.qkv", path), *proj = mem_printf("%s.proj", path);
  nn_linear_init(&m->qkv, p, qkv, dim, 3 * dim, NN_LINEAR_LAW, NN_BIAS_LAW);
  nn_linear_init(&m->proj, p, proj, dim, dim, NN_LINEAR_LAW, NN_BIAS_LAW);
  mem_free(qkv);
  mem_free(proj);
}

val nn_attention_apply(const nn_attention *m, tape *t, val x, const nn_residual *r) {
  val qkv = nn_linear_apply(&m->qkv, t, x, K_identity);
  tape_scope(t, m->path);
  val mixed = tape_emit(t, &op_attention, &(op_attention_attr){m->heads}, 1, &qkv);
  return nn_residual_apply(r, t, &m->proj, m->path, m->dropout, mixed);
}

void nn_attention_free(nn_attention *m) {
  nn_linear_free(&m->qkv);
  nn_linear_free(&m->proj);
  mem_free(m->path);
}
