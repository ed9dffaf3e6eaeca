/* A study's table as pages of plain text: what stands in which field. */
#include "table_parts.h"

#include "dyt/mem.h"
#include "dyt/str.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- building --- */

static table_sheet *add_sheet(table_page *p, char *title, int columns) {
  p->sheet = mem_grow(p->sheet, (size_t)p->sheets, (size_t)p->sheets + 1, sizeof *p->sheet);
  p->sheet[p->sheets] = (table_sheet){.title = title, .columns = columns};
  return &p->sheet[p->sheets++];
}

/* The next field, left to right; takes the text over. */
static void put_bold(table_sheet *s, char *text, bool bold) {
  size_t n = (size_t)s->filled++;
  s->text = mem_grow(s->text, n, n + 1, sizeof *s->text);
  s->bold = mem_grow(s->bold, n, n + 1, sizeof *s->bold);
  s->text[n] = text;
  s->bold[n] = bold;
}

static void put(table_sheet *s, const char *text) { put_bold(s, mem_strdup(text), false); }

static void put_str(table_sheet *s, str *text) {
  put(s, text->data ? text->data : "");
  str_free(text);
}

static void add_note(table_page *p, char *text) {
  p->note = mem_grow(p->note, (size_t)p->notes, (size_t)p->notes + 1, sizeof *p->note);
  p->note[p->notes++] = text;
}

void table_page_free(table_page *p) {
  for (int i = 0; i < p->sheets; i++) {
    for (int j = 0; j < p->sheet[i].filled; j++) mem_free(p->sheet[i].text[j]);
    mem_free(p->sheet[i].text);
    mem_free(p->sheet[i].bold);
    mem_free(p->sheet[i].title);
  }
  for (int i = 0; i < p->notes; i++) mem_free(p->note[i]);
  mem_free(p->sheet);
  mem_free(p->note);
  mem_free(p->title);
  *p = (table_page){0};
}

/* --- numbers --- */

/* No minus before what is rounded to zero. */
static void add_number(str *out, double v, int digits, const char *plus) {
  char text[64];
  snprintf(text, sizeof text, "%.*f", digits, v);
  bool zero = text[strspn(text, "-0.")] == '\0';
  str_add(out, zero || v < 0 ? "" : plus);
  str_add(out, zero && *text == '-' ? text + 1 : text);
}

static void add_p(str *out, double p) {
  if (isnan(p))
    str_add(out, "-");
  else if (p < 0.001)
    str_add(out, "< 0.001");
  else
    str_addf(out, "%.3f", p);
}

static void add_interval(str *out, double low, double high, int digits) {
  if (isnan(low)) {
    str_add(out, "-");
    return;
  }
  str_add(out, "[");
  add_number(out, low, digits, "+");
  str_add(out, ", ");
  add_number(out, high, digits, "+");
  str_add(out, "]");
}

static const char *unit_of_difference(const metric *m) { return strcmp(m->unit, "%") ? m->unit : "points"; }

static char *heading(const metric *m, const char *unit, const char *behind) {
  return mem_printf("%s%s%s%s%s", m->title, *unit ? " (" : "", unit, *unit ? ")" : "", behind);
}

/* --- cells --- */

/* "58.50 -> failed (D)" */
static void add_failed(const table_cell *c, const metric *m, str *out) {
  if (strcmp(m->unit, "%") == 0 && !isnan(c->best)) {
    add_number(out, c->best, m->digits, "");
    str_add(out, " -> ");
  }
  str_addf(out, "failed (%s)", c->letters);
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
    add_number(out, v->over.mean, of->digits, "");
    if (v->over.n > 1) str_addf(out, " \xc2\xb1 %.*f", of->digits, v->over.sd);
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

static void put_corner(const table *t, table_sheet *s) {
  str name = {0};
  for (int i = 0; i < t->spec.row_axes; i++)
    str_addf(&name, "%s%s", i ? ", " : "", t->s.axis[t->spec.row_axis[i]].name);
  put_str(s, &name);
}

/* The paper's numbers stand beside the main metric. */
static void add_means(const table *t, int m, table_page *p) {
  const table_spec *spec = &t->spec;
  const metric *of = &spec->metric[m];
  int papers = 0;
  for (int c = 0; m == 0 && c < spec->columns; c++) papers += has_paper(spec, c);
  table_sheet *s = add_sheet(p, heading(of, of->unit, ""), 1 + spec->columns + papers);
  put_corner(t, s);
  for (int c = 0; c < spec->columns; c++) {
    const char *name = table_column(&t->s, spec, c);
    put(s, *name ? name : of->name);
    if (papers && has_paper(spec, c)) put(s, "paper");
  }
  for (int r = 0; r < spec->rows; r++) {
    put(s, spec->row[r]);
    for (int c = 0; c < spec->columns; c++) {
      int cell = cell_at(spec, r, c);
      str text = {0};
      if (cell >= 0) add_value(t, cell, m, &text);
      put_bold(s, text.data ? text.data : mem_strdup(""), cell >= 0 && table_at(t, cell, m)->best);
      if (papers && has_paper(spec, c))
        put(s, cell >= 0 && spec->place[cell].paper ? spec->place[cell].paper : "");
    }
  }
}

/* --- differences --- */

typedef struct difference {
  const table *t;
  const table_value *v;
  const metric *m;
} difference;

static void add_difference(const difference *d, str *out) {
  if (d->v->pair.n)
    add_number(out, d->v->pair.difference, d->m->digits, "+");
  else
    str_add(out, "-");
}

static void add_range(const difference *d, str *out) {
  add_interval(out, d->v->pair.low, d->v->pair.high, d->m->digits);
}

static void add_correlation(const difference *d, str *out) {
  if (isnan(d->v->pair.correlation))
    str_add(out, "-");
  else
    add_number(out, d->v->pair.correlation, 2, "");
}

static void add_two_sided(const difference *d, str *out) { add_p(out, d->v->pair.p_two_sided); }

static void add_verdict(const difference *d, str *out) {
  if (isnan(d->v->pair.p_equivalent))
    str_add(out, "-");
  else if (table_is_equal(d->v))
    str_addf(out, "equal within %g", d->t->spec.margin);
  else
    str_add(out, "not shown equal");
}

static void add_power(const difference *d, str *out) {
  if (isnan(d->v->power))
    str_add(out, "-");
  else
    str_addf(out, "%.2f", d->v->power);
}

static void add_images(const difference *d, str *out) {
  add_interval(out, d->v->images.low, d->v->images.high, d->m->digits);
}

enum { ALWAYS = 0, TESTED = 1, WITH_MARGIN = 2, WITH_IMAGES = 4 };

static const struct part {
  const char *name;
  int needs;
  void (*add)(const difference *d, str *out);
} parts[] = {{"difference", ALWAYS, add_difference},
             {"95% interval", TESTED, add_range},
             {"r of the pairs", TESTED, add_correlation},
             {"p", TESTED, add_two_sided},
             {"equivalence", TESTED | WITH_MARGIN, add_verdict},
             {"its power", TESTED | WITH_MARGIN, add_power},
             {"95% over seeds and images", TESTED | WITH_IMAGES, add_images}};
enum { PARTS = sizeof parts / sizeof *parts };

static int what_there_is(const table *t, int m) {
  bool points = strcmp(t->spec.metric[m].unit, "%") == 0, images = false;
  for (int i = 0; i < t->spec.cells; i++) images |= !isnan(table_at(t, i, m)->images.low);
  return (t->spec.screen ? 0 : TESTED) | (points && !isnan(t->spec.margin) ? WITH_MARGIN : 0) |
         (images ? WITH_IMAGES : 0);
}

/* One baseline of all or the same row in all columns has a name. */
static void add_baseline(const table *t, str *out) {
  int first = -1;
  bool same_cell = true, same_row = true;
  for (int i = 0; i < t->spec.cells; i++) {
    int base = t->spec.place[i].baseline;
    if (base < 0) continue;
    if (first < 0) first = base;
    same_cell &= base == first;
    same_row &= t->spec.place[base].row == t->spec.place[first].row;
  }
  if (same_cell && first >= 0)
    table_add_label(&t->s, &t->spec, first, out);
  else if (same_row && first >= 0)
    str_addf(out, "%s of the same column", t->spec.row[t->spec.place[first].row]);
  else
    str_add(out, "the baseline of the column");
}

static void add_differences(const table *t, int m, table_page *p) {
  const metric *of = &t->spec.metric[m];
  int has = what_there_is(t, m), columns = 1, pairs = 0;
  for (int i = 0; i < t->spec.cells; i++) pairs += table_at(t, i, m)->pair.n;
  if (!pairs) return;
  for (int k = 0; k < PARTS; k++) columns += (parts[k].needs & ~has) == 0;
  str base = {0};
  add_baseline(t, &base);
  table_sheet *s = add_sheet(p,
                             mem_printf("%s against %s (%s%sseed by seed)", of->title, base.data,
                                        unit_of_difference(of), *of->unit ? ", " : ""),
                             columns);
  str_free(&base);
  put(s, "");
  for (int k = 0; k < PARTS; k++)
    if ((parts[k].needs & ~has) == 0) put(s, parts[k].name);
  for (int i = 0; i < t->spec.cells; i++) {
    const difference d = {t, table_at(t, i, m), of};
    str label = {0};
    if (t->spec.place[i].baseline < 0) continue;
    table_add_label(&t->s, &t->spec, i, &label);
    put_str(s, &label);
    for (int k = 0; k < PARTS; k++) {
      str text = {0};
      if (parts[k].needs & ~has) continue;
      parts[k].add(&d, &text);
      put_str(s, &text);
    }
  }
}

/* --- tests and choices --- */

static void add_tests(const table *t, table_page *p) {
  if (!t->spec.claims) return;
  table_sheet *s = add_sheet(p, mem_strdup("Primary tests, fixed beforehand"), 7);
  static const char *const names[] = {"claim", "metric", "value", "95% interval", "p", "p by Holm", ""};
  for (int i = 0; i < 7; i++) put(s, names[i]);
  for (int i = 0; i < t->spec.claims; i++) {
    const table_claim *c = &t->spec.claim[i];
    const table_test *of = &t->test[i];
    const metric *m = &t->spec.metric[c->metric];
    str value = {0}, range = {0}, p_text = {0}, holm = {0};
    put(s, c->claim);
    put(s, m->name);
    if (of->pair.n)
      add_number(&value, of->pair.difference, m->digits, "+");
    else
      str_add(&value, "-");
    put_str(s, &value);
    add_interval(&range, of->pair.low, of->pair.high, m->digits);
    put_str(s, &range);
    add_p(&p_text, of->p);
    put_str(s, &p_text);
    add_p(&holm, of->holm);
    put_str(s, &holm);
    put(s, isnan(of->holm) ? "cannot be tested" : of->holm < 0.05 ? "shown" : "not shown");
  }
}

static void add_flags(const table *t, const study_choice *c, str *out) {
  if (c->edge >= 0) str_addf(out, "at the edge of %s", t->s.axis[c->edge].name);
  if (table_is_tie(t, c)) str_addf(out, "%stie", out->len ? ", " : "");
}

static void add_choices(const table *t, table_page *p) {
  metric by;
  if (!t->plan.choices || metric_find(&by, t->s.by, NULL)) return;
  int seeds = t->s.tuning.count ? t->s.tuning.count : t->s.seeds.count;
  table_sheet *s = add_sheet(p, mem_strdup("What was chosen"), 6);
  put(s, "");
  put(s, "chosen");
  put_bold(s, heading(&by, by.unit, ""), false);
  put(s, "the next best");
  put_bold(s, mem_printf("trials, %d seed%s each", seeds, seeds == 1 ? "" : "s"), false);
  put(s, "");
  for (int i = 0; i < t->plan.choices; i++) {
    const study_choice *c = &t->plan.choice[i];
    str cell = {0}, chosen = {0}, value = {0}, next = {0}, flags = {0};
    study_add_cell(&t->s, c->at, false, &cell);
    put_str(s, &cell);
    table_add_chosen(&t->s, c->at, &chosen);
    put_str(s, &chosen);
    add_number(&value, c->value, by.digits, "");
    put_str(s, &value);
    if (!isnan(c->next) && !isinf(c->next)) add_number(&next, c->next, by.digits, "");
    put_str(s, &next);
    put_bold(s, mem_printf("%d", c->trials), false);
    add_flags(t, c, &flags);
    put_str(s, &flags);
  }
}

/* --- notes --- */

static const struct letter {
  char letter;
  const char *means;
} letters[] = {{'D', "D a number became non-finite"},
               {'C', "C the last validation accuracy lies more than 10 points below the best"},
               {'N', "N the training loss of the last epoch is above 0.95 ln(classes)"}};

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
  add_note(p, s.data);
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

static void add_notes(const table *t, table_page *p) {
  const table_spec *spec = &t->spec;
  add_note(p, mem_strdup("Mean \xc2\xb1 standard deviation over seeds (number of runs)."));
  if (!t->s.seeds.count)
    add_note(
        p, mem_strdup("All runs are those of the tuning seeds: nothing here is a result of a chosen case."));
  if (spec->screen) add_note(p, mem_strdup("A screen: no tests, no ranking, no claims."));
  if (spec->compared && !spec->screen)
    add_note(
        p,
        mem_strdup(
            "Intervals and two-sided p are of paired t tests over seeds, not corrected for their number: they describe."));
  if (spec->compared && !spec->screen && !isnan(spec->margin))
    add_note(
        p,
        mem_printf(
            "Equivalence: two one-sided tests at 5%%, margin %g points; not shown equal is not shown different. Its power "
            "is that of showing it if there were no difference.",
            spec->margin));
  if (has_ties(t))
    add_note(p, mem_strdup("Tie: less than 0.05 points apart; the lower learning rate was taken."));
  if (has_edges(t))
    add_note(p, mem_strdup("At the edge: the best value may lie beyond those that were tried."));
  note_failures(t, p);
  if (spec->where) add_note(p, mem_printf("In the paper: %s.", spec->where));
  if (t->missing)
    add_note(p, mem_printf("%d run%s not done yet.", t->missing, t->missing == 1 ? " is" : "s are"));
}

void table_page_of(const table *t, table_page *p) {
  *p = (table_page){.title = mem_printf("%s%s%s%s", t->s.name, t->s.tier ? " (" : "",
                                        t->s.tier ? t->s.tier : "", t->s.tier ? ")" : "")};
  for (int m = 0; m < t->spec.shown; m++) {
    add_means(t, m, p);
    if (t->spec.compared) add_differences(t, m, p);
  }
  add_tests(t, p);
  add_choices(t, p);
  add_notes(t, p);
}
