/* op - what the tape needs to know of an operation.
 *
 * An operation is a descriptor of functions in one file of src/ops and one line in ops.def. Its shape rule
 * runs when it
 * is recorded, so that the other two can trust what they get. Operations never allocate. backward writes the
 * gradient of
 * every input that wants one: it adds where `acc` is set or where the input is a parameter, and overwrites
 * otherwise.
 *
 * Gradient of `v` is `dv`. Loss gradients are of a sum over samples; the tape's seed carries the divisor.
 */
#ifndef DYT_OP_H
#define DYT_OP_H

#include "dyt/tensor.h"

#include <stddef.h>

enum { OP_IN_MAX = 8, OP_ATTR_MAX = 64 };

/* What a run tells every operation. */
typedef struct op_run {
  bool train;           /* dropout and drop path act */
  uint64_t seed, step;  /* of their draws */
  int64_t first_sample; /* position in the batch of sample 0 of this run */
} op_run;

/* At record time: shapes in, shapes out. */
typedef struct op_shapes {
  int n_in;
  shape in[OP_IN_MAX]; /* rank 0: an absent optional input */
  const void *attr;
  const char *path; /* for messages */
  /* set by infer */
  shape out;
  int64_t saved;   /* numbers to keep from forward to backward */
  int64_t scratch; /* numbers either pass may overwrite */
} op_shapes;

/* At run time. */
typedef struct op_call {
  const tensor *in; /* [OP_IN_MAX] */
  const tensor *out;
  const void *attr;
  real *saved;   /* NULL in a forward-only plan */
  real *scratch; /* NULL when infer asked for none */
  const char *path;
  const op_run *run;
} op_call;

enum { OP_OUT = 1 << OP_IN_MAX };
#define OP_IN(k) (1 << (k))

typedef struct op {
  const char *name;
  int min_in, max_in; /* inputs beyond min_in may be absent */
  size_t attr_size;   /* bytes of attributes, copied into the tape; at most OP_ATTR_MAX */
  int needs;          /* OP_IN(k), OP_OUT: whose values backward reads */
  int in_place; /* OP_IN(k): out may lie where in[k] lies, if that has the same shape and is not needed any more */
  int passes; /* OP_IN(k): the gradient of in[k] is the gradient of out, unchanged: they may share memory */
  void (*infer)(op_shapes *s);
  void (*forward)(const op_call *c);
  void (*backward)(const op_call *c);
  double (*flops)(const op_shapes *s); /* 2 x multiply-adds of a forward pass; NULL: none that count */
} op;

/* Ends the process with the node's path if a shape cannot be. */
#define OP_REQUIRE(s, condition, ...)                                                                        \
  do {                                                                                                       \
    if (!(condition)) op_shape_error((s), #condition, __VA_ARGS__);                                          \
  } while (0)
void op_shape_error(const op_shapes *s, const char *condition, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));

#endif
