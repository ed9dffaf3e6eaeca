/* A Vision Transformer known by timm's names. */
#include "vit_guess.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const safetensors_entry *find(const safetensors *f, int rank, const char *path, const char *name) {
  char full[256];
  snprintf(full, sizeof full, "%s%s", path, name);
  const safetensors_entry *t = safetensors_find(f, full);
  return t && t->rank == rank ? t : NULL;
}

static config_norm norm_at(const safetensors *f, const char *path) {
  const safetensors_entry *alpha = find(f, 1, path, ".alpha");
  bool weight = find(f, 1, path, ".weight"), bias = find(f, 1, path, ".bias");
  config_norm n = {.kind = alpha             ? "dyt"
                           : weight && !bias ? "rmsnorm"
                                             : "layernorm",
                   .alpha0 = 0.5,
                   .alpha_learnable = true,
                   .alpha_shape = alpha && alpha->shape[0] > 1 ? "channel" : "scalar",
                   .shift = find(f, 1, path, ".shift"),
                   .affine = weight,
                   .eps = 1e-6};
  n.fn = n.shift ? "erf" : "tanh";
  return n;
}

static int count_blocks(const safetensors *f) {
  char path[64];
  int depth = 0;
  do snprintf(path, sizeof path, "blocks.%d.attn.qkv.", depth);
  while (find(f, 2, path, "weight") && ++depth);
  return depth;
}

/* The ratio that gives back `hidden` when it is multiplied and cut off. */
static double ratio_of(int64_t hidden, int64_t dim) {
  double ratio = (double)hidden / (double)dim;
  if (ratio <= 0 || ratio > 64) return 2; /* no model's */
  return (int64_t)((double)dim * ratio) < hidden ? nextafter(ratio, INFINITY) : ratio;
}

static int suggest_heads(int64_t dim) {
  int heads = dim < 128 ? 1 : (int)(dim / 64);
  while (dim % heads) heads--;
  return heads;
}

static bool within(int64_t v, int64_t most) { return v >= 1 && v <= most; }

/* What a config can say; side: patches along an edge. */
static bool is_allowed(const safetensors_entry *patch, int64_t side, int64_t classes) {
  const int64_t *s = patch->shape; /* [dim, channels, height, width] */
  return within(s[0], 65536) && within(s[1], CONFIG_CHANNELS_MAX) && within(s[2], 4096) && s[2] == s[3] &&
         within(side, 4096 / s[2]) && (classes == 0 || (within(classes, 1000000) && classes > 1));
}

bool vit_guess(const safetensors *f, config_model *out) {
  const safetensors_entry *patch = find(f, 4, "patch_embed.proj", ".weight"),
                          *pos = find(f, 3, "pos_embed", "");
  const safetensors_entry *fc1 = find(f, 2, "blocks.0.mlp.fc1", ".weight"),
                          *head = find(f, 2, "head", ".weight");
  if (!patch || !pos) return false;
  int64_t dim = patch->shape[0], classes = head ? head->shape[0] : 0,
          side = lround(sqrt(fmax(0, (double)pos->shape[1] - 1)));
  if (!is_allowed(patch, side, classes)) return false;
  if (side * side + 1 != pos->shape[1] || pos->shape[2] != dim) return false;
  bool token = !find(f, 1, "fc_norm", ".weight") && !find(f, 1, "fc_norm", ".alpha") &&
               (find(f, 1, "norm", ".weight") || find(f, 1, "norm", ".alpha"));
  *out = (config_model){.family = "vit",
                        .image_size = (int)(side * patch->shape[2]),
                        .channels = (int)patch->shape[1],
                        .classes = (int)classes,
                        .patch_size = (int)patch->shape[2],
                        .dim = (int)dim,
                        .depth = count_blocks(f),
                        .heads = suggest_heads(dim),
                        .mlp_ratio = fc1 ? ratio_of(fc1->shape[0], dim) : 2,
                        .act = "gelu",
                        .pool = token ? "token" : "avg",
                        .patch_init_std = NAN,
                        .attn = norm_at(f, "blocks.0.norm1"),
                        .ffn = norm_at(f, "blocks.0.norm2"),
                        .final = norm_at(f, token ? "norm" : "fc_norm")};
  return true;
}
