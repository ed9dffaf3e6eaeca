#define _GNU_SOURCE
#include "study_work.h"

#include "dyt/checkpoint.h"
#include "dyt/file.h"
#include "dyt/json.h"
#include "dyt/mem.h"
#include "dyt/record.h"
#include "dyt/run.h"
#include "dyt/store.h"
#include "dyt/train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- the run's folder --- */

static bool has_config(const char *dir) {
  char *path = run_file(dir, "config.json");
  bool there = file_what(path) == FILE_REGULAR;
  mem_free(path);
  return there;
}

static bool is_busy(const char *dir) {
  run r;
  if (!has_config(dir)) return false;
  if (run_resume(&r, dir, &(err){0})) return true;
  run_close(&r);
  return false;
}

/* Whether what is there can be gone on with; if not it is removed, and said so. Nothing there: a new run. */
static st prepare(const char *dir, bool *resume, err *e) {
  const char *wrong = NULL;
  err why = {0};
  *resume = has_config(dir);
  if (!*resume && file_what(dir) != FILE_NONE) wrong = "half of it is missing";
  if (*resume && checkpoint_exists(dir, "last") && checkpoint_check(dir, "last", &why)) wrong = why.text;
  if (!wrong) return ST_OK;
  fprintf(stderr, "%s: cannot be gone on with (%s): trained anew\n", dir, wrong);
  *resume = false;
  return file_remove(dir, e);
}

/* A training that has ended needs its record only. */
static bool has_diverged(const char *dir) {
  record r = {0};
  bool diverged =
      has_config(dir) && !record_read(&r, dir, &(err){0}) && r.state && strcmp(r.state, "diverged") == 0;
  record_free(&r);
  return diverged;
}

static st train(study_run *r, const char *dir, int threads, int *signal, err *e) {
  bool resume;
  config own;
  if (prepare(dir, &resume, e)) return e->code;
  if (!resume) return train_run(&r->cfg, &(train_options){.run_dir = dir, .threads = threads}, signal, e);
  char *path = run_file(dir, "config.json");
  st code = config_load(path, NULL, 0, &own, e);
  mem_free(path);
  if (code) return code;
  code = train_run(&own, &(train_options){.resume = dir, .threads = threads}, signal, e);
  config_free(&own);
  return code;
}

/* --- the record --- */

static st write_record(const char *dir, const char *file, int threads, err *e) {
  probe_shape *fit = NULL;
  int shapes = 0;
  err no_shapes = {0};
  if (checkpoint_exists(dir, "last")) probe_shapes(dir, threads, &fit, &shapes, &no_shapes);
  if (no_shapes.code) fprintf(stderr, "shapes of norm layers not measured: %s\n", no_shapes.text);
  st code = record_write(dir, fit, shapes, file, e);
  mem_free(fit);
  return code;
}

/* `best` goes where it is not `last`. */
static st keep_last(const char *dir, err *e) {
  char target[2][256] = {{0}};
  static const char *const which[] = {"last", "best"};
  st code = ST_OK;
  for (int i = 0; i < 2; i++) {
    char *link = mem_printf("%s/checkpoints/%s", dir, which[i]);
    ssize_t n = readlink(link, target[i], sizeof target[i] - 1);
    target[i][n > 0 ? n : 0] = '\0';
    mem_free(link);
  }
  for (int i = 0; !code && i < 2; i++) {
    const char *name = i ? target[1] : "best";
    char *path = mem_printf("%s/checkpoints/%s", dir, name);
    if (*name && strchr(name, '/') == NULL && (i == 0 || strcmp(target[0], target[1])))
      code = file_remove(path, e);
    mem_free(path);
  }
  return code;
}

static st keep(const char *dir, study_keep what, err *e) {
  if (what == STUDY_KEEP_RECORD) return file_remove(dir, e);
  return what == STUDY_KEEP_LAST ? keep_last(dir, e) : ST_OK;
}

/* --- the process --- */

static void note_failure(const char *failed, const err *e) {
  str s = {0};
  str_addf(&s, "%s\n", e->text);
  file_write(failed, s.data, s.len, NULL);
  fprintf(stderr, "%s\n", e->text);
  str_free(&s);
}

int study_work(study_run *r, const study_jobs_options *o) {
  char *dir = store_path(o->store, r->id, ""), *file = store_path(o->store, r->id, ".json.gz");
  char *failed = store_path(o->store, r->id, ".failed"), *said = store_path(o->store, r->id, ".out");
  err e = {0};
  int signal = 0, exit_code = 0;
  st code = ST_OK;
  if (is_busy(dir)) {
    exit_code = STUDY_WORK_BUSY;
  } else {
    if (!has_diverged(dir)) code = train(r, dir, o->threads, &signal, &e);
    if (code == ST_NUMBERS) code = ST_OK, e = (err){0};
    if (signal) exit_code = 128 + signal;
    if (!code && !signal) code = write_record(dir, file, o->threads, &e);
    if (!code && !signal) code = keep(dir, o->keep, &e);
    if (code) note_failure(failed, &e), exit_code = code;
    if (!code && !signal) file_remove(failed, NULL), file_remove(said, NULL);
  }
  mem_free(dir);
  mem_free(file);
  mem_free(failed);
  mem_free(said);
  return exit_code;
}

static double number(const json_doc *d, const char *key) {
  const cJSON *v = json_at(d, key);
  return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

study_progress study_work_progress(const char *store, const study_run *r) {
  char *dir = store_path(store, r->id, ""), *path = run_file(dir, "status.json");
  json_doc d = {0};
  study_progress p = {0};
  if (!json_read(path, &d, &(err){0})) {
    p.done = number(&d, "epoch") / r->cfg.schedule.epochs;
    if (r->cfg.train.max_steps) p.done = fmax(p.done, number(&d, "step") / (double)r->cfg.train.max_steps);
    p.done = fmax(0, fmin(p.done, 1));
    p.seconds = fmax(0, number(&d, "seconds"));
  }
  json_free(&d);
  mem_free(path);
  mem_free(dir);
  return p;
}
