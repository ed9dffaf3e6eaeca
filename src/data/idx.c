#include "data/idx.h"

#include "dyt/file.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>

/* Deflate cannot shrink data further than 1032 to 1: a header that claims more is wrong. */
enum { GZIP_RATIO_MAX = 1032 };

typedef struct reader {
  const char *path;
  gzFile gz;
} reader;

/* Reads up to `size` bytes; fewer only at the end of the file. *got: how many. */
static st read_bytes(reader *r, unsigned char *to, size_t size, size_t *got, err *e) {
  enum { AT_ONCE = 1 << 24 }; /* gzread counts in int */
  *got = 0;
  while (*got < size) {
    size_t left = size - *got;
    int n = gzread(r->gz, to + *got, left < AT_ONCE ? (unsigned)left : AT_ONCE);
    if (n <= 0) break;
    *got += (size_t)n;
  }
  int code = Z_OK;
  const char *why = gzerror(r->gz, &code);
  if (code == Z_ERRNO) return err_add(e, ST_USER, "%s: cannot be read: %s", r->path, strerror(errno));
  if (code == Z_BUF_ERROR)
    return err_add(e, ST_USER, "%s: the compressed data end too early: the file is cut short; fetch it again",
                   r->path);
  if (code != Z_OK && code != Z_STREAM_END)
    return err_add(e, ST_USER, "%s: the compressed data are damaged (%s); fetch it again", r->path, why);
  return ST_OK;
}

static uint32_t big_endian(const unsigned char *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Reads and checks the header; *bytes: how many elements must follow. */
static st read_header(reader *r, int dims, idx_array *a, size_t *bytes, err *e) {
  unsigned char head[4 + 4 * IDX_DIMS_MAX];
  size_t size = 4 + 4 * (size_t)dims, got = 0;
  if (read_bytes(r, head, size, &got, e)) return e->code;
  if (got < 4) return err_add(e, ST_USER, "%s: %zu bytes are too few for an IDX file", r->path, got);
  if (head[0] || head[1])
    return err_add(e, ST_USER, "%s: not an IDX file: begins with %02x %02x %02x %02x, expected 00 00 08 %02x",
                   r->path, head[0], head[1], head[2], head[3], (unsigned)dims);
  if (head[2] != 8 || head[3] != dims)
    return err_add(e, ST_USER,
                   "%s: IDX element type 0x%02x with %d dimensions, expected 0x08 (unsigned byte) with %d",
                   r->path, head[2], head[3], dims);
  if (got < size)
    return err_add(e, ST_USER, "%s: cut short within the header: %zu bytes of %zu", r->path, got, size);
  *bytes = 1;
  for (int i = 0; i < dims; i++) {
    uint32_t n = big_endian(head + 4 + 4 * i);
    if (n == 0 || n > INT32_MAX || __builtin_mul_overflow(*bytes, (size_t)n, bytes))
      return err_add(
          e, ST_USER,
          "%s: dimension %d of the header is %u: expected 1 to %d, and no more than memory can hold", r->path,
          i + 1, (unsigned)n, INT32_MAX);
    a->dim[i] = n;
  }
  return ST_OK;
}

/* Can a file of this size hold as many elements as its header says? */
static st check_size(const reader *r, size_t header, size_t bytes, err *e) {
  uint64_t size = file_size(r->path);
  if (gzdirect(r->gz) ? size - header == bytes : bytes / GZIP_RATIO_MAX <= size) return ST_OK;
  if (!gzdirect(r->gz))
    return err_add(e, ST_USER,
                   "%s: the header promises %zu elements, more than %llu compressed bytes can hold", r->path,
                   bytes, (unsigned long long)size);
  return err_add(e, ST_USER, "%s: %llu bytes follow the header, expected %zu: the file is %s; fetch it again",
                 r->path, (unsigned long long)(size - header), bytes,
                 size - header < bytes ? "cut short" : "too long");
}

/* The elements of a plain file where they lie; false where files cannot be mapped. */
static bool map_elements(reader *r, size_t header, idx_array *a) {
  if (!gzdirect(r->gz) || !file_map(r->path, &a->map)) return false;
  if (a->map.size == header + a->elements) a->element = a->map.data + header;
  return a->element; /* else it has just changed: reading it says how */
}

/* Reads the elements, and past them: the end of a gzip file holds its checksum. */
static st read_elements(reader *r, idx_array *a, err *e) {
  size_t bytes = a->elements, got = 0, more = 0;
  unsigned char next;
  if (mem_map(&a->store, bytes, r->path, e)) return e->code;
  a->element = a->store.base;
  if (read_bytes(r, a->store.base, bytes, &got, e)) return e->code;
  if (got < bytes)
    return err_add(e, ST_USER, "%s: %zu elements, but the header says %zu; fetch it again", r->path, got,
                   bytes);
  if (read_bytes(r, &next, 1, &more, e)) return e->code;
  if (more)
    return err_add(e, ST_USER, "%s: more than the %zu elements that the header says; fetch it again", r->path,
                   bytes);
  return ST_OK;
}

static st read_array(reader *r, int dims, idx_array *a, err *e) {
  size_t header = 4 + 4 * (size_t)dims;
  if (read_header(r, dims, a, &a->elements, e)) return e->code;
  if (check_size(r, header, a->elements, e)) return e->code;
  return map_elements(r, header, a) ? ST_OK : read_elements(r, a, e);
}

st idx_read(const char *path, int dims, idx_array *out, err *e) {
  REQUIRE(dims >= 1 && dims <= IDX_DIMS_MAX, "%d dimensions", dims);
  *out = (idx_array){.dim = {1, 1, 1}};
  if (file_what(path) != FILE_REGULAR)
    return err_add(e, ST_USER, "%s: expected an IDX file, found none", path);
  errno = 0;
  reader r = {path, gzopen(path, "rb")};
  if (!r.gz) return err_add(e, ST_USER, "%s: cannot be read: %s", path, strerror(errno ? errno : ENOMEM));
  gzbuffer(r.gz, 1 << 18);
  st code = read_array(&r, dims, out, e);
  gzclose(r.gz);
  if (code) idx_free(out);
  return code;
}

void idx_free(idx_array *a) {
  file_unmap(&a->map);
  mem_unmap(&a->store);
  *a = (idx_array){0};
}
