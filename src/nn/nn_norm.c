#include "dyt/nn.h"
#include "dyt/ops.h"

#include <string.h>

/* gamma 1 and beta 0, as in every paper concerned. */
static const params_init one = {INIT_CONSTANT, 1}, zero = {INIT_CONSTANT, 0};

static void init_layernorm(nn_norm *m, params *p, int64_t channels) {
  if (!m->cfg.affine) return;
  m->weight = nn_param(p, m->path, "weight", SHAPE(channels), one, PARAM_TRAIN);
  m->bias = nn_param(p, m->path, "bias", SHAPE(channels), zero, PARAM_TRAIN);
}

static void init_rmsnorm(nn_norm *m, params *p, int64_t channels) {
  if (m->cfg.affine) m->weight = nn_param(p, m->path, "weight", SHAPE(channels), one, PARAM_TRAIN);
}

/* A fixed alpha is stored with the weights and gets no gradient. */
static void init_dyt(nn_norm *m, params *p, int64_t channels) {
  m->fn = k_fn_find(m->cfg.fn, K_NORM);
  REQUIRE(m->fn != K_FN_COUNT, "%s: no function %s", m->path, m->cfg.fn);
  int64_t alphas = strcmp(m->cfg.alpha_shape, "channel") == 0 ? channels : 1;
  m->alpha = nn_param(p, m->path, "alpha", SHAPE(alphas), (params_init){INIT_CONSTANT, m->cfg.alpha0},
                      m->cfg.alpha_learnable ? PARAM_TRAIN : 0);
  if (m->cfg.shift) m->shift = nn_param(p, m->path, "shift", SHAPE(1), zero, PARAM_TRAIN);
  init_layernorm(m, p, channels);
}

static void init_none(nn_norm *m, params *p, int64_t channels) { (void)m, (void)p, (void)channels; }

static val optional(tape *t, int index) { return index < 0 ? NO_VAL : tape_param(t, index); }

static val apply_layernorm(const nn_norm *m, tape *t, val x) {
  op_norm_attr attr = {.center = true, .eps = m->cfg.eps};
  return tape_emit(t, &op_norm, &attr, 3, (val[]){x, optional(t, m->weight), optional(t, m->bias)});
}

static val apply_rmsnorm(const nn_norm *m, tape *t, val x) {
  op_norm_attr attr = {.center = false, .eps = m->cfg.eps};
  return tape_emit(t, &op_norm, &attr, 2, (val[]){x, optional(t, m->weight)});
}

static val apply_dyt(const nn_norm *m, tape *t, val x) {
  op_pointwise_attr attr = {m->fn};
  return tape_emit(t, &op_pointwise, &attr, 5,
                   (val[]){x, tape_param(t, m->alpha), optional(t, m->shift), optional(t, m->weight),
                           optional(t, m->bias)});
}

static val apply_none(const nn_norm *m, tape *t, val x) {
  (void)m, (void)t;
  return x;
}

static const struct kind {
  const char *name;
  void (*init)(nn_norm *m, params *p, int64_t channels);
  val (*apply)(const nn_norm *m, tape *t, val x);
} kinds[] = {{"layernorm", init_layernorm, apply_layernorm},
             {"rmsnorm", init_rmsnorm, apply_rmsnorm},
             {"dyt", init_dyt, apply_dyt},
             {"none", init_none, apply_none}};

static const struct kind *kind_of(const nn_norm *m) {
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    if (strcmp(kinds[i].name, m->cfg.kind) == 0) return &kinds[i];
  REQUIRE(false, "%s: no norm of kind %s", m->path, m->cfg.kind);
}

void nn_norm_init(nn_norm *m, params *p, const char *path, const char *site, const config_norm *cfg,
                  int64_t channels) {
  *m = (nn_norm){.path = mem_strdup(path),
                 .site = site,
                 .cfg = *cfg,
                 .fn = K_FN_COUNT,
                 .alpha = -1,
                 .shift = -1,
                 .weight = -1,
                 .bias = -1};
  kind_of(m)->init(m, p, channels);
}

val nn_norm_apply(const nn_norm *m, tape *t, val x) {
  tape_tap(t, x, m->path);
  tape_scope(t, m->path);
  return kind_of(m)->apply(m, t, x);
}

void nn_norm_free(nn_norm *m) { mem_free(m->path); }
