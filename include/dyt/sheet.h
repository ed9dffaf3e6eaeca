/* sheet - a contact sheet: training pictures as they are evaluated, and beside each what training makes of it, as one PNG.
 *
 * A row is a sample, of one class after another. Its first picture is the sample without augmentation, the others what the
 * model sees of it in the first epochs: the batches of these epochs are asked for it, so that whatever the feed does to a
 * batch is in the picture. Pictures are enlarged without smoothing.
 *
 *   if (sheet_check("sheet.png", e)) return e->code;                   // before the data are opened
 *   if (sheet_draw(&cfg, &data, pool, "sheet.png", &said, e)) return e->code;
 */
#ifndef DYT_SHEET_H
#define DYT_SHEET_H

#include "dyt/data.h"
#include "dyt/work.h"

enum { SHEET_ROWS = 12, SHEET_DRAWS = 8 };

/* Where things are, in pixels. Picture (row, column) begins at (left + column * step_x, top + row * step_y). */
typedef struct sheet_grid {
  int rows, columns; /* the first column: as evaluated */
  int side;          /* of an enlarged picture; one larger than SHEET_SIDE_MAX is reduced to it */
  int left, top, step_x, step_y, width, height;
} sheet_grid;
enum { SHEET_SIDE_MAX = 256 };

/* `rows` pictures; mixed: some targets have more than one class, and each picture has room for its own below it. */
sheet_grid sheet_grid_of(const data_set *d, int rows, bool mixed);
/* The samples of the training split that are shown. Returns how many: SHEET_ROWS, or all there are. */
int sheet_samples(const data_split *train, int classes, int64_t sample[SHEET_ROWS]);

/* Whether a picture can be put there: ST_USER with a sentence if it cannot. */
st sheet_check(const char *path, err *e);
/* Replaces `path` atomically; what the user should know is appended to `said`. ST_USER: no gnuplot, a full disk. */
st sheet_draw(const config *c, const data_set *d, work_pool *pool, const char *path, str *said, err *e);

#endif
