/* The scheduler: which runs are missing, who trains them, what is told meanwhile. */
#define _GNU_SOURCE
#include "study_queue.h"
#include "study_work.h"

#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/process.h"
#include "dyt/progress.h"
#include "dyt/record.h"
#include "dyt/store.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Seconds between looks at children, and at runs that others train. */
static const double nap = 0.1, look_again = 2;

typedef struct scheduler {
  study_queue q;
  progress progress;
  int running, failed;
  double touched; /* clock */
} scheduler;

/* --- signals --- */

static volatile sig_atomic_t interrupted, asked; /* the signal; how often */

static void on_signal(int number) {
  interrupted = number;
  asked++;
}

static void catch_signals(void) {
  struct sigaction a = {.sa_handler = on_signal};
  interrupted = asked = 0;
  sigemptyset(&a.sa_mask);
  sigaction(SIGINT, &a, NULL);
  sigaction(SIGTERM, &a, NULL);
}

/* --- telling --- */

static void add_time_left(const scheduler *x, str *out) {
  char time[24];
  double left = study_queue_time_left(&x->q);
  if (!isnan(left)) str_addf(out, ", %s left", progress_time(left, time));
}

static void show_status(scheduler *x) {
  str s = {0};
  str_addf(&s, "%s: %d of %d runs done", x->q.s->name, study_queue_count(&x->q, JOB_DONE), x->q.jobs);
  if (x->failed) str_addf(&s, ", %d failed", x->failed);
  if (study_queue_count(&x->q, JOB_ELSEWHERE))
    str_addf(&s, ", %d run by others", study_queue_count(&x->q, JOB_ELSEWHERE));
  add_time_left(x, &s);
  for (int i = 0; i < x->q.jobs; i++) {
    study_job *j = &x->q.job[i];
    if (j->state != JOB_RUNNING) continue;
    str_add(&s, "; ");
    study_add_cell(x->q.s, j->run->at, true, &s);
    str_addf(&s, " seed %llu %.0f%%", (unsigned long long)j->run->seed, 100 * j->progress.done);
  }
  progress_text(&x->progress, s.data);
  str_free(&s);
}

static double last_finite(const record_table *t, int column) {
  for (int i = t->rows - 1; i >= 0; i--)
    if (!isnan(record_at(t, i, column))) return record_at(t, i, column);
  return NAN;
}

/* What came of a run, from its record. */
static void add_result(const scheduler *x, const study_run *r, str *out) {
  record rec = {0};
  char *path = store_path(x->q.o.store, r->id, ".json.gz");
  if (!record_read(&rec, path, &(err){0})) {
    double on_val = last_finite(&rec.epochs, EPOCHS_VAL_ACC1),
           test = last_finite(&rec.epochs, EPOCHS_TEST_ACC1);
    if (!isnan(on_val)) str_addf(out, " val %.2f%%", 100 * on_val);
    if (!isnan(test)) str_addf(out, " test %.2f%%", 100 * test);
    if (rec.state && strcmp(rec.state, "done")) str_addf(out, " %s", rec.state);
  }
  record_free(&rec);
  mem_free(path);
}

static void tell(scheduler *x, const study_job *j, const char *what) {
  str s = {0};
  str_addf(&s, "[%d/%d] ", study_queue_count(&x->q, JOB_DONE) + x->failed, x->q.jobs);
  study_add_cell(x->q.s, j->run->at, true, &s);
  str_addf(&s, "%sseed %llu:", x->q.s->axes ? ", " : "", (unsigned long long)j->run->seed);
  if (j->state == JOB_DONE) add_result(x, j->run, &s);
  str_addf(&s, " %s", what);
  add_time_left(x, &s);
  progress_line(&x->progress, "%s", s.data);
  str_free(&s);
}

/* --- children --- */

static void redirect(const char *store, const char *id) {
  char *said = store_path(store, id, ".out");
  int fd = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0666), nothing = open("/dev/null", O_RDONLY);
  mem_free(said);
  if (fd >= 0) dup2(fd, STDOUT_FILENO), dup2(fd, STDERR_FILENO);
  if (nothing >= 0) dup2(nothing, STDIN_FILENO);
}

/* In a process group of its own: Ctrl-C is for the study, which passes it on once. Without the study it ends too. */
static st begin(scheduler *x, study_job *j, err *e) {
  fflush(NULL);
  pid_t parent = getpid();
  j->pid = fork();
  if (j->pid < 0) return err_add(e, ST_USER, "no process can be begun: %s", strerror(errno));
  if (j->pid == 0) {
    setpgid(0, 0);
    signal(SIGINT, SIG_DFL), signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(128 + SIGTERM);
    process_note_start();
    redirect(x->q.o.store, j->run->id);
    int code = study_work(j->run, &x->q.o);
    fflush(NULL);
    _exit(code);
  }
  setpgid(j->pid, j->pid);
  j->state = JOB_RUNNING;
  j->begun = j->moved = progress_clock();
  study_queue_look(&x->q, j);
  j->before = j->progress.seconds;
  x->running++;
  return ST_OK;
}

static void why_failed(const scheduler *x, const study_job *j, int status, str *out) {
  char *path = store_path(x->q.o.store, j->run->id, ".failed");
  file_bytes b = {0};
  if (WIFSIGNALED(status))
    str_addf(out, "failed: ended by signal %d", WTERMSIG(status));
  else if (!file_read(path, 1 << 16, &b, NULL))
    str_addf(out, "failed: %.*s", (int)strcspn((const char *)b.data, "\n"), (const char *)b.data);
  else
    str_addf(out, "failed with exit code %d", WEXITSTATUS(status));
  file_bytes_free(&b);
  mem_free(path);
}

static void end_of(scheduler *x, study_job *j, int status) {
  str what = {0};
  char time[24];
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  bool stopped = code == 128 + SIGINT ||
                 code == 128 + SIGTERM; /* it saved a checkpoint, and is begun again if the study goes on */
  x->running--;
  j->pid = 0;
  if (code == STUDY_WORK_BUSY) {
    j->state = JOB_ELSEWHERE, study_queue_look(&x->q, j);
  } else if (stopped) {
    j->state = JOB_MISSING;
  } else if (code == 0) {
    j->state = JOB_DONE;
    j->progress = (study_progress){.done = 1, .seconds = j->before + progress_clock() - j->begun};
    str_addf(&what, "in %s", progress_time(j->progress.seconds, time));
    tell(x, j, what.data);
  } else {
    j->state = JOB_FAILED, x->failed++;
    why_failed(x, j, status, &what);
    tell(x, j, what.data);
  }
  store_release(x->q.o.store, j->run->id);
  str_free(&what);
}

static void reap(scheduler *x) {
  for (int i = 0; i < x->q.jobs; i++) {
    int status;
    study_job *j = &x->q.job[i];
    if (j->state == JOB_RUNNING && waitpid(j->pid, &status, WNOHANG) == j->pid) end_of(x, j, status);
  }
}

static void touch_locks(scheduler *x) {
  if (progress_clock() - x->touched < STORE_TOUCH) return;
  x->touched = progress_clock();
  for (int i = 0; i < x->q.jobs; i++)
    if (x->q.job[i].state == JOB_RUNNING) store_touch(x->q.o.store, x->q.job[i].run->id);
}

static void look_at_runs(scheduler *x) {
  for (int i = 0; i < x->q.jobs; i++) {
    study_job *j = &x->q.job[i];
    if (j->state == JOB_RUNNING && progress_clock() - j->looked >= look_again) study_queue_look(&x->q, j);
  }
}

static void pass_on(const scheduler *x) {
  for (int i = 0; i < x->q.jobs; i++)
    if (x->q.job[i].state == JOB_RUNNING) kill(x->q.job[i].pid, SIGTERM);
}

/* --- the loop --- */

static bool is_due(const study_job *j) {
  return j->state == JOB_MISSING || (j->state == JOB_ELSEWHERE && progress_clock() - j->looked >= look_again);
}

static st fill_places(scheduler *x, err *e) {
  bool stop = interrupted || (x->q.o.fail_fast && x->failed);
  for (int i = 0; i < x->q.jobs && x->running < x->q.o.jobs && !stop; i++) {
    study_job *j = &x->q.job[i];
    if (!is_due(j)) continue;
    switch (store_claim(x->q.o.store, j->run->id, e)) {
    case STORE_ERROR:
      return e->code;
    case STORE_MINE:
      if (begin(x, j, e)) {
        store_release(x->q.o.store, j->run->id);
        return e->code;
      }
      break;
    case STORE_TAKEN:
      j->state = JOB_ELSEWHERE, study_queue_look(&x->q, j);
      break;
    case STORE_FINISHED:
      j->state = JOB_DONE;
      tell(x, j, "run by another process");
      break;
    }
  }
  return ST_OK;
}

/* Whether the choices may be made now: no run is missing or failed, which they need. */
static bool may_choose(const scheduler *x) {
  return x->q.plan.waiting && !x->running && !study_queue_count(&x->q, JOB_MISSING) &&
         !study_queue_count(&x->q, JOB_ELSEWHERE) && !x->failed && !x->q.o.n_only;
}

static bool is_over(const scheduler *x) {
  if (x->running) return false;
  if (interrupted || (x->q.o.fail_fast && x->failed)) return true;
  return !study_queue_count(&x->q, JOB_MISSING) && !study_queue_count(&x->q, JOB_ELSEWHERE) && !may_choose(x);
}

static void sleep_for(double seconds) {
  nanosleep(&(struct timespec){.tv_nsec = (long)(1e9 * seconds)}, NULL); /* a signal ends it */
}

/* Plans again with what the runs say. */
static st choose(scheduler *x, err *e) {
  st code = study_queue_plan(&x->q, e);
  return code || !may_choose(x)
             ? code
             : err_add(e, ST_USER,
                       "%s: records that a choice needs are gone; the same command trains them again",
                       x->q.o.store);
}

static st loop(scheduler *x, err *e) {
  int passed = 0;
  st code = ST_OK;
  while (!is_over(x) && (!code || x->running)) {
    reap(x);
    touch_locks(x);
    look_at_runs(x);
    if (asked > passed || (code && !passed)) pass_on(x), passed = asked ? asked : 1;
    if (!code && may_choose(x)) code = choose(x, e);
    if (!code) code = fill_places(x, e);
    show_status(x);
    if (x->running || study_queue_count(&x->q, JOB_ELSEWHERE)) sleep_for(nap);
  }
  return code;
}

static st conclude(scheduler *x, int *signal, err *e) {
  *signal = interrupted;
  if (interrupted)
    progress_line(&x->progress, "interrupted: %d of %d runs done; the same command goes on",
                  study_queue_count(&x->q, JOB_DONE), x->q.jobs);
  if (!interrupted && x->failed)
    return err_add(e, ST_INTERNAL, "%s: %d of %d runs failed; the same command tries them again",
                   x->q.s->path, x->failed, x->q.jobs);
  return ST_OK;
}

st study_jobs_run(const study *s, const study_jobs_options *o, int *signal, err *e) {
  scheduler x = {0};
  *signal = 0;
  if (study_queue_open(&x.q, s, o, false, e)) return e->code;
  progress_open(&x.progress, false);
  catch_signals();
  st code = loop(&x, e);
  if (!code) code = conclude(&x, signal, e);
  progress_close(&x.progress);
  study_queue_free(&x.q);
  return code;
}
