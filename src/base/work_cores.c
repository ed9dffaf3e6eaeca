/* How many cores: affinity from the kernel, quota from the control group's files. */
#define _GNU_SOURCE
#include "dyt/mem.h"
#include "dyt/work.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

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

/* The first line of a file; false if it cannot be read. */
static bool first_line(const char *path, char *line, int size) {
  FILE *f = fopen(path, "re");
  bool ok = f && fgets(line, size, f);
  if (f) fclose(f);
  return ok;
}

static bool read_number(const char *folder, const char *name, double *v) {
  char *path = mem_printf("%s/%s", folder, name), line[64];
  bool ok = first_line(path, line, sizeof line) && sscanf(line, "%lf", v) == 1;
  mem_free(path);
  return ok;
}

/* v2: "MICROSECONDS PERIOD" in cpu.max, "max PERIOD" for none. */
static double quota_v2(const char *folder) {
  char *path = mem_printf("%s/cpu.max", folder), line[64];
  double time = 0, period = 0;
  bool ok = first_line(path, line, sizeof line) && sscanf(line, "%lf %lf", &time, &period) == 2;
  mem_free(path);
  return ok && time > 0 && period > 0 ? time / period : INFINITY;
}

/* v1: two files; a quota of -1 is none. */
static double quota_v1(const char *folder) {
  double time = 0, period = 0;
  bool ok =
      read_number(folder, "cpu.cfs_quota_us", &time) && read_number(folder, "cpu.cfs_period_us", &period);
  return ok && time > 0 && period > 0 ? time / period : INFINITY;
}

/* The least quota of a group and those above it. In a container the group's path may be the host's, of which
 * nothing is visible here but the top: then that is what counts. */
static double least_quota(const char *root, const char *mount, const char *group,
                          double (*quota)(const char *)) {
  char *folder = mem_printf("%s/sys/fs/cgroup%s%s", root, mount, group);
  size_t top = strlen(folder) - strlen(group);
  double least = INFINITY;
  for (;;) {
    least = fmin(least, quota(folder));
    if (strlen(folder) <= top) break;
    *strrchr(folder, '/') = '\0';
  }
  mem_free(folder);
  return least;
}

/* Whether the comma-separated list holds "cpu". */
static bool lists_cpu(const char *list) {
  for (const char *p = list; p; p = strchr(p, ',')) {
    p += *p == ',';
    if (strncmp(p, "cpu", 3) == 0 && (p[3] == ',' || p[3] == '\0')) return true;
  }
  return false;
}

/* A line of /proc/self/cgroup: "ID:CONTROLLERS:/GROUP", without controllers for v2. */
static double line_quota(const char *root, char *line) {
  line[strcspn(line, "\n")] = '\0';
  char *list = strchr(line, ':'), *group = list ? strchr(list + 1, ':') : NULL;
  if (!group || group[1] != '/') return INFINITY;
  *group++ = '\0';
  list++;
  if (*list == '\0') return least_quota(root, "", group, quota_v2);
  if (!lists_cpu(list)) return INFINITY;
  char *mount =
      mem_printf("/%s", list); /* the mount is named after all its controllers, "cpu" often a link to it */
  double a = least_quota(root, mount, group, quota_v1), b = least_quota(root, "/cpu", group, quota_v1);
  mem_free(mount);
  return fmin(a, b);
}

double work_quota(const char *root) {
  char *path = mem_printf("%s/proc/self/cgroup", root), line[4096];
  FILE *f = fopen(path, "re");
  mem_free(path);
  double least = INFINITY;
  while (f && fgets(line, sizeof line, f)) least = fmin(least, line_quota(root, line));
  if (f) fclose(f);
  return least;
}

int work_cores(void) {
  double cores = fmin(affinity(), ceil(work_quota("")));
  return cores < 1 ? 1 : (int)cores;
}
