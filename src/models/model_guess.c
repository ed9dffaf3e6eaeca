#include "dyt/model_guess.h"

#include "dyt/json.h"

#include <string.h>

bool model_guess(const safetensors *f, config_model *out) {
  for (int i = 0; model_families[i]; i++)
    if (model_families[i]->guess(f, out)) return true;
  return false;
}

/* What of a norm is seen in weights; of an `other` only what differs. */
static cJSON *norm_json(const config_norm *n, const config_norm *other) {
  cJSON *o = cJSON_CreateObject();
  bool pointwise = strcmp(n->kind, "dyt") == 0;
  if (!other || strcmp(n->kind, other->kind)) cJSON_AddStringToObject(o, "kind", n->kind);
  if (pointwise && (!other || strcmp(n->fn, other->fn))) cJSON_AddStringToObject(o, "fn", n->fn);
  if (pointwise && (!other || strcmp(n->alpha_shape, other->alpha_shape)))
    cJSON_AddStringToObject(o, "alpha_shape", n->alpha_shape);
  if (pointwise && (!other || n->shift != other->shift)) cJSON_AddBoolToObject(o, "shift", n->shift);
  if (!other || n->affine != other->affine) cJSON_AddBoolToObject(o, "affine", n->affine);
  return o;
}

static void add_site(cJSON *norm, const char *site, const config_norm *n, const config_norm *other) {
  cJSON *o = norm_json(n, other);
  if (o->child)
    cJSON_AddItemToObject(norm, site, o);
  else
    cJSON_Delete(o);
}

static void add_model(cJSON *root, const config_model *c) {
  cJSON *m = cJSON_AddObjectToObject(root, "model"), *norm = norm_json(&c->attn, NULL);
  const struct {
    const char *key;
    double value;
  } numbers[] = {{"image_size", c->image_size}, {"channels", c->channels},
                 {"patch_size", c->patch_size}, {"dim", c->dim},
                 {"depth", c->depth},           {"heads", c->heads},
                 {"mlp_ratio", c->mlp_ratio}};
  cJSON_AddStringToObject(m, "family", c->family);
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    cJSON_AddNumberToObject(m, numbers[i].key, numbers[i].value);
  cJSON_AddStringToObject(m, "act", c->act);
  if (c->classes)
    cJSON_AddNumberToObject(m, "classes", c->classes);
  else
    cJSON_AddNullToObject(m, "classes");
  cJSON_AddStringToObject(m, "pool", c->pool);
  add_site(norm, "ffn", &c->ffn, &c->attn);
  add_site(norm, "final", &c->final, &c->attn);
  cJSON_AddItemToObject(m, "norm", norm);
}

void model_guess_write(const config_model *c, const char *path, str *out) {
  cJSON *root = cJSON_CreateObject();
  str about = {0};
  str_addf(
      &about,
      "Guessed from names and shapes in %s. Weights do not tell, so check: model.heads (suggested for %d a head), "
      "model.act, model.norm.eps%s, data.mean, data.std, data.interpolation, data.crop_pct.",
      path, c->dim / c->heads, strcmp(c->attn.kind, "dyt") ? "" : ", model.norm.fn");
  cJSON_AddStringToObject(root, "_about", about.data);
  add_model(root, c);
  json_add_value(out, root, 0);
  str_add(out, "\n");
  cJSON_Delete(root);
  str_free(&about);
}
