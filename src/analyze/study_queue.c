#include "study_queue.h"

#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/progress.h"
#include "dyt/store.h"
#include "dyt/work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static study_job *find_job(study_queue *q, const char *id) {
  for (int i = 0; i < q->jobs; i++)
    if (strcmp(q->job[i].run->id, id) == 0) return &q->job[i];
  return NULL;
}

/* The store is read for what runs take only where one is missing: a study that is done is told at once. */
static st expect(study_queue *q, err *e) {
  if (!study_queue_count(q, JOB_MISSING)) return ST_OK;
  if (!q->cost_read && study_cost_read(&q->cost, q->o.store, e)) return e->code;
  q->cost_read = true;
  for (int i = 0; i < q->jobs; i++)
    if (isnan(q->job[i].expected)) q->job[i].expected = study_cost_of(&q->cost, q->job[i].run);
  return ST_OK;
}

st study_queue_plan(study_queue *q, err *e) {
  study_plan old = q->plan;
  st code = study_plan_make(&q->plan, q->s, q->o.store, e);
  if (code) {
    q->plan = old;
    return code;
  }
  for (int i = 0; i < q->plan.runs; i++) {
    study_run *r = &q->plan.run[i];
    study_job *j = find_job(q, r->id);
    if (j) {
      j->run = r;
      continue;
    }
    if (!is_asked_for(q->s, &q->o, r)) continue;
    q->job = mem_grow(q->job, (size_t)q->jobs, (size_t)q->jobs + 1, sizeof *q->job);
    q->job[q->jobs++] = (study_job){
        .run = r, .expected = NAN, .state = store_finished(q->o.store, r->id) ? JOB_DONE : JOB_MISSING};
    if (q->job[q->jobs - 1].state == JOB_MISSING) study_queue_look(q, &q->job[q->jobs - 1]);
  }
  study_plan_free(&old);
  if (expect(q, e)) return e->code;
  if (q->dry) return ST_OK;
  for (int i = 0; i < q->jobs; i++)
    if (q->job[i].state == JOB_DONE)
      store_release(q->o.store, q->job[i].run->id); /* a lock that a kill left */
  if (file_make_folder(q->o.store, e)) return e->code;
  return study_folder_write(q->o.out, q->s, &q->plan, q->o.store, e);
}

int study_queue_count(const study_queue *q, study_job_state state) {
  int n = 0;
  for (int i = 0; i < q->jobs; i++) n += q->job[i].state == state;
  return n;
}

/* --- time --- */

void study_queue_look(const study_queue *q, study_job *j) {
  double was = j->progress.done;
  j->progress = study_work_progress(q->o.store, j->run);
  j->looked = progress_clock();
  if (j->progress.done != was || !j->moved) j->moved = j->looked;
}

double study_job_seconds(const study_job *j) {
  static const double enough_to_tell = 0.05; /* share of a run */
  return j->progress.done > enough_to_tell ? j->progress.seconds / j->progress.done : j->expected;
}

/* A run that is late goes on for some more seconds. */
static double seconds_left(const study_job *j, double mean) {
  static const double at_least = 0.02;
  double known = study_job_seconds(j), whole = isnan(known) ? mean : known;
  double since = j->state == JOB_MISSING ? 0 : progress_clock() - j->moved;
  return fmax(whole * (1 - j->progress.done) - since, at_least * whole);
}

static double mean_seconds(const study_queue *q) {
  double sum = 0, n = 0;
  for (int i = 0; i < q->jobs; i++) {
    double s = study_job_seconds(&q->job[i]);
    if (!isnan(s)) sum += s, n++;
  }
  return sum / n;
}

static double *first_free(double *place, int n) {
  double *first = place;
  for (int i = 1; i < n; i++)
    if (place[i] < *first) first = &place[i];
  return first;
}

double study_queue_time_left(const study_queue *q) {
  static const study_job_state order[] = {JOB_RUNNING, JOB_MISSING};
  double mean = mean_seconds(q), last = 0;
  double *place = mem_new((size_t)q->o.jobs, sizeof *place); /* when it is free */
  for (int k = 0; k < 2; k++)
    for (int i = 0; i < q->jobs; i++) {
      if (q->job[i].state != order[k]) continue;
      double *p = first_free(place, q->o.jobs);
      *p += seconds_left(&q->job[i], mean);
      last = fmax(last, *p);
    }
  for (int i = 0; i < q->jobs; i++)
    if (q->job[i].state == JOB_ELSEWHERE) last = fmax(last, seconds_left(&q->job[i], mean));
  mem_free(place);
  return isnan(mean) ? NAN : last;
}

/* --- a queue --- */

static void settle(study_queue *q) {
  study_jobs_options *o = &q->o;
  if (!o->threads) o->threads = 1;
  if (!o->jobs) o->jobs = work_cores() / o->threads > 0 ? work_cores() / o->threads : 1;
}

st study_queue_open(study_queue *q, const study *s, const study_jobs_options *o, bool dry, err *e) {
  *q = (study_queue){.s = s, .o = *o, .dry = dry};
  settle(q);
  st code = check_only(s, o, e);
  if (!code) code = study_queue_plan(q, e);
  if (!code && !q->jobs) code = err_add(e, ST_USER, "%s: no run matches --only", s->path);
  if (code) study_queue_free(q);
  return code;
}

void study_queue_free(study_queue *q) {
  study_plan_free(&q->plan);
  study_cost_free(&q->cost);
  mem_free(q->job);
  *q = (study_queue){0};
}
