/* dyt plot: data and pictures hold what was logged; names mean nothing to gnuplot; logs that cannot be are refused. */
#include "command.h"

#include "analyze/gnuplot.h"
#include "dyt/mem.h"
#include "dyt/norm_stats.h"
#include "dyt/plot.h"

#include <stdlib.h>
#include <string.h>

/* --- a run, made by hand --- */

static const char steps[] = "{\"step\": 50, \"loss\": 2.5, \"lr\": 0.001, \"grad_norm\": 1}\n"
                            "{\"step\": 100, \"loss\": 1.5, \"lr\": 0.001, \"grad_norm\": null}\n";
static const char epochs[] =
    "{\"epoch\": 1, \"step\": 100, \"train_loss\": 2, \"train_acc1\": 0.25, \"test_loss\": 1.75, \"test_acc1\": 0.5}\n";
/* At the end alpha is twice 1/std. */
static const char norms[] = NORM_STATS_HEADER "0,0,blocks.0.norm1,0,attn,dyt,tanh,2,4,0,1,1,0,8\n"
                                              "0,0,blocks.0.norm2,1,ffn,dyt,tanh,2,,0,1,1,0,8\n"
                                              "0,0,norm,2,final,dyt,tanh,2,nan,0,1,1,0,8\n"
                                              "100,1,blocks.0.norm1,0,attn,dyt,tanh,2,1,0,1,1,0,8\n"
                                              "100,1,blocks.0.norm2,1,ffn,dyt,tanh,1,0.5,0,1,1,0,8\n"
                                              "100,1,norm,2,final,dyt,tanh,3,1.5,0,1,1,0,8\n";
static const char layernorm[] = NORM_STATS_HEADER "0,0,norm,0,final,layernorm,,,4,0,1,1,,8\n"
                                                  "100,1,norm,0,final,layernorm,,,3,0,1,1,,8\n";

static void put(const command *c, const char *run, const char *name, const char *text) {
  char *folder = command_path(c, run);
  assert_int_equal(file_make_folder(folder, NULL), ST_OK);
  mem_free(support_write(folder, name, text));
  mem_free(folder);
}

static void put_run(const command *c, const char *run, const char *dyt_csv) {
  put(c, run, "config.json", "{}\n");
  put(c, run, "status.json", "{\"state\": \"done\"}\n");
  put(c, run, "steps.jsonl", steps);
  put(c, run, "log.jsonl", epochs);
  put(c, run, "dyt.csv", dyt_csv);
}

static void assert_file(const command *c, const char *name, const char *text) {
  file_bytes b = command_read(c, name);
  assert_string_equal((char *)b.data, text);
  file_bytes_free(&b);
}

static void assert_in_file(const command *c, const char *name, const char *part) {
  file_bytes b = command_read(c, name);
  command_assert_contains((char *)b.data, part);
  file_bytes_free(&b);
}

static int times_in_file(const command *c, const char *name, const char *part) {
  file_bytes b = command_read(c, name);
  int n = 0;
  for (const char *p = (char *)b.data; (p = strstr(p, part)); p++) n++;
  file_bytes_free(&b);
  return n;
}

static void plots(command *c, const char *arguments) {
  int code = command_run(c, "plot %s", arguments);
  if (code || *c->err) fail_msg("plot %s: exit %d: %s", arguments, code, c->err);
}

/* --- pictures --- */

static void test_one_run(void **state) {
  command *c = *state;
  put_run(c, "run", norms);
  plots(c, "@/run/");
  assert_file(c, "run/plots/curves_steps.csv",
              "run,step,loss,lr,grad_norm\n1,50,2.5,0.001,1\n1,100,1.5,0.001,\n");
  assert_file(
      c, "run/plots/curves_epochs.csv",
      "run,epoch,step,train_loss,train_acc1,val_loss,val_acc1,test_loss,test_acc1,test_acc5,eval_train_loss,"
      "eval_train_acc1\n1,1,100,2,0.25,,,1.75,0.5,,,\n");
  assert_file(c, "run/plots/norms.csv",
              "run,step,index,layer,site,alpha,inv_std\n"
              "1,0,0,blocks.0.norm1,attn,2,4\n1,100,0,blocks.0.norm1,attn,2,1\n\n"
              "1,0,1,blocks.0.norm2,ffn,2,\n1,100,1,blocks.0.norm2,ffn,1,0.5\n\n"
              "1,0,2,norm,final,2,\n1,100,2,norm,final,3,1.5\n\n");
  assert_file(c, "run/plots/alpha_std.csv",
              "run,step,index,layer,site,alpha,inv_std\n1,100,0,blocks.0.norm1,attn,2,1\n"
              "1,100,1,blocks.0.norm2,ffn,1,0.5\n1,100,2,norm,final,3,1.5\n");
  assert_in_file(c, "run/plots/alpha_std.gp", "step 100, 3 layers: Pearson r = 1.00");
  assert_in_file(c, "run/plots/curves.gp", "'test loss'");
  /* a mark a point, and one each in the key: two losses, one evaluation twice; three layers; eight values less two */
  assert_int_equal(times_in_file(c, "run/plots/curves.svg", "' transform='translate("), 2 + 2 + 1);
  assert_int_equal(times_in_file(c, "run/plots/alpha_std.svg", "' transform='translate("), 3 + 3);
  assert_int_equal(times_in_file(c, "run/plots/norms.svg", "' transform='translate("), 6 + 4);
  static const char *const names[] = {"curves", "norms", "alpha_std"};
  for (int i = 0; i < 3; i++) {
    char *png = mem_printf("run/plots/%s.png", names[i]);
    assert_true(command_exists(c, png));
    mem_free(png);
    command_assert_contains(c->out, names[i]);
  }
}

static void test_several_runs(void **state) {
  command *c = *state;
  put_run(c, "dyt", norms);
  put_run(c, "ln", layernorm);
  put_run(c, "other/ln", layernorm);
  put(c, "other/ln", "log.jsonl", "{\"epoch\": 1, \"step\": 100, \"val_loss\": 1.5, \"val_acc1\": 0.75}\n");
  plots(c, "@/dyt @/ln @/other/ln --out @/new/out");
  assert_in_file(c, "new/out/curves.gp", "run_1 = 'dyt'\n");
  assert_in_file(c, "new/out/curves.gp", "other/ln'\n"); /* the same name twice: paths */
  assert_in_file(c, "new/out/curves.gp", "'validation or test loss'");
  assert_in_file(c, "new/out/norms.svg", "no \xce\xb1");
  assert_in_file(c, "new/out/alpha_std.csv", "\n1,100,2,norm,final,3,1.5\n");
  assert_int_equal(times_in_file(c, "new/out/alpha_std.csv", "\n"), 4);
  command_assert_contains(c->out, "ln, no norm layer with an alpha\n");
}

static void test_without_alpha(void **state) {
  command *c = *state;
  put_run(c, "ln", layernorm);
  plots(c, "@/ln");
  command_assert_contains(c->out, "alpha_std: left out, no norm layer with an alpha\n");
  assert_false(command_exists(c, "ln/plots/alpha_std.gp"));
  assert_true(command_exists(c, "ln/plots/norms.svg"));
  assert_int_equal(times_in_file(c, "ln/plots/norms.gp", "set ylabel '"), 1); /* 1/std alone */
}

/* A fixed alpha has no correlation; one layer neither. */
static void test_no_correlation(void **state) {
  command *c = *state;
  put_run(c, "run",
          NORM_STATS_HEADER "0,0,a,0,attn,dyt,tanh,0.1,1,0,1,1,0,8\n"
                            "0,0,b,1,ffn,dyt,tanh,0.1,2,0,1,1,0,8\n"
                            "0,0,c,2,ffn,dyt,tanh,0.1,4,0,1,1,0,8\n");
  plots(c, "@/run");
  assert_in_file(c, "run/plots/alpha_std.gp", "3 layers: Pearson r undefined");
  put(c, "run", "dyt.csv", NORM_STATS_HEADER "0,0,a,0,elsewhere,dyt,tanh,0.1,1,0,1,1,0,8\n");
  plots(c, "@/run");
  assert_in_file(c, "run/plots/alpha_std.gp", "1 layer: Pearson r undefined");
}

/* A training writes its logs now, has diverged or has hardly begun: what is there is drawn. */
static void test_unfinished(void **state) {
  command *c = *state;
  put_run(c, "run", norms);
  put(c, "run", "status.json", "{\"state\": \"diverged\"}\n");
  put(c, "run", "steps.jsonl", "{\"step\": 50, \"loss\": 1}\n{\"step\": 100, \"loss\": 1e9}\n{\"step\": 1");
  put(c, "run", "log.jsonl", "");
  char *text = mem_printf("%s200,2,blocks.0.norm1,0,attn,dyt,tanh,9,9,0,1,1,0,8\n200,2,bl", norms);
  put(c, "run", "dyt.csv", text);
  mem_free(text);
  plots(c, "@/run");
  assert_in_file(c, "run/plots/curves.gp", "run_1 = 'run (diverged)'\n");
  assert_in_file(c, "run/plots/curves.gp", "set logscale y\n");
  assert_in_file(c, "run/plots/curves.svg", "nothing logged");
  assert_int_equal(times_in_file(c, "run/plots/curves_steps.csv", "\n"), 3);
  assert_in_file(c, "run/plots/alpha_std.gp", "step 100, 3 layers"); /* step 200 lacks layers */
  put(c, "run", "steps.jsonl",
      "{\"step\": 1, \"loss\": -1e308}\n{\"step\": 1e14, \"loss\": 1e308}\n{\"step\": 7}\n");
  plots(c, "@/run");
  assert_file(c, "run/plots/curves_steps.csv", "run,step,loss,lr,grad_norm\n1,1,,,\n1,1e+14,,,\n1,7,,,\n");
  put(c, "begun", "config.json", "{}\n");
  put(c, "begun", "dyt.csv", norms);
  plots(c, "@/begun");
  command_assert_contains(c->out, "curves: left out, no losses logged\n");
}

/* --- names --- */

static void assert_quoted(const char *text, const char *expected) {
  str s = {0};
  gnuplot_quote(&s, text);
  assert_string_equal(s.data, expected);
  str_free(&s);
}

static void test_quote(void **state) {
  (void)state;
  assert_quoted("", "''");
  assert_quoted("a b_c %d \"\\ `x` @y", "'a b_c %d \"\\ `x` @y'");
  assert_quoted("'; system('x') #", "\"'\".'; system(''x'') #'");
  assert_quoted("a\nb\tc\x7f", "'a b c '");
  assert_quoted("\xce\xb1 \xf0\x9f\x8e\x89", "'\xce\xb1 \xf0\x9f\x8e\x89'");
  assert_quoted("\xff \xce \xc0\xaf \xed\xa0\x80 \xf5", "'? ? ?? ??? ?'");
}

static void test_hostile_names(void **state) {
  command *c = *state;
  /* each would leave the file "bad" in the folder of the pictures if gnuplot took it for more than text */
  static const char *const names[] = {
      "x`touch bad`",           "x'; system('touch bad'); y='", "x\"; system(\"touch bad\") #",
      "x\nsystem('touch bad')", "x} %s%n _{a}^2 @run_1 \\",     "<b>&\xff"};
  enum { NAMES = sizeof names / sizeof *names };
  char *path[NAMES], *out = command_path(c, "out");
  for (int i = 0; i < NAMES; i++) {
    put_run(c, names[i], norms);
    path[i] = command_path(c, names[i]);
  }
  str said = {0};
  err e = {0};
  if (plot((const char *const *)path, NAMES, out, &said, &e)) fail_msg("%s", e.text);
  assert_false(command_exists(c, "out/bad"));
  assert_in_file(c, "out/curves.gp", "run_2 = 'x''; system(''touch bad''); y='''\n");
  static const char *const drawn[] = {"x`touch bad`<", "x} %s%n _{a}^2 @run_1 \\<", "&lt;b>&amp;?<"};
  for (int i = 0; i < 3; i++) assert_in_file(c, "out/curves.svg", drawn[i]);
  str_free(&said);
  for (int i = 0; i < NAMES; i++) mem_free(path[i]);
  mem_free(out);
}

/* --- what is refused --- */

static void test_refusals(void **state) {
  command *c = *state;
  command_refuse(c, "plot", "argument");
  command_refuse(c, "plot @/none", "no run directory");
  command_refuse(c, "plot @", "no run directory");
  put(c, "empty", "config.json", "{}\n");
  command_refuse(c, "plot @/empty", "nothing there yet");
  put_run(c, "run", norms);
  command_refuse(c, "plot @/run @/run", "--out");
  command_refuse(c, "plot @/run @/none --out @/out", "none: no run directory");
  command_refuse(c, "plot @/run @/run @/run @/run @/run @/run @/run @/run @/run --out @/out", "at most 8");
  command_refuse(c, "plot @/run --out @/tiny.json", "tiny.json");
  assert_false(command_exists(c, "out"));
}

static void test_bad_logs(void **state) {
  command *c = *state;
  char *longest = mem_new(6000, 1), *row;
  memset(longest, 'x', 5000);
  longest[5000] = '\n';
  row = mem_printf("%s0,0,blocks.0.norm1,1,attn,dyt,tanh,1,1,0,1,1,0,8\n", norms);
  const struct {
    const char *file, *text, *part;
  } cases[] = {{"steps.jsonl", "{\"step\": 1}\n[1]\n", "steps.jsonl:2: expected a JSON object"},
               {"steps.jsonl", "{\"step\": 1\n", "steps.jsonl:1: expected a JSON object"},
               {"steps.jsonl", "{\"loss\": 1}\n", "steps.jsonl:1: expected \"step\""},
               {"log.jsonl", "{\"epoch\": -1}\n", "log.jsonl:1: expected \"epoch\""},
               {"log.jsonl", longest, "5000 bytes"},
               {"dyt.csv", "step,epoch\n", "dyt.csv:1: expected the header step,epoch,layer"},
               {"dyt.csv", NORM_STATS_HEADER "1,2\n", "dyt.csv:2: 2 fields, expected 14"},
               {"dyt.csv", NORM_STATS_HEADER ",0,a,0,attn,dyt,tanh,1,1,0,1,1,0,8\n", "dyt.csv:2: step"},
               {"dyt.csv", NORM_STATS_HEADER "0,0,a,0,attn,dyt,tanh,1x,1,0,1,1,0,8\n", "dyt.csv:2: alpha"},
               {"dyt.csv", NORM_STATS_HEADER "0,0,a,1,attn,dyt,tanh,1,1,0,1,1,0,8\n", "dyt.csv:2: index"},
               {"dyt.csv", NORM_STATS_HEADER "0,0,a,0.5,attn,dyt,tanh,1,1,0,1,1,0,8\n", "dyt.csv:2: index"},
               {"dyt.csv", NORM_STATS_HEADER "0,0,a#b,0,attn,dyt,tanh,1,1,0,1,1,0,8\n", "dyt.csv:2: layer"},
               {"dyt.csv", row, "dyt.csv:8: layer 1 is blocks.0.norm1"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    put_run(c, "run", norms);
    put(c, "run", cases[i].file, cases[i].text);
    command_refuse(c, "plot @/run", cases[i].part);
  }
  assert_false(command_exists(c, "run/plots"));
  mem_free(longest);
  mem_free(row);
}

/* Data and scripts are there all the same. */
static void test_without_gnuplot(void **state) {
  command *c = *state;
  put_run(c, "run", norms);
  c->under = "env PATH=/nowhere";
  command_refuse(c, "plot @/run", "scripts/setup.sh bench");
  c->under = NULL;
  static const char *const names[] = {"curves.gp", "norms.gp", "norms.csv", "alpha_std.gp", "alpha_std.csv"};
  for (int i = 0; i < 5; i++) {
    char *name = mem_printf("run/plots/%s", names[i]);
    assert_true(command_exists(c, name));
    mem_free(name);
  }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_one_run),         TEST(test_several_runs),   TEST(test_without_alpha),
      TEST(test_unfinished),      TEST(test_no_correlation), cmocka_unit_test(test_quote),
      TEST(test_refusals),        TEST(test_hostile_names),  TEST(test_bad_logs),
      TEST(test_without_gnuplot),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
