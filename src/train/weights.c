#include "dyt/weights.h"

#include "misfit.h"

#include <stdio.h>
#include <string.h>

safetensors_entry weights_entry(const param *p, const char *name, const real *values) {
  safetensors_entry t = {.name = name, .dtype = REAL_NAME, .rank = p->s.rank, .data = values + p->offset};
  memcpy(t.shape, p->s.dim, (size_t)p->s.rank * sizeof p->s.dim[0]);
  t.bytes = (uint64_t)shape_numel(p->s) * sizeof(real);
  return t;
}

bool weights_same_shape(const safetensors_entry *t, shape s) {
  bool same = t->rank == s.rank;
  for (int i = 0; same && i < s.rank; i++) same = t->shape[i] == s.dim[i];
  return same;
}

st weights_fit(const safetensors *f, const params *p, err *e) {
  misfit m = {0};
  for (int i = 0; i < p->count; i++) {
    const safetensors_entry *t = safetensors_find(f, p->p[i].name);
    if (!t)
      misfit_missing(&m, p->p[i].name);
    else if (!weights_same_shape(t, p->p[i].s))
      misfit_shape(&m, t, &p->p[i]);
  }
  for (int i = 0; i < f->count; i++)
    if (params_find(p, f->entry[i].name) < 0) misfit_other(&m, f->entry[i].name);
  return misfit_end(&m, f->path, e);
}

st weights_read(const char *path, params *p, err *e) {
  safetensors f;
  if (safetensors_read(path, &f, e)) return e->code;
  st code = weights_fit(&f, p, e);
  for (int i = 0; i < p->count && !code; i++)
    code = safetensors_to_real(&f, safetensors_find(&f, p->p[i].name), params_value(p, i), e);
  safetensors_free(&f);
  return code;
}

st weights_read_state(const safetensors *f, const params *p, const char *prefix, real *numbers, err *e) {
  st code = ST_OK;
  for (int i = 0; i < p->count && !code; i++) {
    if (!(p->p[i].flags & PARAM_TRAIN)) continue;
    char *name = mem_printf("%s.%s", prefix, p->p[i].name);
    const safetensors_entry *t = safetensors_find(f, name);
    if (!t || !weights_same_shape(t, p->p[i].s))
      code = err_add(e, ST_USER, "%s: expected a tensor %s of the model's shape", f->path, name);
    else
      code = safetensors_to_real(f, t, numbers + p->p[i].offset, e);
    mem_free(name);
  }
  return code;
}

static st write(const char *path, safetensors_entry *entries, int count, const char *contents, int64_t step,
                err *e) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)step);
  safetensors_pair meta[] = {{"contents", contents}, {"step", text}};
  return safetensors_write(path, entries, count, meta, 2, e);
}

st weights_write(const char *path, const params *p, const real *values, const char *contents, int64_t step,
                 err *e) {
  safetensors_entry *t = mem_new((size_t)p->count + 1, sizeof *t);
  for (int i = 0; i < p->count; i++) t[i] = weights_entry(&p->p[i], p->p[i].name, values);
  st code = write(path, t, p->count, contents, step, e);
  mem_free(t);
  return code;
}

st weights_write_state(const char *path, const params *p, int n, const char *const *prefix,
                       real *const *numbers, int64_t step, err *e) {
  size_t room = (size_t)(n * p->count) + 1;
  safetensors_entry *t = mem_new(room, sizeof *t);
  char **name = mem_new(room, sizeof *name);
  int count = 0;
  for (int k = 0; k < n; k++)
    for (int i = 0; i < p->count; i++) {
      if (!(p->p[i].flags & PARAM_TRAIN)) continue;
      name[count] = mem_printf("%s.%s", prefix[k], p->p[i].name);
      t[count] = weights_entry(&p->p[i], name[count], numbers[k]);
      count++;
    }
  st code = write(path, t, count, "optimizer", step, e);
  for (int i = 0; i < count; i++) mem_free(name[i]);
  mem_free(name);
  mem_free(t);
  return code;
}
