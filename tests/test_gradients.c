/* Every operation's backward pass against differences of its forward pass, in double (`make f64`).
 *
 * ops.def makes the table of cases, so an operation without one does not compile. Each case has at least two
 * samples, odd sizes and every
 * attribute value; inputs keep clear of kinks. The operation is recorded twice on the same inputs, so that
 * gradients are
 * added to as well as written. */
#include "support.h"

#include "dyt/packs.h"
#include "dyt/plan.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double tolerance = 1e-7, step = 1e-3;

typedef struct input {
  shape s; /* rank 0: absent */
  bool wants_grad;
  bool param; /* gradients of parameters are always added to, others are also written */
  double low, high;
  void (*adjust)(real *x, int64_t n, const void *attr); /* moves numbers away from kinks; NULL: not needed */
} input;

typedef struct subject {
  tape *t;
  plan *p;
  val in[OP_IN_MAX];
  tape_run run;
  params store;
  packs packs;
  work_pool *pool;
} subject;

static void record(subject *s, const op *o, const void *attr, int n, const input *in, bool packed) {
  *s = (subject){0};
  int index[OP_IN_MAX] = {0};
  char name[8];
  for (int k = 0; k < n; k++) {
    snprintf(name, sizeof name, "p%d", k);
    if (in[k].param)
      index[k] = params_add(&s->store, name, in[k].s, (params_init){INIT_CONSTANT, 0},
                            PARAM_TRAIN | (in[k].s.rank > 1 ? PARAM_MATRIX : 0));
  }
  assert_int_equal(params_seal(&s->store, NULL), ST_OK);
  if (packed) assert_int_equal(packs_open(&s->packs, &s->store, true, NULL), ST_OK);
  s->pool = work_new(1, NULL, NULL);
  s->t = tape_new(&s->store, 2);
  for (int k = 0; k < n; k++)
    s->in[k] = in[k].param    ? tape_param(s->t, index[k])
               : in[k].s.rank ? tape_input(s->t, "x", in[k].s, in[k].wants_grad)
                              : NO_VAL;
  val part[2];
  for (uint64_t i = 0; i < 2; i++) {
    val y = tape_emit(s->t, o, attr, n, s->in);
    op_probe_attr probe = {i + 1};
    part[i] = tape_emit(s->t, &op_probe, &probe, 1, &y);
  }
  val loss = tape_emit(s->t, &op_add, NULL, 2, part);
  val keep[OP_IN_MAX]; /* the inputs are changed and run again */
  int n_keep = 0;
  for (int k = 0; k < n; k++)
    if (s->in[k] != NO_VAL && !in[k].param) keep[n_keep++] = s->in[k];
  s->p = plan_new(s->t, loss, n_keep, keep);
  err e = {0};
  assert_true(plan_sound(s->p, &e));
  s->run = (tape_run){.plan = s->p,
                      .base = mem_new((size_t)s->p->numbers, sizeof(real)),
                      .values = s->store.value,
                      .panels = s->packs.panels,
                      .grads = mem_new((size_t)s->store.total + 1, sizeof(real)),
                      .op = {.train = true, .seed = 3, .step = 5, .first_sample = 11}};
}

static void end(subject *s) {
  mem_free(s->run.base);
  mem_free(s->run.grads);
  plan_free(s->p);
  tape_free(s->t);
  packs_close(&s->packs);
  params_free(&s->store);
  work_free(s->pool);
}

static double loss_of(subject *s) {
  if (s->packs.params) packs_refresh(&s->packs, s->pool);
  tape_forward(&s->run);
  return (double)*tape_at(&s->run, s->p->loss);
}

/* Four-point central difference: error of order step^4. */
static double difference(subject *s, real *x) {
  static const double weight[4] = {1.0 / 12, -8.0 / 12, 8.0 / 12, -1.0 / 12}, at[4] = {-2, -1, 1, 2};
  real keep = *x;
  double sum = 0;
  for (int i = 0; i < 4; i++) {
    *x = (real)((double)keep + at[i] * step);
    sum += weight[i] * loss_of(s);
  }
  *x = keep;
  return sum / step;
}

static void check_one(const char *label, const op *o, const void *attr, int n, const input *in, bool packed) {
  subject s;
  char stream[128];
  record(&s, o, attr, n, in, packed);
  real *values[OP_IN_MAX] = {0}, *grads[OP_IN_MAX] = {0};
  for (int k = 0; k < n; k++) {
    if (!in[k].s.rank) continue;
    values[k] = tape_at(&s.run, s.in[k]);
    snprintf(stream, sizeof stream, "%s.%d", label, k);
    support_fill(stream, shape_numel(in[k].s), in[k].low, in[k].high, values[k]);
    if (in[k].adjust) in[k].adjust(values[k], shape_numel(in[k].s), attr);
  }
  loss_of(&s);
  tape_backward(&s.run, 1);
  for (int k = 0; k < n; k++) { /* the gradient memory is reused by the next pass */
    if (!in[k].s.rank || !in[k].wants_grad) continue;
    int64_t size = shape_numel(in[k].s);
    grads[k] = mem_new((size_t)size, sizeof(real));
    memcpy(grads[k], tape_grad_at(&s.run, s.in[k]), (size_t)size * sizeof(real));
  }
  for (int k = 0; k < n; k++) {
    if (!grads[k]) continue;
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < shape_numel(in[k].s); i++) {
      double want = difference(&s, &values[k][i]);
      worst = fmax(worst, fabs(want - (double)grads[k][i]));
      largest = fmax(largest, fabs(want));
    }
    if (!(worst < tolerance * largest && largest > 1e-4))
      fail_msg("%s, input %d: error %.2e of a largest gradient %.2e", label, k, worst, largest);
    mem_free(grads[k]);
  }
  print_message("%-34s ok\n", label);
  end(&s);
}

static void check(const char *label, const op *o, const void *attr, int n, const input *in) {
  check_one(label, o, attr, n, in, false);
}

static input want(shape s, double low, double high) { return (input){s, true, false, low, high, NULL}; }
static input parameter(shape s, double low, double high) { return (input){s, true, true, low, high, NULL}; }
static const input absent = {.s = {.rank = 0}};

/* --- cases --- */

/* By BLAS and by the kernels on packed weights, at sizes that leave tails in every direction. */
static void check_linear(const char *label, k_fn fn, int64_t in, int64_t out, bool bias, bool residual) {
  const input operands[] = {want(SHAPE(2, 7, in), -1, 1), parameter(SHAPE(out, in), -1, 1),
                            bias ? parameter(SHAPE(out), -1, 1) : absent,
                            residual ? want(SHAPE(2, 7, out), -1, 1) : absent};
  char name[64];
  for (int packed = 0; packed < 2; packed++) {
    snprintf(name, sizeof name, "linear %s, %s", label, packed ? "packed" : "BLAS");
    check_one(name, &op_linear, &(op_linear_attr){fn}, 4, operands, packed);
  }
}

static void gradient_linear(void) {
  check_linear("5 to 7", K_identity, 5, 7, true, false);
  check_linear("without bias", K_identity, 5, 7, false, false);
  check_linear("with residual", K_identity, 9, 19, true, true);
  check_linear("with residual, no bias", K_identity, 3, 4, false, true);
  check_linear("wider than a tile", K_identity, 33, 70, true, false);
  for (k_fn fn = 0; fn < K_FN_COUNT; fn++)
    if (k_functions[fn].group == K_ACT) check_linear(k_functions[fn].name, fn, 5, 7, true, false);
  check(
      "linear of a convolution's weight", &op_linear, &(op_linear_attr){K_identity}, 3,
      (input[]){want(SHAPE(2, 12), -1, 1), parameter(SHAPE(3, 3, 2, 2), -1, 1), parameter(SHAPE(3), -1, 1)});
}

static void gradient_add(void) {
  check("add", &op_add, NULL, 2, (input[]){want(SHAPE(2, 3, 5), -1, 1), want(SHAPE(2, 3, 5), -1, 1)});
}

/* Moves z = x away from the function's kinks. */
static void clear_of_kinks(k_fn fn, real *z, int64_t n) {
  const double gap = 0.05;
  for (int j = 0; j < 2; j++) {
    double kink = k_functions[fn].kinks[j];
    for (int64_t i = 0; i < n && kink >= 0; i++) {
      double a = fabs((double)z[i]);
      if (fabs(a - kink) < gap) z[i] = (real)((double)z[i] + (z[i] < 0 ? -1 : 1) * (kink + 2 * gap - a));
    }
  }
}

static void clear_activation(real *x, int64_t n, const void *attr) {
  clear_of_kinks(((const op_activation_attr *)attr)->fn, x, n);
}

static void gradient_activation(void) {
  for (k_fn fn = 0; fn < K_FN_COUNT; fn++) {
    if (k_functions[fn].group != K_ACT) continue;
    input x = {SHAPE(2, 3, 7), true, false, -3, 3, clear_activation};
    check(k_functions[fn].name, &op_activation, &(op_activation_attr){fn}, 1, &x);
  }
}

static void gradient_norm(void) {
  input x = want(SHAPE(2, 3, 7), -1, 2), g = parameter(SHAPE(7), 0.5, 1.5), b = parameter(SHAPE(7), -1, 1);
  for (int center = 0; center < 2; center++)
    for (int affine = 0; affine < 2; affine++) {
      op_norm_attr attr = {.center = center, .eps = 1e-3};
      check(center ? "layernorm" : "rmsnorm", &op_norm, &attr, 3,
            (input[]){x, affine ? g : absent, affine ? b : absent});
    }
}

/* alpha is 0.8 and the shift 0.1 in every case, so that z is known and can be moved off the kinks. */
static void set_alpha(real *x, int64_t n, const void *attr) {
  (void)attr;
  for (int64_t i = 0; i < n; i++) x[i] = (real)0.8;
}
static void set_shift(real *x, int64_t n, const void *attr) {
  (void)n, (void)attr;
  x[0] = (real)0.1;
}
static void clear_pointwise(real *x, int64_t n, const void *attr) {
  for (int64_t i = 0; i < n; i++) x[i] = (real)0.8 * x[i] + (real)0.1;
  clear_of_kinks(((const op_pointwise_attr *)attr)->fn, x, n);
  for (int64_t i = 0; i < n; i++) x[i] = (x[i] - (real)0.1) / (real)0.8;
}
static void clear_unshifted(real *x, int64_t n, const void *attr) {
  for (int64_t i = 0; i < n; i++) x[i] *= (real)0.8;
  clear_of_kinks(((const op_pointwise_attr *)attr)->fn, x, n);
  for (int64_t i = 0; i < n; i++) x[i] /= (real)0.8;
}

static void gradient_pointwise(void) {
  shape dims = SHAPE(2, 3, 7);
  char label[64];
  for (k_fn fn = 0; fn < K_FN_COUNT; fn++) {
    if (k_functions[fn].group != K_NORM) continue;
    for (int variant = 0; variant < 8; variant++) {
      bool channel = variant & 1, shift = variant & 2, affine = variant & 4;
      input in[5] = {{dims, true, false, -2.5, 2.5, shift ? clear_pointwise : clear_unshifted},
                     {channel ? SHAPE(7) : SHAPE(1), true, true, 0, 1, set_alpha},
                     shift ? (input){SHAPE(1), true, true, 0, 1, set_shift} : absent,
                     affine ? parameter(SHAPE(7), 0.5, 1.5) : absent,
                     affine ? parameter(SHAPE(7), -1, 1) : absent};
      snprintf(label, sizeof label, "%s%s%s%s", k_functions[fn].name, channel ? ", per channel" : "",
               shift ? ", shift" : "", affine ? ", affine" : "");
      check(label, &op_pointwise, &(op_pointwise_attr){fn}, 5, in);
    }
  }
}

static void gradient_attention(void) {
  check("attention, 2 heads of 3", &op_attention, &(op_attention_attr){2}, 1,
        (input[]){want(SHAPE(2, 5, 18), -2, 2)});
  check("attention, 1 head of 5", &op_attention, &(op_attention_attr){1}, 1,
        (input[]){want(SHAPE(3, 17, 15), -2, 2)});
  check("attention, 3 heads of 16", &op_attention, &(op_attention_attr){3}, 1,
        (input[]){want(SHAPE(2, 3, 144), -1, 1)});
}

static void gradient_patchify(void) {
  check("patchify", &op_patchify, &(op_patchify_attr){2}, 1, (input[]){want(SHAPE(2, 3, 4, 6), -1, 1)});
}

static void gradient_prefix_tokens(void) {
  check("prefix_tokens", &op_prefix_tokens, NULL, 3,
        (input[]){want(SHAPE(3, 4, 5), -1, 1), parameter(SHAPE(1, 1, 5), -1, 1),
                  parameter(SHAPE(1, 5, 5), -1, 1)});
}

static void gradient_token_mean(void) {
  for (int first = 0; first < 3; first++)
    check("token_mean", &op_token_mean, &(op_token_mean_attr){first}, 1,
          (input[]){want(SHAPE(2, 5, 3), -1, 1)});
}

static void gradient_token_select(void) {
  for (int index = 0; index < 5; index += 2)
    check("token_select", &op_token_select, &(op_token_select_attr){index}, 1,
          (input[]){want(SHAPE(2, 5, 3), -1, 1)});
}

static void gradient_dropout(void) {
  check("dropout", &op_dropout, &(op_dropout_attr){0.4}, 1, (input[]){want(SHAPE(3, 5, 7), -1, 1)});
}

static void gradient_drop_path(void) {
  check("drop_path", &op_drop_path, &(op_dropout_attr){0.4}, 1, (input[]){want(SHAPE(9, 5, 3), -1, 1)});
}

static void gradient_cross_entropy(void) {
  input logits = want(SHAPE(3, 5), -2, 2), targets = {SHAPE(3, 5), false, false, 0, 0.5, NULL};
  for (int smooth = 0; smooth < 2; smooth++)
    check("cross_entropy", &op_cross_entropy, &(op_cross_entropy_attr){0.1 * smooth}, 2,
          (input[]){logits, targets});
}

/* --- the table --- */

static const struct gradient_case {
  const char *name;
  void (*run)(void);
} cases[] = {
#define OP(name) {#name, gradient_##name},
#include "dyt/ops.def"
};

static void run_case(void **state) { ((const struct gradient_case *)*state)->run(); }

int main(void) {
  enum { N = sizeof cases / sizeof cases[0] };
  struct CMUnitTest tests[N];
  static struct gradient_case copy[N];
  memcpy(copy, cases, sizeof cases);
  for (int i = 0; i < N; i++)
    tests[i] = (struct CMUnitTest){.name = copy[i].name, .test_func = run_case, .initial_state = &copy[i]};
  if (k_init(NULL, NULL)) return 1;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
