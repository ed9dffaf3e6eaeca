/* made_study - a study's folder made by hand: what `dyt study` leaves, without training. */
#ifndef DYT_TESTS_MADE_STUDY_H
#define DYT_TESTS_MADE_STUDY_H

#include "command.h"

/* A run: its cell (a JSON list of cases), its seed, how it ended, its accuracy at the end (0..1); its id is its place in the list. */
typedef struct made_run {
  const char *cell;
  int seed;
  const char *state; /* NULL: it has no record */
  double acc1;
  bool tuning;
} made_run;

/* Writes "study" and, for the records, "store" into the command's folder. `text`: the study's keys but for its base; `more`: keys
 * of runs.json behind the runs. A record has two epochs of 50 steps: its training loss is 2 - accuracy, 0.5 more after the first; its
 * validation accuracy 0.25 less after the first; and two norm layers whose alpha at the end is 1 + seed and twice that, their 1/std the
 * accuracy and twice that, their shapes R2 0.5 and 0.75 for a line, 0.25 more for a tanh. */
void made_study(const command *c, const char *text, const made_run *run, int runs, const char *more);
/* The same with records of the test's own: `put` writes that of a run which has one, as "store/ID.json.gz". */
typedef void made_put(const command *c, int id, const made_run *r);
void made_study_of(const command *c, const char *text, const made_run *run, int runs, const char *more,
                   made_put *put);

/* Writes a file into a folder of the command's, making it. */
void made_file(const command *c, const char *folder, const char *name, const char *text);

#endif
