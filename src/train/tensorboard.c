/* train.tensorboard: what the logs say, as events for TensorBoard.
 *
 * One file for the whole run. It is cut back to the checkpoint like the other logs, and a resumed run writes records of the
 * same lengths again: a TensorBoard that has the run open reads on. */
#define _GNU_SOURCE
#include "trainer.h"

#include "dyt/file.h"
#include "dyt/tfevents.h"

#include <cJSON.h>
#include <math.h>
#include <string.h>
#include <time.h>

static double wall_time(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static st add_event(trainer *t, const str *values, err *e) {
  const char *file = checkpoint_log[CHECKPOINT_EVENTS];
  str s = {0};
  st code = ST_OK;
  double now = wall_time();
  if (run_size(&t->run, file) == 0) {
    char *folder = run_file(t->run.path, file);
    *strrchr(folder, '/') = '\0';
    code = file_make_folder(folder, e);
    mem_free(folder);
    tfevents_begin(&s, now);
  }
  tfevents_add(&s, now, t->at.step, values);
  if (!code) code = run_append(&t->run, file, &s, e);
  str_free(&s);
  return code;
}

static void add_scalar(str *values, const char *group, const char *name, double v) {
  char *tag = mem_printf("%s/%s", group, name);
  if (isfinite(v)) tfevents_scalar(values, tag, v);
  mem_free(tag);
}

/* Where the line stands is what an event has anyway. */
static bool is_place(const char *key) {
  return strcmp(key, "step") == 0 || strcmp(key, "epoch") == 0 || strcmp(key, "seconds") == 0;
}

st trainer_event_of_line(trainer *t, const char *group, const str *line, err *e) {
  if (!t->cfg->train.tensorboard) return ST_OK;
  str values = {0};
  cJSON *o = cJSON_ParseWithLength(line->data, line->len);
  for (const cJSON *v = o ? o->child : NULL; v; v = v->next)
    if (cJSON_IsNumber(v) && !is_place(v->string)) add_scalar(&values, group, v->string, v->valuedouble);
  cJSON_Delete(o);
  st code = add_event(t, &values, e);
  str_free(&values);
  return code;
}

/* Empty buckets at both ends are left out, as are inputs that are not finite. */
static void add_histogram(str *values, const norm_stats *s, int layer, const char *path) {
  const norm_stat *t = &s->total[layer];
  const histogram_bucket *bucket = s->count + (int64_t)layer * HISTOGRAM_BUCKETS;
  double count[HISTOGRAM_BUCKETS];
  int first = HISTOGRAM_BUCKETS, last = 0;
  for (int b = 0; b < HISTOGRAM_BUCKETS; b++) {
    count[b] = (double)bucket[b];
    if (count[b] == 0) continue;
    first = b < first ? b : first;
    last = b;
  }
  if (!isfinite(t->moments[0]) || first > last) return;
  tfevents_histogram h = {.min = t->range[0],
                          .max = t->range[1],
                          .n = (double)t->n,
                          .sum = t->moments[0],
                          .sum_squares = t->moments[1],
                          .buckets = last - first + 1,
                          .limit = s->limit + first,
                          .count = count + first};
  char *tag = mem_printf("norm_input/%s", path);
  tfevents_add_histogram(values, tag, &h);
  mem_free(tag);
}

st trainer_event_of_stats(trainer *t, err *e) {
  if (!t->cfg->train.tensorboard || t->model.norms == 0) return ST_OK;
  str values = {0};
  for (int i = 0; i < t->model.norms; i++) {
    const char *path = t->model.norm[i]->path;
    norm_figures f = norm_stats_figures(&t->stats, i);
    add_scalar(&values, "alpha", path, f.alpha);
    add_scalar(&values, "inv_std", path, f.inv_std);
    add_histogram(&values, &t->stats, i, path);
  }
  st code = values.len ? add_event(t, &values, e) : ST_OK;
  str_free(&values);
  return code;
}
