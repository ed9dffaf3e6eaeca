/* bench_ops - operations recorded one by one, for `dyt bench ops`. Not a public header. */
#ifndef DYT_ANALYZE_BENCH_OPS_H
#define DYT_ANALYZE_BENCH_OPS_H

#include "dyt/ops.h"
#include "dyt/packs.h"
#include "dyt/plan.h"

enum { BENCH_FWD, BENCH_BWD, BENCH_DIRECTIONS };
enum { BENCH_ROWS_MAX = 64 };

/* How large an operation's operands are. */
typedef struct bench_sizes {
  int64_t numbers; /* of its first input, about */
  int64_t tokens, channels, heads, classes;
  int64_t image, image_channels, patch;
} bench_sizes;

typedef struct bench_input {
  shape s;    /* rank 0: absent */
  bool param; /* its gradient is added to, once a run */
} bench_input;

/* An operation alone on a tape, with what its two passes move and compute. */
typedef struct bench_row {
  char name[48];
  params store;
  packs packs; /* as a step packs its weights */
  tape *t;
  plan *p;
  val out;                        /* of the operation */
  double elements;                /* of the first input */
  double bytes[BENCH_DIRECTIONS]; /* see bench_ops.c */
  double flops[BENCH_DIRECTIONS]; /* 0: none that count */
  bool is_norm;                   /* compared with LayerNorm */
} bench_row;

typedef struct bench_rows {
  bench_sizes sizes;
  const char *only; /* rows whose names begin so; NULL: all */
  bench_row row[BENCH_ROWS_MAX];
  int count;
} bench_rows;

/* The rows of every operation in ops.def. */
void bench_rows_list(bench_rows *r);
/* For the cases: records one. */
bench_row *bench_rows_add(bench_rows *r, const char *name, const op *o, const void *attr, int n,
                          const bench_input *in);
void bench_rows_free(bench_rows *r);

#endif
