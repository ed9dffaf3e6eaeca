/* The strict reader: the header is judged wholly before the data is read.
 *
 * The header is parsed by cJSON, which lets through more than JSON allows. What it would misread (NUL in a
 * name, which cuts the C string; numbers that are not plain whole numbers; text that is not UTF-8) is sorted
 * out before, what it leaves unsaid (duplicate keys) after. */
#define _GNU_SOURCE
#include "base/safetensors_types.h"
#include "dyt/mem.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  PREFIX = 8,   /* bytes before the header: its length */
  DEPTH_MAX = 3 /* tensors, a tensor's fields, a field's numbers */
};

/* What a safetensors owns besides its arrays. */
typedef struct store {
  char *path;
  cJSON *header; /* names, types and metadata point into it */
  arena data;
  const safetensors_entry **by_name; /* [count] */
} store;

typedef struct reader {
  const char *path;
  int fd;
  uint64_t size; /* of the file, bytes */
  char *text;    /* [length] the header, and a NUL */
  size_t length;
  uint64_t data_size; /* bytes after the header */
  err *e;
} reader;

typedef struct slot {
  safetensors_entry entry;
  uint64_t begin; /* offset in the data */
} slot;

#define FAIL(r, format, ...)              err_add((r)->e, ST_USER, "%s: " format, (r)->path, __VA_ARGS__)
#define FAIL_TENSOR(r, name, format, ...) safetensors_fail((r)->path, name, (r)->e, format, __VA_ARGS__)

typedef unsigned long long ull;

static st read_at(const reader *r, uint64_t offset, void *to, uint64_t size) {
  unsigned char *p = to;
  while (size) {
    ssize_t n = pread(r->fd, p, size, (off_t)offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return FAIL(r, "cannot be read: %s", n ? strerror(errno) : "it was cut off meanwhile");
    p += n, offset += (uint64_t)n, size -= (uint64_t)n;
  }
  return ST_OK;
}

static st read_header(reader *r) {
  struct stat s;
  if (fstat(r->fd, &s)) return FAIL(r, "cannot be read: %s", strerror(errno));
  if (!S_ISREG(s.st_mode))
    return FAIL(r, "expected a file, found a %s", S_ISDIR(s.st_mode) ? "folder" : "device");
  r->size = (uint64_t)s.st_size;
  uint64_t length = 0;
  if (r->size < PREFIX) return FAIL(r, "found %llu bytes, a safetensors file has at least 8", (ull)r->size);
  if (read_at(r, 0, &length, PREFIX)) return ST_USER;
  if (length > SAFETENSORS_HEADER_MAX)
    return FAIL(
        r,
        "its first 8 bytes announce a header of %llu bytes, expected at most %d: is it a safetensors file?",
        (ull)length, SAFETENSORS_HEADER_MAX);
  if (length > r->size - PREFIX)
    return FAIL(r, "found %llu bytes after the first 8, expected a header of %llu: the file is cut off",
                (ull)(r->size - PREFIX), (ull)length);
  r->length = (size_t)length;
  r->data_size = r->size - PREFIX - length;
  r->text = mem_new(r->length + 1, 1);
  if (read_at(r, PREFIX, r->text, length)) return ST_USER;
  if (r->text[0] != '{')
    return FAIL(r, "expected the header to begin with '%c': is it a safetensors file?", '{');
  if (!safetensors_utf8(r->text, r->length)) return FAIL(r, "the header is not %s", "UTF-8");
  return ST_OK;
}

/* The place of the quote that closes the string opened at `at`; `length` if there is none or something stands
 * before it that a C string cannot hold or JSON forbids: a NUL, written out or as an escape, or another
 * control character. */
static size_t string_end(const reader *r, size_t at) {
  while (++at < r->length) {
    const char *p = r->text + at;
    if (*p == '"') return at;
    if ((unsigned char)*p < 0x20 || strncmp(p, "\\u0000", 6) == 0) break;
    if (*p == '\\' && (unsigned char)r->text[++at] < 0x20) break;
  }
  return r->length;
}

/* A walk over the header's tokens; `key` is the tensor it is in, as written. */
typedef struct walk {
  size_t at;
  int depth, commas; /* commas since the last bracket opened */
  const char *key;
  size_t key_length;
} walk;

/* Quotes what stands there as far as it is printable. */
static st walk_fail(const reader *r, const walk *w, const char *expected) {
  const char *found = r->text + w->at;
  int key = safetensors_shown(w->key, w->key_length), n = 0;
  while (n < 12 && found[n] >= ' ' && found[n] <= '~') n++;
  if (n == 0)
    return FAIL(r, "tensor \"%.*s\": found a byte 0x%02x at byte %zu of the header, expected %s", key, w->key,
                (unsigned char)*found, w->at, expected);
  return FAIL(r, "tensor \"%.*s\": found \"%.*s\" at byte %zu of the header, expected %s", key, w->key, n,
              found, w->at, expected);
}

static st walk_string(const reader *r, walk *w) {
  size_t end = string_end(r, w->at);
  if (end == r->length)
    return FAIL(r, "the text at byte %zu of the header has no end, or a control character in it", w->at);
  if (w->depth == 1) {
    w->key = r->text + w->at + 1;
    w->key_length = end - w->at - 1;
  }
  w->at = end + 1;
  return ST_OK;
}

static st walk_number(const reader *r, walk *w) {
  size_t n = strspn(r->text + w->at, "0123456789");
  if (n > 1 && r->text[w->at] == '0') return walk_fail(r, w, "a whole number without leading zeros");
  w->at += n;
  return ST_OK;
}

static st walk_mark(const reader *r, walk *w) {
  char c = r->text[w->at];
  if (c == '\0' || !strchr("{}[]:, \t\r\n", c)) return walk_fail(r, w, "only strings and whole numbers");
  if (c == '{' || c == '[') w->depth++, w->commas = 0;
  if (c == '}' || c == ']') w->depth--;
  if (c == ',') w->commas++;
  if (w->depth > DEPTH_MAX) return walk_fail(r, w, "nothing nested here");
  if (w->depth == DEPTH_MAX && w->commas >= SAFETENSORS_RANK_MAX)
    return walk_fail(r, w, "at most 8 dimensions");
  w->at++;
  return ST_OK;
}

/* The format's headers hold objects, lists, strings and whole numbers, no other values. */
static st check_tokens(const reader *r) {
  walk w = {.key = ""};
  st code = ST_OK;
  while (!code && w.at < r->length) {
    char c = r->text[w.at];
    code = c == '"' ? walk_string(r, &w) : c >= '0' && c <= '9' ? walk_number(r, &w) : walk_mark(r, &w);
  }
  return code;
}

static st parse_header(const reader *r, cJSON **header) {
  const char *end = NULL;
  *header = cJSON_ParseWithLengthOpts(r->text, r->length, &end, false);
  if (!*header) return FAIL(r, "the header is not JSON, from byte %zu on", (size_t)(end - r->text));
  size_t at = (size_t)(end - r->text), rest = at + strspn(end, " \t\r\n");
  if (rest < r->length)
    return FAIL(r, "found text after the header's end, at byte %zu, expected spaces", rest);
  return ST_OK;
}

/* Whole numbers below 2^53, which a double holds exactly. */
static st read_numbers(const reader *r, const char *name, const cJSON *list, int64_t *out, int *count) {
  const char *key = list->string;
  *count = 0;
  if (!cJSON_IsArray(list)) return FAIL_TENSOR(r, name, "%s is not a list", key);
  for (const cJSON *v = list->child; v; v = v->next) {
    if (!cJSON_IsNumber(v)) return FAIL_TENSOR(r, name, "%s holds what is not a number", key);
    if (v->valuedouble >= 0x1p53)
      return FAIL_TENSOR(r, name, "%s holds %.17g, expected a number below 2^53", key, v->valuedouble);
    out[(*count)++] = (int64_t)v->valuedouble;
  }
  return ST_OK;
}

enum { DTYPE, SHAPE, OFFSETS, FIELDS };

/* The three fields of a tensor, each once and nothing else. */
static st read_fields(const reader *r, const cJSON *item, const cJSON *field[FIELDS]) {
  static const char *const names[FIELDS] = {"dtype", "shape", "data_offsets"};
  if (!cJSON_IsObject(item))
    return FAIL_TENSOR(r, item->string, "expected an object of %s", "dtype, shape and data_offsets");
  for (const cJSON *v = item->child; v; v = v->next) {
    int k = 0;
    while (k < FIELDS && strcmp(v->string, names[k])) k++;
    if (k == FIELDS)
      return FAIL_TENSOR(r, item->string,
                         "found the key \"%.*s\", expected only dtype, shape and data_offsets",
                         safetensors_shown(v->string, strlen(v->string)), v->string);
    if (field[k]) return FAIL_TENSOR(r, item->string, "%s is there twice", names[k]);
    field[k] = v;
  }
  for (int k = 0; k < FIELDS; k++)
    if (!field[k]) return FAIL_TENSOR(r, item->string, "%s is missing", names[k]);
  return ST_OK;
}

static st read_tensor(const reader *r, const cJSON *item, slot *s) {
  const cJSON *field[FIELDS] = {0};
  if (read_fields(r, item, field)) return ST_USER;
  safetensors_entry *t = &s->entry;
  t->name = item->string;
  t->dtype = cJSON_GetStringValue(field[DTYPE]);
  const safetensors_type *type = t->dtype ? safetensors_type_find(t->dtype) : NULL;
  if (!type)
    return FAIL_TENSOR(r, t->name, "found dtype \"%.16s\", which the format does not have",
                       t->dtype ? t->dtype : "");
  int64_t offset[SAFETENSORS_RANK_MAX] = {0};
  int offsets = 0;
  if (read_numbers(r, t->name, field[SHAPE], t->shape, &t->rank)) return ST_USER;
  if (read_numbers(r, t->name, field[OFFSETS], offset, &offsets)) return ST_USER;
  if (offsets != 2 || offset[0] > offset[1])
    return FAIL_TENSOR(r, t->name, "expected %s", "data_offsets to be a beginning and an end");
  if ((uint64_t)offset[1] > r->data_size)
    return FAIL_TENSOR(r, t->name,
                       "its data ends at byte %lld, but the file has only %llu bytes of data: it is cut off",
                       (long long)offset[1], (ull)r->data_size);
  s->begin = (uint64_t)offset[0];
  t->bytes = (uint64_t)(offset[1] - offset[0]);
  uint64_t expected = 0;
  char shape[64];
  safetensors_shape_text(t, shape);
  if (!safetensors_bytes(type, t->rank, t->shape, &expected))
    return FAIL_TENSOR(r, t->name, "%s %s is no whole number of bytes below 2^60", t->dtype, shape);
  if (t->bytes != expected)
    return FAIL_TENSOR(r, t->name, "found %llu bytes of data, expected %llu for %s %s", (ull)t->bytes,
                       (ull)expected, t->dtype, shape);
  return ST_OK;
}

static int by_key(const void *a, const void *b) {
  return strcmp(((const safetensors_pair *)a)->key, ((const safetensors_pair *)b)->key);
}

static st read_metadata(const reader *r, const cJSON *item, safetensors *out) {
  if (out->metadata) return FAIL(r, "%s is there twice", item->string);
  if (!cJSON_IsObject(item)) return FAIL(r, "expected %s to be an object", item->string);
  out->metadata = mem_new((size_t)cJSON_GetArraySize(item), sizeof *out->metadata);
  for (const cJSON *v = item->child; v; v = v->next) {
    int n = safetensors_shown(v->string, strlen(v->string));
    if (!cJSON_IsString(v)) return FAIL(r, "__metadata__ \"%.*s\": expected a string", n, v->string);
    out->metadata[out->metadata_count++] = (safetensors_pair){v->string, v->valuestring};
  }
  qsort(out->metadata, (size_t)out->metadata_count, sizeof *out->metadata, by_key);
  for (int i = 1; i < out->metadata_count; i++)
    if (by_key(&out->metadata[i - 1], &out->metadata[i]) == 0)
      return FAIL(r, "__metadata__ has the key \"%.80s\" twice", out->metadata[i].key);
  return ST_OK;
}

static int by_offset(const void *a, const void *b) {
  const slot *s = a, *t = b;
  if (s->begin != t->begin) return s->begin < t->begin ? -1 : 1;
  if (s->entry.bytes != t->entry.bytes) return s->entry.bytes < t->entry.bytes ? -1 : 1;
  return strcmp(s->entry.name, t->entry.name);
}

/* In the order of their offsets the tensors must follow one another from the first byte of the data to the
 * last. */
static st check_layout(const reader *r, const slot *slots, int count) {
  uint64_t at = 0;
  for (int i = 0; i < count; i++) {
    const slot *s = &slots[i];
    if (s->begin != at)
      return FAIL_TENSOR(r, s->entry.name,
                         "its data begins at byte %llu, expected %llu, where the one before ends: %s",
                         (ull)s->begin, (ull)at, s->begin < at ? "they overlap" : "there is a hole");
    at += s->entry.bytes;
  }
  if (at != r->data_size)
    return FAIL(r, "found %llu bytes of data, expected %llu, where the last tensor ends", (ull)r->data_size,
                (ull)at);
  return ST_OK;
}

/* Takes the header's items apart: slots [count] in the order of their offsets. */
static st read_items(const reader *r, const cJSON *header, slot *slots, safetensors *out) {
  for (const cJSON *item = header->child; item; item = item->next) {
    bool is_metadata = strcmp(item->string, "__metadata__") == 0;
    if (is_metadata ? read_metadata(r, item, out) : read_tensor(r, item, &slots[out->count++]))
      return ST_USER;
  }
  qsort(slots, (size_t)out->count, sizeof *slots, by_offset);
  return check_layout(r, slots, out->count);
}

static int by_name(const void *a, const void *b) {
  const safetensors_entry *const *s = a, *const *t = b;
  return strcmp((*s)->name, (*t)->name);
}

static st index_names(const reader *r, safetensors *out) {
  store *own = out->store;
  own->by_name = mem_new((size_t)out->count, sizeof *own->by_name);
  for (int i = 0; i < out->count; i++) own->by_name[i] = &out->entry[i];
  qsort(own->by_name, (size_t)out->count, sizeof *own->by_name, by_name);
  for (int i = 1; i < out->count; i++)
    if (by_name(&own->by_name[i - 1], &own->by_name[i]) == 0)
      return FAIL_TENSOR(r, own->by_name[i]->name, "%s", "it is there twice");
  return ST_OK;
}

static st read_data(const reader *r, const slot *slots, safetensors *out) {
  store *own = out->store;
  out->entry = mem_new((size_t)out->count, sizeof *out->entry);
  for (int i = 0; i < out->count; i++) out->entry[i] = slots[i].entry;
  if (index_names(r, out) || mem_map(&own->data, r->data_size, r->path, r->e)) return ST_USER;
  for (int i = 0; i < out->count; i++)
    out->entry[i].data = out->entry[i].bytes ? own->data.base + slots[i].begin : (const unsigned char *)"";
  return read_at(r, PREFIX + r->length, own->data.base, r->data_size);
}

static st read_file(reader *r, safetensors *out) {
  store *own = out->store;
  if (read_header(r) || check_tokens(r) || parse_header(r, &own->header)) return ST_USER;
  slot *slots = mem_new((size_t)cJSON_GetArraySize(own->header), sizeof *slots);
  st code = read_items(r, own->header, slots, out);
  if (!code) code = read_data(r, slots, out);
  mem_free(slots);
  return code;
}

st safetensors_read(const char *path, safetensors *out, err *e) {
  *out = (safetensors){0};
  /* O_NONBLOCK: a pipe of that name is refused, not waited for */
  reader r = {.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), .e = e};
  if (r.fd < 0) return FAIL(&r, "cannot be read: %s", strerror(errno));
  store *own = out->store = mem_new(1, sizeof(store));
  out->path = own->path = mem_strdup(path);
  st code = read_file(&r, out);
  close(r.fd);
  mem_free(r.text);
  if (code) safetensors_free(out);
  return code;
}

void safetensors_free(safetensors *f) {
  store *own = f->store;
  if (own) {
    mem_unmap(&own->data);
    cJSON_Delete(own->header);
    mem_free(own->by_name);
    mem_free(own->path);
  }
  mem_free(own);
  mem_free(f->entry);
  mem_free(f->metadata);
  *f = (safetensors){0};
}

const safetensors_entry *safetensors_find(const safetensors *f, const char *name) {
  const store *own = f->store;
  const safetensors_entry key = {.name = name}, *wanted = &key;
  const safetensors_entry **found =
      own ? bsearch(&wanted, own->by_name, (size_t)f->count, sizeof *own->by_name, by_name) : NULL;
  return found ? *found : NULL;
}
