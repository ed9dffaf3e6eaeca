/* The record as a file: gzipped JSON, its tables by columns. */
#include "record_file.h"

#include "dyt/file.h"
#include "dyt/json.h"
#include "dyt/mem.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define FORMAT "dyt record 1"

enum {
  STEPS_MOST = 512,          /* rows that are kept, spread evenly */
  NORM_VALUES_MOST = 40000,  /* of all columns */
  FILE_BYTES_MOST = 1 << 20, /* compressed */
  LOG_DIGITS = 9,
  NORM_DIGITS = 5
};

static const char *const norms_key[NORMS_COLUMNS] = {"step",  "epoch",   "layer",
                                                     "alpha", "inv_std", "sat_frac"};

/* A table's name in the file, and where it is in a record. */
static const struct table {
  const char *name;
  const char *const *key;
  size_t offset;
  int digits;
} tables[] = {{"steps", record_steps_key, offsetof(record, steps), LOG_DIGITS},
              {"epochs", record_epochs_key, offsetof(record, epochs), LOG_DIGITS},
              {"norms", norms_key, offsetof(record, norms), NORM_DIGITS}};
enum { STEPS, EPOCHS, NORMS, TABLES };

static record_table *table_of(record *r, const struct table *t) {
  return (record_table *)(void *)((char *)r + t->offset);
}

static const struct shape_column {
  const char *name;
  size_t offset;
} shape_columns[] = {{"line_r2", offsetof(probe_shape, line_r2)},
                     {"tanh_r2", offsetof(probe_shape, tanh_r2)},
                     {"a", offsetof(probe_shape, a)},
                     {"b", offsetof(probe_shape, b)},
                     {"linear_share", offsetof(probe_shape, linear_share)}};
enum { SHAPE_COLUMNS = sizeof shape_columns / sizeof *shape_columns };

static double *shape_at(probe_shape *s, int column) {
  return (double *)(void *)((char *)s + shape_columns[column].offset);
}

/* --- writing --- */

static void member(str *out, const char *key) {
  str_add(out, out->data[out->len - 1] == '{' ? "" : ", ");
  str_add_quoted(out, key);
  str_add(out, ": ");
}

/* `rows` of the table's, spread evenly with the first and the last; of norms, `block` rows belong together. */
static void add_column(const record_table *t, int column, int block, int most, int digits, str *out) {
  int blocks = t->rows / block, kept = blocks < most ? blocks : most;
  str_add(out, "[");
  for (int i = 0; i < kept; i++) {
    int from = kept < 2 ? 0 : (int)((int64_t)i * (blocks - 1) / (kept - 1));
    for (int j = 0; j < block; j++) {
      if (i || j) str_add(out, ",");
      str_add_number(out, record_at(t, from * block + j, column), column == 0 ? LOG_DIGITS : digits);
    }
  }
  str_add(out, "]");
}

static void add_table(record *r, int which, int block, int most, str *out) {
  const record_table *t = table_of(r, &tables[which]);
  member(out, tables[which].name);
  str_add(out, "{");
  for (int c = 0; c < t->columns; c++) {
    if (!record_has(t, c)) continue;
    member(out, tables[which].key[c]);
    add_column(t, c, block, most, tables[which].digits, out);
  }
  str_add(out, "}");
}

/* A point that was cut short by a kill is left out: its layers are not all there. */
static void add_norms(record *r, str *out) {
  int layers = r->layers ? r->layers : 1, most = NORM_VALUES_MOST / NORMS_COLUMNS / layers;
  member(out, "layers");
  str_add(out, "[");
  for (int i = 0; i < r->layers; i++)
    str_addf(out, "%s[\"%s\", \"%s\"]", i ? ", " : "", r->layer[i].name, r->layer[i].site);
  str_add(out, "]");
  add_table(r, NORMS, layers, most < RECORD_POINTS ? most : RECORD_POINTS, out);
}

static void add_shapes(const probe_shape *fit, int n, str *out) {
  member(out, "shapes");
  str_add(out, "{");
  for (int c = 0; c < SHAPE_COLUMNS; c++) {
    member(out, shape_columns[c].name);
    for (int i = 0; i < n; i++) {
      probe_shape s = fit[i];
      str_add(out, i ? "," : "[");
      str_add_number(out, *shape_at(&s, c), NORM_DIGITS);
    }
    str_add(out, "]");
  }
  str_add(out, "}");
}

/* predicted: a class an image; right: four images a hexadecimal digit, the first in its highest bit. */
static void add_predictions(const record *r, str *out) {
  member(out, "images");
  str_addf(out, "%d", r->images);
  member(out, "predicted");
  str_add(out, "\"");
  for (int i = 0; i < r->images; i++) str_addf(out, "%s%d", i ? " " : "", r->predicted[i]);
  str_add(out, "\"");
  member(out, "right");
  str_add(out, "\"");
  for (int i = 0; i < r->images; i += 4) {
    int digit = 0;
    for (int j = 0; j < 4; j++) digit = 2 * digit + (i + j < r->images && r->right[i + j]);
    str_addf(out, "%x", digit);
  }
  str_add(out, "\"");
}

/* Of env.json what may bear on numbers: no host, no time. */
static void add_environment(const cJSON *env, str *out) {
  static const char *const keys[] = {"version", "cpu", "simd", "blas", "compiler", "real", "threads", "data"};
  member(out, "env");
  str_add(out, "{");
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(env, keys[i]);
    if (!v) continue;
    member(out, keys[i]);
    json_add_value(out, v, -1);
  }
  str_add(out, "}");
}

static void add_record(record *r, const probe_shape *fit, int shapes, str *out) {
  str_add(out, "{");
  member(out, "format");
  str_add(out, "\"" FORMAT "\"");
  member(out, "state");
  str_add_quoted(out, r->state ? r->state : "running");
  if (r->message) {
    member(out, "message");
    str_add_quoted(out, r->message);
  }
  member(out, "seconds");
  str_add_number(out, r->seconds, 5);
  if (r->config) {
    member(out, "config");
    json_add_value(out, r->config, -1);
  }
  if (r->env) add_environment(r->env, out);
  add_table(r, STEPS, 1, STEPS_MOST, out);
  add_table(r, EPOCHS, 1, STEPS_MOST, out);
  if (r->layers) add_norms(r, out);
  if (fit) add_shapes(fit, shapes, out);
  if (r->images) add_predictions(r, out);
  str_add(out, "}\n");
}

/* Without time and name in the header, the same text gives the same bytes. */
static st compress_to(const char *file, const str *text, err *e) {
  enum { GZIP = 16 + MAX_WBITS };
  z_stream z = {0};
  if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP, 9, Z_DEFAULT_STRATEGY) != Z_OK)
    return err_add(e, ST_INTERNAL, "%s: zlib cannot begin to compress", file);
  uLong bound = deflateBound(&z, (uLong)text->len);
  unsigned char *out = mem_new(bound, 1);
  z.next_in = (unsigned char *)text->data, z.avail_in = (uInt)text->len;
  z.next_out = out, z.avail_out = (uInt)bound;
  int end = deflate(&z, Z_FINISH);
  size_t size = bound - z.avail_out;
  deflateEnd(&z);
  st code = end == Z_STREAM_END ? file_write(file, out, size, e)
                                : err_add(e, ST_INTERNAL, "%s: zlib cannot compress", file);
  mem_free(out);
  return code;
}

st record_write(const char *run, const probe_shape *fit, int shapes, const char *file, err *e) {
  record r = {0};
  str text = {0};
  st code = record_read(&r, run, e);
  if (!code) add_record(&r, fit, shapes, &text);
  if (!code) code = compress_to(file, &text, e);
  str_free(&text);
  record_free(&r);
  return code;
}

/* --- reading --- */

static st unpack(const char *path, str *text, err *e) {
  if (file_size(path) > FILE_BYTES_MOST)
    return err_add(e, ST_USER, "%s: larger than a record can be (%d bytes)", path, FILE_BYTES_MOST);
  gzFile gz = gzopen(path, "rb");
  if (!gz) return err_add(e, ST_USER, "%s: cannot be read", path);
  char block[1 << 14];
  int n;
  while ((n = gzread(gz, block, sizeof block)) > 0 && text->len <= JSON_SIZE_MAX)
    str_add_bytes(text, block, (size_t)n);
  int end = gzclose_r(gz);
  if (n < 0 || end != Z_OK) return err_add(e, ST_USER, "%s: damaged: no whole gzip file", path);
  return ST_OK;
}

static const cJSON *get(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

/* Columns that are not there are NaN; those that are must be of one length. */
static st read_table(const json_doc *d, const struct table *t, record_table *out, err *e) {
  const cJSON *o = get(d->root, t->name), *column[EPOCHS_COLUMNS], *v;
  int rows = -1;
  for (int c = 0; c < out->columns; c++) {
    column[c] = get(o, t->key[c]);
    if (!column[c]) continue;
    int n = cJSON_GetArraySize(column[c]);
    if (!cJSON_IsArray(column[c]) || (rows >= 0 && n != rows))
      return json_fail(d, column[c], e, "%s.%s: expected a list as long as the others", t->name, t->key[c]);
    rows = n;
  }
  for (int i = 0; i < rows; i++)
    for (int c = 0, n = out->columns; c < n; c++) {
      if (c == 0) record_add_row(out);
      out->x[(size_t)i * (size_t)n + (size_t)c] = NAN;
    }
  for (int c = 0; c < out->columns; c++) {
    int i = 0;
    if (column[c])
      cJSON_ArrayForEach(v, column[c]) out->x[(size_t)i++ * (size_t)out->columns + (size_t)c] =
          cJSON_IsNumber(v) ? record_measured(v->valuedouble) : NAN;
  }
  return ST_OK;
}

static st read_layers(const json_doc *d, record *r, err *e) {
  const cJSON *list = get(d->root, "layers"), *pair;
  cJSON_ArrayForEach(pair, list) {
    const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(pair, 0));
    const char *site = cJSON_GetStringValue(cJSON_GetArrayItem(pair, 1));
    if (!name || !site || r->layers == RECORD_LAYERS_MAX)
      return json_fail(d, pair, e, "layers: expected a name and a site, at most %d", RECORD_LAYERS_MAX);
    record_add_layer(r, name, site);
  }
  const record_table *t = &r->norms;
  for (int i = 0; i < t->rows; i++)
    if (!r->layers || record_at(t, i, NORMS_LAYER) != i % r->layers || isnan(record_at(t, i, NORMS_STEP)))
      return json_fail(d, get(d->root, "norms"), e, "norms: row %d: expected step and layer, layers in order",
                       i);
  return ST_OK;
}

static st read_shapes(const json_doc *d, record *r, err *e) {
  const cJSON *o = get(d->root, "shapes");
  if (!o) return ST_OK;
  r->shape = mem_new((size_t)r->layers + 1, sizeof *r->shape);
  for (int c = 0; c < SHAPE_COLUMNS; c++) {
    const cJSON *list = get(o, shape_columns[c].name), *v;
    int i = 0;
    if (cJSON_GetArraySize(list) != r->layers)
      return json_fail(d, o, e, "shapes.%s: expected a number a layer", shape_columns[c].name);
    cJSON_ArrayForEach(v, list) * shape_at(&r->shape[i++], c) = cJSON_IsNumber(v) ? v->valuedouble : NAN;
  }
  return ST_OK;
}

static int hex_digit(char c) {
  static const char digits[] = "0123456789abcdef";
  const char *at = c ? strchr(digits, c) : NULL;
  return at ? (int)(at - digits) : -1;
}

static st read_predictions(const json_doc *d, record *r, err *e) {
  const cJSON *images = get(d->root, "images");
  const char *predicted = cJSON_GetStringValue(get(d->root, "predicted"));
  const char *right = cJSON_GetStringValue(get(d->root, "right"));
  if (!images) return ST_OK;
  double n = cJSON_IsNumber(images) ? images->valuedouble : -1;
  bool good = predicted && right && n >= 0 && n <= RECORD_INDEX_MAX && strlen(right) == (size_t)(n + 3) / 4;
  for (int i = 0; good && i < n; i++) {
    char *end;
    long k = strtol(predicted, &end, 10);
    int digit = hex_digit(right[i / 4]);
    good = end > predicted && k >= 0 && k < RECORD_INDEX_MAX && digit >= 0;
    if (good) record_add_prediction(r, (int)k, digit >> (3 - i % 4) & 1);
    predicted = end;
  }
  return good
             ? ST_OK
             : json_fail(d, images, e, "images, predicted, right: expected a class and a bit for each image");
}

static st read_document(const json_doc *d, record *r, err *e) {
  const char *format = cJSON_GetStringValue(get(d->root, "format"));
  const char *state = cJSON_GetStringValue(get(d->root, "state"));
  const char *message = cJSON_GetStringValue(get(d->root, "message"));
  const cJSON *seconds = get(d->root, "seconds"), *settings = get(d->root, "config"),
              *env = get(d->root, "env");
  if (!format || strcmp(format, FORMAT) || !state)
    return json_fail(d, d->root, e, "no record of a run: expected \"format\": \"" FORMAT "\" and a state");
  r->state = mem_strdup(state);
  r->message = message ? mem_strdup(message) : NULL;
  r->seconds = cJSON_IsNumber(seconds) ? seconds->valuedouble : NAN;
  r->config = settings ? cJSON_Duplicate(settings, true) : NULL;
  r->env = env ? cJSON_Duplicate(env, true) : NULL;
  st code = ST_OK;
  for (int i = 0; !code && i < TABLES; i++) code = read_table(d, &tables[i], table_of(r, &tables[i]), e);
  if (!code) code = read_layers(d, r, e);
  if (!code) code = read_shapes(d, r, e);
  return code ? code : read_predictions(d, r, e);
}

st record_read_file(record *r, const char *path, err *e) {
  str text = {0};
  json_doc d = {0};
  st code = unpack(path, &text, e);
  if (!code) code = json_parse(path, text.data ? text.data : "", text.len, &d, e);
  if (!code) {
    code = read_document(&d, r, e);
    json_free(&d);
  }
  str_free(&text);
  return code;
}
