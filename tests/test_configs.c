/* Every config that is shipped is one, and says what it is for. */
#define _GNU_SOURCE
#include "support.h"

#include "dyt/config.h"
#include "dyt/file.h"

#include <ftw.h>
#include <string.h>

static int seen;

static int check(const char *path, const struct stat *s, int type, struct FTW *where) {
  size_t n = strlen(path);
  (void)s, (void)where;
  if (type != FTW_F || n < 5 || strcmp(path + n - 5, ".json")) return 0;
  config c;
  file_bytes b;
  err e = {0};
  if (config_load(path, NULL, 0, &c, &e) || file_read(path, 1 << 20, &b, &e)) fail_msg("%s", e.text);
  if (!strstr((char *)b.data, "\"_about\"")) fail_msg("%s: has no _about", path);
  file_bytes_free(&b);
  config_free(&c);
  seen++;
  return 0;
}

static void test_shipped_configs(void **state) {
  (void)state;
  assert_int_equal(nftw("configs", check, 16, FTW_PHYS), 0);
  assert_true(seen >= 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_shipped_configs)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
