#include "cli.h"

#include "dyt/sheet.h"
#include "dyt/survey.h"

#include <stdio.h>

static void tell(const survey *s, const char *sheet, bool json) {
  str out = {0}, more = {0};
  if (sheet) {
    str_add(&more, ", \"sheet\": ");
    str_add_quoted(&more, sheet);
  }
  if (json)
    survey_write_json(s, more.data ? more.data : "", &out);
  else
    survey_write(s, &out);
  fputs(out.data, stdout);
  fflush(stdout);
  for (int i = 0; i < s->warnings; i++) fprintf(stderr, "warning: %s\n", s->warning[i]);
  str_free(&out);
  str_free(&more);
}

/* The table first: it needs no gnuplot. */
/* The table first: it needs no gnuplot. */
static st show(config *c, const data_set *d, work_pool *pool, const char *sheet, bool json, err *e) {
  survey s;
  str said = {0};
  survey_take(&s, c, d, pool);
  st code = data_check(d, e);
  if (!code && !json) tell(&s, NULL, false);
  if (!code && sheet) code = sheet_draw(c, d, pool, sheet, &said, e);
  if (!code && json) tell(&s, sheet, true);
  if (said.len) fputs(said.data, stderr);
  if (!code && sheet && !json)
    printf("\n%s: training pictures as evaluated, and as training shows them\n", sheet);
  str_free(&said);
  survey_free(&s);
  return code;
}

static st look(config *c, const char *sheet, int threads, bool json, err *e) {
  data_set d;
  work_pool *pool = work_new(threads ? threads : work_cores(), NULL, NULL);
  st code = data_open(c, pool, &d, e);
  if (!code) {
    code = show(c, &d, pool, sheet, json, e);
    data_close(&d);
  }
  work_free(pool);
  return code;
}

int cli_data(const cli_command *self, int argc, char **argv) {
  const char *sets[CLI_ARGS_MAX], *path[1] = {0}, *sheet = NULL;
  int n = 0, n_sets = 0, threads = 0;
  bool json = false;
  const cli_option options[] = {
      {.name = "out", .arg = "SHEET.png", .help = "draw a contact sheet (needs gnuplot)", .text = &sheet},
      CLI_SET(sets, n_sets),
      CLI_THREADS(threads),
      CLI_JSON(json, CLI_ONE_OBJECT)};
  int code = cli_begin(self, argc, argv, options, 4, path, 1, 1, &n);
  if (code >= 0) return code;
  err e = {0};
  config c;
  if ((sheet && sheet_check(sheet, &e)) || config_load(path[0], sets, n_sets, &c, &e)) return cli_fail(&e);
  look(&c, sheet, threads, json, &e);
  config_free(&c);
  return e.code ? cli_fail(&e) : ST_OK;
}
