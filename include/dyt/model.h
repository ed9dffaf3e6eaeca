/* model - a network built from a config: its parameters, and how to record it on a tape.
 *
 * A family (vit) is a file in src/models with one descriptor, and a line in models.def.
 *
 *   model m;
 *   if (model_build(&m, &cfg.model, e)) return e->code;
 *   params_draw(&m.params, seed, pool);
 *   tape *t = tape_new(&m.params, samples);
 *   val logits = model_record(&m, t, tape_input(t, "images", model_input(&m, samples), false));
 *   model_free(&m);
 */
#ifndef DYT_MODEL_H
#define DYT_MODEL_H

#include "dyt/nn.h"
#include "dyt/safetensors.h"

typedef struct model {
  const struct model_family *family;
  config_model cfg; /* its strings belong to the config, which must outlive the model */
  params params;
  const nn_norm **norm; /* [norms] every norm site, in order of depth; they belong to the family's state */
  int norms;
  void *state; /* the family's own */
} model;

typedef struct model_family {
  const char *name;
  void (*build)(model *m);                            /* registers parameters, fills state and norms */
  val (*record)(const model *m, tape *t, val images); /* [n, C, H, W] -> logits [n, classes] */
  void (*free)(model *m);
  bool (*guess)(const safetensors *f, config_model *out); /* see model_guess.h */
} model_family;

/* Every family, up to a NULL. */
extern const model_family *const model_families[];

/* Builds the model of a checked config whose image_size, channels and classes are known; its parameters are
 * zero.
 * ST_USER when memory is lacking or a key is still unknown. */
st model_build(model *m, const config_model *cfg, err *e);
void model_free(model *m);
val model_record(const model *m, tape *t, val images);
/* The shape of its input for n samples. */
shape model_input(const model *m, int64_t n);
/* For build functions: appends to m->norm. */
void model_add_norm(model *m, const nn_norm *norm);

#endif
