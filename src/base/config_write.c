/* The resolved config for the record and for people. */
#include "base/config_keys.h"
#include "base/config_tree.h"

#include <string.h>

void config_write(const config *c, str *out) {
  json_add_value(out, c->tree->doc.root, 0);
  str_add(out, "\n");
}

void config_hash(const config *c, char out[17]) { memcpy(out, c->tree->hash, sizeof c->tree->hash); }

/* ---- comparing ---- */

static bool is_listed(const char *path, const char *const *list) {
  for (int i = 0; list && list[i]; i++)
    if (strcmp(list[i], path) == 0) return true;
  return false;
}

/* A norm site has no value for what it leaves to model.norm. */
static str text_of(const config *c, const char *path) {
  str s = {0};
  const cJSON *v = json_at(&c->tree->doc, path);
  if (v)
    json_add_value(&s, v, -1);
  else
    str_add(&s, "not given");
  return s;
}

int config_diff(const config *a, const config *b, const char *const *ignore, str *out) {
  config_path path[CONFIG_PATHS_MAX];
  int paths = config_keys(path), count = 0;
  for (int i = 0; i < paths; i++) {
    str x = text_of(a, path[i].text), y = text_of(b, path[i].text);
    if (strcmp(x.data, y.data) && !is_listed(path[i].text, ignore))
      str_addf(out, "%s%s (%s -> %s)", count++ ? ", " : "", path[i].text, x.data, y.data);
    str_free(&x);
    str_free(&y);
  }
  return count;
}

static bool is_default(const config_key *k, const cJSON *v) {
  cJSON *fallback = cJSON_Parse(k->fallback);
  bool same = cJSON_Compare(v, fallback, true);
  cJSON_Delete(fallback);
  return same;
}

void config_changed(const config *c, const char *above, str *out) {
  config_path path[CONFIG_PATHS_MAX];
  int paths = config_keys(path), count = 0;
  str_add(out, "{");
  for (int i = 0; i < paths; i++) {
    const cJSON *v = json_at(&c->tree->doc, path[i].text);
    if (!config_keys_below(path[i].text, above) || !v || (!path[i].site && is_default(path[i].key, v)))
      continue;
    str_add(out, count++ ? ", " : "");
    str_add_quoted(out, path[i].text + strlen(above) + (*above != '\0'));
    str_add(out, ": ");
    json_add_value(out, v, -1);
  }
  str_add(out, "}");
}

/* ---- showing ---- */

void config_show(const config *c, str *out) {
  enum { KEY_WIDTH = 26, VALUE_WIDTH = 22 }; /* columns; what is longer pushes the rest of its line */
  config_path path[CONFIG_PATHS_MAX];
  int paths = config_keys(path);
  for (int i = 0; i < paths; i++) {
    const cJSON *v = json_at(&c->tree->doc, path[i].text);
    if (!v) continue;
    str value = {0};
    json_add_value(&value, v, -1);
    str_addf(out, "%-*s = %-*s  # ", KEY_WIDTH, path[i].text, VALUE_WIDTH, value.data);
    json_origin(&c->tree->doc, v, out);
    str_add(out, "\n");
    str_free(&value);
  }
}
