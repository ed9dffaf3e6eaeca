/* The tape and its plans: sums over several uses, unused branches, sharing of memory. */
#include "support.h"

#include "dyt/plan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static real *arena_for(const plan *p) { return mem_new((size_t)p->numbers + 1, sizeof(real)); }

static val probe(tape *t, val x, uint64_t stream) {
  return tape_emit(t, &op_probe, &(op_probe_attr){stream}, 1, &x);
}

/* d/dw of sum of p (w + w): twice the probe's weights. */
static void test_parameter_used_twice(void **state) {
  (void)state;
  params p = {0};
  int w = params_add(&p, "w", SHAPE(2, 3), (params_init){INIT_NORMAL, 1}, PARAM_TRAIN);
  assert_int_equal(params_seal(&p, NULL), ST_OK);
  params_draw(&p, 1, NULL);
  real single[32] = {0}, twice[32] = {0};
  for (int uses = 1; uses <= 2; uses++) {
    tape *t = tape_new(&p, 1);
    val v = tape_param(t, w);
    assert_int_equal(v, tape_param(t, w));
    val loss = probe(t, uses == 1 ? v : tape_emit(t, &op_add, NULL, 2, (val[]){v, v}), 5);
    plan *way = plan_new(t, loss, 0, NULL);
    tape_run r = {
        .plan = way, .base = arena_for(way), .values = p.value, .grads = uses == 1 ? single : twice};
    tape_forward(&r);
    tape_backward(&r, 1);
    mem_free(r.base);
    plan_free(way);
    tape_free(t);
  }
  for (int i = 0; i < 6; i++) assert_true(single[i] != 0 && fabs((double)(twice[i] - 2 * single[i])) < 1e-6);
  params_free(&p);
}

/* A diamond: y = x + x, z = y * 1 + y through different paths; dz/dx is 4 times the probe's weight. */
static void test_diamond(void **state) {
  (void)state;
  params none = {0};
  assert_int_equal(params_seal(&none, NULL), ST_OK);
  tape *t = tape_new(&none, 2);
  val x = tape_input(t, "x", SHAPE(2, 5), true);
  val y = tape_emit(t, &op_add, NULL, 2, (val[]){x, x});
  val z = tape_emit(t, &op_add, NULL, 2, (val[]){y, y});
  val loss = probe(t, z, 9), direct = probe(t, x, 9);
  plan *p = plan_new(t, loss, 0, NULL), *q = plan_new(t, direct, 0, NULL);
  err e = {0};
  assert_true(plan_sound(p, &e));
  real unused[1] = {0};
  tape_run r = {.plan = p, .base = arena_for(p), .grads = unused},
           s = {.plan = q, .base = arena_for(q), .grads = unused};
  support_fill("diamond", 10, -1, 1, tape_at(&r, x));
  tape_forward(&r);
  tape_backward(&r, 1);
  support_fill("diamond", 10, -1, 1, tape_at(&s, x));
  tape_forward(&s);
  tape_backward(&s, 1);
  for (int i = 0; i < 10; i++)
    assert_true(fabs((double)(tape_grad_at(&r, x)[i] - 4 * tape_grad_at(&s, x)[i])) < 1e-5);
  mem_free(r.base);
  mem_free(s.base);
  plan_free(p);
  plan_free(q);
  tape_free(t);
  params_free(&none);
}

/* A branch that the loss does not depend on is not run and takes no memory. */
static void test_unused_branch(void **state) {
  (void)state;
  params none = {0};
  assert_int_equal(params_seal(&none, NULL), ST_OK);
  tape *t = tape_new(&none, 2);
  val x = tape_input(t, "x", SHAPE(2, 3, 5), true);
  val used = tape_emit(t, &op_activation, &(op_activation_attr){K_gelu}, 1, &x);
  val unused = tape_emit(t, &op_activation, &(op_activation_attr){K_relu}, 1, &x);
  val loss = probe(t, used, 1);
  plan *p = plan_new(t, loss, 0, NULL), *kept = plan_new(t, loss, 1, &unused);
  assert_int_equal(p->run[1], 0);
  assert_true(p->value_at[unused] < 0);
  assert_int_equal(kept->run[1], PLAN_FORWARD);
  assert_true(kept->value_at[unused] >= 0 && kept->grad_at[unused] < 0);
  plan_free(p);
  plan_free(kept);
  tape_free(t);
  params_free(&none);
}

/* --- a small residual network --- */

typedef struct net {
  params p;
  int w[8], depth;
} net;

static net make_net(int depth) {
  net n = {.depth = depth};
  char name[16];
  for (int i = 0; i < depth; i++) {
    snprintf(name, sizeof name, "w%d", i);
    n.w[i] = params_add(&n.p, name, SHAPE(6, 6), (params_init){INIT_NORMAL, 0.4}, PARAM_TRAIN);
  }
  assert_int_equal(params_seal(&n.p, NULL), ST_OK);
  params_draw(&n.p, 4, NULL);
  return n;
}

static val record(const net *n, tape *t, val x) {
  for (int i = 0; i < n->depth; i++) {
    val h = tape_emit(t, &op_norm, &(op_norm_attr){true, 1e-6}, 1, &x);
    h = tape_emit(t, &op_linear, &(op_linear_attr){K_identity}, 2, (val[]){h, tape_param(t, n->w[i])});
    h = tape_emit(t, &op_activation, &(op_activation_attr){K_gelu}, 1, &h);
    x = tape_emit(t, &op_add, NULL, 2, (val[]){x, h});
  }
  return x;
}

static double run_net(const net *n, int64_t samples, real *grads) {
  tape *t = tape_new(&n->p, samples);
  val x = tape_input(t, "x", SHAPE(samples, 6), false);
  val loss = probe(t, record(n, t, x), 2);
  plan *p = plan_new(t, loss, 0, NULL);
  err e = {0};
  if (!plan_sound(p, &e)) fail_msg("%s", e.text);
  tape_run r = {.plan = p, .base = arena_for(p), .values = n->p.value, .grads = grads};
  memset(r.base, 0xff,
         (size_t)p->numbers * sizeof(real)); /* NaN: whatever is read before it is written shows */
  support_fill("net", samples * 6, -1, 1, tape_at(&r, x));
  tape_forward(&r);
  tape_backward(&r, 1);
  double result = (double)*tape_at(&r, loss);
  mem_free(r.base);
  plan_free(p);
  tape_free(t);
  return result;
}

/* Two tapes of one model; a run leaves nothing behind that another could see. */
static void test_sizes_and_repetition(void **state) {
  (void)state;
  net n = make_net(5);
  size_t total = (size_t)n.p.total;
  real *a = mem_new(total, sizeof(real)), *b = mem_new(total, sizeof(real));
  double first = run_net(&n, 3, a);
  run_net(&n, 7, b);
  memset(b, 0, total * sizeof(real));
  double again = run_net(&n, 3, b);
  assert_true(isfinite(first) && first == again);
  assert_memory_equal(a, b, total * sizeof(real));
  mem_free(a);
  mem_free(b);
  params_free(&n.p);
}

/* One tape, two workspaces, interleaved. */
static void test_two_workspaces(void **state) {
  (void)state;
  net n = make_net(3);
  tape *t = tape_new(&n.p, 4);
  val x = tape_input(t, "x", SHAPE(4, 6), false);
  val loss = probe(t, record(&n, t, x), 2);
  plan *p = plan_new(t, loss, 0, NULL);
  real *g[2] = {mem_new((size_t)n.p.total, sizeof(real)), mem_new((size_t)n.p.total, sizeof(real))};
  tape_run r[2];
  for (int i = 0; i < 2; i++) {
    r[i] = (tape_run){.plan = p, .base = arena_for(p), .values = n.p.value, .grads = g[i]};
    support_fill("two", 24, -1, 1, tape_at(&r[i], x));
  }
  tape_forward(&r[0]);
  tape_forward(&r[1]);
  tape_backward(&r[0], 1);
  tape_backward(&r[1], 1);
  assert_memory_equal(g[0], g[1], (size_t)n.p.total * sizeof(real));
  assert_true(g[0][0] != 0);
  for (int i = 0; i < 2; i++) {
    mem_free(r[i].base);
    mem_free(g[i]);
  }
  plan_free(p);
  tape_free(t);
  params_free(&n.p);
}

static int64_t numbers_of(int depth, bool train, int64_t *gradients) {
  net n = make_net(depth);
  tape *t = tape_new(&n.p, 16);
  val x = tape_input(t, "x", SHAPE(16, 6), false);
  val y = record(&n, t, x), loss = probe(t, y, 2);
  plan *p = plan_new(t, train ? loss : NO_VAL, 1, &y);
  err e = {0};
  if (!plan_sound(p, &e)) fail_msg("%s", e.text);
  int64_t numbers = p->numbers;
  *gradients = 0;
  for (val v = 0; v < t->values; v++) /* places used by gradients only */
    if (p->grad_at[v] > *gradients) *gradients = p->grad_at[v];
  plan_free(p);
  tape_free(t);
  params_free(&n.p);
  return numbers;
}

/* A forward-only plan does not grow with depth; a training plan grows by what backward needs and not by the
 * gradients. */
static void test_liveness(void **state) {
  (void)state;
  int64_t unused, four = numbers_of(4, false, &unused), eight = numbers_of(8, false, &unused);
  assert_int_equal(four, eight);
  int64_t t4 = numbers_of(4, true, &unused), t6 = numbers_of(6, true, &unused),
          t8 = numbers_of(8, true, &unused);
  assert_int_equal(t8 - t6, t6 - t4);
  /* a layer keeps: norm's input and output and statistics, the linear result, the activation's result */
  int64_t layer = (t6 - t4) / 2, block = 16 * 6;
  assert_true(layer <= 4 * block + 2 * 16 + 16);
}

/* y = a + b, where a has another use between b and y: the gradients of a and b begin as one and must not stay
 * so, for a's is
 * added to before b's is read. */
static void test_gradients_that_may_not_be_shared(void **state) {
  (void)state;
  params none = {0};
  assert_int_equal(params_seal(&none, NULL), ST_OK);
  tape *t = tape_new(&none, 2);
  val x = tape_input(t, "x", SHAPE(2, 5), true);
  val a = tape_emit(t, &op_activation, &(op_activation_attr){K_gelu}, 1, &x);
  val b = tape_emit(t, &op_activation, &(op_activation_attr){K_silu}, 1, &x);
  val c = tape_emit(t, &op_activation, &(op_activation_attr){K_selu}, 1, &a);
  val y = tape_emit(t, &op_add, NULL, 2, (val[]){a, b});
  val z = tape_emit(t, &op_add, NULL, 2, (val[]){y, c});
  plan *p = plan_new(t, probe(t, z, 1), 0, NULL);
  err e = {0};
  if (!plan_sound(p, &e)) fail_msg("%s", e.text);
  assert_true(p->grad_at[a] != p->grad_at[b]);
  plan_free(p);
  tape_free(t);
  params_free(&none);
}

/* plan_sound must see a plan that is broken. */
static void test_soundness_is_not_blind(void **state) {
  (void)state;
  net n = make_net(3);
  tape *t = tape_new(&n.p, 4);
  val x = tape_input(t, "x", SHAPE(4, 6), false);
  val loss = probe(t, record(&n, t, x), 2);
  plan *p = plan_new(t, loss, 0, NULL);
  err e = {0};
  assert_true(plan_sound(p, &e));
  int seen = 0, tried = 0;
  for (val v = 0; v < t->values; v++) {
    int64_t keep = p->value_at[v], other = p->value_at[x];
    if (keep < 0 || v == x || keep == other) continue;
    p->value_at[v] = other; /* on top of the input, which backward needs to the end */
    err quiet = {0};
    tried++;
    seen += !plan_sound(p, &quiet);
    p->value_at[v] = keep;
  }
  assert_true(tried > 5 && seen == tried);
  plan_free(p);
  tape_free(t);
  params_free(&n.p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_parameter_used_twice),
      cmocka_unit_test(test_diamond),
      cmocka_unit_test(test_unused_branch),
      cmocka_unit_test(test_sizes_and_repetition),
      cmocka_unit_test(test_two_workspaces),
      cmocka_unit_test(test_liveness),
      cmocka_unit_test(test_gradients_that_may_not_be_shared),
      cmocka_unit_test(test_soundness_is_not_blind),
  };
  if (k_init(NULL, NULL)) return 1;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
