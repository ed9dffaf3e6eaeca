#include "dyt/confusion.h"

#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- counting ---- */

static int by_label(const void *a, const void *b) {
  const confusion_cell *x = a, *y = b;
  if (x->label != y->label) return x->label < y->label ? -1 : 1;
  return (x->pred > y->pred) - (x->pred < y->pred);
}

static void count_cells(confusion *c, const task_score *score, int64_t n) {
  c->cell = mem_new((size_t)n + 1, sizeof *c->cell);
  for (int64_t i = 0; i < n; i++) c->cell[i] = (confusion_cell){score[i].label, score[i].pred, 1};
  qsort(c->cell, (size_t)n, sizeof *c->cell, by_label);
  for (int64_t i = 0; i < n; i++)
    if (c->cells && by_label(&c->cell[c->cells - 1], &c->cell[i]) == 0)
      c->cell[c->cells - 1].n++;
    else
      c->cell[c->cells++] = c->cell[i];
}

void confusion_of(confusion *c, const task_score *score, int64_t n, char *const *name, int classes) {
  *c = (confusion){.name = name, .classes = classes};
  c->class = mem_new((size_t)classes, sizeof *c->class);
  for (int k = 0; k < classes; k++) c->class[k].mistaken = -1;
  count_cells(c, score, n);
  for (int64_t i = 0; i < c->cells; i++) {
    const confusion_cell *cell = &c->cell[i];
    confusion_class *k = &c->class[cell->label];
    k->n += cell->n;
    if (cell->pred == cell->label)
      k->right = cell->n;
    else if (cell->n > k->mistaken_as)
      k->mistaken = cell->pred, k->mistaken_as = cell->n;
  }
}

void confusion_free(confusion *c) {
  mem_free(c->class);
  mem_free(c->cell);
  *c = (confusion){0};
}

double confusion_accuracy(const confusion_class *k) { return k->n ? (double)k->right / (double)k->n : NAN; }

/* ---- for people ---- */

enum { SHOWN = 20 };

typedef struct ranked {
  double accuracy;
  int class;
} ranked;

/* The worst first, those without images last. */
static int by_accuracy(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  double p = isnan(x->accuracy) ? 2 : x->accuracy, q = isnan(y->accuracy) ? 2 : y->accuracy;
  return p != q ? (p < q ? -1 : 1) : x->class - y->class;
}

static int width_of(const confusion *c, const ranked *row, int rows) {
  enum { LEAST = 5, MOST = 32 };
  int width = LEAST;
  for (int i = 0; i < rows; i++) {
    int one = text_width(c->name[row[i].class]);
    if (one > width) width = one;
  }
  return width < MOST ? width : MOST;
}

static void add_row(const confusion *c, int k, int width, str *out) {
  const confusion_class *class = &c->class[k];
  text_cell(out, c->name[k], width);
  str_addf(out, "  %7" PRId64, class->n);
  if (class->n)
    str_addf(out, "  %6.2f%%", 100 * confusion_accuracy(class));
  else
    str_add(out, "        -");
  if (class->mistaken >= 0) {
    str_add(out, "  ");
    text_line(out, c->name[class->mistaken]);
    str_addf(out, " (%.1f%%)", 100 * (double)class->mistaken_as / (double)class->n);
  }
  str_add(out, "\n");
}

void confusion_table(const confusion *c, str *out) {
  ranked *row = mem_new((size_t)c->classes, sizeof *row);
  int rows = c->classes <= SHOWN ? c->classes : SHOWN;
  for (int k = 0; k < c->classes; k++) row[k] = (ranked){confusion_accuracy(&c->class[k]), k};
  if (rows < c->classes) {
    qsort(row, (size_t)c->classes, sizeof *row, by_accuracy);
    str_addf(out, "the %d worst of %d classes\n", rows, c->classes);
  }
  int width = width_of(c, row, rows);
  text_cell(out, "class", width);
  str_add(out, "   images    top-1  most confused with\n");
  for (int i = 0; i < rows; i++) add_row(c, row[i].class, width, out);
  mem_free(row);
}

void confusion_json(const confusion *c, str *out) {
  for (int k = 0; k < c->classes; k++) {
    str_add(out, k ? ", {\"class\": " : "[{\"class\": ");
    str_add_quoted(out, c->name[k]);
    str_addf(out, ", \"n\": %" PRId64 ", \"acc1\": ", c->class[k].n);
    str_add_number(out, confusion_accuracy(&c->class[k]), 9);
    str_add(out, "}");
  }
  str_add(out, "]");
}

/* ---- for programs ---- */

/* RFC 4180. */
static void add_field(str *out, const char *text) {
  bool plain = !strpbrk(text, ",\"\r\n");
  if (!plain) str_add(out, "\"");
  for (; *text; text++) {
    if (*text == '"') str_add(out, "\"");
    str_add_bytes(out, text, 1);
  }
  if (!plain) str_add(out, "\"");
}

static void add_classes(const confusion *c, str *out) {
  str_add(out, "index,class,images,right,acc1,mistaken_for,mistaken\n");
  for (int k = 0; k < c->classes; k++) {
    const confusion_class *class = &c->class[k];
    str_addf(out, "%d,", k);
    add_field(out, c->name[k]);
    str_addf(out, ",%" PRId64 ",%" PRId64 ",", class->n, class->right);
    if (class->n) str_add_number(out, confusion_accuracy(class), 9);
    str_add(out, ",");
    if (class->mistaken >= 0) add_field(out, c->name[class->mistaken]);
    str_addf(out, ",%" PRId64 "\n", class->mistaken_as);
  }
}

static void add_matrix(const confusion *c, str *out) {
  str_add(out, "true\\predicted");
  for (int k = 0; k < c->classes; k++) {
    str_add(out, ",");
    add_field(out, c->name[k]);
  }
  str_add(out, "\n");
  const confusion_cell *cell = c->cell, *end = c->cell + c->cells;
  for (int label = 0; label < c->classes; label++) {
    add_field(out, c->name[label]);
    for (int pred = 0; pred < c->classes; pred++) {
      bool here = cell < end && cell->label == label && cell->pred == pred;
      str_addf(out, ",%" PRId64, here ? cell->n : 0);
      cell += here;
    }
    str_add(out, "\n");
  }
}

static st write_file(const confusion *c, void (*add)(const confusion *c, str *out), const char *folder,
                     const char *name, err *e) {
  str text = {0};
  char *path = mem_printf("%s/%s", folder, name);
  add(c, &text);
  st code = file_write(path, text.data, text.len, e);
  mem_free(path);
  str_free(&text);
  return code;
}

st confusion_write(const confusion *c, const char *folder, err *e) {
  if (c->classes > CONFUSION_CLASSES_MAX)
    return err_add(e, ST_USER, "%d classes: a confusion matrix is written of at most %d", c->classes,
                   CONFUSION_CLASSES_MAX);
  st code = file_make_folder(folder, e);
  if (!code) code = write_file(c, add_classes, folder, "classes.csv", e);
  return code ? code : write_file(c, add_matrix, folder, "confusion.csv", e);
}
