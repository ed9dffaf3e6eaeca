#include "record_file.h"

#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/stats.h"

#include <math.h>

const char *const record_steps_key[STEPS_COLUMNS] = {"step", "loss", "lr", "grad_norm"};
const char *const record_epochs_key[EPOCHS_COLUMNS] = {
    "epoch",     "step",      "train_loss", "train_acc1",      "val_loss",       "val_acc1",
    "test_loss", "test_acc1", "test_acc5",  "eval_train_loss", "eval_train_acc1"};

/* --- tables --- */

void record_widen(const record_table *t, int column, record_range *r) {
  for (int i = 0; i < t->rows; i++) {
    double v = record_at(t, i, column);
    if (isnan(v)) continue;
    r->low = fmin(r->low, v);
    r->high = fmax(r->high, v);
  }
}

bool record_has(const record_table *t, int column) {
  record_range r = RECORD_NOTHING;
  record_widen(t, column, &r);
  return r.low <= r.high;
}

bool record_on_validation(const record *r) { return record_has(&r->epochs, EPOCHS_VAL_LOSS); }

/* A step's rows stand together. */
int record_last_point(const record *r) {
  const record_table *t = &r->norms;
  for (int i = t->rows - r->layers; i >= 0 && r->layers; i--)
    if (record_at(t, i, NORMS_LAYER) == 0 &&
        record_at(t, i, NORMS_STEP) == record_at(t, i + r->layers - 1, NORMS_STEP))
      return i;
  return -1;
}

static double *column_of(const record_table *t, int column) {
  double *x = mem_new((size_t)t->rows + 1, sizeof *x);
  for (int i = 0; i < t->rows; i++) x[i] = record_at(t, i, column);
  return x;
}

record_end record_end_of(const record *r) {
  record_end end = {.points.columns = NORMS_COLUMNS};
  int first = record_last_point(r);
  for (int i = first; first >= 0 && i < first + r->layers; i++) {
    if (isnan(record_at(&r->norms, i, NORMS_ALPHA)) || isnan(record_at(&r->norms, i, NORMS_INV_STD)))
      continue;
    double *x = record_add_row(&end.points);
    for (int c = 0; c < NORMS_COLUMNS; c++) x[c] = record_at(&r->norms, i, c);
  }
  double *alpha = column_of(&end.points, NORMS_ALPHA), *inv_std = column_of(&end.points, NORMS_INV_STD);
  end.pearson = stats_pearson(alpha, inv_std, end.points.rows);
  mem_free(alpha);
  mem_free(inv_std);
  return end;
}

/* --- building --- */

double record_measured(double v) { return isfinite(v) && fabs(v) < 1e100 ? v : NAN; }

double *record_add_row(record_table *t) {
  size_t columns = (size_t)t->columns, room = (size_t)t->room;
  if (t->rows == t->room) {
    t->room = t->room ? 2 * t->room : 64;
    t->x = mem_grow(t->x, room * columns, (size_t)t->room * columns, sizeof *t->x);
  }
  return t->x + (size_t)t->rows++ * columns;
}

void record_add_layer(record *r, const char *name, const char *site) {
  r->layer = mem_grow(r->layer, (size_t)r->layers, (size_t)r->layers + 1, sizeof *r->layer);
  r->layer[r->layers++] = (record_layer){mem_strdup(name), mem_strdup(site)};
}

void record_add_prediction(record *r, int predicted, bool right) {
  size_t n = (size_t)r->images;
  if ((n & (n - 1)) == 0) { /* full at each power of two */
    r->predicted = mem_grow(r->predicted, n, n ? 2 * n : 1, sizeof *r->predicted);
    r->right = mem_grow(r->right, n, n ? 2 * n : 1, sizeof *r->right);
  }
  r->predicted[n] = predicted;
  r->right[n] = right;
  r->images++;
}

/* --- a record --- */

st record_read(record *r, const char *path, err *e) {
  r->steps.columns = STEPS_COLUMNS, r->epochs.columns = EPOCHS_COLUMNS, r->norms.columns = NORMS_COLUMNS;
  return file_what(path) == FILE_REGULAR ? record_read_file(r, path, e) : record_read_run(r, path, e);
}

void record_free(record *r) {
  for (int i = 0; i < r->layers; i++) {
    mem_free(r->layer[i].name);
    mem_free(r->layer[i].site);
  }
  mem_free(r->layer);
  mem_free(r->steps.x);
  mem_free(r->epochs.x);
  mem_free(r->norms.x);
  mem_free(r->shape);
  mem_free(r->predicted);
  mem_free(r->right);
  mem_free(r->name);
  mem_free(r->state);
  mem_free(r->message);
  cJSON_Delete(r->config);
  cJSON_Delete(r->env);
  *r = (record){0};
}
