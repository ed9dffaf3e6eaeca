#include "cli.h"

#include "dyt/bench.h"

#include <stdio.h>

cli_word cli_bench_word(int i) { return (cli_word){bench_all[i].name, bench_all[i].help}; }

int cli_bench(const cli_command *self, int argc, char **argv) {
  const char *sets[CLI_ARGS_MAX], *arg[2] = {0};
  int n = 0, n_sets = 0;
  bench_options o = {0};
  const cli_option options[] = {
      CLI_SET(sets, n_sets),
      CLI_THREADS(o.threads),
      {.name = "round-ms",
       .arg = "N",
       .help = "how long each thing is timed in a round; default: the benchmark's own",
       .number = &o.round_ms},
      {.name = "only", .arg = "NAME", .help = "ops: rows whose names begin so", .text = &o.only},
      {.name = "out",
       .arg = "DIR",
       .help = "growth: write growth.csv, .gp, .svg and .png there",
       .text = &o.out},
      CLI_JSON(o.json, CLI_ONE_OBJECT)};
  int code = cli_begin(self, argc, argv, options, sizeof options / sizeof *options, arg, 1, 2, &n);
  if (code >= 0) return code;
  err e = {0};
  config c = {0};
  str text = {0};
  const bench *b = bench_find(arg[0], &e);
  o.name = arg[1];
  if (b && arg[1] && !config_load(arg[1], sets, n_sets, &c, &e)) o.cfg = &c;
  if (!e.code) bench_run(b, &o, &text, &e);
  if (text.len) fputs(text.data, stdout);
  str_free(&text);
  if (o.cfg) config_free(&c);
  return e.code ? cli_fail(&e) : ST_OK;
}
