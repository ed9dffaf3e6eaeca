#include "dyt/tensor.h"

#include <stdio.h>

int64_t shape_numel(shape s) { return shape_rows(s) * shape_cols(s); }

int64_t shape_rows(shape s) {
  int64_t n = 1;
  for (int i = 0; i + 1 < s.rank; i++) n *= s.dim[i];
  return n;
}

int64_t shape_cols(shape s) { return s.dim[s.rank - 1]; }

bool shape_equal(shape a, shape b) {
  bool same = a.rank == b.rank;
  for (int i = 0; same && i < a.rank; i++) same = a.dim[i] == b.dim[i];
  return same;
}

char *shape_text(shape s, char out[80]) {
  int n = snprintf(out, 80, "[");
  for (int i = 0; i < s.rank; i++)
    n += snprintf(out + n, 80 - (size_t)n, i ? ", %lld" : "%lld", (long long)s.dim[i]);
  snprintf(out + n, 80 - (size_t)n, "]");
  return out;
}
