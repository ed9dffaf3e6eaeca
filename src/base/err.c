#include "dyt/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

st err_add(err *e, st code, const char *format, ...) {
  if (!e) return code;
  if (e->count++ == 0) e->code = code;
  if (e->len + 2 >= sizeof e->text) return code;
  if (e->len) e->text[e->len++] = '\n';
  va_list args;
  va_start(args, format);
  int n = vsnprintf(e->text + e->len, sizeof e->text - e->len, format, args);
  va_end(args);
  size_t room = sizeof e->text - e->len - 1;
  if (n > 0) e->len += (size_t)n < room ? (size_t)n : room;
  return code;
}

st err_join(err *to, const err *from) {
  if (from->count) {
    err_add(to, from->code, "%s", from->text);
    if (to) to->count += from->count - 1;
  }
  return from->code;
}

void err_die(const char *file, int line, const char *condition, const char *format, ...) {
  fprintf(stderr, "dyt: internal error at %s:%d (%s): ", file, line, condition);
  va_list args;
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fputc('\n', stderr);
  fflush(stderr);
  _Exit(ST_INTERNAL);
}
