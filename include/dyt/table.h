/* table - what the runs of a study say, as a table: mean and standard deviation over seeds, paired differences, failures.
 *
 *   str text = {0};
 *   int missing;
 *   if (table_print("results/quick/table1_ln_vs_dyt", NULL, "md", &text, &missing, e)) return e->code;
 *   fputs(text.data, stdout), str_free(&text);
 *
 * Made of a study's folder (study.h) and the records of its runs (record.h) alone; what the study file's "table" may say stands in
 * docs/studies.md. A cell is a case of each axis that is not selected, with the reporting seeds at the case that was chosen; of a
 * study without reporting seeds it is a case of every axis with the tuning seeds. No path, host, time or speed: the same records
 * give the same bytes.
 */
#ifndef DYT_TABLE_H
#define DYT_TABLE_H

#include "dyt/str.h"
#include "dyt/study.h"

/* Checks the "table" of a study file, before anything is trained: unknown keys, axes, cases, metrics, wrong types, a baseline that
 * is not one cell. A study without a table is fine. */
st table_check(const study *s, err *e);

/* Appends the table of a study's folder as "md", "csv", "latex" or "json". store: the folder of the records; NULL: the one that
 * the study ran with. *missing: planned runs that have no record yet. ST_USER: no study's folder, no such format, a table that
 * cannot be, a metric that no run has although all have run. */
st table_print(const char *folder, const char *store, const char *format, str *out, int *missing, err *e);

/* Writes table.md, table.csv, table.tex and table.json into the study's folder. */
st table_write(const char *folder, err *e);

#endif
