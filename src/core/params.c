#include "dyt/params.h"

#include "dyt/rng.h"

#include <string.h>

enum { ALIGN = 16 }; /* numbers: a parameter begins on a cache line */

int params_add(params *s, const char *name, shape dims, params_init init, int flags) {
  REQUIRE(!s->value, "parameter %s is registered after the store was sealed", name);
  REQUIRE(params_find(s, name) < 0, "parameter %s is registered twice", name);
  s->p = mem_grow(s->p, (size_t)s->count, (size_t)s->count + 1, sizeof *s->p);
  s->p[s->count] = (param){mem_strdup(name), dims, init, flags, s->layer, s->total};
  int64_t n = shape_numel(dims);
  s->numbers += n;
  s->total += (n + ALIGN - 1) / ALIGN * ALIGN;
  return s->count++;
}

st params_seal(params *s, err *e) {
  st code = mem_map(&s->store, (size_t)s->total * sizeof(real), "parameters", e);
  s->value = (real *)s->store.base;
  return code;
}

static double draw(params_init init, rng *r) {
  switch (init.law) {
  case INIT_NORMAL:
    return init.a * rng_normal(r);
  case INIT_TRUNC_NORMAL:
    return rng_trunc_normal(r, init.a);
  case INIT_UNIFORM:
    return init.a * (2 * rng_uniform(r) - 1);
  case INIT_CONSTANT:
    break;
  }
  return init.a;
}

typedef struct draw_context {
  params *s;
  uint64_t seed;
} draw_context;

static void draw_one(void *context, int i, int worker) {
  const draw_context *c = context;
  const param *p = &c->s->p[i];
  rng r = rng_at(c->seed, p->name, 0, 0);
  real *x = params_value(c->s, i);
  (void)worker;
  for (int64_t j = 0, n = shape_numel(p->s); j < n; j++) x[j] = (real)draw(p->init, &r);
}

void params_draw(params *s, uint64_t seed, work_pool *pool) {
  draw_context c = {s, seed};
  if (pool) work_run(pool, s->count, draw_one, &c);
  for (int i = 0; i < s->count && !pool; i++) draw_one(&c, i, 0);
}

void params_free(params *s) {
  for (int i = 0; i < s->count; i++) mem_free(s->p[i].name);
  mem_free(s->p);
  mem_unmap(&s->store);
  *s = (params){0};
}

int params_find(const params *s, const char *name) {
  for (int i = 0; i < s->count; i++)
    if (strcmp(s->p[i].name, name) == 0) return i;
  return -1;
}
