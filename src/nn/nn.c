#include "dyt/nn.h"

#include "dyt/ops.h"

int nn_param(params *p, const char *path, const char *name, shape s, params_init init, int flags) {
  char *full = mem_printf("%s.%s", path, name);
  int index = params_add(p, full, s, init, flags);
  mem_free(full);
  return index;
}

val nn_dropout(tape *t, const char *path, double rate, val x) {
  if (rate == 0) return x;
  tape_scope(t, path);
  return tape_emit(t, &op_dropout, &(op_dropout_attr){rate}, 1, &x);
}
