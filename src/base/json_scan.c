#include "base/json_scan.h"

#include "dyt/mem.h"
#include "dyt/text.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 60 }; /* characters of a number; cJSON reads no more than 63 */

/* Functions return false after an error. Positions are asked for in the order of the text only, so that
 * counting lines and columns takes one pass; `line` and `column` are those of the byte at `mark`. */
typedef struct scan {
  const char *name;
  char *text; /* ends with a NUL, which no rule accepts */
  size_t size, at, mark;
  int line, column, depth, count;
  json_place *place;
  err *e;
} scan;

static json_place place_of(scan *s, size_t at) {
  for (; s->mark < at; s->mark++) {
    bool continues = ((unsigned char)s->text[s->mark] >> 6) == 2; /* a byte inside a character */
    s->column += !continues;
    if (s->text[s->mark] == '\n') s->line++, s->column = 1;
  }
  return (json_place){.line = s->line, .column = s->column};
}

__attribute__((format(printf, 3, 4))) static bool fail(scan *s, size_t at, const char *format, ...) {
  char what[160];
  va_list args;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  json_place p = place_of(s, at);
  err_add(s->e, ST_USER, "%s:%d:%d: %s", s->name, p.line, p.column, what);
  return false;
}

static bool fail_found(scan *s, const char *expected) {
  unsigned char c = (unsigned char)s->text[s->at];
  if (s->at >= s->size) return fail(s, s->at, "found the end of the file, expected %s", expected);
  if (!isprint(c))
    return fail(s, s->at, "found the byte 0x%02x, expected %s: is this a JSON file?", c, expected);
  size_t word = 0;
  while (word < 20 && isalnum((unsigned char)s->text[s->at + word])) word++;
  return fail(s, s->at, "found '%.*s', expected %s", word ? (int)word : 1, s->text + s->at, expected);
}

static bool take(scan *s, char c) {
  bool there = s->text[s->at] == c && s->at < s->size;
  s->at += there;
  return there;
}

static void skip_space(scan *s) {
  for (;;) {
    s->at += strspn(s->text + s->at, " \t\r\n");
    if (strncmp(s->text + s->at, "//", 2)) return;
    size_t end = s->at;
    while (end < s->size && s->text[end] != '\n') end++;
    memset(s->text + s->at, ' ', end - s->at);
  }
}

/* ---- tokens ---- */

/* The four hexadecimal digits there, or -1. */
static long hexadecimal(const char *text) {
  char digits[5] = {0};
  for (int i = 0; i < 4; i++) {
    if (!isxdigit((unsigned char)text[i])) return -1;
    digits[i] = text[i];
  }
  return strtol(digits, NULL, 16);
}

/* After a backslash. */
static bool scan_escape(scan *s) {
  size_t begin = s->at - 1;
  char c = s->text[s->at];
  if (c == '\0' || !strchr("\"\\/bfnrtu", c))
    return fail(s, begin, "found an unknown escape, expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u");
  s->at++;
  if (c != 'u') return true;
  long code = hexadecimal(s->text + s->at);
  if (code < 0) return fail(s, begin, "expected four hexadecimal digits after \\u");
  if (code == 0) return fail(s, begin, "found \\u0000, which a text may not hold");
  s->at += 4;
  if (code < 0xd800 || code >= 0xe000) return true;
  bool pair = code < 0xdc00 && strncmp(s->text + s->at, "\\u", 2) == 0;
  long low = pair ? hexadecimal(s->text + s->at + 2) : -1;
  if (low < 0xdc00 || low >= 0xe000) return fail(s, begin, "found half of a surrogate pair");
  s->at += 6;
  return true;
}

/* After the opening quote. */
static bool scan_string(scan *s) {
  size_t begin = s->at - 1;
  while (!take(s, '"')) {
    unsigned char c = (unsigned char)s->text[s->at];
    if (s->at >= s->size || c == '\n' || c == '\r')
      return fail(s, begin, "this string has no closing quote on its line");
    if (c < 0x20)
      return fail(s, s->at, "found the control character 0x%02x in a string, expected an escape", c);
    int n = text_character(s->text + s->at, NULL);
    if (n == 0) return fail(s, s->at, "found the byte 0x%02x, which is not UTF-8", c);
    s->at += (size_t)n;
    if (c == '\\' && !scan_escape(s)) return false;
  }
  return true;
}

static size_t digits(scan *s) {
  size_t n = strspn(s->text + s->at, "0123456789");
  s->at += n;
  return n;
}

static bool scan_number(scan *s) {
  size_t begin = s->at;
  take(s, '-');
  bool zero = s->text[s->at] == '0';
  size_t n = digits(s);
  bool good = n == 1 || (n > 1 && !zero);
  if (good && take(s, '.')) good = digits(s) > 0;
  if (good && (take(s, 'e') || take(s, 'E'))) {
    if (!take(s, '+')) take(s, '-');
    good = digits(s) > 0;
  }
  size_t length = s->at - begin;
  if (!good || isalnum((unsigned char)s->text[s->at]) || s->text[s->at] == '.')
    return fail(s, begin, "this is no JSON number (-12, 0.5, 1e-3)");
  if (length > NUMBER_MAX)
    return fail(s, begin, "found a number of %zu characters, expected at most %d", length, NUMBER_MAX);
  if (!isfinite(strtod(s->text + begin, NULL)))
    return fail(s, begin, "this number is larger than a double can hold");
  return true;
}

static bool scan_word(scan *s) {
  static const char *const words[] = {"true", "false", "null"};
  size_t n = 0;
  while (isalnum((unsigned char)s->text[s->at + n])) n++;
  for (int i = 0; i < 3; i++)
    if (n == strlen(words[i]) && strncmp(s->text + s->at, words[i], n) == 0) return s->at += n, true;
  return fail_found(s, "a value");
}

/* ---- values ---- */

static bool scan_value(scan *s, size_t place_at);

/* "key": value */
static bool scan_member(scan *s) {
  size_t key = s->at;
  if (!take(s, '"')) return fail_found(s, "a key in quotes");
  if (!scan_string(s)) return false;
  skip_space(s);
  if (!take(s, ':')) return fail_found(s, "':' after the key");
  skip_space(s);
  return scan_value(s, key);
}

/* After the opening bracket. */
static bool scan_items(scan *s, char close) {
  const char *more = close == '}' ? "',' or '}'" : "',' or ']'";
  if (++s->depth > JSON_DEPTH_MAX) return fail(s, s->at - 1, "nested deeper than %d levels", JSON_DEPTH_MAX);
  skip_space(s);
  bool done = take(s, close);
  while (!done) {
    if (!(close == '}' ? scan_member(s) : scan_value(s, s->at))) return false;
    skip_space(s);
    done = take(s, close);
    size_t comma = s->at;
    if (!done && !take(s, ',')) return fail_found(s, more);
    skip_space(s);
    if (!done && s->text[s->at] == close)
      return fail(s, comma, "found a comma before '%c', expected none", close);
  }
  s->depth--;
  return true;
}

/* `place_at`: where the value's key stands, or the value itself. */
static bool scan_value(scan *s, size_t place_at) {
  if (s->count == JSON_VALUES_MAX)
    return fail(s, place_at, "more than %d values in one file", JSON_VALUES_MAX);
  s->place[s->count++] = place_of(s, place_at);
  char c = s->text[s->at];
  if (take(s, '{')) return scan_items(s, '}');
  if (take(s, '[')) return scan_items(s, ']');
  if (take(s, '"')) return scan_string(s);
  if (c == '-' || isdigit((unsigned char)c)) return scan_number(s);
  return scan_word(s);
}

int json_scan(const char *name, char *text, size_t size, json_place *place, err *e) {
  scan s = {.name = name, .text = text, .size = size, .line = 1, .column = 1, .place = place, .e = e};
  if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
    s.at = s.mark = 3; /* the byte order mark, which some editors write */
  skip_space(&s);
  if (s.at >= size) return fail(&s, 0, "found nothing, expected a JSON object"), -1;
  if (!scan_value(&s, s.at)) return -1;
  skip_space(&s);
  if (s.at < size) return fail_found(&s, "nothing after the last bracket"), -1;
  return s.count;
}
