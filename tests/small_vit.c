#include "small_vit.h"

#include "dyt/rng.h"

#include <math.h>
#include <string.h>

void small_vit_config(small_vit *s, const char *kind, const char *fn) {
  *s = (small_vit){.cfg = {.family = "vit",
                           .image_size = SMALL_SIDE,
                           .channels = 2,
                           .classes = SMALL_CLASSES,
                           .patch_size = 4,
                           .dim = 12,
                           .depth = 2,
                           .heads = 3,
                           .mlp_ratio = 2,
                           .act = "gelu",
                           .pool = "avg",
                           .patch_init_std = NAN}};
  config_norm n = {.kind = kind,
                   .fn = fn,
                   .alpha0 = 0.7,
                   .alpha_learnable = true,
                   .alpha_shape = "scalar",
                   .affine = true,
                   .eps = 1e-6};
  s->cfg.attn = s->cfg.ffn = s->cfg.final = n;
}

static void fill(void *context, int64_t first, int64_t n, real *const *slot, int worker) {
  const small_vit *s = context;
  (void)worker;
  memcpy(slot[0], s->image[first], (size_t)n * sizeof s->image[0]);
  memcpy(slot[1], s->target[first], (size_t)n * sizeof s->target[0]);
}

static void make_batch(small_vit *s) {
  support_fill("images", SMALL_IMAGES * 2 * SMALL_SIDE * SMALL_SIDE, -1.5, 1.5, s->image[0]);
  for (int i = 0; i < SMALL_IMAGES; i++) s->target[i][i % SMALL_CLASSES] = 1;
  s->feed = (engine_feed){fill, s};
}

/* gamma, beta, alpha and biases away from 1 and 0; weights large enough to matter. */
static void move_parameters(params *p) {
  for (int i = 0; i < p->count; i++) {
    rng r = rng_at(11, p->p[i].name, 1, 1);
    real *x = params_value(p, i);
    double spread = p->p[i].flags & PARAM_DECAY ? 0.25 : 0.15;
    for (int64_t j = 0; j < shape_numel(p->p[i].s); j++) x[j] += (real)(spread * rng_normal(&r));
  }
}

/* No plan that a test runs lets live blocks overlap. */
static void check_plans(const engine *g) {
  for (int n = 1; n <= g->micro_batch; n++)
    for (int mode = 0; mode < ENGINE_MODES; mode++) {
      err e = {0};
      if (g->by_count[n].plan[mode] && !plan_sound(g->by_count[n].plan[mode], &e)) fail_msg("%s", e.text);
    }
}

void small_vit_open(small_vit *s, int threads, int shards, int micro_batch, bool still) {
  err e = {0};
  assert_int_equal(model_build(&s->model, &s->cfg, &e), ST_OK);
  params_draw(&s->model.params, 5, NULL);
  move_parameters(&s->model.params);
  make_batch(s);
  s->pool = work_new(threads, NULL, NULL);
  engine_use use = {.shards = shards,
                    .micro_batch = micro_batch,
                    .label_smoothing = 0.1,
                    .seed = 9,
                    .still = still,
                    .train = {SMALL_IMAGES},
                    .eval = {SMALL_IMAGES},
                    .probe = SMALL_IMAGES};
  assert_int_equal(engine_open(&s->engine, &s->model, &task_classify, &use, s->pool, &e), ST_OK);
  check_plans(&s->engine);
}

void small_vit_close(small_vit *s) {
  engine_close(&s->engine);
  work_free(s->pool);
  model_free(&s->model);
}
