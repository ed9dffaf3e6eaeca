/* text - names that people gave, in tables and pictures: any bytes, taken for UTF-8.
 *
 *   str s = {0};
 *   text_fit(&s, name, 24);                                  // at most 24 columns, cut with an ellipsis
 *   str_addf(&s, "%*s", 24 - text_width(s.data), "");        // filled up to 24
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

/* Appends as much of `s` as fits `width` columns; control characters and what is no UTF-8 become question marks. */
void text_fit(str *out, const char *s, int width);

#endif
