#define _GNU_SOURCE
#include "dyt/mem.h"

#include "dyt/cgroup.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LINE = 64, HUGE_PAGE = 2 << 20 };

void *mem_new(size_t count, size_t size) {
  size_t bytes = 0;
  REQUIRE(!__builtin_mul_overflow(count, size, &bytes), "%zu objects of %zu bytes overflow", count, size);
  bytes = (bytes + LINE) & ~(size_t)(LINE - 1); /* never zero */
  void *p = aligned_alloc(LINE, bytes);
  REQUIRE(p, "out of memory: %zu bytes", bytes);
  return memset(p, 0, bytes);
}

void *mem_grow(void *p, size_t old_count, size_t new_count, size_t size) {
  void *q = mem_new(new_count, size);
  if (p) memcpy(q, p, old_count * size);
  mem_free(p);
  return q;
}

char *mem_strdup(const char *s) {
  size_t n = strlen(s) + 1;
  return memcpy(mem_new(n, 1), s, n);
}

char *mem_printf(const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, format, args);
  va_end(args);
  REQUIRE(n >= 0, "bad format '%s'", format);
  char *s = mem_new((size_t)n + 1, 1);
  vsnprintf(s, (size_t)n + 1, format, again);
  va_end(again);
  return s;
}

void mem_free(void *p) { free(p); }

/* Maps one huge page more than asked for, then gives back what lies outside the aligned block. */
st mem_map(arena *a, size_t bytes, const char *what, err *e) {
  *a = (arena){0};
  if (bytes == 0) return ST_OK;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t want = (bytes + page - 1) & ~(page - 1);
  unsigned char *p =
      want < bytes || want > SIZE_MAX / 2
          ? MAP_FAILED
          : mmap(NULL, want + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED)
    return err_add(e, ST_USER, "out of memory: no room for %s (%.1f MiB, and %.1f MiB are available)", what,
                   (double)bytes / (1 << 20), (double)mem_available() / (1 << 20));
  size_t lead = (HUGE_PAGE - (uintptr_t)p % HUGE_PAGE) % HUGE_PAGE;
  if (lead) munmap(p, lead);
  if (HUGE_PAGE - lead) munmap(p + lead + want, HUGE_PAGE - lead);
  *a = (arena){p + lead, bytes};
  madvise(a->base, want, MADV_HUGEPAGE); /* only a wish: ignored where there are none */
  return ST_OK;
}

void mem_unmap(arena *a) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  if (a->base) munmap(a->base, (a->size + page - 1) & ~(page - 1));
  *a = (arena){0};
}

static size_t proc_kib(const char *path, const char *key) {
  FILE *f = fopen(path, "r");
  char line[256];
  size_t kib = 0, n = strlen(key);
  while (f && fgets(line, sizeof line, f))
    if (strncmp(line, key, n) == 0) kib = strtoull(line + n, NULL, 10);
  if (f) fclose(f);
  return kib;
}

size_t mem_resident(void) { return proc_kib("/proc/self/status", "VmRSS:") * 1024; }
size_t mem_peak(void) { return proc_kib("/proc/self/status", "VmHWM:") * 1024; }

/* What a group may still take: its limit less what it holds, of which the kernel takes back pages of files when
 * it must. */
static double room(const char *folder, const char *limit, const char *held, const char *const file_pages[2]) {
  double most, have, pages = 0;
  if (!cgroup_value(folder, limit, NULL, &most) || !cgroup_value(folder, held, NULL, &have)) return INFINITY;
  for (int i = 0; i < 2; i++) {
    double v = 0;
    if (cgroup_value(folder, "memory.stat", file_pages[i], &v)) pages += v;
  }
  return fmax(0, most - fmax(0, have - pages));
}

static double room_v2(const char *folder) {
  return room(folder, "memory.max", "memory.current", (const char *const[]){"inactive_file", "active_file"});
}
static double room_v1(const char *folder) {
  return room(folder, "memory.limit_in_bytes", "memory.usage_in_bytes",
              (const char *const[]){"total_inactive_file", "total_active_file"});
}

size_t mem_group_room(const char *root) {
  double bytes = cgroup_least(root, "memory", room_v2, room_v1);
  return bytes < 0x1p62 ? (size_t)bytes : SIZE_MAX; /* v1 writes about 2^63 for none */
}

size_t mem_available(void) {
  size_t kib = proc_kib("/proc/meminfo", "MemAvailable:"), group = mem_group_room("");
  return kib && kib * 1024 < group ? kib * 1024 : group;
}

st mem_afford(const char *what, size_t more, const char *advice, err *e) {
  size_t available = mem_available();
  if (more <= available) return ST_OK;
  return err_add(e, ST_USER, "%s needs %.1f MiB more memory, and %.1f MiB are available: %s", what,
                 (double)more / (1 << 20), (double)available / (1 << 20), advice);
}
