/* config_support - config files for tests, in a folder of their own; included by each test that needs them.
 */
#ifndef DYT_TESTS_CONFIG_SUPPORT_H
#define DYT_TESTS_CONFIG_SUPPORT_H

#include "dyt/config.h"
#include "dyt/mem.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

static char *folder;

static inline int make_folder(void **state) {
  (void)state;
  folder = support_folder();
  return 0;
}

static inline int remove_folder(void **state) {
  (void)state;
  support_end(folder);
  return 0;
}

static inline void put_bytes(const char *name, const void *data, size_t size) {
  char *path = mem_printf("%s/%s", folder, name);
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(data, 1, size, f), size);
  assert_int_equal(fclose(f), 0);
  mem_free(path);
}

static inline void put(const char *name, const char *text) { put_bytes(name, text, strlen(text)); }

enum { SETS_MAX = 8 };

/* Loads folder/name with `sets`, which ends with NULL. */
static inline st load(const char *name, const char *const *sets, config *c, err *e) {
  char *path = mem_printf("%s/%s", folder, name);
  int n = 0;
  while (sets && sets[n]) n++;
  *e = (err){0};
  st code = config_load(path, sets, n, c, e);
  mem_free(path);
  return code;
}

#define SETS(...) ((const char *const[SETS_MAX]){__VA_ARGS__})

static inline config load_ok(const char *text, const char *const *sets) {
  config c;
  err e;
  put("c.json", text);
  if (load("c.json", sets, &c, &e)) fail_msg("%s", e.text);
  assert_int_equal(e.count, 0);
  return c;
}

/* The sentence after the folder's name, which it must begin with unless it is of a --set. */
static inline void assert_error(const char *name, const char *const *sets, const char *sentence) {
  config c;
  err e;
  char *expected =
      mem_printf("%s%s%s", *sentence == '-' ? "" : folder, *sentence == '-' ? "" : "/", sentence);
  if (load(name, sets, &c, &e) != ST_USER || e.count != 1 || strncmp(e.text, expected, strlen(expected)))
    fail_msg("expected \"%s\", found %d sentences: %s", expected, e.count, e.text);
  assert_null(strchr(e.text, '\n'));
  assert_null(c.tree);
  mem_free(expected);
}

/* The file c.json with that text must be refused with one sentence that begins so. */
static inline void refuse(const char *text, const char *sentence) {
  put("c.json", text);
  assert_error("c.json", NULL, sentence);
}

static inline void refuse_set(const char *set, const char *sentence) {
  put("c.json", "{}");
  assert_error("c.json", SETS(set), sentence);
}

static inline void assert_same_after_reading(const config *c) {
  str text = {0}, again = {0};
  char hash[17], hash_again[17];
  config_write(c, &text);
  config_hash(c, hash);
  config back = load_ok(text.data, NULL);
  config_write(&back, &again);
  config_hash(&back, hash_again);
  assert_string_equal(text.data, again.data);
  assert_string_equal(hash, hash_again);
  assert_int_equal(config_diff(c, &back, NULL, NULL), 0);
  assert_int_equal(text.data[text.len - 1], '\n');
  config_free(&back);
  str_free(&text);
  str_free(&again);
}

#endif
