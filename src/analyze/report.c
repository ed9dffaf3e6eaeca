/* dyt report: which sections a page has, and where it goes. */
#include "dyt/report.h"

#include "report_parts.h"

#include "dyt/file.h"
#include "dyt/mem.h"

#include <string.h>

static bool has_file(const char *folder, const char *name) {
  char *path = mem_printf("%s/%s", folder, name);
  bool there = file_what(path) == FILE_REGULAR;
  mem_free(path);
  return there;
}

static bool is_study(const char *path) { return has_file(path, "runs.json"); }

static st check_paths(const report_options *o, err *e) {
  st code = ST_OK;
  for (int i = 0; i < o->count; i++)
    if (!is_study(o->path[i]) && !has_file(o->path[i], "config.json"))
      code = err_add(e, ST_USER, "%s: expected a study's folder (runs.json) or a run directory (config.json)",
                     o->path[i]);
  if (!code && o->count > 1 && !o->out)
    code = err_add(e, ST_USER, "several folders in one report need --out FILE.html");
  return code;
}

/* "OUT" without .html. */
static char *stem_of(const char *out) {
  size_t n = strlen(out);
  if (n > 5 && strcmp(out + n - 5, ".html") == 0) n -= 5;
  return mem_printf("%.*s", (int)n, out);
}

static st add_runs(report_page *page, const report_options *o, const char *out, str *said, err *e) {
  const char **run = mem_new((size_t)o->count, sizeof *run);
  int n = 0;
  for (int i = 0; i < o->count; i++)
    if (!is_study(o->path[i])) run[n++] = o->path[i];
  char *stem = stem_of(out),
       *plots = n == 1 ? mem_printf("%s/%s", run[0], "plots") : mem_printf("%s_plots", stem);
  st code = n ? report_runs(page, run, n, plots, said, e) : ST_OK;
  mem_free(plots);
  mem_free(stem);
  mem_free(run);
  return code;
}

static st write_page(const report_page *page, const report_options *o, const char *out, str *said, err *e) {
  str html = {0};
  html_page(&html, page, o->command);
  st code = file_write(out, html.data, html.len, e);
  if (!code)
    str_addf(said, "%s: %d picture%s, %zu KB\n", out, page->pictures, page->pictures == 1 ? "" : "s",
             html.len / 1000);
  str_free(&html);
  return code;
}

st report_write(const report_options *o, str *said, err *e) {
  if (check_paths(o, e)) return ST_USER;
  report_page page = {.single = o->count == 1};
  char *out = o->out ? mem_strdup(o->out) : mem_printf("%s/%s", o->path[0], "report.html");
  st code = ST_OK;
  for (int i = 0; !code && i < o->count; i++)
    if (is_study(o->path[i])) code = report_study(&page, o->path[i], said, e);
  if (!code) code = add_runs(&page, o, out, said, e);
  if (!code) code = write_page(&page, o, out, said, e);
  str_free(&page.body);
  str_free(&page.contents);
  mem_free(page.title);
  mem_free(out);
  return code;
}
