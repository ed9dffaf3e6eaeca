/* Test support: a temporary folder with IDX files in it, and data sets that open, or fail to, as expected.
 */
#ifndef DYT_TESTS_DATA_SUPPORT_H
#define DYT_TESTS_DATA_SUPPORT_H

#include "dyt/data.h"
#include "dyt/file.h"
#include "dyt/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include <cmocka.h>

static char folder[512]; /* emptied before each test */

static inline int make_folder(void **state) {
  (void)state;
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/dyt-data-XXXXXX", base ? base : "/tmp");
  return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state) {
  (void)state;
  return (int)file_remove(folder, NULL);
}

static inline const char *in_folder(const char *name) {
  static char path[2][1024];
  static int turn;
  turn = !turn;
  snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
  return path[turn];
}

static inline void put(const char *name, const void *bytes, size_t size) {
  err e = {0};
  assert_int_equal(file_write(in_folder(name), bytes, size, &e), ST_OK);
}

static inline void put_gz(const char *name, const void *bytes, size_t size) {
  gzFile f = gzopen(in_folder(name), "wb");
  assert_int_equal(gzwrite(f, bytes, (unsigned)size), (int)size);
  assert_int_equal(gzclose(f), Z_OK);
}

/* Appends an IDX header. */
static inline void add_header(str *s, int dims, const uint32_t *size) {
  const unsigned char magic[4] = {0, 0, 8, (unsigned char)dims};
  str_add_bytes(s, magic, 4);
  for (int i = 0; i < dims; i++) {
    const unsigned char n[4] = {(unsigned char)(size[i] >> 24), (unsigned char)(size[i] >> 16),
                                (unsigned char)(size[i] >> 8), (unsigned char)size[i]};
    str_add_bytes(s, n, 4);
  }
}

typedef void put_function(const char *name, const void *bytes, size_t size);

/* Byte j of the picture i that put_part writes. */
static inline unsigned char byte_of(int i, int j) { return (unsigned char)(i * 37 + j * 11 + 5); }

static inline void put_images(put_function *to, const char *name, int n, int height, int width) {
  str s = {0};
  add_header(&s, 3, (const uint32_t[]){(uint32_t)n, (uint32_t)height, (uint32_t)width});
  for (int i = 0; i < n; i++)
    for (int j = 0; j < height * width; j++) str_add_bytes(&s, &(unsigned char){byte_of(i, j)}, 1);
  to(name, s.data, s.len);
  str_free(&s);
}

static inline void put_labels(put_function *to, const char *name, int n, const unsigned char *label) {
  str s = {0};
  add_header(&s, 1, (const uint32_t[]){(uint32_t)n});
  str_add_bytes(&s, label, (size_t)n);
  to(name, s.data, s.len);
  str_free(&s);
}

/* data_open on two threads. */
static inline st open_data(config *c, data_set *d, err *e) {
  work_pool *pool = work_new(2, NULL, NULL);
  st code = data_open(c, pool, d, e);
  work_free(pool);
  return code;
}

static inline data_set open_ok(config *c) {
  data_set d;
  err e = {0};
  if (open_data(c, &d, &e)) fail_msg("%s", e.text);
  return d;
}

/* The config of a file that names the folder's data and leaves open what they settle; `more` stands before "data". */
static inline config load_config(const char *format, const char *more) {
  config c;
  err e = {0};
  char *text = mem_printf("{%s\"data\": {\"format\": \"%s\", \"path\": \"%s\"}}", more, format, folder);
  put("config.json", text, strlen(text));
  mem_free(text);
  if (config_load(in_folder("config.json"), NULL, 0, &c, &e)) fail_msg("%s", e.text);
  return c;
}

/* Opening fails with ST_USER and one sentence that contains each of the words. */
#define ASSERT_BAD(c, ...) assert_bad(c, (const char *const[]){__VA_ARGS__, NULL})
static inline void assert_bad(config *c, const char *const *words) {
  data_set d;
  err e = {0};
  assert_int_equal(open_data(c, &d, &e), ST_USER);
  assert_int_equal(e.count, 1);
  for (; *words; words++)
    if (!strstr(e.text, *words)) fail_msg("\"%s\" does not mention \"%s\"", e.text, *words);
}

/* Samples of that class in a split. */
static inline int count_of(const data_split *s, int label) {
  int n = 0;
  for (int64_t i = 0; i < s->n; i++) n += s->label[i] == label;
  return n;
}

static inline double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline void print_speed(const char *what, config *c, bool augmented) {
  enum { N = 20000 };
  data_set d = open_ok(c);
  real *image = mem_new((size_t)(d.height * d.width * d.channels), sizeof *image), target[10];
  unsigned char *scratch = mem_new(data_scratch(&d), 1);
  double begin = seconds();
  for (int i = 0; i < N; i++)
    data_sample(&d, &d.train, i % d.train.n, augmented ? &(data_draw){0, 0} : NULL, image, target, scratch);
  print_message("%s: %.0f ns a sample\n", what, (seconds() - begin) * 1e9 / N);
  mem_free(image);
  mem_free(scratch);
  data_close(&d);
}

#define TEST_IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

#endif
