/* The data files and gnuplot scripts of `dyt plot`. */
#include "dyt/plot.h"
#include "plot_draw.h"

#include "plot_style.h"

#include "dyt/mem.h"

#include <math.h>
#include <string.h>

/* Rows of other runs are NaN, which lines break at. */
static const char of_run[] = "of(run, c) = column(1) == run ? column(c) : NaN\n";

static void labels_of(const record *run, int count, const char *label[PLOT_RUNS_MAX]) {
  for (int i = 0; i < count; i++) label[i] = run[i].name;
}

static void begin(const char *name, const record *run, int count, const style_grid *g, str *s) {
  const char *label[PLOT_RUNS_MAX];
  str names = {0};
  labels_of(run, count, label);
  style_add_names("run_", label, count, &names);
  style_begin(name, names.data, g, s);
  str_free(&names);
  str_add(s, of_run);
}

/* --- curves --- */

static st write_table(const char *folder, const char *name, const char *const *key, const record *run,
                      int count, const record_table *(*table)(const record *), err *e) {
  str s = {0};
  str_add(&s, "run");
  for (int c = 0; c < table(&run[0])->columns; c++) str_addf(&s, ",%s", key[c]);
  str_add(&s, "\n");
  for (int i = 0; i < count; i++) {
    const record_table *t = table(&run[i]);
    for (int row = 0; row < t->rows; row++) {
      str_addf(&s, "%d", i + 1);
      for (int c = 0; c < t->columns; c++) style_add_field(&s, record_at(t, row, c));
      str_add(&s, "\n");
    }
  }
  return style_write_data(folder, name, &s, e);
}

static const record_table *steps_of(const record *r) { return &r->steps; }
static const record_table *epochs_of(const record *r) { return &r->epochs; }

/* One curve a run: its table's x column is the first. */
typedef struct panel {
  const char *file, *xlabel, *ylabel;
  double scale;
  const record_table *table[PLOT_RUNS_MAX];
  int column[PLOT_RUNS_MAX];
} panel;

static void add_panel(const panel *p, int count, str *s) {
  record_range x = RECORD_NOTHING, y = RECORD_NOTHING;
  for (int i = 0; i < count; i++) {
    record_widen(p->table[i], 0, &x);
    record_widen(p->table[i], p->column[i], &y);
  }
  str_addf(s, "set xlabel '%s'\nset ylabel '%s'\n", p->xlabel, p->ylabel);
  bool empty = y.low > y.high;
  style_add_time_range(x, s);
  style_add_range("y", empty ? y : (record_range){p->scale * y.low, p->scale * y.high}, STYLE_LOG_LOSS, s);
  if (empty) {
    style_add_empty("nothing logged", s);
    return;
  }
  for (int i = 0; i < count; i++)
    str_addf(s, "%s'%s' using (of(%d, 2)):(%g * of(%d, %d)) with %s linestyle %d", i ? ", \\\n  " : "plot ",
             p->file, i + 1, p->scale, i + 1, p->column[i] + 2,
             p->table[i]->rows <= STYLE_FEW ? "linespoints" : "lines", i + 1);
  str_add(s, "\n");
}

/* What a run is judged on, in the label where it is the same for all. */
static const char *split_of(const record *run, int count) {
  int on_validation = 0;
  for (int i = 0; i < count; i++) on_validation += record_on_validation(&run[i]);
  return on_validation == count ? "validation" : on_validation ? "validation or test" : "test";
}

static void add_curves(const record *run, int count, str *s) {
  char *loss = mem_printf("%s loss", split_of(run, count)),
       *acc = mem_printf("%s accuracy (%%)", split_of(run, count));
  bool steps = false; /* a published run may have left its steps.jsonl out */
  for (int i = 0; i < count; i++) steps |= record_has(&run[i].steps, STEPS_LOSS);
  panel p[3] = {{.file = steps ? "curves_steps.csv" : "curves_epochs.csv",
                 .xlabel = steps ? "step" : "epoch",
                 .ylabel = "training loss",
                 .scale = 1},
                {.file = "curves_epochs.csv", .xlabel = "epoch", .ylabel = loss, .scale = 1},
                {.file = "curves_epochs.csv", .xlabel = "epoch", .ylabel = acc, .scale = 100}};
  for (int i = 0; i < count; i++) {
    bool validation = record_on_validation(&run[i]);
    p[0].table[i] = steps ? &run[i].steps : &run[i].epochs;
    p[0].column[i] = steps ? STEPS_LOSS : EPOCHS_TRAIN_LOSS;
    p[1].table[i] = &run[i].epochs, p[1].column[i] = validation ? EPOCHS_VAL_LOSS : EPOCHS_TEST_LOSS;
    p[2].table[i] = &run[i].epochs, p[2].column[i] = validation ? EPOCHS_VAL_ACC1 : EPOCHS_TEST_ACC1;
  }
  for (int i = 0; i < 3; i++) add_panel(&p[i], count, s);
  mem_free(loss);
  mem_free(acc);
}

st plot_write_curves(const record *run, int count, const char *folder, err *e) {
  st code = write_table(folder, "curves_steps", record_steps_key, run, count, steps_of, e);
  if (!code) code = write_table(folder, "curves_epochs", record_epochs_key, run, count, epochs_of, e);
  if (code) return code;
  str s = {0};
  const char *label[PLOT_RUNS_MAX];
  labels_of(run, count, label);
  int rows = style_key_rows(label, count, 3 * 300);
  style_grid g = style_grid_of(1, 3, 300, 260, 0, STYLE_KEY_ROW * rows + STYLE_KEY_ROOM);
  begin("curves", run, count, &g, &s);
  add_curves(run, count, &s);
  style_add_key(&g, rows, &s);
  for (int i = 0; i < count; i++)
    str_addf(&s, "%sNaN with linespoints linestyle %d title run_%d", i ? ", " : "", i + 1, i + 1);
  str_add(&s, "\n");
  return style_finish(folder, "curves", &s, e);
}

/* --- norm layers --- */

static int last_layer(const record *r) { return r->layers > 1 ? r->layers - 1 : 1; }

static void add_site_key(const style_grid *g, const record *run, int count, bool points, str *s) {
  bool has[STYLE_SITES] = {0};
  for (int site = 0; site < STYLE_SITES; site++)
    for (int i = 0; i < count; i++) has[site] |= style_has_site(&run[i], site);
  style_add_site_key(g, has, points, s);
}

/* Layer by layer, with an empty line after each, which lines break at. */
static st write_norms(const char *folder, const record *run, int count, err *e) {
  str s = {0};
  str_add(&s, "run,step,index,layer,site,alpha,inv_std\n");
  for (int i = 0; i < count; i++)
    for (int l = 0; l < run[i].layers; l++) {
      const record_table *t = &run[i].norms;
      for (int row = 0; row < t->rows; row++) {
        if (record_at(t, row, NORMS_LAYER) != l) continue;
        str_addf(&s, "%d,%.0f,%d,%s,%s", i + 1, record_at(t, row, NORMS_STEP), l, run[i].layer[l].name,
                 run[i].layer[l].site);
        style_add_field(&s, record_at(t, row, NORMS_ALPHA));
        style_add_field(&s, record_at(t, row, NORMS_INV_STD));
        str_add(&s, "\n");
      }
      str_add(&s, "\n");
    }
  return style_write_data(folder, "norms", &s, e);
}

static const struct quantity {
  int column, in_csv;
  const char *label;
} quantities[] = {{NORMS_ALPHA, 6, STYLE_ALPHA}, {NORMS_INV_STD, 7, "1/std of the input"}};

static void add_norms_panel(const struct quantity *q, const record *run, int i, str *s) {
  str_addf(s, "set title run_%d noenhanced\nset xlabel 'step'\nset ylabel '%s'\n", i + 1, q->label);
  if (!record_has(&run[i].norms, q->column)) {
    style_add_empty(run[i].norms.rows ? "no " STYLE_ALPHA : "nothing logged", s);
    return;
  }
  bool few = run[i].norms.rows <= STYLE_FEW * run[i].layers;
  str_addf(s,
           "plot 'norms.csv' using (of(%d, 2)):(of(%d, %d)):(shade(strcol(5), column(3) / %d.0)) "
           "with %s linewidth 1.6 linecolor rgb variable\n",
           i + 1, i + 1, q->in_csv, last_layer(&run[i]),
           few ? "linespoints pointtype 7 pointsize 0.35" : "lines");
}

/* The same ranges for all runs, so that they can be compared. */
static void add_norms(const record *run, int count, bool alpha, str *s) {
  record_range x = RECORD_NOTHING, y[2] = {RECORD_NOTHING, RECORD_NOTHING};
  for (int i = 0; i < count; i++) {
    record_widen(&run[i].norms, NORMS_STEP, &x);
    for (int q = 0; q < 2; q++) record_widen(&run[i].norms, quantities[q].column, &y[q]);
  }
  style_add_time_range(x, s);
  for (int i = 0; i < count; i++)
    for (int q = alpha ? 0 : 1; q < 2; q++) {
      style_add_range("y", y[q], STYLE_LOG_STD, s);
      add_norms_panel(&quantities[q], run, i, s);
    }
}

st plot_write_norms(const record *run, int count, const char *folder, err *e) {
  if (write_norms(folder, run, count, e)) return e->code;
  bool alpha = false;
  for (int i = 0; i < count; i++) alpha |= record_has(&run[i].norms, NORMS_ALPHA);
  int columns = alpha ? 2 : 1, width = alpha ? 415 : 550;
  str s = {0};
  style_grid g = style_grid_of(count, columns, width, 230, 1, style_site_key_height(columns * width));
  begin("norms", run, count, &g, &s);
  style_add_shades(&s);
  add_norms(run, count, alpha, &s);
  add_site_key(&g, run, count, false, &s);
  return style_finish(folder, "norms", &s, e);
}

/* --- alpha against 1/std --- */

static st write_ends(const char *folder, const record *run, const record_end *end, int count, err *e) {
  str s = {0};
  str_add(&s, "run,step,index,layer,site,alpha,inv_std\n");
  for (int i = 0; i < count; i++)
    for (int row = 0; row < end[i].points.rows; row++) {
      const record_table *t = &end[i].points;
      const record_layer *l = &run[i].layer[(int)record_at(t, row, NORMS_LAYER)];
      str_addf(&s, "%d,%.0f,%.0f,%s,%s", i + 1, record_at(t, row, NORMS_STEP), record_at(t, row, NORMS_LAYER),
               l->name, l->site);
      style_add_field(&s, record_at(t, row, NORMS_ALPHA));
      style_add_field(&s, record_at(t, row, NORMS_INV_STD));
      str_add(&s, "\n");
    }
  return style_write_data(folder, "alpha_std", &s, e);
}

static void add_end(const record *run, const record_end *end, int i, str *s) {
  str_addf(s, "set title run_%d.\"\\nstep %.0f, %d layer%s: Pearson ", i + 1,
           record_at(&end->points, 0, NORMS_STEP), end->points.rows, end->points.rows == 1 ? "" : "s");
  if (isnan(end->pearson))
    str_add(s, "r undefined");
  else
    str_addf(s, "r = %.2f", end->pearson);
  str_addf(
      s,
      "\" noenhanced\nplot 'alpha_std.csv' using (of(%d, 7)):(of(%d, 6)):(mark(strcol(5))):"
      "(shade(strcol(5), column(3) / %d.0)) with points pointtype variable pointsize 1.1 linecolor rgb variable\n",
      i + 1, i + 1, last_layer(run));
}

static void add_ends(const record *run, const record_end *end, int count, str *s) {
  record_range x = RECORD_NOTHING, y = RECORD_NOTHING;
  for (int i = 0; i < count; i++) {
    record_widen(&end[i].points, NORMS_INV_STD, &x);
    record_widen(&end[i].points, NORMS_ALPHA, &y);
  }
  str_add(s, "set grid xtics\nset xlabel '1/std of the input'\nset ylabel '" STYLE_ALPHA "'\n");
  style_add_range("x", x, STYLE_LOG_STD, s);
  style_add_range("y", y, STYLE_LOG_STD, s);
  for (int i = 0; i < count; i++)
    if (end[i].points.rows) add_end(&run[i], &end[i], i, s);
}

st plot_write_alpha_std(const record *run, int count, const char *folder, err *e) {
  record_end end[PLOT_RUNS_MAX];
  int panels = 0;
  for (int i = 0; i < count; i++) {
    end[i] = record_end_of(&run[i]);
    panels += end[i].points.rows > 0;
  }
  str s = {0};
  int columns = panels < 3 ? panels : 3, width = panels > 1 ? 330 : 480;
  style_grid g = style_grid_of((panels + columns - 1) / columns, columns, width, 330, 2,
                               style_site_key_height(columns * width));
  st code = write_ends(folder, run, end, count, e);
  begin("alpha_std", run, count, &g, &s);
  style_add_shades(&s);
  add_ends(run, end, count, &s);
  add_site_key(&g, run, count, true, &s);
  for (int i = 0; i < count; i++) mem_free(end[i].points.x);
  st written = style_finish(folder, "alpha_std", &s, e);
  return code ? code : written;
}
