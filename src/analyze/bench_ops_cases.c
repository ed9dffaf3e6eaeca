/* What `dyt bench ops` times of each operation. ops.def makes the table, so an operation without a case does not compile. */
#include "bench_ops.h"

#include <stdio.h>

static bench_input in(shape s) { return (bench_input){s, false}; }
static bench_input parameter(shape s) { return (bench_input){s, true}; }

/* How many samples of `one` numbers make up the wanted number. */
static int64_t samples(const bench_rows *r, int64_t one) {
  int64_t n = r->sizes.numbers / one;
  return n < 1 ? 1 : n;
}

/* Of operations that compute more than they move: out of cache at a quarter of the size, or they alone would take a minute. */
static int64_t few_samples(const bench_rows *r, int64_t one) {
  enum { NUMBERS_MAX = 4 << 20 };
  int64_t n = samples(r, one), most = NUMBERS_MAX / one;
  return n < most || most < 1 ? n : most;
}

/* Of a wide model one image may be too much. */
static int64_t tokens(const bench_rows *r) {
  int64_t most = r->sizes.numbers / r->sizes.channels;
  return r->sizes.tokens < most ? r->sizes.tokens : most < 1 ? 1 : most;
}

static shape activations(const bench_rows *r) {
  int64_t T = tokens(r), C = r->sizes.channels;
  return SHAPE(samples(r, T * C), T, C);
}
static shape few_activations(const bench_rows *r) {
  int64_t T = tokens(r), C = r->sizes.channels;
  return SHAPE(few_samples(r, T * C), T, C);
}

static void case_linear(bench_rows *r) {
  int64_t C = r->sizes.channels;
  shape x = few_activations(r);
  const bench_input operand[] = {in(x), parameter(SHAPE(C, C)), parameter(SHAPE(C)), in(x)};
  bench_rows_add(r, "linear", &op_linear, &(op_linear_attr){K_identity}, 3, operand);
  bench_rows_add(r, "linear.gelu", &op_linear, &(op_linear_attr){K_gelu}, 3, operand);
  bench_rows_add(r, "linear.residual", &op_linear, &(op_linear_attr){K_identity}, 4, operand);
}

static void case_add(bench_rows *r) {
  bench_rows_add(r, "add", &op_add, NULL, 2, (bench_input[]){in(activations(r)), in(activations(r))});
}

static void case_activation(bench_rows *r) {
  char name[48];
  for (k_fn fn = 0; fn < K_FN_COUNT; fn++) {
    if (k_functions[fn].group != K_ACT) continue;
    snprintf(name, sizeof name, "activation.%s", k_functions[fn].name);
    bench_rows_add(r, name, &op_activation, &(op_activation_attr){fn}, 1,
                   (bench_input[]){in(activations(r))});
  }
}

static void mark_norm(bench_row *row) {
  if (row) row->is_norm = true;
}

/* LayerNorm has a bias, RMSNorm has none. */
static void case_norm(bench_rows *r) {
  bench_input gamma = parameter(SHAPE(r->sizes.channels));
  bench_input operand[3] = {in(activations(r)), gamma, gamma};
  mark_norm(bench_rows_add(r, "norm.layernorm", &op_norm, &(op_norm_attr){true, 1e-6}, 3, operand));
  mark_norm(bench_rows_add(r, "norm.rmsnorm", &op_norm, &(op_norm_attr){false, 1e-6}, 2, operand));
}

/* As DyT has it: one alpha, gamma and beta, no shift. */
static void case_pointwise(bench_rows *r) {
  char name[48];
  bench_input gamma = parameter(SHAPE(r->sizes.channels));
  for (k_fn fn = 0; fn < K_FN_COUNT; fn++) {
    if (k_functions[fn].group != K_NORM) continue;
    snprintf(name, sizeof name, "pointwise.%s", k_functions[fn].name);
    mark_norm(bench_rows_add(
        r, name, &op_pointwise, &(op_pointwise_attr){fn}, 5,
        (bench_input[]){in(activations(r)), parameter(SHAPE(1)), {.s = {.rank = 0}}, gamma, gamma}));
  }
}

static void case_attention(bench_rows *r) {
  int64_t T = r->sizes.tokens, C = r->sizes.channels;
  bench_rows_add(r, "attention", &op_attention, &(op_attention_attr){(int)r->sizes.heads}, 1,
                 (bench_input[]){in(SHAPE(few_samples(r, 3 * T * C), T, 3 * C))});
}

static void case_patchify(bench_rows *r) {
  int64_t ch = r->sizes.image_channels, side = r->sizes.image;
  bench_rows_add(r, "patchify", &op_patchify, &(op_patchify_attr){(int)r->sizes.patch}, 1,
                 (bench_input[]){in(SHAPE(samples(r, ch * side * side), ch, side, side))});
}

static void case_prefix_tokens(bench_rows *r) {
  shape x = activations(r);
  int64_t T = x.dim[1], C = x.dim[2];
  bench_rows_add(r, "prefix_tokens", &op_prefix_tokens, NULL, 3,
                 (bench_input[]){in(x), parameter(SHAPE(1, 1, C)), parameter(SHAPE(1, T + 1, C))});
}

static void case_token_mean(bench_rows *r) {
  bench_rows_add(r, "token_mean", &op_token_mean, &(op_token_mean_attr){0}, 1,
                 (bench_input[]){in(activations(r))});
}

/* Forward reads one token of each sample only. */
static void case_token_select(bench_rows *r) {
  shape x = activations(r);
  bench_row *row = bench_rows_add(r, "token_select", &op_token_select, &(op_token_select_attr){0}, 1,
                                  (bench_input[]){in(x)});
  if (row) row->bytes[BENCH_FWD] = 2.0 * (double)(x.dim[0] * x.dim[2]) * sizeof(real);
}

static void case_dropout(bench_rows *r) {
  bench_rows_add(r, "dropout", &op_dropout, &(op_dropout_attr){0.1}, 1,
                 (bench_input[]){in(few_activations(r))});
}

static void case_drop_path(bench_rows *r) {
  bench_rows_add(r, "drop_path", &op_drop_path, &(op_dropout_attr){0.1}, 1,
                 (bench_input[]){in(activations(r))});
}

static void case_cross_entropy(bench_rows *r) {
  shape s = SHAPE(few_samples(r, r->sizes.classes), r->sizes.classes);
  bench_rows_add(r, "cross_entropy", &op_cross_entropy, &(op_cross_entropy_attr){0.1}, 2,
                 (bench_input[]){in(s), in(s)});
}

static void (*const cases[])(bench_rows *r) = {
#define OP(name) case_##name,
#include "dyt/ops.def"
};

void bench_rows_list(bench_rows *r) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) cases[i](r);
}
