#include "dyt/model.h"

#include <string.h>

#define MODEL(name) extern const model_family model_##name;
#include "dyt/models.def"

const model_family *const model_families[] = {
#define MODEL(name) &model_##name,
#include "dyt/models.def"
    NULL};

static const model_family *family_of(const char *name) {
  for (int i = 0; model_families[i]; i++)
    if (strcmp(model_families[i]->name, name) == 0) return model_families[i];
  REQUIRE(false, "no model family %s", name);
}

/* Keys that a data set usually settles. */
static st check_known(const config_model *cfg, err *e) {
  const struct {
    const char *key;
    int value;
  } keys[] = {{"model.image_size", cfg->image_size},
              {"model.channels", cfg->channels},
              {"model.classes", cfg->classes}};
  st code = ST_OK;
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
    if (keys[i].value == 0)
      code = err_add(e, ST_USER, "%s: null, but without a data set it must be given", keys[i].key);
  return code;
}

st model_build(model *m, const config_model *cfg, err *e) {
  *m = (model){.family = family_of(cfg->family), .cfg = *cfg};
  if (check_known(cfg, e)) return e->code;
  m->family->build(m);
  if (params_seal(&m->params, e)) {
    model_free(m);
    return e->code;
  }
  return ST_OK;
}

void model_free(model *m) {
  if (m->state) m->family->free(m);
  mem_free(m->norm);
  params_free(&m->params);
  *m = (model){0};
}

val model_record(const model *m, tape *t, val images) { return m->family->record(m, t, images); }

shape model_input(const model *m, int64_t n) {
  return SHAPE(n, m->cfg.channels, m->cfg.image_size, m->cfg.image_size);
}

void model_add_norm(model *m, const nn_norm *norm) {
  m->norm = mem_grow(m->norm, (size_t)m->norms, (size_t)m->norms + 1, sizeof *m->norm);
  m->norm[m->norms++] = norm;
}
