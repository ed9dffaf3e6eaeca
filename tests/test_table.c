/* dyt table: means, differences, failures, tests and choices of a small study made by hand; tables that cannot be are refused. */
#include "made_study.h"

#include "dyt/mem.h"
#include "dyt/record.h"
#include "dyt/table.h"

#include <stdlib.h>
#include <string.h>

#define PM "\xc2\xb1"

/* --- a study's folder, made by hand --- */

/* Of 8 images as many are right as fit the accuracy; validation goes the same way, by 0.01 better at epoch 1; a line
 * explains as much of the one norm layer. */
static void put_record(const command *c, int id, const made_run *r) {
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
  made_file(c, "run", "config.json", "{\"model\": {\"classes\": 10}}\n");
  made_file(c, "run", "status.json", status);
  made_file(c, "run", "log.jsonl", log);
  made_file(c, "run", "predictions.csv", predictions);
  made_file(c, "run", "dyt.csv", NORM_STATS_HEADER "0,0,blocks.0.norm1,0,attn,dyt,tanh,2,4,0,1,1,0,8\n");
  run_path = command_path(c, "run"), file = command_path(c, name);
  err e = {0};
  const probe_shape line = {.line_r2 = r->acc1};
  if (record_write(run_path, &line, 1, file, &e)) fail_msg("%s", e.text);
  mem_free(log);
  mem_free(status);
  mem_free(predictions);
  mem_free(name);
  mem_free(run_path);
  mem_free(file);
}

static void put_study(const command *c, const char *text, const made_run *r, int runs, const char *more) {
  made_study_of(c, text, r, runs, more, put_record);
}

static const char *table_of(command *c, const char *arguments) {
  int code = command_run(c, "table @/study %s", arguments);
  if (code) fail_msg("table %s: exit %d: %s", arguments, code, c->err);
  return c->out;
}

#define NORMS                                                                                                                 \
  "\"seeds\": [0, 1, 2], \"axes\": [{\"name\": \"norm\", \"key\": \"k\", \"values\": [\"LN\", \"DyT\", \"a|b_%\", \"none\", " \
  "\"late\"]}]"

static const made_run norms[] = {{"[0]", 0, "done", 0.75, false},    {"[0]", 1, "done", 0.5, false},
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
    " {\"claim\": \"none > LN\", \"kind\": \"greater\", \"cell\": {\"norm\": \"none\"}, \"than\": {\"norm\": \"LN\"}},"
    " {\"claim\": \"late > LN\", \"kind\": \"greater\", \"cell\": {\"norm\": \"late\"}, \"than\": {\"norm\": \"LN\"}}], \"family\": 5}";

static void test_markdown(void **state) {
  command *c = *state;
  put_study(c, compared, norms, RUNS, "");
  assert_string_equal(
      table_of(c, ""),
      "# made (quick)\n\n"
      "## test accuracy (%)\n\n"
      "| norm | ours | paper |\n"
      "|:---|---:|---:|\n"
      "| LN | **62.50 " PM " 12.50 (3)** | 82.3 |\n"
      "| DyT | **62.50 " PM " 13.00 (3)** |  |\n"
      "| a\\|b_% | 81.25 " PM " 8.84 (2/3 ok, D) |  |\n"
      "| none | 38.50 -> failed (D) | 61.0 -> failed |\n"
      "| late | 50.00 (1) |  |\n\n"
      "## test accuracy against LN (points, seed by seed)\n\n"
      "|  | difference | 95% interval | r of the pairs | p | equivalence | its power | 95% over seeds and images |\n"
      "|:---|---:|---:|---:|---:|---:|---:|---:|\n"
      "| DyT | 0.00 | [-1.24, +1.24] | 1.00 | 1.000 | equal within 2 | 0.98 | [0.00, +16.67] |\n"
      "| a\\|b_% | failed runs | - | - | - | - | - | - |\n"
      "| none | failed runs | - | - | - | - | - | - |\n"
      "| late | 0.00 | - | - | - | - | - | - |\n\n"
      "## training loss (nats)\n\n"
      "| norm | mean " PM " sd (n) |\n"
      "|:---|---:|\n"
      "| LN | **1.375 " PM " 0.125 (3)** |\n"
      "| DyT | **1.375 " PM " 0.130 (3)** |\n"
      "| a\\|b_% | 1.188 " PM " 0.088 (2/3 ok, D) |\n"
      "| none | failed (D) |\n"
      "| late | 1.500 (1) |\n\n"
      "## training loss against LN (nats, seed by seed)\n\n"
      "|  | difference | 95% interval | r of the pairs | p |\n"
      "|:---|---:|---:|---:|---:|\n"
      "| DyT | 0.000 | [-0.012, +0.012] | 1.00 | 1.000 |\n"
      "| a\\|b_% | failed runs | - | - | - |\n"
      "| none | failed runs | - | - | - |\n"
      "| late | 0.000 | - | - | - |\n\n"
      "## Primary tests, fixed beforehand (of 5)\n\n"
      "| claim | metric | value | 95% interval | p | p by Holm |  |\n"
      "|:---|---:|---:|---:|---:|---:|---:|\n"
      "| LN = DyT | test_acc1 | 0.00 | [-1.24, +1.24] | 0.010 | 0.040 | shown |\n"
      "| DyT > 0 | val_acc1 | +62.50 | [+30.21, +94.79] | 0.007 | 0.035 | shown |\n"
      "| none > LN | test_acc1 | - | - | - | - | cannot be tested: failed runs |\n"
      "| late > LN | test_acc1 | - | - | - | - | waits for runs |\n\n"
      "- Mean " PM " standard deviation over seeds (number of runs).\n"
      "- Intervals and two-sided p are of paired t tests over seeds, not corrected for their number: they describe.\n"
      "- Equivalence: two one-sided tests at 5%, margin 2 points; not shown equal is not shown different. Its power is that of "
      "showing it if there were no difference.\n"
      "- Primary tests are one-sided paired t tests at 5% (equal: two one-sided), by Holm over all that were fixed.\n"
      "- Failed runs: D a number became non-finite. Means are over the runs that did not fail, and are not compared; a number "
      "before \"failed\" is the best validation accuracy before.\n"
      "- In the paper: Table 1.\n"
      "- 2 runs are not done yet.\n");
  command_assert_contains(c->err, "2 runs are not done yet");
}

static void test_csv(void **state) {
  command *c = *state;
  put_study(c, compared, norms, RUNS, "");
  const char *out = table_of(c, "--format csv");
  command_assert_contains(out,
                          "norm,metric,n,ok,mean,sd,difference,low,high,p,verdict,failed,seeds,values\n");
  command_assert_contains(
      out, "\nDyT,test_acc1,3,3,62.5,13,0,-1.24206886,1.24206886,1,equal,,0;1;2,75.5;49.5;62.5\n");
  command_assert_contains(out, "\na|b_%,train_loss,3,2,1.1875,0.0883883476,,,,,,D,0;1;2,1.125;;1.25\n");
  command_assert_contains(out, "\nlate,test_acc1,1,1,50,,0,,,,,,0;1;2,;50;\n");
}

static void test_json(void **state) {
  command *c = *state;
  put_study(c, compared, norms, RUNS, "");
  cJSON *o = cJSON_Parse(table_of(c, "--format json"));
  assert_non_null(o);
  const cJSON *cells = cJSON_GetObjectItem(o, "cells"), *dyt = cJSON_GetArrayItem(cells, 1);
  assert_int_equal(cJSON_GetArraySize(cells), 5);
  const cJSON *acc1 = cJSON_GetObjectItem(cJSON_GetObjectItem(dyt, "metrics"), "test_acc1");
  const cJSON *against = cJSON_GetObjectItem(acc1, "against");
  assert_true(cJSON_GetArrayItem(cJSON_GetObjectItem(acc1, "values"), 1)->valuedouble == 49.5);
  assert_string_equal(cJSON_GetObjectItem(against, "baseline")->valuestring, "LN");
  assert_true(cJSON_GetObjectItem(against, "high")->valuedouble > 1.242068855);
  const cJSON *late = cJSON_GetArrayItem(cells, 4);
  assert_true(cJSON_IsNull(cJSON_GetArrayItem(cJSON_GetObjectItem(late, "states"), 0)));
  assert_string_equal(cJSON_GetArrayItem(cJSON_GetObjectItem(late, "states"), 1)->valuestring, "ok");
  cJSON_Delete(o);
}

static void test_latex(void **state) {
  command *c = *state;
  put_study(c, compared, norms, RUNS, "");
  const char *out = table_of(c, "--format latex");
  command_assert_contains(out, "  {a$|$b\\_\\%} & {81.25 $\\pm$ 8.84 (2/3 ok, D)} & {} \\\\\n");
  command_assert_contains(out, "  {LN} & \\textbf{62.50 $\\pm$ 12.50 (3)} & {82.3} \\\\\n");
  command_assert_contains(out, "  {none} & {38.50 $\\to$ failed (D)} & {61.0 $\\to$ failed} \\\\\n");
}

/* --- columns, screens --- */

#define GRID                                                                                                                        \
  "\"seeds\": [0, 1], \"exclude\": [{\"fn\": \"sigmoid\", \"alpha\": \"none\"}],"                                                   \
  "\"axes\": [{\"name\": \"fn\", \"key\": \"k\", \"values\": [\"tanh\", \"sigmoid\", \"erf\"]}, {\"name\": \"alpha\", \"cases\": [" \
  "{\"label\": \"none\"}, {\"label\": \"learnable\"}]}]"

static const made_run grid[] = {{"[0,0]", 0, "done", 0.5, false},   {"[0,0]", 1, "done", 0.75, false},
                                {"[0,1]", 0, "done", 0.75, false},  {"[0,1]", 1, "done", 0.8, false},
                                {"[1,1]", 0, "done", 0.625, false}, {"[1,1]", 1, "done", 0.65, false}};

static void test_columns(void **state) {
  command *c = *state;
  put_study(
      c,
      GRID
      ", \"table\": {\"rows\": \"fn\", \"columns\": \"alpha\", \"metric\": \"val_acc1@1\", \"baseline\": {\"fn\": \"tanh\"},"
      "\"paper\": {\"where\": \"Table 8\", \"values\": {\"tanh\": {\"learnable\": 82.5}}}}",
      grid, 6, "");
  const char *out = table_of(c, "");
  command_assert_contains(
      out, "## validation accuracy after epoch 1 (%)\n\n| fn | alpha none | alpha learnable | paper |\n");
  command_assert_contains(out, "| tanh | 63.50 " PM " 17.68 (2) | **78.50 " PM " 3.54 (2)** | 82.5 |\n");
  command_assert_contains(out, "| sigmoid |  | 64.75 " PM " 1.77 (2) |  |\n");
  command_assert_contains(out, "against tanh (points, seed by seed)");
  command_assert_contains(out, "| sigmoid, learnable | -13.75 | [-29.63, +2.13] | - | 0.058 |\n");
  assert_null(strstr(out, "| tanh, none |"));
  assert_string_equal(c->err, "");
}

/* All axes are rows where nothing is said. */
static void test_default(void **state) {
  command *c = *state;
  put_study(c, GRID, grid, 6, "");
  const char *out = table_of(c, "");
  command_assert_contains(out, "| fn, alpha | mean " PM " sd (n) |\n");
  command_assert_contains(out, "| tanh, none | 62.50 " PM " 17.68 (2) |\n");
  command_assert_contains(out, "| sigmoid, learnable | 63.75 " PM " 1.77 (2) |\n");
}

/* Numbers without a unit stand together; their range, not their standard deviation. */
static void test_correlations(void **state) {
  command *c = *state;
  put_study(c, GRID ", \"table\": {\"metric\": [\"test_acc1\", \"pearson\", \"line_r2_first\"]}", grid, 6,
            ", \"waiting\": 1");
  const char *out = table_of(c, "");
  command_assert_contains(
      out,
      "## Norm layers: mean [range] (n)\n\n"
      "| fn, alpha | tanh, none | tanh, learnable | sigmoid, learnable | erf, none | erf, learnable |\n");
  command_assert_contains(out, "| Pearson's r of alpha and 1/std | - | ");
  command_assert_contains(out, "| R2 of a line, first norm | 0.625 [0.500, 0.750] (2) | ");
}

static void test_screen(void **state) {
  command *c = *state;
  put_study(
      c,
      GRID
      ", \"table\": {\"columns\": \"alpha\", \"baseline\": {\"fn\": \"tanh\"}, \"margin\": 1, \"screen\": true}",
      grid, 6, "");
  const char *out = table_of(c, "");
  command_assert_contains(
      out, "|  | difference |\n|:---|---:|\n| sigmoid, learnable | -13.75 |\n| erf, none | - |\n");
  command_assert_contains(out, "- A screen: no tests, no ranking, no claims.\n");
  assert_null(strstr(out, "**"));
  assert_null(strstr(out, "interval"));
  command_assert_contains(table_of(c, "--format csv"),
                          "sigmoid,learnable,test_acc1,2,2,63.75,1.76776695,-13.75,,,,,,");
}

/* A case may have seeds of its own: cells are paired by seed. */
static void test_own_seeds(void **state) {
  command *c = *state;
  static const made_run runs[] = {{"[0]", 0, "done", 0.5, false},
                                  {"[0]", 1, "done", 0.75, false},
                                  {"[0]", 2, "done", 0.25, false},
                                  {"[1]", 2, "done", 0.375, false},
                                  {"[1]", 0, "done", 0.625, false}};
  put_study(
      c,
      "\"seeds\": [0, 1, 2], \"axes\": [{\"name\": \"n\", \"cases\": [{\"label\": \"a\"}, {\"label\": \"b\", \"seeds\": "
      "[2, 0]}]}], \"table\": {\"baseline\": {\"n\": \"b\"}}",
      runs, 5, "");
  const char *out = table_of(c, "");
  command_assert_contains(out, "| a | **50.00 " PM " 25.00 (3)** |\n| b | **50.00 " PM " 17.68 (2)** |\n");
  command_assert_contains(out, "| a | -12.50 | [-12.50, -12.50] | - | < 0.001 |\n");
  assert_string_equal(c->err, "");
}

/* --- choices --- */

#define TUNED                                                                                                                       \
  "\"axes\": [{\"name\": \"norm\", \"key\": \"k\", \"values\": [\"LN\", \"DyT\"]}, {\"name\": \"lr\", \"key\": \"k\", \"values\": " \
  "[1, 2, 4]}], \"select\": {\"axis\": \"lr\", \"by\": \"val_acc1\", \"seeds\": [100, 101]}"

static const made_run tuned[] = {{"[0,1]", 100, "done", 0.125, true}, {"[0,1]", 101, "done", 0.25, true},
                                 {"[0,1]", 0, "done", 0.5, false},    {"[0,1]", 1, "done", 0.75, false},
                                 {"[1,2]", 0, "done", 0.75, false},   {"[1,2]", 1, "done", 0.875, false}};

static const char choices[] =
    ", \"choices\": [{\"cell\": [0,1], \"value\": 70, \"next\": 69.97, \"trials\": 3, \"edge\": -1},"
    "{\"cell\": [1,2], \"value\": 72, \"next\": 70, \"trials\": 3, \"edge\": 1}]";

static void test_chosen(void **state) {
  command *c = *state;
  put_study(c, TUNED ", \"seeds\": [0, 1]", tuned, 6, choices);
  const char *out = table_of(c, "");
  command_assert_contains(out, "| LN | 62.50 " PM " 17.68 (2) |\n| DyT | **81.25 " PM " 8.84 (2)** |\n");
  command_assert_contains(
      out, "|  | chosen | validation accuracy (%) | the next best | trials, 2 seeds each |  |\n");
  command_assert_contains(out, "| norm LN | lr 2 | 70.00 | 69.97 | 3 | tie |\n");
  command_assert_contains(out, "| norm DyT | lr 4 | 72.00 | 70.00 | 3 | at the edge of lr |\n");
  put_study(c, TUNED ", \"seeds\": [0, 1]", tuned, 4, ", \"waiting\": 1"); /* nothing is chosen yet */
  out = table_of(c, "");
  command_assert_contains(out, "| LN | not run yet |\n| DyT | not run yet |\n");
  command_assert_contains(c->err, "2 runs are not done yet");
}

static void test_tuning_alone(void **state) {
  command *c = *state;
  put_study(c, TUNED ", \"seeds\": [], \"table\": {\"rows\": \"norm\", \"columns\": \"lr\"}", tuned, 2,
            choices);
  const char *out = table_of(c, "");
  command_assert_contains(out, "## validation accuracy (%)\n\n| norm | lr 1 | lr 2 | lr 4 |\n");
  command_assert_contains(out, "| LN | not run yet | 18.75 " PM " 8.84 (2) | not run yet |\n");
  command_assert_contains(out, "All runs are those of the tuning seeds");
  put_study(
      c,
      TUNED
      ", \"include\": [{\"lr\": 2}], \"seeds\": [], \"table\": {\"rows\": \"norm\", \"columns\": \"lr\"}",
      tuned, 2, ", \"waiting\": 2");
  command_assert_contains(table_of(c, ""), "| norm | lr 2 |\n"); /* no column without a cell */
}

/* --- files --- */

static void test_files(void **state) {
  command *c = *state;
  static const char *const names[] = {"study/table.md", "study/table.csv", "study/table.tex",
                                      "study/table.json"};
  put_study(c, compared, norms, RUNS, "");
  char *folder = command_path(c, "study"), *before[4];
  err e = {0};
  if (table_write(folder, &e)) fail_msg("%s", e.text);
  for (int i = 0; i < 4; i++) before[i] = (char *)command_read(c, names[i]).data;
  assert_string_equal(before[0], table_of(c, ""));
  char *from = command_path(c, "store"), *to = command_path(c, "elsewhere");
  assert_int_equal(file_rename(from, to, NULL), ST_OK);
  command_assert_contains(table_of(c, ""), "| LN | not run yet | 82.3 |\n");
  static const char *const formats[] = {"md", "csv", "latex", "json"};
  for (int i = 0; i < 4; i++) {
    command_run(c, "table @/study --runs @/elsewhere --format %s", formats[i]);
    assert_string_equal(c->out, before[i]);
    assert_null(strstr(c->out, c->folder));
    assert_null(strstr(c->out, "store"));
    free(before[i]);
  }
  mem_free(folder);
  mem_free(from);
  mem_free(to);
}

/* --- what is refused --- */

static void test_refusals(void **state) {
  command *c = *state;
  command_refuse(c, "table", "argument");
  command_refuse(c, "table @", "no study's folder");
  put_study(c, GRID, grid, 6, "");
  command_refuse(c, "table @/study --format jsn",
                 "no table format 'jsn' (did you mean 'json'?): expected md, csv, latex or json");
  put_study(c, GRID ", \"table\": {\"metric\": [\"test_acc1\", \"pearson\"]}", grid, 6, "");
  command_refuse(c, "table @/study", "no run has the metric pearson");
  made_file(c, "store", "0000000000000000.json.gz", "{");
  command_refuse(c, "table @/study", "0000000000000000.json.gz");
}

static void test_bad_tables(void **state) {
  command *c = *state;
  static const struct {
    const char *text, *part;
  } cases[] = {
      {"[]", "study.json:1:"},
      {"[]", "table: expected an object"},
      {"{\"row\": \"fn\"}", "table.row: unknown key, did you mean \"rows\"?"},
      {"{\"rows\": \"fm\"}", "table.rows: expected the name of an axis, did you mean \"fn\"?"},
      {"{\"rows\": [\"fn\", \"fn\"]}", "this axis is there already"},
      {"{\"rows\": [\"fn\", \"alpha\"], \"columns\": \"fn\"}", "this axis is there already"},
      {"{\"columns\": 1}", "table.columns: expected the name of an axis"},
      {"{\"metric\": \"test_acc\"}", "did you mean 'test_acc1'?"},
      {"{\"metric\": []}", "table.metric: expected at least one"},
      {"{\"metric\": [1]}", "table.metric: expected a metric's name"},
      {"{\"margin\": 0}", "table.margin: expected a number of points above 0"},
      {"{\"screen\": 1}", "table.screen: expected true or false"},
      {"{\"bootstrap\": \"yes\"}", "table.bootstrap: expected true or false"},
      {"{\"baseline\": {\"fn\": \"relu\"}}", "fn: no case is called relu"},
      {"{\"baseline\": {\"gn\": \"relu\"}}", "no axis is called gn"},
      {"{\"baseline\": {\"fn\": [\"tanh\", \"erf\"]}}", "table.baseline: fn: expected one case"},
      {"{\"baseline\": {\"fn\": \"sigmoid\", \"alpha\": \"none\"}}", "table.baseline: no cell differs"},
      {"{\"paper\": 8}", "table.paper: expected a string or"},
      {"{\"paper\": {\"where\": \"T\", \"value\": {}}}", "table.paper.value: unknown key"},
      {"{\"paper\": {\"where\": \"T\", \"values\": {\"tanh\": 1}}}", "no row is called tanh"},
      {"{\"paper\": {\"where\": \"T\", \"values\": {\"tanh, none\": true}}}",
       "expected a number or a string"},
      {"{\"columns\": \"alpha\", \"paper\": {\"where\": \"T\", \"values\": {\"tanh\": 1}}}",
       "expected {row: {column: number}}"},
      {"{\"columns\": \"alpha\", \"paper\": {\"where\": \"T\", \"values\": {\"sigmoid\": {\"none\": 1}}}}",
       "a column that is not there"},
      {"{\"screen\": true, \"primary\": []}", "a screen makes no claims"},
      {"{\"primary\": [{\"kind\": \"equal\"}]}", "expected an object with \"claim\""},
      {"{\"primary\": [{\"claim\": \"c\", \"kind\": \"less\"}]}",
       "kind: expected \"equal\", \"greater\" or \"positive\""},
      {"{\"primary\": [{\"claim\": \"c\", \"kind\": \"positive\", \"cell\": {\"fn\": \"tanh\"}}]}",
       "2 cells are so, expected one"},
      {"{\"primary\": [{\"claim\": \"c\", \"kind\": \"greater\", \"cell\": {\"fn\": \"sigmoid\"}}]}",
       "expected \"than\""},
      {"{\"primary\": [{\"claim\": \"c\", \"kind\": \"equal\", \"cell\": {\"fn\": \"sigmoid\"}, \"than\": {\"fn\": \"sigmoid\"}}]}",
       "needs a \"margin\""},
      {"{\"family\": 1.5}", "table.family: expected how many"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text = mem_printf(GRID ", \"table\": %s", cases[i].text);
    put_study(c, text, grid, 0, "");
    command_refuse(c, "table @/study", cases[i].part);
    mem_free(text);
  }
  put_study(c, TUNED ", \"seeds\": [0], \"table\": {\"rows\": \"lr\"}", tuned, 0, "");
  command_refuse(c, "table @/study", "lr is selected");
  put_study(c, TUNED ", \"seeds\": [0], \"table\": {\"baseline\": {\"norm\": \"LN\", \"lr\": 2}}", tuned, 0,
            "");
  command_refuse(c, "table @/study", "lr is selected");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(test_markdown), TEST(test_csv),          TEST(test_json),
                                     TEST(test_latex),    TEST(test_columns),      TEST(test_default),
                                     TEST(test_screen),   TEST(test_correlations), TEST(test_own_seeds),
                                     TEST(test_chosen),   TEST(test_tuning_alone), TEST(test_files),
                                     TEST(test_refusals), TEST(test_bad_tables)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
