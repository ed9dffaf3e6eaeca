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

/* What is shown of the character at `s`: its first byte in the line, and how many bytes and columns it takes. */
typedef struct shown {
  const char *text;
  size_t bytes;
  int columns;
} shown;

/* Steps over one character, or one byte that is none. */
static shown next(const char **s) {
  uint32_t code = 0;
  const char *at = *s;
  int n = text_character(at, &code);
  bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
  *s += n > 0 ? n : 1;
  if (n == 0) return (shown){"?", 1, 1};
  return control ? (shown){" ", 1, 1} : (shown){at, (size_t)n, width_of(code)};
}

int text_width(const char *s) {
  int sum = 0;
  while (*s) sum += next(&s).columns;
  return sum;
}

void text_line(str *out, const char *s) {
  while (*s) {
    shown c = next(&s);
    str_add_bytes(out, c.text, c.bytes);
  }
}

void text_fit(str *out, const char *s, int width) {
  bool cut = text_width(s) > width;
  int left = cut ? width - 1 : width;
  while (*s) {
    shown c = next(&s);
    if (c.columns > left) break;
    str_add_bytes(out, c.text, c.bytes);
    left -= c.columns;
  }
  if (cut) str_add(out, ELLIPSIS);
}

void text_cell(str *out, const char *s, int width) {
  text_line(out, s);
  for (int i = text_width(s); i < width; i++) str_add(out, " ");
}
