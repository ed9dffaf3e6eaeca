#include "dyt/text.h"

#include <stdbool.h>
#include <string.h>

#define ELLIPSIS "\xe2\x80\xa6"

int text_character(const char *text, uint32_t *code) {
  const unsigned char *s = (const unsigned char *)text;
  int n = *s < 0x80                 ? 1
          : *s >= 0xc2 && *s < 0xe0 ? 2
          : *s >= 0xe0 && *s < 0xf0 ? 3
          : *s >= 0xf0 && *s < 0xf5 ? 4
                                    : 0;
  uint32_t c = n > 1 ? *s & (0x7fu >> n) : *s;
  for (int i = 1; i < n; i++) {
    if (s[i] >> 6 != 2) return 0;
    c = c << 6 | (s[i] & 0x3fu);
  }
  bool overlong = (n == 3 && c < 0x800) || (n == 4 && c < 0x10000);
  bool no_character = (c >= 0xd800 && c < 0xe000) || c > 0x10ffff;
  if (overlong || no_character) return 0;
  if (code) *code = c;
  return n;
}

/* Ranges of Unicode's EastAsianWidth.txt (W and F) and of combining marks, as far as names have them. */
static int width_of(uint32_t c) {
  static const struct range {
    uint32_t first, last;
    int width;
  } ranges[] = {{0x300, 0x36f, 0},   {0x200b, 0x200f, 0},   {0xfe00, 0xfe0f, 0},  {0x1100, 0x115f, 2},
                {0x2e80, 0xa4cf, 2}, {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},  {0xfe30, 0xfe6f, 2},
                {0xff00, 0xff60, 2}, {0x1f300, 0x1faff, 2}, {0x20000, 0x3fffd, 2}};
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    if (c >= ranges[i].first && c <= ranges[i].last) return ranges[i].width;
  return 1;
}

/* Bytes of the next character and its columns; what cannot be shown is one of a byte and a column. */
static int next(const char *s, int *width, bool *shown) {
  uint32_t code = 0;
  int n = text_character(s, &code);
  *shown = n > 0 && code >= 0x20 && !(code >= 0x7f && code < 0xa0);
  *width = *shown ? width_of(code) : 1;
  return n > 0 ? n : 1;
}

int text_width(const char *s) {
  int sum = 0, width;
  bool shown;
  for (; *s; sum += width) s += next(s, &width, &shown);
  return sum;
}

void text_fit(str *out, const char *s, int width) {
  bool cut = text_width(s) > width, shown;
  if (cut) width--;
  for (int columns; *s; width -= columns) {
    int n = next(s, &columns, &shown);
    if (columns > width) break;
    str_add_bytes(out, shown ? s : "?", shown ? (size_t)n : 1);
    s += n;
  }
  if (cut) str_add(out, ELLIPSIS);
}
