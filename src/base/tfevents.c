#include "dyt/tfevents.h"

#include <string.h>

/* --- protocol buffers: a key (field number and kind), then the value --- */

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static void add_varint(str *s, uint64_t v) {
  for (; v >= 0x80; v >>= 7) str_add_bytes(s, &(unsigned char){(unsigned char)(v | 0x80)}, 1);
  str_add_bytes(s, &(unsigned char){(unsigned char)v}, 1);
}

static void add_key(str *s, int field, int kind) { add_varint(s, (uint64_t)(field << 3 | kind)); }

static void add_fixed(str *s, uint64_t v, int bytes) {
  for (int i = 0; i < bytes; i++) str_add_bytes(s, &(unsigned char){(unsigned char)(v >> 8 * i)}, 1);
}

static void add_number(str *s, double v) {
  uint64_t bits;
  memcpy(&bits, &v, sizeof bits);
  add_fixed(s, bits, 8);
}

static void add_double(str *s, int field, double v) {
  add_key(s, field, FIXED64);
  add_number(s, v);
}

static void add_float(str *s, int field, float v) {
  uint32_t bits;
  memcpy(&bits, &v, sizeof bits);
  add_key(s, field, FIXED32);
  add_fixed(s, bits, 4);
}

static void add_bytes(str *s, int field, const void *data, size_t n) {
  add_key(s, field, BYTES);
  add_varint(s, n);
  str_add_bytes(s, data, n);
}

static void add_doubles(str *s, int field, const double *v, int n) {
  str packed = {0};
  for (int i = 0; i < n; i++) add_number(&packed, v[i]);
  add_bytes(s, field, packed.data, packed.len);
  str_free(&packed);
}

/* --- records --- */

enum { EVENT_WALL_TIME = 1, EVENT_STEP, EVENT_FILE_VERSION, EVENT_SUMMARY = 5 };
enum { SUMMARY_VALUE = 1 };
enum { VALUE_TAG = 1, VALUE_SIMPLE = 2, VALUE_HISTOGRAM = 5 };
enum {
  HISTOGRAM_MIN = 1,
  HISTOGRAM_MAX,
  HISTOGRAM_NUM,
  HISTOGRAM_SUM,
  HISTOGRAM_SQUARES,
  HISTOGRAM_LIMIT,
  HISTOGRAM_BUCKET
};

/* Four bits at a time. */
uint32_t tfevents_crc(const void *data, size_t n) {
  const unsigned char *p = data;
  uint32_t of_bits[16], crc = ~0u;
  for (uint32_t i = 0; i < 16; i++) {
    of_bits[i] = i;
    for (int k = 0; k < 4; k++) of_bits[i] = of_bits[i] >> 1 ^ (of_bits[i] & 1 ? 0x82F63B78u : 0);
  }
  for (size_t i = 0; i < n; i++) {
    crc ^= p[i];
    crc = crc >> 4 ^ of_bits[crc & 15];
    crc = crc >> 4 ^ of_bits[crc & 15];
  }
  return ~crc;
}

static uint32_t masked(uint32_t crc) { return (crc >> 15 | crc << 17) + 0xA282EAD8u; }

static void add_record(str *file, const str *event) {
  str length = {0};
  add_fixed(&length, event->len, 8);
  str_add_bytes(file, length.data, length.len);
  add_fixed(file, masked(tfevents_crc(length.data, length.len)), 4);
  str_add_bytes(file, event->data, event->len);
  add_fixed(file, masked(tfevents_crc(event->data, event->len)), 4);
  str_free(&length);
}

void tfevents_begin(str *file, double wall_time) {
  static const char version[] = "brain.Event:2";
  str event = {0};
  add_double(&event, EVENT_WALL_TIME, wall_time);
  add_bytes(&event, EVENT_FILE_VERSION, version, sizeof version - 1);
  add_record(file, &event);
  str_free(&event);
}

void tfevents_add(str *file, double wall_time, int64_t step, const str *values) {
  str event = {0};
  add_double(&event, EVENT_WALL_TIME, wall_time);
  add_key(&event, EVENT_STEP, VARINT);
  add_varint(&event, (uint64_t)step);
  add_bytes(&event, EVENT_SUMMARY, values->data, values->len);
  add_record(file, &event);
  str_free(&event);
}

/* --- values --- */

void tfevents_scalar(str *values, const char *tag, double v) {
  str value = {0};
  add_bytes(&value, VALUE_TAG, tag, strlen(tag));
  add_float(&value, VALUE_SIMPLE, (float)v);
  add_bytes(values, SUMMARY_VALUE, value.data, value.len);
  str_free(&value);
}

void tfevents_add_histogram(str *values, const char *tag, const tfevents_histogram *h) {
  str value = {0}, histogram = {0};
  const double head[] = {h->min, h->max, h->n, h->sum, h->sum_squares};
  for (int i = 0; i < 5; i++) add_double(&histogram, HISTOGRAM_MIN + i, head[i]);
  add_doubles(&histogram, HISTOGRAM_LIMIT, h->limit, h->buckets);
  add_doubles(&histogram, HISTOGRAM_BUCKET, h->count, h->buckets);
  add_bytes(&value, VALUE_TAG, tag, strlen(tag));
  add_bytes(&value, VALUE_HISTOGRAM, histogram.data, histogram.len);
  add_bytes(values, SUMMARY_VALUE, value.data, value.len);
  str_free(&value);
  str_free(&histogram);
}
