#include "dyt/progress.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const double terminal_interval = 0.1, log_interval = 30;

double progress_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

char *progress_time(double seconds, char out[24]) {
  long long s = isfinite(seconds) && seconds > 0 ? (long long)(seconds + 0.5) : 0;
  if (s >= 3600)
    snprintf(out, 24, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  else
    snprintf(out, 24, "%lld:%02lld", s / 60, s % 60);
  return out;
}

void progress_open(progress *p, bool quiet) {
  *p = (progress){.terminal = isatty(STDERR_FILENO), .quiet = quiet, .printed = progress_clock()};
}

static void clear(progress *p) {
  if (p->width) fputs("\r\033[K", stderr);
  p->width = 0;
}

static int terminal_width(void) {
  struct winsize w;
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col - 1 : 79;
}

static bool is_due(progress *p) {
  double now = progress_clock();
  if (p->quiet || now - p->printed < (p->terminal ? terminal_interval : log_interval)) return false;
  p->printed = now;
  return true;
}

static void show(progress *p, const char *line) {
  clear(p);
  if (p->terminal) {
    p->width = (int)strlen(line);
    fprintf(stderr, "%.*s", terminal_width(), line);
  } else {
    fprintf(stderr, "%s\n", line);
  }
  fflush(stderr);
}

void progress_count(progress *p, const char *things, int64_t done, int64_t all, double begun) {
  double taken = progress_clock() - begun;
  if (taken < 1 || done < 1 || !is_due(p)) return;
  char line[256], left[24];
  snprintf(line, sizeof line, "%s: %lld of %lld, %s left", things, (long long)done, (long long)all,
           progress_time(taken * (double)(all - done) / (double)done, left));
  show(p, line);
}

void progress_step(progress *p, const progress_point *at) {
  if (!is_due(p)) return;
  char line[256], left[24], all[24];
  snprintf(
      line, sizeof line,
      "epoch %.2f/%.6g  step %lld/%lld  loss %.4f  acc %.1f%%  lr %.2e  %.0f img/s  epoch %s  run %s left",
      at->epoch, at->epochs, (long long)at->step, (long long)at->steps, at->loss, 100 * at->acc1, at->lr,
      at->img_per_s, progress_time(at->epoch_eta, left), progress_time(at->eta, all));
  show(p, line);
}

void progress_text(progress *p, const char *line) {
  if (is_due(p)) show(p, line);
}

void progress_line(progress *p, const char *format, ...) {
  if (p->quiet) return;
  clear(p);
  va_list args;
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fputc('\n', stderr);
  fflush(stderr);
  p->printed = progress_clock();
}

void progress_close(progress *p) { clear(p); }
