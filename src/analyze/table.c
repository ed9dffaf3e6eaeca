/* A study's table in Markdown and LaTeX. */
#include "table_parts.h"

#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/table.h"
#include "dyt/text.h"

#include <string.h>

/* What stands for a character of a label. */
typedef struct escape {
  const char *text, *with;
} escape;

static void add_escaped(str *out, const char *text, const escape *list, int n) {
  str line = {0};
  text_line(&line, text);
  for (const char *p = line.data ? line.data : ""; *p;) {
    int i = 0;
    while (i < n && strncmp(p, list[i].text, strlen(list[i].text))) i++;
    size_t size = i < n ? strlen(list[i].text) : 1;
    if (i < n)
      str_add(out, list[i].with);
    else
      str_add_bytes(out, p, 1);
    p += size;
  }
  str_free(&line);
}

/* --- Markdown --- */

static void add_markdown(str *out, const char *text) {
  static const escape list[] = {{"\\", "\\\\"}, {"|", "\\|"}, {"*", "\\*"}, {"`", "\\`"}, {"<", "&lt;"}};
  add_escaped(out, text, list, sizeof list / sizeof *list);
}

static void markdown_row(const table_sheet *s, int row, str *out) {
  for (int c = 0; c < s->columns; c++) {
    int i = row * s->columns + c;
    str_add(out, s->bold[i] ? "| **" : "| ");
    add_markdown(out, s->text[i]);
    str_add(out, s->bold[i] ? "** " : " ");
  }
  str_add(out, "|\n");
}

void table_markdown(const table *t, str *out) {
  table_page p;
  table_page_of(t, &p);
  str_add(out, "# ");
  add_markdown(out, p.title);
  str_add(out, "\n");
  for (int k = 0; k < p.sheets; k++) {
    const table_sheet *s = &p.sheet[k];
    str_add(out, "\n## ");
    add_markdown(out, s->title);
    str_add(out, "\n\n");
    markdown_row(s, 0, out);
    for (int c = 0; c < s->columns; c++) str_add(out, c ? "|---:" : "|:---");
    str_add(out, "|\n");
    for (int r = 1; r < s->filled / s->columns; r++) markdown_row(s, r, out);
  }
  for (int i = 0; i < p.notes; i++) {
    str_add(out, i ? "" : "\n");
    str_add(out, "- ");
    add_markdown(out, p.note[i]);
    str_add(out, "\n");
  }
  table_page_free(&p);
}

/* --- LaTeX --- */

static void add_latex(str *out, const char *text) {
  static const escape list[] = {{"\xc2\xb1", "$\\pm$"},
                                {"->", "$\\to$"},
                                {"\\", "\\textbackslash{}"},
                                {"&", "\\&"},
                                {"%", "\\%"},
                                {"$", "\\$"},
                                {"#", "\\#"},
                                {"_", "\\_"},
                                {"{", "\\{"},
                                {"}", "\\}"},
                                {"~", "\\textasciitilde{}"},
                                {"^", "\\textasciicircum{}"},
                                {"<", "$<$"},
                                {">", "$>$"},
                                {"|", "$|$"},
                                {"\"", "\\textquotedbl{}"},
                                {"\xce\xb1", "$\\alpha$"}};
  add_escaped(out, text, list, sizeof list / sizeof *list);
}

/* In braces: a row that begins with [ would be an option of the line end before it. */
static void latex_row(const table_sheet *s, int row, str *out) {
  for (int c = 0; c < s->columns; c++) {
    int i = row * s->columns + c;
    str_add(out, c ? " & " : "  ");
    str_add(out, s->bold[i] ? "\\textbf{" : "{");
    add_latex(out, s->text[i]);
    str_add(out, "}");
  }
  str_add(out, " \\\\\n");
}

static void latex_sheet(const table_sheet *s, str *out) {
  str_add(out, "\n\\begin{table}\n\\caption{");
  add_latex(out, s->title);
  str_add(out, "}\n\\begin{tabular}{l");
  for (int c = 1; c < s->columns; c++) str_add(out, "r");
  str_add(out, "}\n  \\toprule\n");
  latex_row(s, 0, out);
  str_add(out, "  \\midrule\n");
  for (int r = 1; r < s->filled / s->columns; r++) latex_row(s, r, out);
  str_add(out, "  \\bottomrule\n\\end{tabular}\n\\end{table}\n");
}

void table_latex(const table *t, str *out) {
  table_page p;
  table_page_of(t, &p);
  str_add(out, "% ");
  text_line(out, p.title);
  str_add(out, "; needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}\n");
  for (int k = 0; k < p.sheets; k++) latex_sheet(&p.sheet[k], out);
  for (int i = 0; i < p.notes; i++) {
    str_add(out, i ? "" : "\n");
    add_latex(out, p.note[i]);
    str_add(out, "\n");
  }
  table_page_free(&p);
}

/* --- all formats --- */

static const struct format {
  const char *name, *ending;
  table_format *write;
} formats[] = {{"md", "md", table_markdown},
               {"csv", "csv", table_csv},
               {"latex", "tex", table_latex},
               {"json", "json", table_json}};
enum { FORMATS = sizeof formats / sizeof *formats };

static st find_format(const char *name, int *found, err *e) {
  const char *names[FORMATS];
  for (*found = 0; *found < FORMATS; ++*found)
    if (strcmp(formats[*found].name, name) == 0) return ST_OK;
  for (int i = 0; i < FORMATS; i++) names[i] = formats[i].name;
  const char *near = str_nearest(name, names, FORMATS);
  return err_add(e, ST_USER, "no table format '%.40s'%s%s%s: expected md, csv, latex or json", name,
                 near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

st table_print(const char *folder, const char *store, const char *format, str *out, int *missing, err *e) {
  table t = {0};
  int k;
  st code = find_format(format, &k, e);
  if (!code) code = table_load(&t, folder, store, e);
  if (code) return code;
  *missing = t.missing;
  formats[k].write(&t, out);
  table_free(&t);
  return ST_OK;
}

st table_write(const char *folder, err *e) {
  table t = {0};
  st code = table_load(&t, folder, NULL, e);
  for (int k = 0; !code && k < FORMATS; k++) {
    str text = {0};
    char *path = mem_printf("%s/table.%s", folder, formats[k].ending);
    formats[k].write(&t, &text);
    code = file_write(path, text.data, text.len, e);
    mem_free(path);
    str_free(&text);
  }
  table_free(&t);
  return code;
}
