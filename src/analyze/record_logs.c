/* What a run logged, read with distrust: other programs may have written it, and a training may be writing it now. */
#include "record_file.h"

#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/norm_stats.h"
#include "dyt/run.h"

#include <cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 4096, FILE_BYTES = 256 << 20 };

/* --- lines --- */

typedef struct line {
  const char *path;
  int number; /* from 1 */
  char text[LINE_BYTES];
} line;

typedef st line_reader(line *l, record *r, err *e);

/* The last line is left out as long as it has no end: it is being written, or its writer was killed. */
static st read_text(line *l, const char *text, size_t size, line_reader *read, record *r, err *e) {
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
static st read_lines(const char *folder, const char *name, line_reader *read, record *r, err *e) {
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
static st read_object(const line *l, record_table *t, const char *const *key, err *e) {
  cJSON *o = cJSON_Parse(l->text);
  const cJSON *first = cJSON_GetObjectItemCaseSensitive(o, key[0]);
  st code = ST_OK;
  if (!cJSON_IsObject(o))
    code = err_add(e, ST_USER, "%s:%d: expected a JSON object", l->path, l->number);
  else if (!cJSON_IsNumber(first) || !(first->valuedouble >= 0 && first->valuedouble < 1e15))
    code = err_add(e, ST_USER, "%s:%d: expected \"%s\": a number from 0", l->path, l->number, key[0]);
  double *x = code ? NULL : record_add_row(t);
  for (int i = 0; x && i < t->columns; i++) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key[i]);
    x[i] = cJSON_IsNumber(v) ? record_measured(v->valuedouble) : NAN;
  }
  cJSON_Delete(o);
  return code;
}

static st read_step(line *l, record *r, err *e) { return read_object(l, &r->steps, record_steps_key, e); }

static st read_epoch(line *l, record *r, err *e) { return read_object(l, &r->epochs, record_epochs_key, e); }

/* --- dyt.csv --- */

enum { F_STEP, F_EPOCH, F_LAYER, F_INDEX, F_SITE, F_ALPHA = 7, F_INV_STD, F_SATURATED = 12, FIELDS = 14 };

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
  *v = record_measured(*v);
  return ST_OK;
}

static bool is_path(const char *s) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
  return *s && s[strspn(s, letters)] == '\0';
}

/* The first logged step names the layers in order. */
static st note_layer(const line *l, record *r, double index, char *const *field, err *e) {
  int i = index >= 0 && index < RECORD_LAYERS_MAX ? (int)index : -1;
  if (i < 0 || i != index || i > r->layers)
    return err_add(e, ST_USER, "%s:%d: index: expected a whole number from 0 to %d", l->path, l->number,
                   r->layers < RECORD_LAYERS_MAX ? r->layers : RECORD_LAYERS_MAX - 1);
  if (!is_path(field[F_LAYER]) || !is_path(field[F_SITE]))
    return err_add(e, ST_USER, "%s:%d: layer and site: expected letters, digits, . and _", l->path,
                   l->number);
  if (i < r->layers && (strcmp(r->layer[i].name, field[F_LAYER]) || strcmp(r->layer[i].site, field[F_SITE])))
    return err_add(e, ST_USER, "%s:%d: layer %d is %s (%s), and was %s (%s) before", l->path, l->number, i,
                   field[F_LAYER], field[F_SITE], r->layer[i].name, r->layer[i].site);
  if (i == r->layers) record_add_layer(r, field[F_LAYER], field[F_SITE]);
  return ST_OK;
}

static st read_norm(line *l, record *r, err *e) {
  static const char header[] = NORM_STATS_HEADER;
  char *field[FIELDS];
  double x[NORMS_COLUMNS];
  if (l->number == 1)
    return strncmp(l->text, header, sizeof header - 2) == 0 && !l->text[sizeof header - 2]
               ? ST_OK
               : err_add(e, ST_USER, "%s:1: expected the header %.*s", l->path, (int)sizeof header - 2,
                         header);
  int n = split(l->text, field);
  if (n != FIELDS) return err_add(e, ST_USER, "%s:%d: %d fields, expected %d", l->path, l->number, n, FIELDS);
  static const struct number {
    const char *name;
    int field, column;
  } numbers[NORMS_COLUMNS] = {
      {"step", F_STEP, NORMS_STEP},          {"epoch", F_EPOCH, NORMS_EPOCH},
      {"index", F_INDEX, NORMS_LAYER},       {"alpha", F_ALPHA, NORMS_ALPHA},
      {"inv_std", F_INV_STD, NORMS_INV_STD}, {"sat_frac", F_SATURATED, NORMS_SATURATED}};
  st code = ST_OK;
  for (int i = 0; !code && i < NORMS_COLUMNS; i++)
    code = read_number(l, numbers[i].name, field[numbers[i].field], &x[numbers[i].column], e);
  if (!code && !(x[NORMS_STEP] >= 0 && x[NORMS_STEP] < 1e15))
    code = err_add(e, ST_USER, "%s:%d: step: expected a number from 0", l->path, l->number);
  if (!code) code = note_layer(l, r, x[NORMS_LAYER], field, e);
  if (!code) memcpy(record_add_row(&r->norms), x, sizeof x);
  return code;
}

/* --- predictions.csv --- */

/* index,label,pred,p,loss */
static st read_prediction(line *l, record *r, err *e) {
  if (l->number == 1) return ST_OK; /* the header */
  char *end = l->text;
  long part[3];
  for (int i = 0; i < 3; i++) {
    part[i] = *end >= '0' && *end <= '9' ? strtol(end, &end, 10) : -1;
    if (part[i] < 0 || part[i] >= RECORD_INDEX_MAX || *end != ',')
      return err_add(e, ST_USER, "%s:%d: expected index,label,pred,p,loss", l->path, l->number);
    end++;
  }
  if (part[0] != r->images || r->images == RECORD_INDEX_MAX)
    return err_add(e, ST_USER, "%s:%d: index %ld, expected %d", l->path, l->number, part[0], r->images);
  record_add_prediction(r, (int)part[2], part[1] == part[2]);
  return ST_OK;
}

/* --- config.json, status.json --- */

static cJSON *read_json(const char *folder, const char *name) {
  char *path = run_file(folder, name);
  file_bytes b = {0};
  cJSON *o = file_read(path, 1 << 20, &b, NULL) ? NULL : cJSON_Parse((const char *)b.data);
  file_bytes_free(&b);
  mem_free(path);
  return o;
}

static char *copy_of(const cJSON *o, const char *key) {
  const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));
  return text ? mem_strdup(text) : NULL;
}

static void read_status(record *r, const char *folder) {
  cJSON *o = read_json(folder, "status.json");
  const cJSON *seconds = cJSON_GetObjectItemCaseSensitive(o, "seconds");
  r->state = copy_of(o, "state");
  r->message = copy_of(o, "message");
  r->seconds = cJSON_IsNumber(seconds) ? seconds->valuedouble : NAN;
  cJSON_Delete(o);
}

st record_read_run(record *r, const char *path, err *e) {
  char *file = run_file(path, "config.json");
  bool is_run = file_what(file) == FILE_REGULAR;
  mem_free(file);
  if (!is_run) return err_add(e, ST_USER, "%s: no run directory: there is no config.json in it", path);
  st code = read_lines(path, "steps.jsonl", read_step, r, e);
  if (!code) code = read_lines(path, "log.jsonl", read_epoch, r, e);
  if (!code) code = read_lines(path, "dyt.csv", read_norm, r, e);
  if (!code) code = read_lines(path, "predictions.csv", read_prediction, r, e);
  if (!code && !r->steps.rows && !r->epochs.rows && !r->norms.rows)
    code = err_add(e, ST_USER, "%s: nothing there yet: no whole line in steps.jsonl, log.jsonl and dyt.csv",
                   path);
  if (code) return code;
  r->config = read_json(path, "config.json");
  r->env = read_json(path, "env.json");
  read_status(r, path);
  return ST_OK;
}
