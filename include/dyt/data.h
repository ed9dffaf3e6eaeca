/* data - images and labels: formats, splits, augmentation, and the samples of a batch.
 *
 * A data set is opened once and holds up to three splits (train, val, test). The trainer draws an order of
 * the training
 * samples for each epoch and workers ask for single samples, which are decoded, augmented and normalized
 * where they
 * are needed: there is no queue. What is drawn for a sample depends on seed, epoch and sample only.
 *
 *   data_set d;
 *   if (data_open(&cfg, pool, &d, e)) return e->code;
 *   data_sample(&d, &d.train, order[i], &(data_draw){seed, epoch}, image, target, scratch);
 *   data_close(&d);
 *
 * A format is a file in src/data with one `data_format` (see data_format.h) and one line in formats.def.
 */
#ifndef DYT_DATA_H
#define DYT_DATA_H

#include "dyt/config.h"
#include "dyt/mem.h"
#include "dyt/real.h"
#include "dyt/work.h"

struct data_format;

/* The samples of one split as a user of the data sees them: a selection from what the format stores. */
typedef struct data_split {
  const char *name; /* "train" "val" "test" */
  int64_t n;        /* 0: there is no such split */
  int part;         /* which of the format's parts the indices refer to */
  int32_t *index;   /* [n] sample numbers in that part; owned by the data_set */
  int32_t *label;   /* [n] classes; owned by the data_set */
} data_split;

typedef struct data_set {
  int height, width, channels, classes; /* of every sample */
  char **class_names; /* [classes]; from data.class_names, else from the format, else "0", "1", ...; owned */
  real mean[CONFIG_CHANNELS_MAX], inv_std[CONFIG_CHANNELS_MAX];
  config_augment augment;
  data_split train, val, test;
  int64_t left_out;     /* pictures that could not be read (data.skip_bad) */
  size_t bytes;         /* memory held by decoded pixels and labels */
  char fingerprint[17]; /* hash of all pixels and labels (or of what makes them), hex */
  const struct data_format *format;
  void *state; /* the format's own; owned */
} data_set;

/* Which random draws a training sample gets; NULL in their place means as is (evaluation). */
typedef struct data_draw {
  uint64_t seed, epoch;
} data_draw;

/* Opens what c->data names, on all workers of `pool` (not needed later), and cuts it into splits: val_size training images held out (stratified by class,
 * by
 * split_seed), then train_fraction of the rest (stratified, nested, by train.seed). Checks it against
 * c->model: classes,
 * channels and image_size that are null there are filled in (config_fill); others must fit. So are the class names
 * that the data have, and a mean and std that are "auto": over all pixels of the training split, a channel each.
 * ST_USER: missing folder, truncated or corrupt file, label beyond the classes, sizes that do not fit, empty
 * split, no std to measure. */
st data_open(config *c, work_pool *pool, data_set *out, err *e);
/* The data set as the config of a run knows it, without any samples: sizes, class names (numbers where it has none) and
 * normalization. ST_USER: keys that only the data could settle. */
st data_recall(const config *c, data_set *out, err *e);
void data_close(data_set *d);

/* ST_USER with one sentence if a sample asked for since the data were opened could not be read: a file that is decoded
 * anew each time is gone, damaged or another one. Such samples were black: what was made of them must not be kept. To
 * be called after samples were used, by one thread. */
st data_check(const data_set *d, err *e);

/* Sample `i` of a split: image [channels, height, width] normalized, target [classes] one-hot (may be NULL).
 * With `draw`, augmented, but not mixed with others (dyt/mix.h). scratch holds data_scratch(d) bytes, aligned to 64. Allocates
 * nothing, unless pictures are decoded anew each time because memory is short; any number of threads at once. */
void data_sample(const data_set *d, const data_split *s, int64_t i, const data_draw *draw, real *image,
                 real *target, unsigned char *scratch);
size_t data_scratch(const data_set *d);

/* Bytes [height, width, channels] to the normalized numbers [channels, height, width] of a sample. */
void data_normalize(const data_set *d, const unsigned char *pixels, real *image);

/* Mean and standard deviation [channels] of the training split's pixels, from 0 to 1, not augmented; the same for any
 * number of threads. Where pictures are decoded anew, data_check afterwards. */
void data_measure(const data_set *d, work_pool *pool, double *mean, double *std);

/* data_sample in its parts, for those who keep the bytes: data_picture_bytes(d) bytes [height, width, channels], in the data set's
 * memory or in scratch; what becomes of them in numbers (normalized and, with `draw`, erased); the target. */
size_t data_picture_bytes(const data_set *d);
const unsigned char *data_picture(const data_set *d, const data_split *s, int64_t i, const data_draw *draw,
                                  unsigned char *scratch);
void data_image(const data_set *d, const data_split *s, int64_t i, const data_draw *draw,
                const unsigned char *picture, real *image);
void data_target(const data_set *d, const data_split *s, int64_t i, real *target);

/* The order in which an epoch visits the n samples of a split: out [n]. */
void data_order(uint64_t seed, uint64_t epoch, int64_t n, int32_t *out);

/* The pixel, 0 to 255, that a normalized number of a channel stands for: the nearest one. */
unsigned char data_pixel(const data_set *d, int channel, real x);

#endif
