/* Reading and checking a study file. */
#include "dyt/study.h"

#include "study_read.h"

#include "dyt/file.h"
#include "dyt/mem.h"

#include <math.h>
#include <string.h>

/* --- small things --- */

const cJSON *study_get(const cJSON *o, const char *key) { return cJSON_GetObjectItemCaseSensitive(o, key); }

char *study_label(const cJSON *value) {
  str s = {0};
  if (cJSON_IsString(value))
    str_add(&s, value->valuestring);
  else
    json_add_value(&s, value, -1);
  return s.data ? s.data : mem_strdup("");
}

int study_find_axis(const study *s, const char *name) {
  for (int i = 0; i < s->axes; i++)
    if (strcmp(s->axis[i].name, name) == 0) return i;
  return -1;
}

bool study_matches(const study *s, const study_match *m, const int *at) {
  for (int i = 0; i < s->axes; i++)
    if (!(m->may[i] >> at[i] & 1)) return false;
  return true;
}

void study_add_cell(const study *s, const int *at, bool all, str *out) {
  int n = 0;
  for (int i = 0; i < s->axes; i++) {
    if (s->axis[i].selected && !all) continue;
    str_addf(out, "%s%s %s", n++ ? ", " : "", s->axis[i].name, s->axis[i].at[at[i]].label);
  }
}

/* "PATH/../NAME" of a file that another file names. */
static char *beside(const char *file, const char *name) {
  int folder = (int)(file_name(file) - file);
  return *name == '/' ? mem_strdup(name) : mem_printf("%.*s%s", folder, file, name);
}

/* --- keys --- */

typedef struct reader {
  study *s;
  err *e;
} reader;

static st fail(const reader *r, const cJSON *at, const char *what) {
  return json_fail(&r->s->doc, at, r->e, "%s", what);
}

st study_check_keys(const study *s, const cJSON *o, const char *what, const char *const *known, err *e) {
  const cJSON *item;
  st code = ST_OK;
  int n = 0;
  while (known[n]) n++;
  cJSON_ArrayForEach(item, o) {
    int i = 0;
    while (i < n && strcmp(known[i], item->string)) i++;
    if (i < n) continue;
    str list = {0};
    for (i = 0; i < n; i++) str_addf(&list, "%s%s", i ? ", " : "", known[i]);
    const char *near = str_nearest(item->string, known, n);
    code = json_fail(&s->doc, item, e, "%s.%s: unknown key%s%s%s (known: %s)", what, item->string,
                     near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "", list.data);
    str_free(&list);
  }
  return code;
}

/* --- what is set --- */

static st read_use(reader *r, const cJSON *list, study_sets *out) {
  static const char *const known[] = {"study", "cell", NULL};
  const cJSON *item;
  if (!cJSON_IsArray(list)) return fail(r, list, "use: expected a list of {\"study\", \"cell\"}");
  out->use = mem_new((size_t)cJSON_GetArraySize(list) + 1, sizeof *out->use);
  cJSON_ArrayForEach(item, list) {
    const char *path = cJSON_GetStringValue(study_get(item, "study"));
    if (study_check_keys(r->s, item, "use", known, r->e)) return ST_USER;
    if (!path || !cJSON_IsObject(study_get(item, "cell")))
      return fail(r, item, "use: expected {\"study\": \"other.json\", \"cell\": {\"axis\": \"case\"}}");
    out->use[out->uses++] = (study_use){beside(r->s->path, path), item};
  }
  return ST_OK;
}

static st read_set(reader *r, const cJSON *object, study_sets *out) {
  const cJSON *item;
  if (!cJSON_IsObject(object)) return fail(r, object, "set: expected an object of config keys and values");
  out->set = mem_new((size_t)cJSON_GetArraySize(object) + 1, sizeof *out->set);
  cJSON_ArrayForEach(item, object) {
    str s = {0};
    str_addf(&s, "%s=", item->string);
    json_add_value(&s, item, -1);
    out->set[out->sets++] = s.data;
  }
  return ST_OK;
}

/* The keys "set" and "use" of an object. */
static st read_sets(reader *r, const cJSON *o, study_sets *out) {
  const cJSON *set = study_get(o, "set"), *use = study_get(o, "use");
  st code = set ? read_set(r, set, out) : ST_OK;
  if (use && read_use(r, use, out)) code = ST_USER;
  return code;
}

static void sets_free(study_sets *x) {
  for (int i = 0; i < x->sets; i++) mem_free(x->set[i]);
  for (int i = 0; i < x->uses; i++) mem_free(x->use[i].path);
  mem_free(x->set);
  mem_free(x->use);
}

/* --- seeds --- */

static st read_seeds(reader *r, const cJSON *list, const char *what, study_seeds *out) {
  const cJSON *v;
  if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > STUDY_SEEDS_MAX)
    return json_fail(&r->s->doc, list ? list : r->s->doc.root, r->e,
                     "%s: expected a list of at most %d whole numbers", what, STUDY_SEEDS_MAX);
  cJSON_ArrayForEach(v, list) {
    if (!cJSON_IsNumber(v) || v->valuedouble < 0 || v->valuedouble > 9007199254740992.0 ||
        v->valuedouble != floor(v->valuedouble))
      return json_fail(&r->s->doc, v, r->e, "%s: expected whole numbers from 0 to 2^53", what);
    for (int i = 0; i < out->count; i++)
      if (out->at[i] == (uint64_t)v->valuedouble)
        return json_fail(&r->s->doc, v, r->e, "%s: %.0f is there twice", what, v->valuedouble);
    out->at[out->count++] = (uint64_t)v->valuedouble;
  }
  return ST_OK;
}

/* --- axes --- */

static st read_case(reader *r, const cJSON *item, study_case *out) {
  static const char *const known[] = {"label", "set", "use", "seeds", "_about", NULL};
  const cJSON *seeds = study_get(item, "seeds");
  const cJSON *label = study_get(item, "label");
  if (!cJSON_IsObject(item) || !label || cJSON_IsObject(label) || cJSON_IsArray(label))
    return fail(r, item, "cases: expected {\"label\": \"...\", \"set\": {...}}");
  if (study_check_keys(r->s, item, "cases", known, r->e)) return ST_USER;
  out->label = study_label(label);
  if (seeds && read_seeds(r, seeds, "cases.seeds", &out->seeds)) return ST_USER;
  return read_sets(r, item, &out->does);
}

static void value_case(const char *key, const cJSON *value, study_case *out) {
  str s = {0};
  str_addf(&s, "%s=", key);
  json_add_value(&s, value, -1);
  out->label = study_label(value);
  out->does.set = mem_new(1, sizeof *out->does.set);
  out->does.set[out->does.sets++] = s.data;
}

static st check_labels(reader *r, const cJSON *at, const study_axis *a) {
  for (int i = 0; i < a->count; i++)
    for (int j = 0; j < i; j++)
      if (strcmp(a->at[i].label, a->at[j].label) == 0)
        return json_fail(&r->s->doc, at, r->e, "axes: %s: two cases are called %s", a->name, a->at[i].label);
  return ST_OK;
}

static st read_axis(reader *r, const cJSON *item, study_axis *a) {
  static const char *const known[] = {"name", "key", "values", "cases", "_about", NULL};
  const char *name = cJSON_GetStringValue(study_get(item, "name")),
             *key = cJSON_GetStringValue(study_get(item, "key"));
  const cJSON *values = study_get(item, "values"), *cases = study_get(item, "cases"),
              *list = values ? values : cases, *v;
  if (study_check_keys(r->s, item, "axes", known, r->e)) return ST_USER;
  if (!name || !*name || !cJSON_IsArray(list) || (values && cases) || !key != !values)
    return fail(
        r, item,
        "axes: expected {\"name\", \"key\", \"values\": [...]} or {\"name\", \"cases\": [{\"label\", \"set\"}]}");
  int n = cJSON_GetArraySize(list);
  if (n == 0 || n > STUDY_CASES_MAX)
    return json_fail(&r->s->doc, list, r->e, "axes: %s: %d cases, expected 1 to %d", name, n,
                     STUDY_CASES_MAX);
  a->name = mem_strdup(name);
  a->at = mem_new((size_t)n, sizeof *a->at);
  cJSON_ArrayForEach(v, list) {
    study_case *c = &a->at[a->count++];
    if (values) value_case(key, v, c);
    if (cases && read_case(r, v, c)) return ST_USER;
  }
  return check_labels(r, item, a);
}

static st read_axes(reader *r, const cJSON *list) {
  study *s = r->s;
  const cJSON *item;
  if (!list) return ST_OK;
  if (!cJSON_IsArray(list)) return fail(r, list, "axes: expected a list");
  if (cJSON_GetArraySize(list) > STUDY_AXES_MAX)
    return json_fail(&s->doc, list, r->e, "axes: expected at most %d", STUDY_AXES_MAX);
  cJSON_ArrayForEach(item, list) {
    if (read_axis(r, item, &s->axis[s->axes++])) return ST_USER;
    if (study_find_axis(s, s->axis[s->axes - 1].name) < s->axes - 1)
      return json_fail(&s->doc, item, r->e, "axes: two are called %s", s->axis[s->axes - 1].name);
  }
  return ST_OK;
}

/* --- matching --- */

static st match_case(const study *s, const cJSON *at, int axis, const cJSON *value, uint64_t *may, err *e) {
  const study_axis *a = &s->axis[axis];
  const char *known[STUDY_CASES_MAX];
  char *label = study_label(value);
  int i = 0;
  for (int j = 0; j < a->count; j++) known[j] = a->at[j].label;
  while (i < a->count && strcmp(a->at[i].label, label)) i++;
  st code = ST_OK;
  if (i < a->count) {
    *may |= (uint64_t)1 << i;
  } else {
    const char *near = str_nearest(label, known, a->count);
    code = json_fail(&s->doc, at, e, "%s: no case is called %s; the first is %s%s%s", a->name, label,
                     known[0], near ? "; did you mean " : "", near ? near : "");
  }
  mem_free(label);
  return code;
}

st study_read_match(const study *s, const cJSON *object, study_match *m, err *e) {
  const cJSON *item, *v;
  for (int i = 0; i < STUDY_AXES_MAX; i++) m->may[i] = ~(uint64_t)0;
  if (!cJSON_IsObject(object)) return json_fail(&s->doc, object, e, "expected {\"axis\": \"case\"}");
  cJSON_ArrayForEach(item, object) {
    int axis = study_find_axis(s, item->string);
    if (axis < 0) return json_fail(&s->doc, item, e, "no axis is called %s", item->string);
    m->may[axis] = 0;
    if (!cJSON_IsArray(item) && match_case(s, item, axis, item, &m->may[axis], e)) return ST_USER;
    if (cJSON_IsArray(item))
      cJSON_ArrayForEach(v, item) if (match_case(s, v, axis, v, &m->may[axis], e)) return ST_USER;
  }
  return ST_OK;
}

static st read_matches(reader *r, const cJSON *list, study_match **out, int *count) {
  const cJSON *item;
  if (!list) return ST_OK;
  if (!cJSON_IsArray(list)) return fail(r, list, "expected a list of {\"axis\": \"case\"}");
  *out = mem_new((size_t)cJSON_GetArraySize(list) + 1, sizeof **out);
  cJSON_ArrayForEach(item, list) if (study_read_match(r->s, item, &(*out)[(*count)++], r->e)) return ST_USER;
  return ST_OK;
}

/* --- selection --- */

static st select_axis(reader *r, const cJSON *name) {
  int axis = cJSON_IsString(name) ? study_find_axis(r->s, name->valuestring) : -1;
  if (axis < 0) return fail(r, name, "select.axis: expected the name of an axis, or a list of names");
  r->s->axis[axis].selected = true;
  return ST_OK;
}

static st read_select(reader *r, const cJSON *o) {
  static const char *const known[] = {"axis", "by", "seeds", NULL};
  const cJSON *axis = study_get(o, "axis"), *seeds = study_get(o, "seeds"), *name;
  if (!o) return ST_OK;
  if (!cJSON_IsObject(o)) return fail(r, o, "select: expected {\"axis\", \"by\", \"seeds\"}");
  if (study_check_keys(r->s, o, "select", known, r->e)) return ST_USER;
  r->s->by = cJSON_GetStringValue(study_get(o, "by"));
  if (!r->s->by || strncmp(r->s->by, "val_", 4))
    return fail(
        r, o,
        "select.by: expected a metric of the validation split, such as \"val_acc1\": nothing is chosen on the test split");
  if (cJSON_IsArray(axis)) {
    cJSON_ArrayForEach(name, axis) if (select_axis(r, name)) return ST_USER;
  } else if (select_axis(r, axis ? axis : o)) {
    return ST_USER;
  }
  if (seeds && read_seeds(r, seeds, "select.seeds", &r->s->tuning)) return ST_USER;
  for (int i = 0; i < r->s->tuning.count; i++)
    for (int j = 0; j < r->s->seeds.count; j++)
      if (r->s->tuning.at[i] == r->s->seeds.at[j])
        return fail(r, seeds, "select.seeds: a seed that tunes may not be among the seeds that report");
  return ST_OK;
}

/* --- tiers --- */

static const char *const keys[] = {"_about", "base", "set",   "seeds",   "axes",  "include", "exclude",
                                   "select", "use",  "table", "figures", "tiers", NULL};

/* A tier replaces the keys it names. */
static st apply_tier(reader *r, const char *tier) {
  study *s = r->s;
  const cJSON *tiers = study_get(s->doc.root, "tiers"), *item;
  cJSON *chosen = NULL;
  str names = {0};
  st code = ST_OK;
  if (tiers && !cJSON_IsObject(tiers)) return fail(r, tiers, "tiers: expected an object");
  cJSON_ArrayForEach(item, tiers) {
    str_addf(&names, "%s%s", names.len ? ", " : "", item->string);
    if (!cJSON_IsObject(item) || study_get(item, "tiers"))
      code = fail(r, item, "tiers: expected objects of keys to replace");
    if (!code) code = study_check_keys(s, item, item->string, keys, r->e);
    if (tier && strcmp(item->string, tier) == 0) chosen = cJSON_Duplicate(item, true);
  }
  if (!code && tier && !chosen)
    code = err_add(r->e, ST_USER, "%s: no tier is called %s; there %s %s", s->path, tier,
                   names.len ? "are" : "is", names.len ? names.data : "none");
  cJSON_DeleteItemFromObjectCaseSensitive(s->doc.root, "tiers");
  while (!code && chosen && chosen->child) {
    cJSON *moved = cJSON_DetachItemViaPointer(chosen, chosen->child);
    cJSON_DeleteItemFromObjectCaseSensitive(s->doc.root, moved->string);
    cJSON_AddItemToArray(s->doc.root, moved); /* as to a list: it has its key already */
  }
  cJSON_Delete(chosen);
  str_free(&names);
  return code;
}

/* --- the file --- */

static st read_all(reader *r, const char *tier) {
  study *s = r->s;
  const cJSON *root = s->doc.root;
  if (!cJSON_IsObject(root)) return fail(r, root, "expected a study: an object");
  if (study_check_keys(s, root, s->name, keys, r->e) || apply_tier(r, tier)) return ST_USER;
  const char *base = cJSON_GetStringValue(study_get(root, "base"));
  if (!base) return fail(r, root, "base: expected the path of a config, relative to this file");
  s->base = beside(s->path, base);
  st code = read_sets(r, root, &s->does);
  if (read_seeds(r, study_get(root, "seeds"), "seeds", &s->seeds)) code = ST_USER;
  if (read_axes(r, study_get(root, "axes"))) return ST_USER; /* the rest speaks of axes */
  if (read_matches(r, study_get(root, "include"), &s->include, &s->includes)) code = ST_USER;
  if (read_matches(r, study_get(root, "exclude"), &s->exclude, &s->excludes)) code = ST_USER;
  if (read_select(r, study_get(root, "select"))) code = ST_USER;
  if (!code && !s->seeds.count && !s->tuning.count)
    code = fail(r, study_get(root, "seeds"), "seeds: expected at least one, here or in select");
  s->table = study_get(root, "table");
  s->figures = study_get(root, "figures");
  return code;
}

static char *name_of(const char *path) {
  const char *name = file_name(path), *dot = strrchr(name, '.');
  return mem_printf("%.*s", dot && dot > name ? (int)(dot - name) : (int)strlen(name), name);
}

st study_read(study *s, const char *path, const char *tier, err *e) {
  *s = (study){.path = mem_strdup(path), .name = name_of(path), .tier = tier ? mem_strdup(tier) : NULL};
  st code = json_read(path, &s->doc, e);
  if (!code) code = read_all(&(reader){s, e}, tier);
  if (code) study_free(s);
  return code;
}

void study_free(study *s) {
  for (int i = 0; i < s->axes; i++) {
    for (int j = 0; j < s->axis[i].count; j++) {
      mem_free(s->axis[i].at[j].label);
      sets_free(&s->axis[i].at[j].does);
    }
    mem_free(s->axis[i].at);
    mem_free(s->axis[i].name);
  }
  sets_free(&s->does);
  mem_free(s->include);
  mem_free(s->exclude);
  mem_free(s->path);
  mem_free(s->name);
  mem_free(s->tier);
  mem_free(s->base);
  json_free(&s->doc);
  *s = (study){0};
}
