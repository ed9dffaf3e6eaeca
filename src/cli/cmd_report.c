#include "cli.h"

#include "dyt/report.h"

#include <stdio.h>

int cli_report(const cli_command *self, int argc, char **argv) {
  const char *path[CLI_ARGS_MAX] = {0}, *out = NULL;
  int n = 0;
  str command = {0}, said = {0};
  str_add(&command, "dyt");
  for (int i = 0; i < argc; i++) str_addf(&command, " %s", argv[i]);
  const cli_option options[] = {{.name = "out",
                                 .arg = "FILE.html",
                                 .help = "default: report.html in the folder; several folders need it",
                                 .text = &out}};
  int code = cli_begin(self, argc, argv, options, 1, path, 1, CLI_ARGS_MAX, &n);
  if (code < 0) {
    err e = {0};
    code = report_write(&(report_options){.path = path, .count = n, .out = out, .command = command.data},
                        &said, &e);
    if (said.len) fputs(said.data, code ? stderr : stdout);
    if (code) code = cli_fail(&e);
  }
  str_free(&said);
  str_free(&command);
  return code;
}
