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
    q->job[q->jobs++] = (study_job){.run = r,
                                    .expected = NAN,
                                    .taken = NAN,
                                    .state = store_finished(q->o.store, r->id) ? JOB_DONE : JOB_MISSING};
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

double study_queue_time_left(const study_queue *q) {
  double sum = 0, known = 0, n = 0;
  for (int i = 0; i < q->jobs; i++) {
    double taken = isnan(q->job[i].expected) ? q->job[i].taken : q->job[i].expected;
    if (!isnan(taken)) known += taken, n++;
  }
  for (int i = 0; i < q->jobs; i++) {
    const study_job *j = &q->job[i];
    double whole = isnan(j->expected) ? known / n : j->expected;
    if (j->state == JOB_MISSING || j->state == JOB_ELSEWHERE) sum += whole;
    if (j->state == JOB_RUNNING) sum += fmax(whole - (progress_clock() - j->begun), 0.02 * whole);
  }
  return sum / q->o.jobs;
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
