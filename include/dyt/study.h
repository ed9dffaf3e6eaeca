/* study - a grid of training runs over seeds, read from a study file (docs/studies.md).
 *
 * A study file names a base config, axes (each a list of cases, a case being a label and keys to set), seeds, and perhaps
 * axes over which the best case is chosen by tuning seeds on the validation split. A **cell** is one case of every axis; a
 * **run** is a cell with a seed. A run's id is the hash of its resolved config, so that studies share runs.
 *
 *   study s;
 *   if (study_read(&s, "configs/paper/table7_functions.json", "quick", e)) return e->code;
 *   study_plan p;
 *   if (!study_plan_make(&p, &s, "runs", e))
 *     for (int i = 0; i < p.runs; i++) printf("%s\n", p.run[i].id);
 *   study_plan_free(&p), study_free(&s);
 */
#ifndef DYT_STUDY_H
#define DYT_STUDY_H

#include "dyt/config.h"
#include "dyt/json.h"

#include <stdbool.h>
#include <stdint.h>

enum { STUDY_AXES_MAX = 8, STUDY_CASES_MAX = 64, STUDY_SEEDS_MAX = 64, STUDY_CELLS_MAX = 4096 };

/* Which cells: for each axis a bit a case. */
typedef struct study_match {
  uint64_t may[STUDY_AXES_MAX];
} study_match;

/* "use": what another study chose for a cell of its own is set here. */
typedef struct study_use {
  char *path;        /* of the other study's file */
  const cJSON *json; /* the object; its "cell" is read against the other study's axes */
} study_use;

typedef struct study_sets {
  char **set; /* [sets] "key.path=VALUE" */
  int sets;
  study_use *use; /* [uses] applied before `set` */
  int uses;
} study_sets;

typedef struct study_seeds {
  uint64_t at[STUDY_SEEDS_MAX];
  int count;
} study_seeds;

typedef struct study_case {
  char *label;
  study_sets does;
  study_seeds seeds; /* of its cells in the place of the study's; count 0: those */
} study_case;

typedef struct study_axis {
  char *name;
  study_case *at; /* [count] */
  int count;
  bool selected; /* a case of it is chosen (select.axis) */
} study_axis;

/* Strings point into `doc` unless said otherwise. */
typedef struct study {
  char *path, *name, *tier;  /* owned; name: the file's without .json; tier: NULL for none */
  json_doc doc;              /* the file with the tier applied */
  char *base;                /* owned: the base config's path */
  study_sets does;           /* for every run */
  study_seeds seeds, tuning; /* tuning.count 0: the choice is made among the runs of `seeds` */
  study_axis axis[STUDY_AXES_MAX];
  int axes;
  study_match *include, *exclude; /* [includes], [excludes] */
  int includes, excludes;
  const char *by;               /* the metric of select; NULL: nothing is selected */
  const cJSON *table, *figures; /* read by table.h and report.h; NULL: none */
} study;

/* Reads and checks a study file (strict JSON, `//` comments); tier NULL: none. ST_USER lists every error with its place. The
 * base config is not read. */
st study_read(study *s, const char *path, const char *tier, err *e);
void study_free(study *s);

/* A run of a study. */
typedef struct study_run {
  char id[17];            /* the resolved config's hash */
  int at[STUDY_AXES_MAX]; /* the cell: a case of each axis */
  uint64_t seed;
  bool tuning; /* with a tuning seed: for the choice only */
  config cfg;
} study_run;

/* What was chosen for a cell of the axes that are not selected. */
typedef struct study_choice {
  int at[STUDY_AXES_MAX]; /* with the chosen cases */
  double value,
      next;   /* mean of the metric over the seeds, of the chosen case and of the next best (NaN: none) */
  int trials; /* cases compared */
  int edge;   /* an axis at whose first or last case the choice lies, where it has more than 2; -1: none */
} study_choice;

typedef struct study_plan {
  study_run *run; /* [runs] */
  int runs;
  study_choice *choice; /* [choices] */
  int choices;
  int waiting; /* cells whose choice waits for runs of this plan */
} study_plan;

/* All runs that can be named now: with a selection first those it needs; once their records are in the folder `store`, the
 * reporting runs at the chosen cases too. ST_USER: a config that cannot be, two cells that are the same run, a study named in
 * `use` that has not run. */
st study_plan_make(study_plan *p, const study *s, const char *store, err *e);
void study_plan_free(study_plan *p);

/* The cell as text: "norm DyT, lr 0.004"; without the selected axes unless `all`. Appended to `out`. */
void study_add_cell(const study *s, const int *at, bool all, str *out);
/* Reads {"axis": label or list of labels, ...}; axes that are not named match any case. ST_USER: no such axis or case. */
st study_read_match(const study *s, const cJSON *object, study_match *m, err *e);
bool study_matches(const study *s, const study_match *m, const int *at);
/* The axis of that name, or -1. */
int study_find_axis(const study *s, const char *name);
/* A JSON string or number as the text of a label, of the caller's own. */
char *study_label(const cJSON *value);

/* A study's folder holds study.json (the file with the tier applied, its place in "_about" left as it is), runs.json (tier, store,
 * runs and choices of a plan) and what table and report wrote: enough to make tables and pictures again with the records alone.
 * Writing: ST_USER when the folder was made by another study file or tier. */
st study_folder_write(const char *folder, const study *s, const study_plan *p, const char *store, err *e);
/* Reads it back; the configs of the plan's runs are empty. *store: the folder of the records, of the caller's own. */
st study_folder_read(const char *folder, study *s, study_plan *p, char **store, err *e);

#endif
