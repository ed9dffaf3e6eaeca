/* fuzz_file - bytes of a fuzzer as a file without a place on the disk. */
#ifndef DYT_TESTS_FUZZ_FILE_H
#define DYT_TESTS_FUZZ_FILE_H

#include "dyt/err.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* The file's path; it holds these bytes until the next call. Needs _GNU_SOURCE. */
static inline const char *fuzz_file(const uint8_t *data, size_t size) {
  static int fd = -1;
  static char path[64];
  if (fd < 0) {
    fd = memfd_create("fuzz", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  }
  REQUIRE(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size, "no memory file");
  return path;
}

#endif
