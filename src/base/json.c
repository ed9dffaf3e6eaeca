#include "dyt/json.h"

#include "base/json_scan.h"
#include "dyt/file.h"
#include "dyt/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- places ---- */

int json_add_place(json_doc *d, const char *name) {
  d->source = mem_grow(d->source, (size_t)d->sources, (size_t)d->sources + 1, sizeof *d->source);
  d->source[d->sources] = mem_strdup(name);
  d->place = mem_grow(d->place, (size_t)d->places, (size_t)d->places + 1, sizeof *d->place);
  d->place[d->places] = (json_place){.source = d->sources++};
  return d->places++;
}

cJSON *json_put_place(cJSON *value, int place) {
  cJSON *item;
  value->valueint = place;
  cJSON_ArrayForEach(item, value) json_put_place(item, place);
  return value;
}

/* The scan met the values in the order in which the tree is walked here. */
static void number_places(cJSON *value, int *next) {
  cJSON *item;
  value->valueint = (*next)++;
  cJSON_ArrayForEach(item, value) number_places(item, next);
}

void json_origin(const json_doc *d, const cJSON *value, str *out) {
  const json_place *p = &d->place[value->valueint];
  str_add(out, d->source[p->source]);
  if (p->line) str_addf(out, ":%d:%d", p->line, p->column);
}

st json_fail(const json_doc *d, const cJSON *value, err *e, const char *format, ...) {
  char what[4096];
  str origin = {0};
  va_list args;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  json_origin(d, value, &origin);
  err_add(e, ST_USER, "%s: %s", origin.data, what);
  str_free(&origin);
  return ST_USER;
}

/* ---- duplicate keys ---- */

static int by_key(const void *a, const void *b) {
  const cJSON *x = *(cJSON *const *)a, *y = *(cJSON *const *)b;
  int order = strcmp(x->string, y->string);
  return order ? order : (x->valueint > y->valueint) - (x->valueint < y->valueint);
}

/* On the tree, where escapes are resolved: "\u0061" is "a". */
static st check_keys(const json_doc *d, const cJSON *object, const str *path, err *e) {
  int n = cJSON_GetArraySize(object), i = 0;
  const cJSON **sorted = mem_new((size_t)n + 1, sizeof *sorted), *item;
  st code = ST_OK;
  cJSON_ArrayForEach(item, object) sorted[i++] = item;
  qsort(sorted, (size_t)n, sizeof *sorted, by_key);
  for (i = 1; i < n; i++) {
    if (strcmp(sorted[i]->string, sorted[i - 1]->string)) continue;
    str key = {0};
    if (path->len) str_add(&key, path->data);
    json_add_key(&key, sorted[i]->string);
    const json_place *first = &d->place[sorted[i - 1]->valueint];
    code =
        json_fail(d, sorted[i], e, "%s: this key is there already, at line %d, column %d: expected it once",
                  key.data, first->line, first->column);
    str_free(&key);
  }
  mem_free(sorted);
  return code;
}

static st check_all_keys(const json_doc *d, const cJSON *value, str *path, err *e) {
  st code = cJSON_IsObject(value) ? check_keys(d, value, path, e) : ST_OK;
  size_t keep = path->len;
  int index = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, value) {
    char number[16];
    snprintf(number, sizeof number, "%d", index++);
    if (item->child) { /* else there is nothing below it */
      json_add_key(path, item->string ? item->string : number);
      if (check_all_keys(d, item, path, e)) code = ST_USER;
    }
    path->len = keep;
    if (path->data) path->data[keep] = '\0';
  }
  return code;
}

/* ---- reading ---- */

static st parse_scanned(const char *name, const char *text, size_t size, json_doc *out, err *e) {
  out->root = cJSON_ParseWithLength(text, size);
  if (!out->root) return err_add(e, ST_USER, "%s: cannot be parsed as JSON", name);
  int next = 0;
  str path = {0};
  number_places(out->root, &next);
  REQUIRE(next == out->places, "%s: the scan found %d values and cJSON %d", name, out->places, next);
  st code = check_all_keys(out, out->root, &path, e);
  str_free(&path);
  return code;
}

st json_parse(const char *name, const char *text, size_t size, json_doc *out, err *e) {
  *out = (json_doc){0};
  if (size > JSON_SIZE_MAX)
    return err_add(e, ST_USER, "%s: %zu bytes, expected at most %d", name, size, JSON_SIZE_MAX);
  json_add_place(out, name);
  mem_free(out->place);
  out->place = mem_new(size < JSON_VALUES_MAX ? size + 1 : JSON_VALUES_MAX,
                       sizeof *out->place); /* a value has a byte */
  char *copy = mem_new(size + 1, 1);
  memcpy(copy, text, size);
  out->places = json_scan(name, copy, size, out->place, e);
  st code = out->places < 0 ? ST_USER : parse_scanned(name, copy, size, out, e);
  mem_free(copy);
  if (code) json_free(out);
  return code;
}

st json_read(const char *path, json_doc *out, err *e) {
  file_bytes b;
  *out = (json_doc){0};
  if (file_read(path, JSON_SIZE_MAX, &b, e)) return ST_USER;
  st code = json_parse(path, (const char *)b.data, b.size, out, e);
  file_bytes_free(&b);
  return code;
}

void json_free(json_doc *d) {
  cJSON_Delete(d->root);
  for (int i = 0; i < d->sources; i++) mem_free(d->source[i]);
  mem_free(d->source);
  mem_free(d->place);
  *d = (json_doc){0};
}

/* ---- looking up and writing ---- */

static const cJSON *child(const cJSON *parent, const char *key) {
  size_t digits = strspn(key, "0123456789");
  if (!cJSON_IsArray(parent)) return cJSON_GetObjectItemCaseSensitive(parent, key);
  return digits && digits < 9 && !key[digits] ? cJSON_GetArrayItem(parent, atoi(key)) : NULL;
}

cJSON *json_at(const json_doc *d, const char *path) {
  const cJSON *at = d->root;
  while (at && *path) {
    size_t n = strcspn(path, ".");
    char *key = mem_printf("%.*s", (int)n, path);
    at = child(at, key);
    mem_free(key);
    path += n + (path[n] == '.');
  }
  return (cJSON *)(uintptr_t)at;
}

void json_add_key(str *path, const char *key) {
  enum { MOST = 60 }; /* bytes that are shown */
  size_t n = strlen(key), shown = n;
  if (n > MOST)
    for (shown = MOST; shown && ((unsigned char)key[shown] >> 6) == 2;) shown--; /* whole characters */
  char *head = mem_printf("%.*s%s", (int)shown, key, shown < n ? "..." : "");
  str quoted = {0};
  str_add_quoted(&quoted, head);
  if (path->len) str_add(path, ".");
  str_add_bytes(path, quoted.data + 1, quoted.len - 2);
  str_free(&quoted);
  mem_free(head);
}

/* The shortest of three forms that reads back to the same double; whole numbers without an exponent. */
static void add_number(str *out, double v) {
  char text[32];
  snprintf(text, sizeof text, fabs(v) < 0x1p53 && v == floor(v) ? "%.0f" : "%.15g", v);
  if (strtod(text, NULL) == v)
    str_add(out, text);
  else
    str_addf(out, "%.17g", v);
}

static void add_items(str *out, const cJSON *v, int indent, char open, char close) {
  bool lines = indent >= 0 && open == '{' && v->child;
  const cJSON *item;
  str_addf(out, "%c", open);
  cJSON_ArrayForEach(item, v) {
    if (item != v->child) str_add(out, lines ? "," : ", ");
    if (lines) str_addf(out, "\n%*s", 2 * (indent + 1), "");
    if (item->string) {
      str_add_quoted(out, item->string);
      str_add(out, ": ");
    }
    json_add_value(out, item, indent < 0 ? indent : indent + 1);
  }
  if (lines) str_addf(out, "\n%*s", 2 * indent, "");
  str_addf(out, "%c", close);
}

void json_add_value(str *out, const cJSON *v, int indent) {
  if (cJSON_IsObject(v))
    add_items(out, v, indent, '{', '}');
  else if (cJSON_IsArray(v))
    add_items(out, v, indent, '[', ']');
  else if (cJSON_IsString(v))
    str_add_quoted(out, v->valuestring);
  else if (cJSON_IsNumber(v))
    add_number(out, v->valuedouble);
  else
    str_add(out, cJSON_IsNull(v) ? "null" : cJSON_IsTrue(v) ? "true" : "false");
}
