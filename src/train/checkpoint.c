#define _GNU_SOURCE
#include "dyt/checkpoint.h"

#include "dyt/file.h"
#include "dyt/str.h"
#include "dyt/weights.h"

#include <cJSON.h>
#include <dirent.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const checkpoint_log[CHECKPOINT_LOGS] = {"log.jsonl", "steps.jsonl", "dyt.csv",
                                                     "tensorboard/events.out.tfevents.dyt"};

enum { MODEL, OPTIM, EMA, FILES, STATE_LIMIT = 1 << 20 };
static const char *const files[FILES] = {"model.safetensors", "optim.safetensors", "ema.safetensors"};
static int files_with(const ema *m) { return m->value ? FILES : EMA; }

/* The counters by name, so that writing and reading cannot disagree. */
static const struct field {
  const char *name;
  size_t at;
  bool integer;
} fields[] = {{"step", offsetof(checkpoint_state, step), true},
              {"loss_sum", offsetof(checkpoint_state, loss_sum), false},
              {"right_sum", offsetof(checkpoint_state, right_sum), false},
              {"seen", offsetof(checkpoint_state, seen), false},
              {"window_loss", offsetof(checkpoint_state, window_loss), false},
              {"window_steps", offsetof(checkpoint_state, window_steps), true},
              {"seconds", offsetof(checkpoint_state, seconds), false},
              {"train_seconds", offsetof(checkpoint_state, train_seconds), false},
              {"best_epoch", offsetof(checkpoint_state, best_epoch), false},
              {"best_acc1", offsetof(checkpoint_state, best_acc1), false},
              {"best_loss", offsetof(checkpoint_state, best_loss), false},
              {"log_size", offsetof(checkpoint_state, log_size[0]), true},
              {"steps_size", offsetof(checkpoint_state, log_size[1]), true},
              {"dyt_size", offsetof(checkpoint_state, log_size[2]), true},
              {"events_size", offsetof(checkpoint_state, log_size[CHECKPOINT_EVENTS]), true}};
enum { FIELDS = sizeof fields / sizeof fields[0] };

char *checkpoint_file(const char *run, const char *which, const char *name) {
  return mem_printf("%s/checkpoints/%s/%s", run, which, name);
}

bool checkpoint_exists(const char *run, const char *which) {
  char *path = checkpoint_file(run, which, "state.json");
  bool yes = file_what(path) == FILE_REGULAR;
  mem_free(path);
  return yes;
}

/* --- writing --- */

static st hash_of(const char *folder, const char *name, char out[17], err *e) {
  char *path = mem_printf("%s/%s", folder, name);
  st code = file_hash_of(path, out, e);
  mem_free(path);
  return code;
}

static st write_state(const char *folder, int n, const checkpoint_state *s, err *e) {
  str text = {0};
  str_add(&text, "{\n");
  for (int i = 0; i < FIELDS; i++) {
    const char *at = (const char *)s + fields[i].at;
    str_addf(&text, "  \"%s\": ", fields[i].name);
    if (fields[i].integer)
      str_addf(&text, "%lld,\n", (long long)*(const int64_t *)(const void *)at);
    else
      str_add_number(&text, *(const double *)(const void *)at, 17);
    if (!fields[i].integer) str_add(&text, ",\n");
  }
  str_add(&text, "  \"xxh64\": {");
  char hash[17];
  st code = ST_OK;
  for (int i = 0; i < n && !code; i++) {
    code = hash_of(folder, files[i], hash, e);
    str_addf(&text, "%s\"%s\": \"%s\"", i ? ", " : "", files[i], hash);
  }
  str_add(&text, "}\n}\n");
  char *path = mem_printf("%s/state.json", folder);
  if (!code) code = file_write(path, text.data, text.len, e);
  mem_free(path);
  str_free(&text);
  return code;
}

static st write_folder(const char *folder, const params *p, const optim *o, const ema *m,
                       const checkpoint_state *s, err *e) {
  char *path[FILES];
  for (int i = 0; i < FILES; i++) path[i] = mem_printf("%s/%s", folder, files[i]);
  st code = file_make_folder(folder, e);
  if (!code) code = weights_write(path[MODEL], p, p->value, "model", s->step, e);
  if (!code)
    code = weights_write_state(path[OPTIM], p, o->kind->states, o->kind->state, o->state, s->step, e);
  if (!code && m->value) code = weights_write(path[EMA], p, m->value, "ema", s->step, e);
  if (!code) code = write_state(folder, files_with(m), s, e);
  for (int i = 0; i < FILES; i++) mem_free(path[i]);
  return code;
}

/* Folders that neither link names, and what a killed process left half-written. */
static void remove_others(const char *checkpoints) {
  char last[64] = "", best[64] = "";
  char *path = mem_printf("%s/last", checkpoints);
  if (readlink(path, last, sizeof last - 1) < 0) last[0] = '\0';
  mem_free(path);
  path = mem_printf("%s/best", checkpoints);
  if (readlink(path, best, sizeof best - 1) < 0) best[0] = '\0';
  mem_free(path);
  DIR *d = opendir(checkpoints);
  for (struct dirent *f; d && (f = readdir(d));) {
    if (strncmp(f->d_name, "step-", 5) || !strcmp(f->d_name, last) || !strcmp(f->d_name, best)) continue;
    path = mem_printf("%s/%s", checkpoints, f->d_name);
    file_remove(path, NULL);
    mem_free(path);
  }
  if (d) closedir(d);
}

st checkpoint_write(const char *run, const params *p, const optim *o, const ema *m, const checkpoint_state *s,
                    bool best, err *e) {
  char name[40];
  snprintf(name, sizeof name, "step-%lld", (long long)s->step);
  char *all = mem_printf("%s/checkpoints", run), *last = mem_printf("%s/last", all),
       *top = mem_printf("%s/best", all);
  char *folder = mem_printf("%s/%s", all, name),
       *temporary = mem_printf("%s.tmp-%ld", folder, (long)getpid());
  st code = file_make_folder(all, e);
  if (!code) code = write_folder(temporary, p, o, m, s, e);
  if (!code && file_what(folder) != FILE_NONE) code = file_remove(folder, e); /* of a run that was cut back */
  if (!code) code = file_rename(temporary, folder, e);
  if (!code) code = file_link(name, last, e);
  if (!code && best) code = file_link(name, top, e);
  if (code)
    file_remove(temporary, NULL);
  else
    remove_others(all);
  mem_free(all);
  mem_free(last);
  mem_free(top);
  mem_free(folder);
  mem_free(temporary);
  return code;
}

/* --- reading --- */

static st read_fields(const cJSON *doc, const char *folder, checkpoint_state *s, err *e) {
  for (int i = 0; i < FIELDS; i++) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(doc, fields[i].name);
    if (!v && fields[i].at == offsetof(checkpoint_state, log_size[CHECKPOINT_EVENTS]))
      continue; /* of a version without events */
    bool none = cJSON_IsNull(v) && !fields[i].integer;
    if (!cJSON_IsNumber(v) && !none)
      return err_add(e, ST_USER, "%s/state.json: expected a number \"%s\"", folder, fields[i].name);
    char *at = (char *)s + fields[i].at;
    if (fields[i].integer)
      *(int64_t *)(void *)at = (int64_t)v->valuedouble;
    else
      *(double *)(void *)at = none ? NAN : v->valuedouble;
  }
  return ST_OK;
}

static st check_file(const cJSON *doc, const char *folder, const char *name, err *e) {
  const cJSON *hashes = cJSON_GetObjectItemCaseSensitive(doc, "xxh64");
  const cJSON *want = cJSON_GetObjectItemCaseSensitive(hashes, name);
  char have[17];
  if (hash_of(folder, name, have, e)) return e->code;
  if (cJSON_IsString(want) && strcmp(want->valuestring, have) == 0) return ST_OK;
  return err_add(e, ST_USER, "%s/%s: damaged: its checksum is %s, state.json says %s", folder, name, have,
                 cJSON_IsString(want) ? want->valuestring : "nothing");
}

/* state.json; NULL: it cannot be read. */
static cJSON *open_state(const char *folder, err *e) {
  char *path = mem_printf("%s/state.json", folder);
  file_bytes b;
  cJSON *doc = NULL;
  if (!file_read(path, STATE_LIMIT, &b, e)) {
    doc = cJSON_ParseWithLength((const char *)b.data, b.size);
    if (!doc) err_add(e, ST_USER, "%s: damaged: no JSON", path);
    file_bytes_free(&b);
  }
  mem_free(path);
  return doc;
}

static st read_state(const char *folder, int n, checkpoint_state *s, err *e) {
  cJSON *doc = open_state(folder, e);
  st code = doc ? read_fields(doc, folder, s, e) : e->code;
  for (int i = 0; i < n && !code; i++) code = check_file(doc, folder, files[i], e);
  cJSON_Delete(doc);
  return code;
}

static st read_optim(const char *folder, const params *p, optim *o, err *e) {
  char *path = mem_printf("%s/%s", folder, files[OPTIM]);
  safetensors f;
  st code = safetensors_read(path, &f, e);
  if (!code) {
    for (int k = 0; k < o->kind->states && !code; k++)
      code = weights_read_state(&f, p, o->kind->state[k], o->state[k], e);
    safetensors_free(&f);
  }
  mem_free(path);
  return code;
}

char *checkpoint_weights(const char *run, const char *which, bool raw) {
  char *average = checkpoint_file(run, which, files[EMA]);
  if (!raw && file_what(average) == FILE_REGULAR) return average;
  mem_free(average);
  return checkpoint_file(run, which, files[MODEL]);
}

/* A damaged file must not become the beginning of something else. */
static st check_weights(const char *weights, err *e) {
  const char *name = file_name(weights);
  char *folder = mem_printf("%.*s", (int)(name - weights - 1), weights);
  cJSON *doc = open_state(folder, e);
  st code = doc ? check_file(doc, folder, name, e) : e->code;
  cJSON_Delete(doc);
  mem_free(folder);
  return code;
}

st checkpoint_find(const char *run, const char *which, bool raw, char **weights, err *e) {
  char *config_path = mem_printf("%s/config.json", run);
  bool is_run = file_what(config_path) == FILE_REGULAR;
  mem_free(config_path);
  *weights = NULL;
  if (!is_run) return err_add(e, ST_USER, "%s: no run directory: there is no config.json in it", run);
  if (strcmp(which, "last") && strcmp(which, "best"))
    return err_add(e, ST_USER, "--checkpoint %s: expected last or best", which);
  if (!checkpoint_exists(run, which)) return err_add(e, ST_USER, "%s: this run has no checkpoint yet", run);
  *weights = checkpoint_weights(run, which, raw);
  if (check_weights(*weights, e)) {
    mem_free(*weights);
    *weights = NULL;
  }
  return *weights ? ST_OK : e->code;
}

st checkpoint_check(const char *run, const char *which, err *e) {
  char *folder = mem_printf("%s/checkpoints/%s", run, which);
  cJSON *doc = open_state(folder, e);
  const cJSON *hashes = cJSON_GetObjectItemCaseSensitive(doc, "xxh64"), *item;
  st code = doc ? ST_OK : e->code;
  cJSON_ArrayForEach(item, hashes) code = code ? code : check_file(doc, folder, item->string, e);
  cJSON_Delete(doc);
  mem_free(folder);
  return code;
}

/* The average goes through the store: it is a model's weights. */
static st read_average(const char *path, params *p, ema *m, err *e) {
  ema_swap(m);
  st code = weights_read(path, p, e);
  ema_swap(m);
  return code;
}

st checkpoint_read(const char *run, const char *which, params *p, optim *o, ema *m, checkpoint_state *s,
                   err *e) {
  char *folder = mem_printf("%s/checkpoints/%s", run, which),
       *model = mem_printf("%s/%s", folder, files[MODEL]), *average = mem_printf("%s/%s", folder, files[EMA]);
  st code = read_state(folder, files_with(m), s, e);
  if (!code) code = weights_read(model, p, e);
  if (!code) code = read_optim(folder, p, o, e);
  if (!code && m->value) code = read_average(average, p, m, e);
  if (!code) o->steps = s->step;
  mem_free(folder);
  mem_free(model);
  mem_free(average);
  return code;
}
