/* What dyt study says without training: the runs and how long they will take, and commands for other schedulers. */
#include "study_queue.h"

#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/progress.h"
#include "dyt/store.h"

#include <math.h>

static const char *state_of(const study_queue *x, const study_job *j) {
  char *dir = store_path(x->o.store, j->run->id, ""), *failed = store_path(x->o.store, j->run->id, ".failed");
  const char *state = j->state == JOB_DONE                ? "done"
                      : file_what(failed) == FILE_REGULAR ? "failed"
                      : file_what(dir) == FILE_FOLDER     ? "begun"
                                                          : "missing";
  mem_free(dir);
  mem_free(failed);
  return state;
}

st study_jobs_dry_run(const study *s, const study_jobs_options *o, str *out, err *e) {
  study_queue x;
  char time[24];
  st code = study_queue_open(&x, s, o, true, e);
  if (code) return code;
  for (int i = 0; !code && i < x.jobs; i++) {
    study_job *j = &x.job[i];
    j->expected = study_cost_of(&x.cost, j->run); /* it may just have been measured for another of its kind */
    if (j->state == JOB_MISSING && isnan(study_job_seconds(j))) {
      code = study_cost_measure(&x.cost, j->run, x.o.threads, e);
      j->expected = study_cost_of(&x.cost, j->run);
    }
    if (code) break;
    str_addf(out, "%s  %-7s  ", j->run->id, state_of(&x, j));
    study_add_cell(s, j->run->at, true, out);
    str_addf(out, "%sseed %llu%s\n", s->axes ? ", " : "", (unsigned long long)j->run->seed,
             j->run->tuning ? " (tuning)" : "");
  }
  if (!code) {
    str_addf(out, "%d runs, %d done", x.jobs, study_queue_count(&x, JOB_DONE));
    if (study_queue_count(&x, JOB_MISSING))
      str_addf(out, "; the others take about %s with %d side by side on %d thread%s each",
               progress_time(study_queue_time_left(&x), time), x.o.jobs, x.o.threads,
               x.o.threads == 1 ? "" : "s");
    if (x.plan.waiting)
      str_addf(out, "; then %d cell%s at what is chosen", x.plan.waiting, x.plan.waiting == 1 ? "" : "s");
    str_add(out, "\n");
  }
  study_queue_free(&x);
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
  study_queue x;
  st code = study_queue_open(&x, s, o, true, e);
  if (code) return code;
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
  study_queue_free(&x);
  return code;
}
