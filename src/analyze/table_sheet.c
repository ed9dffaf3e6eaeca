/* A study's table as a page of plain text: means, choices, notes. */
#include "table_parts.h"

#include "dyt/mem.h"

#include <math.h>
#include <string.h>

static char *heading(const metric *m) {
  return mem_printf("%s%s%s%s", m->title, *m->unit ? " (" : "", m->unit, *m->unit ? ")" : "");
}

/* --- cells --- */

/* "58.50 -> failed (D)" */
static void add_failed(const table_cell *c, const metric *m, str *out) {
  if (strcmp(m->unit, "%") == 0 && !isnan(c->best)) {
    table_add_number(out, c->best, m->digits, "");
    str_add(out, " -> ");
  }
  str_addf(out, "failed (%s)", c->letters);
}

/* Correlations are not spread evenly about their mean: their range. */
static void add_spread(const table_value *v, const metric *m, str *out) {
  if (v->over.n < 2) return;
  if (*m->unit) {
    str_addf(out, " \xc2\xb1 %.*f", m->digits, v->over.sd);
  } else {
    str_add(out, " ");
    table_add_interval(out, v->over.min, v->over.max, m->digits, "");
  }
}

/* "82.50 ± 0.12 (3)", with failures "(3/5 ok, D)". */
static void add_value(const table *t, int cell, int m, str *out) {
  const table_cell *c = &t->cell[cell];
  const table_value *v = table_at(t, cell, m);
  const metric *of = &t->spec.metric[m];
  if (!c->there) {
    str_add(out, "not run yet");
  } else if (c->failed == c->there) {
    add_failed(c, of, out);
  } else if (!v->over.n) {
    str_add(out, "-");
  } else {
    table_add_number(out, v->over.mean, of->digits, "");
    add_spread(v, of, out);
    if (c->failed)
      str_addf(out, " (%d/%d ok, %s)", c->there - c->failed, c->there, c->letters);
    else
      str_addf(out, " (%d)", v->over.n);
  }
}

static int cell_at(const table_spec *spec, int row, int column) {
  for (int i = 0; i < spec->cells; i++)
    if (spec->place[i].row == row && spec->place[i].column == column) return i;
  return -1;
}

static bool has_paper(const table_spec *spec, int column) {
  bool has = false;
  for (int i = 0; i < spec->cells; i++) has |= spec->place[i].column == column && spec->place[i].paper;
  return has;
}

/* Those that have a cell: include and exclude may leave none of a case. */
static int used_columns(const table_spec *spec, int column[STUDY_CASES_MAX]) {
  int n = 0;
  for (int c = 0; c < spec->columns; c++) {
    bool has = false;
    for (int i = 0; i < spec->cells; i++) has |= spec->place[i].column == c;
    if (has) column[n++] = c;
  }
  return n;
}

static void put_corner(const table *t, table_sheet *s) {
  str name = {0};
  for (int i = 0; i < t->spec.row_axes; i++)
    str_addf(&name, "%s%s", i ? ", " : "", t->s.axis[t->spec.row_axis[i]].name);
  table_put_str(s, &name);
}

/* The paper's numbers stand beside the main metric. */
static void add_means(const table *t, int m, table_page *p) {
  const table_spec *spec = &t->spec;
  const metric *of = &spec->metric[m];
  int column[STUDY_CASES_MAX], columns = used_columns(spec, column), papers = 0;
  for (int k = 0; m == 0 && k < columns; k++) papers += has_paper(spec, column[k]);
  table_sheet *s = table_add_sheet(p, heading(of), 1 + columns + papers);
  put_corner(t, s);
  for (int k = 0; k < columns; k++) {
    int c = column[k];
    if (spec->column_axis >= 0)
      table_put_text(s, mem_printf("%s %s", t->s.axis[spec->column_axis].name, table_column(&t->s, spec, c)),
                     false);
    else
      table_put(s, papers ? "ours" : *of->unit ? "mean \xc2\xb1 sd (n)" : "mean [range] (n)");
    if (papers && has_paper(spec, c)) table_put(s, "paper");
  }
  for (int r = 0; r < spec->rows; r++) {
    table_put(s, spec->row[r]);
    for (int k = 0; k < columns; k++) {
      int c = column[k], cell = cell_at(spec, r, c);
      str text = {0};
      if (cell >= 0) add_value(t, cell, m, &text);
      table_put_text(s, text.data ? text.data : mem_strdup(""), cell >= 0 && table_at(t, cell, m)->best);
      if (papers && has_paper(spec, c))
        table_put(s, cell >= 0 && spec->place[cell].paper ? spec->place[cell].paper : "");
    }
  }
}

/* Where the cells are few, numbers without a unit stand together: a row a metric. */
static bool is_gathered(const table_spec *spec, int m) {
  enum { CELLS = 6 };
  int alike = 0;
  for (int i = 0; i < spec->shown; i++) alike += !*spec->metric[i].unit;
  bool papers = m == 0 && has_paper(spec, 0);
  return !*spec->metric[m].unit && alike > 1 && spec->column_axis < 0 && spec->rows <= CELLS && !papers;
}

static void add_gathered(const table *t, table_page *p) {
  const table_spec *spec = &t->spec;
  table_sheet *s = NULL;
  for (int m = 0; m < spec->shown; m++) {
    if (!is_gathered(spec, m)) continue;
    if (!s) {
      s = table_add_sheet(p, mem_strdup("Norm layers: mean [range] (n)"), 1 + spec->rows);
      put_corner(t, s);
      for (int r = 0; r < spec->rows; r++) table_put(s, spec->row[r]);
    }
    table_put(s, spec->metric[m].title);
    for (int r = 0; r < spec->rows; r++) {
      str text = {0};
      add_value(t, cell_at(spec, r, 0), m, &text);
      table_put_str(s, &text);
    }
  }
}

/* --- choices --- */

static void add_flags(const table *t, const study_choice *c, str *out) {
  if (c->edge >= 0) str_addf(out, "at the edge of %s", t->s.axis[c->edge].name);
  if (table_is_tie(t, c)) str_addf(out, "%stie", out->len ? ", " : "");
}

static void add_choices(const table *t, table_page *p) {
  metric by;
  if (!t->plan.choices || metric_find(&by, t->s.by, NULL)) return;
  int seeds = t->s.tuning.count ? t->s.tuning.count : t->s.seeds.count;
  table_sheet *s = table_add_sheet(p, mem_strdup("What was chosen"), 6);
  table_put(s, "");
  table_put(s, "chosen");
  table_put_text(s, heading(&by), false);
  table_put(s, "the next best");
  table_put_text(s, mem_printf("trials, %d seed%s each", seeds, seeds == 1 ? "" : "s"), false);
  table_put(s, "");
  for (int i = 0; i < t->plan.choices; i++) {
    const study_choice *c = &t->plan.choice[i];
    str cell = {0}, chosen = {0}, value = {0}, next = {0}, flags = {0};
    study_add_cell(&t->s, c->at, false, &cell);
    table_put_str(s, &cell);
    table_add_chosen(&t->s, c->at, &chosen);
    table_put_str(s, &chosen);
    table_add_number(&value, c->value, by.digits, "");
    table_put_str(s, &value);
    if (!isnan(c->next) && !isinf(c->next)) table_add_number(&next, c->next, by.digits, "");
    table_put_str(s, &next);
    table_put_text(s, mem_printf("%d", c->trials), false);
    add_flags(t, c, &flags);
    table_put_str(s, &flags);
  }
}

/* --- notes --- */

static const struct letter {
  char letter;
  const char *means;
} letters[] = {
    {'D', "D a number became non-finite"},
    {'C', "C the last validation accuracy lies more than 10 points below the best"},
    {'N',
     "N the training loss of the last epoch (of the last steps, in runs of less than one) is above 0.95 ln(classes)"}};

static void note_failures(const table *t, table_page *p) {
  str s = {0};
  for (size_t k = 0; k < sizeof letters / sizeof *letters; k++) {
    bool found = false;
    for (int i = 0; i < t->spec.cells; i++) found |= strchr(t->cell[i].letters, letters[k].letter) != NULL;
    if (found) str_addf(&s, "%s%s", s.len ? "; " : "Failed runs: ", letters[k].means);
  }
  if (!s.len) return;
  str_add(
      &s,
      ". Means are over the runs that did not fail, and are not compared; a number before \"failed\" is the best validation "
      "accuracy before.");
  table_add_note(p, s.data);
}

static bool has_ties(const table *t) {
  bool has = false;
  for (int i = 0; i < t->plan.choices; i++) has |= table_is_tie(t, &t->plan.choice[i]);
  return has;
}

static bool has_edges(const table *t) {
  bool has = false;
  for (int i = 0; i < t->plan.choices; i++) has |= t->plan.choice[i].edge >= 0;
  return has;
}

static void note_tests(const table_spec *spec, table_page *p) {
  if (spec->compared && !spec->screen)
    table_add_note(
        p,
        mem_strdup(
            "Intervals and two-sided p are of paired t tests over seeds, not corrected for their number: they describe."));
  if (spec->compared && !spec->screen && !isnan(spec->margin))
    table_add_note(
        p,
        mem_printf(
            "Equivalence: two one-sided tests at 5%%, margin %g point%s; not shown equal is not shown different. Its power "
            "is that of showing it if there were no difference.",
            spec->margin, spec->margin == 1 ? "" : "s"));
  if (spec->claims)
    table_add_note(
        p,
        mem_strdup(
            "Primary tests are one-sided paired t tests at 5% (equal: two one-sided), by Holm over all that were fixed."));
}

static void add_notes(const table *t, table_page *p) {
  const table_spec *spec = &t->spec;
  bool ranges = false;
  for (int m = 0; m < spec->shown; m++) ranges |= !*spec->metric[m].unit;
  table_add_note(p, mem_printf("Mean \xc2\xb1 standard deviation over seeds (number of runs)%s.",
                               ranges ? "; of what has no unit the range in brackets" : ""));
  if (!t->s.seeds.count)
    table_add_note(
        p, mem_strdup("All runs are those of the tuning seeds: nothing here is a result of a chosen case."));
  if (spec->screen) table_add_note(p, mem_strdup("A screen: no tests, no ranking, no claims."));
  note_tests(spec, p);
  if (has_ties(t))
    table_add_note(p, mem_strdup("Tie: less than 0.05 points apart; the lower learning rate was taken."));
  if (has_edges(t))
    table_add_note(p, mem_strdup("At the edge: the best value may lie beyond those that were tried."));
  note_failures(t, p);
  if (spec->where) table_add_note(p, mem_printf("In the paper: %s.", spec->where));
  if (t->missing)
    table_add_note(p, mem_printf("%d run%s not done yet.", t->missing, t->missing == 1 ? " is" : "s are"));
}

void table_page_of(const table *t, table_page *p) {
  *p = (table_page){.title = mem_printf("%s%s%s%s", t->s.name, t->s.tier ? " (" : "",
                                        t->s.tier ? t->s.tier : "", t->s.tier ? ")" : "")};
  for (int m = 0; m < t->spec.shown; m++) {
    if (is_gathered(&t->spec, m)) continue;
    add_means(t, m, p);
    if (t->spec.compared && *t->spec.metric[m].unit) table_add_differences(t, m, p);
  }
  add_gathered(t, p);
  table_add_tests(t, p);
  add_choices(t, p);
  add_notes(t, p);
}
