/* Training curves, and a metric over steps: mean and range over seeds, a colour a cell. */
#include "figure_parts.h"

#include "study_read.h"

#include "dyt/mem.h"

#include <string.h>

enum { PANEL_WIDTH = 300, PANEL_HEIGHT = 250 };

static const record_table *steps_of(const record *r) { return &r->steps; }
static const record_table *epochs_of(const record *r) { return &r->epochs; }

typedef struct panel {
  const char *file; /* without .csv */
  const char *xlabel, *ylabel;
  figure_source from;
} panel;

static st write_panel(const figure_job *j, const panel *p, record_range *x, record_range *y, int *points,
                      err *e) {
  str data = {0};
  str_add(&data, figure_band_header);
  for (int i = 0; i < j->cells; i++) figure_add_band(&j->cell[i], i + 1, &p->from, &data, x, y, points);
  return style_write_data(j->folder, p->file, &data, e);
}

/* Bands first, so that no line is below one. */
static void plot_panel(const figure_job *j, const panel *p, record_range x, record_range y, int points,
                       str *s) {
  str_addf(s, "set xlabel '%s'\nset ylabel '%s'\n", p->xlabel, p->ylabel);
  style_add_time_range(x, s);
  style_add_range("y", y, STYLE_LOG_LOSS, s);
  if (y.low > y.high) {
    style_add_empty("nothing logged", s);
    return;
  }
  for (int i = 0; i < j->cells; i++)
    str_addf(
        s,
        "%s'%s.csv' skip 1 index %d using 2:4:5 with filledcurves linestyle %d fillstyle transparent solid 0.2 noborder",
        i ? ", \\\n  " : "plot ", p->file, i, i + 1);
  for (int i = 0; i < j->cells; i++)
    str_addf(s, ", \\\n  '%s.csv' skip 1 index %d using 2:3 with %s linestyle %d", p->file, i,
             points <= STYLE_FEW ? "linespoints" : "lines", i + 1);
  str_add(s, "\n");
}

static void add_cell_key(const figure_job *j, const style_grid *g, int rows, str *s) {
  style_add_key(g, rows, s);
  for (int i = 0; i < j->cells; i++)
    str_addf(s, "%sNaN with linespoints linestyle %d title cell_%d", i ? ", " : "", i + 1, i + 1);
  str_add(s, "\n");
}

static st write_panels(figure_job *j, const panel *p, int panels, err *e) {
  const char *label[FIGURE_CELLS_MAX];
  for (int i = 0; i < j->cells; i++) label[i] = j->cell[i].label;
  int rows = style_key_rows(label, j->cells, panels * PANEL_WIDTH);
  int width = panels > 1 ? PANEL_WIDTH : 360;
  style_grid g = style_grid_of(1, panels, width, PANEL_HEIGHT, 0, STYLE_KEY_ROW * rows + STYLE_KEY_ROOM);
  str names = {0}, s = {0};
  figure_add_labels(j, "cell_", &names);
  style_begin(j->name, names.data, &g, &s);
  str_free(&names);
  st code = ST_OK;
  for (int i = 0; !code && i < panels; i++) {
    record_range x = RECORD_NOTHING, y = RECORD_NOTHING;
    int points = 0;
    code = write_panel(j, &p[i], &x, &y, &points, e);
    plot_panel(j, &p[i], x, y, points, &s);
  }
  add_cell_key(j, &g, rows, &s);
  st written = style_finish(j->folder, j->name, &s, e);
  return code ? code : written;
}

/* --- curves --- */

static bool has_curves(const record *r) { return r->steps.rows || r->epochs.rows; }

/* What the cells' runs are judged on; a published run may have left its steps.jsonl out. */
static bool all(const figure_job *j, bool (*holds)(const record *r)) {
  for (int i = 0; i < j->cells; i++)
    for (int k = 0; k < j->cell[i].runs; k++)
      if (!holds(j->cell[i].run[k])) return false;
  return true;
}
static bool has_steps(const record *r) { return record_has(&r->steps, STEPS_LOSS); }

static st write_curves(figure_job *j, err *e) {
  bool steps = all(j, has_steps), validation = all(j, record_on_validation);
  char *loss = mem_printf("%s_loss", j->name), *accuracy = mem_printf("%s_accuracy", j->name);
  const panel p[2] = {{loss, steps ? "step" : "epoch", "training loss",
                       steps ? (figure_source){steps_of, STEPS_STEP, STEPS_LOSS, 1}
                             : (figure_source){epochs_of, EPOCHS_EPOCH, EPOCHS_TRAIN_LOSS, 1}},
                      {accuracy,
                       "epoch",
                       validation ? "validation accuracy (%)" : "test accuracy (%)",
                       {epochs_of, EPOCHS_EPOCH, validation ? EPOCHS_VAL_ACC1 : EPOCHS_TEST_ACC1, 100}}};
  st code = write_panels(j, p, 2, e);
  mem_free(loss);
  mem_free(accuracy);
  return code;
}

const figure_kind figure_curves = {.name = "curves",
                                   .title = "Training curves",
                                   .caption = "Lines: means over seeds; bands: their range.",
                                   .lacks = "no run has logged losses",
                                   .cells_most = FIGURE_CELLS_MAX,
                                   .has = has_curves,
                                   .write = write_curves};

/* --- a metric over steps --- */

static bool has_epochs(const record *r) { return r->epochs.rows > 0; }

int figure_logged(const char *name) {
  for (int i = 0; i < EPOCHS_COLUMNS; i++)
    if (strcmp(record_epochs_key[i], name) == 0) return i;
  return -1;
}

static st write_steps(figure_job *j, err *e) {
  int column = figure_logged(j->m.name);
  if (column < 0)
    return json_fail(&j->s->doc, j->spec, e, "figures: steps: %s is not logged over steps", j->m.name);
  char *label = mem_printf("%s%s%s", j->m.title, *j->m.unit ? " (" : "", *j->m.unit ? j->m.unit : "");
  char *ylabel = mem_printf("%s%s", label, *j->m.unit ? ")" : "");
  const panel p = {
      j->name, "step", ylabel, {epochs_of, EPOCHS_STEP, column, strcmp(j->m.unit, "%") == 0 ? 100 : 1}};
  st code = write_panels(j, &p, 1, e);
  mem_free(ylabel);
  mem_free(label);
  return code;
}

const figure_kind figure_steps = {.name = "steps",
                                  .title = "Over training steps",
                                  .caption = "Lines: means over seeds; bands: their range.",
                                  .lacks = "no run was evaluated",
                                  .keys = FIGURE_METRIC | FIGURE_LOGGED,
                                  .cells_most = FIGURE_CELLS_MAX,
                                  .has = has_epochs,
                                  .write = write_steps};
