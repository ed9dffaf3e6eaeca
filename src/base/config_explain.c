#include "config_schema.h"

#include "dyt/mem.h"

#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- for people --------------------------------------------------------------------------------------------------- */

static const char *const function_formulas[][2] = {
#define FORMULA(name, text) {#name, text},
    FORMULA(identity, "z") FORMULA(tanh, "tanh z") FORMULA(hardtanh, "z limited to [-1, 1]") FORMULA(sigmoid, "1 / (1 + e^-z)")
    FORMULA(erf, "2/sqrt(pi) * integral of e^-t^2 from 0 to z") FORMULA(isru, "z / sqrt(1 + z^2)") FORMULA(arctan, "2/pi atan z")
    FORMULA(satursin, "sin(z limited to [-pi/2, pi/2])") FORMULA(expsign, "sgn(z) (1 - e^-|z|)") FORMULA(smoothsign, "z / (1 + |z|)")
    FORMULA(relsign, "z / (sqrt(z^2 + 1) + 1)") FORMULA(arcsinhclip, "asinh z limited to [-1, 1]") FORMULA(linearclip, "z limited to [-1, 1] (hardtanh)")
    FORMULA(exproot, "sgn(z) (1 - e^-sqrt|z|)") FORMULA(logsignclip, "sgn(z) ln(|z| + 1) limited to [-1, 1]")
    FORMULA(logquadclip, "sgn(z) ln(z^2 + 1) limited to [-1, 1]") FORMULA(power23clip, "sgn(z) |z|^(2/3) limited to [-1, 1]")
    FORMULA(saturlog, "sgn(z) l / (l + 1), l = ln(|z| + 1)") FORMULA(cubsign, "z^3 / (|z|^3 + 1)")
#undef FORMULA
};

static void explain(const config_key *k, const char *path, str *out) {
  str_addf(out, "%s\n    %s\n    default %s; ", path, k->help, k->fallback);
  config_expected(k, out);
  str_add(out, "\n");
  if (strcmp(path, "model.norm.fn") == 0)
    for (size_t i = 0; i < sizeof function_formulas / sizeof function_formulas[0]; i++)
      str_addf(out, "      %-12s %s\n", function_formulas[i][0], function_formulas[i][1]);
}

static bool below(const char *path, const char *above) {
  size_t n = strlen(above);
  return n == 0 || (strncmp(path, above, n) == 0 && (path[n] == '.' || path[n] == '\0'));
}

/* Every documented path once; the keys of a norm site stand for all three sites. Returns how many were explained. */
static int explain_below(const char *above, str *out) {
  int n = 0;
  char path[128];
  for (int i = 0; i < config_key_count; i++) {
    if (strcmp(config_keys[i].path, "data.format") == 0)
      for (int j = 0; j < config_norm_key_count; j++) {
        snprintf(path, sizeof path, "model.norm.%s", config_norm_keys[j].path);
        if (below(path, above)) explain(&config_norm_keys[j], path, out), n++;
      }
    if (below(config_keys[i].path, above)) explain(&config_keys[i], config_keys[i].path, out), n++;
  }
  for (int s = 0; s < 3; s++)
    for (int j = 0; j < config_norm_key_count; j++) {
      snprintf(path, sizeof path, "%s.%s", config_sites[s].path, config_norm_keys[j].path);
      if (above[0] && strcmp(above, "model") && strcmp(above, "model.norm") && below(path, above))
        explain(&config_norm_keys[j], path, out), n++;
    }
  if (n && (strcmp(above, "model.norm") == 0 || !above[0]))
    str_add(out, "model.norm.attn, model.norm.ffn, model.norm.final\n    any of these keys again, for the norm before attention, "
                 "before the MLP, and the last one; what they do not say, model.norm says\n");
  return n;
}

st config_explain(const char *key, str *out, err *e) {
  if (explain_below(key, out)) return ST_OK;
  const char *names[128];
  char *made[16] = {0};
  int n = 0;
  for (int i = 0; i < config_key_count; i++) names[n++] = config_keys[i].path;
  for (int j = 0; j < config_norm_key_count; j++) names[n++] = made[j] = mem_printf("model.norm.%s", config_norm_keys[j].path);
  const char *near = str_nearest(key, names, n);
  err_add(e, ST_USER, "%s: no such key%s%s%s", key, near ? ", did you mean " : "", near ? near : "", near ? "?" : "");
  for (int j = 0; j < 16; j++) mem_free(made[j]);
  return ST_USER;
}

/* --- for editors -------------------------------------------------------------------------------------------------- */

static void add_types(cJSON *o, const config_key *k) {
  static const char *const types[] = {[CONFIG_INT] = "integer", [CONFIG_INT64] = "integer", [CONFIG_REAL] = "number",
                                      [CONFIG_BOOL] = "boolean", [CONFIG_TEXT] = "string",  [CONFIG_PAIR] = "array",
                                      [CONFIG_NAMES] = "array"};
  cJSON *list = cJSON_CreateArray();
  if (k->type == CONFIG_NUMBERS) {
    cJSON_AddItemToArray(list, cJSON_CreateString("number"));
    cJSON_AddItemToArray(list, cJSON_CreateString("array"));
  } else {
    cJSON_AddItemToArray(list, cJSON_CreateString(types[k->type]));
  }
  cJSON_AddItemToArray(list, cJSON_CreateString("null")); /* everywhere: back to the default */
  cJSON_AddItemToObject(o, "type", list);
}

static void add_range(cJSON *o, const config_key *k) {
  if (isfinite(k->min)) cJSON_AddNumberToObject(o, k->above_min ? "exclusiveMinimum" : "minimum", k->min);
  if (isfinite(k->max)) cJSON_AddNumberToObject(o, "maximum", k->max);
}

static cJSON *describe(const config_key *k) {
  cJSON *o = cJSON_CreateObject();
  cJSON_AddStringToObject(o, "description", k->help);
  cJSON_AddItemToObject(o, "default", cJSON_Parse(k->fallback));
  if (k->choices) {
    cJSON *list = cJSON_AddArrayToObject(o, "enum");
    for (int i = 0; k->choices[i]; i++) cJSON_AddItemToArray(list, cJSON_CreateString(k->choices[i]));
    cJSON_AddItemToArray(list, cJSON_CreateNull());
  } else if (k->type == CONFIG_LATER) {
    cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "enum"), cJSON_Parse(k->fallback));
  } else {
    add_types(o, k);
  }
  if (k->type == CONFIG_INT || k->type == CONFIG_INT64 || k->type == CONFIG_REAL || k->type == CONFIG_NUMBERS) add_range(o, k);
  if (k->type == CONFIG_PAIR) {
    cJSON_AddNumberToObject(o, "minItems", 2);
    cJSON_AddNumberToObject(o, "maxItems", 2);
  }
  if (k->type == CONFIG_PAIR || k->type == CONFIG_NUMBERS)
    cJSON_AddStringToObject(cJSON_AddObjectToObject(o, "items"), "type", "number");
  if (k->type == CONFIG_NAMES) cJSON_AddStringToObject(cJSON_AddObjectToObject(o, "items"), "type", "string");
  return o;
}

/* The "properties" of the group that holds `path`, made as needed; *leaf: the last part. */
static cJSON *group_of(cJSON *properties, const char *path, const char **leaf) {
  size_t n = strcspn(path, ".");
  *leaf = path;
  if (!path[n]) return properties;
  char *name = mem_printf("%.*s", (int)n, path);
  cJSON *group = cJSON_GetObjectItemCaseSensitive(properties, name);
  if (!group) {
    group = cJSON_AddObjectToObject(properties, name);
    cJSON *types = cJSON_AddArrayToObject(group, "type");
    cJSON_AddItemToArray(types, cJSON_CreateString("object"));
    cJSON_AddItemToArray(types, cJSON_CreateString("null"));
    cJSON_AddBoolToObject(group, "additionalProperties", false);
    cJSON *inner = cJSON_AddObjectToObject(group, "properties");
    cJSON_AddStringToObject(cJSON_AddObjectToObject(inner, "_about"), "type", "string");
    cJSON_AddStringToObject(cJSON_AddObjectToObject(inner, "_delete_"), "type", "boolean");
  }
  mem_free(name);
  return group_of(cJSON_GetObjectItemCaseSensitive(group, "properties"), path + n + 1, leaf);
}

static void add_key(cJSON *properties, const char *path, const config_key *k) {
  const char *leaf;
  cJSON *group = group_of(properties, path, &leaf);
  cJSON_AddItemToObject(group, leaf, describe(k));
}

void config_schema(str *out) {
  char path[128];
  cJSON *root = cJSON_CreateObject();
  cJSON_AddStringToObject(root, "$schema", "https://json-schema.org/draft/2020-12/schema");
  cJSON_AddStringToObject(root, "title", "dyt config");
  cJSON_AddStringToObject(root, "type", "object");
  cJSON_AddBoolToObject(root, "additionalProperties", false);
  cJSON *properties = cJSON_AddObjectToObject(root, "properties");
  cJSON_AddStringToObject(cJSON_AddObjectToObject(properties, "$schema"), "type", "string");
  cJSON_AddStringToObject(cJSON_AddObjectToObject(properties, "_about"), "type", "string");
  cJSON *base = cJSON_AddObjectToObject(properties, "_base_"), *types = cJSON_AddArrayToObject(base, "type");
  cJSON_AddItemToArray(types, cJSON_CreateString("string"));
  cJSON_AddItemToArray(types, cJSON_CreateString("array"));
  for (int i = 0; i < config_key_count; i++) add_key(properties, config_keys[i].path, &config_keys[i]);
  for (int s = -1; s < 3; s++)
    for (int j = 0; j < config_norm_key_count; j++) {
      snprintf(path, sizeof path, "%s.%s", s < 0 ? "model.norm" : config_sites[s].path, config_norm_keys[j].path);
      add_key(properties, path, &config_norm_keys[j]);
    }
  char *text = cJSON_Print(root);
  str_add(out, text);
  str_add(out, "\n");
  cJSON_free(text);
  cJSON_Delete(root);
}
