/* JSON Schema (2020-12) of a config file, for editors. */
#include "base/config_keys.h"
#include "dyt/mem.h"

#include <math.h>
#include <string.h>

/* The type or types a value may have; null everywhere: it puts a key back to its default. */
static void add_type(cJSON *schema, const char *type, const char *other) {
  cJSON *list = cJSON_AddArrayToObject(schema, "type");
  cJSON_AddItemToArray(list, cJSON_CreateString(type));
  if (other) cJSON_AddItemToArray(list, cJSON_CreateString(other));
  cJSON_AddItemToArray(list, cJSON_CreateString("null"));
}

static void add_range(cJSON *schema, const config_key *k) {
  if (isfinite(k->min))
    cJSON_AddNumberToObject(schema, k->open & CONFIG_ABOVE_MIN ? "exclusiveMinimum" : "minimum", k->min);
  if (isfinite(k->max))
    cJSON_AddNumberToObject(schema, k->open & CONFIG_BELOW_MAX ? "exclusiveMaximum" : "maximum", k->max);
}

static void add_items(cJSON *schema, const config_key *k, const char *type, int least, int most) {
  cJSON *items = cJSON_AddObjectToObject(schema, "items");
  cJSON_AddStringToObject(items, "type", type);
  if (strcmp(type, "number") == 0) add_range(items, k);
  cJSON_AddNumberToObject(schema, "minItems", least);
  if (most) cJSON_AddNumberToObject(schema, "maxItems", most);
}

static void add_whole(cJSON *schema, const config_key *k) {
  add_type(schema, "integer", NULL);
  add_range(schema, k);
}

static void add_real(cJSON *schema, const config_key *k) {
  add_type(schema, "number", NULL);
  add_range(schema, k);
}

static void add_bool(cJSON *schema, const config_key *k) {
  (void)k;
  add_type(schema, "boolean", NULL);
}

static void add_text(cJSON *schema, const config_key *k) {
  (void)k;
  add_type(schema, "string", NULL);
}

static void add_choice(cJSON *schema, const config_key *k) {
  cJSON *list = cJSON_AddArrayToObject(schema, "enum");
  for (int i = 0; k->choices[i]; i++) cJSON_AddItemToArray(list, cJSON_CreateString(k->choices[i]));
  cJSON_AddItemToArray(list, cJSON_CreateNull());
}

static void add_pair(cJSON *schema, const config_key *k) {
  add_type(schema, "array", NULL);
  add_items(schema, k, "number", 2, 2);
}

/* The pattern says which string, and nothing of other types. */
static void add_numbers(cJSON *schema, const config_key *k) {
  add_type(schema, "number", "array");
  cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(schema, "type"), cJSON_CreateString("string"));
  cJSON_AddStringToObject(schema, "pattern", "^auto$");
  add_range(schema, k);
  add_items(schema, k, "number", 1, CONFIG_CHANNELS_MAX);
}

static void add_names(cJSON *schema, const config_key *k) {
  add_type(schema, "array", NULL);
  add_items(schema, k, "string", 1, 0);
}

static void add_randaugment(cJSON *schema, const config_key *k) {
  (void)k;
  add_type(schema, "string", NULL);
  cJSON_AddStringToObject(schema, "pattern", config_randaugment_pattern);
}

static void (*const add[])(cJSON *schema, const config_key *k) = {
    [CONFIG_INT] = add_whole,   [CONFIG_INT64] = add_whole,
    [CONFIG_REAL] = add_real,   [CONFIG_BOOL] = add_bool,
    [CONFIG_TEXT] = add_text,   [CONFIG_CHOICE] = add_choice,
    [CONFIG_PAIR] = add_pair,   [CONFIG_NUMBERS] = add_numbers,
    [CONFIG_NAMES] = add_names, [CONFIG_RANDAUGMENT] = add_randaugment,
};

static cJSON *describe(const config_path *p) {
  cJSON *schema = cJSON_CreateObject();
  cJSON_AddStringToObject(schema, "description", p->key->help);
  add[p->key->type](schema, p->key);
  if (!p->site) cJSON_AddItemToObject(schema, "default", cJSON_Parse(p->key->fallback));
  return schema;
}

/* Turns `schema` into that of an object; returns its properties. */
static cJSON *make_object(cJSON *schema) {
  cJSON_AddBoolToObject(schema, "additionalProperties", false);
  cJSON *properties = cJSON_AddObjectToObject(schema, "properties");
  cJSON_AddStringToObject(cJSON_AddObjectToObject(properties, "_about"), "type", "string");
  cJSON_AddStringToObject(cJSON_AddObjectToObject(properties, "_delete_"), "type", "boolean");
  return properties;
}

/* The properties of the group that holds `path`, made as needed. */
static cJSON *properties_for(cJSON *properties, const char *path) {
  for (size_t n; path[n = strcspn(path, ".")]; path += n + 1) {
    char *name = mem_printf("%.*s", (int)n, path);
    cJSON *group = cJSON_GetObjectItemCaseSensitive(properties, name);
    if (group) {
      properties = cJSON_GetObjectItemCaseSensitive(group, "properties");
    } else {
      group = cJSON_AddObjectToObject(properties, name);
      add_type(group, "object", NULL);
      properties = make_object(group);
    }
    mem_free(name);
  }
  return properties;
}

static void add_base(cJSON *properties) {
  cJSON *base = cJSON_AddObjectToObject(properties, "_base_"), *types = cJSON_AddArrayToObject(base, "type");
  cJSON_AddItemToArray(types, cJSON_CreateString("string"));
  cJSON_AddItemToArray(types, cJSON_CreateString("array"));
  cJSON_AddStringToObject(cJSON_AddObjectToObject(base, "items"), "type", "string");
  cJSON_AddStringToObject(base, "description",
                          "configs that this one is merged over, left to right; relative to this file");
}

void config_schema(str *out) {
  config_path path[CONFIG_PATHS_MAX];
  int paths = config_keys(path);
  cJSON *root = cJSON_CreateObject();
  cJSON_AddStringToObject(root, "$schema", "https://json-schema.org/draft/2020-12/schema");
  cJSON_AddStringToObject(root, "title", "dyt config");
  cJSON_AddStringToObject(root, "type", "object");
  cJSON *properties = make_object(root);
  cJSON_AddStringToObject(cJSON_AddObjectToObject(properties, "$schema"), "type", "string");
  add_base(properties);
  for (int i = 0; i < paths; i++)
    cJSON_AddItemToObject(properties_for(properties, path[i].text), strrchr(path[i].text, '.') + 1,
                          describe(&path[i]));
  json_add_value(out, root, 0);
  str_add(out, "\n");
  cJSON_Delete(root);
}
