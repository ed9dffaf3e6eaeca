#include "cli.h"

#include "dyt/bench.h"

#include <stdio.h>
#include <string.h>

int cli_bench(const cli_command *self, int argc, char **argv) {
  const char *sets[CLI_ARGS_MAX], *arg[2] = {0};
  int n = 0, n_sets = 0, threads = 0;
  bool json = false;
  const cli_option options[] = {
      {.name = "set",
       .arg = "KEY=VALUE",
       .help = "change a key of the config",
       .text = sets,
       .count = &n_sets},
      {.name = "threads", .arg = "N", .help = "default: the cores this process may use", .number = &threads},
      {.name = "json", .help = "one JSON object on stdout", .flag = &json}};
  int code = cli_begin(self, argc, argv, options, 3, arg, 2, 2, &n);
  if (code >= 0) return code;
  err e = {0};
  if (strcmp(arg[0], "step")) err_add(&e, ST_USER, "dyt bench %s: expected step", arg[0]);
  config c;
  if (e.code || config_load(arg[1], sets, n_sets, &c, &e)) return cli_fail(&e);
  bench_step b;
  str text = {0};
  if (!bench_step_run(&c, threads, &b, &e)) {
    bench_step_write(&b, arg[1], json, &text);
    fputs(text.data, stdout);
  }
  str_free(&text);
  config_free(&c);
  return e.code ? cli_fail(&e) : ST_OK;
}
