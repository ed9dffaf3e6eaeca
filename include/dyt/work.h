/* work - a pool of threads that share out numbered tasks.
 *
 * The thread that makes the pool is worker 0 and works too. A run hands out tasks 0 .. tasks-1 in that order,
 * each to the next worker that is free, and returns when all are done. Which worker gets a task is left to
 * chance: results must depend on the task alone, and what a worker owns (`worker` indexes it) may only be
 * scratch.
 *
 *   work_pool *pool = work_new(work_cores(), thread_init, NULL);
 *   work_run(pool, shards, run_shard, &context);          // run_shard(&context, shard, worker) for each
 * shard work_free(pool);
 */
#ifndef DYT_WORK_H
#define DYT_WORK_H

typedef struct work_pool work_pool;

/* `task` is 0 .. tasks-1, `worker` 0 .. work_threads-1; no two tasks run at once with the same `worker`. */
typedef void work_fn(void *ctx, int task, int worker);

/* A pool of `threads` >= 1 workers, the caller among them. `start` (or NULL) runs once on every worker before
 * its first task, possibly on several at once. Signals meant for the process never go to the threads made
 * here. Where the system refuses so many threads the pool is smaller: ask work_threads. Owned by the caller:
 * work_free. */
work_pool *work_new(int threads, void (*start)(void *arg), void *arg);
void work_free(work_pool *p); /* NULL is fine; no run may be under way */
int work_threads(const work_pool *p);

/* Runs fn(ctx, task, worker) once for every task and returns when all are done; what tasks wrote is visible
 * to the caller, and what the caller wrote before to every task. tasks >= 0. Does not allocate. A pool does
 * one run at a time: not to be called from a task, nor from two threads (REQUIRE). */
void work_run(work_pool *p, int tasks, work_fn *fn, void *ctx);

/* Cores this process may use, at least 1: its affinity mask, limited by the CPU quota of its cgroup, rounded
 * up. */
int work_cores(void);

/* The quota alone, in cores; INFINITY where there is none. Reads /proc/self/cgroup and /sys/fs/cgroup (v2 and
 * v1) below the folder `root`: "" for the machine's own. */
double work_quota(const char *root);

#endif
