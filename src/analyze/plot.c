/* dyt plot: names of the runs, what is computed from their logs, and which pictures there are. */
#define _GNU_SOURCE
#include "plot_runs.h"

#include "gnuplot.h"

#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- tables --- */

void plot_widen(const plot_table *t, int column, plot_range *r) {
  for (int i = 0; i < t->rows; i++) {
    double v = plot_at(t, i, column);
    if (isnan(v)) continue;
    r->low = fmin(r->low, v);
    r->high = fmax(r->high, v);
  }
}

bool plot_has(const plot_table *t, int column) {
  plot_range r = PLOT_NOTHING;
  plot_widen(t, column, &r);
  return r.low <= r.high;
}

bool plot_on_validation(const plot_run *r) { return plot_has(&r->epochs, EPOCHS_VAL_LOSS); }

/* The first row of the last step that has a row for every layer; -1: none has. A step's rows stand together. */
static int last_whole_step(const plot_run *r) {
  const plot_table *t = &r->norms;
  for (int i = t->rows - r->layers; i >= 0 && r->layers; i--)
    if (plot_at(t, i, NORMS_LAYER) == 0 &&
        plot_at(t, i, NORMS_STEP) == plot_at(t, i + r->layers - 1, NORMS_STEP))
      return i;
  return -1;
}

static double *column_of(const plot_table *t, int column) {
  double *x = mem_new((size_t)t->rows + 1, sizeof *x);
  for (int i = 0; i < t->rows; i++) x[i] = plot_at(t, i, column);
  return x;
}

plot_end plot_end_of(const plot_run *r) {
  plot_end end = {.points.columns = NORMS_COLUMNS};
  int first = last_whole_step(r);
  for (int i = first; first >= 0 && i < first + r->layers; i++) {
    if (isnan(plot_at(&r->norms, i, NORMS_ALPHA)) || isnan(plot_at(&r->norms, i, NORMS_INV_STD))) continue;
    double *x = plot_add_row(&end.points);
    for (int c = 0; c < NORMS_COLUMNS; c++) x[c] = plot_at(&r->norms, i, c);
  }
  double *alpha = column_of(&end.points, NORMS_ALPHA), *inv_std = column_of(&end.points, NORMS_INV_STD);
  end.pearson = stats_pearson(alpha, inv_std, end.points.rows);
  mem_free(alpha);
  mem_free(inv_std);
  return end;
}

/* --- names --- */

/* The folder's name; of a path that ends in none, such as "..", what it stands for. */
static char *folder_name(const char *path) {
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/') n--;
  char *trimmed = mem_printf("%.*s", (int)n, path);
  const char *name = file_name(trimmed);
  char *real = *name && strcmp(name, ".") && strcmp(name, "..") ? NULL : realpath(trimmed, NULL);
  char *out = mem_strdup(real ? file_name(real) : name);
  free(real);
  mem_free(trimmed);
  return out;
}

/* Names end in what tells them apart. */
static void shorten(char **name) {
  enum { MOST = 48 };
  size_t n = strlen(*name), cut = n > MOST ? n - MOST : 0;
  while (cut && ((unsigned char)(*name)[cut] >> 6) == 2) cut++; /* whole characters */
  if (!cut) return;
  char *tail = mem_printf("...%s", *name + cut);
  mem_free(*name);
  *name = tail;
}

/* Runs of the same name are told apart by their paths. */
static void name_runs(plot_run *run, const char *const *path, int count) {
  bool twice[PLOT_RUNS_MAX] = {0};
  for (int i = 0; i < count; i++) run[i].name = folder_name(path[i]);
  for (int i = 0; i < count; i++)
    for (int j = 0; j < count; j++) twice[i] |= i != j && strcmp(run[i].name, run[j].name) == 0;
  for (int i = 0; i < count; i++) {
    if (twice[i]) {
      mem_free(run[i].name);
      run[i].name = mem_strdup(path[i]);
    }
    shorten(&run[i].name);
  }
}

/* --- pictures --- */

static bool has_curves(const plot_run *r) { return r->steps.rows || r->epochs.rows; }
static bool has_norms(const plot_run *r) { return r->norms.rows > 0; }
static bool has_end(const plot_run *r) {
  plot_end end = plot_end_of(r);
  mem_free(end.points.x);
  return end.points.rows > 0;
}

static const struct picture {
  const char *name, *what, *lacks;
  bool (*has)(const plot_run *r);
  st (*write)(const plot_run *run, int count, const char *folder, err *e);
} pictures[] = {{"curves", "loss and accuracy", "no losses logged", has_curves, plot_write_curves},
                {"norms", "alpha and 1/std over steps", "no norm layers logged", has_norms, plot_write_norms},
                {"alpha_std", "alpha against 1/std at the end", "no norm layer with an alpha", has_end,
                 plot_write_alpha_std}};
enum { PICTURES = sizeof pictures / sizeof *pictures };

/* Returns how many runs have something in a picture, and says which have not. */
static int say_who_lacks(const struct picture *p, const plot_run *run, int count, str *said) {
  int have = 0;
  for (int i = 0; i < count; i++) have += p->has(&run[i]);
  if (!have) str_addf(said, "%s: left out, %s\n", p->name, p->lacks);
  for (int i = 0; have && i < count; i++)
    if (!p->has(&run[i])) str_addf(said, "%s: without %s, %s\n", p->name, run[i].name, p->lacks);
  return have;
}

static st draw(const plot_run *run, int count, const char *folder, str *said, err *e) {
  bool drawn[PICTURES];
  st code = file_make_folder(folder, e);
  for (int i = 0; !code && i < PICTURES; i++) {
    drawn[i] = say_who_lacks(&pictures[i], run, count, said) > 0;
    if (drawn[i]) code = pictures[i].write(run, count, folder, e);
  }
  for (int i = 0; !code && i < PICTURES; i++) {
    if (!drawn[i]) continue;
    code = gnuplot_run(folder, pictures[i].name, e);
    if (!code) str_addf(said, "%s/%s.svg and .png: %s\n", folder, pictures[i].name, pictures[i].what);
  }
  return code;
}

st plot(const char *const *path, int count, const char *folder, str *said, err *e) {
  plot_run run[PLOT_RUNS_MAX] = {0};
  if (count > PLOT_RUNS_MAX)
    return err_add(e, ST_USER, "%d runs in one picture, expected at most %d: more cannot be told apart",
                   count, PLOT_RUNS_MAX);
  name_runs(run, path, count);
  st code = ST_OK;
  for (int i = 0; !code && i < count; i++) code = plot_read(&run[i], path[i], e);
  if (!code) code = draw(run, count, folder, said, e);
  for (int i = 0; i < count; i++) plot_run_free(&run[i]);
  return code;
}
