/* bench - how fast a training step is, beside what the matrix library gives on the step's own shapes.
 *
 *   bench_step r;
 *   if (bench_step_run(&cfg, threads, &r, e)) return e->code;
 *   bench_step_write(&r, true, &text);
 *
 * Images are random numbers in memory. FLOPs are 2 x multiply-adds of linear layers and attention, forward plus twice that
 * for backward. The matrix rate is that of the same library on the forward, dX and dW products of every linear layer, 16 images'
 * rows a call, each thread on its own. Both are timed in turns, and medians taken, so that their ratio survives a busy minute.
 */
#ifndef DYT_BENCH_H
#define DYT_BENCH_H

#include "dyt/config.h"

enum { BENCH_OPS_MAX = 32, BENCH_ROUNDS = 7 };

typedef struct bench_op {
  const char *name;
  double fwd_ms, bwd_ms; /* of one thread, in a step */
} bench_op;

typedef struct bench_step {
  int threads;
  double img_per_s[BENCH_ROUNDS], gemm_gflops[BENCH_ROUNDS]; /* sorted */
  double flops;                                              /* of an image's training step */
  double peak_rss_mb;
  bench_op op[BENCH_OPS_MAX];
  int ops;
} bench_step;

/* The config needs image_size, channels and classes (null: 28, 1, 10). ST_USER when memory is lacking. */
st bench_step_run(config *c, int threads, bench_step *out, err *e);
/* A table for people, or the JSON object of docs/architecture.md; `name` is the config's. Appended to `out`. */
void bench_step_write(const bench_step *b, const char *name, bool json, str *out);

#endif
