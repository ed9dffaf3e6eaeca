#include "config_schema.h"

#include <math.h>
#include <string.h>

static const char *const families[] = {
#define MODEL(name) #name,
#include "dyt/models.def"
    NULL};
static const char *const formats[] = {
#define FORMAT(name) #name,
#include "dyt/formats.def"
    NULL};
#define NAME_NORM(name) #name,
#define NAME_ACT(name)
static const char *const norm_functions[] = {
#define FN(name, group) NAME_##group(name)
#include "dyt/functions.def"
    NULL};
#undef NAME_NORM
#undef NAME_ACT
#define NAME_NORM(name)
#define NAME_ACT(name) #name,
static const char *const activations[] = {
#define FN(name, group) NAME_##group(name)
#include "dyt/functions.def"
    NULL};
static const char *const kinds[] = {"layernorm", "rmsnorm", "dyt", "none", NULL};
static const char *const alpha_shapes[] = {"scalar", "channel", NULL};
static const char *const pools[] = {"avg", "token", NULL};
static const char *const optimizers[] = {"adamw", NULL};
static const char *const interpolations[] = {"bicubic", "bilinear", NULL};
static const char *const nonfinite[] = {"stop", NULL};

#define WHOLE   9007199254740992.0 /* 2^53: whole numbers up to here are exact in JSON */
#define ANY     INFINITY
#define AT(f)   offsetof(config, f)
#define NOWHERE CONFIG_NOWHERE
#define NORM(f) offsetof(config_norm, f)

const config_key config_norm_keys[] = {
    {"kind", CONFIG_CHOICE, "\"dyt\"", 0, 0, false, kinds, "what stands at the norm sites; none: nothing", NORM(kind), 0},
    {"fn", CONFIG_CHOICE, "\"tanh\"", 0, 0, false, norm_functions, "kind dyt: the function f in y = gamma f(alpha x + shift) + beta", NORM(fn), 0},
    {"alpha0", CONFIG_REAL, "0.5", -ANY, ANY, false, NULL, "kind dyt: alpha's initial value", NORM(alpha0), 0},
    {"alpha_learnable", CONFIG_BOOL, "true", 0, 0, false, NULL, "kind dyt: false keeps alpha at alpha0 (without alpha: 1 and false)", NORM(alpha_learnable), 0},
    {"alpha_shape", CONFIG_CHOICE, "\"scalar\"", 0, 0, false, alpha_shapes, "kind dyt: one alpha a layer, or one a channel", NORM(alpha_shape), 0},
    {"shift", CONFIG_BOOL, "false", 0, 0, false, NULL, "kind dyt: a learnable scalar added to alpha x (Derf)", NORM(shift), 0},
    {"affine", CONFIG_BOOL, "true", 0, 0, false, NULL, "gamma and beta (RMSNorm: gamma)", NORM(affine), 0},
    {"eps", CONFIG_REAL, "1e-6", 0, ANY, false, NULL, "kinds layernorm and rmsnorm: added to the variance", NORM(eps), 0},
};
const int config_norm_key_count = sizeof config_norm_keys / sizeof config_norm_keys[0];

const config_site config_sites[3] = {
    {"model.norm.attn", AT(model.attn)}, {"model.norm.ffn", AT(model.ffn)}, {"model.norm.final", AT(model.final)}};

const config_key config_keys[] = {
    {"model.family", CONFIG_CHOICE, "\"vit\"", 0, 0, false, families, "the kind of network", AT(model.family), 0},
    {"model.image_size", CONFIG_INT, "null", 1, 4096, false, NULL, "side of the square images; null: the data's", AT(model.image_size), 0},
    {"model.channels", CONFIG_INT, "null", 1, CONFIG_CHANNELS_MAX, false, NULL, "channels of the images; null: the data's", AT(model.channels), 0},
    {"model.patch_size", CONFIG_INT, "4", 1, 4096, false, NULL, "side of a patch; divides image_size", AT(model.patch_size), 0},
    {"model.dim", CONFIG_INT, "64", 1, 65536, false, NULL, "width; heads divide it", AT(model.dim), 0},
    {"model.depth", CONFIG_INT, "6", 0, 1000, false, NULL, "blocks", AT(model.depth), 0},
    {"model.heads", CONFIG_INT, "4", 1, 1024, false, NULL, "attention heads", AT(model.heads), 0},
    {"model.mlp_ratio", CONFIG_REAL, "2", 0, 64, true, NULL, "hidden width of the MLP over dim", AT(model.mlp_ratio), 0},
    {"model.act", CONFIG_CHOICE, "\"gelu\"", 0, 0, false, activations, "activation of the MLP; gelu is the exact one", AT(model.act), 0},
    {"model.classes", CONFIG_INT, "null", 2, 1000000, false, NULL, "classes; null: the data's", AT(model.classes), 0},
    {"model.pool", CONFIG_CHOICE, "\"avg\"", 0, 0, false, pools, "avg: mean of the patch tokens, then the final norm; token: final norm, then the class token", AT(model.pool), 0},
    {"model.dropout", CONFIG_REAL, "0", 0, 0.99, false, NULL, "after the position embedding, the attention projection and both MLP layers", AT(model.dropout), 0},
    {"model.drop_path", CONFIG_REAL, "0", 0, 0.99, false, NULL, "stochastic depth at the last block; rises linearly from 0 at the first", AT(model.drop_path), 0},
    {"model.patch_init_std", CONFIG_REAL, "null", 0, 100, false, NULL, "null: the patch embedding starts as a PyTorch convolution; a number: truncated normal of that std", AT(model.patch_init_std), 0},
    {"data.format", CONFIG_CHOICE, "\"idx\"", 0, 0, false, formats, "idx: MNIST's files, .gz or not; synthetic: made on demand", AT(data.format), 0},
    {"data.path", CONFIG_TEXT, "null", 0, 0, false, NULL, "folder of the data, from the current folder", AT(data.path), 0},
    {"data.mean", CONFIG_NUMBERS, "0", -ANY, ANY, false, NULL, "subtracted from pixels in 0..1; one value or one a channel", AT(data.mean), AT(data.n_mean)},
    {"data.std", CONFIG_NUMBERS, "1", 0, ANY, true, NULL, "divides what is left; one value or one a channel", AT(data.std), AT(data.n_std)},
    {"data.train_fraction", CONFIG_REAL, "1", 0, 1, true, NULL, "share of the training images used, stratified and nested, drawn by train.seed", AT(data.train_fraction), 0},
    {"data.val_size", CONFIG_INT64, "0", 0, WHOLE, false, NULL, "training images held out for validation, stratified, by split_seed", AT(data.val_size), 0},
    {"data.test_fraction", CONFIG_REAL, "0.2", 0, 1, true, NULL, "share held out for testing where the data has no test split", NOWHERE, 0},
    {"data.split_seed", CONFIG_INT64, "0", 0, WHOLE, false, NULL, "draws the validation images", AT(data.split_seed), 0},
    {"data.skip_bad", CONFIG_BOOL, "false", 0, 0, false, NULL, "leave out pictures that cannot be read (formats of picture files)", NOWHERE, 0},
    {"data.class_names", CONFIG_NAMES, "null", 0, 0, false, NULL, "names of the classes", AT(data.class_names), AT(data.n_class_names)},
    {"data.interpolation", CONFIG_CHOICE, "\"bicubic\"", 0, 0, false, interpolations, "how pictures of another size are resized (formats of picture files)", NOWHERE, 0},
    {"data.crop_pct", CONFIG_REAL, "1", 0, 1, true, NULL, "share of the resized side that the centre crop keeps (formats of picture files)", NOWHERE, 0},
    {"data.train_size", CONFIG_INT64, "10000", 1, 100000000, false, NULL, "format synthetic: training images", AT(data.train_size), 0},
    {"data.test_size", CONFIG_INT64, "2000", 1, 100000000, false, NULL, "format synthetic: test images", AT(data.test_size), 0},
    {"data.augment.crop_padding", CONFIG_INT, "0", 0, 1024, false, NULL, "pad with zeros on each side, then crop at random", AT(data.augment.crop_padding), 0},
    {"data.augment.resized_crop", CONFIG_LATER, "null", 0, 0, false, NULL, "random resized crop", 0, 0},
    {"data.augment.hflip", CONFIG_REAL, "0", 0, 1, false, NULL, "probability of a horizontal flip", AT(data.augment.hflip), 0},
    {"data.augment.randaugment", CONFIG_LATER, "null", 0, 0, false, NULL, "RandAugment", 0, 0},
    {"data.augment.mixup", CONFIG_LATER, "0", 0, 0, false, NULL, "mixup", 0, 0},
    {"data.augment.cutmix", CONFIG_LATER, "0", 0, 0, false, NULL, "cutmix", 0, 0},
    {"data.augment.erase", CONFIG_LATER, "0", 0, 0, false, NULL, "random erasing", 0, 0},
    {"optim.name", CONFIG_CHOICE, "\"adamw\"", 0, 0, false, optimizers, "the optimizer", AT(optim.name), 0},
    {"optim.lr", CONFIG_REAL, "1e-3", 0, ANY, false, NULL, "peak learning rate", AT(optim.lr), 0},
    {"optim.betas", CONFIG_PAIR, "[0.9, 0.999]", 0, 0.9999999, false, NULL, "decay of the two moments", AT(optim.betas), 0},
    {"optim.eps", CONFIG_REAL, "1e-8", 0, ANY, true, NULL, "added to the root of the second moment", AT(optim.eps), 0},
    {"optim.momentum", CONFIG_LATER, "0.9", 0, 0, false, NULL, "momentum of SGD", 0, 0},
    {"optim.weight_decay", CONFIG_REAL, "0.05", 0, ANY, false, NULL, "decoupled weight decay, on weight matrices only", AT(optim.weight_decay), 0},
    {"optim.clip_norm", CONFIG_REAL, "null", 0, ANY, true, NULL, "largest gradient norm; null: no clipping", AT(optim.clip_norm), 0},
    {"schedule.epochs", CONFIG_REAL, "10", 0, 1e9, true, NULL, "passes over the training images; may be a fraction", AT(schedule.epochs), 0},
    {"schedule.warmup_epochs", CONFIG_REAL, "1", 0, 1e9, false, NULL, "epochs in which the learning rate rises linearly", AT(schedule.warmup_epochs), 0},
    {"schedule.min_lr", CONFIG_REAL, "1e-6", 0, ANY, false, NULL, "where the cosine ends", AT(schedule.min_lr), 0},
    {"train.batch_size", CONFIG_INT, "128", 1, 1000000, false, NULL, "images a step", AT(train.batch_size), 0},
    {"train.shards", CONFIG_INT, "8", 1, 4096, false, NULL, "parts of a batch that workers share out; fixes the order of additions", AT(train.shards), 0},
    {"train.micro_batch", CONFIG_INT, "null", 1, 4096, false, NULL, "images a worker takes at once; null: what keeps activations in cache, from the model alone", AT(train.micro_batch), 0},
    {"train.seed", CONFIG_INT64, "0", 0, WHOLE, false, NULL, "fixes initial weights, data order and every augmentation draw", AT(train.seed), 0},
    {"train.label_smoothing", CONFIG_REAL, "0", 0, 0.99, false, NULL, "share of the target spread over all classes", AT(train.label_smoothing), 0},
    {"train.ema", CONFIG_LATER, "0", 0, 0, false, NULL, "moving average of the weights", 0, 0},
    {"train.max_steps", CONFIG_INT64, "null", 1, WHOLE, false, NULL, "end after so many steps; the schedule still spans the epochs", AT(train.max_steps), 0},
    {"train.eval_every", CONFIG_INT64, "null", 1, WHOLE, false, NULL, "evaluate every so many steps instead of each epoch", AT(train.eval_every), 0},
    {"train.probe_every", CONFIG_INT64, "null", 1, WHOLE, false, NULL, "rows of dyt.csv also every so many steps", AT(train.probe_every), 0},
    {"train.probe_samples", CONFIG_INT64, "256", 1, 1000000, false, NULL, "training images that the statistics of dyt.csv are over", AT(train.probe_samples), 0},
    {"train.eval_train", CONFIG_BOOL, "false", 0, 0, false, NULL, "at the end also loss and accuracy on the training images", AT(train.eval_train), 0},
    {"train.on_nonfinite", CONFIG_CHOICE, "\"stop\"", 0, 0, false, nonfinite, "what to do when a loss or gradient is not finite", AT(train.on_nonfinite), 0},
};
const int config_key_count = sizeof config_keys / sizeof config_keys[0];

static const char *const nouns[] = {[CONFIG_INT] = "a whole number",
                                    [CONFIG_INT64] = "a whole number",
                                    [CONFIG_REAL] = "a number",
                                    [CONFIG_BOOL] = "true or false",
                                    [CONFIG_TEXT] = "a string",
                                    [CONFIG_CHOICE] = "one of",
                                    [CONFIG_PAIR] = "a list of two numbers",
                                    [CONFIG_NUMBERS] = "a number or a list of numbers",
                                    [CONFIG_NAMES] = "a list of strings",
                                    [CONFIG_LATER] = "its default only"};

void config_expected(const config_key *k, str *out) {
  if (k->type == CONFIG_LATER) {
    str_addf(out, "%s (%s is not in this version)", k->fallback, k->help);
    return;
  }
  str_add(out, nouns[k->type]);
  for (int i = 0; k->choices && k->choices[i]; i++) str_addf(out, "%s \"%s\"", i ? "," : "", k->choices[i]);
  bool numeric = k->type == CONFIG_INT || k->type == CONFIG_INT64 || k->type == CONFIG_REAL || k->type == CONFIG_PAIR ||
                 k->type == CONFIG_NUMBERS;
  if (numeric && isfinite(k->min)) str_addf(out, k->above_min ? " above %.16g" : " from %.16g", k->min);
  if (numeric && isfinite(k->max)) str_addf(out, " to %.16g", k->max);
  if (strcmp(k->fallback, "null") == 0) str_add(out, ", or null");
}
