/* config - what a user may ask for: the JSON file, its schema, and the typed values the program works with.
 *
 * A config file is strict JSON with `//` comments, may name others in `_base_`, and is changed by `--set
 * key.path=VALUE`.
 * One table (the schema) holds every key with its type, default, range, allowed values and explanation;
 * checking, defaults,
 * `dyt config explain|schema|show` and the struct below all follow from it.
 *
 *   config c;
 *   if (config_load("configs/quick/fashion_dyt.json", sets, n_sets, &c, e)) return e->code;   // lists every
 * error
 *   train(&c);
 *   config_free(&c);
 */
#ifndef DYT_CONFIG_H
#define DYT_CONFIG_H

#include "dyt/err.h"
#include "dyt/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { CONFIG_CHANNELS_MAX = 16 };

/* One norm site, resolved: the keys of model.norm with those of model.norm.{attn,ffn,final} merged over them.
 * */
typedef struct config_norm {
  const char *kind; /* "layernorm" "rmsnorm" "dyt" "none" */
  const char *fn;   /* a NORM name of functions.def */
  double alpha0;
  bool alpha_learnable;
  const char *alpha_shape; /* "scalar" "channel" */
  bool shift, affine;
  double eps;
} config_norm;

typedef struct config_model {
  const char *family;                /* "vit" */
  int image_size, channels, classes; /* 0: null, taken from the data (config_fill) */
  int patch_size, dim, depth, heads;
  double mlp_ratio;
  const char *act;  /* an ACT name of functions.def */
  const char *pool; /* "avg" "token" */
  double dropout, drop_path;
  double patch_init_std; /* NAN: null */
  config_norm attn, ffn, final;
} config_model;

/* The string of data.augment.randaugment, read. */
typedef struct config_randaugment {
  int layers;       /* operations a picture; 0: off */
  double magnitude; /* 0 to 10 */
  double std;       /* of the magnitude drawn for each operation */
  bool increasing;  /* the operations of which a larger magnitude always does more */
} config_randaugment;

typedef struct config_augment {
  int crop_padding;
  double resized_crop[2]; /* shares of the area, least and most; 0, 0: off */
  double hflip, color_jitter;
  config_randaugment randaugment;
  double erase;
  double mixup, cutmix, mixup_prob, mixup_switch; /* mixup, cutmix: alpha; 0: off */
} config_augment;

typedef struct config_data {
  const char *format; /* a name of formats.def */
  const char *path;   /* NULL: null */
  double mean[CONFIG_CHANNELS_MAX], std[CONFIG_CHANNELS_MAX];
  int n_mean,
      n_std; /* how many were given: 1 or one a channel; 0: "auto", measured on the data (config_fill) */
  double train_fraction, test_fraction, crop_pct;
  bool skip_bad;
  const char *interpolation; /* "bicubic" "bilinear" */
  int64_t val_size, train_size, test_size;
  uint64_t split_seed;
  const char **class_names; /* NULL: null */
  int n_class_names;
  config_augment augment;
} config_data;

typedef struct config_optim {
  const char *name; /* an OPTIMIZER of optimizers.def */
  double lr, betas[2], eps, momentum, weight_decay, layer_decay;
  double clip_norm; /* 0: null, no clipping */
} config_optim;

typedef struct config_schedule {
  double epochs, warmup_epochs, min_lr;
} config_schedule;

/* Weights that a training begins with. */
typedef struct config_init_from {
  const char *path;  /* a weights file or a run directory; NULL: null */
  const char *xxh64; /* 16 hex digits; NULL: null */
} config_init_from;

typedef struct config_train {
  int batch_size, accumulate, shards;
  int micro_batch; /* 0: null, chosen from the model */
  uint64_t seed;
  config_init_from init_from;
  double label_smoothing, ema;                /* ema 0: off */
  int64_t max_steps, eval_every, probe_every; /* 0: null */
  int64_t probe_samples;
  bool eval_train, tensorboard;
  const char *on_nonfinite; /* "stop" */
} config_train;

/* Strings point into the config and live as long as it. */
typedef struct config {
  config_model model;
  config_data data;
  config_optim optim;
  config_schedule schedule;
  config_train train;
  struct config_tree *tree; /* the resolved JSON with the origin of every value; owned */
} config;

/* Reads `path` (its `_base_`s first), applies `sets` ("key.path=VALUE") in order, fills in defaults, checks
 * everything.
 * ST_USER lists every error with file, line, column, key path, what was found and what is allowed. */
st config_load(const char *path, const char *const *sets, int n_sets, config *out, err *e);
void config_free(config *c);

/* What keys say of each other: dim and heads, image_size and patch_size, ... config_load calls it; call it
 * again once config_fill has
 * settled a key. ST_USER with a sentence each. */
st config_check_shapes(const config *c, err *e);

/* Gives a value to a key that was left open (null or "auto"), because the data settled it ("model.image_size", 28); origin:
 * "the data". The same with numbers [n] for a list of them, and with names [n] (copied; UTF-8). A config that
 * was made by hand has nothing to own names: its own stay as they are. */
void config_fill(config *c, const char *key, double value);
void config_fill_numbers(config *c, const char *key, const double *value, int n);
void config_fill_names(config *c, const char *key, char *const *name, int n);
/* Fills what `c` leaves open with what was settled in `own`, the config of a run. */
void config_adopt(config *c, const config *own);

/* The resolved config as canonical JSON (fixed key order, two-space indentation, a newline at the end),
 * appended to `out`. */
void config_write(const config *c, str *out);
/* Hash of the resolved config as it was loaded, whatever the data settled since: 16 hex digits. Of the values that are not the
 * defaults: so a key that a later version adds leaves the hashes of runs as they are. */
void config_hash(const config *c, char out[17]);
/* For people: every key with its value and the origin of it (default, file:line, --set, the data), appended
 * to `out`. */
void config_show(const config *c, str *out);

/* The keys whose values differ between two configs, but for those in `ignore` (NULL-terminated, key paths):
 * appended to `out`
 * as "key.path (old -> new)", separated by ", ". Returns how many. */
int config_diff(const config *a, const config *b, const char *const *ignore, str *out);

/* The keys of the group `above` ("data.augment", "" for all) whose values are not the defaults, as a JSON object in one line,
 * appended to `out`; "{}": none. */
void config_changed(const config *c, const char *above, str *out);

/* JSON Schema (2020-12) of a config file, appended to `out`. */
void config_schema(str *out);
/* What a key (or every key below it, or all with "") means, its type, default and allowed values, appended to
 * `out`.
 * ST_USER with the nearest key when there is none. */
st config_explain(const char *key, str *out, err *e);

#endif
