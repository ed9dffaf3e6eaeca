#include "dyt/nn.h"

#include <stdio.h>

enum { PATH_MAX_LENGTH = 256 };

static const char *below(char out[PATH_MAX_LENGTH], const char *path, const char *name) {
  snprintf(out, PATH_MAX_LENGTH, "%s.%s", path, name);
  return out;
}

void nn_block_init(nn_block *m, params *p, const char *path, const config_model *cfg, double drop_path) {
  char sub[PATH_MAX_LENGTH];
  *m = (nn_block){.path = mem_strdup(path), .drop_path = drop_path};
  int64_t hidden = (int64_t)(cfg->dim * cfg->mlp_ratio);
  nn_norm_init(&m->norm1, p, below(sub, path, "norm1"), "attn", &cfg->attn, cfg->dim);
  nn_attention_init(&m->attn, p, below(sub, path, "attn"), cfg->dim, cfg->heads, cfg->dropout);
  nn_norm_init(&m->norm2, p, below(sub, path, "norm2"), "ffn", &cfg->ffn, cfg->dim);
  nn_mlp_init(&m->mlp, p, below(sub, path, "mlp"), cfg->dim, hidden, k_fn_find(cfg->act, K_ACT),
              cfg->dropout);
}

val nn_block_apply(const nn_block *m, tape *t, val x) {
  nn_residual mixing = {x, m->attn.path, m->drop_path};
  x = nn_attention_apply(&m->attn, t, nn_norm_apply(&m->norm1, t, x), &mixing);
  nn_residual changing = {x, m->mlp.path, m->drop_path};
  return nn_mlp_apply(&m->mlp, t, nn_norm_apply(&m->norm2, t, x), &changing);
}

void nn_block_free(nn_block *m) {
  nn_norm_free(&m->norm1);
  nn_attention_free(&m->attn);
  nn_norm_free(&m->norm2);
  nn_mlp_free(&m->mlp);
  mem_free(m->path);
}
