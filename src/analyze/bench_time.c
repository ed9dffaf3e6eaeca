#include "bench_parts.h"

#include "dyt/progress.h"
#include "dyt/rng.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static double seconds_of(const bench_subject *s, int64_t times) {
  double begun = progress_clock();
  s->run(s->context, times);
  return progress_clock() - begun;
}

/* How often to run it in a round. The runs that find out warm it up too. */
static int64_t times_for(const bench_subject *s, double least) {
  for (int64_t times = 1;; times *= 2) {
    double seconds = seconds_of(s, times);
    if (seconds >= least / 4) return (int64_t)fmax(1, ceil((double)times * least / seconds));
  }
}

void bench_in_turns(int n, const bench_subject *subject, int round_ms, bench_series *seconds) {
  int64_t *times = mem_new((size_t)n, sizeof *times);
  for (int round = -1; round < BENCH_ROUNDS; round++)
    for (int i = 0; i < n; i++) {
      const bench_subject *s = &subject[i];
      if (s->prepare) s->prepare(s->context);
      if (round < 0)
        times[i] = times_for(s, round_ms * 1e-3);
      else
        seconds[i].round[round] = seconds_of(s, times[i]) / (double)times[i];
    }
  mem_free(times);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

bench_stat bench_stat_of(const bench_series *s) {
  bench_series sorted = *s;
  qsort(sorted.round, BENCH_ROUNDS, sizeof(double), ascending);
  return (bench_stat){sorted.round[BENCH_ROUNDS / 2], sorted.round[0], sorted.round[BENCH_ROUNDS - 1]};
}

bench_series bench_rate(const bench_series *seconds, double amount) {
  bench_series r;
  for (int i = 0; i < BENCH_ROUNDS; i++) r.round[i] = amount / seconds->round[i];
  return r;
}

bench_series bench_difference(const bench_series *a, const bench_series *b) {
  bench_series r;
  for (int i = 0; i < BENCH_ROUNDS; i++) r.round[i] = a->round[i] - b->round[i];
  return r;
}

typedef struct team {
  void (*fn)(void *context, int worker);
  void *context;
  pthread_barrier_t ready;
} team;

/* A worker waits here until every other has a task too: so nobody gets two. */
static void join_team(void *context, int index, int worker) {
  team *t = context;
  (void)index;
  pthread_barrier_wait(&t->ready);
  t->fn(t->context, worker);
}

void bench_together(work_pool *pool, int threads, void (*fn)(void *context, int worker), void *context) {
  if (threads == 1) {
    fn(context, 0);
    return;
  }
  team t = {.fn = fn, .context = context};
  pthread_barrier_init(&t.ready, NULL, (unsigned)threads);
  work_run(pool, threads, join_team, &t);
  pthread_barrier_destroy(&t.ready);
}

enum { DRAWN = 1 << 14 };
static real drawn[DRAWN];

static void draw_once(void) {
  rng r = rng_at(1, "bench", 0, 0);
  for (int i = 0; i < DRAWN; i++) drawn[i] = (real)rng_normal(&r);
}

void bench_fill(real *x, int64_t n) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, draw_once);
  for (int64_t i = 0; i < n; i += DRAWN)
    memcpy(x + i, drawn, (size_t)(n - i < DRAWN ? n - i : DRAWN) * sizeof(real));
}
