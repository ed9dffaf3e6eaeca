/* libFuzzer target: any bytes as a safetensors file are read wholly or refused with one sentence. */
#define _GNU_SOURCE
#include "dyt/mem.h"
#include "dyt/safetensors.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Uses what was read as a caller would; a type that has no conversion is refused, and that is fine. */
static void use(const safetensors *f) {
  for (int i = 0; i < f->count; i++) {
    const safetensors_entry *t = &f->entry[i];
    char shape[64];
    safetensors_shape_text(t, shape);
    REQUIRE(safetensors_find(f, t->name) == t, "%s is not found", t->name);
    size_t n = (size_t)safetensors_numel(t);
    int64_t *numbers = mem_new(n, sizeof *numbers);
    real *values = mem_new(n, sizeof *values);
    if (safetensors_to_int(f, t, numbers, NULL)) (void)safetensors_to_real(f, t, values, NULL);
    mem_free(numbers);
    mem_free(values);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static int fd = -1; /* a file without a place on the disk */
  static char path[64];
  if (fd < 0) {
    fd = memfd_create("fuzz", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  }
  REQUIRE(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size, "no memory file");
  err e = {0};
  safetensors f;
  if (safetensors_read(path, &f, &e) == ST_OK)
    use(&f);
  else
    REQUIRE(e.count == 1 && e.code == ST_USER && !strchr(e.text, '\n'), "%s", e.text);
  safetensors_free(&f);
  return 0;
}
