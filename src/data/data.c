#include "dyt/data.h"

#include "data/augment.h"
#include "data/erase.h"
#include "data/resized_crop.h"
#include "data/split.h"
#include "dyt/data_format.h"
#include "dyt/mem.h"
#include "dyt/rng.h"
#include "dyt/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

enum { BYTE_VALUES = 256, LINE = 64 };
enum { NAMES_KEPT_MAX = 1 << 15 }; /* more would make a config.json of more values than are read (json.h) */

#define FORMAT(name) extern const data_format data_format_##name;
#include "dyt/formats.def"

static const data_format *const formats[] = {
#define FORMAT(name) &data_format_##name,
#include "dyt/formats.def"
};

/* data_set.state */
typedef struct opened {
  data_source source;
  resize_filter filter;
  augment augment;
  real scale[CONFIG_CHANNELS_MAX][BYTE_VALUES]; /* the normalized value of every byte */
} opened;

static const data_format *format_of(const char *name) {
  for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
    if (strcmp(formats[i]->name, name) == 0) return formats[i];
  REQUIRE(false, "no data format %s", name);
}

static opened *opened_of(const data_set *d) { return d->state; }

static augment_size size_of(const data_set *d) { return (augment_size){d->height, d->width, d->channels}; }

static size_t to_line(size_t bytes) { return (bytes + LINE - 1) / LINE * LINE; }

/* ---- what the data are, against what the config says ---- */

static const char *called(const config *c) { return c->data.path ? c->data.path : c->data.format; }

static st check_size(const config *c, const data_source *s, err *e) {
  if (s->height != s->width)
    return err_add(e, ST_USER, "%s: pictures of %d x %d: expected square ones", called(c), s->height,
                   s->width);
  if (s->height > DATA_SIDE_MAX)
    return err_add(e, ST_USER, "%s: pictures of %d x %d: expected at most %d x %d", called(c), s->height,
                   s->width, DATA_SIDE_MAX, DATA_SIDE_MAX);
  if (c->model.image_size && c->model.image_size != s->height)
    return err_add(
        e, ST_USER,
        "model.image_size: %d, but the pictures of %s are %d x %d and are not resized: expected %d or null",
        c->model.image_size, called(c), s->height, s->width, s->height);
  return ST_OK;
}

static bool fixes_normalization(const config *c) { return format_of(c->data.format)->std > 0; }

/* `given` values of a key that takes one, or one a channel, or none: "auto". */
static st check_per_channel(const config *c, const char *key, int given, int channels, err *e) {
  if (fixes_normalization(c) || given <= 1 || given == channels) return ST_OK;
  return err_add(e, ST_USER, "%s: %d values, but the pictures have %d channel%s: expected 1%s", key, given,
                 channels, channels == 1 ? "" : "s", channels == 1 ? "" : " or one a channel");
}

static st check_channels(const config *c, const data_source *s, err *e) {
  REQUIRE(s->channels >= 1 && s->channels <= CONFIG_CHANNELS_MAX, "%d channels", s->channels);
  if (c->model.channels && c->model.channels != s->channels)
    return err_add(e, ST_USER, "model.channels: %d, but the pictures of %s have %d: expected %d or null",
                   c->model.channels, called(c), s->channels, s->channels);
  st code = check_per_channel(c, "data.mean", c->data.n_mean, s->channels, e);
  st code2 = check_per_channel(c, "data.std", c->data.n_std, s->channels, e);
  return code ? code : code2;
}

static st check_labels(const data_part *part, int classes, err *e) {
  for (int64_t i = 0; i < part->n; i++)
    if (part->label[i] >= classes)
      return err_add(e, ST_USER,
                     "%s: label %" PRId32 " of sample %" PRId64 ", but model.classes is %d: expected 0 to %d",
                     part->where, part->label[i], i, classes, classes - 1);
  return ST_OK;
}

/* Classes that the data show: as many as are named, or the largest label and those below it; at least two. */
static int classes_seen(const data_source *s) {
  int classes = s->n_class_names > 2 ? s->n_class_names : 2;
  for (int p = 0; p < DATA_PARTS; p++)
    for (int64_t i = 0; i < s->part[p].n; i++)
      if (s->part[p].label[i] >= classes) classes = s->part[p].label[i] + 1;
  return classes;
}

static st check_classes(const config *c, const data_source *s, int classes, err *e) {
  st code = ST_OK;
  for (int p = 0; p < DATA_PARTS; p++)
    if (check_labels(&s->part[p], classes, e)) code = ST_USER;
  if (c->data.class_names && c->data.n_class_names != classes)
    code = err_add(e, ST_USER, "data.class_names: %d names, but there are %d classes", c->data.n_class_names,
                   classes);
  return code;
}

/* Checks the source against the config; then fills in what both have settled. */
static st settle(config *c, data_set *d, err *e) {
  const data_source *s = &opened_of(d)->source;
  int classes = c->model.classes ? c->model.classes : classes_seen(s);
  st bad[] = {check_size(c, s, e), check_channels(c, s, e), check_classes(c, s, classes, e)};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    if (bad[i]) return bad[i];
  d->height = s->height, d->width = s->width, d->channels = s->channels, d->classes = classes;
  d->augment = c->data.augment;
  if (d->augment.resized_crop[1] > 0) opened_of(d)->filter = resize_filter_named(c->data.interpolation);
  opened_of(d)->augment = (augment){.size = size_of(d), .cfg = d->augment};
  if (!c->model.image_size) config_fill(c, "model.image_size", d->height);
  if (!c->model.channels) config_fill(c, "model.channels", d->channels);
  if (!c->model.classes) config_fill(c, "model.classes", d->classes);
  return ST_OK;
}

/* ---- splits ---- */

/* A split of the samples i of a part with chosen[i] == value; of all if `chosen` is NULL. */
static data_split make_split(const data_source *source, int part, const char *name, const bool *chosen,
                             bool value) {
  const data_part *p = &source->part[part];
  data_split s = {.name = name, .part = part};
  s.index = mem_new((size_t)p->n, sizeof *s.index);
  s.label = mem_new((size_t)p->n, sizeof *s.label);
  for (int64_t i = 0; i < p->n; i++) {
    if (chosen && chosen[i] != value) continue;
    s.index[s.n] = (int32_t)i;
    s.label[s.n++] = p->label[i];
  }
  return s;
}

/* Keeps a share of a split's samples, at least one, in their order. */
static void keep_fraction(data_split *s, int classes, double fraction, uint64_t seed) {
  int64_t want = llround(fraction * (double)s->n), n = 0;
  if (want < 1) want = 1;
  bool *chosen = mem_new((size_t)s->n, sizeof *chosen);
  split_pick(s->label, s->n, classes, want, seed, "train_fraction", chosen);
  for (int64_t i = 0; i < s->n; i++) {
    if (!chosen[i]) continue;
    s->index[n] = s->index[i];
    s->label[n++] = s->label[i];
  }
  s->n = n;
  mem_free(chosen);
}

static st check_parts(const config *c, const data_source *s, err *e) {
  static const int needed[] = {DATA_TRAIN, DATA_TEST};
  static const char *const names[] = {"training", "test"};
  for (int i = 0; i < 2; i++)
    if (s->part[needed[i]].n == 0) return err_add(e, ST_USER, "%s: no %s pictures", called(c), names[i]);
  if (c->data.val_size < s->part[DATA_TRAIN].n) return ST_OK;
  return err_add(e, ST_USER,
                 "data.val_size: %" PRId64 ", but there are only %" PRId64
                 " training pictures: expected fewer",
                 c->data.val_size, s->part[DATA_TRAIN].n);
}

static st cut(const config *c, data_set *d, err *e) {
  const data_source *s = &opened_of(d)->source;
  if (check_parts(c, s, e)) return ST_USER;
  const data_part *train = &s->part[DATA_TRAIN];
  bool *held = mem_new((size_t)train->n, sizeof *held);
  split_pick(train->label, train->n, d->classes, c->data.val_size, c->data.split_seed, "val", held);
  d->train = make_split(s, DATA_TRAIN, "train", held, false);
  d->val = s->part[DATA_VAL].n ? make_split(s, DATA_VAL, "val", NULL, true)
                               : make_split(s, DATA_TRAIN, "val", held, true);
  d->test = make_split(s, DATA_TEST, "test", NULL, true);
  mem_free(held);
  keep_fraction(&d->train, d->classes, c->data.train_fraction, c->train.seed);
  return ST_OK;
}

/* ---- names ---- */

/* The name of class k as text that config.json can hold: the name of a folder may be any bytes. */
static char *name_of(const config *c, const data_source *s, int k) {
  str text = {0};
  str_add(&text, "");
  if (c->data.class_names)
    text_line(&text, c->data.class_names[k]);
  else if (k < s->n_class_names)
    text_line(&text, s->class_names[k]);
  else
    str_addf(&text, "%d", k);
  return text.data;
}

/* Those that the data have are kept with the config, so that a run knows them without the data. */
static void name_classes(config *c, data_set *d) {
  const data_source *s = &opened_of(d)->source;
  d->class_names = mem_new((size_t)d->classes, sizeof *d->class_names);
  for (int k = 0; k < d->classes; k++) d->class_names[k] = name_of(c, s, k);
  if (!c->data.class_names && s->n_class_names && d->classes <= NAMES_KEPT_MAX)
    config_fill_names(c, "data.class_names", d->class_names, d->classes);
}

/* ---- normalization ---- */

typedef int64_t histogram[CONFIG_CHANNELS_MAX][BYTE_VALUES];

/* How often each byte stands in each channel of the training images, as they are evaluated. */
typedef struct counting {
  const data_set *data;
  histogram *count;       /* [threads] */
  unsigned char *scratch; /* [threads][one] */
  size_t one;
} counting;

enum { COUNTING_TASKS = 64 };

static void count_bytes(void *context, int task, int worker) {
  const counting *t = context;
  const data_set *d = t->data;
  unsigned char *scratch = t->scratch + (size_t)worker * t->one;
  size_t C = (size_t)d->channels, numbers = augment_bytes(size_of(d));
  for (int64_t i = d->train.n * task / COUNTING_TASKS; i < d->train.n * (task + 1) / COUNTING_TASKS; i++) {
    const unsigned char *pixels =
        d->format->pixels(&opened_of(d)->source, d->train.part, d->train.index[i], scratch);
    for (size_t j = 0; j < numbers; j += C)
      for (size_t k = 0; k < C; k++) t->count[worker][k][pixels[j + k]]++;
  }
}

/* Of one channel, from 0 to 1: sums of whole numbers, exact below 2^53 and the same in any order. */
static void moments_of(const counting *t, int threads, int channel, double *mean, double *std) {
  double times[BYTE_VALUES] = {0}, n = 0, sum = 0, square = 0;
  for (int w = 0; w < threads; w++)
    for (int v = 0; v < BYTE_VALUES; v++) times[v] += (double)t->count[w][channel][v];
  for (int v = 0; v < BYTE_VALUES; v++) n += times[v], sum += times[v] * v;
  *mean = sum / n;
  for (int v = 0; v < BYTE_VALUES; v++) square += times[v] * (v - *mean) * (v - *mean);
  *mean /= BYTE_VALUES - 1;
  *std = sqrt(square / n) / (BYTE_VALUES - 1);
}

void data_measure(const data_set *d, work_pool *pool, double *mean, double *std) {
  size_t threads = (size_t)work_threads(pool);
  counting t = {.data = d, .count = mem_new(threads, sizeof(histogram)), .one = to_line(data_scratch(d))};
  t.scratch = mem_new(threads * t.one + 1, 1);
  work_run(pool, COUNTING_TASKS, count_bytes, &t);
  for (int k = 0; k < d->channels; k++) moments_of(&t, (int)threads, k, &mean[k], &std[k]);
  mem_free(t.count);
  mem_free(t.scratch);
}

/* Replaces "auto" by what the training images show. */
static st measure(config *c, const data_set *d, err *e) {
  double mean[CONFIG_CHANNELS_MAX], std[CONFIG_CHANNELS_MAX];
  bool of_mean = c->data.n_mean == 0, of_std = c->data.n_std == 0;
  if (fixes_normalization(c) || !(of_mean || of_std)) return ST_OK;
  data_measure(d, opened_of(d)->source.pool, mean, std);
  if (data_check(d, e)) return e->code;
  for (int k = 0; k < d->channels && of_std; k++)
    if (std[k] == 0)
      return err_add(
          e, ST_USER,
          "data.std: \"auto\", but all pixels of channel %d in the training images of %s are the same: "
          "expected a number",
          k, called(c));
  if (of_mean) config_fill_numbers(c, "data.mean", mean, d->channels);
  if (of_std) config_fill_numbers(c, "data.std", std, d->channels);
  return ST_OK;
}

static void set_scale(const config *c, data_set *d) {
  opened *o = opened_of(d);
  for (int k = 0; k < d->channels; k++) {
    bool fixed = fixes_normalization(c);
    double mean = fixed ? d->format->mean : c->data.mean[c->data.n_mean == 1 ? 0 : k];
    double std = fixed ? d->format->std : c->data.std[c->data.n_std == 1 ? 0 : k];
    d->mean[k] = (real)mean;
    d->inv_std[k] = (real)(1.0 / std);
    o->augment.fill[k] = (unsigned char)fmin(fmax(rint(255 * mean), 0), 255); /* as timm rounds it */
    for (int v = 0; v < BYTE_VALUES; v++) o->scale[k][v] = (real)((v / 255.0 - mean) / std);
  }
}

/* ---- fingerprint ---- */

/* Of the parts as stored, so that it does not depend on how they are split. */
static void set_fingerprint(data_set *d) {
  const data_source *s = &opened_of(d)->source;
  const int64_t head[] = {s->height, s->width, s->channels};
  uint64_t h = XXH64(head, sizeof head, s->pixel_hash);
  for (int p = 0; p < DATA_PARTS; p++) h = XXH64(s->part[p].label, (size_t)s->part[p].n * sizeof(int32_t), h);
  snprintf(d->fingerprint, sizeof d->fingerprint, "%016" PRIx64, h);
}

static size_t bytes_held(const data_set *d) {
  const data_source *s = &opened_of(d)->source;
  size_t labels = 0;
  for (int p = 0; p < DATA_PARTS; p++) labels += (size_t)s->part[p].n;
  labels += 2 * (size_t)(d->train.n + d->val.n + d->test.n);
  return s->bytes + labels * sizeof(int32_t);
}

/* ---- the public functions ---- */

st data_open(config *c, work_pool *pool, data_set *out, err *e) {
  opened *o = mem_new(1, sizeof *o);
  o->source.pool = pool;
  *out = (data_set){.format = format_of(c->data.format), .state = o};
  st code = out->format->open(c, &o->source, e);
  if (!code) code = settle(c, out, e);
  if (!code) code = cut(c, out, e);
  if (!code) code = measure(c, out, e);
  if (code) {
    data_close(out);
    return code;
  }
  name_classes(c, out);
  set_scale(c, out);
  set_fingerprint(out);
  out->bytes = bytes_held(out);
  out->left_out = opened_of(out)->source.left_out;
  return ST_OK;
}

/* What only the data could tell. */
static st check_known(const config *c, err *e) {
  const struct {
    const char *key;
    bool known;
  } needed[] = {{"model.image_size", c->model.image_size},
                {"model.channels", c->model.channels},
                {"model.classes", c->model.classes},
                {"data.mean", c->data.n_mean || fixes_normalization(c)},
                {"data.std", c->data.n_std || fixes_normalization(c)}};
  str open = {0};
  for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
    if (!needed[i].known) str_addf(&open, "%s%s", open.len ? ", " : "", needed[i].key);
  if (open.len)
    err_add(e, ST_USER,
            "%s: left to the data, and none are read here: expected the values that config.json of a run has",
            open.data);
  str_free(&open);
  if (c->data.class_names && c->model.classes && c->data.n_class_names != c->model.classes)
    err_add(e, ST_USER, "data.class_names: %d names, but there are %d classes", c->data.n_class_names,
            c->model.classes);
  return e->code;
}

st data_recall(const config *c, data_set *out, err *e) {
  *out = (data_set){0};
  if (check_known(c, e)) return e->code;
  opened *o = mem_new(1, sizeof *o);
  *out = (data_set){.height = c->model.image_size,
                    .width = c->model.image_size,
                    .channels = c->model.channels,
                    .classes = c->model.classes,
                    .format = format_of(c->data.format),
                    .state = o};
  out->class_names = mem_new((size_t)out->classes, sizeof *out->class_names);
  for (int k = 0; k < out->classes; k++) out->class_names[k] = name_of(c, &o->source, k);
  set_scale(c, out);
  return ST_OK;
}

static void close_source(const data_format *format, data_source *s) {
  if (format->close) format->close(s);
  for (int k = 0; k < s->n_class_names; k++) mem_free(s->class_names[k]);
  mem_free(s->class_names);
  for (int p = 0; p < DATA_PARTS; p++) {
    mem_free(s->part[p].label);
    mem_free(s->part[p].where);
  }
}

void data_close(data_set *d) {
  if (d->state) close_source(d->format, &opened_of(d)->source);
  for (int k = 0; d->class_names && k < d->classes; k++) mem_free(d->class_names[k]);
  mem_free(d->class_names);
  data_split *const splits[] = {&d->train, &d->val, &d->test};
  for (size_t i = 0; i < sizeof splits / sizeof splits[0]; i++) {
    mem_free(splits[i]->index);
    mem_free(splits[i]->label);
  }
  mem_free(d->state);
  *d = (data_set){0};
}

st data_check(const data_set *d, err *e) {
  return d->format->check ? d->format->check(&opened_of(d)->source, e) : ST_OK;
}

size_t data_picture_bytes(const data_set *d) { return augment_bytes(size_of(d)); }

/* ---- samples ---- */

/* Whether random crops are taken here, of what the format gives. */
static bool crops_pixels(const data_set *d) { return d->augment.resized_crop[1] > 0 && !d->format->crop; }

/* What the format wants; then, for crops of its picture, the crop and resized_crop's work. */
static size_t picture_scratch(const data_set *d) {
  size_t one = to_line(augment_bytes(size_of(d))), wanted = to_line(opened_of(d)->source.scratch);
  if (crops_pixels(d)) wanted = 2 * one + resize_room(d->height, d->width, d->channels, d->height, d->width);
  return wanted > one ? wanted : one;
}

/* A picture and what it takes, then two for the augmentation. */
size_t data_scratch(const data_set *d) { return picture_scratch(d) + 2 * augment_bytes(size_of(d)); }

/* What augmentation begins with: the picture, or a random part of it, by draws of its own. */
static const unsigned char *first_picture(const data_set *d, int part, int64_t i, const data_draw *draw,
                                          unsigned char *scratch) {
  const opened *o = opened_of(d);
  if (!draw || d->augment.resized_crop[1] == 0) return d->format->pixels(&o->source, part, i, scratch);
  rng r = rng_at(draw->seed, "resized_crop", draw->epoch, (uint64_t)i);
  if (!crops_pixels(d)) return d->format->crop(&o->source, i, &r, scratch);
  size_t one = to_line(augment_bytes(size_of(d)));
  picture p = {d->height, d->width, d->channels, NULL};
  resize_view whole = resize_whole(&p);
  whole.pixels = d->format->pixels(&o->source, part, i, scratch);
  resized_crop(&whole, d->augment.resized_crop, d->height, o->filter, &r, scratch + 2 * one, scratch + one);
  return scratch + one;
}

void data_normalize(const data_set *d, const unsigned char *pixels, real *image) {
  size_t C = (size_t)d->channels, area = (size_t)d->height * (size_t)d->width;
  for (size_t k = 0; k < C; k++) {
    const real *scale = opened_of(d)->scale[k];
    for (size_t i = 0; i < area; i++) image[k * area + i] = scale[pixels[i * C + k]];
  }
}

const unsigned char *data_picture(const data_set *d, const data_split *s, int64_t i, const data_draw *draw,
                                  unsigned char *scratch) {
  REQUIRE(i >= 0 && i < s->n, "sample %" PRId64 " of the %" PRId64 " of %s", i, s->n, s->name);
  const opened *o = opened_of(d);
  const unsigned char *pixels = first_picture(d, s->part, s->index[i], draw, scratch);
  if (!draw) return pixels;
  rng r = rng_at(draw->seed, "augment", draw->epoch, (uint64_t)s->index[i]);
  return augment_apply(&o->augment, pixels, &r, scratch + picture_scratch(d));
}

void data_image(const data_set *d, const data_split *s, int64_t i, const data_draw *draw,
                const unsigned char *pixels, real *image) {
  data_normalize(d, pixels, image);
  if (!draw || d->augment.erase == 0) return;
  rng r = rng_at(draw->seed, "erase", draw->epoch, (uint64_t)s->index[i]);
  erase(d->augment.erase, size_of(d), image, &r);
}

void data_target(const data_set *d, const data_split *s, int64_t i, real *target) {
  for (int k = 0; k < d->classes; k++) target[k] = (real)(k == s->label[i]);
}

void data_sample(const data_set *d, const data_split *s, int64_t i, const data_draw *draw, real *image,
                 real *target, unsigned char *scratch) {
  data_image(d, s, i, draw, data_picture(d, s, i, draw, scratch), image);
  if (target) data_target(d, s, i, target);
}

void data_order(uint64_t seed, uint64_t epoch, int64_t n, int32_t *out) {
  rng r = rng_at(seed, "order", epoch, 0);
  rng_permutation(&r, n, out);
}

unsigned char data_pixel(const data_set *d, int channel, real x) {
  double v = round(255 * ((double)x / (double)d->inv_std[channel] + (double)d->mean[channel]));
  return (unsigned char)fmin(255, fmax(0, v));
}
