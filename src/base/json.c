#include "dyt/json.h"

#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/str.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the scan ----------------------------------------------------------------------------------------------------- */

typedef struct scan {
  const char *name;
  char *text; /* a copy, in which comments become spaces */
  size_t size, at;
  int depth;
  str path;
  json_doc *doc;
  err *e;
} scan;

static void add_place(json_doc *d, const char *path, const char *origin) {
  bool full = d->places == 0 || (d->places >= 16 && (d->places & (d->places - 1)) == 0);
  if (full)
    d->place = mem_grow(d->place, (size_t)d->places, d->places ? 2 * (size_t)d->places : 16, sizeof *d->place);
  d->place[d->places++] = (json_place){mem_strdup(path), mem_strdup(origin)};
}

/* "file:line:column" of an offset. */
static void position(const scan *s, size_t at, char out[JSON_ORIGIN_MAX]) {
  int line = 1, column = 1;
  for (size_t i = 0; i < at && i < s->size; i++) {
    column++;
    if (s->text[i] == '\n') line++, column = 1;
  }
  snprintf(out, JSON_ORIGIN_MAX, "%s:%d:%d", s->name, line, column);
}

static bool fail_at(scan *s, size_t at, const char *what) {
  char where[JSON_ORIGIN_MAX];
  position(s, at, where);
  err_add(s->e, ST_USER, "%s: %s", where, what);
  return false;
}

static bool fail_found(scan *s, const char *expected) {
  unsigned char c = (unsigned char)(s->at < s->size ? s->text[s->at] : 0);
  char what[160];
  if (s->at >= s->size)
    snprintf(what, sizeof what, "expected %s, found the end of the file", expected);
  else
    snprintf(what, sizeof what, isprint(c) ? "expected %s, found '%c'" : "expected %s, found the byte 0x%02x", expected, c);
  return fail_at(s, s->at, what);
}

static char peek(const scan *s) { return s->at < s->size ? s->text[s->at] : '\0'; }

static void skip_space(scan *s) {
  while (s->at < s->size) {
    if (strchr(" \t\r\n", s->text[s->at]) && s->text[s->at]) {
      s->at++;
    } else if (s->text[s->at] == '/' && s->at + 1 < s->size && s->text[s->at + 1] == '/') {
      while (s->at < s->size && s->text[s->at] != '\n') s->text[s->at++] = ' ';
    } else {
      return;
    }
  }
}

static bool scan_string(scan *s) {
  size_t begin = s->at++;
  while (s->at < s->size && s->text[s->at] != '"') {
    unsigned char c = (unsigned char)s->text[s->at];
    if (c < 0x20) return fail_at(s, c == '\n' ? begin : s->at, c == '\n' ? "this string does not end on its line" : "a control character in a string");
    if (c == '\\') {
      s->at++;
      if (!peek(s) || !strchr("\"\\/bfnrtu", peek(s))) return fail_at(s, s->at, "an unknown escape in a string");
      if (peek(s) == 'u')
        for (int i = 0; i < 4; i++)
          if (s->at + 1 >= s->size || !isxdigit((unsigned char)s->text[++s->at])) return fail_at(s, s->at, "\\u needs four hexadecimal digits");
    }
    s->at++;
  }
  if (s->at >= s->size) return fail_at(s, begin, "this string does not end");
  s->at++;
  return true;
}

static size_t digits(scan *s) {
  size_t begin = s->at;
  while (isdigit((unsigned char)peek(s))) s->at++;
  return s->at - begin;
}

static bool scan_number(scan *s) {
  size_t begin = s->at;
  if (peek(s) == '-') s->at++;
  bool zero = peek(s) == '0';
  size_t n = digits(s);
  bool good = n > 0 && !(zero && n > 1);
  if (good && peek(s) == '.') s->at++, good = digits(s) > 0;
  if (good && (peek(s) == 'e' || peek(s) == 'E')) {
    s->at++;
    if (peek(s) == '+' || peek(s) == '-') s->at++;
    good = digits(s) > 0;
  }
  if (!good) return fail_at(s, begin, "this is no number");
  char text[64];
  snprintf(text, sizeof text, "%.*s", (int)(s->at - begin < 63 ? s->at - begin : 63), s->text + begin);
  return isfinite(strtod(text, NULL)) ? true : fail_at(s, begin, "this number is too large");
}

static bool scan_word(scan *s, const char *word) {
  size_t n = strlen(word);
  if (s->size - s->at < n || strncmp(s->text + s->at, word, n)) return fail_found(s, "a value");
  s->at += n;
  return true;
}

static bool scan_value(scan *s);

/* Appends ".part" to the path and returns what to cut it back to. */
static size_t enter(scan *s, const char *part, size_t n) {
  size_t keep = s->path.len;
  if (keep) str_add(&s->path, ".");
  str_add_bytes(&s->path, part, n);
  return keep;
}

static void leave(scan *s, size_t keep) {
  s->path.len = keep;
  if (s->path.data) s->path.data[keep] = '\0';
}

static bool seen_before(const scan *s, int first) {
  for (int i = first; i < s->doc->places; i++)
    if (strcmp(s->doc->place[i].path, s->path.data) == 0) return true;
  return false;
}

static bool scan_member(scan *s, int first) {
  char where[JSON_ORIGIN_MAX];
  size_t key = s->at;
  if (peek(s) != '"') return fail_found(s, "a key in quotes");
  if (!scan_string(s)) return false;
  size_t keep = enter(s, s->text + key + 1, s->at - key - 2);
  position(s, key, where);
  if (seen_before(s, first)) {
    err_add(s->e, ST_USER, "%s: %s: this key stands here twice", where, s->path.data);
    return false;
  }
  add_place(s->doc, s->path.data, where);
  skip_space(s);
  if (peek(s) != ':') return fail_found(s, "':' after the key");
  s->at++;
  bool good = scan_value(s);
  leave(s, keep);
  return good;
}

static bool scan_element(scan *s, int index) {
  char number[16], where[JSON_ORIGIN_MAX];
  skip_space(s);
  snprintf(number, sizeof number, "%d", index);
  size_t keep = enter(s, number, strlen(number));
  position(s, s->at, where);
  add_place(s->doc, s->path.data, where);
  bool good = scan_value(s);
  leave(s, keep);
  return good;
}

/* After the opening bracket. */
static bool scan_members(scan *s, char close) {
  int first = s->doc->places, index = 0;
  s->at++;
  skip_space(s);
  if (peek(s) == close) return s->at++, true;
  for (;; index++) {
    skip_space(s);
    if (!(close == '}' ? scan_member(s, first) : scan_element(s, index))) return false;
    skip_space(s);
    if (peek(s) == close) return s->at++, true;
    if (peek(s) != ',') return fail_found(s, close == '}' ? "',' or '}'" : "',' or ']'");
    s->at++;
    skip_space(s);
    if (peek(s) == close) return fail_at(s, s->at, "a comma before this, and nothing after it");
  }
}

static bool scan_value(scan *s) {
  skip_space(s);
  char c = peek(s);
  if (c == '{' || c == '[') {
    if (++s->depth > JSON_DEPTH_MAX) return fail_at(s, s->at, "nested more than 64 levels deep");
    bool good = scan_members(s, c == '{' ? '}' : ']');
    s->depth--;
    return good;
  }
  if (c == '"') return scan_string(s);
  if (c == '-' || isdigit((unsigned char)c)) return scan_number(s);
  return scan_word(s, c == 't' ? "true" : c == 'f' ? "false" : c == 'n' ? "null" : "a value");
}

st json_parse(const char *name, const char *text, size_t size, json_doc *out, err *e) {
  *out = (json_doc){0};
  scan s = {.name = name, .text = mem_new(size + 1, 1), .size = size, .doc = out, .e = e};
  memcpy(s.text, text, size);
  bool good = true;
  skip_space(&s);
  if (s.at == size)
    good = fail_at(&s, 0, "empty: expected a JSON object");
  else
    good = scan_value(&s);
  skip_space(&s);
  if (good && s.at < size) good = fail_found(&s, "the end of the file");
  if (good) out->root = cJSON_ParseWithLength(s.text, size);
  if (good && !out->root) good = fail_at(&s, 0, "cannot be parsed");
  mem_free(s.text);
  str_free(&s.path);
  if (good) return ST_OK;
  json_free(out);
  return ST_USER;
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
  for (int i = 0; i < d->places; i++) {
    mem_free(d->place[i].path);
    mem_free(d->place[i].origin);
  }
  mem_free(d->place);
  *d = (json_doc){0};
}
