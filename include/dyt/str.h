/* str - a string that grows, for building messages, JSON lines and CSV rows.
 *
 *   str s = {0};
 *   str_addf(&s, "{\"step\": %lld, \"loss\": ", step);  str_add_number(&s, loss);  str_add(&s, "}\n");
 *   write(fd, s.data, s.len);  str_free(&s);
 */
#ifndef DYT_STR_H
#define DYT_STR_H

#include <stdbool.h>
#include <stddef.h>

/* Zero-initialise. `data` is always NUL-terminated once something was added; owned by the str. */
typedef struct str {
  char *data;
  size_t len, cap;
} str;

void str_add(str *s, const char *text);
void str_add_bytes(str *s, const void *bytes, size_t n);
void str_addf(str *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A number as JSON with that many significant digits (9 tell floats apart, 17 doubles); "null" for NaN and
 * infinity. */
void str_add_number(str *s, double v, int digits);
/* A JSON string with its quotes; control characters, quotes and backslashes escaped. */
void str_add_quoted(str *s, const char *text);
void str_clear(str *s);
void str_free(str *s);

/* Edit distance between two words, to name the nearest known key in an error; at most `limit`. */
int str_distance(const char *a, const char *b, int limit);
/* The entry of `words` nearest to `word`, or NULL when none is near enough to be meant. */
const char *str_nearest(const char *word, const char *const *words, int count);

#endif
