/* The figures of a study: what may stand in its file, and drawing them one after another. */
#include "figure_parts.h"

#include "gnuplot.h"
#include "study_read.h"

#include "dyt/file.h"
#include "dyt/mem.h"

#include <string.h>

static const figure_kind *const kinds[] = {&figure_curves,    &figure_steps,  &figure_norms,
                                           &figure_alpha_std, &figure_shapes, &figure_pairs,
                                           &figure_line,      &figure_heat,   &figure_bars};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const figure_kind *find_kind(const cJSON *spec) {
  const char *name = cJSON_GetStringValue(study_get(spec, "kind"));
  for (int i = 0; name && i < KINDS; i++)
    if (strcmp(kinds[i]->name, name) == 0) return kinds[i];
  return NULL;
}

/* --- checking --- */

static st no_kind(const study *s, const cJSON *spec, err *e) {
  const cJSON *kind = study_get(spec, "kind");
  const char *names[KINDS], *given = cJSON_GetStringValue(kind);
  str list = {0};
  for (int i = 0; i < KINDS; i++) {
    names[i] = kinds[i]->name;
    str_addf(&list, "%s%s", i ? ", " : "", names[i]);
  }
  const char *near = given ? str_nearest(given, names, KINDS) : NULL;
  json_fail(&s->doc, kind ? kind : spec, e, "figures: expected \"kind\": one of %s%s%s%s", list.data,
            near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
  str_free(&list);
  return ST_USER;
}

/* Keys that name axes or a metric, and the bit of kinds that have them. */
static const struct key {
  const char *name;
  unsigned bit;
} keys[] = {{"x", FIGURE_X},
            {"y", FIGURE_Y},
            {"panels", FIGURE_PANELS},
            {"columns", FIGURE_COLUMNS},
            {"metric", FIGURE_METRIC}};
enum { KEYS = sizeof keys / sizeof *keys };

static st check_axis(const study *s, const char *key, const cJSON *value, err *e) {
  const char *name = cJSON_GetStringValue(value), *known[STUDY_AXES_MAX];
  for (int i = 0; i < s->axes; i++) known[i] = s->axis[i].name;
  if (name && study_find_axis(s, name) >= 0) return ST_OK;
  const char *near = name ? str_nearest(name, known, s->axes) : NULL;
  return json_fail(&s->doc, value, e, "figures.%s: expected the name of an axis%s%s%s", key,
                   near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static st check_metric(const study *s, const figure_kind *kind, const cJSON *value, err *e) {
  metric m;
  err why = {0};
  const char *name = cJSON_GetStringValue(value);
  if (metric_find(&m, name ? name : "", &why))
    return json_fail(&s->doc, value, e, "figures.metric: %s", why.text);
  if ((kind->keys & FIGURE_LOGGED) && figure_logged(name) < 0)
    return json_fail(&s->doc, value, e, "figures.metric: %s is not logged over steps", name);
  return ST_OK;
}

static st check_value(const study *s, const figure_kind *kind, const struct key *key, const cJSON *value,
                      err *e) {
  const cJSON *item;
  st code = ST_OK;
  if (key->bit == FIGURE_METRIC) return check_metric(s, kind, value, e);
  if (key->bit != FIGURE_PANELS || !cJSON_IsArray(value)) return check_axis(s, key->name, value, e);
  cJSON_ArrayForEach(item, value) if (check_axis(s, key->name, item, e)) code = ST_USER;
  return code;
}

static st check_text(const study *s, const cJSON *spec, err *e) {
  static const char *const texts[] = {"title", "caption"};
  st code = ST_OK;
  for (int i = 0; i < 2; i++) {
    const cJSON *text = study_get(spec, texts[i]);
    if (text && !cJSON_IsString(text))
      code = json_fail(&s->doc, text, e, "figures.%s: expected a string", texts[i]);
  }
  return code;
}

static st check_figure(const study *s, const cJSON *spec, err *e) {
  const figure_kind *kind = find_kind(spec);
  const char *known[KEYS + 6] = {"kind", "title", "caption", "cell", "_about"};
  const cJSON *cell = study_get(spec, "cell");
  study_match m;
  if (!kind) return no_kind(s, spec, e);
  for (int i = 0, n = 5; i < KEYS; i++)
    if (kind->keys & keys[i].bit) known[n++] = keys[i].name;
  st code = study_check_keys(s, spec, "figures", known, e);
  for (int i = 0; i < KEYS; i++) {
    const cJSON *value = study_get(spec, keys[i].name);
    if (!value && (kind->needs & keys[i].bit))
      code = json_fail(&s->doc, spec, e, "figures: %s needs \"%s\"", kind->name, keys[i].name);
    if (value && (kind->keys & keys[i].bit) && check_value(s, kind, &keys[i], value, e)) code = ST_USER;
  }
  if (cell && study_read_match(s, cell, &m, e)) code = ST_USER;
  return check_text(s, spec, e) ? ST_USER : code;
}

st figure_check(const study *s, err *e) {
  const cJSON *spec;
  st code = ST_OK;
  if (!s->figures) return ST_OK;
  if (!cJSON_IsArray(s->figures))
    return json_fail(&s->doc, s->figures, e, "figures: expected a list of {\"kind\", ...}");
  if (cJSON_GetArraySize(s->figures) > FIGURES_MAX)
    return json_fail(&s->doc, s->figures, e, "figures: expected at most %d", FIGURES_MAX);
  cJSON_ArrayForEach(spec, s->figures) if (check_figure(s, spec, e)) code = ST_USER;
  return code;
}

/* --- drawing --- */

/* "heat", "heat_2", ... */
static char *name_of(const figures *f, const figure_kind *kind) {
  size_t n = strlen(kind->name);
  int before = 0;
  for (int i = 0; i < f->count; i++)
    before +=
        strncmp(f->at[i].name, kind->name, n) == 0 && (f->at[i].name[n] == '\0' || f->at[i].name[n] == '_');
  return before ? mem_printf("%s_%d", kind->name, before + 1) : mem_strdup(kind->name);
}

static bool has_files(const char *folder, const figure_kind *kind) {
  bool all = true;
  for (const char *const *name = kind->files; name && *name; name++) {
    char *path = mem_printf("%s/%s", folder, *name);
    all &= file_what(path) == FILE_REGULAR;
    mem_free(path);
  }
  return all;
}

/* Points that came from weights may be gone, the picture of them may be here still. */
static bool has_drawing(const char *folder, const char *name) {
  char *path = mem_printf("%s/%s.svg", folder, name);
  bool has = file_what(path) == FILE_REGULAR;
  mem_free(path);
  return has;
}

/* What the study file says, else the kind, with the metric's name where it has one. */
static char *title_of(const figure_job *j, const figure_kind *kind) {
  const char *given = cJSON_GetStringValue(study_get(j->spec, "title"));
  if (given || !(kind->keys & FIGURE_METRIC)) return mem_strdup(given ? given : kind->title);
  str s = {0};
  str_add(&s, j->m.title);
  if (s.data[0] >= 'a' && s.data[0] <= 'z') s.data[0] = (char)(s.data[0] - 'a' + 'A');
  if (j->x >= 0) str_addf(&s, " by %s", j->s->axis[j->x].name);
  if (j->y >= 0) str_addf(&s, " and %s", j->s->axis[j->y].name);
  if (kind == &figure_steps) str_add(&s, " over steps");
  return s.data;
}

static char *caption_of(const figure_job *j, const figure_kind *kind, bool lacks, bool kept) {
  const char *given = cJSON_GetStringValue(study_get(j->spec, "caption"));
  str s = {0};
  str_add(&s, given ? given : "");
  str_addf(&s, "%s%s", given ? " " : "", kind->caption);
  if (j->choosing && j->s->tuning.count && !kind->files) str_add(&s, " Runs of the tuning seeds.");
  if (lacks) str_addf(&s, " Not drawn%s: %s.", kept ? " anew" : "", kind->lacks);
  if (!lacks && j->notes.len) str_add(&s, j->notes.data);
  return s.data;
}

static st draw(figures *out, figure_job *j, const study_plan *p, const record *run, const figure_kind *kind,
               err *e) {
  figure *f = &out->at[out->count];
  f->name = name_of(out, kind);
  j->name = f->name;
  out->count++;
  st code = figure_job_open(j, p, run, kind, e);
  if (code) return code;
  bool lacks = !j->cells || !has_files(j->folder, kind);
  bool kept = lacks && j->cells && has_drawing(j->folder, f->name);
  if (!lacks) code = kind->write(j, e);
  f->written = !lacks && !code;
  f->title = title_of(j, kind);
  f->caption = caption_of(j, kind, lacks, kept);
  f->drawn = kept;
  if (!f->written) return code;
  err why = {0};
  f->drawn = gnuplot_run(j->folder, f->name, &why) == ST_OK;
  if (!f->drawn && !out->undrawn) out->undrawn = mem_strdup(why.text);
  return ST_OK;
}

st figures_draw(figures *out, const char *folder, const study *s, const study_plan *p, const record *run,
                err *e) {
  const cJSON *spec;
  *out = (figures){.at = mem_new((size_t)cJSON_GetArraySize(s->figures) + 1, sizeof *out->at)};
  if (figure_check(s, e)) return ST_USER;
  char *to = mem_printf("%s/figures", folder);
  st code = cJSON_GetArraySize(s->figures) ? file_make_folder(to, e) : ST_OK;
  cJSON_ArrayForEach(spec, s->figures) {
    figure_job j = {.s = s, .spec = spec, .folder = to};
    if (!code) code = draw(out, &j, p, run, find_kind(spec), e);
    figure_job_free(&j);
  }
  mem_free(to);
  return code;
}

void figures_free(figures *f) {
  for (int i = 0; i < f->count; i++) {
    mem_free(f->at[i].name);
    mem_free(f->at[i].title);
    mem_free(f->at[i].caption);
  }
  mem_free(f->at);
  mem_free(f->undrawn);
  *f = (figures){0};
}
