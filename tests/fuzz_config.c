/* libFuzzer target: any bytes as a config file, and those after the first NUL as a --set. Either every error
 * is a sentence of its own, or the resolved config reads back to the same hash. */
#define _GNU_SOURCE
#include "dyt/config.h"
#include "dyt/mem.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file without a place on the disk. */
typedef struct memory_file {
  int fd;
  char path[64];
} memory_file;

static memory_file open_file(void) {
  memory_file f = {.fd = memfd_create("fuzz", 0)};
  snprintf(f.path, sizeof f.path, "/proc/self/fd/%d", f.fd);
  return f;
}

static void put(const memory_file *f, const void *data, size_t size) {
  REQUIRE(ftruncate(f->fd, 0) == 0 && pwrite(f->fd, data, size, 0) == (ssize_t)size, "no memory file");
}

static void check_round_trip(const memory_file *f, const config *c) {
  str text = {0};
  char hash[17], again[17];
  err e = {0};
  config back;
  config_write(c, &text);
  config_hash(c, hash);
  put(f, text.data, text.len);
  REQUIRE(config_load(f->path, NULL, 0, &back, &e) == ST_OK, "%s in %s", e.text, text.data);
  config_hash(&back, again);
  REQUIRE(strcmp(hash, again) == 0, "%s", text.data);
  config_free(&back);
  str_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static memory_file in, out;
  if (!in.fd) in = open_file(), out = open_file();
  size_t n = strnlen((const char *)data, size);
  char *set = mem_new(size - n + 1, 1);
  if (n < size) memcpy(set, data + n + 1, size - n - 1);
  put(&in, data, n);
  err e = {0};
  str shown = {0};
  config c;
  if (config_load(in.path, (const char *const *)&set, n < size, &c, &e) == ST_OK) {
    config_show(&c, &shown);
    check_round_trip(&out, &c);
    config_free(&c);
  } else {
    REQUIRE(e.count >= 1 && e.code == ST_USER && e.text[0], "no sentence");
  }
  str_free(&shown);
  mem_free(set);
  return 0;
}
