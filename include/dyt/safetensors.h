/* safetensors - the weights format of the field (huggingface/safetensors), read strictly and written
 * atomically.
 *
 * A file is: u64 little-endian N, N bytes of JSON header, then the data. The reader maps the whole file into
 * memory it
 * owns, checks everything before it returns, and rejects what the format forbids: truncated or trailing
 * bytes, overlaps,
 * holes, sizes that do not match the shape, unknown types, duplicate names, a header beyond 100 MB.
 *
 *   safetensors f;
 *   if (safetensors_read(path, &f, e)) return e->code;
 *   const safetensors_entry *t = safetensors_find(&f, "head.weight");
 *   safetensors_to_real(t, values);
 *   safetensors_free(&f);
 */
#ifndef DYT_SAFETENSORS_H
#define DYT_SAFETENSORS_H

#include "dyt/err.h"
#include "dyt/real.h"

#include <stdbool.h>
#include <stdint.h>

enum { SAFETENSORS_RANK_MAX = 8 };

/* One tensor of a file; when writing, filled in by the caller. */
typedef struct safetensors_entry {
  const char *name;
  const char *dtype; /* "F32" "F64" "I64" ... as in the format */
  int rank;
  int64_t shape[SAFETENSORS_RANK_MAX];
  const void *data; /* row-major, little-endian; not necessarily aligned when read */
  uint64_t bytes;
} safetensors_entry;

typedef struct safetensors_pair {
  const char *key, *value;
} safetensors_pair;

/* Everything in it is owned by it: safetensors_free. */
typedef struct safetensors {
  const char *path;
  safetensors_entry *entry; /* [count] sorted by offset */
  int count;
  safetensors_pair *metadata; /* [metadata_count] the header's __metadata__ */
  int metadata_count;
  void *store; /* file and strings */
} safetensors;

/* ST_USER with one sentence naming the file and what is wrong with it. */
st safetensors_read(const char *path, safetensors *out, err *e);
void safetensors_free(safetensors *f);
const safetensors_entry *safetensors_find(const safetensors *f, const char *name); /* NULL: not there */
int64_t safetensors_numel(const safetensors_entry *t);
/* "[3, 4]" into out[64]. */
void safetensors_shape_text(const safetensors_entry *t, char out[64]);

/* Converts to real. Accepts F64, F32, F16, BF16 (ST_USER naming file and tensor for others). out [numel]. */
st safetensors_to_real(const safetensors *f, const safetensors_entry *t, real *out, err *e);
/* Converts integers (I64 I32 I16 I8 U8 U16 U32) to int64_t. */
st safetensors_to_int(const safetensors *f, const safetensors_entry *t, int64_t *out, err *e);

/* Writes atomically. Tensors go in the order of descending type size, then name, as the reference writer
 * does;
 * `"format":"pt"` is always in the metadata; the header is padded so that data begins at a multiple of 64.
 * The bytes depend on the arguments only. */
st safetensors_write(const char *path, const safetensors_entry *entries, int count,
                     const safetensors_pair *metadata, int metadata_count, err *e);

#endif
