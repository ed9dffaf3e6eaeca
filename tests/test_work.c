/* The pool: every task once, whatever the numbers; many runs in a row; misuse stops. */
#define _GNU_SOURCE
#include "dyt/load.h"
#include "dyt/work.h"
#include "support.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TASKS_MAX = 300, THREADS_MAX = 9 };

typedef struct record {
  int threads;
  atomic_int times[TASKS_MAX];    /* how often each task ran */
  atomic_int active[THREADS_MAX]; /* tasks a worker has in hand */
  atomic_int wrong;               /* tasks whose worker was out of range or had one in hand already */
  int plain[TASKS_MAX];           /* written without atomics: visible after the run, or TSan complains */
  int offset;                     /* likewise read */
} record;

static void note(void *ctx, int task, int worker) {
  record *r = ctx;
  if (worker < 0 || worker >= r->threads || atomic_fetch_add(&r->active[worker], 1) != 0) r->wrong++;
  r->times[task]++;
  r->plain[task] = task + r->offset;
  r->active[worker]--;
}

static void each_task_runs_once(void **state) {
  (void)state;
  const int tasks[] = {0, 1, 2, 3, 7, 8, 64, TASKS_MAX};
  for (int threads = 1; threads <= THREADS_MAX; threads++) {
    work_pool *p = work_new(threads, NULL, NULL);
    assert_int_equal(work_threads(p), threads);
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
      record r = {.threads = threads, .offset = 1000 * (int)i + 1};
      work_run(p, tasks[i], note, &r);
      assert_int_equal(r.wrong, 0);
      for (int t = 0; t < TASKS_MAX; t++) {
        assert_int_equal(r.times[t], t < tasks[i]);
        assert_int_equal(r.plain[t], t < tasks[i] ? t + r.offset : 0);
      }
    }
    work_free(p);
  }
}

static void count(void *ctx, int task, int worker) {
  (void)worker;
  int *cells = ctx;
  cells[task]++;
}

/* Short runs one after another, with a rest now and then so that workers fall asleep in between. */
static void thousands_of_runs(void **state) {
  (void)state;
  for (int threads = 2; threads <= 4; threads++) {
    work_pool *p = work_new(threads, NULL, NULL);
    int cells[5] = {0};
    for (int run = 0; run < 5000; run++) {
      work_run(p, 1 + run % 5, count, cells);
      if (run % 500 == 0) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    for (int i = 0; i < 5; i++) assert_int_equal(cells[i], 5000 - 1000 * i);
    work_free(p);
  }
}

/* Every task waits until all have begun, so each must have a worker of its own. */
static void meet(void *ctx, int task, int worker) {
  (void)task;
  atomic_int *begun = ctx;
  atomic_fetch_or(&begun[1], 1 << worker);
  begun[0]++;
  while (begun[0] < 4) sched_yield();
}

static void workers_run_at_once(void **state) {
  (void)state;
  work_pool *p = work_new(4, NULL, NULL);
  for (int i = 0; i < 20; i++) {
    atomic_int begun[2] = {0, 0};
    work_run(p, 4, meet, begun);
    assert_int_equal(begun[1], 0xf);
  }
  work_free(p);
}

typedef struct order {
  atomic_int clock;
  int began[TASKS_MAX];
} order;

static void stamp(void *ctx, int task, int worker) {
  (void)worker;
  order *o = ctx;
  o->began[task] = o->clock++;
}

static void one_worker_goes_in_order(void **state) {
  (void)state;
  work_pool *p = work_new(1, NULL, NULL);
  order o = {0};
  work_run(p, TASKS_MAX, stamp, &o);
  for (int i = 0; i < TASKS_MAX; i++) assert_int_equal(o.began[i], i);
  work_free(p);
}

static atomic_int starts;
static _Thread_local int started_here;
static void start(void *arg) {
  starts += *(const int *)arg;
  started_here++;
}
static void check_started(void *ctx, int task, int worker) {
  (void)task, (void)worker;
  if (started_here != 1) ++*(atomic_int *)ctx;
}

static void start_runs_once_on_each_worker(void **state) {
  (void)state;
  int step = 10;
  atomic_int missing = 0;
  starts = 0;
  started_here = 0;
  work_pool *p = work_new(3, start, &step);
  for (int i = 0; i < 50; i++) work_run(p, 9, check_started, &missing);
  work_free(p);
  assert_int_equal(starts, 30);
  assert_int_equal(missing, 0);
}

static void pools_that_never_ran_are_freed(void **state) {
  (void)state;
  for (int i = 0; i < 50; i++) work_free(work_new(1 + i % 4, NULL, NULL));
  work_free(NULL);
}

/* A worker's mask has every signal that could be the process's; the caller's is as before. */
static void read_mask(void *ctx, int task, int worker) {
  (void)task;
  sigset_t set;
  pthread_sigmask(SIG_BLOCK, NULL, &set);
  bool blocked = sigismember(&set, SIGINT) && sigismember(&set, SIGTERM) && sigismember(&set, SIGUSR1);
  if (blocked != (worker > 0) || sigismember(&set, SIGSEGV)) ++*(atomic_int *)ctx;
}

static void signals_go_to_the_caller(void **state) {
  (void)state;
  work_pool *p = work_new(3, NULL, NULL);
  atomic_int wrong = 0;
  for (int i = 0; i < 50; i++) work_run(p, 6, read_mask, &wrong);
  assert_int_equal(wrong, 0);
  work_free(p);
}

static void run_again(void *ctx, int task, int worker) {
  (void)task, (void)worker;
  work_run(ctx, 1, run_again, ctx);
}
static void run_nested(void) {
  work_pool *p = work_new(2, NULL, NULL);
  work_run(p, 2, run_again, p);
}
static void make_empty(void) { work_new(0, NULL, NULL); }
static void run_negative(void) { work_run(work_new(1, NULL, NULL), -1, run_again, NULL); }

static int exit_code_of(void (*fn)(void)) {
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    if (!freopen("/dev/null", "w", stderr)) _exit(90);
    fn();
    _exit(91);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 92;
}

static void misuse_ends_the_process(void **state) {
  (void)state;
  assert_int_equal(exit_code_of(run_nested), ST_INTERNAL);
  assert_int_equal(exit_code_of(make_empty), ST_INTERNAL);
  assert_int_equal(exit_code_of(run_negative), ST_INTERNAL);
}

static void cores_follow_affinity(void **state) {
  (void)state;
  cpu_set_t before, one;
  assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
  assert_in_range(work_cores(), 1, CPU_COUNT(&before));
  CPU_ZERO(&one);
  for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
    if (CPU_ISSET(i, &before)) CPU_SET(i, &one);
  assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
  int cores = work_cores();
  assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
  assert_int_equal(cores, 1);
}

/* Others hinder only by what they take beyond the cores that are left over. */
static void others_that_hinder(void **state) {
  (void)state;
  load a = {.cores = 2, .clock = 10, .busy = 500, .own = 3}, b = a, c = a;
  b.clock += 2, b.busy += 4, b.own += 2.1; /* of 4 seconds on 2 cores this process had 2.1 */
  assert_float_equal(load_others(&a, &b), 0.475, 1e-12);
  assert_true(load_hinders(0.475, 2, 2));
  assert_true(load_hinders(0.475, 2, 7));
  assert_false(load_hinders(0.475, 2, 1)); /* one thread needs but one core */
  assert_true(load_hinders(0.475, 1, 1));
  assert_false(load_hinders(0.5, 64, 32));
  assert_true(load_hinders(0.6, 64, 32));
  assert_false(load_hinders(0.04, 2, 2)); /* a quiet machine, and clocks that tick */
  /* idle time is nobody's; clocks that tick may show others less than nothing */
  c.clock += 2, c.busy += 1.9, c.own += 1.91;
  assert_true(load_others(&a, &c) == 0);
  b.cores = 1; /* the affinity has changed between */
  assert_true(load_others(&a, &b) == 0);
  b.cores = a.cores = 0;
  assert_true(load_others(&a, &b) == 0);
}

/* What the system says of our own cores: a thread that computes is busy there. */
static void load_of_this_process(void **state) {
  (void)state;
  load a, b;
  load_take(&a);
  do load_take(&b);
  while (b.clock - a.clock < 0.3);
  if (a.cores == 0) skip();
  assert_true(b.own - a.own > 0);
  assert_true(b.own - a.own <= b.clock - a.clock + 0.02);
  assert_true(b.busy - a.busy >= b.own - a.own - 0.05);
  assert_true(b.busy - a.busy <= (b.clock - a.clock) * b.cores + 0.05);
  assert_in_range(a.cores, 1, sysconf(_SC_NPROCESSORS_CONF));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_task_runs_once),
      cmocka_unit_test(thousands_of_runs),
      cmocka_unit_test(workers_run_at_once),
      cmocka_unit_test(one_worker_goes_in_order),
      cmocka_unit_test(start_runs_once_on_each_worker),
      cmocka_unit_test(pools_that_never_ran_are_freed),
      cmocka_unit_test(signals_go_to_the_caller),
      cmocka_unit_test(misuse_ends_the_process),
      cmocka_unit_test(cores_follow_affinity),
      cmocka_unit_test(others_that_hinder),
      cmocka_unit_test(load_of_this_process),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
