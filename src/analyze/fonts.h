/* fonts - which characters this machine can draw. Not a public header.
 *
 * Where no font has a character, gnuplot's pngcairo draws a box in its place that is larger than the picture.
 *
 *   fonts f;
 *   fonts_open(&f);
 *   bool whole = fonts_keep(&f, name, &drawable);     // false: some became question marks
 *   fonts_close(&f);
 */
#ifndef DYT_ANALYZE_FONTS_H
#define DYT_ANALYZE_FONTS_H

#include "dyt/str.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct fonts {
  uint32_t (*range)
      [2]; /* [n] first and last character of what some font has; none: nobody knows, and all is drawn */
  int n, room;
} fonts;

/* Asks fontconfig (fc-list), which gnuplot's fonts come from. */
void fonts_open(fonts *f);
void fonts_close(fonts *f);
/* Appends `text` with question marks for what no font has; whether nothing was replaced. */
bool fonts_keep(const fonts *f, const char *text, str *out);

#endif
