/* libFuzzer target for the IDX reader, plain and gzipped alike (the reader tells them apart by content). The
 * first byte chooses the number of dimensions. Build: clang -fsanitize=fuzzer,address,undefined. */
#define _GNU_SOURCE
#include "data/idx.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size) {
  int fd = size ? memfd_create("fuzz", MFD_CLOEXEC) : -1;
  if (fd < 0) return 0;
  if (write(fd, bytes + 1, size - 1) == (ssize_t)(size - 1)) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int dims = bytes[0] % IDX_DIMS_MAX + 1;
    idx_array a;
    err e = {0};
    size_t elements = 1;
    bool good = idx_read(path, dims, &a, &e) == ST_OK;
    for (int i = 0; good && i < dims; i++) elements *= (size_t)a.dim[i];
    REQUIRE(good ? a.elements == elements : e.count == 1 && !a.element, "%s: %zu bytes", path, a.elements);
    idx_free(&a);
  }
  close(fd);
  return 0;
}
