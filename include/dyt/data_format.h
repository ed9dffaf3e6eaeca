/* data_format - what a data format has to provide: labels at once, pixels sample by sample.
 *
 * A format reads what a config's `data` names into a `data_source`. It knows nothing of splits, augmentation
 * or normalization: those are the same for all formats (data.c, split.c, augment.c). Pixels are unsigned
 * bytes, height x width x channels; a format that holds them in memory hands out a pointer, one that decodes
 * or draws them does so into the caller's scratch.
 *
 * A new format is a file src/data/format_NAME.c with
 *
 *   const data_format data_format_NAME = {.name = "NAME", .open = open_NAME, .pixels = pixels_NAME, .close =
 * close_NAME};
 *
 * and a line FORMAT(NAME) in formats.def.
 */
#ifndef DYT_DATA_FORMAT_H
#define DYT_DATA_FORMAT_H

#include "dyt/config.h"
#include "dyt/rng.h"
#include "dyt/work.h"

#include <stddef.h>
#include <stdint.h>

/* The parts in which a format stores its samples. Without a validation part one can be cut out of the
 * training part. */
enum { DATA_TRAIN, DATA_VAL, DATA_TEST, DATA_PARTS };

enum { DATA_SIDE_MAX = 4096 }; /* longest side of a picture: its bytes can be counted in int */

typedef struct data_part {
  int64_t n;      /* samples; 0: there is no such part */
  int32_t *label; /* [n] classes, from 0; mem_new */
  char *where;    /* what a message about these labels should name, such as the file; mem_new */
} data_part;

/* What a format opened. All of it belongs to the source and is freed by data_source_close. */
typedef struct data_source {
  work_pool *pool;             /* set by the caller of `open`, for `open` alone */
  int height, width, channels; /* of every sample */
  char **class_names;          /* [n_class_names] or NULL; mem_new, as each name is */
  int n_class_names;
  data_part part[DATA_PARTS];
  int64_t left_out;    /* pictures that could not be read and are in no part */
  size_t bytes;        /* memory held for pixels */
  size_t scratch;      /* that `pixels` and `crop` want; 0: one picture */
  uint64_t pixel_hash; /* of all pixels, or of what they are made from */
  void *state;         /* the format's own */
} data_source;

typedef struct data_format {
  const char *name;
  double mean, std; /* normalization that the format fixes, of pixels in 0..1; std 0: as configured */
  /* Fills a source that is zero but for its pool. On failure (ST_USER, one sentence naming the file, what was found and what was
   * expected) the caller closes what there is. Labels beyond model.classes need no check here. */
  st (*open)(const config *c, data_source *s, err *e);
  /* Pixels of sample i of a part, [height, width, channels]: memory of the source, or `scratch` (aligned to 64
   * bytes) filled. Any number of threads at once; allocates nothing, unless the format says at `open` that it
   * decodes anew. */
  const unsigned char *(*pixels)(const data_source *s, int part, int64_t i, unsigned char *scratch);
  /* The same of a random part (resized_crop.h) of the training picture as it was before it was brought to its
   * size; data.augment.resized_crop is on. NULL: crops are taken of `pixels`. */
  const unsigned char *(*crop)(const data_source *s, int64_t i, rng *r, unsigned char *scratch);
  /* ST_USER once a sample asked for could not be read (its pixels are then 0): the first of them in the order of the
   * files. NULL: that cannot be. */
  st (*check)(const data_source *s, err *e);
  /* Frees `state`, which may be NULL or half made; may itself be NULL. */
  void (*close)(data_source *s);
} data_format;

#endif
