/* Figures of studies: their numbers, which runs they are of, names that mean nothing to gnuplot, figures that cannot be. */
#include "made_study.h"

#include "dyt/figure.h"
#include "dyt/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const made_run grid[] = {{"[0,0]", 0, "done", 0.75, false},    {"[0,0]", 1, "done", 0.5, false},
                                {"[0,1]", 0, "done", 0.75, false},    {"[0,1]", 1, "diverged", 0.5, false},
                                {"[1,0]", 0, "done", 0.625, false},   {"[1,0]", 1, "done", 0.625, false},
                                {"[1,1]", 0, "diverged", 0.5, false}, {"[1,1]", 1, "diverged", 0.5, false}};
enum { RUNS = sizeof grid / sizeof *grid };

#define AXES                                                                                                 \
  "\"seeds\": [0, 1], \"axes\": [{\"name\": \"norm\", \"key\": \"k\", \"values\": [\"LN\", \"DyT\"]},"       \
  " {\"name\": \"lr\", \"key\": \"l\", \"values\": [0.001, 0.004]}]"

static void draw(command *c, const char *list, const made_run *run, int runs, const char *head,
                 const char *more) {
  char *text = mem_printf("%s, \"figures\": [%s]", head, list);
  made_study(c, text, run, runs, more);
  mem_free(text);
  if (command_run(c, "report @/study") || *c->err) fail_msg("report: %s", c->err);
}

static void assert_file(const command *c, const char *name, const char *text) {
  char *path = mem_printf("study/figures/%s", name);
  file_bytes b = command_read(c, path);
  assert_string_equal((char *)b.data, text);
  file_bytes_free(&b);
  mem_free(path);
}

static void assert_in_file(const command *c, const char *name, const char *part) {
  char *path = mem_printf("study/figures/%s", name);
  file_bytes b = command_read(c, path);
  command_assert_contains((char *)b.data, part);
  file_bytes_free(&b);
  mem_free(path);
}

static void assert_drawn(const command *c, const char *name) {
  static const char *const endings[] = {"gp", "svg", "png"};
  for (int i = 0; i < 3; i++) {
    char *path = mem_printf("study/figures/%s.%s", name, endings[i]);
    if (!command_exists(c, path)) fail_msg("no %s", path);
    mem_free(path);
  }
}

/* --- numbers --- */

static void test_bars(void **state) {
  command *c = *state;
  draw(
      c, "{\"kind\": \"bars\"}, {\"kind\": \"bars\", \"columns\": \"lr\"}", grid, RUNS,
      AXES
      ", \"table\": {\"rows\": [\"norm\", \"lr\"], \"paper\": {\"where\": \"Table 1\", \"values\": {\"LN, 0.001\": 70, \"DyT, 0.001\": 1}}}",
      "");
  assert_file(c, "bars.csv",
              "y,color,mean,sd,n,failed,paper,text\n"
              "19.5,1,62.5,17.6776695,2,0,70,62.50 \xc2\xb1 17.68\n"
              "45.5,1,75,0,1,1,,75.00 (1/2 ok)\n"
              "71.5,1,62.5,0,2,0,,62.50 \xc2\xb1 0.00\n"
              "97.5,1,,0,0,2,,failed (D)\n\n\n"
              "19.5,1,75\n19.5,1,50\n45.5,1,75\n71.5,1,62.5\n71.5,1,62.5\n");
  assert_in_file(c, "bars_2.csv", "\n45.5,2,75,0,1,1,,75.00 (1/2 ok)\n");
  assert_in_file(c, "bars_2.gp", "column_2 = 'lr 0.004'\n");
  assert_in_file(c, "bars.svg", "failed (D)");
  assert_drawn(c, "bars"), assert_drawn(c, "bars_2");
}

static void test_axis_of_bars(void **state) {
  command *c = *state;
  static const made_run close[] = {{"[0,0]", 0, "done", 0.875, false}, {"[1,0]", 0, "done", 0.885, false}};
  draw(c, "{\"kind\": \"bars\"}", close, 2, AXES, "");
  assert_in_file(c, "bars.gp", "set xrange [87.3:");
  file_bytes b = command_read(c, "study/report.html");
  command_assert_contains((char *)b.data, "The axis begins at 87.3, not at 0.");
  file_bytes_free(&b);
}

static void test_heat(void **state) {
  command *c = *state;
  draw(
      c,
      "{\"kind\": \"heat\", \"x\": \"lr\", \"y\": \"norm\"}, {\"kind\": \"heat\", \"x\": \"norm\", \"y\": \"norm\", \"panels\": [\"lr\"]}",
      grid, RUNS, AXES, "");
  assert_file(c, "heat.csv",
              "panel,x,y,mean,n,failed,runs,text\n1,0,0,62.5,2,0,2,62.5\n1,1,0,75,1,1,2,75.0 D 1/2\n"
              "1,0,1,62.5,2,0,2,62.5\n1,1,1,,0,2,2,D\n");
  assert_in_file(c, "heat_2.csv", "\n2,0,0,75,1,1,2,75.0 D 1/2\n");
  assert_in_file(c, "heat_2.gp", "panel_2 = 'lr 0.004'\n");
  assert_drawn(c, "heat"), assert_drawn(c, "heat_2");
}

static void test_line(void **state) {
  command *c = *state;
  static const made_run one_lr[] = {{"[0,0]", 0, "done", 0.75, false},
                                    {"[1,1]", 0, "done", 0.5, false},
                                    {"[1,0]", 0, "done", 0.625, false}};
  draw(c, "{\"kind\": \"line\", \"x\": \"lr\"}", grid, RUNS, AXES, "");
  assert_file(
      c, "line.csv",
      "line,x,mean,sd,n,failed\n1,0.001,62.5,17.6776695,2,0\n1,0.004,75,0,1,1\n\n\n2,0.001,62.5,0,2,0\n2,0.004,,0,0,2\n\n\n");
  assert_in_file(c, "line.gp", "set logscale x\n");
  assert_in_file(c, "line.gp", "set xtics ('0.001' 0.001, '0.004' 0.004)\n");
  draw(c, "{\"kind\": \"line\", \"x\": \"lr\", \"metric\": \"val_acc1@1\"}", one_lr, 3, AXES, "");
  assert_file(c, "line.csv",
              "line,x,mean,sd,n,failed\n1,0.001,50,0,1,0\n\n\n2,0.001,37.5,0,1,0\n2,0.004,25,0,1,0\n\n\n");
  assert_in_file(c, "line.gp", "index 0 using (flat_left):3:(flat_width):(0) with vectors");
}

/* Where x is no number there is a horizontal line, dashed, in the colour of what it is compared with. */
static void test_flat_lines(void **state) {
  command *c = *state;
  static const made_run runs[] = {{"[0,0]", 0, "done", 0.75, false},  {"[0,1]", 0, "done", 0.5, false},
                                  {"[1,0]", 0, "done", 0.625, false}, {"[1,1]", 0, "done", 0.375, false},
                                  {"[2,0]", 0, "done", 0.25, false},  {"[2,1]", 0, "done", 0.125, false}};
  draw(
      c, "{\"kind\": \"line\", \"x\": \"norm\", \"metric\": \"train_loss\"}", runs, 6,
      "\"seeds\": [0], \"axes\": [{\"name\": \"norm\", \"key\": \"k\", \"values\": [\"LN\", \"DyT 0.5\", \"DyT 2\"]},"
      " {\"name\": \"lr\", \"key\": \"l\", \"values\": [0.001, 0.004]}]",
      "");
  assert_file(
      c, "line.csv",
      "line,x,mean,sd,n,failed\n1,,1.25,0,1,0\n\n\n2,,1.5,0,1,0\n\n\n3,0.5,1.375,0,1,0\n3,2,1.75,0,1,0\n\n\n"
      "4,0.5,1.625,0,1,0\n4,2,1.875,0,1,0\n\n\n");
  assert_in_file(
      c, "line.gp",
      "line_1 = 'LN, lr 0.001'\nline_2 = 'LN, lr 0.004'\nline_3 = 'lr 0.001'\nline_4 = 'lr 0.004'\n");
  assert_in_file(c, "line.gp",
                 "index 1 using (flat_left):3:(flat_width):(0) with vectors nohead linestyle 2 dashtype 2");
  assert_in_file(c, "line.gp", "index 3 using 2:3 with lines linestyle 2");
}

static void test_over_training(void **state) {
  command *c = *state;
  draw(
      c,
      "{\"kind\": \"curves\", \"cell\": {\"norm\": \"LN\", \"lr\": 0.001}}, {\"kind\": \"steps\", \"metric\": \"val_acc1\"}",
      grid, RUNS, AXES, "");
  assert_file(c, "curves_loss.csv",
              "cell,x,mean,low,high,n\n1,50,1.875,1.75,2,2\n1,100,1.375,1.25,1.5,2\n\n\n");
  assert_file(c, "curves_accuracy.csv", "cell,x,mean,low,high,n\n1,1,37.5,25,50,2\n1,2,62.5,50,75,2\n\n\n");
  assert_in_file(c, "steps.csv", "\n3,50,37.5,37.5,37.5,2\n3,100,62.5,62.5,62.5,2\n");
  assert_in_file(c, "steps.gp", "cell_3 = 'DyT, lr 0.001'\n");
  assert_drawn(c, "curves"), assert_drawn(c, "steps");
}

static void test_norm_layers(void **state) {
  command *c = *state;
  draw(
      c,
      "{\"kind\": \"norms\", \"cell\": {\"norm\": \"LN\", \"lr\": 0.001}}, {\"kind\": \"alpha_std\", \"cell\": {\"norm\": \"LN\", \"lr\": 0.001}},"
      "{\"kind\": \"shapes\", \"cell\": {\"norm\": \"LN\", \"lr\": 0.001}}",
      grid, RUNS, AXES, "");
  assert_file(c, "norms.csv",
              "cell,step,index,layer,site,alpha,inv_std,n\n"
              "1,0,0,blocks.0.norm1,attn,1,4,2\n1,100,0,blocks.0.norm1,attn,1.5,0.625,2\n\n\n"
              "1,0,1,norm,final,1,4,2\n1,100,1,norm,final,3,1.25,2\n\n\n");
  assert_file(c, "alpha_std.csv",
              "cell,seed,index,layer,site,alpha,inv_std\n"
              "1,1,0,blocks.0.norm1,attn,1,0.75\n1,1,1,norm,final,2,1.5\n"
              "1,2,0,blocks.0.norm1,attn,2,0.5\n1,2,1,norm,final,4,1\n"
              "1,0,0,blocks.0.norm1,attn,1.5,0.625\n1,0,1,norm,final,3,1.25\n\n\n");
  assert_in_file(c, "alpha_std.gp", "Pearson r = 1.00 (1.00 to 1.00)");
  assert_file(
      c, "shapes.csv",
      "cell,index,layer,site,line_r2,tanh_minus_line\n1,0,blocks.0.norm1,attn,0.5,0.25\n1,1,norm,final,0.75,0.25\n\n\n");
  assert_drawn(c, "norms"), assert_drawn(c, "alpha_std"), assert_drawn(c, "shapes");
}

static void test_pairs(void **state) {
  command *c = *state;
  char *folder = command_path(c, "study/figures");
  draw(c, "{\"kind\": \"pairs\"}", grid, RUNS, AXES, "");
  assert_false(command_exists(c, "study/figures/pairs.gp"));
  mem_free(support_write(
      folder, "layers.csv",
      "layer,index,kind,line_r2,tanh_r2,a,b,n\nblocks.0.norm1,0,layernorm,0.5,0.75,2,3,8\nnorm,1,layernorm,,,,,8\n"));
  str pairs = {0};
  str_add(&pairs, "layer,index,site,kind,image,token,channel,x,y\n");
  for (int i = 0; i < 16; i++)
    str_addf(&pairs, "%s,layernorm,0,0,%d,%d,%d\n", i < 8 ? "blocks.0.norm1,0,attn" : "norm,1,final", i, i,
             2 * i);
  mem_free(support_write(folder, "pairs.csv", pairs.data));
  str_free(&pairs);
  if (command_run(c, "report @/study") || *c->err) fail_msg("report: %s", c->err);
  assert_in_file(c, "pairs.gp", "R\xc2\xb2: line 0.500, tanh 0.750");
  assert_in_file(c, "pairs.gp", "2 * tanh(3 * x)");
  assert_in_file(c, "pairs.gp", "no fit");
  assert_drawn(c, "pairs");
  char *points = command_path(c, "study/figures/pairs.csv");
  assert_return_code(remove(points), errno);
  mem_free(support_write(folder, "pairs.svg", "<svg viewBox=\"0 0 9 9\"><text>kept</text></svg>\n"));
  if (command_run(c, "report @/study") || *c->err) fail_msg("report: %s", c->err);
  file_bytes page = command_read(c, "study/report.html");
  command_assert_contains((char *)page.data, "<text>kept</text>");
  command_assert_contains((char *)page.data,
                          "Not drawn anew: pairs.csv and layers.csv are not in the folder");
  file_bytes_free(&page);
  mem_free(points);
  mem_free(folder);
}

/* --- which runs --- */

/* At the chosen case the seeds that report; along the axis that was chosen over, those that chose. */
static void test_choice(void **state) {
  command *c = *state;
  static const made_run runs[] = {{"[0,0]", 100, "done", 0.75, true}, {"[0,1]", 100, "done", 0.875, true},
                                  {"[1,0]", 100, "done", 0.5, true},  {"[1,1]", 100, "done", 0.25, true},
                                  {"[0,1]", 0, "done", 0.625, false}, {"[1,0]", 0, "done", 0.375, false}};
  draw(c, "{\"kind\": \"bars\"}, {\"kind\": \"heat\", \"x\": \"lr\", \"y\": \"norm\"}", runs, 6,
       AXES ", \"select\": {\"axis\": \"lr\", \"by\": \"val_acc1\", \"seeds\": [100]}",
       ", \"choices\": [{\"cell\": [0,1], \"value\": 87.5, \"next\": 75, \"trials\": 2, \"edge\": -1},"
       "{\"cell\": [1,0], \"value\": 50, \"next\": 25, \"trials\": 2, \"edge\": -1}]");
  assert_in_file(c, "bars.csv", "text\n19.5,1,62.5,0,1,0,,62.50\n45.5,1,37.5,0,1,0,,37.50\n\n");
  assert_in_file(c, "bars.gp", "group_1 = 'LN'\ngroup_2 = 'DyT'\n");
  assert_file(
      c, "heat.csv",
      "panel,x,y,mean,n,failed,runs,text\n1,0,0,75,1,0,1,75.0\n1,1,0,87.5,1,0,1,87.5\n1,0,1,50,1,0,1,50.0\n1,1,1,25,1,0,1,25.0\n");
}

static void test_many_cells(void **state) {
  command *c = *state;
  made_run runs[9];
  static const char *const cells[] = {"[0]", "[1]", "[2]", "[3]", "[4]", "[5]", "[6]", "[7]", "[8]"};
  for (int i = 0; i < 9; i++) runs[i] = (made_run){cells[i], 0, "done", 0.5, false};
  draw(c, "{\"kind\": \"curves\"}", runs, 9,
       "\"seeds\": [0], \"axes\": [{\"name\": \"n\", \"key\": \"k\", \"values\": [1,2,3,4,5,6,7,8,9]}]", "");
  assert_in_file(c, "curves.gp", "cell_8 = 'n 8'\n");
  file_bytes b = command_read(c, "study/report.html");
  command_assert_contains((char *)b.data, "The first 8 of 9 cells are drawn.");
  file_bytes_free(&b);
}

static void test_nothing_to_draw(void **state) {
  command *c = *state;
  static const made_run none[] = {{"[0,0]", 0, NULL, 0, false}};
  draw(c,
       "{\"kind\": \"bars\"}, {\"kind\": \"heat\", \"x\": \"lr\", \"y\": \"norm\"}, {\"kind\": \"curves\"}",
       none, 1, AXES, "");
  assert_false(command_exists(c, "study/figures/bars.gp"));
  file_bytes b = command_read(c, "study/report.html");
  command_assert_contains((char *)b.data, "Not drawn: no run was evaluated.");
  file_bytes_free(&b);
}

/* --- names --- */

/* Each would leave the file "bad" in the folder of the figures if gnuplot took it for more than text. */
static void test_hostile_names(void **state) {
  command *c = *state;
  static const made_run runs[] = {
      {"[0]", 0, "done", 0.5, false}, {"[1]", 0, "done", 0.75, false}, {"[2]", 0, "done", 0.25, false}};
  draw(
      c,
      "{\"kind\": \"bars\"}, {\"kind\": \"curves\"}, {\"kind\": \"heat\", \"x\": \"`touch bad`\", \"y\": \"`touch bad`\"}, {\"kind\": \"norms\"},"
      "{\"kind\": \"line\", \"x\": \"`touch bad`\"}, {\"kind\": \"alpha_std\"}, {\"kind\": \"shapes\"}, {\"kind\": \"steps\", \"metric\": \"val_acc1\"}",
      runs, 3,
      "\"seeds\": [0], \"axes\": [{\"name\": \"`touch bad`\", \"key\": \"k\", \"values\": [\"x`touch bad`\", \"'; system('touch bad'); y='\","
      " \"x\\\"; system(\\\"touch bad\\\") #\"]}]",
      "");
  assert_false(command_exists(c, "study/figures/bad"));
  assert_in_file(c, "bars.gp", "group_2 = \"'\".'; system(''touch bad''); y='''\n");
  assert_in_file(c, "heat.svg", "`touch bad`");
  assert_drawn(c, "line");
}

/* --- what is refused --- */

static void refuse(command *c, const char *list, const char *part) {
  char *text = mem_printf(AXES ", \"figures\": %s", list), *path = command_path(c, "study/study.json");
  made_study(c, text, grid, 1, "");
  err e = {0};
  study s;
  if (!study_read(&s, path, NULL, &e)) {
    figure_check(&s, &e);
    study_free(&s);
  }
  assert_int_equal(e.code, ST_USER);
  command_assert_contains(e.text, part);
  command_assert_contains(e.text, "study.json:1:");
  mem_free(text);
  mem_free(path);
}

static void test_refusals(void **state) {
  command *c = *state;
  static const struct {
    const char *list, *part;
  } cases[] = {{"{}", "expected a list"},
               {"[1]", "expected \"kind\": one of curves, steps"},
               {"[{\"kind\": \"bar\"}]", "did you mean \"bars\"?"},
               {"[{\"kind\": \"bars\", \"colour\": 1}]", "colour"},
               {"[{\"kind\": \"curves\", \"metric\": \"val_acc1\"}]", "metric"},
               {"[{\"kind\": \"heat\", \"x\": \"lr\"}]", "heat needs \"y\""},
               {"[{\"kind\": \"line\", \"x\": \"lrr\"}]", "did you mean \"lr\"?"},
               {"[{\"kind\": \"heat\", \"x\": \"lr\", \"y\": \"norm\", \"panels\": [\"lr\", 1]}]",
                "figures.panels: expected the name of an axis"},
               {"[{\"kind\": \"bars\", \"metric\": \"tets_acc1\"}]", "test_acc1"},
               {"[{\"kind\": \"bars\", \"metric\": 1}]", "figures.metric"},
               {"[{\"kind\": \"steps\", \"metric\": \"pearson\"}]", "not logged over steps"},
               {"[{\"kind\": \"norms\", \"cell\": {\"norm\": \"BN\"}}]", "BN"},
               {"[{\"kind\": \"norms\", \"caption\": 1}]", "figures.caption: expected a string"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) refuse(c, cases[i].list, cases[i].part);
}

/* Data and scripts are there all the same, and so is the page. */
static void test_without_gnuplot(void **state) {
  command *c = *state;
  char *text = mem_printf(AXES ", \"figures\": [{\"kind\": \"bars\"}, {\"kind\": \"curves\"}]");
  made_study(c, text, grid, RUNS, "");
  c->under = "env PATH=/nowhere";
  assert_int_equal(command_run(c, "report @/study"), ST_OK);
  c->under = NULL;
  command_assert_contains(c->out, "scripts/setup.sh bench");
  assert_true(command_exists(c, "study/figures/bars.csv") && command_exists(c, "study/figures/curves.gp"));
  file_bytes b = command_read(c, "study/report.html");
  command_assert_contains((char *)b.data, "there is no gnuplot");
  assert_null(strstr((char *)b.data, "<svg"));
  file_bytes_free(&b);
  mem_free(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_bars),        TEST(test_axis_of_bars),    TEST(test_heat),
      TEST(test_line),        TEST(test_over_training),   TEST(test_flat_lines),
      TEST(test_norm_layers), TEST(test_pairs),           TEST(test_choice),
      TEST(test_many_cells),  TEST(test_nothing_to_draw), TEST(test_hostile_names),
      TEST(test_refusals),    TEST(test_without_gnuplot),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
