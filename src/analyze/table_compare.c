/* Differences to the baseline and the primary tests, as text. */
#include "table_parts.h"

#include "dyt/mem.h"

#include <math.h>
#include <string.h>

/* --- differences --- */

static const char *unit_of_difference(const metric *m) { return strcmp(m->unit, "%") ? m->unit : "points"; }

typedef struct difference {
  const table *t;
  const table_value *v;
  const metric *m;
  bool failed; /* a run of either cell */
} difference;

static void add_difference(const difference *d, str *out) {
  if (d->v->pair.n)
    table_add_number(out, d->v->pair.difference, d->m->digits, "+");
  else
    str_add(out, d->failed ? "failed runs" : "-");
}

static void add_range(const difference *d, str *out) {
  table_add_interval(out, d->v->pair.low, d->v->pair.high, d->m->digits, "+");
}

/* Two pairs always lie on a line. */
static void add_correlation(const difference *d, str *out) {
  if (isnan(d->v->pair.correlation) || d->v->pair.n < 3)
    str_add(out, "-");
  else
    table_add_number(out, d->v->pair.correlation, 2, "");
}

static void add_two_sided(const difference *d, str *out) { table_add_p(out, d->v->pair.p_two_sided); }

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
  table_add_interval(out, d->v->images.low, d->v->images.high, d->m->digits, "+");
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

void table_add_differences(const table *t, int m, table_page *p) {
  const metric *of = &t->spec.metric[m];
  int has = what_there_is(t, m), columns = 1, pairs = 0;
  for (int i = 0; i < t->spec.cells; i++) pairs += table_at(t, i, m)->pair.n;
  if (!pairs) return;
  for (int k = 0; k < PARTS; k++) columns += (parts[k].needs & ~has) == 0;
  table_sheet *s = table_add_sheet(p,
                                   mem_printf("%s against %s (%s%sseed by seed)", of->title, t->spec.against,
                                              unit_of_difference(of), *of->unit ? ", " : ""),
                                   columns);
  table_put(s, "");
  for (int k = 0; k < PARTS; k++)
    if ((parts[k].needs & ~has) == 0) table_put(s, parts[k].name);
  for (int i = 0; i < t->spec.cells; i++) {
    int baseline = t->spec.place[i].baseline;
    str label = {0};
    if (baseline < 0) continue;
    const difference d = {t, table_at(t, i, m), of, t->cell[i].failed || t->cell[baseline].failed};
    table_add_label(&t->s, &t->spec, i, &label);
    table_put_str(s, &label);
    for (int k = 0; k < PARTS; k++) {
      str text = {0};
      if (parts[k].needs & ~has) continue;
      parts[k].add(&d, &text);
      table_put_str(s, &text);
    }
  }
}

/* --- primary tests --- */

static const char *outcome(const table *t, const table_claim *c, const table_test *of) {
  const table_cell *a = &t->cell[c->cell], *b = &t->cell[c->than < 0 ? c->cell : c->than];
  if (a->there < a->runs || b->there < b->runs) return "waits for runs";
  if (isnan(of->holm)) return a->failed || b->failed ? "cannot be tested: failed runs" : "cannot be tested";
  return of->holm < 0.05 ? "shown" : "not shown";
}

void table_add_tests(const table *t, table_page *p) {
  if (!t->spec.claims) return;
  table_sheet *s =
      table_add_sheet(p, mem_printf("Primary tests, fixed beforehand (of %d)", t->spec.family), 7);
  static const char *const names[] = {"claim", "metric", "value", "95% interval", "p", "p by Holm", ""};
  for (int i = 0; i < 7; i++) table_put(s, names[i]);
  for (int i = 0; i < t->spec.claims; i++) {
    const table_claim *c = &t->spec.claim[i];
    const table_test *of = &t->test[i];
    const metric *m = &t->spec.metric[c->metric];
    str value = {0}, range = {0}, p_text = {0}, holm = {0};
    table_put(s, c->claim);
    table_put(s, m->name);
    if (of->pair.n)
      table_add_number(&value, of->pair.difference, m->digits, "+");
    else
      str_add(&value, "-");
    table_put_str(s, &value);
    table_add_interval(&range, of->pair.low, of->pair.high, m->digits, "+");
    table_put_str(s, &range);
    table_add_p(&p_text, of->p);
    table_put_str(s, &p_text);
    table_add_p(&holm, of->holm);
    table_put_str(s, &holm);
    table_put(s, outcome(t, c, of));
  }
}
