#include "dyt/config.h"

#include "base/config_keys.h"
#include "base/config_tree.h"
#include "dyt/file.h"
#include "dyt/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- keys that there are not ---- */

/* The names that may stand in the group `above`, each once. Returns how many. */
static int names_in(const config_path *path, int paths, const char *above,
                    char name[CONFIG_PATHS_MAX][CONFIG_PATH_SIZE]) {
  int n = 0;
  size_t skip = strlen(above) + (*above != '\0');
  for (int i = 0; i < paths; i++) {
    const char *rest = path[i].text + skip;
    if (!config_keys_below(path[i].text, above) || strlen(path[i].text) <= skip) continue;
    int length = (int)strcspn(rest, "."), j = 0;
    while (j < n && (strncmp(name[j], rest, (size_t)length) || name[j][length])) j++;
    if (j == n) snprintf(name[n++], CONFIG_PATH_SIZE, "%.*s", length, rest);
  }
  return n;
}

typedef struct loader {
  config *c;
  json_doc given; /* what the user asked for; sources and places belong to c->tree */
  config_path path[CONFIG_PATHS_MAX];
  int paths;
  err e;
} loader;

/* The key of that name in another group, or NULL. */
static const char *elsewhere(const loader *l, const char *name) {
  for (int i = 0; i < l->paths; i++)
    if (!l->path[i].site && strcmp(strrchr(l->path[i].text, '.') + 1, name) == 0) return l->path[i].text;
  return NULL;
}

static void unknown_key(loader *l, const cJSON *item, const char *above, char name[][CONFIG_PATH_SIZE],
                        int names) {
  str path = {0}, known = {0};
  const char *word[CONFIG_PATHS_MAX];
  for (int i = 0; i < names; i++) {
    word[i] = name[i];
    str_addf(&known, "%s%s", i ? ", " : "", name[i]);
  }
  str_add(&path, above);
  json_add_key(&path, item->string);
  const char *near = elsewhere(l, item->string);
  if (!near) near = str_nearest(item->string, word, names);
  str_addf(&path, ": unknown key%s%s%s", near ? ", did you mean \"" : "", near ? near : "",
           near ? "\"?" : "");
  json_fail(&l->given, item, &l->e, "%s (known: %s)", path.data, known.data);
  str_free(&path);
  str_free(&known);
}

static void check_group(loader *l, const cJSON *group, const char *above) {
  char name[CONFIG_PATHS_MAX][CONFIG_PATH_SIZE], path[2 * CONFIG_PATH_SIZE];
  int names = names_in(l->path, l->paths, above, name);
  const cJSON *item;
  cJSON_ArrayForEach(item, group) {
    if (strcmp(item->string, "_about") == 0 || (!*above && strcmp(item->string, "$schema") == 0)) continue;
    int i = 0, inner = 0;
    while (i < names && strcmp(name[i], item->string)) i++;
    snprintf(path, sizeof path, "%s%s%s", above, *above ? "." : "", i < names ? name[i] : "");
    for (int j = 0; j < l->paths; j++)
      inner += config_keys_below(l->path[j].text, path) && strcmp(l->path[j].text, path);
    if (i == names)
      unknown_key(l, item, above, name, names);
    else if (inner && cJSON_IsObject(item))
      check_group(l, item, path);
    else if (inner && !cJSON_IsNull(item))
      json_fail(&l->given, item, &l->e, "%s: expected an object", path);
  }
}

/* ---- values ---- */

static void complain(loader *l, const config_path *p, const cJSON *v) {
  enum { SHOWN = 80 }; /* bytes of the value */
  str found = {0}, expected = {0};
  json_add_value(&found, v, -1);
  size_t cut = found.len < SHOWN ? found.len : SHOWN;
  while (cut < found.len && ((unsigned char)found.data[cut] >> 6) == 2) cut--; /* whole characters */
  config_keys_expected(p->key, &expected);
  const char *near = NULL;
  int n = 0;
  while (p->key->choices && p->key->choices[n]) n++;
  if (n && cJSON_IsString(v)) near = str_nearest(v->valuestring, p->key->choices, n);
  json_fail(&l->given, v, &l->e, "%s: found %.*s%s, expected %s%s%s%s", p->text, (int)cut, found.data,
            cut < found.len ? "..." : "", expected.data, near ? "; did you mean \"" : "", near ? near : "",
            near ? "\"?" : "");
  str_free(&found);
  str_free(&expected);
}

/* The group of the resolved tree that holds `path`, made as needed. */
static cJSON *group_of(cJSON *root, const char *path) {
  for (size_t n; path[n = strcspn(path, ".")]; path += n + 1) {
    char *name = mem_printf("%.*s", (int)n, path);
    cJSON *group = cJSON_GetObjectItemCaseSensitive(root, name);
    root = group ? group : cJSON_AddObjectToObject(root, name);
    mem_free(name);
  }
  return root;
}

/* Puts the user's value into the tree if it is good, else the default; a norm site keeps only what is its
 * own. */
static void resolve(loader *l, const config_path *p) {
  struct config_tree *tree = l->c->tree;
  cJSON *group = group_of(tree->doc.root, p->text), *v = NULL;
  const cJSON *given = json_at(&l->given, p->text);
  if (given && !cJSON_IsNull(given)) {
    if (config_keys_fit(p->key, given))
      v = cJSON_Duplicate(given, true);
    else
      complain(l, p, given);
  }
  if (!v && !p->site) v = json_put_place(cJSON_Parse(p->key->fallback), tree->by_default);
  if (v) cJSON_AddItemToObject(group, strrchr(p->text, '.') + 1, v);
  if (!v) v = json_at(&tree->doc, p->key->path); /* model.norm's */
  if (p->site || !p->key->norm) config_keys_bind(p->key, v, p->site ? p->site->offset : 0, l->c);
}

/* ---- what keys say of each other ---- */

/* Adds the sentence "KEY: ..." with the place of the key, or of the other one if the key is left at its
 * default. */
__attribute__((format(printf, 5, 6))) static st clash(const config *c, const char *key, const char *other,
                                                      err *e, const char *format, ...) {
  char what[256];
  va_list args;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  if (!c->tree) return err_add(e, ST_USER, "%s: %s", key, what);
  const json_doc *d = &c->tree->doc;
  const cJSON *at = json_at(d, key);
  if (at->valueint == c->tree->by_default) at = json_at(d, other);
  return json_fail(d, at, e, "%s: %s", key, what);
}

static st check_per_channel(const config *c, const char *key, int given, err *e) {
  bool used = c->model.channels && strcmp(c->data.format, "synthetic");
  if (!used || given <= 1 || given == c->model.channels) return ST_OK;
  return clash(c, key, "model.channels", e, "%d values, expected 1, or one a channel: model.channels is %d",
               given, c->model.channels);
}

static st check_resized_crop(const config *c, err *e) {
  const char *key = "data.augment.resized_crop";
  const double *area = c->data.augment.resized_crop;
  st code = ST_OK;
  if (area[0] > area[1])
    code = clash(c, key, key, e, "from %g to %g, expected the smaller share first", area[0], area[1]);
  if (area[1] > 0 && c->data.augment.crop_padding)
    code = clash(c, key, "data.augment.crop_padding", e,
                 "not together with data.augment.crop_padding, which is %d: expected one of the two",
                 c->data.augment.crop_padding);
  return code;
}

st config_check_shapes(const config *c, err *e) {
  const config_model *m = &c->model;
  st code = ST_OK;
  if (m->dim % m->heads)
    code = clash(c, "model.dim", "model.heads", e, "%d is not divisible by model.heads, which is %d", m->dim,
                 m->heads);
  if (m->image_size % m->patch_size)
    code = clash(c, "model.image_size", "model.patch_size", e,
                 "%d is not divisible by model.patch_size, which is %d", m->image_size, m->patch_size);
  if (m->dim * m->mlp_ratio < 1)
    code = clash(c, "model.mlp_ratio", "model.dim", e,
                 "%g times model.dim, which is %d, is less than one hidden unit", m->mlp_ratio, m->dim);
  if (check_resized_crop(c, e)) code = ST_USER;
  if (c->data.augment.color_jitter > 0 && c->data.augment.randaugment.layers)
    code = clash(
        c, "data.augment.color_jitter", "data.augment.randaugment", e,
        "%g with data.augment.randaugment, which changes colours too (timm then leaves the jitter out): expected 0",
        c->data.augment.color_jitter);
  if (check_per_channel(c, "data.mean", c->data.n_mean, e)) code = ST_USER;
  if (check_per_channel(c, "data.std", c->data.n_std, e)) code = ST_USER;
  return code;
}

/* ---- loading ---- */

static void apply_sets(json_doc *d, const char *const *sets, int n_sets, err *e) {
  for (int i = 0; i < n_sets; i++) {
    str name = {0}, shown = {0};
    json_add_key(&shown, sets[i]);
    str_addf(&name, "--set %d (%s)", i + 1, shown.data);
    json_set(d, sets[i], name.data, e);
    str_free(&name);
    str_free(&shown);
  }
}

/* Moves what the user gave out of the tree and puts the resolved values in its place. */
static void resolve_all(loader *l) {
  struct config_tree *tree = l->c->tree;
  tree->by_default = json_add_place(&tree->doc, "default");
  tree->by_the_data = json_add_place(&tree->doc, "the data");
  l->given = tree->doc;
  tree->doc.root = cJSON_CreateObject();
  l->paths = config_keys(l->path);
  check_group(l, l->given.root, "");
  for (int i = 0; i < l->paths; i++) resolve(l, &l->path[i]);
  if (isnan(l->c->optim.clip_norm)) l->c->optim.clip_norm = 0;
  cJSON_Delete(l->given.root);
  if (!l->e.count) config_check_shapes(l->c, &l->e);
  str text = {0};
  config_changed(l->c, "", &text);
  file_hash(text.data, text.len, tree->hash);
  str_free(&text);
}

st config_load(const char *path, const char *const *sets, int n_sets, config *out, err *e) {
  *out = (config){.tree = mem_new(1, sizeof *out->tree)};
  loader *l = mem_new(1, sizeof *l);
  l->c = out;
  if (!json_read_merged(path, &out->tree->doc, &l->e)) {
    apply_sets(&out->tree->doc, sets, n_sets, &l->e);
    resolve_all(l);
  }
  st code = err_join(e, &l->e);
  mem_free(l);
  if (code) config_free(out);
  return code;
}

void config_free(config *c) {
  if (c->tree) json_free(&c->tree->doc);
  mem_free(c->tree);
  mem_free((void *)c->data.class_names);
  *c = (config){0};
}

/* ---- what the data settle ---- */

static const char *const left_to_the_data[] = {"model.image_size", "model.channels", "model.classes",
                                               "data.mean",        "data.std",       "data.class_names"};
enum { LEFT_TO_THE_DATA = sizeof left_to_the_data / sizeof *left_to_the_data };

static bool is_open(const cJSON *v) {
  return cJSON_IsNull(v) || (cJSON_IsString(v) && strcmp(v->valuestring, "auto") == 0);
}

/* Takes the value over; the tree is what owns it, where there is one. */
static void fill(config *c, const char *key, cJSON *v) {
  config_path path[CONFIG_PATHS_MAX];
  int n = config_keys(path), i = 0, known = 0;
  while (i < n && strcmp(path[i].text, key)) i++;
  while (known < LEFT_TO_THE_DATA && strcmp(left_to_the_data[known], key)) known++;
  REQUIRE(i < n && known < LEFT_TO_THE_DATA, "%s cannot be filled in", key);
  config_keys_bind(path[i].key, v, 0, c);
  if (c->tree)
    cJSON_ReplaceItemInObjectCaseSensitive(group_of(c->tree->doc.root, key), strrchr(key, '.') + 1,
                                           json_put_place(v, c->tree->by_the_data));
  else
    cJSON_Delete(v);
}

void config_fill(config *c, const char *key, double value) { fill(c, key, cJSON_CreateNumber(value)); }

void config_fill_numbers(config *c, const char *key, const double *value, int n) {
  fill(c, key, cJSON_CreateDoubleArray(value, n));
}

void config_fill_names(config *c, const char *key, char *const *name, int n) {
  if (c->tree) fill(c, key, cJSON_CreateStringArray((const char *const *)name, n));
}

void config_adopt(config *c, const config *own) {
  for (int i = 0; i < LEFT_TO_THE_DATA; i++) {
    const char *key = left_to_the_data[i];
    const cJSON *its = json_at(&own->tree->doc, key);
    if (is_open(json_at(&c->tree->doc, key)) && !is_open(its)) fill(c, key, cJSON_Duplicate(its, true));
  }
}
