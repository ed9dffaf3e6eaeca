#include "dyt/plan.h"

#include <stdio.h>

static void place_text(int64_t at, char out[24]) {
  if (at < 0)
    snprintf(out, 24, "-");
  else
    snprintf(out, 24, "%.1fK", (double)at * sizeof(real) / 1024);
}

void plan_describe(const plan *p, str *out) {
  const tape *t = p->tape;
  char dims[80], value[24], grad[24];
  str_addf(out, "%-34s %-16s %-20s %10s %10s %10s %10s\n", "node", "operation", "result", "saved", "MFLOP",
           "value at", "grad at");
  for (int i = 0; i < t->nodes; i++) {
    const tape_node *n = &t->node[i];
    if (!p->run[i]) continue;
    place_text(p->value_at[n->out], value);
    place_text(p->grad_at[n->out], grad);
    str_addf(out, "%-34s %-16s %-20s %10lld %10.3f %10s %10s\n", n->path, n->op->name,
             shape_text(t->value[n->out].s, dims), (long long)(p->train ? n->saved : 0), n->flops * 1e-6,
             value, grad);
  }
}
