#include "cli.h"

#include "dyt/mem.h"
#include "dyt/trained.h"

#include <math.h>
#include <stdio.h>

static void print_table(const trained *t, const evaluation *v) {
  printf("%-8s %lld images\n", "test", (long long)v->n);
  for (int k = 0; k < t->engine.task->metrics; k++) {
    const char *name = t->engine.task->metric_name[k];
    if (isnan(v->metric[k])) continue;
    printf(k ? "%-8s %.2f%%\n" : "%-8s %.4f\n", name, k ? 100 * v->metric[k] : v->metric[k]);
  }
}

static void print_json(const trained *t, const evaluation *v) {
  str s = {0};
  str_addf(&s, "{\"n\": %lld", (long long)v->n);
  evaluate_write_json(t->engine.task, v, "", &s);
  printf("%s}\n", s.data);
  str_free(&s);
}

int cli_eval(const cli_command *self, int argc, char **argv) {
  const char *sets[CLI_ARGS_MAX], *source[1] = {0};
  int n = 0;
  bool json = false;
  trained_options o = {.sets = sets};
  const cli_option options[] = {{.name = "config",
                                 .arg = "CONFIG",
                                 .help = "the model of a weights file; for a run: instead of its own",
                                 .text = &o.config_path},
                                {.name = "set",
                                 .arg = "KEY=VALUE",
                                 .help = "change a key of the config",
                                 .text = sets,
                                 .count = &o.n_sets},
                                {.name = "checkpoint",
                                 .arg = "last|best",
                                 .help = "which checkpoint of a run (last)",
                                 .text = &o.checkpoint},
                                {.name = "threads",
                                 .arg = "N",
                                 .help = "default: the cores this process may use",
                                 .number = &o.threads},
                                {.name = "json", .help = "one JSON object on stdout", .flag = &json}};
  int code = cli_begin(self, argc, argv, options, 5, source, 1, 1, &n);
  if (code >= 0) return code;
  err e = {0};
  trained t;
  o.source = source[0];
  if (trained_open(&t, &o, &e)) return cli_fail(&e);
  task_score *score = mem_new((size_t)t.data.test.n + 1, sizeof *score);
  evaluation v;
  evaluate(&t.engine, &t.feed, &t.data.test, score, &v);
  st checked = data_check(&t.data, &e);
  if (!checked) (json ? print_json : print_table)(&t, &v);
  mem_free(score);
  trained_close(&t);
  return checked ? cli_fail(&e) : ST_OK;
}
