/* ops - the operations and their attributes. The mathematics of each stands at the top of its file in
 * src/ops.
 *
 *   val y = tape_emit(t, &op_linear, &(op_linear_attr){K_identity}, 3, (val[]){x, weight, bias});
 *   val z = tape_emit(t, &op_activation, &(op_activation_attr){K_gelu}, 1, &y);
 */
#ifndef DYT_OPS_H
#define DYT_OPS_H

#include "dyt/kernel.h"
#include "dyt/op.h"

#define OP(name) extern const op op_##name;
#include "dyt/ops.def"

/* linear: x [.., in], weight [out, in] (or any shape whose rows are `out`), bias [out] or absent, residual [.., out] or
 * absent -> fn(x W^T + bias + residual) [.., out] */
typedef struct op_linear_attr {
  k_fn fn; /* K_identity: none; no other with a residual */
} op_linear_attr;

/* add: a, b of one shape -> a + b */

/* activation: x -> fn(x) */
typedef struct op_activation_attr {
  k_fn fn; /* of group K_ACT */
} op_activation_attr;

/* norm: x [.., C], gamma [C] or absent, beta [C] or absent -> LayerNorm (center) or RMSNorm of each row */
typedef struct op_norm_attr {
  bool center;
  double eps;
} op_norm_attr;

/* pointwise: x [.., C], alpha [1] or [C], shift [1] or absent, gamma [C] or absent, beta [C] or absent
 *            -> gamma * fn(alpha x + shift) + beta */
typedef struct op_pointwise_attr {
  k_fn fn; /* of group K_NORM */
} op_pointwise_attr;

/* attention: qkv [n, T, 3C], the channels being (3, heads, C/heads) -> [n, T, C] */
typedef struct op_attention_attr {
  int heads;
} op_attention_attr;

/* patchify: images [n, C, H, W] -> [n, H/p * W/p, C p p], patches in row order, numbers of a patch as a
 * convolution's weight */
typedef struct op_patchify_attr {
  int patch;
} op_patchify_attr;

/* prefix_tokens: x [n, P, C], token [1, 1, C], position [1, P+1, C] -> [n, P+1, C]: the token in front,
 * positions added */

/* token_mean: x [n, T, C] -> [n, C], the mean over tokens first .. T-1 */
typedef struct op_token_mean_attr {
  int first;
} op_token_mean_attr;

/* token_select: x [n, T, C] -> [n, C], the token of that index */
typedef struct op_token_select_attr {
  int index;
} op_token_select_attr;

/* dropout: x -> x with each number zeroed with probability rate and the others scaled by 1/(1-rate), in
 * training
 * drop_path: x [n, ..] -> the same for whole samples */
typedef struct op_dropout_attr {
  double rate;
} op_dropout_attr;

/* cross_entropy: logits [n, K], targets [n, K] (rows sum to 1) -> [1], the sum over samples of -sum_k t_k log
 * softmax(logits)_k,
 *                targets smoothed first: t (1 - smoothing) + smoothing / K */
typedef struct op_cross_entropy_attr {
  double smoothing;
} op_cross_entropy_attr;

#endif
