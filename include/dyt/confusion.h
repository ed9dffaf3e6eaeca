/* confusion - what a model takes for what: results of an evaluation by class, and a picture of them.
 *
 *   confusion c;
 *   confusion_of(&c, scores, n, data.class_names, data.classes);
 *   confusion_table(&c, &text);                                        // for people, on a terminal
 *   if (confusion_write(&c, "out", e)) return e->code;                 // out/classes.csv, out/confusion.csv
 *   if (confusion_draw(&c, "out", e)) warn(e);                         // out/confusion.svg, .png by gnuplot
 *   confusion_free(&c);
 */
#ifndef DYT_CONFUSION_H
#define DYT_CONFUSION_H

#include "dyt/str.h"
#include "dyt/task.h"

/* `n` images of class `label` were taken for class `pred`. */
typedef struct confusion_cell {
  int32_t label, pred;
  int64_t n;
} confusion_cell;

typedef struct confusion_class {
  int64_t n, right; /* images of this class, and those taken for it */
  int32_t
      mistaken; /* the other class that most of them were taken for; of equals the lower one; -1: none were */
  int64_t mistaken_as; /* how many */
} confusion_class;

typedef struct confusion {
  char *const *name; /* [classes]; the caller's */
  int classes;
  confusion_class *class; /* [classes] */
  confusion_cell *cell;   /* [cells] with n > 0, by label, then pred */
  int64_t cells;
} confusion;

/* Counts score[n]. Takes memory of the order of n + classes. confusion_free. */
void confusion_of(confusion *c, const task_score *score, int64_t n, char *const *name, int classes);
void confusion_free(confusion *c);

/* Top-1 accuracy of a class, from 0 to 1; NAN for one without images. */
double confusion_accuracy(const confusion_class *k);

/* A line a class: images, accuracy, what it is most often mistaken for; of many classes the worst 20, the worst first.
 * Appended. */
void confusion_table(const confusion *c, str *out);
/* A JSON list of {"class", "n", "acc1"}. Appended. */
void confusion_json(const confusion *c, str *out);

enum { CONFUSION_CLASSES_MAX = 5000 }; /* that a matrix is written of */

/* Writes FOLDER/classes.csv and FOLDER/confusion.csv: rows are true classes, columns predicted ones, both named, numbers
 * are images. ST_USER: more classes than that (nothing is written), the disk. */
st confusion_write(const confusion *c, const char *folder, err *e);
/* Writes the heat map's script and data into the folder and draws it. ST_USER: there is no gnuplot, or it failed; these are
 * written then. */
st confusion_draw(const confusion *c, const char *folder, err *e);

#endif
