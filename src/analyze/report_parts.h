/* report_parts - the sections of a page, and its HTML. Not a public header. */
#ifndef DYT_ANALYZE_REPORT_PARTS_H
#define DYT_ANALYZE_REPORT_PARTS_H

#include "dyt/record.h"
#include "dyt/report.h"
#include "dyt/str.h"

/* A page on its way. */
typedef struct report_page {
  str body, contents; /* sections; entries of the table of contents */
  int sections, pictures;
  char *title; /* of the first section; owned */
  bool single; /* one section: its title is the page's */
} report_page;

/* --- HTML --- */

/* Appends text from outside: markup means nothing, control characters are spaces, what is no UTF-8 question marks. */
void html_text(str *out, const char *text);
/* The same of several lines, which stay. */
void html_lines(str *out, const char *text);
/* An element with text from outside in it. */
void html_element(str *out, const char *tag, const char *text);
/* Text that opens on demand. */
void html_details(str *out, const char *summary, const char *text);
/* A table: rows of cells, the first the heading, the first column names. Cells are text from outside; bold may be NULL. */
void html_table(str *out, char *const *cell, const bool *bold, int rows, int columns);
/* Begins a section with an entry in the contents. */
void html_section(report_page *page, const char *title);
/* A picture drawn by gnuplot, in the page itself; false: there is no such file, or it is no SVG. */
bool html_picture(report_page *page, const char *svg_path, const char *title, const char *caption);
/* The whole page. */
void html_page(str *out, const report_page *page, const char *command);

/* --- sections --- */

st report_study(report_page *page, const char *folder, str *said, err *e);
/* Run directories together; pictures go to `plots`. */
st report_runs(report_page *page, const char *const *path, int count, const char *plots, str *said, err *e);

/* The resolved config of a run, on demand. */
void report_config(report_page *page, const record *r, const char *of);
/* What a run directory knows of the machine; false: nothing. */
void report_environment(report_page *page, const record *r);

#endif
