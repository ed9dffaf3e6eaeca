/* libFuzzer target: any bytes as a study file are read and checked, or refused with sentences. */
#define _GNU_SOURCE
#include "fuzz_file.h"

#include "dyt/figure.h"
#include "dyt/study.h"
#include "dyt/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  err e = {0};
  study s;
  if (study_read(&s, fuzz_file(data, size), size % 2 ? "quick" : NULL, &e) == ST_OK) {
    table_check(&s, &e);
    figure_check(&s, &e);
    study_free(&s);
  } else {
    REQUIRE(e.code == ST_USER && e.count > 0, "refused without a sentence");
  }
  return 0;
}
