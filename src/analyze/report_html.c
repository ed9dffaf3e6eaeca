/* The HTML of a page: text, tables, pictures, and what is around them. */
#include "report_parts.h"

#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- text --- */

static void escape(str *out, const char *text) {
  static const struct {
    char c;
    const char *as;
  } marks[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
  enum { MARKS = sizeof marks / sizeof *marks };
  for (; *text; text++) {
    int i = 0;
    while (i < MARKS && marks[i].c != *text) i++;
    if (i < MARKS)
      str_add(out, marks[i].as);
    else
      str_add_bytes(out, text, 1);
  }
}

void html_text(str *out, const char *text) {
  str line = {0};
  text_line(&line, text);
  escape(out, line.data ? line.data : "");
  str_free(&line);
}

void html_lines(str *out, const char *text) {
  while (*text) {
    size_t n = strcspn(text, "\n");
    char *line = mem_printf("%.*s", (int)n, text);
    html_text(out, line);
    mem_free(line);
    text += n;
    if (*text == '\n') str_add(out, "\n"), text++;
  }
}

void html_element(str *out, const char *tag, const char *text) {
  str_addf(out, "<%s>", tag);
  html_text(out, text);
  str_addf(out, "</%.*s>\n", (int)strcspn(tag, " "), tag);
}

void html_details(str *out, const char *summary, const char *text) {
  str_add(out, "<details><summary>");
  html_text(out, summary);
  str_add(out, "</summary><pre>");
  html_lines(out, text);
  str_add(out, "</pre></details>\n");
}

/* --- tables --- */

static bool is_number(const char *cell) {
  return isdigit((unsigned char)*cell) || (strchr("+-.", *cell) && *cell) ||
         strncmp(cell, "\xe2\x88\x92", 3) == 0;
}

/* Columns that hold numbers, and what stands for them, are aligned right. */
static bool holds_numbers(char *const *cell, int rows, int columns, int column) {
  for (int r = 1; column > 0 && r < rows; r++)
    if (is_number(cell[r * columns + column])) return true;
  return false;
}

static void add_cell(str *out, const char *text, bool heading, bool first, bool right, bool strong) {
  const char *tag = heading || first ? "th" : "td";
  str_addf(out, "<%s%s%s>%s", tag,
           heading ? " scope=\"col\""
           : first ? " scope=\"row\""
                   : "",
           right ? " class=\"n\"" : "", strong ? "<strong>" : "");
  html_text(out, text);
  str_addf(out, "%s</%s>", strong ? "</strong>" : "", tag);
}

void html_table(str *out, char *const *cell, const bool *bold, int rows, int columns) {
  str_add(out, "<div class=\"scroll\"><table>\n");
  for (int r = 0; r < rows; r++) {
    str_add(out, r == 0 ? "<thead><tr>" : "<tr>");
    for (int c = 0; c < columns; c++)
      add_cell(out, cell[r * columns + c], r == 0, c == 0, holds_numbers(cell, rows, columns, c),
               r && c && bold && bold[r * columns + c]);
    str_add(out, r == 0 ? "</tr></thead><tbody>\n" : "</tr>\n");
  }
  str_add(out, "</tbody></table></div>\n");
}

/* --- pictures --- */

/* What gnuplot's colours become, so that a page can change them: lines that would be dim on black, text, axes, the background. */
static const struct ink {
  int r, g, b;
  const char *name;
} inks[] = {{0, 114, 178, "c1"},      {213, 94, 0, "c2"},      {0, 158, 115, "c3"},
            {0, 0, 0, "ink"},         {32, 32, 32, "ink"},     {64, 64, 64, "axis"},
            {128, 128, 128, "muted"}, {230, 230, 230, "grid"}, {200, 200, 200, "none"},
            {255, 255, 255, "paper"}};
enum { INKS = sizeof inks / sizeof *inks };

static bool add_ink(str *out, int r, int g, int b) {
  for (int i = 0; i < INKS; i++)
    if (inks[i].r == r && inks[i].g == g && inks[i].b == b) {
      str_addf(out, "var(--%s)", inks[i].name);
      return true;
    }
  return false;
}

/* A colour at `p`, as gnuplot writes them: rgb( 1,  2,  3), #010203, black. Returns its length, or 0. */
static size_t color_at(const char *p, str *out) {
  int r, g, b, n = 0;
  if (strncmp(p, "rgb(", 4) == 0 && sscanf(p, "rgb(%d,%d,%d)%n", &r, &g, &b, &n) == 3 && n &&
      add_ink(out, r, g, b))
    return (size_t)n;
  if (*p == '#' && sscanf(p, "#%2x%2x%2x%n", (unsigned *)&r, (unsigned *)&g, (unsigned *)&b, &n) == 3 &&
      n == 7 && (p[7] == '"' || p[7] == '\'') && add_ink(out, r, g, b))
    return 7;
  if ((strncmp(p, "black\"", 6) == 0 || strncmp(p, "black'", 6) == 0) && add_ink(out, 0, 0, 0)) return 5;
  return 0;
}

/* Names in a picture are the page's, where other pictures have the same: each gets the picture's number. */
static size_t name_at(const char *p, int number, str *out) {
  static const char *const before[] = {"id=\"", "id='", "href='#", "href=\"#", "url(#"};
  for (int i = 0; i < 5; i++) {
    size_t n = strlen(before[i]);
    if (strncmp(p, before[i], n)) continue;
    str_addf(out, "%sp%d-", before[i], number);
    return n;
  }
  return 0;
}

/* Titles are gnuplot's own words for what it plots. */
static size_t useless_at(const char *p) {
  static const struct {
    const char *open, *close;
  } parts[] = {{"<title>", "</title>"}, {"<desc>", "</desc>"}, {"<filter", "</filter>"}};
  for (int i = 0; i < 3; i++) {
    const char *end = strncmp(p, parts[i].open, strlen(parts[i].open)) ? NULL : strstr(p, parts[i].close);
    if (end) return (size_t)(end - p) + strlen(parts[i].close);
  }
  return *p == '\n' && (p[1] == '\n' || p[1] == '\t') ? 1 : *p == '\t' ? 1 : 0;
}

/* A group with nothing in it: gnuplot leaves hundreds. */
static size_t empty_group_at(const char *p) {
  if (strncmp(p, "<g fill=\"none\" color=", 21)) return 0;
  const char *end = strchr(p, '>');
  if (!end) return 0;
  end++;
  end += strspn(end, " \t\n");
  return strncmp(end, "</g>", 4) ? 0 : (size_t)(end - p) + 4;
}

static void add_svg(str *out, const char *inner, int number) {
  while (*inner) {
    size_t n = useless_at(inner);
    if (!n) n = empty_group_at(inner);
    bool after_quote = inner[-1] == '"' || inner[-1] == '\'';
    if (!n && after_quote) n = color_at(inner, out);
    if (!n && inner[-1] != '-') n = name_at(inner, number, out);
    if (!n) {
      n = 1;
      str_add_bytes(out, inner, 1);
    }
    inner += n;
  }
}

static const char *picture_of(const file_bytes *b, int size[2]) {
  const char *svg = b->data ? strstr((const char *)b->data, "<svg") : NULL,
             *box = svg ? strstr(svg, "viewBox=\"0 0 ") : NULL;
  const char *end = box ? strchr(box, '>') : NULL;
  return end && sscanf(box, "viewBox=\"0 0 %d %d\"", &size[0], &size[1]) == 2 ? end + 1 : NULL;
}

bool html_picture(report_page *page, const char *svg_path, const char *title, const char *caption) {
  enum { LIMIT = 32 << 20 };
  file_bytes b = {0};
  int size[2];
  const char *inner = file_read(svg_path, LIMIT, &b, NULL) ? NULL : picture_of(&b, size);
  if (inner) {
    str *out = &page->body;
    str_addf(
        out,
        "<figure><div class=\"plot\"><svg viewBox=\"0 0 %d %d\" style=\"--w:%d\" role=\"img\" aria-label=\"",
        size[0], size[1], size[0]);
    html_text(out, title);
    str_add(out, "\">");
    add_svg(out, inner, ++page->pictures);
    str_add(out, "</div><figcaption><strong>");
    html_text(out, title);
    str_add(out, ".</strong> ");
    html_text(out, caption);
    str_add(out, "</figcaption></figure>\n");
  }
  file_bytes_free(&b);
  return inner != NULL;
}

/* --- the page --- */

static const char style[] =
    ":root{color-scheme:light dark;--paper:#ffffff;--ink:#1c1f24;--axis:#4a4f57;--muted:#6d737c;--grid:#e3e5e9;--none:#c8c8c8;"
    "--soft:#f4f5f7;--link:#0059a3;--c1:#0072b2;--c2:#d55e00;--c3:#009e73}\n"
    "@media(prefers-color-scheme:dark){:root{--paper:#15171b;--ink:#e6e8ec;--axis:#a4a9b3;--muted:#9298a3;--grid:#31353d;--none:#a9adb5;"
    "--soft:#1f2228;--link:#7cbcff;--c1:#3d9fe0;--c2:#ef7a2c;--c3:#1fbf92}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu "
    "Sans',sans-serif;overflow-wrap:break-word}\n"
    "main{max-width:62rem;margin:0 auto;padding:1rem 1rem 4rem}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:1rem 0 .3rem}h2{font-size:1.35rem;margin:3rem 0 .5rem;padding-top:.8rem;border-top:2px "
    "solid var(--grid)}h3{font-size:1.05rem;margin:1.8rem 0 .5rem}\n"
    "a{color:var(--link)}.about{max-width:46rem}.meta,.note,figcaption{color:var(--muted);font-size:.9rem}.note{margin:.2rem "
    "0;max-width:46rem}\n"
    "code{background:var(--soft);padding:.1em .35em;border-radius:.25em;font-size:.88em;overflow-wrap:anywhere}\n"
    "nav ol{padding-left:1.4rem;margin:.5rem 0}\n"
    ".scroll,.plot{overflow-x:auto;max-width:100%}\n"
    "table{border-collapse:collapse;margin:.6rem 0;font-size:.92rem;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.32rem .7rem;text-align:left;border-bottom:1px solid var(--grid);vertical-align:top;white-space:nowrap}thead "
    "th{border-bottom:2px solid var(--axis);font-weight:600}tbody th{font-weight:500}.n{text-align:right}\n"
    "figure{margin:1.6rem 0}figcaption{max-width:46rem;margin-top:.3rem}figcaption strong{color:var(--ink);font-weight:600}\n"
    ".plot svg{display:block;height:auto;width:max(calc(var(--w)*.9px),min(100%,calc(var(--w)*1.2px)))}\n"
    "details{margin:.5rem 0}summary{cursor:pointer;color:var(--link)}pre{background:var(--soft);padding:.8rem;border-radius:.4rem;"
    "overflow-x:auto;font-size:.82rem;line-height:1.45;max-height:32rem}\n"
    "@media print{:root{--paper:#fff;--ink:#000;--axis:#444;--muted:#555;--grid:#ddd;--none:#c8c8c8;--soft:#f5f5f5;--link:#000;--c1:#0072b2;--c2:#d55e00;--c3:#009e73}"
    "body{font-size:10.5pt}main{max-width:none;padding:0}"
    "figure,table,tr{break-inside:avoid}h2,h3,summary{break-after:avoid}h2{margin-top:1.5rem}nav{display:none}.scroll,.plot{overflow:visible}"
    ".plot svg{width:min(100%,calc(var(--w)*1px));max-height:23cm}table{font-size:8.5pt}th,td{padding:.2rem .4rem;white-space:normal}"
    "details:not([open]){display:none}}\n";

void html_section(report_page *page, const char *title) {
  int n = ++page->sections;
  if (n == 1) page->title = mem_strdup(title);
  if (page->single) return;
  str_addf(&page->contents, "<li><a href=\"#s%d\">", n);
  html_text(&page->contents, title);
  str_add(&page->contents, "</a></li>\n");
  str_addf(&page->body, "<h2 id=\"s%d\">", n);
  html_text(&page->body, title);
  str_add(&page->body, "</h2>\n");
}

void html_page(str *out, const report_page *page, const char *command) {
  const char *title = page->single && page->title ? page->title : "Report";
  str_add(
      out,
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n");
  html_element(out, "title", title);
  str_addf(out, "<style>\n%s</style>\n</head>\n<body><main>\n", style);
  html_element(out, "h1", title);
  str_add(out, "<p class=\"meta\">Made by dyt " DYT_VERSION ": <code>");
  html_text(out, command);
  str_add(out, "</code></p>\n");
  if (page->sections > 1)
    str_addf(out, "<nav aria-label=\"Contents\"><ol>\n%s</ol></nav>\n", page->contents.data);
  str_add(out, page->body.data ? page->body.data : "");
  str_add(out, "</main></body>\n</html>\n");
}
