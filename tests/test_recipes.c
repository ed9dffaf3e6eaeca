/* What a recipe may ask of a training beyond one batch an update and the weights themselves: accumulation of batches, the
 * average of the weights. Resumption of such runs: test_train. */
#include "command.h"

#include "dyt/mem.h"
#include "dyt/safetensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two batches of 16 are one of 32: updates, their number, the schedule and the losses, the partial group at an epoch's end (22 of
 * 470) included. */
static void test_accumulation(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/two --set train.accumulate=2"), 0);
  command_assert_contains(c->err, "45 steps of 32 images");
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/one --set train.batch_size=32"), 0);
  static const char *const same[] = {"checkpoints/last/model.safetensors",
                                     "checkpoints/last/optim.safetensors", "dyt.csv", "steps.jsonl",
                                     "predictions.csv"};
  for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
    char two[80], one[80];
    snprintf(two, sizeof two, "two/%s", same[i]);
    snprintf(one, sizeof one, "one/%s", same[i]);
    command_assert_same(c, two, one);
  }
  assert_int_equal(
      command_run(
          c,
          "train @/tiny.json --run-dir @/all --set train.accumulate=1000000 --set train.batch_size=1000000"),
      0); /* more than there are */
  command_assert_contains(c->err, "3 steps of 1000000000000 images");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const char *f64 = getenv("DYT_F64");
  if (REAL_IS_F64) setenv("DYT", f64 ? f64 : "build/f64/dyt", 1);
  const struct CMUnitTest tests[] = {
      TEST(test_accumulation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
