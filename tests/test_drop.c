/* dropout and drop_path by their statistics: the share dropped, the scale of what is kept, the same draw
 * whoever asks. */
#include "support.h"

#include "dyt/plan.h"

#include <math.h>
#include <string.h>

enum { SAMPLES = 400, WIDTH = 60 };

/* y for x = 1. */
static void run(const op *o, double rate, bool train, uint64_t step, int64_t first, real *y) {
  params none = {0};
  assert_int_equal(params_seal(&none, NULL), ST_OK);
  tape *t = tape_new(&none, SAMPLES);
  val x = tape_input(t, "x", SHAPE(SAMPLES, WIDTH), true);
  val out = tape_emit(t, o, &(op_dropout_attr){rate}, 1, &x);
  val loss = tape_emit(t, &op_probe, &(op_probe_attr){1}, 1, &out);
  plan *p = plan_new(t, loss, 1, &out);
  real *base = mem_new((size_t)p->numbers, sizeof(real));
  tape_run r = {
      .plan = p, .base = base, .op = {.train = train, .seed = 1, .step = step, .first_sample = first}};
  for (int64_t i = 0; i < SAMPLES * WIDTH; i++) tape_at(&r, x)[i] = 1;
  tape_forward(&r);
  memcpy(y, tape_at(&r, out), SAMPLES * WIDTH * sizeof(real));
  mem_free(base);
  plan_free(p);
  tape_free(t);
  params_free(&none);
}

static real a[SAMPLES * WIDTH], b[SAMPLES * WIDTH];

static void check_statistics(const op *o, double rate, int64_t groups) {
  run(o, rate, true, 3, 0, a);
  int64_t width = SAMPLES * WIDTH / groups, dropped = 0;
  for (int64_t g = 0; g < groups; g++) {
    real first = a[g * width];
    assert_true(first == 0 || fabs((double)first - 1 / (1 - rate)) < 1e-6);
    for (int64_t i = 0; i < width; i++) assert_true(a[g * width + i] == first);
    dropped += first == 0;
  }
  double n = (double)groups, slack = 4 * sqrt(rate * (1 - rate) / n);
  assert_true(fabs((double)dropped / n - rate) < slack);
}

static void test_statistics(void **state) {
  (void)state;
  check_statistics(&op_dropout, 0.1, SAMPLES * WIDTH);
  check_statistics(&op_dropout, 0.5, SAMPLES * WIDTH);
  check_statistics(&op_drop_path, 0.3, SAMPLES);
}

static void test_evaluation_changes_nothing(void **state) {
  (void)state;
  run(&op_dropout, 0.5, false, 3, 0, a);
  run(&op_drop_path, 0.5, false, 3, 0, b);
  for (int64_t i = 0; i < SAMPLES * WIDTH; i++) assert_true(a[i] == 1 && b[i] == 1);
}

/* The draw belongs to the sample's place in the batch and to the step. */
static void test_draws(void **state) {
  (void)state;
  run(&op_dropout, 0.5, true, 3, 0, a);
  run(&op_dropout, 0.5, true, 3, 100, b);
  assert_memory_equal(a + 100 * WIDTH, b, (SAMPLES - 100) * WIDTH * sizeof(real));
  run(&op_dropout, 0.5, true, 4, 0, b);
  assert_memory_not_equal(a, b, sizeof a);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_statistics),
                                     cmocka_unit_test(test_evaluation_changes_nothing),
                                     cmocka_unit_test(test_draws)};
  if (k_init(NULL, NULL)) return 1;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
