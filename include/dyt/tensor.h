/* tensor - a dense, row-major, contiguous block of numbers with its gradient.
 *
 * The last dimension is channels and varies fastest; the first one of an activation counts samples. A tensor
 * owns nothing: its
 * numbers lie in a workspace's arena, in the parameter store or in a shard's gradients. No strides, no views.
 *
 *   shape s = SHAPE(n, tokens, channels);
 *   int64_t rows = shape_rows(s);          // n * tokens
 */
#ifndef DYT_TENSOR_H
#define DYT_TENSOR_H

#include "dyt/real.h"

#include <stdbool.h>
#include <stdint.h>

enum { SHAPE_RANK_MAX = 4 };

typedef struct shape {
  int rank;
  int64_t dim[SHAPE_RANK_MAX]; /* dim[0 .. rank-1], each >= 1 */
} shape;

typedef struct tensor {
  shape s;
  real *x; /* values; NULL: an optional operand that is absent */
  real *g; /* gradient of the loss; NULL: not wanted */
  const real *
      panels; /* of a weight matrix [out, in]: packed for x W^T [out * in], then for dy W [out * in]; NULL: not packed */
  bool acc; /* in a backward pass: g already holds a contribution, add to it; otherwise overwrite it */
} tensor;

/* SHAPE(3, 4) is the shape [3, 4]. A macro, so that the dimensions may be any integers. */
#define SHAPE(...)                                                                                           \
  ((shape){.rank = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), .dim = {__VA_ARGS__}})
int64_t shape_numel(shape s);
int64_t shape_rows(shape s); /* product of all dimensions but the last */
int64_t shape_cols(shape s); /* the last dimension */
bool shape_equal(shape a, shape b);
/* "[3, 4]" into out[80]; returns out. */
char *shape_text(shape s, char out[80]);

#endif
