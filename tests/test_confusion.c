/* Results by class (dyt/confusion.h) and what `dyt eval` makes of them: tables, files, the picture. */
#include "command.h"

#include "dyt/confusion.h"
#include "dyt/mem.h"

#include <cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* {label, pred}; class 2 has no image. */
static const int pairs[][2] = {{0, 0}, {1, 0}, {0, 3}, {3, 3}, {0, 1},
                               {0, 3}, {1, 1}, {3, 3}, {1, 2}, {0, 0}};
enum { PAIRS = sizeof pairs / sizeof pairs[0], CLASSES = 4 };
static char names[CLASSES][24] = {"a", "with, comma", "say \"x\"", "\xc3\xa4 b"};

static confusion small(void) {
  static char *name[CLASSES];
  task_score score[PAIRS] = {{{0}, 0, 0, 0}};
  confusion c;
  for (int k = 0; k < CLASSES; k++) name[k] = names[k];
  for (int i = 0; i < PAIRS; i++) score[i].label = pairs[i][0], score[i].pred = pairs[i][1];
  confusion_of(&c, score, PAIRS, name, CLASSES);
  return c;
}

static void test_counts(void **state) {
  (void)state;
  confusion c = small();
  static const confusion_class want[CLASSES] = {{5, 2, 3, 2}, {3, 1, 0, 1}, {0, 0, -1, 0}, {2, 2, -1, 0}};
  for (int k = 0; k < CLASSES; k++) {
    const confusion_class *got = &c.class[k];
    assert_true(got->n == want[k].n && got->right == want[k].right);
    assert_true(got->mistaken == want[k].mistaken && got->mistaken_as == want[k].mistaken_as);
  }
  assert_int_equal(c.cells, 7);
  assert_true(c.cell[2].label == 0 && c.cell[2].pred == 3 && c.cell[2].n == 2);
  assert_true(confusion_accuracy(&c.class[0]) == 0.4 && isnan(confusion_accuracy(&c.class[2])));
  confusion_free(&c);
}

static void test_tables(void **state) {
  (void)state;
  confusion c = small();
  str s = {0};
  confusion_table(&c, &s);
  assert_string_equal(s.data, "class         images    top-1  most confused with\n"
                              "a                  5   40.00%  \xc3\xa4 b (40.0%)\n"
                              "with, comma        3   33.33%  a (33.3%)\n"
                              "say \"x\"            0        -\n"
                              "\xc3\xa4 b                2  100.00%\n");
  str_clear(&s);
  confusion_json(&c, &s);
  assert_string_equal(
      s.data,
      "[{\"class\": \"a\", \"n\": 5, \"acc1\": 0.4}, "
      "{\"class\": \"with, comma\", \"n\": 3, \"acc1\": 0.333333333}, "
      "{\"class\": \"say \\\"x\\\"\", \"n\": 0, \"acc1\": null}, {\"class\": \"\xc3\xa4 b\", \"n\": 2, \"acc1\": 1}]");
  str_free(&s);
  confusion_free(&c);
}

/* Of many classes the worst 20, those without images not among them. */
static void test_many_classes(void **state) {
  (void)state;
  enum { MANY = 100 };
  char *name[MANY];
  task_score score[3 * MANY] = {{{0}, 0, 0, 0}};
  for (int k = 0; k < MANY; k++) name[k] = mem_printf("class %d", k);
  for (int i = 0; i < 3 * (MANY - 1); i++) {
    score[i].label = i / 3 + 1; /* none of class 0 */
    score[i].pred = i % 3 < score[i].label % 4 ? score[i].label : 0;
  }
  confusion c;
  str s = {0};
  confusion_of(&c, score, 3 * (MANY - 1), name, MANY);
  confusion_table(&c, &s);
  command_assert_contains(s.data, "the 20 worst of 100 classes\n");
  command_assert_contains(s.data, "top-1  most confused with\nclass 4 "); /* 0 of 3, as every fourth */
  command_assert_contains(s.data, "class 80        3    0.00%  class 0 (100.0%)\n");
  assert_null(strstr(s.data, "33.33%"));
  int lines = 0;
  for (const char *p = s.data; *p; p++) lines += *p == '\n';
  assert_int_equal(lines, 22);
  str_free(&s);
  confusion_free(&c);
  for (int k = 0; k < MANY; k++) mem_free(name[k]);
}

static void assert_file(const command *c, const char *name, const char *text) {
  file_bytes b = command_read(c, name);
  assert_string_equal((char *)b.data, text);
  file_bytes_free(&b);
}

static void test_files(void **state) {
  command *c = *state;
  confusion few = small();
  err e = {0};
  char *folder = command_path(c, "out");
  assert_int_equal(confusion_write(&few, folder, &e), ST_OK);
  assert_file(c, "out/classes.csv",
              "index,class,images,right,acc1,mistaken_for,mistaken\n"
              "0,a,5,2,0.4,\xc3\xa4 b,2\n"
              "1,\"with, comma\",3,1,0.333333333,a,1\n"
              "2,\"say \"\"x\"\"\",0,0,,,0\n"
              "3,\xc3\xa4 b,2,2,1,,0\n");
  assert_file(c, "out/confusion.csv",
              "true\\predicted,a,\"with, comma\",\"say \"\"x\"\"\",\xc3\xa4 b\n"
              "a,2,1,0,2\n"
              "\"with, comma\",1,1,1,0\n"
              "\"say \"\"x\"\"\",0,0,0,0\n"
              "\xc3\xa4 b,0,0,0,2\n");
  few.classes = CONFUSION_CLASSES_MAX + 1;
  assert_int_equal(confusion_write(&few, folder, &e), ST_USER);
  command_assert_contains(e.text, "at most 5000");
  few.classes = CLASSES;
  confusion_free(&few);
  mem_free(folder);
}

static void test_picture(void **state) {
  command *c = *state;
  confusion few = small();
  err e = {0};
  strcpy(names[1], "50% {x_1} 'q'");
  char *folder = command_path(c, "out");
  assert_int_equal(confusion_write(&few, folder, &e), ST_OK);
  if (confusion_draw(&few, folder, &e)) fail_msg("%s", e.text);
  assert_file(c, "out/confusion_cells.csv",
              "true,predicted,images,percent\n0,0,2,40\n0,1,1,20\n0,3,2,40\n"
              "1,0,1,33.3333\n1,1,1,33.3333\n1,2,1,33.3333\n3,3,2,100\n");
  file_bytes svg = command_read(c, "out/confusion.svg"), png = command_read(c, "out/confusion.png");
  assert_memory_equal(png.data, "\x89PNG", 4);
  command_assert_contains((char *)svg.data, "50% {x_1} 'q'<"); /* nothing in a name means anything */
  command_assert_contains((char *)svg.data, "\xc3\xa4 b");
  command_assert_contains((char *)svg.data, ">100<"); /* in its cell */
  command_assert_contains((char *)svg.data, "</svg>");
  file_bytes_free(&svg);
  file_bytes_free(&png);
  confusion_free(&few);
  mem_free(folder);
  strcpy(names[1], "with, comma");
}

static int count(const char *text, char what) {
  int n = 0;
  for (; *text; text++) n += *text == what;
  return n;
}

/* The command: what it prints and what it leaves agree. */
static void test_eval(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/run"), 0);
  assert_int_equal(command_run(c, "eval @/run --csv @/a/b --json"), 0);
  cJSON *object = cJSON_Parse(c->out);
  assert_non_null(object);
  const cJSON *classes = cJSON_GetObjectItemCaseSensitive(object, "classes"), *k;
  double n = 0, right = 0;
  cJSON_ArrayForEach(k, classes) {
    n += cJSON_GetObjectItemCaseSensitive(k, "n")->valuedouble;
    right += cJSON_GetObjectItemCaseSensitive(k, "n")->valuedouble *
             cJSON_GetObjectItemCaseSensitive(k, "acc1")->valuedouble;
  }
  assert_true(n == 90 && n == cJSON_GetObjectItemCaseSensitive(object, "n")->valuedouble);
  assert_true(fabs(right / n - cJSON_GetObjectItemCaseSensitive(object, "acc1")->valuedouble) < 1e-8);
  cJSON_Delete(object);
  command_assert_same(c, "a/b/predictions.csv", "run/predictions.csv");
  file_bytes matrix = command_read(c, "a/b/confusion.csv");
  assert_true(count((char *)matrix.data, '\n') == 11 && count((char *)matrix.data, ',') == 110);
  file_bytes_free(&matrix);
  assert_true(command_exists(c, "a/b/classes.csv") && command_exists(c, "a/b/confusion.png") &&
              command_exists(c, "a/b/confusion.gp") && command_exists(c, "a/b/confusion.svg"));
  assert_int_equal(command_run(c, "eval @/run"), 0);
  command_assert_contains(c->out, "test     90 images\nloss ");
  command_assert_contains(c->out, "\n\nclass   images    top-1  most confused with\n0 ");
  assert_int_equal(count(c->out, '\n'), 16);
  assert_int_equal(command_run(c, "eval @/run --csv @/tiny.json/x"), 2);
  command_assert_contains(c->err, "tiny.json");
}

/* The tables are written, and a sentence says how to get the picture. */
static void test_without_gnuplot(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/run --set train.max_steps=2"), 0);
  c->under = "env PATH=/nowhere";
  assert_int_equal(command_run(c, "eval @/run --csv @/out"), 0);
  c->under = NULL;
  command_assert_contains(c->err, "warning: ");
  command_assert_contains(c->err, "install it (scripts/setup.sh bench) and run gnuplot confusion.gp there");
  assert_int_equal(count(c->err, '\n'), 1);
  assert_true(command_exists(c, "out/classes.csv") && command_exists(c, "out/confusion.csv") &&
              command_exists(c, "out/predictions.csv") && command_exists(c, "out/confusion.gp"));
}

int main(void) {
  const char *f64 = getenv("DYT_F64");
  if (REAL_IS_F64) setenv("DYT", f64 ? f64 : "build/f64/dyt", 1);
  const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)
      cmocka_unit_test(test_counts),
      cmocka_unit_test(test_tables),
      cmocka_unit_test(test_many_classes),
      TEST(test_files),
      TEST(test_picture),
      TEST(test_eval),
      TEST(test_without_gnuplot),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
