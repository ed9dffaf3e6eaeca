/* How many cores: affinity from the kernel, quota from the control group's files. */
#define _GNU_SOURCE
#include "dyt/cgroup.h"
#include "dyt/mem.h"
#include "dyt/work.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>

/* The kernel refuses a mask smaller than its own: try larger ones. */
static int affinity(void) {
  for (int bits = 1024; bits <= 1 << 20; bits *= 2) {
    cpu_set_t *set = CPU_ALLOC((size_t)bits);
    size_t bytes = CPU_ALLOC_SIZE((size_t)bits);
    if (!set) return 1;
    bool ok = sched_getaffinity(0, bytes, set) == 0;
    bool small = !ok && errno == EINVAL;
    int count = ok ? CPU_COUNT_S(bytes, set) : 1;
    CPU_FREE(set);
    if (!small) return count;
  }
  return 1;
}

/* v2: "MICROSECONDS PERIOD" in cpu.max, "max PERIOD" for none. */
static double quota_v2(const char *folder) {
  char *path = mem_printf("%s/cpu.max", folder);
  FILE *f = fopen(path, "re");
  double time = 0, period = 0;
  bool ok = f && fscanf(f, "%lf %lf", &time, &period) == 2;
  if (f) fclose(f);
  mem_free(path);
  return ok && time > 0 && period > 0 ? time / period : INFINITY;
}

/* v1: two files; a quota of -1 is none. */
static double quota_v1(const char *folder) {
  double time = 0, period = 0;
  bool ok = cgroup_value(folder, "cpu.cfs_quota_us", NULL, &time) &&
            cgroup_value(folder, "cpu.cfs_period_us", NULL, &period);
  return ok && time > 0 && period > 0 ? time / period : INFINITY;
}

double work_quota(const char *root) { return cgroup_least(root, "cpu", quota_v2, quota_v1); }

int work_cores(void) {
  double cores = fmin(affinity(), ceil(work_quota("")));
  return cores < 1 ? 1 : (int)cores;
}
