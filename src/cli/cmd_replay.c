#include "cli.h"

#include "dyt/replay.h"

int cli_replay(const cli_command *self, int argc, char **argv) {
  const char *sets[CLI_ARGS_MAX], *config_path = NULL, *none[1];
  int n = 0, n_sets = 0;
  replay_options o = {0};
  const cli_option options[] = {
      {.name = "config",
       .arg = "CONFIG",
       .help = "the model and the optimizer; any key may be left out",
       .text = &config_path},
      {.name = "weights",
       .arg = "FILE",
       .help = "the model's parameters (safetensors, F32 or F64)",
       .text = &o.weights},
      {.name = "batch",
       .arg = "FILE",
       .help = "images and labels or targets (safetensors)",
       .text = &o.batch},
      {.name = "out", .arg = "FILE", .help = "what is written (safetensors)", .text = &o.out},
      {.name = "steps", .arg = "N", .help = "optimizer steps on this batch (0)", .number = &o.steps},
      CLI_SET(sets, n_sets),
      CLI_THREADS(o.threads)};
  int code = cli_begin(self, argc, argv, options, 7, none, 0, 0, &n);
  if (code >= 0) return code;
  err e = {0};
  const struct {
    const char *name, *value;
  } needed[] = {{"config", config_path}, {"weights", o.weights}, {"batch", o.batch}, {"out", o.out}};
  for (int i = 0; i < 4; i++)
    if (!needed[i].value)
      err_add(&e, ST_USER, "dyt replay: --%s is needed (see dyt replay --help)", needed[i].name);
  config c;
  if (e.code || config_load(config_path, sets, n_sets, &c, &e)) return cli_fail(&e);
  code = replay_run(&c, &o, &e);
  config_free(&c);
  return code ? cli_fail(&e) : ST_OK;
}
