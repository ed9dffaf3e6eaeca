/* vit: the Vision Transformer (Dosovitskiy et al. 2021) as timm builds it and the DyT paper trains it.
 *
 *   patch embedding, class token in front, position embeddings, `depth` pre-norm blocks, then
 *   pool avg:   mean of the patch tokens (the class token is left out), fc_norm, head
 *   pool token: norm, class token, head
 *
 * Initialisation as timm: linear layers truncated normal 0.02 with zero bias; the patch embedding keeps
 * PyTorch's convolution
 * default (uniform in +-1/sqrt(fan_in), weight and bias) unless patch_init_std is given; cls_token normal
 * 1e-6; pos_embed
 * truncated normal 0.02. Weight decay acts on weight matrices only. Layers, as BEiT and MAE count them: 0 embedding, tokens
 * and positions, i + 1 block i, depth + 1 the rest. */
#include "dyt/model.h"
#include "dyt/ops.h"
#include "models/vit_guess.h"

#include <math.h>
#include <string.h>

typedef struct vit {
  int patch_weight, patch_bias, cls_token, pos_embed;
  nn_block *block; /* [depth] */
  nn_norm norm;
  nn_linear head;
  bool average;
} vit;

static void build_patch_embedding(vit *v, params *p, const config_model *cfg) {
  int64_t in = cfg->channels * cfg->patch_size * cfg->patch_size;
  bool given = !isnan(cfg->patch_init_std);
  params_init uniform = {INIT_UNIFORM, 1 / sqrt((double)in)};
  v->patch_weight = nn_param(p, "patch_embed.proj", "weight",
                             SHAPE(cfg->dim, cfg->channels, cfg->patch_size, cfg->patch_size),
                             given ? (params_init){INIT_TRUNC_NORMAL, cfg->patch_init_std} : uniform,
                             PARAM_TRAIN | PARAM_DECAY | PARAM_MATRIX);
  v->patch_bias =
      nn_param(p, "patch_embed.proj", "bias", SHAPE(cfg->dim), given ? NN_BIAS_LAW : uniform, PARAM_TRAIN);
}

static void build(model *m) {
  const config_model *cfg = &m->cfg;
  params *p = &m->params;
  vit *v = m->state = mem_new(1, sizeof *v);
  int64_t side = cfg->image_size / cfg->patch_size, dim = cfg->dim;
  v->cls_token = params_add(p, "cls_token", SHAPE(1, 1, dim), (params_init){INIT_NORMAL, 1e-6}, PARAM_TRAIN);
  v->pos_embed = params_add(p, "pos_embed", SHAPE(1, side * side + 1, dim), NN_LINEAR_LAW, PARAM_TRAIN);
  build_patch_embedding(v, p, cfg);
  v->block = mem_new((size_t)cfg->depth + 1, sizeof *v->block);
  for (int i = 0; i < cfg->depth; i++) {
    char *path = mem_printf("blocks.%d", i);
    p->layer = i + 1;
    nn_block_init(&v->block[i], p, path, cfg, cfg->depth > 1 ? cfg->drop_path * i / (cfg->depth - 1) : 0);
    mem_free(path);
    model_add_norm(m, &v->block[i].norm1);
    model_add_norm(m, &v->block[i].norm2);
  }
  p->layer = cfg->depth + 1;
  v->average = strcmp(cfg->pool, "avg") == 0;
  nn_norm_init(&v->norm, p, v->average ? "fc_norm" : "norm", "final", &cfg->final, dim);
  model_add_norm(m, &v->norm);
  nn_linear_init(&v->head, p, "head", dim, cfg->classes, NN_LINEAR_LAW, NN_BIAS_LAW);
}

static val embed(const model *m, tape *t, val images) {
  const vit *v = m->state;
  tape_scope(t, "patch_embed");
  val patches = tape_emit(t, &op_patchify, &(op_patchify_attr){m->cfg.patch_size}, 1, &images);
  tape_scope(t, "patch_embed.proj");
  val x = tape_emit(t, &op_linear, &(op_linear_attr){K_identity}, 3,
                    (val[]){patches, tape_param(t, v->patch_weight), tape_param(t, v->patch_bias)});
  tape_scope(t, "pos_embed");
  x = tape_emit(t, &op_prefix_tokens, NULL, 3,
                (val[]){x, tape_param(t, v->cls_token), tape_param(t, v->pos_embed)});
  return nn_dropout(t, "pos_embed", m->cfg.dropout, x);
}

static val record(const model *m, tape *t, val images) {
  const vit *v = m->state;
  val x = embed(m, t, images);
  for (int i = 0; i < m->cfg.depth; i++) x = nn_block_apply(&v->block[i], t, x);
  if (v->average) {
    tape_scope(t, "pool");
    x = tape_emit(t, &op_token_mean, &(op_token_mean_attr){.first = 1}, 1, &x);
    x = nn_norm_apply(&v->norm, t, x);
  } else {
    x = nn_norm_apply(&v->norm, t, x);
    tape_scope(t, "pool");
    x = tape_emit(t, &op_token_select, &(op_token_select_attr){.index = 0}, 1, &x);
  }
  return nn_linear_apply(&v->head, t, x, K_identity);
}

static void vit_free(model *m) {
  vit *v = m->state;
  for (int i = 0; i < m->cfg.depth; i++) nn_block_free(&v->block[i]);
  mem_free(v->block);
  nn_norm_free(&v->norm);
  nn_linear_free(&v->head);
  mem_free(v);
}

const model_family model_vit = {"vit", build, record, vit_free, vit_guess};
