/* text - names that people gave, in tables and pictures: any bytes, taken for UTF-8.
 *
 *   str s = {0};
 *   text_fit(&s, name, 24);            // at most 24 columns, cut with an ellipsis
 *   text_cell(&s, other, 24);          // filled up to 24
 */
#ifndef DYT_TEXT_H
#define DYT_TEXT_H

#include "dyt/str.h"

#include <stdint.h>

/* Bytes of the character that begins at `s`, and its number into *code (or NULL); 0 if it is no UTF-8. `s` is not at its
 * end. */
int text_character(const char *s, uint32_t *code);

/* Columns on a terminal: two for the wide characters of East Asia and for pictographs, none for combining marks. */
int text_width(const char *s);

/* Appends `s` as one line: a control character becomes a space, a byte that is no UTF-8 a question mark. */
void text_line(str *out, const char *s);
/* As much of that line as fits `width` columns, with an ellipsis if it is cut. */
void text_fit(str *out, const char *s, int width);
/* The line, then spaces up to `width` columns. */
void text_cell(str *out, const char *s, int width);

#endif
