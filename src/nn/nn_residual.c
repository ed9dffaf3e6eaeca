#include "dyt/nn.h"
#include "dyt/ops.h"

val nn_residual_apply(const nn_residual *r, tape *t, const nn_linear *last, const char *path, double dropout,
                      val x) {
  if (dropout == 0 && r->drop_path == 0) {
    tape_scope(t, last->path);
    return tape_emit(t, &op_linear, &(op_linear_attr){K_identity}, 4,
                     (val[]){x, tape_param(t, last->weight), tape_param(t, last->bias), r->stream});
  }
  val change = nn_dropout(t, path, dropout, nn_linear_apply(last, t, x, K_identity));
  tape_scope(t, r->path);
  if (r->drop_path > 0) change = tape_emit(t, &op_drop_path, &(op_dropout_attr){r->drop_path}, 1, &change);
  return tape_emit(t, &op_add, NULL, 2, (val[]){r->stream, change});
}
