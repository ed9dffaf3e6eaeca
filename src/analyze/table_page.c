/* Building pages of plain text, and numbers as they are read. */
#include "table_parts.h"

#include "dyt/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- building --- */

table_sheet *table_add_sheet(table_page *p, char *title, int columns) {
  p->sheet = mem_grow(p->sheet, (size_t)p->sheets, (size_t)p->sheets + 1, sizeof *p->sheet);
  p->sheet[p->sheets] = (table_sheet){.title = title, .columns = columns};
  return &p->sheet[p->sheets++];
}

/* The next field, left to right; takes the text over. */
void table_put_text(table_sheet *s, char *text, bool bold) {
  size_t n = (size_t)s->filled++;
  s->text = mem_grow(s->text, n, n + 1, sizeof *s->text);
  s->bold = mem_grow(s->bold, n, n + 1, sizeof *s->bold);
  s->text[n] = text;
  s->bold[n] = bold;
}

void table_put(table_sheet *s, const char *text) { table_put_text(s, mem_strdup(text), false); }

void table_put_str(table_sheet *s, str *text) {
  table_put(s, text->data ? text->data : "");
  str_free(text);
}

void table_add_note(table_page *p, char *text) {
  p->note = mem_grow(p->note, (size_t)p->notes, (size_t)p->notes + 1, sizeof *p->note);
  p->note[p->notes++] = text;
}

void table_page_free(table_page *p) {
  for (int i = 0; i < p->sheets; i++) {
    for (int j = 0; j < p->sheet[i].filled; j++) mem_free(p->sheet[i].text[j]);
    mem_free(p->sheet[i].text);
    mem_free(p->sheet[i].bold);
    mem_free(p->sheet[i].title);
  }
  for (int i = 0; i < p->notes; i++) mem_free(p->note[i]);
  mem_free(p->sheet);
  mem_free(p->note);
  mem_free(p->title);
  *p = (table_page){0};
}

/* --- numbers --- */

/* No minus before what is rounded to zero. */
void table_add_number(str *out, double v, int digits, const char *plus) {
  char text[64];
  snprintf(text, sizeof text, "%.*f", digits, v);
  bool zero = text[strspn(text, "-0.")] == '\0';
  str_add(out, zero || v < 0 ? "" : plus);
  str_add(out, zero && *text == '-' ? text + 1 : text);
}

void table_add_p(str *out, double p) {
  if (isnan(p))
    str_add(out, "-");
  else if (p < 0.001)
    str_add(out, "< 0.001");
  else
    str_addf(out, "%.3f", p);
}

void table_add_interval(str *out, double low, double high, int digits, const char *plus) {
  if (isnan(low)) {
    str_add(out, "-");
    return;
  }
  str_add(out, "[");
  table_add_number(out, low, digits, plus);
  str_add(out, ", ");
  table_add_number(out, high, digits, plus);
  str_add(out, "]");
}
