#define _GNU_SOURCE
#include "dyt/process.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double started = NAN; /* on CLOCK_BOOTTIME */

static double seconds_of(clockid_t clock) {
  struct timespec t;
  return clock_gettime(clock, &t) ? 0 : (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Ticks from the machine's start to this process's: field 22 of /proc/self/stat, counted after the name, which
 * may hold anything; 0 where the system does not say. */
static unsigned long long start_ticks(void) {
  char line[1024];
  FILE *f = fopen("/proc/self/stat", "re");
  size_t n = f ? fread(line, 1, sizeof line - 1, f) : 0;
  if (f) fclose(f);
  line[n] = '\0';
  const char *p = strrchr(line, ')');
  unsigned long long ticks = 0;
  for (int field = 2; p && field < 22; field++) p = strchr(p + 1, ' ');
  return p && sscanf(p, "%llu", &ticks) == 1 ? ticks : 0;
}

/* A process is no younger than its CPU time; its tick says within what 10 ms it was made. */
void process_note_start(void) {
  double now = seconds_of(CLOCK_BOOTTIME), busy = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  double tick = 1.0 / (double)sysconf(_SC_CLK_TCK), ticks = (double)start_ticks();
  started = now - busy;
  if (ticks > 0) started = fmax(ticks * tick, fmin(started, (ticks + 1) * tick));
}

double process_seconds(void) {
  double now = seconds_of(CLOCK_BOOTTIME);
  if (isnan(started)) started = now;
  return now - started;
}
