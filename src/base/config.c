#include "config_schema.h"

#include "dyt/file.h"
#include "dyt/json.h"
#include "dyt/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The resolved config and where its values come from. */
struct config_tree {
  json_doc doc;    /* what the user gave, with origins */
  cJSON *resolved; /* every key, in the schema's order */
};

/* --- one value ---------------------------------------------------------------------------------------------------- */

static bool is_whole(const cJSON *v) { return cJSON_IsNumber(v) && v->valuedouble == floor(v->valuedouble); }

static bool in_range(const config_key *k, const cJSON *v) {
  double x = v->valuedouble;
  return cJSON_IsNumber(v) && isfinite(x) && x <= k->max && (k->above_min ? x > k->min : x >= k->min);
}

static bool all_in_range(const config_key *k, const cJSON *list, int min, int max) {
  int n = cJSON_GetArraySize(list);
  const cJSON *v;
  if (!cJSON_IsArray(list) || n < min || n > max) return false;
  cJSON_ArrayForEach(v, list) if (!in_range(k, v)) return false;
  return true;
}

static bool is_choice(const config_key *k, const cJSON *v) {
  for (int i = 0; cJSON_IsString(v) && k->choices[i]; i++)
    if (strcmp(k->choices[i], v->valuestring) == 0) return true;
  return false;
}

static bool are_names(const cJSON *list) {
  const cJSON *v;
  if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) == 0) return false;
  cJSON_ArrayForEach(v, list) if (!cJSON_IsString(v)) return false;
  return true;
}

static bool is_default(const config_key *k, const cJSON *v) {
  cJSON *want = cJSON_Parse(k->fallback);
  bool same = cJSON_Compare(want, v, true);
  cJSON_Delete(want);
  return same;
}

static bool fits(const config_key *k, const cJSON *v) {
  switch (k->type) {
  case CONFIG_INT:
  case CONFIG_INT64: return is_whole(v) && in_range(k, v);
  case CONFIG_REAL: return in_range(k, v);
  case CONFIG_BOOL: return cJSON_IsBool(v);
  case CONFIG_TEXT: return cJSON_IsString(v);
  case CONFIG_CHOICE: return is_choice(k, v);
  case CONFIG_PAIR: return all_in_range(k, v, 2, 2);
  case CONFIG_NUMBERS: return cJSON_IsNumber(v) ? in_range(k, v) : all_in_range(k, v, 1, CONFIG_CHANNELS_MAX);
  case CONFIG_NAMES: return are_names(v);
  case CONFIG_LATER: return is_default(k, v);
  }
  return false;
}

static void add_value(str *out, const cJSON *v, int indent);

static void complain(const json_doc *d, const config_key *k, const char *path, const cJSON *v, err *e) {
  str expected = {0}, found = {0};
  config_expected(k, &expected);
  add_value(&found, v, -1);
  const char *near = k->choices && cJSON_IsString(v) ? NULL : "";
  if (!near) {
    int n = 0;
    while (k->choices[n]) n++;
    near = str_nearest(v->valuestring, k->choices, n);
  }
  err_add(e, ST_USER, "%s: %s: found %.80s, expected %s%s%s%s", json_origin(d, path), path, found.data, expected.data,
          near && *near ? "; did you mean \"" : "", near ? near : "", near && *near ? "\"?" : "");
  str_free(&expected);
  str_free(&found);
}

/* Writes a value that fits into the field it belongs to. */
static void bind(const config_key *k, const cJSON *v, char *base) {
  void *at = base + k->at;
  switch (k->type) {
  case CONFIG_INT: *(int *)at = cJSON_IsNull(v) ? 0 : (int)v->valuedouble; break;
  case CONFIG_INT64: *(int64_t *)at = cJSON_IsNull(v) ? 0 : (int64_t)v->valuedouble; break;
  case CONFIG_REAL: *(double *)at = cJSON_IsNull(v) ? NAN : v->valuedouble; break;
  case CONFIG_BOOL: *(bool *)at = cJSON_IsTrue(v); break;
  case CONFIG_TEXT:
  case CONFIG_CHOICE: *(const char **)at = cJSON_IsNull(v) ? NULL : v->valuestring; break;
  case CONFIG_PAIR:
  case CONFIG_NUMBERS: {
    int n = cJSON_IsArray(v) ? cJSON_GetArraySize(v) : 1;
    for (int i = 0; i < n; i++) ((double *)at)[i] = (cJSON_IsArray(v) ? cJSON_GetArrayItem(v, i) : v)->valuedouble;
    if (k->count_at) *(int *)(void *)(base + k->count_at) = n;
    break;
  }
  case CONFIG_NAMES: {
    int n = cJSON_IsNull(v) ? 0 : cJSON_GetArraySize(v);
    const char **names = n ? mem_new((size_t)n, sizeof *names) : NULL;
    for (int i = 0; i < n; i++) names[i] = cJSON_GetArrayItem(v, i)->valuestring;
    *(const char ***)at = names;
    *(int *)(void *)(base + k->count_at) = n;
    break;
  }
  case CONFIG_LATER: break;
  }
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

/* The object that holds `path` in the resolved tree, made as needed. */
static cJSON *parent_of(cJSON *root, const char *path, const char **leaf) {
  for (;;) {
    size_t n = strcspn(path, ".");
    if (!path[n]) {
      *leaf = path;
      return root;
    }
    char *name = mem_printf("%.*s", (int)n, path);
    cJSON *next = cJSON_GetObjectItemCaseSensitive(root, name);
    root = next ? next : cJSON_AddObjectToObject(root, name);
    mem_free(name);
    path += n + 1;
  }
}

/* The user's value if it fits, else the default (after a complaint if there was one that does not). */
static cJSON *resolve(const json_doc *d, const config_key *k, const char *path, err *e) {
  const cJSON *v = json_at(d, path);
  if (v && !cJSON_IsNull(v)) {
    if (fits(k, v)) return cJSON_Duplicate(v, 1);
    complain(d, k, path, v, e);
  }
  return cJSON_Parse(k->fallback);
}

static void put(cJSON *root, const char *path, cJSON *v) {
  const char *leaf;
  cJSON *parent = parent_of(root, path, &leaf);
  cJSON_AddItemToObject(parent, leaf, v);
}

static void resolve_key(config *c, const config_key *k, err *e) {
  cJSON *v = resolve(&c->tree->doc, k, k->path, e);
  put(c->tree->resolved, k->path, v);
  if (k->type != CONFIG_LATER && k->at != CONFIG_NOWHERE) bind(k, v, (char *)c);
}

/* model.norm and its sites: what a site does not say, model.norm says. */
static void resolve_norm(config *c, err *e) {
  const json_doc *d = &c->tree->doc;
  char path[128];
  cJSON *shared[16];
  for (int i = 0; i < config_norm_key_count; i++) {
    snprintf(path, sizeof path, "model.norm.%s", config_norm_keys[i].path);
    shared[i] = resolve(d, &config_norm_keys[i], path, e);
    put(c->tree->resolved, path, shared[i]);
  }
  for (int s = 0; s < 3; s++) {
    const config_site *site = &config_sites[s];
    const char *leaf;
    cJSON *object = cJSON_AddObjectToObject(parent_of(c->tree->resolved, site->path, &leaf), strrchr(site->path, '.') + 1);
    for (int i = 0; i < config_norm_key_count; i++) {
      const config_key *k = &config_norm_keys[i];
      snprintf(path, sizeof path, "%s.%s", site->path, k->path);
      const cJSON *given = json_at(d, path);
      cJSON *own = given && !cJSON_IsNull(given) ? resolve(d, k, path, e) : NULL;
      if (own) cJSON_AddItemToObject(object, k->path, own);
      bind(k, own ? own : shared[i], (char *)c + site->at);
    }
  }
}

/* --- unknown keys ------------------------------------------------------------------------------------------------- */

enum { NAMES_MAX = 64 };

/* The names that may stand directly below `above`; each once. Returns how many. */
static int names_below(const char *above, const char *names[NAMES_MAX], char store[NAMES_MAX][48]) {
  int n = 0;
  size_t skip = above[0] ? strlen(above) + 1 : 0;
  bool norm = strcmp(above, "model.norm") == 0;
  for (int s = 0; s < 3; s++) norm |= strcmp(above, config_sites[s].path) == 0;
  for (int i = 0; i < (norm ? config_norm_key_count : config_key_count); i++) {
    const char *path = norm ? config_norm_keys[i].path : config_keys[i].path;
    if (!norm && skip && (strncmp(path, above, skip - 1) || path[skip - 1] != '.')) continue;
    const char *part = norm ? path : path + skip;
    snprintf(store[n], sizeof store[n], "%.*s", (int)strcspn(part, "."), part);
    bool known = n && strcmp(store[n - 1], store[n]) == 0;
    if (!known) names[n] = store[n], n++;
  }
  static const char *const more[][2] = {{"model", "norm"}, {"model.norm", "attn"}, {"model.norm", "ffn"}, {"model.norm", "final"}};
  for (int i = 0; i < 4; i++)
    if (strcmp(more[i][0], above) == 0) names[n++] = more[i][1];
  return n;
}

static void unknown_key(const json_doc *d, const char *path, const char *key, const char *const *names, int n, err *e) {
  str known = {0};
  for (int i = 0; i < n; i++) str_addf(&known, "%s%s", i ? ", " : "", names[i]);
  const char *near = str_nearest(key, names, n);
  const char *dot = strrchr(path, '.');
  err_add(e, ST_USER, "%s: %s: unknown key%s%.*s%s%s%s (known: %s)", json_origin(d, path), path,
          near ? ", did you mean \"" : "", near && dot ? (int)(dot + 1 - path) : 0, path, near ? near : "", near ? "\"?" : "", "", known.data);
  str_free(&known);
}

static void check_names(const json_doc *d, const cJSON *object, const char *above, err *e) {
  const char *names[NAMES_MAX];
  char store[NAMES_MAX][48], path[JSON_ORIGIN_MAX];
  int n = names_below(above, names, store);
  const cJSON *item;
  cJSON_ArrayForEach(item, object) {
    if (strcmp(item->string, "_about") == 0 || (!above[0] && strcmp(item->string, "$schema") == 0)) continue;
    snprintf(path, sizeof path, "%s%s%s", above, above[0] ? "." : "", item->string);
    bool known = false;
    for (int i = 0; i < n; i++) known |= strcmp(names[i], item->string) == 0;
    const char *inner[NAMES_MAX];
    char inner_store[NAMES_MAX][48];
    bool group = known && names_below(path, inner, inner_store) > 0;
    if (!known)
      unknown_key(d, path, item->string, names, n, e);
    else if (group && cJSON_IsObject(item))
      check_names(d, item, path, e);
    else if (group && !cJSON_IsNull(item))
      err_add(e, ST_USER, "%s: %s: expected an object", json_origin(d, path), path);
  }
}

/* --- what keys say of each other ---------------------------------------------------------------------------------- */

st config_check_shapes(const config *c, err *e) {
  const config_model *m = &c->model;
  st code = ST_OK;
  if (m->dim % m->heads) code = err_add(e, ST_USER, "model.dim: %d is not divisible by model.heads, %d", m->dim, m->heads);
  if (m->image_size && m->image_size % m->patch_size)
    code = err_add(e, ST_USER, "model.image_size: %d is not divisible by model.patch_size, %d", m->image_size, m->patch_size);
  if (m->dim * m->mlp_ratio < 1)
    code = err_add(e, ST_USER, "model.mlp_ratio: %g times model.dim, %d, is less than one hidden unit", m->mlp_ratio, m->dim);
  if (c->schedule.warmup_epochs > c->schedule.epochs)
    code = err_add(e, ST_USER, "schedule.warmup_epochs: %g is more than schedule.epochs, %g", c->schedule.warmup_epochs,
                   c->schedule.epochs);
  return code;
}

/* --- the public functions ----------------------------------------------------------------------------------------- */

st config_load(const char *path, const char *const *sets, int n_sets, config *out, err *e) {
  *out = (config){.tree = mem_new(1, sizeof(struct config_tree))};
  out->tree->resolved = cJSON_CreateObject();
  st code = json_read_merged(path, &out->tree->doc, e);
  for (int i = 0; i < n_sets && !code; i++) {
    char *origin = mem_printf("--set %.200s", sets[i]);
    code = json_set(&out->tree->doc, sets[i], origin, e);
    mem_free(origin);
  }
  if (!code) {
    int before = e->count;
    check_names(&out->tree->doc, out->tree->doc.root, "", e);
    for (int i = 0; i < config_key_count; i++) {
      if (strcmp(config_keys[i].path, "data.format") == 0) resolve_norm(out, e); /* after the rest of the model */
      resolve_key(out, &config_keys[i], e);
    }
    if (isnan(out->optim.clip_norm)) out->optim.clip_norm = 0;
    if (e->count == before) config_check_shapes(out, e);
    if (e->count != before) code = ST_USER;
  }
  if (code) config_free(out);
  return code;
}

void config_free(config *c) {
  if (c->tree) {
    json_free(&c->tree->doc);
    cJSON_Delete(c->tree->resolved);
  }
  mem_free(c->tree);
  mem_free((void *)c->data.class_names);
  *c = (config){0};
}

void config_fill(config *c, const char *key, double value) {
  const char *leaf;
  cJSON *parent = parent_of(c->tree->resolved, key, &leaf);
  cJSON_ReplaceItemInObjectCaseSensitive(parent, leaf, cJSON_CreateNumber(value));
  json_note(&c->tree->doc, key, "the data");
  for (int i = 0; i < config_key_count; i++)
    if (strcmp(config_keys[i].path, key) == 0) bind(&config_keys[i], cJSON_GetObjectItemCaseSensitive(parent, leaf), (char *)c);
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static void add_number(str *out, double v) {
  char text[40];
  snprintf(text, sizeof text, "%.15g", v);
  double back = 0;
  sscanf(text, "%lf", &back);
  str_addf(out, "%.*g", back == v ? 15 : 17, v);
}

static void new_line(str *out, int indent) {
  if (indent >= 0) str_addf(out, "\n%*s", 2 * indent, "");
}

static void add_items(str *out, const cJSON *v, int indent, char open, char close) {
  const cJSON *item;
  bool lines = indent >= 0 && open == '{' && v->child;
  str_addf(out, "%c", open);
  cJSON_ArrayForEach(item, v) {
    if (item != v->child) str_add(out, lines ? "," : ", ");
    if (lines) new_line(out, indent + 1);
    if (item->string) {
      str_add_quoted(out, item->string);
      str_add(out, ": ");
    }
    add_value(out, item, indent < 0 ? indent : indent + 1);
  }
  if (lines) new_line(out, indent);
  str_addf(out, "%c", close);
}

/* indent < 0: on one line. */
static void add_value(str *out, const cJSON *v, int indent) {
  if (cJSON_IsObject(v))
    add_items(out, v, indent, '{', '}');
  else if (cJSON_IsArray(v))
    add_items(out, v, indent, '[', ']');
  else if (cJSON_IsString(v))
    str_add_quoted(out, v->valuestring);
  else if (cJSON_IsNumber(v))
    add_number(out, v->valuedouble);
  else
    str_add(out, cJSON_IsTrue(v) ? "true" : cJSON_IsFalse(v) ? "false" : "null");
}

void config_write(const config *c, str *out) {
  add_value(out, c->tree->resolved, 0);
  str_add(out, "\n");
}

void config_hash(const config *c, char out[17]) {
  str s = {0};
  config_write(c, &s);
  file_hash(s.data, s.len, out);
  str_free(&s);
}

/* --- comparing and showing ---------------------------------------------------------------------------------------- */

static cJSON *value_at(const config *c, const char *path) {
  json_doc d = {.root = c->tree->resolved};
  return json_at(&d, path);
}

static bool listed(const char *path, const char *const *list) {
  for (int i = 0; list && list[i]; i++)
    if (strcmp(list[i], path) == 0) return true;
  return false;
}

typedef struct visitor {
  void (*see)(void *context, const char *path, const cJSON *v);
  void *context;
} visitor;

/* Every key of a resolved tree that is not a group; empty groups too. */
static void visit(const cJSON *object, const char *above, const visitor *w) {
  char path[JSON_ORIGIN_MAX];
  const cJSON *item;
  cJSON_ArrayForEach(item, object) {
    snprintf(path, sizeof path, "%s%s%s", above, above[0] ? "." : "", item->string);
    if (cJSON_IsObject(item))
      visit(item, path, w);
    else
      w->see(w->context, path, item);
  }
}

typedef struct difference {
  const config *other;
  const char *const *ignore;
  str *out;
  int count;
  bool missing_only; /* second pass: what the other has and this one has not */
} difference;

static void compare(void *context, const char *path, const cJSON *v) {
  difference *d = context;
  const cJSON *w = value_at(d->other, path);
  if (listed(path, d->ignore) || (d->missing_only ? w != NULL : w && cJSON_Compare(v, w, true))) return;
  str_addf(d->out, "%s%s (", d->count++ ? ", " : "", path);
  if (d->missing_only) str_add(d->out, "not given -> ");
  add_value(d->out, v, -1);
  if (!d->missing_only) {
    str_add(d->out, " -> ");
    if (w)
      add_value(d->out, w, -1);
    else
      str_add(d->out, "not given");
  }
  str_add(d->out, ")");
}

int config_diff(const config *a, const config *b, const char *const *ignore, str *out) {
  difference d = {b, ignore, out, 0, false};
  visit(a->tree->resolved, "", &(visitor){compare, &d});
  d.other = a;
  d.missing_only = true;
  visit(b->tree->resolved, "", &(visitor){compare, &d});
  return d.count;
}

typedef struct shown {
  const config *c;
  str *out;
} shown;

static void show_key(void *context, const char *path, const cJSON *v) {
  const shown *s = context;
  str value = {0};
  add_value(&value, v, -1);
  const json_doc *d = &s->c->tree->doc;
  const cJSON *given = json_at(d, path);
  const char *origin = json_origin(d, path);
  bool set = (given && !cJSON_IsNull(given)) || strcmp(origin, "the data") == 0;
  str_addf(s->out, "%-28s = %-24s # %s\n", path, value.data, set ? origin : "default");
  str_free(&value);
}

void config_show(const config *c, str *out) { visit(c->tree->resolved, "", &(visitor){show_key, &(shown){c, out}}); }
