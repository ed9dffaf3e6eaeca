/* bench_parts - what the benchmarks share: timing in turns, a model on random images, the time of each operation,
 * matrix products, and how results are written. Not a public header. */
#ifndef DYT_ANALYZE_BENCH_PARTS_H
#define DYT_ANALYZE_BENCH_PARTS_H

#include "dyt/bench.h"
#include "dyt/engine.h"
#include "dyt/optim.h"

/* --- timing (bench_time.c) --- */

/* Something to be timed. */
typedef struct bench_subject {
  void (*prepare)(void *context); /* before each round, not timed; NULL: nothing */
  void (*run)(void *context, int64_t times);
  void *context;
} bench_subject;

/* A measurement, round by round as they came. */
typedef struct bench_series {
  double round[BENCH_ROUNDS];
} bench_series;

typedef struct bench_stat {
  double median, min, max;
} bench_stat;

/* seconds[i]: of one run of subject i. */
void bench_in_turns(int n, const bench_subject *subject, int round_ms, bench_series *seconds);
bench_stat bench_stat_of(const bench_series *s);
/* amount / seconds of every round. */
bench_series bench_rate(const bench_series *seconds, double amount);
/* a - b, round by round: what a has more than b in the same minute. */
bench_series bench_difference(const bench_series *a, const bench_series *b);

/* Calls fn(context, worker) once for workers 0 .. threads-1, at the same time; threads is 1 or the pool's. */
void bench_together(work_pool *pool, int threads, void (*fn)(void *context, int worker), void *context);

/* Normal random numbers that repeat after a while: making as many as memory holds would take longer than timing them. */
void bench_fill(real *x, int64_t n);

/* --- a model on random images (bench_model.c) --- */

typedef struct bench_model {
  config cfg; /* a copy, so that a benchmark may change it; its strings belong to the original */
  model model;
  work_pool *pool;
  engine engine;
  optim optim; /* where it trains */
  int64_t train, eval;
  real *slot[TASK_SLOTS_MAX]; /* a batch */
  engine_feed feed;
  uint64_t step;
} bench_model;

/* Ready to train on `train` images and to infer `eval` at a time (0: not at all); the first run was made, so its pages are there.
 * ST_USER when memory is lacking. `b` must not move. */
st bench_model_open(bench_model *b, const config *c, work_pool *pool, int64_t train, int64_t eval, err *e);
void bench_model_close(bench_model *b); /* also one that was never opened, all zero */

/* Subjects; the context is a bench_model. */
void bench_model_step(void *context, int64_t times);     /* forward, backward, reduction, update */
void bench_model_backward(void *context, int64_t times); /* the same without the last two, as in the paper */
void bench_model_forward(void *context, int64_t times);
/* The last two, from an engine's gradients. */
void bench_model_update(bench_model *b, const engine *g);

/* FLOPs of an image's forward pass: 2 x multiply-adds of linear layers and attention. */
double bench_model_flops(const model *m);
/* Bytes that bench_model_open asks for. */
size_t bench_model_bytes(const bench_model *b);

/* --- the time of each operation (bench_split.c) --- */

enum { BENCH_SPLIT_MAX = 32 };

typedef struct bench_part {
  const char *name;      /* of the operation */
  double fwd_ms, bwd_ms; /* of one thread, in a step */
} bench_part;

typedef struct bench_split {
  bench_part part[BENCH_SPLIT_MAX];
  int parts;
} bench_split;

/* Means of `steps` training steps on one thread; reduction and update stand as "optimizer", forward. */
st bench_split_run(bench_model *m, int steps, bench_split *out, err *e);
/* Forward and backward of an operation; NULL: of all. */
double bench_split_ms(const bench_split *s, const char *name);

/* --- matrix products (bench_products.c) --- */

typedef enum bench_pass { BENCH_FORWARD, BENCH_DX, BENCH_DW, BENCH_PASSES } bench_pass;

/* c [m,n] = a b, summed over k, with a and b stored as the pass has them. */
typedef struct bench_product {
  bench_pass pass;
  int64_t m, n, k;
  int64_t times; /* how often a step makes it; 0: nobody asks for the gradient of an image */
} bench_product;

typedef struct bench_products {
  bench_product *p; /* [count] */
  int count;
  arena *buffer;         /* [threads] operands */
  int64_t at[4], length; /* of a, b, c and scratch in a buffer */
  int threads;
} bench_products;

extern const char *const bench_pass_name[BENCH_PASSES];

/* From all zero: those of every linear layer of a tape that a step runs `runs` times are added, then operands for each thread.
 * ST_USER when memory is lacking. */
void bench_products_add(bench_products *b, const tape *t, int64_t runs);
st bench_products_ready(bench_products *b, int threads, err *e);
void bench_products_close(bench_products *b);
/* By the matrix library, and by the kernels that take b packed (here random numbers all the same). */
void bench_product_run(const bench_products *b, int index, int worker);
void bench_product_packed(const bench_products *b, int index, int worker);
double bench_product_flops(const bench_product *p);

/* --- writing (bench_write.c) --- */

/* {"config": .., "threads": .., "simd": .., "blas": ..  up to, but without, the comma of what follows. */
void bench_write_begin(const bench_options *o, int threads, str *out);
/* , "KEY": median, "KEY_spread": [min, max] */
void bench_write_stat(str *out, const char *key, bench_stat s);
/* , "KEY": value */
void bench_write_number(str *out, const char *key, double value);
/* , "KEY": [{"name", "fwd_ms", "bwd_ms"}, ..] */
void bench_write_split(str *out, const char *key, const bench_split *s);
/* For people: the config, threads, SIMD level and matrix library. */
void bench_write_title(const bench_options *o, int threads, str *out);

/* --- the benchmarks, one a file --- */

st bench_step(const bench_options *o, str *out, err *e);
st bench_gemm(const bench_options *o, str *out, err *e);
st bench_ops(const bench_options *o, str *out, err *e);
st bench_infer(const bench_options *o, str *out, err *e);
st bench_norms(const bench_options *o, str *out, err *e);
st bench_growth(const bench_options *o, str *out, err *e);

#endif
