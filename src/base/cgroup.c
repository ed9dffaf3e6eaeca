#include "dyt/cgroup.h"

#include "dyt/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool cgroup_value(const char *folder, const char *file, const char *key, double *v) {
  char *path = mem_printf("%s/%s", folder, file), line[256];
  FILE *f = fopen(path, "re");
  size_t n = key ? strlen(key) : 0;
  bool found = false;
  mem_free(path);
  while (f && !found && fgets(line, sizeof line, f)) {
    bool here = !key || (strncmp(line, key, n) == 0 && line[n] == ' ');
    found = here && sscanf(line + n, "%lf", v) == 1;
    if (!key) break;
  }
  if (f) fclose(f);
  return found;
}

/* The least limit of a group and those above it. In a container the group's path may be the host's, of which
 * nothing is visible here but the top: then that is what counts. */
static double least_of(const char *root, const char *mount, const char *group, cgroup_limiter *limit) {
  char *folder = mem_printf("%s/sys/fs/cgroup%s%s", root, mount, group);
  size_t top = strlen(folder) - strlen(group);
  double least = INFINITY;
  for (;;) {
    least = fmin(least, limit(folder));
    if (strlen(folder) <= top) break;
    *strrchr(folder, '/') = '\0';
  }
  mem_free(folder);
  return least;
}

/* Whether the comma-separated list holds a name. */
static bool lists(const char *list, const char *name) {
  size_t n = strlen(name);
  for (const char *p = list; p; p = strchr(p, ',')) {
    p += *p == ',';
    if (strncmp(p, name, n) == 0 && (p[n] == ',' || p[n] == '\0')) return true;
  }
  return false;
}

/* v1 mounts a controller under the whole list it shares a mount with; its own name is often a link to that. */
static double least_v1(const char *root, const char *list, const char *controller, const char *group,
                       cgroup_limiter *limit) {
  char *shared = mem_printf("/%s", list), *own = mem_printf("/%s", controller);
  double least = fmin(least_of(root, shared, group, limit), least_of(root, own, group, limit));
  mem_free(shared);
  mem_free(own);
  return least;
}

/* A line of /proc/self/cgroup: "ID:CONTROLLERS:/GROUP", without controllers for v2. */
static double least_of_line(const char *root, char *line, const char *controller, cgroup_limiter *v2,
                            cgroup_limiter *v1) {
  line[strcspn(line, "\n")] = '\0';
  char *list = strchr(line, ':'), *group = list ? strchr(list + 1, ':') : NULL;
  if (!group || group[1] != '/') return INFINITY;
  *group++ = '\0';
  list++;
  if (*list == '\0') return least_of(root, "", group, v2);
  return lists(list, controller) ? least_v1(root, list, controller, group, v1) : INFINITY;
}

double cgroup_least(const char *root, const char *controller, cgroup_limiter *v2, cgroup_limiter *v1) {
  char *path = mem_printf("%s/proc/self/cgroup", root), line[4096];
  FILE *f = fopen(path, "re");
  mem_free(path);
  double least = INFINITY;
  while (f && fgets(line, sizeof line, f)) least = fmin(least, least_of_line(root, line, controller, v2, v1));
  if (f) fclose(f);
  return least;
}
