/* record - what a training run logged, in memory and as one small file.
 *
 * A run directory is large and temporary; its **record** is what tables and pictures need of it: the resolved config, the
 * state, the logs, what it predicted for the test split, and the shapes of its norm layers. As a file it is JSON, compressed
 * by gzip (`zcat ID.json.gz | python3 -m json.tool`), under 23 KB for the shipped studies: numbers of norm layers are rounded
 * to 5 digits and at most RECORD_POINTS logging points are kept. Study tables are made of record files only, so that they do
 * not depend on whether the run is still there.
 *
 *   record r = {0};
 *   if (!record_read(&r, "runs/0123456789abcdef.json.gz", e)) printf("%s\n", record_state_name(&r));     // or a run directory
 *   record_free(&r);
 */
#ifndef DYT_RECORD_H
#define DYT_RECORD_H

#include "dyt/err.h"
#include "dyt/probe.h"

#include <cJSON.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

enum { RECORD_POINTS = 64 };

/* Columns of the three tables: keys of steps.jsonl and log.jsonl, columns of dyt.csv. */
enum { STEPS_STEP, STEPS_LOSS, STEPS_LR, STEPS_GRAD_NORM, STEPS_COLUMNS };
enum {
  EPOCHS_EPOCH,
  EPOCHS_STEP,
  EPOCHS_TRAIN_LOSS,
  EPOCHS_TRAIN_ACC1,
  EPOCHS_VAL_LOSS,
  EPOCHS_VAL_ACC1,
  EPOCHS_TEST_LOSS,
  EPOCHS_TEST_ACC1,
  EPOCHS_TEST_ACC5,
  EPOCHS_EVAL_TRAIN_LOSS,
  EPOCHS_EVAL_TRAIN_ACC1,
  EPOCHS_COLUMNS
};
enum { NORMS_STEP, NORMS_EPOCH, NORMS_LAYER, NORMS_ALPHA, NORMS_INV_STD, NORMS_SATURATED, NORMS_COLUMNS };
extern const char *const record_steps_key[STEPS_COLUMNS], *const record_epochs_key[EPOCHS_COLUMNS];

typedef struct record_table {
  int columns, rows, room;
  double *x; /* [rows][columns]; NaN: absent, null or not finite */
} record_table;

typedef struct record_layer {
  char *name, *site; /* "blocks.3.norm1", "attn" */
} record_layer;

/* Zero-initialise; record_free. */
typedef struct record {
  char *name;                        /* as in a legend; the caller's to set, freed with the record */
  char *state;                       /* "running" "done" "diverged" "failed" "interrupted" */
  char *message;                     /* why it diverged or failed; NULL */
  double seconds;                    /* of training, evaluation included; NaN: not known */
  cJSON *config;                     /* resolved */
  cJSON *env;                        /* env.json; of a record file without host and time; NULL */
  record_table steps, epochs, norms; /* norms: a row a layer and logging point, those of a point together */
  record_layer *layer;               /* [layers] */
  int layers;
  probe_shape *shape; /* [layers]; NULL: not measured */
  int images;         /* of the test split at the end; 0: none */
  int *predicted;     /* [images] class; NULL: none */
  bool *right;        /* [images] */
} record;

/* Reads a record file or a run directory, which may still be training. ST_USER: neither, nothing in its logs, or a log that
 * cannot be. */
st record_read(record *r, const char *path, err *e);
void record_free(record *r);
/* Writes the record of a run directory to a file, atomically, with the shapes [shapes] of its norm layers where they were
 * measured (NULL: not). The same run gives the same bytes but for its seconds. */
st record_write(const char *run, const probe_shape *shape, int shapes, const char *file, err *e);

static inline double record_at(const record_table *t, int row, int column) {
  return t->x[(size_t)row * (size_t)t->columns + (size_t)column];
}
/* A new row [columns], not filled. */
double *record_add_row(record_table *t);

/* Smallest and largest of what is finite; low > high: nothing is. */
typedef struct record_range {
  double low, high;
} record_range;
#define RECORD_NOTHING ((record_range){INFINITY, -INFINITY})

/* Grows a range by the finite numbers of a column. */
void record_widen(const record_table *t, int column, record_range *r);
/* Whether a column has a finite number. */
bool record_has(const record_table *t, int column);
/* Whether a run is judged on a validation split: else on its test split. */
bool record_on_validation(const record *r);

/* The first row of the last logging point that has a row for every layer; -1: there is none. */
int record_last_point(const record *r);

/* The last step at which every layer was logged: its alphas and 1/std where both are finite, and Pearson's r of them (NaN:
 * less than two layers, or one of both is the same in all). */
typedef struct record_end {
  record_table points; /* as record.norms; x to be freed by mem_free */
  double pearson;
} record_end;
record_end record_end_of(const record *r);

#endif
