#include "cli.h"

#include "dyt/config.h"

#include <stdio.h>
#include <string.h>

static st show(const char *arg, const char *const *sets, int n_sets, str *out, err *e) {
  config c;
  if (config_load(arg, sets, n_sets, &c, e)) return e->code;
  config_show(&c, out);
  config_free(&c);
  return ST_OK;
}

static st check(const char *arg, const char *const *sets, int n_sets, str *out, err *e) {
  config c;
  if (config_load(arg, sets, n_sets, &c, e)) return e->code;
  str_addf(out, "%s: no errors\n", arg);
  config_free(&c);
  return ST_OK;
}

static st explain(const char *arg, const char *const *sets, int n_sets, str *out, err *e) {
  (void)sets, (void)n_sets;
  return config_explain(arg ? arg : "", out, e);
}

static st schema(const char *arg, const char *const *sets, int n_sets, str *out, err *e) {
  (void)arg, (void)sets, (void)n_sets, (void)e;
  config_schema(out);
  return ST_OK;
}

static const struct action {
  const char *name, *help;
  bool needs_file;
  st (*run)(const char *arg, const char *const *sets, int n_sets, str *out, err *e);
} actions[] = {{"show", "the resolved config with the origin of every value", true, show},
               {"check", "all errors, or nothing", true, check},
               {"explain", "what a key or a group of keys means", false, explain},
               {"schema", "JSON Schema, for editors", false, schema},
               {0}};

cli_word cli_config_word(int i) { return (cli_word){actions[i].name, actions[i].help}; }

int cli_config(const cli_command *self, int argc, char **argv) {
  const char *sets[CLI_ARGS_MAX], *arg[2] = {0};
  int n = 0, n_sets = 0;
  const cli_option options[] = {CLI_SET(sets, n_sets)};
  int code = cli_begin(self, argc, argv, options, 1, arg, 1, 2, &n);
  if (code >= 0) return code;
  err e = {0};
  const struct action *a = NULL;
  for (int i = 0; actions[i].name; i++)
    if (strcmp(actions[i].name, arg[0]) == 0) a = &actions[i];
  if (!a) err_add(&e, ST_USER, "dyt config %s: expected show, check, explain or schema", arg[0]);
  if (a && a->needs_file && !arg[1]) err_add(&e, ST_USER, "dyt config %s: expected a config file", arg[0]);
  str out = {0};
  if (!e.code && a) a->run(arg[1], sets, n_sets, &out, &e);
  if (out.len) fputs(out.data, stdout);
  str_free(&out);
  return e.code ? cli_fail(&e) : ST_OK;
}
