#include "cli.h"

#include "dyt/confusion.h"
#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/trained.h"

#include <math.h>
#include <stdio.h>

static void print_table(const trained *t, const evaluation *v, const confusion *c) {
  str table = {0};
  printf("%-8s %lld images\n", "test", (long long)v->n);
  for (int k = 0; k < t->engine.task->metrics; k++) {
    const char *name = t->engine.task->metric_name[k];
    if (isnan(v->metric[k])) continue;
    printf(k ? "%-8s %.2f%%\n" : "%-8s %.4f\n", name, k ? 100 * v->metric[k] : v->metric[k]);
  }
  confusion_table(c, &table);
  printf("\n%s", table.data);
  str_free(&table);
}

static void print_json(const trained *t, const evaluation *v, const confusion *c) {
  str s = {0};
  str_addf(&s, "{\"n\": %lld", (long long)v->n);
  evaluate_write_json(t->engine.task, v, "", &s);
  str_add(&s, ", \"classes\": ");
  confusion_json(c, &s);
  printf("%s}\n", s.data);
  str_free(&s);
}

/* The tables, then their picture: where that cannot be drawn there is a warning. */
static st write_folder(const confusion *c, const task_score *score, int64_t n, const char *folder, err *e) {
  str predictions = {0};
  err undrawn = {0};
  char *path = mem_printf("%s/predictions.csv", folder);
  evaluate_write_predictions(score, n, &predictions);
  st code = file_write(path, predictions.data, predictions.len, e);
  if (!code) code = confusion_write(c, folder, e);
  if (!code && confusion_draw(c, folder, &undrawn)) fprintf(stderr, "warning: %s\n", undrawn.text);
  mem_free(path);
  str_free(&predictions);
  return code;
}

static int eval(const trained_options *o, const char *folder, bool json) {
  err e = {0};
  trained t;
  if (trained_open_data(&t, o, &e)) return cli_fail(&e);
  if (folder && file_make_folder(folder, &e)) { /* before the work, not after it */
    trained_close(&t);
    return cli_fail(&e);
  }
  int64_t n = t.data.test.n;
  task_score *score = mem_new((size_t)n + 1, sizeof *score);
  evaluation v;
  confusion c;
  evaluate(&t.engine, &t.feed, &t.data.test, score, &v);
  if (!data_check(&t.data, &e)) {
    confusion_of(&c, score, n, t.data.class_names, t.data.classes);
    (json ? print_json : print_table)(&t, &v, &c);
    if (folder) write_folder(&c, score, n, folder, &e);
    confusion_free(&c);
  }
  mem_free(score);
  trained_close(&t);
  return e.code ? cli_fail(&e) : ST_OK;
}

int cli_eval(const cli_command *self, int argc, char **argv) {
  const char *sets[CLI_ARGS_MAX], *source[1] = {0}, *folder = NULL;
  int n = 0;
  bool json = false;
  trained_options o = {.sets = sets};
  const cli_option options[] = {
      CLI_TRAINED_OPTIONS(o, sets),
      CLI_JSON(json, CLI_ONE_OBJECT),
      {.name = "csv",
       .arg = "DIR",
       .help = "write classes.csv, confusion.csv, predictions.csv and draw confusion.svg and .png there",
       .text = &folder}};
  int code = cli_begin(self, argc, argv, options, sizeof options / sizeof options[0], source, 1, 1, &n);
  o.source = source[0];
  return code >= 0 ? code : eval(&o, folder, json);
}
