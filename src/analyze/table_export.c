/* A study's table for programs: CSV, a row a cell and metric; JSON, with all digits. */
#include "table_parts.h"

#include "dyt/str.h"

#include <math.h>
#include <string.h>

enum { DIGITS = 17, CSV_DIGITS = 9 };

static const char *verdict(const table_value *v) {
  if (isnan(v->pair.p_equivalent)) return NULL;
  return table_is_equal(v) ? "equal" : "not shown equal";
}

/* --- CSV --- */

/* Quoted where it must be. */
static void csv_text(str *out, const char *text) {
  bool quoted = text[strcspn(text, ",\"\r\n")] != '\0';
  str_add(out, quoted ? "\"" : "");
  for (const char *p = text; *p; p++) {
    if (*p == '"') str_add(out, "\"");
    str_add_bytes(out, p, 1);
  }
  str_add(out, quoted ? "\"" : "");
}

/* Nothing for NaN. */
static void csv_number(str *out, double v) {
  str_add(out, ",");
  if (isfinite(v)) str_add_number(out, v, CSV_DIGITS);
}

static void csv_values(const table_cell *c, int m, str *out) {
  str_add(out, ",");
  for (int i = 0; i < c->runs; i++) str_addf(out, "%s%llu", i ? ";" : "", (unsigned long long)c->run[i].seed);
  str_add(out, ",");
  for (int i = 0; i < c->runs; i++) {
    str_add(out, i ? ";" : "");
    if (!isnan(c->run[i].value[m])) str_add_number(out, c->run[i].value[m], CSV_DIGITS);
  }
}

static void csv_row(const table *t, int cell, int m, str *out) {
  const table_spec *spec = &t->spec;
  const table_place *p = &spec->place[cell];
  const table_cell *c = &t->cell[cell];
  const table_value *v = table_at(t, cell, m);
  for (int i = 0; i < spec->row_axes; i++) {
    csv_text(out, t->s.axis[spec->row_axis[i]].at[p->at[spec->row_axis[i]]].label);
    str_add(out, ",");
  }
  if (spec->column_axis >= 0) {
    csv_text(out, table_column(&t->s, spec, p->column));
    str_add(out, ",");
  }
  str_addf(out, "%s,%d,%d", spec->metric[m].name, c->there, c->there - c->failed);
  csv_number(out, v->over.mean);
  csv_number(out, v->over.sd);
  csv_number(out, v->pair.n ? v->pair.difference : NAN);
  csv_number(out, spec->screen ? NAN : v->pair.low);
  csv_number(out, spec->screen ? NAN : v->pair.high);
  csv_number(out, spec->screen ? NAN : v->pair.p_two_sided);
  str_addf(out, ",%s,%s", !spec->screen && verdict(v) ? verdict(v) : "", c->letters);
  csv_values(c, m, out);
  str_add(out, "\n");
}

void table_csv(const table *t, str *out) {
  const table_spec *spec = &t->spec;
  for (int i = 0; i < spec->row_axes; i++) {
    csv_text(out, t->s.axis[spec->row_axis[i]].name);
    str_add(out, ",");
  }
  if (spec->column_axis >= 0) {
    csv_text(out, t->s.axis[spec->column_axis].name);
    str_add(out, ",");
  }
  str_add(out, "metric,n,ok,mean,sd,difference,low,high,p,verdict,failed,seeds,values\n");
  for (int i = 0; i < spec->cells; i++)
    for (int m = 0; m < spec->shown; m++) csv_row(t, i, m, out);
}

/* --- JSON --- */

/* The next member or element, after a comma where there is one before. */
static void member(str *out, const char *key) {
  char last = out->len ? out->data[out->len - 1] : '{';
  str_add(out, last == '{' || last == '[' ? "" : ", ");
  if (!key) return;
  str_add_quoted(out, key);
  str_add(out, ": ");
}

static void json_text(str *out, const char *key, const char *text) {
  member(out, key);
  if (text)
    str_add_quoted(out, text);
  else
    str_add(out, "null");
}

static void json_number(str *out, const char *key, double v) {
  member(out, key);
  str_add_number(out, v, DIGITS);
}

static void json_flag(str *out, const char *key, bool on) {
  member(out, key);
  str_add(out, on ? "true" : "false");
}

/* {axis: case} of the axes that are selected, or of those that are not. */
static void json_cases(const table *t, const int *at, bool selected, str *out) {
  str_add(out, "{");
  for (int i = 0; i < t->s.axes; i++)
    if ((t->spec.chosen && t->s.axis[i].selected) == selected)
      json_text(out, t->s.axis[i].name, t->s.axis[i].at[at[i]].label);
  str_add(out, "}");
}

static void json_pair(const stats_paired *p, str *out) {
  member(out, "n");
  str_addf(out, "%d", p->n);
  json_number(out, "difference", p->n ? p->difference : NAN);
}

static void json_tests(const stats_paired *p, str *out) {
  json_number(out, "sd", p->sd);
  json_number(out, "low", p->low);
  json_number(out, "high", p->high);
  json_number(out, "low90", p->low90);
  json_number(out, "high90", p->high90);
  json_number(out, "correlation", p->correlation);
  json_number(out, "p", p->p_two_sided);
}

static void json_against(const table *t, int cell, int m, str *out) {
  const table_value *v = table_at(t, cell, m);
  str label = {0};
  table_add_label(&t->s, &t->spec, t->spec.place[cell].baseline, &label);
  member(out, "against");
  str_add(out, "{");
  json_text(out, "baseline", label.data);
  json_pair(&v->pair, out);
  if (!t->spec.screen) {
    json_tests(&v->pair, out);
    json_number(out, "p_equivalent", v->pair.p_equivalent);
    json_text(out, "verdict", verdict(v));
    json_number(out, "power", v->power);
    json_number(out, "images_low", v->images.low);
    json_number(out, "images_high", v->images.high);
  }
  str_add(out, "}");
  str_free(&label);
}

static void json_value(const table *t, int cell, int m, str *out) {
  const table_cell *c = &t->cell[cell];
  const table_value *v = table_at(t, cell, m);
  member(out, t->spec.metric[m].name);
  str_add(out, "{");
  member(out, "n");
  str_addf(out, "%d", v->over.n);
  json_number(out, "mean", v->over.mean);
  json_number(out, "sd", v->over.sd);
  json_number(out, "min", v->over.min);
  json_number(out, "max", v->over.max);
  json_flag(out, "best", v->best);
  member(out, "values");
  str_add(out, "[");
  for (int i = 0; i < c->runs; i++) json_number(out, NULL, c->run[i].value[m]);
  str_add(out, "]");
  if (t->spec.place[cell].baseline >= 0) json_against(t, cell, m, out);
  str_add(out, "}");
}

static void json_runs(const table_cell *c, str *out) {
  member(out, "seeds");
  str_add(out, "[");
  for (int i = 0; i < c->runs; i++)
    str_addf(out, "%s%llu", i ? ", " : "", (unsigned long long)c->run[i].seed);
  str_add(out, "]");
  member(out, "states");
  str_add(out, "[");
  for (int i = 0; i < c->runs; i++) {
    const char letter[2] = {c->run[i].failed};
    json_text(out, NULL, *letter ? letter : c->run[i].there ? "ok" : NULL);
  }
  str_add(out, "]");
}

static void json_cell(const table *t, int cell, str *out) {
  const table_place *p = &t->spec.place[cell];
  const table_cell *c = &t->cell[cell];
  member(out, "cell");
  json_cases(t, p->at, false, out);
  if (t->spec.chosen) {
    member(out, "chosen");
    if (c->choice)
      json_cases(t, c->choice->at, true, out);
    else
      str_add(out, "null");
  }
  json_text(out, "row", t->spec.row[p->row]);
  json_text(out, "column", t->spec.column_axis < 0 ? NULL : table_column(&t->s, &t->spec, p->column));
  json_text(out, "paper", p->paper);
  json_runs(c, out);
  json_number(out, "best_before_failure", c->best);
  member(out, "metrics");
  str_add(out, "{");
  for (int m = 0; m < t->spec.shown; m++) json_value(t, cell, m, out);
  str_add(out, "}");
}

static void json_claim(const table *t, int i, str *out) {
  const table_claim *c = &t->spec.claim[i];
  str a = {0}, b = {0};
  table_add_label(&t->s, &t->spec, c->cell, &a);
  if (c->than >= 0) table_add_label(&t->s, &t->spec, c->than, &b);
  json_text(out, "claim", c->claim);
  json_text(out, "kind", table_kinds[c->kind]);
  json_text(out, "metric", t->spec.metric[c->metric].name);
  json_text(out, "cell", a.data);
  json_text(out, "than", b.data);
  json_pair(&t->test[i].pair, out);
  json_tests(&t->test[i].pair, out);
  json_number(out, "p_one_sided", t->test[i].p);
  json_number(out, "p_holm", t->test[i].holm);
  str_free(&a);
  str_free(&b);
}

static void json_choice(const table *t, int i, str *out) {
  const study_choice *c = &t->plan.choice[i];
  str cell = {0}, chosen = {0};
  study_add_cell(&t->s, c->at, false, &cell);
  table_add_chosen(&t->s, c->at, &chosen);
  json_text(out, "cell", cell.data ? cell.data : "");
  json_text(out, "chosen", chosen.data);
  json_text(out, "by", t->s.by);
  json_number(out, "value", c->value);
  json_number(out, "next", c->next);
  json_number(out, "trials", c->trials);
  json_text(out, "edge", c->edge < 0 ? NULL : t->s.axis[c->edge].name);
  json_flag(out, "tie", table_is_tie(t, c));
  str_free(&cell);
  str_free(&chosen);
}

/* "key": [ an object a line ]. */
static void json_list(const table *t, const char *key, int n, void (*add)(const table *t, int i, str *out),
                      str *out) {
  str_add(out, ",\n ");
  str_add_quoted(out, key);
  str_add(out, ": [");
  for (int i = 0; i < n; i++) {
    str_add(out, i ? ",\n  {" : "\n  {");
    add(t, i, out);
    str_add(out, "}");
  }
  str_add(out, "]");
}

static void json_metric(const table *t, int i, str *out) {
  const metric *m = &t->spec.metric[i];
  json_text(out, "name", m->name);
  json_text(out, "title", m->title);
  json_text(out, "unit", m->unit);
  json_flag(out, "lower_is_better", m->lower_is_better);
}

void table_json(const table *t, str *out) {
  const table_spec *spec = &t->spec;
  str_add(out, "{");
  json_text(out, "study", t->s.name);
  json_text(out, "tier", t->s.tier);
  json_flag(out, "screen", spec->screen);
  json_number(out, "margin", spec->margin);
  json_text(out, "paper", spec->where);
  json_number(out, "family", spec->family);
  json_number(out, "missing", t->missing);
  member(out, "rows");
  str_add(out, "[");
  for (int i = 0; i < spec->row_axes; i++) json_text(out, NULL, t->s.axis[spec->row_axis[i]].name);
  str_add(out, "]");
  json_text(out, "columns", spec->column_axis < 0 ? NULL : t->s.axis[spec->column_axis].name);
  json_list(t, "metrics", spec->shown, json_metric, out);
  json_list(t, "cells", spec->cells, json_cell, out);
  json_list(t, "primary", spec->claims, json_claim, out);
  json_list(t, "choices", t->plan.choices, json_choice, out);
  str_add(out, "}\n");
}
