/* report - one HTML page on studies and runs: tables, figures, configs, environment; nothing beside it is needed to read it.
 *
 *   const report_options o = {.path = (const char *[]){"results/quick/table7"}, .count = 1, .out = "report.html", .command = "dyt report ..."};
 *   str said = {0};
 *   if (!report_write(&o, &said, e)) fputs(said.data, stdout);
 *   str_free(&said);
 *
 * Each path is a study's folder or a run directory; run directories stand together in one section, drawn by plot.h. The page is one
 * file: style and pictures are in it (SVG), it loads nothing and runs no script; it follows the reader's light or dark mode, prints,
 * and is readable on a telephone. Text from outside (labels, names, paths) means nothing to HTML.
 */
#ifndef DYT_REPORT_H
#define DYT_REPORT_H

#include "dyt/err.h"
#include "dyt/str.h"

typedef struct report_options {
  const char *const *path; /* [count] at least 1 */
  int count;
  const char
      *out; /* the page; NULL: report.html in the folder of the first path, which must be the only one */
  const char *command; /* that makes it, as the page quotes it */
} report_options;

/* Draws the figures of each study into its folder (figure.h), those of runs into RUN_DIR/plots, for several runs into OUT_plots, and
 * writes the page. A line for the page, and one where pictures are not drawn, is appended to `said`. ST_USER: neither a study's
 * folder nor a run directory; several paths without `out`; what table.h and plot.h refuse; the disk. */
st report_write(const report_options *o, str *said, err *e);

#endif
