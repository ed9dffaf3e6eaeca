/* Documents merged over one another: `_base_` files and --set. */
#define _GNU_SOURCE
#include "dyt/file.h"
#include "dyt/json.h"
#include "dyt/mem.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- merging ---- */

static void shift_places(cJSON *value, int by) {
  cJSON *item;
  value->valueint += by;
  cJSON_ArrayForEach(item, value) shift_places(item, by);
}

/* Appends the sources and places of `from` to `to`, and makes the values of `from` refer to them there. */
static void join_places(json_doc *to, json_doc *from) {
  size_t sources = (size_t)to->sources, places = (size_t)to->places;
  to->source = mem_grow(to->source, sources, sources + (size_t)from->sources, sizeof *to->source);
  to->place = mem_grow(to->place, places, places + (size_t)from->places, sizeof *to->place);
  for (int i = 0; i < from->sources; i++) to->source[to->sources + i] = from->source[i];
  for (int i = 0; i < from->places; i++) {
    json_place p = from->place[i];
    p.source += to->sources;
    to->place[to->places + i] = p;
  }
  shift_places(from->root, to->places);
  to->sources += from->sources;
  to->places += from->places;
  from->sources = 0;
}

static bool deletes(const cJSON *object) {
  return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "_delete_"));
}

static bool is_directive(const cJSON *item) {
  return item->string && (strcmp(item->string, "_base_") == 0 || strcmp(item->string, "_delete_") == 0);
}

static void strip_directives(cJSON *value) {
  for (cJSON *item = value->child, *next; item; item = next) {
    next = item->next;
    if (is_directive(item))
      cJSON_Delete(cJSON_DetachItemViaPointer(value, item));
    else
      strip_directives(item);
  }
}

/* Moves what `from` holds into `to`, both objects; what is left of `from` is the caller's. */
static void merge_objects(cJSON *to, cJSON *from) {
  if (deletes(from)) {
    cJSON_Delete(to->child);
    to->child = NULL;
  }
  while (from->child) {
    cJSON *item = cJSON_DetachItemViaPointer(from, from->child);
    cJSON *old = cJSON_GetObjectItemCaseSensitive(to, item->string);
    bool both = cJSON_IsObject(old) && cJSON_IsObject(item);
    if (both) merge_objects(old, item);
    if (both || is_directive(item)) {
      cJSON_Delete(item);
      continue;
    }
    strip_directives(item);
    if (old)
      cJSON_ReplaceItemViaPointer(to, old, item);
    else
      cJSON_AddItemToArray(to, item); /* as to a list: it has its key already */
  }
}

static void merge_docs(json_doc *to, json_doc *from) {
  join_places(to, from);
  merge_objects(to->root, from->root);
  json_free(from);
}

/* ---- what begins with an underscore ---- */

static bool is_path_list(const cJSON *v) {
  const cJSON *item;
  if (cJSON_IsString(v)) return true;
  cJSON_ArrayForEach(item, v) if (!cJSON_IsString(item)) return false;
  return cJSON_IsArray(v);
}

/* `above`: what the item stands in. */
static st check_directive(const json_doc *d, const cJSON *above, const cJSON *item, err *e) {
  if (strcmp(item->string, "_base_") == 0) {
    if (above != d->root) return json_fail(d, item, e, "_base_: expected only in a file's outermost object");
    if (!is_path_list(item)) return json_fail(d, item, e, "_base_: expected a path or a list of paths");
  }
  if (strcmp(item->string, "_delete_") == 0 && !cJSON_IsBool(item))
    return json_fail(d, item, e, "_delete_: expected true or false");
  if (strcmp(item->string, "_about") == 0 && !cJSON_IsString(item))
    return json_fail(d, item, e, "_about: expected a string");
  return ST_OK;
}

static st check_directives(const json_doc *d, const cJSON *value, err *e) {
  st code = ST_OK;
  const cJSON *item;
  cJSON_ArrayForEach(item, value) {
    if (item->string && check_directive(d, value, item, e)) code = ST_USER;
    if (check_directives(d, item, e)) code = ST_USER;
  }
  return code;
}

/* ---- files ---- */

/* The files being read, each named by the one before. */
typedef struct chain {
  const char *path[JSON_FILES_MAX];
  int n;
} chain;

static bool same_file(const char *a, const char *b) {
  char x[PATH_MAX], y[PATH_MAX];
  return realpath(a, x) && realpath(b, y) && strcmp(x, y) == 0;
}

static st check_chain(const chain *c, const char *path, err *e) {
  int i = 0;
  while (i < c->n && !same_file(c->path[i], path)) i++;
  if (i == c->n) return ST_OK;
  str s = {0};
  for (; i < c->n; i++) str_addf(&s, "%s -> ", c->path[i]);
  err_add(e, ST_USER, "%s: _base_ leads back to the file itself: %s%s", path, s.data, path);
  str_free(&s);
  return ST_USER;
}

/* "a/b/../c" as "a/c", for messages, where that is the same file (b may be a link). Takes `path`. */
static char *tidied(char *path) {
  char *shorter = mem_strdup(path), *from = shorter;
  for (char *up; (up = strstr(from, "/../"));) {
    char *folder = up;
    while (folder > shorter && folder[-1] != '/') folder--;
    bool named = folder < up && strncmp(folder, "../", 3);
    if (named) memmove(folder, up + 4, strlen(up + 4) + 1);
    from = named ? shorter : up + 1;
  }
  bool same = same_file(path, shorter);
  mem_free(same ? path : shorter);
  return same ? shorter : path;
}

static st read_into(json_doc *out, const char *path, chain *c, err *e);

static st read_base(json_doc *out, const json_doc *d, const cJSON *base, chain *c, err *e) {
  const char *path = d->source[0], *slash = strrchr(path, '/'), *named = base->valuestring;
  int folder = slash && named[0] != '/' ? (int)(slash + 1 - path) : 0;
  char *full = tidied(mem_printf("%.*s%s", folder, path, named));
  file_kind kind = file_what(full);
  st code = kind == FILE_REGULAR
                ? read_into(out, full, c, e)
                : json_fail(d, base, e, "_base_: %s: %s, expected a file", full,
                            kind == FILE_NONE ? "there is no such file" : "this is a folder or a device");
  mem_free(full);
  return code;
}

static st read_bases(json_doc *out, const json_doc *d, chain *c, err *e) {
  const cJSON *base = cJSON_GetObjectItemCaseSensitive(d->root, "_base_"), *item;
  st code = ST_OK;
  if (cJSON_IsString(base)) code = read_base(out, d, base, c, e);
  cJSON_ArrayForEach(item, base) if (read_base(out, d, item, c, e)) code = ST_USER;
  return code;
}

static st read_into(json_doc *out, const char *path, chain *c, err *e) {
  json_doc d;
  if (check_chain(c, path, e)) return ST_USER;
  if (c->n == JSON_FILES_MAX || out->sources >= JSON_FILES_MAX)
    return err_add(e, ST_USER, "%s: more than %d files are named by _base_", path, JSON_FILES_MAX);
  if (json_read(path, &d, e)) return ST_USER;
  st code = cJSON_IsObject(d.root) ? check_directives(&d, d.root, e)
                                   : json_fail(&d, d.root, e, "expected a JSON object");
  c->path[c->n++] = path;
  if (!code) code = read_bases(out, &d, c, e);
  c->n--;
  if (!code) merge_docs(out, &d);
  json_free(&d);
  return code;
}

st json_read_merged(const char *path, json_doc *out, err *e) {
  chain c = {.n = 0};
  *out = (json_doc){.root = cJSON_CreateObject()};
  json_add_place(out, path); /* that of the root */
  st code = read_into(out, path, &c, e);
  if (code) json_free(out);
  return code;
}

/* ---- assignments ---- */

/* The keys of "a.b" on the way to the value: {"a": {"b": value}}. Takes `value`; NULL if a key is empty or
 * there are too many. */
static cJSON *wrapped(const char *path, cJSON *value) {
  cJSON *root = cJSON_CreateObject(), *at = root;
  for (int depth = 0; depth < JSON_DEPTH_MAX; depth++) {
    size_t n = strcspn(path, ".");
    char *key = mem_printf("%.*s", (int)n, path);
    bool last = !path[n];
    cJSON *item = last ? value : cJSON_CreateObject();
    if (n) cJSON_AddItemToObject(at, key, item);
    mem_free(key);
    if (n && last) return root;
    if (n == 0) {
      if (!last) cJSON_Delete(item);
      break;
    }
    at = item;
    path += n + 1;
  }
  cJSON_Delete(value);
  cJSON_Delete(root);
  return NULL;
}

/* NULL if the text is not UTF-8. */
static cJSON *value_of(const char *name, const char *text, err *e) {
  json_doc d;
  str quoted = {0};
  str_add_quoted(&quoted, text);
  st code = json_parse(name, text, strlen(text), &d, NULL);
  if (code) code = json_parse(name, quoted.data, quoted.len, &d, e);
  str_free(&quoted);
  if (code) return NULL;
  cJSON *value = d.root;
  d.root = NULL;
  json_free(&d);
  return value;
}

st json_set(json_doc *d, const char *assignment, const char *name, err *e) {
  const char *equals = strchr(assignment, '=');
  if (!equals) return err_add(e, ST_USER, "%s: expected key.path=VALUE", name);
  cJSON *value = value_of(name, equals + 1, e);
  if (!value) return ST_USER;
  char *path = mem_printf("%.*s", (int)(equals - assignment), assignment);
  json_doc from = {.root = wrapped(path, value)};
  mem_free(path);
  if (!from.root) return err_add(e, ST_USER, "%s: expected key.path=VALUE", name);
  json_put_place(from.root, json_add_place(&from, name));
  st code = check_directives(&from, from.root, e);
  if (!code && cJSON_GetObjectItemCaseSensitive(from.root, "_base_"))
    code = json_fail(&from, from.root, e, "_base_: expected only in a file");
  if (!code) merge_docs(d, &from);
  json_free(&from);
  return code;
}
