/* train.tensorboard: the event file, read by a reader that shares nothing with its writer, says what the logs say; it is cut
 * back and grows again like them. */
#include "command.h"

#include "dyt/histogram.h"
#include "dyt/mem.h"
#include "dyt/rng.h"
#include "dyt/tfevents.h"

#include <cJSON.h>
#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define EVENTS "tensorboard/events.out.tfevents.dyt"

/* --- the reader --- */

/* By definition: the remainder of a polynomial division, bit by bit, of reflected bytes. */
static uint32_t crc_by_definition(const unsigned char *p, size_t n) {
  uint32_t rest = 0xFFFFFFFF, reflected = 0;
  for (size_t i = 0; i < n; i++)
    for (int bit = 0; bit < 8; bit++) {
      uint32_t top = rest >> 31 ^ (p[i] >> bit & 1u);
      rest = rest << 1 ^ (top ? 0x1EDC6F41 : 0);
    }
  for (int bit = 0; bit < 32; bit++) reflected |= (rest >> bit & 1u) << (31 - bit);
  return ~reflected;
}

static uint64_t little_endian(const unsigned char *p, int bytes) {
  uint64_t v = 0;
  while (bytes--) v = v * 256 + p[bytes];
  return v;
}

static double number_at(const unsigned char *p) {
  uint64_t bits = little_endian(p, 8);
  double v;
  memcpy(&v, &bits, 8);
  return v;
}

typedef struct message {
  const unsigned char *p, *end;
} message;

typedef struct field {
  int number, kind;
  uint64_t whole;  /* kind 0 */
  message content; /* kinds 1, 2, 5 */
} field;

static uint64_t read_varint(message *m) {
  uint64_t v = 0, unit = 1;
  for (;; unit *= 128) {
    assert_true(m->p < m->end);
    v += (*m->p % 128) * unit;
    if (*m->p++ < 128) return v;
  }
}

static bool read_field(message *m, field *f) {
  if (m->p == m->end) return false;
  uint64_t key = read_varint(m);
  f->number = (int)(key / 8), f->kind = (int)(key % 8);
  if (f->kind == 0) {
    f->whole = read_varint(m);
    return true;
  }
  assert_true(f->kind == 1 || f->kind == 2 || f->kind == 5);
  uint64_t size = f->kind == 1 ? 8 : f->kind == 5 ? 4 : read_varint(m);
  assert_true(size <= (uint64_t)(m->end - m->p));
  f->content = (message){m->p, m->p + size};
  m->p += size;
  return true;
}

typedef struct value {
  int64_t step;
  char tag[64];
  float simple;
  double head[6]; /* of a histogram: from 1: min, max, n, sum, sum of squares */
  int buckets;
  message limits, counts;
} value;

typedef struct events {
  file_bytes file; /* wall times and speeds are set to zero by `read_events` */
  value *v;        /* [values] */
  int values, records;
} events;

static void read_histogram(message m, value *v) {
  for (field f; read_field(&m, &f);) {
    if (f.number <= 5)
      assert_int_equal(f.kind, 1), v->head[f.number] = number_at(f.content.p);
    else
      *(f.number == 6 ? &v->limits : &v->counts) = f.content;
  }
  v->buckets = (int)((v->limits.end - v->limits.p) / 8);
  assert_int_equal(v->counts.end - v->counts.p, 8 * v->buckets);
}

static void read_value(message m, value *v) {
  for (field f; read_field(&m, &f);) {
    if (f.number == 1) memcpy(v->tag, f.content.p, (size_t)(f.content.end - f.content.p));
    if (f.number == 5) read_histogram(f.content, v);
    if (f.number != 2) continue;
    assert_int_equal(f.kind, 5);
    uint32_t bits = (uint32_t)little_endian(f.content.p, 4);
    memcpy(&v->simple, &bits, 4);
    if (strstr(v->tag, "img_per_s")) memset((unsigned char *)(uintptr_t)f.content.p, 0, 4);
  }
}

static void read_event(message m, events *out) {
  int64_t step = 0;
  for (field f; read_field(&m, &f);) {
    if (f.number == 1) {
      assert_true(number_at(f.content.p) > 1.7e9);
      memset((unsigned char *)(uintptr_t)f.content.p, 0, 8);
    }
    if (f.number == 2) step = (int64_t)f.whole;
    if (f.number == 3) assert_memory_equal(f.content.p, "brain.Event:2", 13);
    assert_int_equal(f.number == 3,
                     out->records == 0 && f.number > 2); /* the version comes first, and once */
    for (field value_of; f.number == 5 && read_field(&f.content, &value_of);) {
      size_t n = (size_t)out->values++;
      out->v = mem_grow(out->v, n, n + 1, sizeof *out->v);
      out->v[n].step = step;
      read_value(value_of.content, &out->v[n]);
    }
  }
  out->records++;
}

static uint32_t unmasked(uint32_t v) { return (v - 0xa282ead8) << 15 | (v - 0xa282ead8) >> 17; }

static events *read_events(const command *c, const char *name) {
  events *out = mem_new(1, sizeof *out);
  out->file = command_read(c, name);
  unsigned char *p = out->file.data, *end = p + out->file.size;
  while (p < end) {
    assert_true(end - p >= 16);
    uint64_t n = little_endian(p, 8);
    assert_true(n <= (uint64_t)(end - p - 16));
    assert_int_equal(unmasked((uint32_t)little_endian(p + 8, 4)), crc_by_definition(p, 8));
    assert_int_equal(unmasked((uint32_t)little_endian(p + 12 + n, 4)), crc_by_definition(p + 12, n));
    read_event((message){p + 12, p + 12 + n}, out);
    memset(p + 12 + n, 0, 4); /* it depends on the wall time */
    p += 16 + n;
  }
  return out;
}

static void free_events(events *v) {
  file_bytes_free(&v->file);
  mem_free(v->v);
  mem_free(v);
}

static const value *find(const events *v, const char *group, const char *key, int64_t step) {
  char *tag = mem_printf("%s/%s", group, key);
  const value *found = NULL;
  for (int i = 0; i < v->values; i++)
    if (v->v[i].step == step && strcmp(v->v[i].tag, tag) == 0) found = &v->v[i];
  mem_free(tag);
  return found;
}

/* --- records --- */

static void test_checksum(void **state) {
  (void)state;
  unsigned char text[1000];
  assert_int_equal(crc_by_definition((const unsigned char *)"123456789", 9), 0xE3069283);
  assert_int_equal(tfevents_crc("123456789", 9), 0xE3069283);
  rng r = rng_at(1, "crc", 0, 0);
  for (int i = 0; i < 1000; i++) text[i] = (unsigned char)rng_below(&r, 256);
  for (size_t n = 0; n < 1000; n += 37) assert_int_equal(tfevents_crc(text, n), crc_by_definition(text, n));
}

static void test_large_step(void **state) {
  command *c = *state;
  str file = {0}, values = {0};
  tfevents_begin(&file, 1.8e9);
  tfevents_scalar(&values, "a/\xce\xb1", -0.5);
  tfevents_add(&file, 1.8e9, (int64_t)1 << 40, &values);
  char *path = command_path(c, "file");
  assert_int_equal(file_write(path, file.data, file.len, NULL), ST_OK);
  events *v = read_events(c, "file");
  assert_int_equal(v->records, 2);
  assert_true(find(v, "a", "\xce\xb1", (int64_t)1 << 40)->simple == -0.5f);
  free_events(v);
  mem_free(path);
  str_free(&file);
  str_free(&values);
}

/* --- histograms --- */

static void test_buckets(void **state) {
  (void)state;
  static double limit[HISTOGRAM_BUCKETS];
  static histogram_bucket count[HISTOGRAM_BUCKETS];
  const real x[] = {0, -0.0f, (real)1e-30, (real)-1e-30, 1, -1, (real)3e38, (real)-3e38, INFINITY, NAN, 7, 7};
  enum { N = sizeof x / sizeof *x };
  double range[2];
  histogram_limits(limit);
  assert_true(limit[HISTOGRAM_BUCKETS - 1] == DBL_MAX && limit[0] == -DBL_MAX);
  for (int i = 1; i < HISTOGRAM_BUCKETS; i++) assert_true(limit[i] > limit[i - 1]);
  histogram_count(limit, N, x, count, range);
  int64_t in_order[HISTOGRAM_BUCKETS] = {0};
  for (int i = 0; i < N; i++) {
    int b = 0;
    while (b < HISTOGRAM_BUCKETS - 1 && (double)x[i] >= limit[b]) b++;
    in_order[b]++;
  }
  for (int b = 0; b < HISTOGRAM_BUCKETS; b++) assert_int_equal(count[b], in_order[b]);
  histogram_count(limit, 2, x + 4, count, range);
  assert_true(range[0] == -1 && range[1] == 1);
}

/* --- a run --- */

/* Every number of a log stands under GROUP/KEY at its step, but for where the line stands. */
static int check_log(const command *c, const events *v, const char *name, const char *group) {
  file_bytes log = command_read(c, name);
  int numbers = 0;
  for (char *line = strtok((char *)log.data, "\n"); line; line = strtok(NULL, "\n")) {
    cJSON *o = cJSON_Parse(line);
    int64_t step = (int64_t)cJSON_GetObjectItem(o, "step")->valuedouble;
    for (const cJSON *m = o->child; m; m = m->next) {
      const value *found = find(v, group, m->string, step);
      bool place = !strcmp(m->string, "step") || !strcmp(m->string, "epoch") || !strcmp(m->string, "seconds");
      if (!found != place) fail_msg("%s/%s at step %d: %p", group, m->string, (int)step, (const void *)found);
      if (place) continue;
      assert_true(found->simple == (float)m->valuedouble);
      numbers++;
    }
    cJSON_Delete(o);
  }
  file_bytes_free(&log);
  return numbers;
}

static void check_histogram(const value *h, double mean, double std, double absmax, double n) {
  double inside = 0, last = -DBL_MAX;
  for (int b = 0; b < h->buckets; b++, last = number_at(h->limits.p + 8 * (b - 1))) {
    assert_true(number_at(h->limits.p + 8 * b) > last);
    inside += number_at(h->counts.p + 8 * b);
  }
  assert_true(inside == n && h->head[3] == n);
  assert_true(fabs(h->head[4] / n - mean) <= 1e-8 * (fabs(mean) + 1e-3));
  assert_true(fabs(sqrt(h->head[5] / n - mean * mean) - std) <= 1e-6 * std);
  assert_true(fabs(fmax(-h->head[1], h->head[2]) - absmax) <= 1e-8 * absmax);
  assert_true(number_at(h->counts.p) > 0 && number_at(h->counts.end - 8) > 0); /* no empty ends */
  assert_true(h->head[1] < number_at(h->limits.p) && h->head[2] < number_at(h->limits.end - 8));
  assert_true(h->head[2] >= number_at(h->limits.end - 16));
}

/* Rows of dyt.csv; returns how many. */
static int check_norms(const command *c, const events *v) {
  file_bytes csv = command_read(c, "run/dyt.csv");
  int rows = 0;
  strtok((char *)csv.data, "\n");
  for (char *line; (line = strtok(NULL, "\n")); rows++) {
    long step;
    char layer[40];
    double alpha, inv_std, mean, std, absmax, saturated, n;
    assert_int_equal(sscanf(line,
                            "%ld,%*[^,],%39[^,],%*[^,],%*[^,],%*[^,],%*[^,],%lf,%lf,%lf,%lf,%lf,%lf,%lf",
                            &step, layer, &alpha, &inv_std, &mean, &std, &absmax, &saturated, &n),
                     9);
    assert_true(find(v, "alpha", layer, step)->simple == (float)alpha);
    assert_true(fabs((double)find(v, "inv_std", layer, step)->simple / inv_std - 1) < 1e-7);
    check_histogram(find(v, "norm_input", layer, step), mean, std, absmax, n);
  }
  file_bytes_free(&csv);
  return rows;
}

static void test_says_what_the_logs_say(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/run --set train.tensorboard=true"), 0);
  events *v = read_events(c, "run/" EVENTS);
  int logged = check_log(c, v, "run/log.jsonl", "log") + check_log(c, v, "run/steps.jsonl", "steps");
  int rows = check_norms(c, v);
  assert_int_equal(rows, 5 * 16);
  assert_int_equal(v->values, logged + 3 * rows); /* and nothing else */
  assert_int_equal(v->records, 1 + 3 + 2 + 16);
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/off"), 0);
  assert_false(command_exists(c, "off/tensorboard"));
  command_assert_same(c, "run/dyt.csv", "off/dyt.csv");
  free_events(v);
}

static void assert_same_events(const command *c, const char *a, const char *b) {
  events *x = read_events(c, a), *y = read_events(c, b);
  assert_int_equal(x->file.size, y->file.size);
  assert_memory_equal(x->file.data, y->file.data, x->file.size);
  free_events(x);
  free_events(y);
}

#define LONGER "--set train.tensorboard=true --set schedule.epochs=6 --set model.dim=32"

static void test_resumed(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/whole --threads 1 " LONGER), 0);
  pid_t pid = command_start(c, "train @/tiny.json --run-dir @/run --threads 2 " LONGER);
  command_wait_for(c, "run/log.jsonl", "\"epoch\": 2");
  kill(pid, SIGKILL);
  command_wait(pid);
  char *events_path = command_path(c, "run/" EVENTS);
  assert_int_equal(file_append(events_path, "half a record", 13, NULL), ST_OK);
  assert_int_equal(command_run(c, "train --resume @/run"), 0);
  assert_same_events(c, "whole/" EVENTS, "run/" EVENTS);
  mem_free(events_path);
}

/* The checkpoint as versions without events wrote it. */
static void remove_events_size(const command *c) {
  static const char member[] = "\"events_size\": 0,";
  char *path = command_path(c, "run/checkpoints/last/state.json");
  file_bytes state = command_read(c, "run/checkpoints/last/state.json");
  char *at = strstr((char *)state.data, member);
  assert_non_null(at);
  memset(at, ' ', sizeof member - 1);
  assert_int_equal(file_write(path, state.data, state.size, NULL), ST_OK);
  file_bytes_free(&state);
  mem_free(path);
}

/* From where it was asked for, the version first. */
static void test_asked_for_later(void **state) {
  command *c = *state;
  pid_t pid = command_start(c, "train @/tiny.json --run-dir @/run --set schedule.epochs=200");
  command_wait_for(c, "run/log.jsonl", "\"epoch\": 2");
  kill(pid, SIGINT);
  assert_int_equal(command_wait(pid), 130);
  remove_events_size(c);
  pid = command_start(c, "train --resume @/run --set train.tensorboard=true");
  while (!command_exists(c, "run/" EVENTS)) command_nap(0.01);
  kill(pid, SIGINT);
  assert_int_equal(command_wait(pid), 130);
  events *v = read_events(c, "run/" EVENTS);
  assert_true(v->records > 1 && v->v[0].step >= 60);
  free_events(v);
}

/* A file-size limit that only the event file meets: one sentence, whole records, and the run goes on where there is room. */
static void test_no_room(void **state) {
  command *c = *state;
  c->under = "sh -c 'ulimit -f 300; trap \"\" XFSZ; exec \"$0\" \"$@\"'";
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/run --set train.tensorboard=true"), 2);
  command_assert_contains(c->err, "error: ");
  command_assert_contains(strstr(c->err, "error: "), EVENTS ": cannot be written");
  c->under = NULL;
  free_events(read_events(c, "run/" EVENTS));
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/whole --set train.tensorboard=true"), 0);
  assert_int_equal(command_run(c, "train --resume @/run"), 0);
  assert_same_events(c, "whole/" EVENTS, "run/" EVENTS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_checksum),
      cmocka_unit_test(test_buckets),
      TEST(test_large_step),
      TEST(test_says_what_the_logs_say),
      TEST(test_resumed),
      TEST(test_asked_for_later),
      TEST(test_no_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
