/* What control groups allow of cores and memory, as v2 and v1 state it. */
#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/work.h"
#include "support.h"

#include <math.h>
#include <string.h>

/* A root with these control group files: `cgroup` is /proc/self/cgroup's text, then pairs of path and text.
 */
static char *make_root(const char *cgroup, const char *const (*files)[2], int count) {
  char *root = support_folder();
  err e = {0};
  char *folder = mem_printf("%s/proc/self", root), *list = mem_printf("%s/cgroup", folder);
  assert_int_equal(file_make_folder(folder, &e), ST_OK);
  assert_int_equal(file_write(list, cgroup, strlen(cgroup), &e), ST_OK);
  mem_free(folder), mem_free(list);
  for (int i = 0; i < count; i++) {
    char *path = mem_printf("%s/sys/fs/cgroup/%s", root, files[i][0]), *above = mem_strdup(path);
    *strrchr(above, '/') = '\0';
    assert_int_equal(file_make_folder(above, &e), ST_OK);
    assert_int_equal(file_write(path, files[i][1], strlen(files[i][1]), &e), ST_OK);
    mem_free(path), mem_free(above);
  }
  return root;
}
#define ROOT(cgroup, ...)                                                                                    \
  make_root(cgroup, (const char *const[][2]){__VA_ARGS__},                                                   \
            (int)(sizeof(const char *const[][2]){__VA_ARGS__} / sizeof(char *[2])))

static double quota_of(char *root) {
  double quota = work_quota(root);
  support_end(root);
  return quota;
}
#define QUOTA(cgroup, ...) quota_of(ROOT(cgroup, __VA_ARGS__))

static size_t room_of(char *root) {
  size_t room = mem_group_room(root);
  support_end(root);
  return room;
}
#define ROOM(cgroup, ...) room_of(ROOT(cgroup, __VA_ARGS__))

static void quotas_of_control_groups(void **state) {
  (void)state;
  /* v2: the least of the group and those above it */
  assert_float_equal(QUOTA("0::/a/b\n", {"a/b/cpu.max", "max 100000\n"}, {"a/cpu.max", "150000 100000\n"}),
                     1.5, 0);
  assert_float_equal(QUOTA("0::/a/b\n", {"a/b/cpu.max", "50000 100000\n"}, {"a/cpu.max", "150000 100000\n"}),
                     0.5, 0);
  /* in a container: the path is the host's, only the top is visible */
  assert_float_equal(QUOTA("0::/docker/1234\n", {"cpu.max", "300000 100000\n"}), 3, 0);
  assert_float_equal(QUOTA("0::/\n", {"cpu.max", "200000 100000\n"}), 2, 0);
  assert_true(isinf(QUOTA("0::/\n", {"cpu.max", "max 100000\n"})));
  /* v1: mounted under its own name or its full list; cpuset and cpuacct are other controllers */
  assert_float_equal(QUOTA("3:cpuset:/x\n2:cpu,cpuacct:/x\n", {"cpu,cpuacct/x/cpu.cfs_quota_us", "250000\n"},
                           {"cpu,cpuacct/x/cpu.cfs_period_us", "100000\n"}),
                     2.5, 0);
  assert_float_equal(QUOTA("2:cpuacct,cpu:/x\n", {"cpu/cpu.cfs_quota_us", "400000\n"},
                           {"cpu/cpu.cfs_period_us", "100000\n"}),
                     4, 0);
  assert_true(
      isinf(QUOTA("2:cpuset:/\n", {"cpuset/cpu.cfs_quota_us", "1\n"}, {"cpuset/cpu.cfs_period_us", "1\n"})));
  assert_true(
      isinf(QUOTA("2:cpu:/\n", {"cpu/cpu.cfs_quota_us", "-1\n"}, {"cpu/cpu.cfs_period_us", "100000\n"})));
  /* nonsense limits nothing */
  assert_true(isinf(QUOTA("0::/\n", {"cpu.max", "0 0\n"})));
  assert_true(isinf(QUOTA("rubbish\n1:cpu\n::\n", {"cpu.max", "100000 100000\n"})));
  assert_true(isinf(work_quota("/nowhere")));
}

static void room_in_control_groups(void **state) {
  (void)state;
  /* v2: limit less what is held, but pages of files can be taken back */
  assert_true(ROOM("0::/a\n", {"a/memory.max", "5000000\n"}, {"a/memory.current", "3000000\n"}) == 2000000);
  assert_true(ROOM("0::/a\n", {"a/memory.max", "5000000\n"}, {"a/memory.current", "3000000\n"},
                   {"a/memory.stat", "anon 7\nfile 900\ninactive_file 400000\nactive_file 100000\n"}) ==
              2500000);
  /* the least of the group and those above it; in a container only the top is visible */
  assert_true(ROOM("0::/a/b\n", {"a/b/memory.max", "max\n"}, {"a/b/memory.current", "100\n"},
                   {"a/memory.max", "900\n"}, {"a/memory.current", "300\n"}) == 600);
  assert_true(ROOM("0::/docker/12\n", {"memory.max", "900\n"}, {"memory.current", "200\n"}) == 700);
  /* full, or the limit has just been lowered */
  assert_true(ROOM("0::/\n", {"memory.max", "900\n"}, {"memory.current", "1000\n"}) == 0);
  /* v1 */
  assert_true(ROOM("4:memory:/x\n", {"memory/x/memory.limit_in_bytes", "8000\n"},
                   {"memory/x/memory.usage_in_bytes", "5000\n"},
                   {"memory/x/memory.stat",
                    "inactive_file 1\ntotal_inactive_file 1500\ntotal_active_file 500\n"}) == 5000);
  /* no limit */
  assert_true(ROOM("4:memory:/\n", {"memory/memory.limit_in_bytes", "9223372036854771712\n"},
                   {"memory/memory.usage_in_bytes", "5000\n"}) == SIZE_MAX);
  assert_true(ROOM("0::/\n", {"memory.max", "max\n"}, {"memory.current", "5000\n"}) == SIZE_MAX);
  assert_true(ROOM("0::/\n", {"memory.max", "5000\n"}) == SIZE_MAX);
  assert_true(ROOM("2:cpu:/\n", {"cpu/memory.limit_in_bytes", "5\n"}, {"cpu/memory.usage_in_bytes", "1\n"}) ==
              SIZE_MAX);
  assert_true(mem_group_room("/nowhere") == SIZE_MAX);
  assert_true(mem_available() > 0 && mem_available() <= mem_group_room(""));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quotas_of_control_groups),
      cmocka_unit_test(room_in_control_groups),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
