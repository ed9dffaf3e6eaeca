/* libFuzzer target: any bytes as a safetensors file are read wholly or refused with one sentence. */
#define _GNU_SOURCE
#include "fuzz_file.h"

#include "dyt/mem.h"
#include "dyt/safetensors.h"

#include <string.h>

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
  err e = {0};
  safetensors f;
  if (safetensors_read(fuzz_file(data, size), &f, &e) == ST_OK)
    use(&f);
  else
    REQUIRE(e.count == 1 && e.code == ST_USER && !strchr(e.text, '\n'), "%s", e.text);
  safetensors_free(&f);
  return 0;
}
