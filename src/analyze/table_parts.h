/* table_parts - what the files of table share: the table that was asked for, what the runs say, how it is written. Not a public
 * header. */
#ifndef DYT_ANALYZE_TABLE_PARTS_H
#define DYT_ANALYZE_TABLE_PARTS_H

#include "dyt/metric.h"
#include "dyt/stats.h"
#include "dyt/study.h"

enum { TABLE_METRICS_MAX = 16, TABLE_CLAIMS_MAX = 16, TABLE_FAMILY_MAX = 64 };

/* --- what was asked for (table_spec.c) --- */

typedef enum table_kind { TABLE_EQUAL, TABLE_GREATER, TABLE_POSITIVE } table_kind;
extern const char *const table_kinds[];

/* A test that was fixed beforehand. */
typedef struct table_claim {
  const char *claim;
  table_kind kind;
  int metric;     /* of the table's */
  int cell, than; /* than: -1 for TABLE_POSITIVE */
} table_claim;

typedef struct table_place {
  int at[STUDY_AXES_MAX]; /* of selected axes any case, where one is chosen */
  int row, column;
  char *paper;  /* the paper's number; NULL */
  int baseline; /* the cell it is compared with; -1: none, or it is one itself */
} table_place;

/* Strings but those of places and rows are the study's. */
typedef struct table_spec {
  bool chosen; /* a cell is at the case that was chosen of the selected axes: they are no rows or columns */
  int row_axis[STUDY_AXES_MAX], row_axes;
  int column_axis; /* -1: one column */
  char **row;      /* [rows] labels, joined */
  int rows, columns;
  table_place *place; /* [cells] */
  int cells;
  metric metric[TABLE_METRICS_MAX]; /* those that are shown, then those of claims alone */
  int metrics, shown;
  double margin; /* points; NaN: none */
  char *against; /* labels of the baseline; owned; NULL: none */
  bool compared, screen, bootstrap;
  int family;        /* primary tests in all studies, which Holm's correction is over */
  const char *where; /* in the paper; NULL */
  table_claim claim[TABLE_CLAIMS_MAX];
  int claims;
} table_spec;

/* Without a table object: the axes as rows, test accuracy. */
st table_spec_read(const study *s, table_spec *t, err *e);
void table_spec_free(table_spec *t);
/* "tanh, learnable"; the column's label behind the row's. */
void table_add_label(const study *s, const table_spec *t, int cell, str *out);
/* The column's label; "" for the only one. */
const char *table_column(const study *s, const table_spec *t, int column);

/* --- what the runs say (table_data.c) --- */

typedef struct table_run {
  uint64_t seed;
  bool there;                      /* has a record */
  char failed;                     /* metric_failure; 0: it did not */
  double best;                     /* validation accuracy, in percent */
  double value[TABLE_METRICS_MAX]; /* NaN of a failed run too */
  unsigned char *right;            /* [images]; NULL: not needed, or none */
  int images;
} table_run;

typedef struct table_cell {
  table_run *run; /* [runs] of the seeds */
  int runs, there, failed;
  char letters[4];            /* of its failures, each once */
  double best;                /* mean over the failed runs; NaN: none */
  const study_choice *choice; /* NULL: nothing to choose, or not yet chosen */
} table_cell;

/* A metric in a cell. Differences are to the cell's baseline, over the seeds of both; none of cells with failed runs. */
typedef struct table_value {
  stats_summary over;    /* of the runs that did not fail */
  stats_paired pair;     /* n 0: no difference */
  stats_interval images; /* of the seed x image bootstrap; NaN: not asked for */
  double power;          /* of the equivalence test; NaN */
  bool best;             /* of its column, among cells without failures */
} table_value;

typedef struct table_test {
  stats_paired pair; /* for TABLE_POSITIVE against 0 */
  double p, holm;
} table_test;

typedef struct table {
  study s;
  study_plan plan;
  table_spec spec;
  table_cell *cell;   /* [cells] */
  table_value *value; /* [cells][metrics] */
  table_test test[TABLE_CLAIMS_MAX];
  int missing; /* runs without a record, those of the tuning too */
} table;

/* Zero-initialise; table_free. store NULL: the study's own. */
st table_load(table *t, const char *folder, const char *store, err *e);
void table_free(table *t);
static inline const table_value *table_at(const table *t, int cell, int m) {
  return &t->value[cell * t->spec.metrics + m];
}
/* Whether the difference of a metric is shown as equal within the margin. */
bool table_is_equal(const table_value *v);
/* Whether what was chosen is no better than the next by more than a tie. */
bool table_is_tie(const table *t, const study_choice *c);
/* The axes and cases that were chosen: "lr 0.004". */
void table_add_chosen(const study *s, const int *at, str *out);

/* --- as text (table_sheet.c) --- */

/* A table of plain text; row 0 is the heading. */
typedef struct table_sheet {
  char *title;
  char **text; /* [rows][columns] */
  bool *bold;
  int columns, filled;
} table_sheet;

typedef struct table_page {
  char *title;
  table_sheet *sheet; /* [sheets] */
  int sheets;
  char **note; /* [notes] sentences below */
  int notes;
} table_page;

/* For people: Markdown and LaTeX are made of it. */
void table_page_of(const table *t, table_page *p);
void table_page_free(table_page *p);
/* The sheets of a metric's differences (none: nothing to compare) and of the primary tests. */
void table_add_differences(const table *t, int m, table_page *p);
void table_add_tests(const table *t, table_page *p);

/* Building (table_page.c). Strings with a type of their own or `char *` are taken over. */
table_sheet *table_add_sheet(table_page *p, char *title, int columns);
void table_add_note(table_page *p, char *text);
/* The next field, left to right. */
void table_put_text(table_sheet *s, char *text, bool bold);
void table_put(table_sheet *s, const char *text);
void table_put_str(table_sheet *s, str *text);
/* "+0.25"; `plus` stands before numbers above 0, and nothing before what is rounded to 0. */
void table_add_number(str *out, double v, int digits, const char *plus);
/* "0.012", "< 0.001", "-" for NaN. */
void table_add_p(str *out, double p);
/* "[-0.10, +0.30]", "-" for NaN. */
void table_add_interval(str *out, double low, double high, int digits, const char *plus);

/* --- the formats --- */

typedef void table_format(const table *t, str *out);
table_format table_markdown, table_latex, table_csv, table_json;

#endif
