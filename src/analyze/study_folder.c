/* A study's folder: what was planned, so that tables and pictures can be made again. */
#define _GNU_SOURCE
#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/study.h"

#include "study_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *in_folder(const char *folder, const char *name) { return mem_printf("%s/%s", folder, name); }

/* The path that leads from one folder to another, both existing; absolute where they have nothing in common. */
static char *relative(const char *from, const char *to) {
  char *a = realpath(from, NULL), *b = realpath(to, NULL);
  str s = {0};
  if (!a || !b) {
    str_add(&s, to);
  } else {
    size_t common = 0, i = 0;
    for (; a[i] && a[i] == b[i]; i++)
      if (a[i] == '/') common = i + 1;
    if ((!a[i] || a[i] == '/') && (!b[i] || b[i] == '/')) common = i;
    const char *up = a + common + (a[common] == '/'), *down = b + common + (b[common] == '/');
    for (const char *p = up; *p; p += strcspn(p, "/"), p += *p == '/') str_add(&s, "../");
    str_add(&s, down);
    if (s.len && s.data[s.len - 1] == '/') s.data[--s.len] = '\0';
    if (!s.len) str_add(&s, ".");
  }
  free(a);
  free(b);
  return s.data;
}

/* --- writing --- */

static void add_cell(const study *s, const int *at, str *out) {
  str_add(out, "[");
  for (int i = 0; i < s->axes; i++) str_addf(out, "%s%d", i ? "," : "", at[i]);
  str_add(out, "]");
}

static void add_plan(const study *s, const study_plan *p, const char *store, str *out) {
  str_add(out, "{\"study\": ");
  str_add_quoted(out, file_name(s->path));
  str_add(out, ",\n \"tier\": ");
  if (s->tier)
    str_add_quoted(out, s->tier);
  else
    str_add(out, "null");
  str_add(out, ",\n \"store\": ");
  str_add_quoted(out, store);
  str_addf(out, ",\n \"waiting\": %d,\n \"runs\": [", p->waiting);
  for (int i = 0; i < p->runs; i++) {
    const study_run *r = &p->run[i];
    str_addf(out, "%s\n  {\"id\": \"%s\", \"cell\": ", i ? "," : "", r->id);
    add_cell(s, r->at, out);
    str_addf(out, ", \"seed\": %llu, \"tuning\": %s}", (unsigned long long)r->seed,
             r->tuning ? "true" : "false");
  }
  str_add(out, "],\n \"choices\": [");
  for (int i = 0; i < p->choices; i++) {
    const study_choice *c = &p->choice[i];
    str_addf(out, "%s\n  {\"cell\": ", i ? "," : "");
    add_cell(s, c->at, out);
    str_add(out, ", \"value\": ");
    str_add_number(out, c->value, 9);
    str_add(out, ", \"next\": ");
    str_add_number(out, c->next, 9);
    str_addf(out, ", \"trials\": %d, \"edge\": %d}", c->trials, c->edge);
  }
  str_add(out, "]}\n");
}

/* A folder is one study's, at one tier. */
static st check_owner(const char *folder, const char *path, const study *s, err *e) {
  json_doc d;
  if (file_what(path) == FILE_NONE) return ST_OK;
  if (json_read(path, &d, e)) return ST_USER;
  const char *name = cJSON_GetStringValue(study_get(d.root, "study"));
  const char *tier = cJSON_GetStringValue(study_get(d.root, "tier"));
  st code = ST_OK;
  if (!name || strcmp(name, file_name(s->path)) || strcmp(tier ? tier : "", s->tier ? s->tier : ""))
    code = err_add(e, ST_USER, "%s: made by %s%s%s, not by %s%s%s: choose another --out", folder,
                   name ? name : "something else", tier ? " --tier " : "", tier ? tier : "",
                   file_name(s->path), s->tier ? " --tier " : "", s->tier ? s->tier : "");
  json_free(&d);
  return code;
}

st study_folder_write(const char *folder, const study *s, const study_plan *p, const char *store, err *e) {
  str study_text = {0}, plan_text = {0};
  char *study_path = in_folder(folder, "study.json"), *plan_path = in_folder(folder, "runs.json"),
       *to_store = NULL;
  st code = file_make_folder(folder, e);
  if (!code) code = check_owner(folder, plan_path, s, e);
  if (!code) {
    to_store = relative(folder, store);
    json_add_value(&study_text, s->doc.root, 0);
    str_add(&study_text, "\n");
    add_plan(s, p, to_store, &plan_text);
    code = file_write(study_path, study_text.data, study_text.len, e);
  }
  if (!code) code = file_write(plan_path, plan_text.data, plan_text.len, e);
  str_free(&study_text);
  str_free(&plan_text);
  mem_free(to_store);
  mem_free(study_path);
  mem_free(plan_path);
  return code;
}

/* --- reading --- */

static st read_cell(const json_doc *d, const cJSON *list, const study *s, int *at, err *e) {
  const cJSON *v;
  int n = 0;
  bool good = cJSON_IsArray(list) && cJSON_GetArraySize(list) == s->axes;
  if (good) cJSON_ArrayForEach(v, list) {
      good &= cJSON_IsNumber(v) && v->valuedouble >= 0 && v->valuedouble < s->axis[n].count;
      at[n] = good ? (int)v->valuedouble : 0;
      n++;
    }
  return good ? ST_OK
              : json_fail(d, list ? list : d->root, e,
                          "cell: expected the number of a case for each axis of study.json");
}

static st read_run(const json_doc *d, const cJSON *o, const study *s, study_run *r, err *e) {
  const char *id = cJSON_GetStringValue(study_get(o, "id"));
  const cJSON *seed = study_get(o, "seed");
  if (!id || strlen(id) != 16 || id[strspn(id, "0123456789abcdef")] || !cJSON_IsNumber(seed))
    return json_fail(d, o, e, "runs: expected an id of 16 hexadecimal digits and a seed");
  memcpy(r->id, id, sizeof r->id);
  r->seed = (uint64_t)seed->valuedouble;
  r->tuning = cJSON_IsTrue(study_get(o, "tuning"));
  return read_cell(d, study_get(o, "cell"), s, r->at, e);
}

static double number(const cJSON *o, const char *key) {
  const cJSON *v = study_get(o, key);
  return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}

static st read_choice(const json_doc *d, const cJSON *o, const study *s, study_choice *c, err *e) {
  double trials = number(o, "trials"), edge = number(o, "edge");
  if (!(trials >= 1 && trials <= STUDY_CELLS_MAX) || !(edge >= -1 && edge < s->axes))
    return json_fail(d, o, e, "choices: expected trials and edge");
  *c = (study_choice){
      .value = number(o, "value"), .next = number(o, "next"), .trials = (int)trials, .edge = (int)edge};
  return read_cell(d, study_get(o, "cell"), s, c->at, e);
}

static st read_plan(const json_doc *d, study *s, study_plan *p, err *e) {
  const cJSON *runs = study_get(d->root, "runs"), *choices = study_get(d->root, "choices"), *o;
  double waiting = number(d->root, "waiting");
  st code = ST_OK;
  p->run = mem_new((size_t)cJSON_GetArraySize(runs) + 1, sizeof *p->run);
  p->choice = mem_new((size_t)cJSON_GetArraySize(choices) + 1, sizeof *p->choice);
  p->waiting = waiting > 0 && waiting <= STUDY_CELLS_MAX ? (int)waiting : 0;
  cJSON_ArrayForEach(o, runs) if (!code) code = read_run(d, o, s, &p->run[p->runs++], e);
  cJSON_ArrayForEach(o, choices) if (!code) code = read_choice(d, o, s, &p->choice[p->choices++], e);
  return code;
}

static st read_names(const json_doc *d, const char *folder, study *s, char **store, err *e) {
  const char *name = cJSON_GetStringValue(study_get(d->root, "study"));
  const char *tier = cJSON_GetStringValue(study_get(d->root, "tier"));
  const char *where = cJSON_GetStringValue(study_get(d->root, "store"));
  if (!name || !where) return json_fail(d, d->root, e, "expected \"study\" and \"store\"");
  size_t n = strlen(name);
  mem_free(s->name);
  s->name = mem_printf("%.*s", (int)(n > 5 && strcmp(name + n - 5, ".json") == 0 ? n - 5 : n), name);
  s->tier = tier ? mem_strdup(tier) : NULL;
  *store = *where == '/' ? mem_strdup(where) : in_folder(folder, where);
  return ST_OK;
}

st study_folder_read(const char *folder, study *s, study_plan *p, char **store, err *e) {
  char *study_path = in_folder(folder, "study.json"), *plan_path = in_folder(folder, "runs.json");
  json_doc d = {0};
  *s = (study){0}, *p = (study_plan){0}, *store = NULL;
  st code = file_what(plan_path) == FILE_REGULAR
                ? study_read(s, study_path, NULL, e)
                : err_add(e, ST_USER, "%s: no study's folder: there is no runs.json in it", folder);
  if (!code) {
    code = json_read(plan_path, &d, e);
    if (!code) code = read_names(&d, folder, s, store, e);
    if (!code) code = read_plan(&d, s, p, e);
    if (code) {
      study_plan_free(p);
      study_free(s);
      mem_free(*store);
      *store = NULL;
    }
    json_free(&d);
  }
  mem_free(study_path);
  mem_free(plan_path);
  return code;
}
