#define _GNU_SOURCE
#include "dyt/file.h"
#include "dyt/json.h"
#include "dyt/mem.h"
#include "dyt/str.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BASES_MAX = 32 }; /* files in a chain of _base_ */

/* --- origins ------------------------------------------------------------------------------------------------------ */

static bool below(const char *path, const char *above) {
  size_t n = strlen(above);
  return strncmp(path, above, n) == 0 && (path[n] == '.' || path[n] == '\0');
}

static void forget(json_doc *d, const char *path) {
  int kept = 0;
  for (int i = 0; i < d->places; i++) {
    if (below(d->place[i].path, path)) {
      mem_free(d->place[i].path);
      mem_free(d->place[i].origin);
    } else {
      d->place[kept++] = d->place[i];
    }
  }
  d->places = kept;
}

void json_note(json_doc *d, const char *path, const char *origin) {
  forget(d, path);
  d->place = mem_grow(d->place, (size_t)d->places, (size_t)d->places + 1, sizeof *d->place);
  d->place[d->places++] = (json_place){mem_strdup(path), mem_strdup(origin)};
}

const char *json_origin(const json_doc *d, const char *path) {
  char above[JSON_ORIGIN_MAX];
  snprintf(above, sizeof above, "%s", path);
  for (;;) {
    for (int i = 0; i < d->places; i++)
      if (strcmp(d->place[i].path, above) == 0) return d->place[i].origin;
    char *dot = strrchr(above, '.');
    if (!dot) return "";
    *dot = '\0';
  }
}

/* --- merging ------------------------------------------------------------------------------------------------------ */

static void path_of(char out[JSON_ORIGIN_MAX], const char *above, const char *key) {
  snprintf(out, JSON_ORIGIN_MAX, "%s%s%s", above, above[0] ? "." : "", key);
}

static bool deletes(const cJSON *object) {
  return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "_delete_"));
}

/* `to` gets what `from` says; origins follow. Both are objects. */
static void merge(json_doc *to, cJSON *target, const json_doc *from, const cJSON *source, const char *above) {
  char path[JSON_ORIGIN_MAX];
  const cJSON *item;
  cJSON_ArrayForEach(item, source) {
    if (strcmp(item->string, "_base_") == 0 || strcmp(item->string, "_delete_") == 0) continue;
    path_of(path, above, item->string);
    cJSON *old = cJSON_GetObjectItemCaseSensitive(target, item->string);
    if (cJSON_IsObject(item)) {
      if (!cJSON_IsObject(old) || deletes(item)) {
        cJSON_DeleteItemFromObjectCaseSensitive(target, item->string);
        old = cJSON_AddObjectToObject(target, item->string);
        json_note(to, path, json_origin(from, path));
      }
      merge(to, old, from, item, path);
    } else {
      cJSON_DeleteItemFromObjectCaseSensitive(target, item->string);
      cJSON_AddItemToObject(target, item->string, cJSON_Duplicate(item, 1));
      json_note(to, path, json_origin(from, path));
    }
  }
}

typedef struct chain {
  const char *path[BASES_MAX];
  int n;
} chain;

static st read_into(json_doc *out, const char *path, chain *c, err *e);

static st cyclic(const chain *c, const char *path, err *e) {
  str s = {0};
  for (int i = 0; i < c->n; i++) str_addf(&s, "%s -> ", c->path[i]);
  err_add(e, ST_USER, "%s: _base_ goes round in a circle: %s%s", path, s.data, path);
  str_free(&s);
  return ST_USER;
}

static bool same_file(const char *a, const char *b) {
  char x[PATH_MAX], y[PATH_MAX];
  return realpath(a, x) && realpath(b, y) && strcmp(x, y) == 0;
}

static st read_base(json_doc *out, const json_doc *d, const char *path, const cJSON *base, chain *c, err *e) {
  if (!cJSON_IsString(base))
    return err_add(e, ST_USER, "%s: _base_: expected a path or a list of paths", json_origin(d, "_base_"));
  const char *slash = strrchr(path, '/');
  char *full = base->valuestring[0] == '/' || !slash ? mem_strdup(base->valuestring)
                                                    : mem_printf("%.*s%s", (int)(slash + 1 - path), path, base->valuestring);
  st code = read_into(out, full, c, e);
  mem_free(full);
  return code;
}

static st read_into(json_doc *out, const char *path, chain *c, err *e) {
  json_doc d;
  st code = ST_OK;
  for (int i = 0; i < c->n; i++)
    if (same_file(c->path[i], path)) return cyclic(c, path, e);
  if (c->n == BASES_MAX) return err_add(e, ST_USER, "%s: more than %d files in a chain of _base_", path, BASES_MAX);
  if (json_read(path, &d, e)) return ST_USER;
  if (!cJSON_IsObject(d.root)) {
    json_free(&d);
    return err_add(e, ST_USER, "%s: expected a JSON object", path);
  }
  c->path[c->n++] = path;
  const cJSON *base = cJSON_GetObjectItemCaseSensitive(d.root, "_base_"), *one;
  if (cJSON_IsArray(base)) {
    cJSON_ArrayForEach(one, base) if (!code) code = read_base(out, &d, path, one, c, e);
  } else if (base) {
    code = read_base(out, &d, path, base, c, e);
  }
  c->n--;
  if (!code) merge(out, out->root, &d, d.root, "");
  json_free(&d);
  return code;
}

st json_read_merged(const char *path, json_doc *out, err *e) {
  chain c = {.n = 0};
  *out = (json_doc){.root = cJSON_CreateObject()};
  st code = read_into(out, path, &c, e);
  if (code) json_free(out);
  return code;
}

/* --- paths -------------------------------------------------------------------------------------------------------- */

static cJSON *child(const cJSON *parent, const char *key, size_t n) {
  char name[256];
  if (n >= sizeof name) return NULL;
  snprintf(name, sizeof name, "%.*s", (int)n, key);
  return cJSON_IsArray(parent) ? cJSON_GetArrayItem(parent, atoi(name)) : cJSON_GetObjectItemCaseSensitive(parent, name);
}

cJSON *json_at(const json_doc *d, const char *path) {
  cJSON *at = d->root;
  while (at && *path) {
    size_t n = strcspn(path, ".");
    at = child(at, path, n);
    path += n + (path[n] == '.');
  }
  return at;
}

/* {"a": {"b": value}} for the path "a.b"; takes `value`. */
static cJSON *wrapped(const char *path, cJSON *value) {
  const char *dot = strrchr(path, '.');
  cJSON *object = cJSON_CreateObject();
  cJSON_AddItemToObject(object, dot ? dot + 1 : path, value);
  if (!dot) return object;
  char *above = mem_printf("%.*s", (int)(dot - path), path);
  object = wrapped(above, object);
  mem_free(above);
  return object;
}

st json_set(json_doc *d, const char *assignment, const char *origin, err *e) {
  const char *equals = strchr(assignment, '=');
  if (!equals || equals == assignment)
    return err_add(e, ST_USER, "%s: expected key.path=VALUE", origin);
  json_doc value;
  err quiet = {0};
  cJSON *item;
  if (json_parse(origin, equals + 1, strlen(equals + 1), &value, &quiet)) {
    item = cJSON_CreateString(equals + 1);
  } else {
    item = cJSON_Duplicate(value.root, 1);
    json_free(&value);
  }
  char *path = mem_printf("%.*s", (int)(equals - assignment), assignment);
  json_doc from = {.root = wrapped(path, item)};
  const char *end = path;
  do { /* every object on the way has this origin, so that errors name it */
    end += strcspn(end, ".");
    char *part = mem_printf("%.*s", (int)(end - path), path);
    json_note(&from, part, origin);
    mem_free(part);
  } while (*end++);
  json_note(&from, path, origin);
  merge(d, d->root, &from, from.root, "");
  json_free(&from);
  mem_free(path);
  return ST_OK;
}
