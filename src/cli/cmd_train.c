#include "cli.h"

#include "dyt/init_from.h"
#include "dyt/mem.h"
#include "dyt/run.h"
#include "dyt/train.h"

#include <stdio.h>

typedef struct arguments {
  const char *config, *run_dir, *resume, *init_from;
  const char *sets[CLI_ARGS_MAX];
  int n_sets, threads;
} arguments;

/* The config to train with. A resumed run keeps its own; one that is given may differ from it in a few keys
 * only. */
static st load(const arguments *a, config *c, err *e) {
  if (!a->resume) return init_from_config(a->config, a->sets, a->n_sets, a->init_from, c, e);
  char *own_path = run_file(a->resume, "config.json");
  config own;
  st code = config_load(own_path, NULL, 0, &own, e);
  if (!code) {
    code =
        init_from_resumed(a->config ? a->config : own_path, a->sets, a->n_sets, &own.train.init_from, c, e);
    if (!code) config_adopt(c, &own);
    str changed = {0};
    if (!code && config_diff(&own, c, train_may_change, &changed)) {
      code = err_add(e, ST_USER, "%s: a resumed run may not change %s", a->resume, changed.data);
      config_free(c);
    }
    str_free(&changed);
    config_free(&own);
  }
  mem_free(own_path);
  return code;
}

int cli_train(const cli_command *self, int argc, char **argv) {
  arguments a = {0};
  const char *positional[1] = {0};
  int n = 0;
  const cli_option options[] = {
      CLI_SET(a.sets, a.n_sets),
      {.name = "run-dir",
       .arg = "DIR",
       .help = "where the run goes (default runs/CONFIG-HASH)",
       .text = &a.run_dir},
      {.name = "init-from",
       .arg = "WEIGHTS|RUN_DIR",
       .help = "begin with these weights where they fit",
       .text = &a.init_from},
      {.name = "resume", .arg = "RUN_DIR", .help = "go on with a run that stopped", .text = &a.resume},
      CLI_THREADS(a.threads)};
  int code = cli_begin(self, argc, argv, options, 5, positional, 0, 1, &n);
  if (code >= 0) return code;
  err e = {0};
  a.config = positional[0];
  if (!a.config && !a.resume)
    err_add(&e, ST_USER, "dyt train: expected a config file (see dyt train --help)");
  if (a.resume && a.run_dir) err_add(&e, ST_USER, "dyt train: --resume and --run-dir exclude each other");
  if (a.resume && a.init_from)
    err_add(&e, ST_USER, "dyt train: --resume and --init-from exclude each other: a run has its weights");
  if (a.run_dir && !a.run_dir[0])
    err_add(&e, ST_USER, "dyt train: --run-dir is empty: expected a folder's name");
  config c;
  if (e.code || load(&a, &c, &e)) return cli_fail(&e);
  int signal = 0;
  train_options o = {.config_path = a.config, .run_dir = a.run_dir, .resume = a.resume, .threads = a.threads};
  code = train_run(&c, &o, &signal, &e);
  config_free(&c);
  if (code) return cli_fail(&e);
  return signal ? 128 + signal : ST_OK;
}
