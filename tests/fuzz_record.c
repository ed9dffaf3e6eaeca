/* libFuzzer target: any bytes as a run's record (gzip or plain) are read wholly or refused with a sentence. */
#define _GNU_SOURCE
#include "fuzz_file.h"

#include "dyt/metric.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Uses what was read as a table would. */
static void use(const record *r) {
  static const char *const names[] = {"test_acc1", "val_acc1@1",   "pearson",       "spearman_blocks",
                                      "follow",    "alpha_travel", "tanh_gain_last"};
  metric_failure(r);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    metric m;
    REQUIRE(metric_find(&m, names[i], NULL) == ST_OK, "no metric %s", names[i]);
    metric_of(&m, r);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  err e = {0};
  record r = {0};
  if (record_read(&r, fuzz_file(data, size), &e) == ST_OK)
    use(&r);
  else
    REQUIRE(e.code == ST_USER && e.count > 0, "refused without a sentence");
  record_free(&r);
  return 0;
}
