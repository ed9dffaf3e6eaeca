#define _GNU_SOURCE
#include "dyt/load.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t) { return (double)t.tv_sec + 1e-6 * (double)t.tv_usec; }

static double own_seconds(void) {
  struct rusage r;
  return getrusage(RUSAGE_SELF, &r) ? 0 : seconds(r.ru_utime) + seconds(r.ru_stime);
}

/* Adds the ticks of a line "cpuN user nice system idle iowait irq softirq ..." if N is one of ours. */
static void add_line(const char *line, const cpu_set_t *ours, load *l, double *ticks) {
  unsigned n;
  double user, nice, system, irq, softirq;
  if (sscanf(line, "cpu%u %lf %lf %lf %*s %*s %lf %lf", &n, &user, &nice, &system, &irq, &softirq) != 6)
    return;
  if (!CPU_ISSET(n, ours)) return;
  l->cores++;
  *ticks += user + nice + system + irq + softirq;
}

void load_take(load *l) {
  struct timespec t;
  cpu_set_t ours;
  char line[512];
  double ticks = 0;
  clock_gettime(CLOCK_MONOTONIC, &t);
  *l = (load){.clock = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec, .own = own_seconds()};
  if (sched_getaffinity(0, sizeof ours, &ours)) return;
  FILE *f = fopen("/proc/stat", "re");
  while (f && fgets(line, sizeof line, f) && line[0] == 'c') add_line(line, &ours, l, &ticks);
  if (f) fclose(f);
  l->busy = ticks / (double)sysconf(_SC_CLK_TCK);
}

double load_others(const load *from, const load *to) {
  double time = to->clock - from->clock, others = (to->busy - from->busy) - (to->own - from->own);
  if (to->cores == 0 || to->cores != from->cores || time <= 0) return 0;
  return fmin(1, fmax(0, others / (time * to->cores)));
}

bool load_hinders(double others, int cores, int threads) {
  double want = fmin(threads, cores), spare = cores - want;
  return others * cores - spare > 0.1 * want;
}
