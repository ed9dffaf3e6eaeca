/* libFuzzer target: any bytes as a run's record (gzip or plain) are read wholly or refused with a sentence. */
#define _GNU_SOURCE
#include "dyt/metric.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

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
  static int fd = -1; /* a file without a place on the disk */
  static char path[64];
  if (fd < 0) {
    fd = memfd_create("fuzz", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  }
  REQUIRE(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size, "no memory file");
  err e = {0};
  record r = {0};
  if (record_read(&r, path, &e) == ST_OK)
    use(&r);
  else
    REQUIRE(e.code == ST_USER && e.count > 0, "refused without a sentence");
  record_free(&r);
  return 0;
}
