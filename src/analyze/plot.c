/* dyt plot: names of the runs, what is computed from their logs, and which pictures there are. */
#define _GNU_SOURCE
#include "dyt/plot.h"

#include "plot_draw.h"

#include "gnuplot.h"

#include "dyt/file.h"
#include "dyt/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- names --- */

/* The folder's name; of a path that ends in none, such as "..", what it stands for. */
static char *folder_name(const char *path) {
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/') n--;
  char *trimmed = mem_printf("%.*s", (int)n, path);
  const char *name = file_name(trimmed);
  char *full = *name && strcmp(name, ".") && strcmp(name, "..") ? NULL : realpath(trimmed, NULL);
  char *out = mem_strdup(full ? file_name(full) : name);
  free(full);
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
static void name_runs(record *run, const char *const *path, int count) {
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

/* What a reader of the picture must know: " (diverged)", for a run that has not ended well, or not yet. */
static void note_state(record *r) {
  if (!r->state || strcmp(r->state, "done") == 0) return;
  char *name = mem_printf("%s (%s)", r->name, r->state);
  mem_free(r->name);
  r->name = name;
}

/* --- pictures --- */

static bool has_curves(const record *r) { return r->steps.rows || r->epochs.rows; }
static bool has_norms(const record *r) { return r->norms.rows > 0; }
static bool has_end(const record *r) {
  record_end end = record_end_of(r);
  mem_free(end.points.x);
  return end.points.rows > 0;
}

static const struct picture {
  const char *name, *what, *lacks;
  bool (*has)(const record *r);
  st (*write)(const record *run, int count, const char *folder, err *e);
} pictures[] = {{"curves", "loss and accuracy", "no losses logged", has_curves, plot_write_curves},
                {"norms", "alpha and 1/std over steps", "no norm layers logged", has_norms, plot_write_norms},
                {"alpha_std", "alpha against 1/std at the end", "no norm layer with an alpha", has_end,
                 plot_write_alpha_std}};
enum { PICTURES = sizeof pictures / sizeof *pictures };

/* Returns how many runs have something in a picture, and says which have not. */
static int say_who_lacks(const struct picture *p, const record *run, int count, str *said) {
  int have = 0;
  for (int i = 0; i < count; i++) have += p->has(&run[i]);
  if (!have) str_addf(said, "%s: left out, %s\n", p->name, p->lacks);
  for (int i = 0; have && i < count; i++)
    if (!p->has(&run[i])) str_addf(said, "%s: without %s, %s\n", p->name, run[i].name, p->lacks);
  return have;
}

static st draw(const record *run, int count, const char *folder, str *said, err *e) {
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
  record run[PLOT_RUNS_MAX] = {0};
  if (count > PLOT_RUNS_MAX)
    return err_add(e, ST_USER, "%d runs in one picture, expected at most %d: more cannot be told apart",
                   count, PLOT_RUNS_MAX);
  name_runs(run, path, count);
  st code = ST_OK;
  for (int i = 0; !code && i < count; i++) code = record_read(&run[i], path[i], e);
  for (int i = 0; !code && i < count; i++) note_state(&run[i]);
  if (!code) code = draw(run, count, folder, said, e);
  for (int i = 0; i < count; i++) record_free(&run[i]);
  return code;
}
