/* The "table" of a study file: which cells stand where, what they are compared with, what is tested. */
#include "table_parts.h"

#include "study_read.h"

#include "dyt/mem.h"
#include "dyt/table.h"

#include <math.h>
#include <string.h>

const char *const table_kinds[] = {"equal", "greater", "positive", NULL};

typedef struct reader {
  const study *s;
  table_spec *t;
  err *e;
} reader;

static st fail(const reader *r, const cJSON *at, const char *what) {
  return json_fail(&r->s->doc, at, r->e, "%s", what);
}

/* --- axes --- */

/* A selected axis is a row or column only where the whole grid is shown. */
static st find_axis(const reader *r, const char *key, const cJSON *name, int *axis) {
  const char *known[STUDY_AXES_MAX], *text = cJSON_GetStringValue(name);
  *axis = text ? study_find_axis(r->s, text) : -1;
  for (int i = 0; i < r->s->axes; i++) known[i] = r->s->axis[i].name;
  if (*axis < 0) {
    const char *near = text ? str_nearest(text, known, r->s->axes) : NULL;
    return json_fail(&r->s->doc, name, r->e, "table.%s: expected the name of an axis%s%s%s", key,
                     near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
  }
  if (r->t->chosen && r->s->axis[*axis].selected)
    return json_fail(&r->s->doc, name, r->e,
                     "table.%s: %s is selected: a cell has the case that was chosen, expected another axis",
                     key, text);
  return ST_OK;
}

static bool is_row(const table_spec *t, int axis) {
  for (int i = 0; i < t->row_axes; i++)
    if (t->row_axis[i] == axis) return true;
  return false;
}

static st read_row_axis(reader *r, const cJSON *name) {
  int axis;
  if (find_axis(r, "rows", name, &axis)) return ST_USER;
  if (is_row(r->t, axis) || axis == r->t->column_axis)
    return fail(r, name, "table.rows: this axis is there already, in rows or columns");
  r->t->row_axis[r->t->row_axes++] = axis;
  return ST_OK;
}

static st read_axes(reader *r, const cJSON *o) {
  const cJSON *list = study_get(o, "rows"), *columns = study_get(o, "columns"), *name;
  table_spec *t = r->t;
  st code = columns ? find_axis(r, "columns", columns, &t->column_axis) : ST_OK;
  if (cJSON_IsArray(list))
    cJSON_ArrayForEach(name, list) code = code ? code : read_row_axis(r, name);
  else if (list && !code)
    code = read_row_axis(r, list);
  for (int i = 0; !code && i < r->s->axes; i++)
    if (!is_row(t, i) && i != t->column_axis && !(t->chosen && r->s->axis[i].selected))
      t->row_axis[t->row_axes++] = i;
  t->columns = t->column_axis < 0 ? 1 : r->s->axis[t->column_axis].count;
  return code;
}

/* --- cells --- */

static int row_of(reader *r, const int *at) {
  table_spec *t = r->t;
  str label = {0};
  int i = 0;
  for (int j = 0; j < t->row_axes; j++)
    str_addf(&label, "%s%s", j ? ", " : "", r->s->axis[t->row_axis[j]].at[at[t->row_axis[j]]].label);
  if (!label.len) str_add(&label, "all");
  while (i < t->rows && strcmp(t->row[i], label.data)) i++;
  if (i < t->rows) {
    str_free(&label);
    return i;
  }
  t->row = mem_grow(t->row, (size_t)i, (size_t)i + 1, sizeof *t->row);
  t->row[t->rows++] = label.data;
  return i;
}

static st place_cells(reader *r) {
  table_spec *t = r->t;
  int(*cell)[STUDY_AXES_MAX] = NULL, n = 0;
  st code = study_list_cells(r->s, &cell, &n, r->e);
  t->place = mem_new((size_t)n + 1, sizeof *t->place);
  for (int i = 0; !code && i < n; i++) {
    bool again = false;
    for (int j = 0; t->chosen && j < t->cells; j++)
      again |= study_same_but_selected(r->s, cell[i], t->place[j].at);
    if (again) continue;
    table_place *p = &t->place[t->cells++];
    memcpy(p->at, cell[i], sizeof p->at);
    p->row = row_of(r, p->at);
    p->column = t->column_axis < 0 ? 0 : p->at[t->column_axis];
    p->baseline = -1;
  }
  mem_free(cell);
  return code;
}

const char *table_column(const study *s, const table_spec *t, int column) {
  return t->column_axis < 0 ? "" : s->axis[t->column_axis].at[column].label;
}

void table_add_label(const study *s, const table_spec *t, int cell, str *out) {
  const char *column = table_column(s, t, t->place[cell].column);
  bool rows = t->row_axes > 0;
  str_addf(out, "%s%s%s", rows || !*column ? t->row[t->place[cell].row] : "", rows && *column ? ", " : "",
           column);
}

/* The only cell that matches; -1: none or several, counted in *n. */
static int only_cell(const reader *r, const study_match *m, int *n) {
  int found = -1;
  *n = 0;
  for (int i = 0; i < r->t->cells; i++) {
    if (!study_matches(r->s, m, r->t->place[i].at)) continue;
    found = i;
    (*n)++;
  }
  return *n == 1 ? found : -1;
}

/* Reads {axis: case}, of axes that are shown. */
static st read_cell_match(const reader *r, const cJSON *o, study_match *m) {
  const cJSON *item;
  if (study_read_match(r->s, o, m, r->e)) return ST_USER;
  cJSON_ArrayForEach(item, o) {
    int axis = study_find_axis(r->s, item->string);
    if (r->t->chosen && r->s->axis[axis].selected)
      return json_fail(&r->s->doc, item, r->e,
                       "%s is selected: expected only axes of which no case is chosen", item->string);
  }
  return ST_OK;
}

/* --- the baseline --- */

/* The cell that is like another one but for the axes of `named` (a case each, -1: not named); -1: there is none. */
static int like_but_for(const table_spec *t, const study *s, const int *at, const int *named) {
  for (int i = 0; i < t->cells; i++) {
    bool same = true;
    for (int a = 0; a < s->axes; a++)
      if (!(t->chosen && s->axis[a].selected)) same &= t->place[i].at[a] == (named[a] < 0 ? at[a] : named[a]);
    if (same) return i;
  }
  return -1;
}

/* A cell is compared with the one that is the same but for the axes the baseline names. */
static st read_baseline(reader *r, const cJSON *o) {
  table_spec *t = r->t;
  study_match m;
  int named[STUDY_AXES_MAX];
  str against = {0};
  if (!o) return ST_OK;
  if (read_cell_match(r, o, &m)) return ST_USER;
  for (int a = 0; a < r->s->axes; a++) {
    int first = 0;
    while (first < r->s->axis[a].count && !(m.may[a] >> first & 1)) first++;
    bool one = m.may[a] == (uint64_t)1 << first;
    named[a] = one ? first : -1;
    if (!one && m.may[a] != ~(uint64_t)0)
      return json_fail(&r->s->doc, o, r->e, "table.baseline: %s: expected one case", r->s->axis[a].name);
    if (one) str_addf(&against, "%s%s", against.len ? ", " : "", r->s->axis[a].at[first].label);
  }
  for (int i = 0; i < t->cells; i++) {
    int base = like_but_for(t, r->s, t->place[i].at, named);
    t->place[i].baseline = base == i ? -1 : base;
    t->compared |= base >= 0 && base != i;
  }
  t->against = against.data;
  return t->compared ? ST_OK
                     : json_fail(&r->s->doc, o, r->e, "table.baseline: no cell differs from another one only so");
}

/* --- metrics --- */

/* The metric's number in the table, added where it is not there; -1: no such metric, or too many. */
static int add_metric(reader *r, const char *key, const cJSON *name) {
  table_spec *t = r->t;
  err why = {0};
  metric m;
  if (!cJSON_IsString(name) || metric_find(&m, name->valuestring, &why)) {
    json_fail(&r->s->doc, name, r->e, "%s: %s", key,
              cJSON_IsString(name) ? why.text : "expected a metric's name");
    return -1;
  }
  for (int i = 0; i < t->metrics; i++)
    if (strcmp(t->metric[i].name, m.name) == 0) return i;
  if (t->metrics == TABLE_METRICS_MAX) {
    json_fail(&r->s->doc, name, r->e, "%s: expected at most %d metrics", key, TABLE_METRICS_MAX);
    return -1;
  }
  t->metric[t->metrics] = m;
  return t->metrics++;
}

/* Where nothing is said, what a study reports: its test accuracy, or what it tunes by. */
static st read_metrics(reader *r, const cJSON *o) {
  const cJSON *list = study_get(o, "metric"), *name;
  const char *usual = r->s->seeds.count || !r->s->by ? "test_acc1" : r->s->by;
  if (cJSON_IsArray(list)) {
    cJSON_ArrayForEach(name, list) if (add_metric(r, "table.metric", name) < 0) return ST_USER;
    if (!r->t->metrics) return fail(r, list, "table.metric: expected at least one");
  } else if (list) {
    if (add_metric(r, "table.metric", list) < 0) return ST_USER;
  } else if (metric_find(&r->t->metric[r->t->metrics++], usual, r->e)) {
    return ST_USER;
  }
  r->t->shown = r->t->metrics;
  return ST_OK;
}

/* --- the paper --- */

static st check_value(const reader *r, const cJSON *v) {
  return cJSON_IsString(v) || cJSON_IsNumber(v)
             ? ST_OK
             : fail(r, v, "table.paper.values: expected a number or a string for each cell");
}

static st read_values(reader *r, const cJSON *values) {
  table_spec *t = r->t;
  const cJSON *row, *v;
  if (!cJSON_IsObject(values)) return fail(r, values, "table.paper.values: expected {row: number}");
  cJSON_ArrayForEach(row, values) {
    int known = 0, used = 0;
    if (t->column_axis < 0 ? check_value(r, row) : !cJSON_IsObject(row))
      return t->column_axis < 0 ? ST_USER
                                : fail(r, row, "table.paper.values: expected {row: {column: number}}");
    cJSON_ArrayForEach(v, row) if (check_value(r, v)) return ST_USER;
    for (int i = 0; i < t->cells; i++) {
      table_place *p = &t->place[i];
      if (strcmp(t->row[p->row], row->string)) continue;
      v = t->column_axis < 0 ? row : study_get(row, table_column(r->s, t, p->column));
      if (v) p->paper = study_label(v);
      known = 1, used += v != NULL;
    }
    if (!known)
      return json_fail(&r->s->doc, row, r->e, "table.paper.values: no row is called %s", row->string);
    if (t->column_axis >= 0 && used < cJSON_GetArraySize(row))
      return json_fail(&r->s->doc, row, r->e, "table.paper.values: %s: a column that is not there",
                       row->string);
  }
  return ST_OK;
}

static st read_paper(reader *r, const cJSON *paper) {
  static const char *const known[] = {"where", "values", NULL};
  if (!paper || cJSON_IsString(paper)) {
    r->t->where = cJSON_GetStringValue(paper);
    return ST_OK;
  }
  if (!cJSON_IsObject(paper) || !cJSON_IsString(study_get(paper, "where")))
    return fail(r, paper, "table.paper: expected a string or {\"where\", \"values\"}");
  if (study_check_keys(r->s, paper, "table.paper", known, r->e)) return ST_USER;
  r->t->where = study_get(paper, "where")->valuestring;
  return study_get(paper, "values") ? read_values(r, study_get(paper, "values")) : ST_OK;
}

/* --- claims --- */

static st read_claim_cell(const reader *r, const cJSON *o, const char *key, int *cell) {
  const cJSON *at = study_get(o, key);
  study_match m;
  int n;
  if (!at) return json_fail(&r->s->doc, o, r->e, "table.primary: expected \"%s\": {axis: case}", key);
  if (read_cell_match(r, at, &m)) return ST_USER;
  *cell = only_cell(r, &m, &n);
  return *cell >= 0 ? ST_OK
                    : json_fail(&r->s->doc, at, r->e, "table.primary: %d cells are so, expected one", n);
}

static st read_claim(reader *r, const cJSON *o) {
  static const char *const known[] = {"claim", "kind", "cell", "than", "metric", NULL};
  const char *kind = cJSON_GetStringValue(study_get(o, "kind"));
  const cJSON *m = study_get(o, "metric");
  table_claim *c = &r->t->claim[r->t->claims++];
  *c = (table_claim){.claim = cJSON_GetStringValue(study_get(o, "claim")), .than = -1};
  if (study_check_keys(r->s, o, "table.primary", known, r->e)) return ST_USER;
  if (!cJSON_IsObject(o) || !c->claim)
    return fail(r, o, "table.primary: expected an object with \"claim\", a sentence");
  int k = 0;
  while (table_kinds[k] && (!kind || strcmp(kind, table_kinds[k]))) k++;
  if (!table_kinds[k])
    return fail(r, o, "table.primary: kind: expected \"equal\", \"greater\" or \"positive\"");
  c->kind = (table_kind)k;
  if (m && (c->metric = add_metric(r, "table.primary.metric", m)) < 0) return ST_USER;
  if (read_claim_cell(r, o, "cell", &c->cell)) return ST_USER;
  if (c->kind != TABLE_POSITIVE) return read_claim_cell(r, o, "than", &c->than);
  return study_get(o, "than")
             ? fail(r, o, "table.primary: \"positive\" is about one cell: expected no \"than\"")
             : ST_OK;
}

static st read_claims(reader *r, const cJSON *list) {
  const cJSON *o;
  if (!list) return ST_OK;
  if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > TABLE_CLAIMS_MAX)
    return json_fail(&r->s->doc, list, r->e, "table.primary: expected a list of at most %d tests",
                     TABLE_CLAIMS_MAX);
  if (r->t->screen)
    return fail(r, list, "table.primary: a screen makes no claims: expected no tests, or no \"screen\"");
  cJSON_ArrayForEach(o, list) {
    if (read_claim(r, o)) return ST_USER;
    if (r->t->claim[r->t->claims - 1].kind == TABLE_EQUAL && isnan(r->t->margin))
      return fail(r, o, "table.primary: \"equal\" needs a \"margin\" in the table");
  }
  return ST_OK;
}

static st read_family(reader *r, const cJSON *v) {
  double n = cJSON_IsNumber(v) ? v->valuedouble : -1;
  r->t->family = r->t->claims;
  if (!v) return ST_OK;
  if (!(n >= r->t->claims && n <= TABLE_FAMILY_MAX && n == floor(n)))
    return json_fail(&r->s->doc, v, r->e,
                     "table.family: expected how many primary tests all studies have, %d to %d", r->t->claims,
                     TABLE_FAMILY_MAX);
  r->t->family = (int)n;
  return ST_OK;
}

/* --- the whole --- */

static st read_flag(const reader *r, const cJSON *o, const char *key, bool *flag) {
  const cJSON *v = study_get(o, key);
  *flag = cJSON_IsTrue(v);
  return !v || cJSON_IsBool(v) ? ST_OK
                               : json_fail(&r->s->doc, v, r->e, "table.%s: expected true or false", key);
}

static st read_margin(reader *r, const cJSON *v) {
  if (!v) return ST_OK;
  if (!cJSON_IsNumber(v) || !(v->valuedouble > 0 && v->valuedouble <= 100))
    return fail(r, v, "table.margin: expected a number of points above 0");
  r->t->margin = v->valuedouble;
  return ST_OK;
}

static st read_all(reader *r, const cJSON *o) {
  static const char *const known[] = {"_about", "rows",   "columns",   "metric",  "baseline", "margin",
                                      "paper",  "screen", "bootstrap", "primary", "family",   NULL};
  if (o && !cJSON_IsObject(o)) return fail(r, o, "table: expected an object");
  if (study_check_keys(r->s, o, "table", known, r->e)) return ST_USER;
  if (read_flag(r, o, "screen", &r->t->screen) || read_flag(r, o, "bootstrap", &r->t->bootstrap))
    return ST_USER;
  if (read_axes(r, o) || place_cells(r) || read_metrics(r, o) || read_margin(r, study_get(o, "margin")))
    return ST_USER;
  if (read_baseline(r, study_get(o, "baseline")) || read_paper(r, study_get(o, "paper"))) return ST_USER;
  if (read_claims(r, study_get(o, "primary"))) return ST_USER;
  return read_family(r, study_get(o, "family"));
}

st table_spec_read(const study *s, table_spec *t, err *e) {
  *t = (table_spec){.column_axis = -1, .margin = NAN, .chosen = s->by && s->seeds.count};
  st code = read_all(&(reader){s, t, e}, s->table);
  if (code) table_spec_free(t);
  return code;
}

void table_spec_free(table_spec *t) {
  mem_free(t->against);
  for (int i = 0; i < t->cells; i++) mem_free(t->place[i].paper);
  for (int i = 0; i < t->rows; i++) mem_free(t->row[i]);
  mem_free(t->place);
  mem_free(t->row);
  *t = (table_spec){0};
}

st table_check(const study *s, err *e) {
  table_spec t;
  st code = table_spec_read(s, &t, e);
  if (!code) table_spec_free(&t);
  return code;
}
