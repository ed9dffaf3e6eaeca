#include "cli.h"

#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/plot.h"

#include <stdio.h>

int cli_plot(const cli_command *self, int argc, char **argv) {
  const char *run[CLI_ARGS_MAX] = {0}, *out = NULL;
  int n = 0;
  const cli_option options[] = {{.name = "out",
                                 .arg = "DIR",
                                 .help = "default: RUN_DIR/plots; several runs, or a record, need it",
                                 .text = &out}};
  int code = cli_begin(self, argc, argv, options, 1, run, 1, CLI_ARGS_MAX, &n);
  if (code >= 0) return code;
  err e = {0};
  str said = {0};
  char *folder = out ? mem_strdup(out) : mem_printf("%s/plots", run[0]);
  if (!out && file_what(run[0]) == FILE_REGULAR)
    err_add(&e, ST_USER, "dyt plot: a record needs --out DIR (see dyt plot --help)");
  else if (n > 1 && !out)
    err_add(&e, ST_USER, "dyt plot: several runs in one picture need --out DIR (see dyt plot --help)");
  else
    plot(run, n, folder, &said, &e);
  if (said.len) fputs(said.data, e.code ? stderr : stdout);
  str_free(&said);
  mem_free(folder);
  return e.code ? cli_fail(&e) : ST_OK;
}
