#include "dyt/ema.h"

#include "dyt/kernel.h"

#include <string.h>

enum { SPAN = 16384 }; /* numbers that a worker takes at once */

st ema_open(ema *m, params *p, double decay, err *e) {
  *m = (ema){.params = p, .decay = decay};
  if (decay == 0) return ST_OK;
  st code = mem_map(&m->store, (size_t)p->total * sizeof(real), "the average of the weights", e);
  m->value = (real *)m->store.base;
  return code;
}

void ema_close(ema *m) {
  mem_unmap(&m->store);
  *m = (ema){0};
}

void ema_start(ema *m) {
  if (m->value) memcpy(m->value, m->params->value, (size_t)m->params->total * sizeof(real));
}

static void update_span(void *context, int i, int worker) {
  const ema *m = context;
  int64_t at = (int64_t)i * SPAN, n = m->params->total - at;
  (void)worker;
  k_lerp(n < SPAN ? n : SPAN, (real)(1 - m->decay), m->params->value + at, m->value + at);
}

void ema_update(ema *m, work_pool *pool) {
  if (m->value) work_run(pool, (int)((m->params->total + SPAN - 1) / SPAN), update_span, m);
}

void ema_swap(ema *m) {
  if (!m->value) return;
  real *kept = m->value;
  m->value = m->params->value;
  m->params->value = kept;
}
