/* Fuzz target: any bytes as a config file. */
#include "dyt/json.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  json_doc d;
  err e = {0};
  if (json_parse("fuzz", (const char *)data, size, &d, &e) == ST_OK) {
    json_set(&d, "a.b.c=1", "--set", &e);
    json_free(&d);
  }
  return 0;
}
