/* libFuzzer target: any bytes as a study file are read and checked, or refused with sentences. */
#define _GNU_SOURCE
#include "dyt/study.h"
#include "dyt/table.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static int fd = -1; /* a file without a place on the disk */
  static char path[64];
  if (fd < 0) {
    fd = memfd_create("fuzz", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  }
  REQUIRE(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size, "no memory file");
  err e = {0};
  study s;
  if (study_read(&s, path, size % 2 ? "quick" : NULL, &e) == ST_OK) {
    table_check(&s, &e);
    study_free(&s);
  } else {
    REQUIRE(e.code == ST_USER && e.count > 0, "refused without a sentence");
  }
  return 0;
}
