/* cgroup - limits of the control groups that hold this process, v2 and v1.
 *
 * A limiter says what one group's folder allows, INFINITY where it sets no limit; cgroup_least asks for the
 * process's group and those above it.
 *
 *   static double tasks_max(const char *folder) {
 *     double v;
 *     return cgroup_value(folder, "pids.max", NULL, &v) ? v : INFINITY;
 *   }
 *   double most = cgroup_least("", "pids", tasks_max, tasks_max);
 */
#ifndef DYT_CGROUP_H
#define DYT_CGROUP_H

#include <stdbool.h>

typedef double cgroup_limiter(const char *folder);

/* The least that a limiter says. Reads /proc/self/cgroup and /sys/fs/cgroup below the folder `root`: "" for the
 * machine's own. `controller`: its name in v1, such as "cpu". */
double cgroup_least(const char *root, const char *controller, cgroup_limiter *v2, cgroup_limiter *v1);

/* The number that a group's file begins with (key NULL), or that follows `key` at the beginning of a line; false
 * if there is none. */
bool cgroup_value(const char *folder, const char *file, const char *key, double *v);

#endif
