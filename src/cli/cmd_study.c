#include "cli.h"

#include "dyt/figure.h"
#include "dyt/mem.h"
#include "dyt/study_jobs.h"
#include "dyt/table.h"

#include <stdio.h>
#include <string.h>

static st find_keep(const char *word, study_keep *keep, err *e) {
  static const char *const words[] = {"last", "record", "all"};
  for (int i = 0; i < 3; i++)
    if (word && strcmp(word, words[i]) == 0) {
      *keep = (study_keep)i;
      return ST_OK;
    }
  return word ? err_add(e, ST_USER, "--keep %s: expected record, last or all", word) : ST_OK;
}

/* studies/NAME or studies/NAME-TIER */
static char *default_out(const study *s) {
  return s->tier ? mem_printf("studies/%s-%s", s->name, s->tier) : mem_printf("studies/%s", s->name);
}

/* Runs what is missing, then writes the tables; the first of them, in Markdown, is the output. */
static void run_study(const study *s, const study_jobs_options *o, int *signal, str *out, err *e) {
  int missing;
  st code = study_jobs_run(s, o, signal, e);
  if (*signal || (code && code != ST_INTERNAL)) return;
  err after = {0};
  if (table_write(o->out, &after) || table_print(o->out, o->store, "md", out, &missing, &after))
    err_join(e, &after);
}

int cli_study(const cli_command *self, int argc, char **argv) {
  const char *path[1] = {0}, *tier = NULL, *keep = NULL, *only[CLI_ARGS_MAX], *out = NULL;
  bool dry_run = false, commands = false;
  int n = 0;
  study_jobs_options o = {.store = "runs", .only = only};
  const cli_option options[] = {
      {.name = "tier",
       .arg = "TIER",
       .help = "a tier of the study: its keys replace the study's",
       .text = &tier},
      {.name = "out", .arg = "DIR", .help = "the study's folder (default studies/NAME-TIER)", .text = &out},
      {.name = "runs",
       .arg = "DIR",
       .help = "where runs and records are, for all studies (default runs)",
       .text = &o.store},
      {.name = "jobs",
       .arg = "J",
       .help = "runs side by side (default: as many as cores)",
       .number = &o.jobs},
      {.name = "threads", .arg = "T", .help = "threads of each run (default 1)", .number = &o.threads},
      {.name = "keep",
       .arg = "record|last|all",
       .help =
           "what stays of a finished run: its record alone, the last checkpoint too (default), everything",
       .text = &keep},
      {.name = "only",
       .arg = "KEY=VALUE",
       .help = "only runs of this: AXIS=CASE, seed=N or id=ID",
       .text = only,
       .count = &o.n_only},
      {.name = "fail-fast", .help = "begin no more runs after one has failed", .flag = &o.fail_fast},
      {.name = "dry-run", .help = "list the runs and how long they will take", .flag = &dry_run},
      {.name = "commands",
       .help = "print one command a missing run, for GNU parallel, xargs or a cluster",
       .flag = &commands}};
  int code = cli_begin(self, argc, argv, options, sizeof options / sizeof *options, path, 1, 1, &n);
  if (code >= 0) return code;
  err e = {0};
  study s;
  str text = {0};
  int signal = 0;
  if (find_keep(keep, &o.keep, &e) || study_read(&s, path[0], tier, &e)) return cli_fail(&e);
  if (table_check(&s, &e) || figure_check(&s, &e)) {
    study_free(&s);
    return cli_fail(&e);
  }
  char *folder = out ? mem_strdup(out) : default_out(&s);
  o.out = folder;
  if (dry_run)
    study_jobs_dry_run(&s, &o, &text, &e);
  else if (commands)
    study_jobs_commands(&s, &o, &text, &e);
  else
    run_study(&s, &o, &signal, &text, &e);
  if (text.len) fputs(text.data, stdout);
  str_free(&text);
  mem_free(folder);
  study_free(&s);
  if (e.code) return cli_fail(&e);
  return signal ? 128 + signal : ST_OK;
}
