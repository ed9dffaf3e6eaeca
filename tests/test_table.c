/* dyt table: means, differences, failures, tests and choices of a small study made by hand; tables that cannot be are refused. */
#include "command.h"

#include "dyt/mem.h"
#include "dyt/record.h"
#include "dyt/table.h"

#include <stdlib.h>
#include <string.h>

/* --- a study's folder, made by hand --- */

static void put(const command *c, const char *folder, const char *name, const char *text) {
  char *path = command_path(c, folder);
  assert_int_equal(file_make_folder(path, NULL), ST_OK);
  mem_free(support_write(path, name, text));
  mem_free(path);
}

/* One run: its cell, its seed, how it ended and test accuracy; ID is its place in the list. */
typedef struct run {
  const char *cell;
  int seed;
  const char *state; /* NULL: it has no record */
  double acc1;
  bool tuning;
} run;

/* Of 8 images as many are right as fit the accuracy; validation goes the same way, by 0.01 better at epoch 1. */
static void put_record(const command *c, int id, const run *r) {
  char *log =
      mem_printf("{\"epoch\": 1, \"step\": 50, \"train_loss\": 1.5, \"val_loss\": 1, \"val_acc1\": %.9g}\n"
                 "{\"epoch\": 2, \"step\": 100, \"train_loss\": %.9g, \"val_loss\": 1, \"val_acc1\": %.9g, "
                 "\"test_loss\": 1, \"test_acc1\": %.9g}\n",
                 r->acc1 + 0.01, 2 - r->acc1, r->acc1, r->acc1);
  char *status = mem_printf("{\"state\": \"%s\", \"seconds\": %d}\n", r->state, id), *predictions, *name,
       *run_path, *file;
  str p = {0};
  str_add(&p, "index,label,pred,p,loss\n");
  for (int i = 0; i < 8; i++) str_addf(&p, "%d,1,%d,0.5,1\n", i, (i + r->seed) % 8 < 8 * r->acc1);
  predictions = p.data;
  name = mem_printf("store/%016x.json.gz", (unsigned)id);
  put(c, "run", "config.json", "{\"model\": {\"classes\": 10}}\n");
  put(c, "run", "status.json", status);
  put(c, "run", "log.jsonl", log);
  put(c, "run", "predictions.csv", predictions);
  run_path = command_path(c, "run"), file = command_path(c, name);
  err e = {0};
  if (record_write(run_path, NULL, 0, file, &e)) fail_msg("%s", e.text);
  mem_free(log);
  mem_free(status);
  mem_free(predictions);
  mem_free(name);
  mem_free(run_path);
  mem_free(file);
}

/* `text`: the study but for its base. `more` goes behind the runs. */
static void put_study(const command *c, const char *text, const run *r, int runs, const char *more) {
  char *study_text = mem_printf("{\"base\": \"base.json\", %s}\n", text);
  str plan = {0};
  str_add(&plan, "{\"study\": \"made.json\", \"tier\": \"quick\", \"store\": \"../store\", \"runs\": [");
  put(c, "store", "about", "");
  for (int i = 0; i < runs; i++) {
    str_addf(&plan, "%s{\"id\": \"%016x\", \"cell\": %s, \"seed\": %d, \"tuning\": %s}", i ? ",\n" : "",
             (unsigned)i, r[i].cell, r[i].seed, r[i].tuning ? "true" : "false");
    if (r[i].state) put_record(c, i, &r[i]);
  }
  str_addf(&plan, "]%s}\n", more);
  put(c, "study", "study.json", study_text);
  put(c, "study", "runs.json", plan.data);
  mem_free(study_text);
  str_free(&plan);
}

static const char *table_of(command *c, const char *arguments) {
  int code = command_run(c, "table @/study %s", arguments);
  if (code) fail_msg("table %s: exit %d: %s", arguments, code, c->err);
  return c->out;
}

#define NORMS                                                                                                                 \
  "\"seeds\": [0, 1, 2], \"axes\": [{\"name\": \"norm\", \"key\": \"k\", \"values\": [\"LN\", \"DyT\", \"a|b_%\", \"none\", " \
  "\"late\"]}]"

static const run norms[] = {{"[0]", 0, "done", 0.75, false},    {"[0]", 1, "done", 0.5, false},
                            {"[0]", 2, "done", 0.625, false},   {"[1]", 0, "done", 0.755, false},
                            {"[1]", 1, "done", 0.495, false},   {"[1]", 2, "done", 0.625, false},
                            {"[2]", 0, "done", 0.875, false},   {"[2]", 1, "diverged", 0.5, false},
                            {"[2]", 2, "done", 0.75, false},    {"[3]", 0, "diverged", 0.25, false},
                            {"[3]", 1, "diverged", 0.5, false}, {"[3]", 2, "diverged", 0.375, false},
                            {"[4]", 0, NULL, 0, false},         {"[4]", 1, "done", 0.5, false},
                            {"[4]", 2, NULL, 0, false}};
enum { RUNS = sizeof norms / sizeof *norms };

static const char compared[] = NORMS
    ", \"table\": {\"rows\": \"norm\", \"metric\": [\"test_acc1\", \"train_loss\"], \"baseline\": {\"norm\": \"LN\"},"
    " \"margin\": 2, \"bootstrap\": true, \"paper\": {\"where\": \"Table 1\", \"values\": {\"LN\": 82.3, \"none\": \"61.0 -> failed\"}},"
    " \"primary\": [{\"claim\": \"LN = DyT\", \"kind\": \"equal\", \"cell\": {\"norm\": \"DyT\"}, \"than\": {\"norm\": \"LN\"}},"
    " {\"claim\": \"DyT > 0\", \"kind\": \"positive\", \"cell\": {\"norm\": \"DyT\"}, \"metric\": \"val_acc1\"},"
    " {\"claim\": \"none > LN\", \"kind\": \"greater\", \"cell\": {\"norm\": \"none\"}, \"than\": {\"norm\": \"LN\"}}]}";

static void test_markdown(void **state) {
  command *c = *state;
  put_study(c, compared, norms, RUNS, "");
  printf("%s", table_of(c, "")); for (int i=0;i<3;i++) printf("%s", table_of(c, ((const char*[]){"--format csv","--format json","--format latex"})[i]));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(test_markdown)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
