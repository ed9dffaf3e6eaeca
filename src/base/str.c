#include "dyt/str.h"

#include "dyt/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void reserve(str *s, size_t more) {
  if (s->len + more + 1 <= s->cap) return;
  size_t cap = s->cap ? s->cap : 128;
  while (cap < s->len + more + 1) cap *= 2;
  s->data = mem_grow(s->data, s->len, cap, 1);
  s->cap = cap;
}

void str_add_bytes(str *s, const void *bytes, size_t n) {
  reserve(s, n);
  memcpy(s->data + s->len, bytes, n);
  s->len += n;
  s->data[s->len] = '\0';
}

void str_add(str *s, const char *text) { str_add_bytes(s, text, strlen(text)); }

void str_addf(str *s, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, format, args);
  va_end(args);
  REQUIRE(n >= 0, "bad format '%s'", format);
  reserve(s, (size_t)n);
  vsnprintf(s->data + s->len, (size_t)n + 1, format, again);
  va_end(again);
  s->len += (size_t)n;
}

void str_add_number(str *s, double v, int digits) {
  if (isfinite(v))
    str_addf(s, "%.*g", digits, v);
  else
    str_add(s, "null");
}

void str_add_quoted(str *s, const char *text) {
  static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
  str_add(s, "\"");
  for (const char *p = text; *p; p++) {
    const char *e = strchr(plain, *p);
    if (e)
      str_addf(s, "\\%c", letter[e - plain]);
    else if ((unsigned char)*p < 0x20)
      str_addf(s, "\\u%04x", *p);
    else
      str_add_bytes(s, p, 1);
  }
  str_add(s, "\"");
}

void str_clear(str *s) {
  s->len = 0;
  if (s->data) s->data[0] = '\0';
}

void str_free(str *s) {
  mem_free(s->data);
  *s = (str){0};
}

int str_distance(const char *a, const char *b, int limit) {
  enum { MAX = 64 };
  size_t n = strlen(a), m = strlen(b);
  if (n >= MAX || m >= MAX) return limit;
  int row[MAX + 1];
  for (size_t j = 0; j <= m; j++) row[j] = (int)j;
  for (size_t i = 1; i <= n; i++) {
    int diagonal = row[0];
    row[0] = (int)i;
    for (size_t j = 1; j <= m; j++) {
      int change = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      int shorter = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
      row[j] = change < shorter ? change : shorter;
    }
  }
  return row[m] < limit ? row[m] : limit;
}

const char *str_nearest(const char *word, const char *const *words, int count) {
  int best = (int)strlen(word) / 2 + 1;
  const char *nearest = NULL;
  for (int i = 0; i < count; i++) {
    int d = str_distance(word, words[i], best);
    if (d < best) best = d, nearest = words[i];
  }
  return nearest;
}
