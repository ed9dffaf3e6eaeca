#define _GNU_SOURCE
#include "study_cost.h"

#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/progress.h"
#include "dyt/record.h"
#include "dyt/train.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const keys[] = {
    "model.family",        "model.patch_size", "model.dim",        "model.depth",     "model.heads",
    "model.mlp_ratio",     "data.format",      "data.path",        "data.val_size",   "data.augment",
    "data.train_fraction", "schedule.epochs",  "train.batch_size", "train.max_steps", "train.eval_every",
    "train.eval_train",    "train.probe_every"};
enum { KEYS = sizeof keys / sizeof *keys };

static char *key_of(cJSON *resolved) {
  json_doc d = {.root = resolved};
  str s = {0};
  for (int i = 0; i < KEYS; i++) {
    const cJSON *v = json_at(&d, keys[i]);
    if (v) json_add_value(&s, v, -1);
    str_add(&s, ";");
  }
  return s.data;
}

static char *key_of_run(const study_run *r) {
  str s = {0};
  config_write(&r->cfg, &s);
  cJSON *resolved = cJSON_Parse(s.data);
  char *key = key_of(resolved);
  cJSON_Delete(resolved);
  str_free(&s);
  return key;
}

static study_cost_kind *find(const study_cost *c, const char *key) {
  for (int i = 0; i < c->kinds; i++)
    if (strcmp(c->kind[i].key, key) == 0) return &c->kind[i];
  return NULL;
}

/* Takes `key`. */
static void add(study_cost *c, char *key, double seconds) {
  study_cost_kind *k = find(c, key);
  if (k) {
    mem_free(key);
  } else {
    c->kind = mem_grow(c->kind, (size_t)c->kinds, (size_t)c->kinds + 1, sizeof *c->kind);
    k = &c->kind[c->kinds++];
    k->key = key;
  }
  k->seconds += seconds;
  k->runs++;
}

st study_cost_read(study_cost *c, const char *store, err *e) {
  static const char ending[] = ".json.gz";
  DIR *d = opendir(store);
  st code = ST_OK;
  *c = (study_cost){0};
  for (struct dirent *f; d && !code && (f = readdir(d));) {
    size_t n = strlen(f->d_name);
    if (n < sizeof ending || strcmp(f->d_name + n + 1 - sizeof ending, ending)) continue;
    record r = {0};
    char *path = mem_printf("%s/%s", store, f->d_name);
    code = record_read(&r, path, e);
    /* a run that diverged early says nothing of those that do not */
    if (!code && r.config && !isnan(r.seconds) && strcmp(r.state, "done") == 0)
      add(c, key_of(r.config), r.seconds);
    record_free(&r);
    mem_free(path);
  }
  if (d) closedir(d);
  if (code) study_cost_free(c);
  return code;
}

void study_cost_free(study_cost *c) {
  for (int i = 0; i < c->kinds; i++) mem_free(c->kind[i].key);
  mem_free(c->kind);
  *c = (study_cost){0};
}

double study_cost_of(const study_cost *c, const study_run *r) {
  char *key = key_of_run(r);
  const study_cost_kind *k = find(c, key);
  mem_free(key);
  return k ? k->seconds / k->runs : NAN;
}

/* --- measuring --- */

typedef struct stopwatch {
  double begun, ended;
  int64_t first, step, steps;
} stopwatch;

/* The first steps warm caches and are not counted. */
static bool watch(void *context, int64_t step, int64_t steps, double loss) {
  enum { WARM = 3, LEAST = 20 };
  static const double enough = 2; /* seconds */
  stopwatch *w = context;
  (void)loss;
  w->step = step, w->steps = steps, w->ended = progress_clock();
  if (step <= WARM) w->first = step, w->begun = w->ended;
  return step >= LEAST && w->ended - w->begun >= enough;
}

st study_cost_measure(study_cost *c, study_run *r, int threads, err *e) {
  static const double with_evaluation =
      1.1; /* evaluating and logging take about a tenth of the training (docs/studies.md) */
  char folder[] = "/tmp/dyt-cost-XXXXXX";
  stopwatch w = {0};
  int signal = 0;
  if (!mkdtemp(folder)) return err_add(e, ST_USER, "%s: no temporary folder can be made", folder);
  char *dir = mem_printf("%s/run", folder);
  train_options o = {.run_dir = dir, .threads = threads, .watch = watch, .watch_context = &w};
  st code = train_run(&r->cfg, &o, &signal, e);
  if (!code && w.step > w.first)
    add(c, key_of_run(r),
        with_evaluation * (w.ended - w.begun) / (double)(w.step - w.first) * (double)w.steps);
  file_remove(folder, NULL);
  mem_free(dir);
  return code;
}
