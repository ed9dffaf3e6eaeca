/* safetensors_types - what the reader, the writer and the conversions of safetensors share; not for others.
 */
#ifndef DYT_BASE_SAFETENSORS_TYPES_H
#define DYT_BASE_SAFETENSORS_TYPES_H

#include "dyt/safetensors.h"

/* Numbers are copied as they lie in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors is little-endian");

#define SAFETENSORS_HEADER_MAX 100000000 /* bytes; the reference implementation's limit */

/* A type of the format; types are ordered as the reference writer orders them, the widest last. */
typedef struct safetensors_type {
  const char *name;
  int bits; /* an element */
} safetensors_type;

/* NULL: the format has no such type. */
const safetensors_type *safetensors_type_find(const char *name);

/* Bytes of a tensor of that type and shape; false if that is no whole number or beyond 64 bits. */
bool safetensors_bytes(const safetensors_type *type, int rank, const int64_t *shape, uint64_t *bytes);

/* Adds the sentence `PATH: tensor "NAME": ...` and returns ST_USER. A name from outside may hold anything: it
 * is quoted as in JSON and shortened. */
st safetensors_fail(const char *path, const char *name, err *e, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* How many of the first bytes of a name of n bytes to show in an error: whole characters, at most 80 bytes.
 */
int safetensors_shown(const char *name, size_t n);

/* Whether the text is UTF-8 as Unicode defines it (no overlong forms, no surrogates). */
bool safetensors_utf8(const char *text, size_t n);

#endif
