/* The section of a study: what it is, its tables, figures, runs, configs. */
#include "report_parts.h"

#include "study_read.h"
#include "table_parts.h"

#include "dyt/file.h"
#include "dyt/figure.h"
#include "dyt/mem.h"
#include "dyt/store.h"

#include <math.h>
#include <string.h>

typedef struct source {
  const char *folder;
  study s;
  study_plan plan;
  char *store;
  record *run; /* [plan.runs] all zero: none yet */
} source;

static st read_records(source *x, err *e) {
  x->run = mem_new((size_t)x->plan.runs + 1, sizeof *x->run);
  for (int i = 0; i < x->plan.runs; i++) {
    char *path = store_path(x->store, x->plan.run[i].id, ".json.gz");
    st code = file_what(path) == FILE_REGULAR ? record_read(&x->run[i], path, e) : ST_OK;
    mem_free(path);
    if (code) return code;
  }
  return ST_OK;
}

static void source_free(source *x) {
  for (int i = 0; x->run && i < x->plan.runs; i++) record_free(&x->run[i]);
  mem_free(x->run);
  mem_free(x->store);
  study_plan_free(&x->plan);
  study_free(&x->s);
}

/* --- what it is --- */

static const record *first_record(const source *x) {
  for (int i = 0; i < x->plan.runs; i++)
    if (x->run[i].state) return &x->run[i];
  return NULL;
}

/* How many runs ended how, and how long they took; times are in no table. */
static void add_summary(report_page *page, const source *x) {
  int done = 0, diverged = 0, missing = 0;
  double seconds = 0;
  for (int i = 0; i < x->plan.runs; i++) {
    const record *r = &x->run[i];
    missing += !r->state, done += r->state && strcmp(r->state, "done") == 0;
    diverged += r->state && strcmp(r->state, "diverged") == 0;
    if (r->state && isfinite(r->seconds)) seconds += r->seconds;
  }
  str *out = &page->body;
  str_addf(out, "<p class=\"meta\">%d runs: %d done, %d diverged", x->plan.runs, done, diverged);
  if (missing) str_addf(out, ", %d not done yet", missing);
  str_addf(out, "; %.0f %s of training in all. Trained by <code>dyt study ",
           seconds < 100 ? seconds : seconds / 60, seconds < 100 ? "seconds" : "minutes");
  html_text(out, x->s.name);
  str_add(out, ".json");
  if (x->s.tier) {
    str_add(out, " --tier ");
    html_text(out, x->s.tier);
  }
  str_add(out, "</code></p>\n");
}

/* --- tables --- */

static st add_tables(report_page *page, const source *x, err *e) {
  table t = {0};
  table_page p;
  if (table_load(&t, x->folder, NULL, e)) {
    table_free(&t);
    return e->code;
  }
  table_page_of(&t, &p);
  for (int i = 0; i < p.sheets; i++) {
    const table_sheet *sheet = &p.sheet[i];
    html_element(&page->body, "h3", sheet->title);
    html_table(&page->body, sheet->text, sheet->bold, sheet->filled / sheet->columns, sheet->columns);
  }
  for (int i = 0; i < p.notes; i++) html_element(&page->body, "p class=\"note\"", p.note[i]);
  table_page_free(&p);
  table_free(&t);
  return ST_OK;
}

/* --- figures --- */

static void add_figure(report_page *page, const source *x, const figure *f) {
  char *path = mem_printf("%s/figures/%s.svg", x->folder, f->name);
  if (!f->drawn || !html_picture(page, path, f->title, f->caption)) {
    str_add(&page->body, "<p class=\"note\"><strong>");
    html_text(&page->body, f->title);
    str_add(&page->body, ".</strong> ");
    html_text(&page->body, f->written ? "Its data and script are written, but it is not drawn." : f->caption);
    str_add(&page->body, "</p>\n");
  }
  mem_free(path);
}

static st add_figures(report_page *page, const source *x, str *said, err *e) {
  figures f = {0};
  st code = figures_draw(&f, x->folder, &x->s, &x->plan, x->run, e);
  if (!code && f.count) str_add(&page->body, "<h3>Figures</h3>\n");
  if (!code && f.undrawn) {
    str_addf(said, "%s\n", f.undrawn);
    html_element(&page->body, "p class=\"note\"", f.undrawn);
  }
  for (int i = 0; !code && i < f.count; i++) add_figure(page, x, &f.at[i]);
  figures_free(&f);
  return code;
}

/* --- runs --- */

enum { RUN_COLUMNS = 6 };

static void put_percent(char **cell, const record *r, int column) {
  double last = NAN;
  for (int i = 0; i < r->epochs.rows; i++) {
    double v = record_at(&r->epochs, i, column);
    if (isfinite(v)) last = v;
  }
  *cell = isnan(last) ? mem_strdup("") : mem_printf("%.2f", 100 * last);
}

static void put_run(const source *x, int i, char **cell) {
  const study_run *run = &x->plan.run[i];
  const record *r = &x->run[i];
  str name = {0};
  study_add_cell(&x->s, run->at, true, &name);
  char letter = r->state ? metric_failure(r) : 0;
  cell[0] = name.data ? name.data : mem_strdup(x->s.name);
  cell[1] = mem_printf("%llu%s", (unsigned long long)run->seed, run->tuning ? " (tuning)" : "");
  cell[2] = !r->state ? mem_strdup("not done yet")
            : letter  ? mem_printf("%s, failed (%c)", r->state, letter)
                      : mem_strdup(r->state);
  put_percent(&cell[3], r, EPOCHS_VAL_ACC1);
  put_percent(&cell[4], r, EPOCHS_TEST_ACC1);
  cell[5] = mem_strdup(run->id);
}

static void add_runs(report_page *page, const source *x) {
  static const char *const heading[RUN_COLUMNS] = {
      "cell", "seed", "state", "validation accuracy (%)", "test accuracy (%)", "id"};
  int rows = x->plan.runs + 1;
  char **cell = mem_new((size_t)rows * RUN_COLUMNS, sizeof *cell);
  for (int i = 0; i < RUN_COLUMNS; i++) cell[i] = mem_strdup(heading[i]);
  for (int i = 0; i < x->plan.runs; i++) put_run(x, i, cell + (i + 1) * RUN_COLUMNS);
  str_addf(&page->body, "<details><summary>All %d runs</summary>\n", x->plan.runs);
  html_table(&page->body, cell, NULL, rows, RUN_COLUMNS);
  str_add(&page->body, "</details>\n");
  for (int i = 0; i < rows * RUN_COLUMNS; i++) mem_free(cell[i]);
  mem_free(cell);
}

static void add_study_file(report_page *page, const source *x) {
  str text = {0};
  json_add_value(&text, x->s.doc.root, 0);
  html_details(&page->body, "Study file", text.data);
  str_free(&text);
}

static st add_section(report_page *page, const source *x, str *said, err *e) {
  char *title = mem_printf("%s%s%s%s", x->s.name, x->s.tier ? " (" : "", x->s.tier ? x->s.tier : "",
                           x->s.tier ? ")" : "");
  const char *about = cJSON_GetStringValue(study_get(x->s.doc.root, "_about"));
  html_section(page, title);
  mem_free(title);
  if (about) html_element(&page->body, "p class=\"about\"", about);
  add_summary(page, x);
  st code = add_tables(page, x, e);
  if (!code) code = add_figures(page, x, said, e);
  if (code) return code;
  str_add(&page->body, "<h3>How it was made</h3>\n");
  add_runs(page, x);
  add_study_file(page, x);
  if (first_record(x)) {
    report_config(page, first_record(x), "its first run");
    report_environment(page, first_record(x));
  }
  return ST_OK;
}

st report_study(report_page *page, const char *folder, str *said, err *e) {
  source x = {.folder = folder};
  if (study_folder_read(folder, &x.s, &x.plan, &x.store, e)) return e->code;
  st code = read_records(&x, e);
  if (!code) code = add_section(page, &x, said, e);
  source_free(&x);
  return code;
}
