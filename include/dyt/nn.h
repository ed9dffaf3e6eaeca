/* nn - modules: they register parameters when a model is built, and record operations when a tape is.
 *
 * A module is initialised once, under the path that its parameters have in a checkpoint, and applied to any
 * number of
 * tapes. Paths are copied; a module is freed by its _free (or lies in one that is).
 *
 *   nn_linear fc;
 *   nn_linear_init(&fc, &params, "blocks.0.mlp.fc1", 64, 128, NN_LINEAR_LAW, NN_BIAS_LAW);
 *   val y = nn_linear_apply(&fc, tape, x, K_identity);
 *   nn_linear_free(&fc);
 */
#ifndef DYT_NN_H
#define DYT_NN_H

#include "dyt/config.h"
#include "dyt/kernel.h"
#include "dyt/tape.h"

/* timm's initialisation of linear layers. */
#define NN_LINEAR_LAW ((params_init){INIT_TRUNC_NORMAL, 0.02})
#define NN_BIAS_LAW   ((params_init){INIT_CONSTANT, 0})

typedef struct nn_linear {
  char *path;
  int weight, bias; /* parameters PATH.weight [out, in] and PATH.bias [out] */
} nn_linear;

void nn_linear_init(nn_linear *m, params *p, const char *path, int64_t in, int64_t out, params_init weight,
                    params_init bias);
/* x [.., in] -> fn(x W^T + b) [.., out]; fn K_identity: none */
val nn_linear_apply(const nn_linear *m, tape *t, val x, k_fn fn);
void nn_linear_free(nn_linear *m);

/* A norm site: LayerNorm, RMSNorm, the point-wise norm or nothing, as its config says. */
typedef struct nn_norm {
  char *path;       /* e.g. "blocks.3.norm1" */
  const char *site; /* "attn" "ffn" "final" */
  config_norm cfg;
  k_fn fn; /* of kind "dyt" */
  int alpha, shift, weight,
      bias; /* parameters PATH.alpha [1] or [C], .shift [1], .weight [C], .bias [C]; -1: absent */
} nn_norm;

void nn_norm_init(nn_norm *m, params *p, const char *path, const char *site, const config_norm *cfg,
                  int64_t channels);
/* x [.., C] -> the same shape. Taps x under the module's path, so that its statistics can be taken. */
val nn_norm_apply(const nn_norm *m, tape *t, val x);
void nn_norm_free(nn_norm *m);

/* The residual stream that a branch ends in: stream + drop_path(dropout(linear(x))). */
typedef struct nn_residual {
  val stream;
  const char *path; /* of the branch, e.g. "blocks.3.attn" */
  double drop_path;
} nn_residual;

/* The last linear layer of a branch, dropout (recorded under `path`), stochastic depth and the addition. Without the
 * first two it is one operation. */
val nn_residual_apply(const nn_residual *r, tape *t, const nn_linear *last, const char *path, double dropout,
                      val x);

typedef struct nn_attention {
  char *path;
  nn_linear qkv, proj;
  int heads;
  double dropout; /* after proj */
} nn_attention;

void nn_attention_init(nn_attention *m, params *p, const char *path, int64_t dim, int heads, double dropout);
/* x [n, T, dim] -> the residual stream after this branch */
val nn_attention_apply(const nn_attention *m, tape *t, val x, const nn_residual *r);
void nn_attention_free(nn_attention *m);

typedef struct nn_mlp {
  char *path;
  nn_linear fc1, fc2;
  k_fn act;
  double dropout; /* after the activation and after fc2 */
} nn_mlp;

void nn_mlp_init(nn_mlp *m, params *p, const char *path, int64_t dim, int64_t hidden, k_fn act,
                 double dropout);
val nn_mlp_apply(const nn_mlp *m, tape *t, val x, const nn_residual *r);
void nn_mlp_free(nn_mlp *m);

/* A pre-norm transformer block: x + attn(norm1(x)), then x + mlp(norm2(x)). */
typedef struct nn_block {
  char *path;
  nn_norm norm1, norm2;
  nn_attention attn;
  nn_mlp mlp;
  double drop_path; /* of both branches */
} nn_block;

void nn_block_init(nn_block *m, params *p, const char *path, const config_model *cfg, double drop_path);
/* x [n, T, dim] -> the same shape */
val nn_block_apply(const nn_block *m, tape *t, val x);
void nn_block_free(nn_block *m);

/* x, or dropout of x where the rate is above 0, recorded under `path`. */
val nn_dropout(tape *t, const char *path, double rate, val x);

/* Registers PATH.NAME. */
int nn_param(params *p, const char *path, const char *name, shape s, params_init init, int flags);

#endif
