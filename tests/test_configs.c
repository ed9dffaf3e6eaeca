/* Every config and every study that is shipped is one, and says what it is for. */
#define _GNU_SOURCE
#include "support.h"

#include "dyt/config.h"
#include "dyt/figure.h"
#include "dyt/file.h"
#include "dyt/table.h"

#include <ftw.h>
#include <string.h>

static int configs, studies;

/* A study at one tier: its table, its figures, the config it begins with. */
static st read_study(const char *path, const char *tier, err *e) {
  study x;
  config c;
  if (study_read(&x, path, tier, e)) return e->code;
  if (!table_check(&x, e)) figure_check(&x, e);
  if (!e->code && !config_load(x.base, (const char *const *)x.does.set, x.does.sets, &c, e)) config_free(&c);
  study_free(&x);
  return e->code;
}

static st check_study(const char *path, err *e) {
  json_doc d;
  const cJSON *tier;
  if (json_read(path, &d, e)) return e->code;
  st code = read_study(path, NULL, e);
  cJSON_ArrayForEach(tier, json_at(&d, "tiers")) code = code ? code : read_study(path, tier->string, e);
  json_free(&d);
  studies++;
  return code;
}

static st check_config(const char *path, err *e) {
  config c;
  if (!config_load(path, NULL, 0, &c, e)) config_free(&c);
  configs++;
  return e->code;
}

static int check(const char *path, const struct stat *s, int type, struct FTW *where) {
  size_t n = strlen(path);
  (void)s, (void)where;
  if (type != FTW_F || n < 5 || strcmp(path + n - 5, ".json")) return 0;
  file_bytes b;
  err e = {0};
  bool is_study = strstr(path, "/paper/") != NULL;
  if ((is_study ? check_study : check_config)(path, &e) || file_read(path, 1 << 20, &b, &e))
    fail_msg("%s", e.text);
  if (!strstr((char *)b.data, "\"_about\"")) fail_msg("%s: has no _about", path);
  file_bytes_free(&b);
  return 0;
}

static void test_shipped_configs(void **state) {
  (void)state;
  assert_int_equal(nftw("configs", check, 16, FTW_PHYS), 0);
  assert_true(configs >= 4 && studies >= 14);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_shipped_configs)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
