#include "dyt/packs.h"

#include "dyt/kernel.h"

st packs_open(packs *k, const params *p, bool backward, err *e) {
  *k = (packs){.params = p, .backward = backward};
  if (!k_packs()) return ST_OK;
  st code = mem_map(&k->store, 2 * (size_t)p->total * sizeof(real), "packed weights", e);
  k->panels = (real *)k->store.base;
  return code;
}

void packs_close(packs *k) {
  mem_unmap(&k->store);
  *k = (packs){0};
}

/* Task 2i packs parameter i for the forward pass, task 2i+1 for the backward one. */
static void pack_one(void *context, int task, int worker) {
  const packs *k = context;
  const param *p = &k->params->p[task / 2];
  bool backward = task % 2;
  (void)worker;
  if (!(p->flags & PARAM_MATRIX) || (backward && !k->backward)) return;
  int64_t n = shape_numel(p->s), out = p->s.dim[0];
  k_linear_pack(!backward, out, n / out, k->params->value + p->offset,
                k->panels + 2 * p->offset + (backward ? n : 0));
}

void packs_refresh(packs *k, work_pool *pool) {
  int tasks = k->panels ? 2 * k->params->count : 0;
  if (pool)
    work_run(pool, tasks, pack_one, k);
  else
    for (int i = 0; i < tasks; i++) pack_one(k, i, 0);
}
