/* The section of plain run directories, and what studies say of runs too. */
#include "report_parts.h"

#include "dyt/file.h"
#include "dyt/json.h"
#include "dyt/mem.h"
#include "dyt/plot.h"

#include <math.h>
#include <string.h>

void report_config(report_page *page, const record *r, const char *of) {
  str text = {0};
  char *summary = mem_printf("Resolved config of %s", of);
  json_add_value(&text, r->config, 0);
  html_details(&page->body, summary, text.data);
  mem_free(summary);
  str_free(&text);
}

/* No host, no path. */
void report_environment(report_page *page, const record *r) {
  static const char *const keys[] = {"version", "cpu", "simd", "blas", "compiler", "real", "threads"};
  str line = {0};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(r->env, keys[i]);
    if (!v) continue;
    str_addf(&line, "%s%s ", line.len ? " \xc2\xb7 " : "", keys[i]);
    if (cJSON_IsString(v))
      str_add(&line, v->valuestring);
    else
      json_add_value(&line, v, -1);
  }
  str_add(&page->body, "<p class=\"meta\">Trained with: ");
  html_text(&page->body, line.data ? line.data : "not known");
  str_add(&page->body, "</p>\n");
  str_free(&line);
}

/* --- a table --- */

static const struct column {
  const char *name;
  int column; /* of record.epochs */
  double scale;
  int digits;
} columns[] = {{"training loss", EPOCHS_TRAIN_LOSS, 1, 3},
               {"validation loss", EPOCHS_VAL_LOSS, 1, 3},
               {"validation accuracy (%)", EPOCHS_VAL_ACC1, 100, 2},
               {"test loss", EPOCHS_TEST_LOSS, 1, 3},
               {"test accuracy (%)", EPOCHS_TEST_ACC1, 100, 2}};
enum { LOGGED = sizeof columns / sizeof *columns, COLUMNS = LOGGED + 3 };

static char *last_of(const record *r, const struct column *c) {
  double last = NAN;
  for (int i = 0; i < r->epochs.rows; i++)
    if (isfinite(record_at(&r->epochs, i, c->column))) last = record_at(&r->epochs, i, c->column);
  return isnan(last) ? mem_strdup("") : mem_printf("%.*f", c->digits, c->scale * last);
}

static void add_table(report_page *page, const record *run, const char *const *path, int count) {
  char **cell = mem_new((size_t)(count + 1) * COLUMNS, sizeof *cell);
  cell[0] = mem_strdup("run"), cell[1] = mem_strdup("state"), cell[2] = mem_strdup("epochs");
  for (int k = 0; k < LOGGED; k++) cell[3 + k] = mem_strdup(columns[k].name);
  for (int i = 0; i < count; i++) {
    const record *r = &run[i];
    char **row = cell + (i + 1) * COLUMNS;
    row[0] = mem_strdup(path[i]), row[1] = mem_strdup(r->state ? r->state : "running");
    row[2] = r->epochs.rows ? mem_printf("%.4g", record_at(&r->epochs, r->epochs.rows - 1, EPOCHS_EPOCH))
                            : mem_strdup("0");
    for (int k = 0; k < LOGGED; k++) row[3 + k] = last_of(r, &columns[k]);
  }
  html_table(&page->body, cell, NULL, count + 1, COLUMNS);
  for (int i = 0; i < (count + 1) * COLUMNS; i++) mem_free(cell[i]);
  mem_free(cell);
}

/* --- pictures --- */

static const struct picture {
  const char *name, *title, *caption;
} pictures[] = {{"curves", "Training curves", "A colour a run."},
                {"norms", "\xce\xb1 and 1/std over training", "A line a norm layer; paler: earlier layers."},
                {"alpha_std", "\xce\xb1 against 1/std at the last logged step", "A point a norm layer."}};
enum { PICTURES = sizeof pictures / sizeof *pictures };

static char *svg_of(const char *plots, int i) { return mem_printf("%s/%s.svg", plots, pictures[i].name); }

/* Pictures of an earlier report would be of other runs. */
static st add_pictures(report_page *page, const char *const *path, int count, const char *plots, str *said,
                       err *e) {
  str drawn = {0};
  err why = {0};
  st code = ST_OK;
  for (int i = 0; !code && i < PICTURES; i++) {
    char *svg = svg_of(plots, i);
    code = file_remove(svg, e);
    mem_free(svg);
  }
  if (!code && plot(path, count, plots, &drawn, &why)) {
    str_addf(said, "%s\n", why.text);
    html_element(&page->body, "p class=\"note\"", why.text);
  }
  for (int i = 0; !code && i < PICTURES; i++) {
    char *svg = svg_of(plots, i);
    html_picture(page, svg, pictures[i].title, pictures[i].caption);
    mem_free(svg);
  }
  str_free(&drawn);
  return code;
}

st report_runs(report_page *page, const char *const *path, int count, const char *plots, str *said, err *e) {
  record *run = mem_new((size_t)count, sizeof *run);
  st code = ST_OK;
  for (int i = 0; !code && i < count; i++) code = record_read(&run[i], path[i], e);
  if (!code) {
    html_section(page, count == 1 ? path[0] : "Runs");
    add_table(page, run, path, count);
    code = add_pictures(page, path, count, plots, said, e);
  }
  for (int i = 0; !code && i < count; i++) {
    if (run[i].config) report_config(page, &run[i], path[i]);
    report_environment(page, &run[i]);
  }
  for (int i = 0; i < count; i++) record_free(&run[i]);
  mem_free(run);
  return code;
}
