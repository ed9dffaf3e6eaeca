/* plot_style - what pictures by gnuplot share: colours, panels, ranges of axes. Not a public header.
 *
 *   str names = {0}, s = {0};
 *   style_add_names("run_", name, count, &names);              // gnuplot strings run_1, run_2, ...
 *   style_grid g = style_grid_of(1, 2, 300, 260, 1, 30);       // a row of two panels, a title line, 30 pixels for the key
 *   style_begin("curves", names.data, &g, &s);                 // line styles 1..8 are STYLE_COLORS colours
 *   style_add_range("y", range, STYLE_LOG_LOSS, &s), str_add(&s, "plot ...\n");
 *   style_add_key(&g, 1, &s), str_add(&s, "NaN with lines linestyle 1 title run_1\n");
 *   if (!style_finish(folder, "curves", &s, e)) gnuplot_run(folder, "curves", e);
 */
#ifndef DYT_ANALYZE_PLOT_STYLE_H
#define DYT_ANALYZE_PLOT_STYLE_H

#include "dyt/record.h"
#include "dyt/str.h"

#include <stdbool.h>

#define STYLE_ALPHA "\xce\xb1" /* the letter, in UTF-8 */

enum {
  STYLE_COLORS = 8, /* that can be told apart, also by the colour-blind */
  STYLE_FEW = 40,   /* so few points of a line are marked */
  /* Axes are logarithmic where what is positive spans more than this ratio. */
  STYLE_LOG_LOSS = 100,
  STYLE_LOG_STD = 10
};

/* A site of norm layers is a hue, a layer's place in the network its lightness. */
typedef struct style_site {
  const char *name, *label;
  int r, g, b, point;
} style_site;
enum { STYLE_SITES = 3, STYLE_SITE_KEY_ROW = 26 };
extern const style_site style_sites[STYLE_SITES];

/* For restyling, as functions of the script: shade(site, place), mark(site): a colour and a point for a site and a place from
 * 0 (first) to 1. */
void style_add_shades(str *s);
/* Gnuplot strings PREFIX1 = '...', PREFIX2, ... of names from outside. */
void style_add_names(const char *prefix, const char *const *name, int count, str *s);
/* ",1.25", or "," for what is not finite: a field of a data file. */
void style_add_field(str *s, double v);

/* A grid of panels with room for title lines above each, and below all a strip of `key` pixels for what colours mean. */
typedef struct style_grid {
  int rows, columns, width, height, left, top, key;
} style_grid;
style_grid style_grid_of(int rows, int columns, int panel_width, int panel_height, int titles, int key);

/* More room for the labels of y axes. */
void style_widen_left(style_grid *g, int pixels);

/* The script's head: definitions ("" or lines), then for each kind of file what panels share, and the grid. */
void style_begin(const char *name, const char *definitions, const style_grid *g, str *s);
/* Its end; writes FOLDER/NAME.gp and frees it. */
st style_finish(const char *folder, const char *name, str *script, err *e);
/* Writes FOLDER/NAME.csv and frees it. */
st style_write_data(const char *folder, const char *name, str *data, err *e);

/* Rows of names that fit below panels of that width. */
int style_key_rows(const char *const *name, int count, int width);
enum { STYLE_KEY_ROW = 18, STYLE_KEY_ROOM = 12 }; /* height of one, and around all */
/* The strip of the key, an empty plot; its entries follow. */
void style_add_key(const style_grid *g, int rows, str *s);
/* Sites' hues, as lines or points, those that a picture has. */
int style_site_key_height(int width);
bool style_has_site(const record *r, int site);
void style_add_site_key(const style_grid *g, const bool has[STYLE_SITES], bool points, str *s);

/* The largest of 1, 2, 5 times a power of ten that is no larger than v > 0; times `more` of them, from 0, the next ones. */
double style_round_number(double v, int more);
/* A range that shows all; logarithmic where what is positive spans more than `ratio`. */
void style_add_range(const char *axis, record_range r, double ratio, str *s);
/* Steps and epochs, from 0, with few enough marks for long numbers. */
void style_add_time_range(record_range r, str *s);
/* A panel with a sentence instead of data. */
void style_add_empty(const char *text, str *s);

#endif
