/* progress - tells people how a long run goes: one rewritten line on a terminal, plain lines in a log.
 *
 *   progress p;
 *   progress_open(&p, false);
 *   progress_step(&p, &now);             // as often as you like: prints at most ten times a second, or every
 * 30 s in a log
 *   progress_line(&p, "epoch 1/6 ..."); // a line that stays
 *   progress_close(&p);
 */
#ifndef DYT_PROGRESS_H
#define DYT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct progress {
  bool terminal, quiet;
  double printed; /* when a line was last written */
  int width;      /* of the line that stands there now; 0: none */
} progress;

/* Where a training stands. */
typedef struct progress_point {
  double epoch, epochs; /* done, of */
  int64_t step, steps;
  double loss, acc1, lr, img_per_s;
  double epoch_eta, eta; /* seconds left in the epoch and in the run */
} progress_point;

/* quiet: nothing is printed. */
void progress_open(progress *p, bool quiet);
void progress_step(progress *p, const progress_point *at);
/* The same for work that precedes a training: `done` of `all` `things`, begun at progress_clock() `begun`; nothing in its
 * first second. */
void progress_count(progress *p, const char *things, int64_t done, int64_t all, double begun);
/* The same with a line of the caller's. */
void progress_text(progress *p, const char *line);
/* Clears the rewritten line and prints one that stays (a newline is added). */
void progress_line(progress *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
void progress_close(progress *p);

/* Seconds of a clock that never jumps. */
double progress_clock(void);
/* "1:02:03" or "2:03" into out[24]. */
char *progress_time(double seconds, char out[24]);

#endif
