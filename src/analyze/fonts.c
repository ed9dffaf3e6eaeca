#include "fonts.h"

#include "dyt/mem.h"
#include "dyt/text.h"

#include <stdio.h>

static void add_range(fonts *f, unsigned first, unsigned last) {
  if (f->n == f->room) {
    f->room = f->room ? 2 * f->room : 1024;
    f->range = mem_grow(f->range, (size_t)f->n, (size_t)f->room, sizeof *f->range);
  }
  f->range[f->n][0] = first;
  f->range[f->n++][1] = last;
}

/* A line a font: ":charset=20-7e a0 a2-2e9", in hexadecimal. */
static void read_font(fonts *f, FILE *from) {
  unsigned first, last;
  if (fscanf(from, " :charset=%x", &first) != 1) return;
  do {
    last = first;
    if (fscanf(from, "-%x", &last) == EOF) break;
    add_range(f, first, last);
  } while (fscanf(from, "%*1[ ]%x", &first) == 1);
}

void fonts_open(fonts *f) {
  *f = (fonts){0};
  FILE *from = popen("fc-list : charset 2>/dev/null", "r");
  for (int c; from && (c = getc(from)) != EOF;) {
    ungetc(c, from);
    read_font(f, from);
    while ((c = getc(from)) != EOF && c != '\n') {
    }
  }
  if (from) pclose(from);
}

void fonts_close(fonts *f) {
  mem_free(f->range);
  *f = (fonts){0};
}

static bool has(const fonts *f, uint32_t code) {
  for (int i = 0; i < f->n; i++)
    if (code >= f->range[i][0] && code <= f->range[i][1]) return true;
  return f->n == 0;
}

bool fonts_keep(const fonts *f, const char *text, str *out) {
  bool whole = true;
  uint32_t code;
  for (int n; *text; text += n) {
    n = text_character(text, &code);
    bool keep = n > 0 && has(f, code);
    n = n > 0 ? n : 1;
    str_add_bytes(out, keep ? text : "?", keep ? (size_t)n : 1);
    whole &= keep;
  }
  return whole;
}
