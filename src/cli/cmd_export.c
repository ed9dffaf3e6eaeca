#include "cli.h"

#include "dyt/export.h"

#include <stdio.h>

int cli_export(const cli_command *self, int argc, char **argv) {
  const char *run[1] = {0};
  int n = 0;
  export_options o = {0};
  const cli_option options[] = {
      {.name = "out", .arg = "FILE", .help = "what is written (safetensors)", .text = &o.out},
      {.name = "checkpoint",
       .arg = "last|best",
       .help = "which checkpoint of the run (last)",
       .text = &o.checkpoint},
      {.name = "raw", .help = "the weights even where the run keeps their average", .flag = &o.raw},
      {.name = "force", .help = "replace FILE if it exists", .flag = &o.force}};
  int code = cli_begin(self, argc, argv, options, 4, run, 1, 1, &n);
  if (code >= 0) return code;
  err e = {0};
  str said = {0};
  o.run = run[0];
  if (!o.out || !o.out[0])
    err_add(&e, ST_USER, "dyt export: --out FILE is needed (see dyt export --help)");
  else
    export_weights(&o, &said, &e);
  if (said.len) fputs(said.data, stdout);
  str_free(&said);
  return e.code ? cli_fail(&e) : ST_OK;
}
