/* The writer: the bytes follow from the arguments, whatever their order; the file appears whole or not at
 * all. */
#include "base/safetensors_types.h"
#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/str.h"

#include <stdlib.h>
#include <string.h>

enum { PREFIX = 8, ALIGN = 64 };

static int by_type_then_name(const void *a, const void *b) {
  const safetensors_entry *const *s = a, *const *t = b;
  const safetensors_type *u = safetensors_type_find((*s)->dtype), *v = safetensors_type_find((*t)->dtype);
  return u != v ? (u < v ? 1 : -1) : strcmp((*s)->name, (*t)->name);
}

static int by_name(const void *a, const void *b) {
  return strcmp((*(const safetensors_entry *const *)a)->name, (*(const safetensors_entry *const *)b)->name);
}

/* What is written comes from the program: a wrong entry is an error of ours. */
static void check_entries(const safetensors_entry **sorted, int count) {
  for (int i = 0; i < count; i++) {
    const safetensors_entry *t = sorted[i];
    const safetensors_type *type = safetensors_type_find(t->dtype);
    uint64_t bytes = 0;
    REQUIRE(type, "tensor %s: no type %s", t->name, t->dtype);
    REQUIRE(t->rank >= 0 && t->rank <= SAFETENSORS_RANK_MAX, "tensor %s: rank %d", t->name, t->rank);
    REQUIRE(safetensors_bytes(type, t->rank, t->shape, &bytes) && bytes == t->bytes,
            "tensor %s: %llu bytes do not fit its shape", t->name, (unsigned long long)t->bytes);
    REQUIRE(strcmp(t->name, "__metadata__") != 0, "a tensor named %s", t->name);
  }
  qsort(sorted, (size_t)count, sizeof *sorted, by_name);
  for (int i = 1; i < count; i++)
    REQUIRE(strcmp(sorted[i - 1]->name, sorted[i]->name) != 0, "tensor %s is there twice", sorted[i]->name);
}

/* "format" says which framework's conventions the numbers follow; transformers refuses files without it. */
static void add_metadata(str *s, const safetensors_pair *metadata, int count) {
  str_add(s, "\"__metadata__\":{\"format\":\"pt\"");
  for (int i = 0; i < count; i++) {
    if (strcmp(metadata[i].key, "format") == 0) continue;
    str_add(s, ",");
    str_add_quoted(s, metadata[i].key);
    str_add(s, ":");
    str_add_quoted(s, metadata[i].value);
  }
  str_add(s, "}");
}

static void add_entry(str *s, const safetensors_entry *t, uint64_t begin) {
  str_add(s, ",");
  str_add_quoted(s, t->name);
  str_addf(s, ":{\"dtype\":\"%s\",\"shape\":[", t->dtype);
  for (int i = 0; i < t->rank; i++) str_addf(s, "%s%lld", i ? "," : "", (long long)t->shape[i]);
  str_addf(s, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)begin,
           (unsigned long long)(begin + t->bytes));
}

static void add_header(str *s, const safetensors_entry *const *sorted, int count,
                       const safetensors_pair *metadata, int metadata_count) {
  str_add(s, "{");
  add_metadata(s, metadata, metadata_count);
  uint64_t at = 0;
  for (int i = 0; i < count; i++) {
    add_entry(s, sorted[i], at);
    at += sorted[i]->bytes;
  }
  str_add(s, "}");
  while ((PREFIX + s->len) % ALIGN) str_add(s, " ");
}

st safetensors_write(const char *path, const safetensors_entry *entries, int count,
                     const safetensors_pair *metadata, int metadata_count, err *e) {
  const safetensors_entry **sorted = mem_new((size_t)count, sizeof *sorted);
  for (int i = 0; i < count; i++) sorted[i] = &entries[i];
  check_entries(sorted, count);
  qsort(sorted, (size_t)count, sizeof *sorted, by_type_then_name);
  str header = {0};
  add_header(&header, sorted, count, metadata, metadata_count);
  REQUIRE(header.len <= SAFETENSORS_HEADER_MAX, "a header of %zu bytes", header.len);
  uint64_t length = header.len;
  file_part *parts = mem_new((size_t)count + 2, sizeof *parts);
  parts[0] = (file_part){&length, PREFIX};
  parts[1] = (file_part){header.data, header.len};
  for (int i = 0; i < count; i++) parts[i + 2] = (file_part){sorted[i]->data, sorted[i]->bytes};
  st code = safetensors_utf8(header.data, header.len)
                ? file_write_parts(path, parts, count + 2, e)
                : err_add(e, ST_USER, "%s: not written: a name or the metadata is not UTF-8", path);
  mem_free(parts);
  str_free(&header);
  mem_free(sorted);
  return code;
}
