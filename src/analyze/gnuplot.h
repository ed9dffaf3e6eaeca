/* gnuplot - drawings that can be changed and drawn again: data, a script beside it, and gnuplot run on it. Not a public header.
 *
 *   str names = {0}, script = {0};
 *   str_add(&names, "run_1 = "), gnuplot_quote(&names, name), str_add(&names, "\n");
 *   gnuplot_begin("growth", names.data, 1000, 800, &script);       // what follows is run once for SVG, once for PNG
 *   str_add(&script, "plot 'growth.csv' using 1:2 title run_1 noenhanced\n");
 *   gnuplot_end(&script);
 *   if (!gnuplot_write(folder, "growth", ".gp", &script, e)) gnuplot_run(folder, "growth", e);
 */
#ifndef DYT_ANALYZE_GNUPLOT_H
#define DYT_ANALYZE_GNUPLOT_H

#include "dyt/err.h"
#include "dyt/str.h"

#include <stdbool.h>

/* Appends any bytes as a gnuplot string that nothing is run or replaced in: control characters become spaces, what is no
 * UTF-8 question marks. */
void gnuplot_quote(str *script, const char *text);
/* Appends the head of a script that draws NAME.svg and NAME.png: `definitions` (lines of gnuplot, "" for none), then a loop
 * over both kinds of file. Sizes are those of the SVG; the PNG has twice as many pixels each way. */
void gnuplot_begin(const char *name, const char *definitions, int width, int height, str *script);
void gnuplot_end(str *script);

/* Writes the file FOLDER/NAMEENDING. */
st gnuplot_write(const char *folder, const char *name, const char *ending, const str *text, err *e);
typedef enum gnuplot_outcome { GNUPLOT_DREW, GNUPLOT_MISSING, GNUPLOT_FAILED } gnuplot_outcome;
/* Runs gnuplot on FOLDER/NAME.gp, in the folder, and looks whether NAME.png is whole. */
gnuplot_outcome gnuplot_try(const char *folder, const char *name);
/* The same, with a sentence for who finds data and script in the folder. ST_USER: there is no gnuplot, or it failed. */
st gnuplot_run(const char *folder, const char *name, err *e);

#endif
