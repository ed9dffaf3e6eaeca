/* What a run logged, read with distrust: other programs may have written it, and a training may be writing it now. */
#include "plot_runs.h"

#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/norm_stats.h"
#include "dyt/run.h"

#include <cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 4096, FILE_BYTES = 256 << 20, LAYERS_MAX = 1024 };

double *plot_add_row(plot_table *t) {
  size_t columns = (size_t)t->columns, room = (size_t)t->room;
  if (t->rows == t->room) {
    t->room = t->room ? 2 * t->room : 64;
    t->x = mem_grow(t->x, room * columns, (size_t)t->room * columns, sizeof *t->x);
  }
  return t->x + (size_t)t->rows++ * columns;
}

/* What no float holds is no measurement, and would overflow the axes. */
static double measured(double v) { return isfinite(v) && fabs(v) < 1e100 ? v : NAN; }

/* --- lines --- */

typedef struct line {
  const char *path;
  int number; /* from 1 */
  char text[LINE_BYTES];
} line;

typedef st line_reader(line *l, plot_run *r, err *e);

/* The last line is left out as long as it has no end: it is being written, or its writer was killed. */
static st read_text(line *l, const char *text, size_t size, line_reader *read, plot_run *r, err *e) {
  const char *end;
  for (st code = ST_OK; (end = memchr(text, '\n', size)); l->number++) {
    size_t n = (size_t)(end - text);
    if (n >= sizeof l->text)
      return err_add(e, ST_USER, "%s:%d: %zu bytes, expected a line of less than %d", l->path, l->number, n,
                     LINE_BYTES);
    if (memchr(text, '\0', n))
      return err_add(e, ST_USER, "%s:%d: expected text, found a NUL", l->path, l->number);
    memcpy(l->text, text, n);
    l->text[n] = '\0';
    if ((code = read(l, r, e))) return code;
    size -= n + 1;
    text = end + 1;
  }
  return ST_OK;
}

/* A file that is not there has no lines yet. */
static st read_lines(const char *folder, const char *name, line_reader *read, plot_run *r, err *e) {
  char *path = run_file(folder, name);
  file_bytes b = {0};
  line l = {.path = path, .number = 1};
  st code = file_what(path) == FILE_NONE ? ST_OK : file_read(path, FILE_BYTES, &b, e);
  if (!code && b.size) code = read_text(&l, (const char *)b.data, b.size, read, r, e);
  file_bytes_free(&b);
  mem_free(path);
  return code;
}

/* --- steps.jsonl, log.jsonl --- */

/* The first key is where the row stands, and must be there. */
static st read_object(const line *l, plot_table *t, const char *const *key, err *e) {
  cJSON *o = cJSON_Parse(l->text);
  const cJSON *first = cJSON_GetObjectItemCaseSensitive(o, key[0]);
  st code = ST_OK;
  if (!cJSON_IsObject(o))
    code = err_add(e, ST_USER, "%s:%d: expected a JSON object", l->path, l->number);
  else if (!cJSON_IsNumber(first) || !(first->valuedouble >= 0 && first->valuedouble < 1e15))
    code = err_add(e, ST_USER, "%s:%d: expected \"%s\": a number from 0", l->path, l->number, key[0]);
  double *x = code ? NULL : plot_add_row(t);
  for (int i = 0; x && i < t->columns; i++) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key[i]);
    x[i] = cJSON_IsNumber(v) ? measured(v->valuedouble) : NAN;
  }
  cJSON_Delete(o);
  return code;
}

static st read_step(line *l, plot_run *r, err *e) {
  static const char *const key[STEPS_COLUMNS] = {"step", "loss", "lr", "grad_norm"};
  return read_object(l, &r->steps, key, e);
}

static st read_epoch(line *l, plot_run *r, err *e) {
  static const char *const key[EPOCHS_COLUMNS] = {"epoch",    "step",     "train_loss", "train_acc1",
                                                  "val_loss", "val_acc1", "test_loss",  "test_acc1"};
  return read_object(l, &r->epochs, key, e);
}

/* --- dyt.csv --- */

enum { F_STEP = 0, F_LAYER = 2, F_INDEX, F_SITE, F_ALPHA = 7, F_INV_STD, FIELDS = 14 };

static int split(char *text, char **field) {
  int n = 0;
  for (char *p = text; p; n++) {
    char *comma = strchr(p, ',');
    if (n < FIELDS) field[n] = p;
    if (comma) *comma++ = '\0';
    p = comma;
  }
  return n;
}

/* An empty field is a number that is not there. */
static st read_number(const line *l, const char *name, const char *text, double *v, err *e) {
  char *end;
  *v = NAN;
  if (!*text) return ST_OK;
  *v = strtod(text, &end);
  if (*end) return err_add(e, ST_USER, "%s:%d: %s: expected a number or nothing", l->path, l->number, name);
  *v = measured(*v);
  return ST_OK;
}

static bool is_path(const char *s) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
  return *s && s[strspn(s, letters)] == '\0';
}

/* The first logged step names the layers in order. */
static st note_layer(const line *l, plot_run *r, double index, char *const *field, err *e) {
  int i = index >= 0 && index < LAYERS_MAX ? (int)index : -1;
  if (i < 0 || i != index || i > r->layers)
    return err_add(e, ST_USER, "%s:%d: index: expected a whole number from 0 to %d", l->path, l->number,
                   r->layers < LAYERS_MAX ? r->layers : LAYERS_MAX - 1);
  if (!is_path(field[F_LAYER]) || !is_path(field[F_SITE]))
    return err_add(e, ST_USER, "%s:%d: layer and site: expected letters, digits, . and _", l->path,
                   l->number);
  if (i < r->layers && (strcmp(r->layer[i].name, field[F_LAYER]) || strcmp(r->layer[i].site, field[F_SITE])))
    return err_add(e, ST_USER, "%s:%d: layer %d is %s (%s), and was %s (%s) before", l->path, l->number, i,
                   field[F_LAYER], field[F_SITE], r->layer[i].name, r->layer[i].site);
  if (i == r->layers) {
    r->layer = mem_grow(r->layer, (size_t)i, (size_t)i + 1, sizeof *r->layer);
    r->layer[r->layers++] = (plot_layer){mem_strdup(field[F_LAYER]), mem_strdup(field[F_SITE])};
  }
  return ST_OK;
}

static st read_norm(line *l, plot_run *r, err *e) {
  static const char header[] = NORM_STATS_HEADER;
  char *field[FIELDS];
  double step, index, alpha, inv_std;
  if (l->number == 1)
    return strncmp(l->text, header, sizeof header - 2) == 0 && !l->text[sizeof header - 2]
               ? ST_OK
               : err_add(e, ST_USER, "%s:1: expected the header %.*s", l->path, (int)sizeof header - 2,
                         header);
  int n = split(l->text, field);
  if (n != FIELDS) return err_add(e, ST_USER, "%s:%d: %d fields, expected %d", l->path, l->number, n, FIELDS);
  st code = read_number(l, "step", field[F_STEP], &step, e);
  if (!code) code = read_number(l, "index", field[F_INDEX], &index, e);
  if (!code) code = read_number(l, "alpha", field[F_ALPHA], &alpha, e);
  if (!code) code = read_number(l, "inv_std", field[F_INV_STD], &inv_std, e);
  if (!code && !(step >= 0 && step < 1e15))
    code = err_add(e, ST_USER, "%s:%d: step: expected a number from 0", l->path, l->number);
  if (!code) code = note_layer(l, r, index, field, e);
  if (code) return code;
  double *x = plot_add_row(&r->norms);
  x[NORMS_STEP] = step, x[NORMS_LAYER] = index, x[NORMS_ALPHA] = alpha, x[NORMS_INV_STD] = inv_std;
  return ST_OK;
}

/* --- a run --- */

static bool is_run(const char *path) {
  char *file = run_file(path, "config.json");
  bool yes = file_what(file) == FILE_REGULAR;
  mem_free(file);
  return yes;
}

/* What a reader of the picture must know: " (diverged)", for a run that has not ended well, or not yet. */
static void note_state(plot_run *r, const char *path) {
  static const char *const states[] = {"running", "diverged", "failed", "interrupted"};
  char *status = run_file(path, "status.json");
  file_bytes b = {0};
  cJSON *o = file_read(status, 1 << 20, &b, NULL) ? NULL : cJSON_Parse((const char *)b.data);
  const char *state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "state"));
  for (size_t i = 0; state && i < sizeof states / sizeof *states; i++) {
    if (strcmp(state, states[i])) continue;
    char *name = mem_printf("%s (%s)", r->name, state);
    mem_free(r->name);
    r->name = name;
  }
  cJSON_Delete(o);
  file_bytes_free(&b);
  mem_free(status);
}

st plot_read(plot_run *r, const char *path, err *e) {
  r->steps.columns = STEPS_COLUMNS, r->epochs.columns = EPOCHS_COLUMNS, r->norms.columns = NORMS_COLUMNS;
  if (!is_run(path)) return err_add(e, ST_USER, "%s: no run directory: there is no config.json in it", path);
  st code = read_lines(path, "steps.jsonl", read_step, r, e);
  if (!code) code = read_lines(path, "log.jsonl", read_epoch, r, e);
  if (!code) code = read_lines(path, "dyt.csv", read_norm, r, e);
  if (!code && !r->steps.rows && !r->epochs.rows && !r->norms.rows)
    code = err_add(e, ST_USER, "%s: nothing to draw yet: no whole line in steps.jsonl, log.jsonl and dyt.csv",
                   path);
  if (!code) note_state(r, path);
  return code;
}

void plot_run_free(plot_run *r) {
  for (int i = 0; i < r->layers; i++) {
    mem_free(r->layer[i].name);
    mem_free(r->layer[i].site);
  }
  mem_free(r->layer);
  mem_free(r->steps.x);
  mem_free(r->epochs.x);
  mem_free(r->norms.x);
  mem_free(r->name);
  *r = (plot_run){0};
}
