/* What is known of types and shapes, finding a tensor, and converting its numbers. */
#include "dyt/safetensors.h"

#include "base/safetensors_types.h"
#include "dyt/mem.h"
#include "dyt/str.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const safetensors_type types[] = {
    {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},          {"I8", 8},
    {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
    {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
    {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64},
};

const safetensors_type *safetensors_type_find(const char *name) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strcmp(types[i].name, name) == 0) return &types[i];
  return NULL;
}

bool safetensors_bytes(const safetensors_type *type, int rank, const int64_t *shape, uint64_t *bytes) {
  int64_t bits = 1;
  for (int i = 0; i < rank; i++)
    if (shape[i] < 0 || __builtin_mul_overflow(bits, shape[i], &bits)) return false;
  if (__builtin_mul_overflow(bits, type->bits, &bits) || bits % 8) return false;
  *bytes = (uint64_t)bits / 8;
  return true;
}

bool safetensors_utf8(const char *text, size_t n) {
  const unsigned char *s = (const unsigned char *)text;
  static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
  for (size_t i = 0; i < n;) {
    int more = s[i] < 0x80 ? 0 : s[i] >> 5 == 6 ? 1 : s[i] >> 4 == 14 ? 2 : s[i] >> 3 == 30 ? 3 : -1;
    if (more < 0 || (size_t)more >= n - i) return false;
    uint32_t code = more ? s[i] & (0x3fu >> more) : s[i];
    for (int k = 1; k <= more; k++) {
      if (s[i + (size_t)k] >> 6 != 2) return false;
      code = code << 6 | (s[i + (size_t)k] & 0x3f);
    }
    if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    i += (size_t)more + 1;
  }
  return true;
}

int safetensors_shown(const char *name, size_t n) {
  enum { MOST = 80 };
  if (n <= MOST) return (int)n;
  int shown = MOST;
  while (shown > 0 && ((unsigned char)name[shown] >> 6) == 2) shown--; /* not in the middle of a character */
  return shown;
}

st safetensors_fail(const char *path, const char *name, err *e, const char *format, ...) {
  char what[512];
  va_list args;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  char *shown = mem_printf("%.*s", safetensors_shown(name, strlen(name)), name);
  str quoted = {0};
  str_add_quoted(&quoted, shown);
  err_add(e, ST_USER, "%s: tensor %s: %s", path, quoted.data, what);
  str_free(&quoted);
  mem_free(shown);
  return ST_USER;
}

int64_t safetensors_numel(const safetensors_entry *t) {
  int64_t n = 1;
  for (int i = 0; i < t->rank; i++) n *= t->shape[i];
  return n;
}

void safetensors_shape_text(const safetensors_entry *t, char out[64]) {
  int at = snprintf(out, 64, "[");
  for (int i = 0; i < t->rank && at < 64; i++)
    at += snprintf(out + at, (size_t)(64 - at), "%s%lld", i ? ", " : "", (long long)t->shape[i]);
  if (at < 63)
    memcpy(out + at, "]", 2);
  else
    memcpy(out + 59, "...]", 5); /* eight huge dimensions do not fit */
}

/* One element, at an address that need not be aligned, to the widest type of its kind. */
#define READER(result, name, type)                                                                           \
  static result name(const unsigned char *p) {                                                               \
    type v;                                                                                                  \
    memcpy(&v, p, sizeof v);                                                                                 \
    return (result)v;                                                                                        \
  }
READER(double, from_f64, double)
READER(double, from_f32, float)
READER(int64_t, from_i64, int64_t)
READER(int64_t, from_i32, int32_t)
READER(int64_t, from_i16, int16_t)
READER(int64_t, from_i8, int8_t)
READER(int64_t, from_u8, uint8_t)
READER(int64_t, from_u16, uint16_t)
READER(int64_t, from_u32, uint32_t)

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
static double from_f16(const unsigned char *p) {
  int sign = p[1] >> 7, exponent = p[1] >> 2 & 31, fraction = (p[1] & 3) << 8 | p[0];
  double v = exponent == 31 ? (fraction ? NAN : INFINITY)
             : exponent     ? ldexp(1024 + fraction, exponent - 25)
                            : ldexp(fraction, -24);
  return sign ? -v : v;
}

/* The upper half of a float. */
static double from_bf16(const unsigned char *p) {
  return from_f32((const unsigned char[]){0, 0, p[0], p[1]});
}

typedef struct real_reader {
  const char *dtype;
  double (*get)(const unsigned char *);
} real_reader;

static const real_reader real_readers[] = {
    {"F64", from_f64}, {"F32", from_f32}, {"F16", from_f16}, {"BF16", from_bf16}};

typedef struct int_reader {
  const char *dtype;
  int64_t (*get)(const unsigned char *);
} int_reader;

static const int_reader int_readers[] = {{"I64", from_i64}, {"I32", from_i32}, {"I16", from_i16},
                                         {"I8", from_i8},   {"U8", from_u8},   {"U16", from_u16},
                                         {"U32", from_u32}};

st safetensors_to_real(const safetensors *f, const safetensors_entry *t, real *out, err *e) {
  const unsigned char *p = t->data;
  int64_t n = safetensors_numel(t);
  if (strcmp(t->dtype, REAL_NAME) == 0) {
    memcpy(out, p, t->bytes);
    return ST_OK;
  }
  for (size_t k = 0; k < sizeof real_readers / sizeof *real_readers; k++) {
    if (strcmp(t->dtype, real_readers[k].dtype)) continue;
    size_t width = n ? t->bytes / (size_t)n : 0;
    for (int64_t i = 0; i < n; i++) out[i] = (real)real_readers[k].get(p + width * (size_t)i);
    return ST_OK;
  }
  return safetensors_fail(f->path, t->name, e, "found type %s, expected F64, F32, F16 or BF16", t->dtype);
}

st safetensors_to_int(const safetensors *f, const safetensors_entry *t, int64_t *out, err *e) {
  const unsigned char *p = t->data;
  int64_t n = safetensors_numel(t);
  for (size_t k = 0; k < sizeof int_readers / sizeof *int_readers; k++) {
    if (strcmp(t->dtype, int_readers[k].dtype)) continue;
    size_t width = n ? t->bytes / (size_t)n : 0;
    for (int64_t i = 0; i < n; i++) out[i] = int_readers[k].get(p + width * (size_t)i);
    return ST_OK;
  }
  return safetensors_fail(f->path, t->name, e, "found type %s, expected I64, I32, I16, I8, U8, U16 or U32",
                          t->dtype);
}
