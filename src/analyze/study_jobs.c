/* The scheduler: which runs are missing, who trains them, what is told meanwhile. */
#define _GNU_SOURCE
#include "study_work.h"

#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/process.h"
#include "dyt/progress.h"
#include "dyt/record.h"
#include "dyt/store.h"
#include "dyt/work.h"

#include "study_cost.h"

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

static const double nap = 0.1,
                    look_again = 2; /* seconds: between looks at children, at runs that others train */

typedef enum job_state { JOB_MISSING, JOB_ELSEWHERE, JOB_RUNNING, JOB_DONE, JOB_FAILED } job_state;

/* Runs of several cells may be one job. */
typedef struct job {
  study_run *run; /* the plan's */
  job_state state;
  pid_t pid;
  double begun, looked;   /* clock */
  double expected, taken; /* seconds; NaN: not known */
} job;

typedef struct scheduler {
  const study *s;
  study_jobs_options o; /* with what was 0 settled */
  study_plan plan;
  job *job; /* [jobs] */
  int jobs;
  study_cost cost;
  progress progress;
  int running, failed;
  bool dry;       /* nothing is written */
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

/* --- which runs --- */

static bool is_word(const char *only, const char *key) {
  size_t n = strlen(key);
  return strncmp(only, key, n) == 0 && only[n] == '=';
}

static st check_only(const study *s, const study_jobs_options *o, err *e) {
  for (int i = 0; i < o->n_only; i++) {
    const char *only = o->only[i], *value = strchr(only, '=');
    char *axis = mem_printf("%.*s", value ? (int)(value - only) : 0, only);
    int a = study_find_axis(s, axis), c = 0;
    mem_free(axis);
    if (is_word(only, "seed") || is_word(only, "id")) continue;
    if (a < 0) return err_add(e, ST_USER, "--only %s: expected AXIS=CASE, seed=N or id=ID", only);
    while (c < s->axis[a].count && strcmp(s->axis[a].at[c].label, value + 1)) c++;
    if (c == s->axis[a].count)
      return err_add(e, ST_USER, "--only %s: no case of %s is called so; the first is %s", only,
                     s->axis[a].name, s->axis[a].at[0].label);
  }
  return ST_OK;
}

static bool is_asked_for(const study *s, const study_jobs_options *o, const study_run *r) {
  for (int i = 0; i < o->n_only; i++) {
    const char *only = o->only[i], *value = strchr(only, '=') + 1;
    char *axis = mem_printf("%.*s", (int)(value - 1 - only), only);
    int a = study_find_axis(s, axis);
    mem_free(axis);
    bool fits = a >= 0                  ? strcmp(s->axis[a].at[r->at[a]].label, value) == 0
                : is_word(only, "seed") ? strtoull(value, NULL, 10) == r->seed
                                        : strncmp(value, r->id, strlen(value)) == 0;
    if (!fits) return false;
  }
  return true;
}

static job *find_job(scheduler *x, const char *id) {
  for (int i = 0; i < x->jobs; i++)
    if (strcmp(x->job[i].run->id, id) == 0) return &x->job[i];
  return NULL;
}

/* Makes the plan, and adds jobs for runs that are new in it; jobs that are there point into the new plan. */
static st plan_again(scheduler *x, err *e) {
  study_plan old = x->plan;
  st code = study_plan_make(&x->plan, x->s, x->o.store, e);
  if (code) {
    x->plan = old;
    return code;
  }
  for (int i = 0; i < x->plan.runs; i++) {
    study_run *r = &x->plan.run[i];
    job *j = find_job(x, r->id);
    if (j) {
      j->run = r;
      continue;
    }
    if (!is_asked_for(x->s, &x->o, r)) continue;
    x->job = mem_grow(x->job, (size_t)x->jobs, (size_t)x->jobs + 1, sizeof *x->job);
    x->job[x->jobs++] = (job){.run = r,
                              .expected = study_cost_of(&x->cost, r),
                              .taken = NAN,
                              .state = store_finished(x->o.store, r->id) ? JOB_DONE : JOB_MISSING};
  }
  study_plan_free(&old);
  return x->dry ? ST_OK : study_folder_write(x->o.out, x->s, &x->plan, x->o.store, e);
}

static int count_of(const scheduler *x, job_state state) {
  int n = 0;
  for (int i = 0; i < x->jobs; i++) n += x->job[i].state == state;
  return n;
}

/* --- telling --- */

/* Seconds until all is done, if runs take what they are expected to; NaN: not known. */
static double time_left(const scheduler *x) {
  double sum = 0, known = 0, n = 0;
  for (int i = 0; i < x->jobs; i++) {
    double taken = isnan(x->job[i].expected) ? x->job[i].taken : x->job[i].expected;
    if (!isnan(taken)) known += taken, n++;
  }
  for (int i = 0; i < x->jobs; i++) {
    const job *j = &x->job[i];
    double whole = isnan(j->expected) ? known / n : j->expected;
    if (j->state == JOB_MISSING || j->state == JOB_ELSEWHERE) sum += whole;
    if (j->state == JOB_RUNNING) sum += fmax(whole - (progress_clock() - j->begun), 0.02 * whole);
  }
  return sum / x->o.jobs;
}

static void add_time_left(const scheduler *x, str *out) {
  char time[24];
  double left = time_left(x);
  if (!isnan(left)) str_addf(out, ", %s left", progress_time(left, time));
}

static void show_status(scheduler *x) {
  str s = {0};
  str_addf(&s, "%s: %d of %d runs done", x->s->name, count_of(x, JOB_DONE), x->jobs);
  if (x->failed) str_addf(&s, ", %d failed", x->failed);
  if (count_of(x, JOB_ELSEWHERE)) str_addf(&s, ", %d run by others", count_of(x, JOB_ELSEWHERE));
  add_time_left(x, &s);
  for (int i = 0; i < x->jobs; i++) {
    const job *j = &x->job[i];
    if (j->state != JOB_RUNNING) continue;
    str_add(&s, "; ");
    study_add_cell(x->s, j->run->at, true, &s);
    str_addf(&s, " seed %llu %.0f%%", (unsigned long long)j->run->seed,
             100 * study_work_done(x->o.store, j->run));
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
  char *path = store_path(x->o.store, r->id, ".json.gz");
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

static void tell(scheduler *x, const job *j, const char *what) {
  str s = {0};
  char time[24];
  str_addf(&s, "[%d/%d] ", count_of(x, JOB_DONE) + x->failed, x->jobs);
  study_add_cell(x->s, j->run->at, true, &s);
  str_addf(&s, "%sseed %llu:", x->s->axes ? ", " : "", (unsigned long long)j->run->seed);
  if (j->state == JOB_DONE) add_result(x, j->run, &s);
  str_addf(&s, "%s%s", *what ? " " : "", what);
  if (!isnan(j->taken)) str_addf(&s, " in %s", progress_time(j->taken, time));
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
static st begin(scheduler *x, job *j, err *e) {
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
    redirect(x->o.store, j->run->id);
    int code = study_work(j->run, &x->o);
    fflush(NULL);
    _exit(code);
  }
  setpgid(j->pid, j->pid);
  j->state = JOB_RUNNING;
  j->begun = progress_clock();
  x->running++;
  return ST_OK;
}

static void why_failed(const scheduler *x, const job *j, int status, str *out) {
  char *path = store_path(x->o.store, j->run->id, ".failed");
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

static void end_of(scheduler *x, job *j, int status) {
  str what = {0};
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  bool stopped = interrupted && (code == 128 + SIGINT || code == 128 + SIGTERM);
  x->running--;
  j->pid = 0;
  if (code == STUDY_WORK_BUSY) {
    j->state = JOB_ELSEWHERE, j->looked = progress_clock();
  } else if (stopped) {
    j->state = JOB_MISSING;
  } else if (code == 0) {
    j->state = JOB_DONE, j->taken = progress_clock() - j->begun;
    tell(x, j, "");
  } else {
    j->state = JOB_FAILED, x->failed++;
    why_failed(x, j, status, &what);
    tell(x, j, what.data);
  }
  store_release(x->o.store, j->run->id);
  str_free(&what);
}

static void reap(scheduler *x) {
  for (int i = 0; i < x->jobs; i++) {
    int status;
    job *j = &x->job[i];
    if (j->state == JOB_RUNNING && waitpid(j->pid, &status, WNOHANG) == j->pid) end_of(x, j, status);
  }
}

static void touch_locks(scheduler *x) {
  if (progress_clock() - x->touched < STORE_TOUCH) return;
  x->touched = progress_clock();
  for (int i = 0; i < x->jobs; i++)
    if (x->job[i].state == JOB_RUNNING) store_touch(x->o.store, x->job[i].run->id);
}

static void pass_on(const scheduler *x) {
  for (int i = 0; i < x->jobs; i++)
    if (x->job[i].state == JOB_RUNNING) kill(x->job[i].pid, SIGTERM);
}

/* --- the loop --- */

static bool is_due(const job *j) {
  return j->state == JOB_MISSING || (j->state == JOB_ELSEWHERE && progress_clock() - j->looked >= look_again);
}

static st fill_places(scheduler *x, err *e) {
  bool stop = interrupted || (x->o.fail_fast && x->failed);
  for (int i = 0; i < x->jobs && x->running < x->o.jobs && !stop; i++) {
    job *j = &x->job[i];
    if (!is_due(j)) continue;
    switch (store_claim(x->o.store, j->run->id, e)) {
    case STORE_ERROR:
      return e->code;
    case STORE_MINE:
      if (begin(x, j, e)) return e->code;
      break;
    case STORE_TAKEN:
      j->state = JOB_ELSEWHERE, j->looked = progress_clock();
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
  return x->plan.waiting && !x->running && !count_of(x, JOB_MISSING) && !count_of(x, JOB_ELSEWHERE) &&
         !x->failed && !x->o.n_only;
}

static bool is_over(const scheduler *x) {
  if (x->running) return false;
  if (interrupted || (x->o.fail_fast && x->failed)) return true;
  return !count_of(x, JOB_MISSING) && !count_of(x, JOB_ELSEWHERE) && !may_choose(x);
}

static void sleep_for(double seconds) {
  nanosleep(&(struct timespec){.tv_nsec = (long)(1e9 * seconds)}, NULL); /* a signal ends it */
}

static st loop(scheduler *x, err *e) {
  int passed = 0;
  st code = ST_OK;
  while (!is_over(x) && (!code || x->running)) {
    reap(x);
    touch_locks(x);
    if (asked > passed || (code && !passed)) pass_on(x), passed = asked ? asked : 1;
    if (!code && !x->running && may_choose(x)) code = plan_again(x, e);
    if (!code) code = fill_places(x, e);
    show_status(x);
    if (x->running || count_of(x, JOB_ELSEWHERE)) sleep_for(nap);
  }
  return code;
}

static void settle(scheduler *x, const study *s, const study_jobs_options *o) {
  *x = (scheduler){.s = s, .o = *o};
  if (!x->o.threads) x->o.threads = 1;
  if (!x->o.jobs) x->o.jobs = work_cores() / x->o.threads > 0 ? work_cores() / x->o.threads : 1;
}

static void scheduler_free(scheduler *x) {
  study_plan_free(&x->plan);
  study_cost_free(&x->cost);
  mem_free(x->job);
}

static st conclude(scheduler *x, int *signal, err *e) {
  *signal = interrupted;
  if (interrupted)
    progress_line(&x->progress, "interrupted: %d of %d runs done; the same command goes on",
                  count_of(x, JOB_DONE), x->jobs);
  if (!interrupted && x->failed)
    return err_add(e, ST_INTERNAL, "%s: %d of %d runs failed; the same command tries them again", x->s->path,
                   x->failed, x->jobs);
  return ST_OK;
}

st study_jobs_run(const study *s, const study_jobs_options *o, int *signal, err *e) {
  scheduler x;
  *signal = 0;
  settle(&x, s, o);
  if (check_only(s, o, e) || file_make_folder(o->store, e)) return e->code;
  progress_open(&x.progress, false);
  st code = study_cost_read(&x.cost, o->store, e);
  if (!code) code = plan_again(&x, e);
  if (!code && !x.jobs) code = err_add(e, ST_USER, "%s: no run matches --only", s->path);
  if (!code) {
    catch_signals();
    code = loop(&x, e);
  }
  if (!code) code = conclude(&x, signal, e);
  progress_close(&x.progress);
  scheduler_free(&x);
  return code;
}

/* --- without running --- */

static const char *state_of(const scheduler *x, const job *j) {
  char *dir = store_path(x->o.store, j->run->id, ""), *failed = store_path(x->o.store, j->run->id, ".failed");
  const char *state = j->state == JOB_DONE                ? "done"
                      : file_what(failed) == FILE_REGULAR ? "failed"
                      : file_what(dir) == FILE_FOLDER     ? "begun"
                                                          : "missing";
  mem_free(dir);
  mem_free(failed);
  return state;
}

static st open_dry(scheduler *x, const study *s, const study_jobs_options *o, err *e) {
  settle(x, s, o);
  x->dry = true;
  if (check_only(s, o, e)) return e->code;
  st code = study_cost_read(&x->cost, o->store, e);
  if (!code) code = plan_again(x, e);
  return code;
}

st study_jobs_dry_run(const study *s, const study_jobs_options *o, str *out, err *e) {
  scheduler x;
  char time[24];
  st code = open_dry(&x, s, o, e);
  for (int i = 0; !code && i < x.jobs; i++) {
    job *j = &x.job[i];
    if (j->state == JOB_MISSING && isnan(j->expected))
      code = study_cost_measure(&x.cost, j->run, x.o.threads, e);
    if (code) break;
    j->expected = study_cost_of(&x.cost, j->run);
    str_addf(out, "%s  %-7s  ", j->run->id, state_of(&x, j));
    study_add_cell(s, j->run->at, true, out);
    str_addf(out, "%sseed %llu%s\n", s->axes ? ", " : "", (unsigned long long)j->run->seed,
             j->run->tuning ? " (tuning)" : "");
  }
  if (!code) {
    str_addf(out, "%d runs, %d done", x.jobs, count_of(&x, JOB_DONE));
    if (count_of(&x, JOB_MISSING))
      str_addf(out, "; the others take about %s with %d side by side on %d thread%s each",
               progress_time(time_left(&x), time), x.o.jobs, x.o.threads, x.o.threads == 1 ? "" : "s");
    if (x.plan.waiting)
      str_addf(out, "; then %d cell%s at what is chosen", x.plan.waiting, x.plan.waiting == 1 ? "" : "s");
    str_add(out, "\n");
  }
  scheduler_free(&x);
  return code;
}

static void add_quoted(const char *text, str *out) {
  str_add(out, "'");
  for (; *text; text++) {
    if (*text == '\'')
      str_add(out, "'\\''");
    else
      str_add_bytes(out, text, 1);
  }
  str_add(out, "'");
}

st study_jobs_commands(const study *s, const study_jobs_options *o, str *out, err *e) {
  static const char *const keep[] = {"last", "record", "all"};
  scheduler x;
  st code = open_dry(&x, s, o, e);
  for (int i = 0; !code && i < x.jobs; i++) {
    if (x.job[i].state == JOB_DONE) continue;
    str_add(out, "dyt study ");
    add_quoted(s->path, out);
    if (s->tier) str_add(out, " --tier "), add_quoted(s->tier, out);
    str_add(out, " --out "), add_quoted(o->out, out);
    str_add(out, " --runs "), add_quoted(o->store, out);
    str_addf(out, " --keep %s --jobs 1 --threads %d --only id=%s\n", keep[o->keep], x.o.threads,
             x.job[i].run->id);
  }
  scheduler_free(&x);
  return code;
}
