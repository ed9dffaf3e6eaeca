#include "dyt/work.h"

#include "dyt/mem.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum {
  LINE = 64,       /* bytes of a cache line */
  SPIN_NS = 10000, /* how long to wait awake: about what going to sleep and being woken costs */
  SPIN_CHECK = 16  /* pauses between two looks at the clock */
};

typedef struct worker {
  work_pool *pool;
  int index;
  pthread_t thread;
} worker;

/* A run is described by fn, ctx and tasks, which change only while no task is left and none is unfinished. A
 * worker claims a task by lowering `left`; only then may it read the description, which cannot change before
 * that task is finished. So a worker that wakes late finds nothing to do, or the next run's tasks, and nobody
 * waits for it. */
struct work_pool {
  int threads;
  bool spin; /* there is a core for each worker, so that waiting awake takes no other's time */
  void (*start)(void *);
  void *arg;
  worker *workers; /* [threads]; workers[0] is the caller's and has no thread */
  work_fn *fn;
  void *ctx;
  int tasks;
  atomic_bool running;

  pthread_mutex_t lock; /* held only to go to sleep and to wake */
  pthread_cond_t more, finished;
  atomic_bool stop, caller_sleeps;
  atomic_int sleepers;

  _Alignas(LINE) atomic_int left;       /* tasks not yet claimed */
  _Alignas(LINE) atomic_int unfinished; /* tasks not yet finished */
};

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool has_work(work_pool *p) { return p->left > 0 || p->stop; }
static bool is_done(work_pool *p) { return p->unfinished == 0; }

/* Waits awake for a moment; true if what it waits for has come. */
static bool spin_until(work_pool *p, bool (*ready)(work_pool *)) {
  if (!p->spin) return ready(p);
  for (int64_t end = now_ns() + SPIN_NS; now_ns() < end;)
    for (int i = 0; i < SPIN_CHECK; i++) {
      if (ready(p)) return true;
      pause_briefly();
    }
  return ready(p);
}

/* Before sleeping a thread announces it and then looks once more; whoever brings news changes the counter
 * first and looks for sleepers then. All of these are sequentially consistent, so one of the two always sees
 * the other. */
static void sleep_until_work(work_pool *p) {
  pthread_mutex_lock(&p->lock);
  p->sleepers++;
  while (!has_work(p)) pthread_cond_wait(&p->more, &p->lock);
  p->sleepers--;
  pthread_mutex_unlock(&p->lock);
}

static void sleep_until_done(work_pool *p) {
  pthread_mutex_lock(&p->lock);
  p->caller_sleeps = true;
  while (!is_done(p)) pthread_cond_wait(&p->finished, &p->lock);
  p->caller_sleeps = false;
  pthread_mutex_unlock(&p->lock);
}

/* Wakes up to `count` of the workers that sleep: more than there are tasks for would only crowd. */
static void wake_workers(work_pool *p, int count) {
  if (count <= 0 || p->sleepers == 0) return;
  pthread_mutex_lock(&p->lock);
  for (int i = 0; i < count && i < p->sleepers; i++) pthread_cond_signal(&p->more);
  pthread_mutex_unlock(&p->lock);
}

static void wake_caller(work_pool *p) {
  if (!p->caller_sleeps) return;
  pthread_mutex_lock(&p->lock);
  pthread_cond_signal(&p->finished);
  pthread_mutex_unlock(&p->lock);
}

/* Takes tasks until none is left. */
static void take_tasks(work_pool *p, int index) {
  int left = p->left;
  while (left > 0) {
    if (!atomic_compare_exchange_weak(&p->left, &left, left - 1))
      continue; /* `left` is now the newer value */
    p->fn(p->ctx, p->tasks - left, index);
    if (atomic_fetch_sub(&p->unfinished, 1) == 1) wake_caller(p);
    left = p->left;
  }
}

static void *worker_main(void *argument) {
  worker *w = argument;
  work_pool *p = w->pool;
  if (p->start) p->start(p->arg);
  while (!p->stop) {
    take_tasks(p, w->index);
    if (!spin_until(p, has_work)) sleep_until_work(p);
  }
  return NULL;
}

/* All signals but those that a thread raises by a fault of its own. */
static sigset_t signals_of_process(void) {
  sigset_t set;
  sigfillset(&set);
  const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&set, own[i]);
  return set;
}

work_pool *work_new(int threads, void (*start)(void *arg), void *arg) {
  REQUIRE(threads >= 1, "a pool of %d threads", threads);
  work_pool *p = mem_new(1, sizeof *p);
  p->threads = 1;
  p->spin = threads <= work_cores();
  p->start = start;
  p->arg = arg;
  p->workers = mem_new((size_t)threads, sizeof *p->workers);
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->more, NULL);
  pthread_cond_init(&p->finished, NULL);
  sigset_t blocked = signals_of_process(), before;
  pthread_sigmask(SIG_BLOCK, &blocked, &before); /* threads inherit the mask */
  for (; p->threads < threads; p->threads++) {
    worker *w = &p->workers[p->threads];
    w->pool = p;
    w->index = p->threads;
    if (pthread_create(&w->thread, NULL, worker_main, w)) break;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (start) start(arg);
  return p;
}

void work_free(work_pool *p) {
  if (!p) return;
  REQUIRE(!p->running, "the pool is freed during a run");
  p->stop = true;
  wake_workers(p, p->threads);
  for (int i = 1; i < p->threads; i++) pthread_join(p->workers[i].thread, NULL);
  pthread_cond_destroy(&p->finished);
  pthread_cond_destroy(&p->more);
  pthread_mutex_destroy(&p->lock);
  mem_free(p->workers);
  mem_free(p);
}

int work_threads(const work_pool *p) { return p->threads; }

void work_run(work_pool *p, int tasks, work_fn *fn, void *ctx) {
  REQUIRE(tasks >= 0, "%d tasks", tasks);
  REQUIRE(!atomic_exchange(&p->running, true), "a run is started while one is under way");
  p->fn = fn;
  p->ctx = ctx;
  p->tasks = tasks;
  p->unfinished = tasks;
  p->left = tasks;            /* from here on workers may begin */
  wake_workers(p, tasks - 1); /* the caller takes one itself */
  take_tasks(p, 0);
  if (!spin_until(p, is_done)) sleep_until_done(p);
  p->running = false;
}
