/* Contact sheets: pixels are laid out here, gnuplot writes the names, of any script, and the PNG. */
#include "dyt/sheet.h"

#include "fonts.h"
#include "gnuplot.h"

#include "dyt/feed.h"
#include "dyt/file.h"
#include "dyt/survey.h"
#include "dyt/text.h"

#include <string.h>
#include <unistd.h>

enum { IMAGE, TARGET, SLOTS };                                   /* of a feed */
enum { ENLARGED = 112, GAP = 6, HEAD = 62, LABEL_COLUMNS = 26 }; /* pixels; columns of text */
enum { COLUMN_PIXELS = 8, SMALL_COLUMN_PIXELS = 7, SMALL_LINE = 15, MIXED_LINES = 2 };

/* --- what is shown --- */

/* The sample number `nth` of a class; -1: there are fewer. */
static int64_t of_class(const data_split *train, int label, int nth) {
  for (int64_t i = 0; i < train->n; i++)
    if (train->label[i] == label && nth-- == 0) return i;
  return -1;
}

/* In rounds of a sample a class; of more classes than rows some, evenly spread. */
int sheet_samples(const data_split *train, int classes, int64_t sample[SHEET_ROWS]) {
  int slots = classes < SHEET_ROWS ? classes : SHEET_ROWS, rows = 0;
  for (int round = 0, before = -1; rows < SHEET_ROWS && rows > before; round++) {
    before = rows;
    for (int k = 0; k < slots && rows < SHEET_ROWS; k++) {
      int64_t i = of_class(train, (int)((int64_t)k * classes / slots), round);
      if (i >= 0) sample[rows++] = i;
    }
  }
  return rows;
}

static int widest_name(const data_set *d) {
  int widest = 0;
  for (int k = 0; k < d->classes; k++) {
    int w = text_width(d->class_names[k]);
    widest = w > widest ? w : widest;
  }
  return widest < LABEL_COLUMNS ? widest : LABEL_COLUMNS;
}

/* Pictures are enlarged by a whole number, or reduced to the limit. */
static int side_of(const data_set *d) {
  int times = (ENLARGED + d->width / 2) / d->width, side = d->width * (times > 1 ? times : 1);
  return side < SHEET_SIDE_MAX ? side : SHEET_SIDE_MAX;
}

sheet_grid sheet_grid_of(const data_set *d, int rows, bool mixed) {
  sheet_grid g = {.rows = rows,
                  .columns = 1 + SHEET_DRAWS,
                  .side = side_of(d),
                  .left = 4 * GAP + COLUMN_PIXELS * widest_name(d),
                  .top = HEAD};
  g.step_x = g.side + GAP;
  g.step_y = g.side + GAP + (mixed ? MIXED_LINES * SMALL_LINE : 0);
  g.width = g.left + g.columns * g.step_x + GAP;
  g.height = g.top + g.rows * g.step_y + GAP;
  return g;
}

typedef struct contact_sheet {
  fonts fonts;
  bool letters_lack; /* no font has some letter of a label */
  const config *cfg;
  const data_set *data;
  work_pool *pool;
  int rows;
  int64_t sample[SHEET_ROWS];
  int side;
  unsigned char *shown[SHEET_ROWS][1 + SHEET_DRAWS]; /* [side, side, 3] */
  real *target[SHEET_ROWS][1 + SHEET_DRAWS];
  real *image; /* the one at hand */
} contact_sheet;

/* The image at hand in its size on the sheet; grey in all three colours; of other channels than three the first. */
static unsigned char *shown(const contact_sheet *s) {
  const data_set *d = s->data;
  int64_t area = (int64_t)d->height * d->width;
  unsigned char *out = mem_new(3 * (size_t)s->side * (size_t)s->side, 1), *to = out;
  for (int y = 0; y < s->side; y++)
    for (int x = 0; x < s->side; x++)
      for (int rgb = 0; rgb < 3; rgb++) {
        int k = d->channels == 3 ? rgb : 0;
        *to++ = data_pixel(
            d, k,
            s->image[k * area + (int64_t)(y * d->height / s->side) * d->width + x * d->width / s->side]);
      }
  return out;
}

/* Asks the feed for the sample's place in a batch, as the engine does. */
static void see(contact_sheet *s, feed *f, int64_t place, int row, int column) {
  real *target = s->target[row][column] = mem_new((size_t)s->data->classes, sizeof *target);
  f->engine.fill(f->engine.context, place, 1, (real *[SLOTS]){[IMAGE] = s->image, [TARGET] = target}, 0);
  s->shown[row][column] = shown(s);
}

static int64_t batch_of(const contact_sheet *s) {
  const config_train *c = &s->cfg->train;
  int64_t batch = (int64_t)c->batch_size * c->accumulate, n = s->data->train.n;
  return batch < n ? batch : n;
}

/* An epoch's column: the batch of that epoch that holds the sample. */
static void see_epoch(contact_sheet *s, feed *f, int epoch, int32_t *order) {
  const data_split *train = &s->data->train;
  const config_train *c = &s->cfg->train;
  int64_t batch = batch_of(s);
  data_draw draw = {c->seed, (uint64_t)epoch};
  data_order(c->seed, draw.epoch, train->n, order);
  for (int row = 0; row < s->rows; row++) {
    int64_t at = 0;
    while (order[at] != s->sample[row]) at++;
    int64_t begin = at - at % batch, left = train->n - begin;
    feed_split(f, train, order + begin, &draw);
    feed_prepare(f, s->pool, begin / c->batch_size, left < batch ? left : batch);
    see(s, f, at % batch, row, 1 + epoch);
  }
}

static st see_all(contact_sheet *s, err *e) {
  const data_split *train = &s->data->train;
  int32_t *order = mem_new((size_t)train->n, sizeof *order);
  feed f;
  feed_open(&f, s->data, work_threads(s->pool));
  st code = feed_open_mix(&f, s->cfg->train.batch_size, batch_of(s), e);
  feed_split(&f, train, NULL, NULL);
  for (int row = 0; row < s->rows && !code; row++) see(s, &f, s->sample[row], row, 0);
  for (int epoch = 0; epoch < SHEET_DRAWS && !code; epoch++) see_epoch(s, &f, epoch, order);
  feed_close(&f);
  mem_free(order);
  return code ? code : data_check(s->data, e);
}

static st open_sheet(contact_sheet *s, const config *c, const data_set *d, work_pool *pool, err *e) {
  *s = (contact_sheet){.cfg = c, .data = d, .pool = pool, .side = side_of(d)};
  fonts_open(&s->fonts);
  s->rows = sheet_samples(&d->train, d->classes, s->sample);
  s->image = mem_new((size_t)d->channels * (size_t)d->height * (size_t)d->width, sizeof *s->image);
  return see_all(s, e);
}

static void close_sheet(contact_sheet *s) {
  fonts_close(&s->fonts);
  mem_free(s->image);
  for (int row = 0; row < s->rows; row++)
    for (int i = 0; i <= SHEET_DRAWS; i++) {
      mem_free(s->shown[row][i]);
      mem_free(s->target[row][i]);
    }
}

static st write_pixels(const contact_sheet *s, const sheet_grid *g, const char *path, err *e) {
  size_t width = 3 * (size_t)g->width, bytes = width * (size_t)g->height, line = 3 * (size_t)g->side;
  unsigned char *canvas = mem_new(bytes, 1);
  memset(canvas, 255, bytes);
  for (int row = 0; row < g->rows; row++)
    for (int column = 0; column < g->columns; column++)
      for (int y = 0; y < g->side; y++)
        memcpy(canvas + (size_t)(g->top + row * g->step_y + y) * width +
                   3 * (size_t)(g->left + column * g->step_x),
               s->shown[row][column] + (size_t)y * line, line);
  st code = file_write(path, canvas, bytes, e);
  mem_free(canvas);
  return code;
}

/* --- names --- */

/* The class of the largest share but those in front of it; -1: none. */
static int next_share(const real *target, int classes, int before) {
  int best = -1;
  for (int k = 0; k < classes; k++) {
    bool after = before < 0 || target[k] < target[before] || (!(target[k] > target[before]) && k > before);
    if (after && target[k] > 0 && (best < 0 || target[k] > target[best])) best = k;
  }
  return best;
}

static bool is_mixed(const data_set *d, const real *target) {
  return next_share(target, d->classes, next_share(target, d->classes, -1)) >= 0;
}

static bool any_mixed(const contact_sheet *s) {
  for (int row = 0; row < s->rows; row++)
    for (int i = 0; i <= SHEET_DRAWS; i++)
      if (is_mixed(s->data, s->target[row][i])) return true;
  return false;
}

/* Text that ends (right), begins (left) or is centred at a pixel. */
static void add_label(contact_sheet *s, const char *text, int x, int y, const char *how, int columns,
                      str *script) {
  str fitted = {0}, drawn = {0};
  text_fit(&fitted, text, columns);
  if (fitted.len && !fonts_keep(&s->fonts, fitted.data, &drawn)) s->letters_lack = true;
  str_add(script, "set label ");
  gnuplot_quote(script, drawn.len ? drawn.data : "");
  str_addf(script, " at %d,%d %s front\n", x, y, how);
  str_free(&fitted);
  str_free(&drawn);
}

/* "cat 0.70" and "dog 0.30" below a picture: the two largest shares. */
static void add_shares(contact_sheet *s, const sheet_grid *g, int row, int column, str *script) {
  const real *target = s->target[row][column];
  int columns = g->side / SMALL_COLUMN_PIXELS;
  for (int line = 0, k = -1; line < MIXED_LINES; line++) {
    k = next_share(target, s->data->classes, k);
    if (k < 0) return;
    str text = {0};
    text_fit(&text, s->data->class_names[k], columns - 5);
    str_addf(&text, " %.2f", (double)target[k]);
    add_label(s, text.data, g->left + column * g->step_x + g->side / 2,
              g->top + row * g->step_y + g->side + SMALL_LINE / 2 + 2 + line * SMALL_LINE,
              "center font 'sans,9'", columns, script);
    str_free(&text);
  }
}

static void add_heads(contact_sheet *s, const sheet_grid *g, str *script) {
  str text = {0};
  str_addf(&text, "%s: training pictures as evaluated, and as the first epochs show them (seed %llu)",
           s->cfg->data.path ? s->cfg->data.path : s->cfg->data.format,
           (unsigned long long)s->cfg->train.seed);
  add_label(s, text.data, 2 * GAP, 12, "left", g->width / COLUMN_PIXELS, script);
  str_clear(&text);
  survey_write_augmentation(s->cfg, &text);
  add_label(s, text.data, 2 * GAP, 30, "left textcolor rgb '#606060'", g->width / COLUMN_PIXELS, script);
  for (int column = 0; column < g->columns; column++) {
    str_clear(&text);
    if (column)
      str_addf(&text, "epoch %d", column);
    else
      str_add(&text, "evaluated");
    add_label(s, text.data, g->left + column * g->step_x + g->side / 2, HEAD - 11,
              "center font 'sans,9' textcolor rgb '#606060'", g->side / SMALL_COLUMN_PIXELS, script);
  }
  str_free(&text);
}

/* gnuplot's axes count pixels, from the upper left corner. */
static void add_script(contact_sheet *s, const sheet_grid *g, bool mixed, str *script) {
  str_addf(
      script,
      "set encoding utf8\n"
      "set terminal pngcairo noenhanced size %d,%d font 'sans,10' background rgb 'white'\n"
      "set output 'sheet.png'\n"
      "set lmargin at screen 0\nset rmargin at screen 1\nset tmargin at screen 1\nset bmargin at screen 0\n"
      "unset border\nunset tics\nunset key\n"
      "set xrange [0:%d]\nset yrange [%d:0]\n",
      g->width, g->height, g->width, g->height);
  add_heads(s, g, script);
  for (int row = 0; row < g->rows; row++) {
    add_label(s, s->data->class_names[s->data->train.label[s->sample[row]]], g->left - 2 * GAP,
              g->top + row * g->step_y + g->side / 2, "right", LABEL_COLUMNS, script);
    for (int column = 0; mixed && column < g->columns; column++) add_shares(s, g, row, column, script);
  }
  str_addf(
      script,
      "plot 'sheet.rgb' binary array=(%d,%d) format='%%uchar' origin=(0.5,0.5) using 1:2:3 with rgbimage\n",
      g->width, g->height);
}

/* --- the file --- */

st sheet_check(const char *path, err *e) {
  static const char ending[] = ".png";
  size_t n = strlen(path), k = sizeof ending - 1;
  if (n < k || strcmp(path + n - k, ending))
    return err_add(e, ST_USER, "%s: expected the name of a file that ends in .png (--out)", path);
  if (file_what(path) == FILE_FOLDER) return err_add(e, ST_USER, "%s: is a folder, expected a file", path);
  char *folder = mem_printf("%.*s", (int)(file_name(path) - path), path);
  st code = ST_OK;
  if (*folder && file_what(folder) != FILE_FOLDER)
    code = err_add(e, ST_USER, "%s: there is no folder %s to put it in", path, folder);
  mem_free(folder);
  return code;
}

/* Pixels and script, in a folder of their own beside the PNG. */
static st draw_in(const char *folder, contact_sheet *s, const char *path, err *e) {
  bool mixed = any_mixed(s);
  sheet_grid g = sheet_grid_of(s->data, s->rows, mixed);
  str script = {0};
  char *pixels = mem_printf("%s/sheet.rgb", folder), *png = mem_printf("%s/sheet.png", folder);
  add_script(s, &g, mixed, &script);
  st code = write_pixels(s, &g, pixels, e);
  if (!code) code = gnuplot_write(folder, "sheet", ".gp", &script, e);
  gnuplot_outcome outcome = code ? GNUPLOT_FAILED : gnuplot_try(folder, "sheet");
  if (!code && outcome == GNUPLOT_MISSING)
    code = err_add(e, ST_USER,
                   "%s: not drawn, because there is no gnuplot: install it (scripts/setup.sh bench)", path);
  else if (!code && outcome == GNUPLOT_FAILED)
    code = err_add(e, ST_USER, "%s: not drawn: gnuplot failed, or the disk is full", path);
  if (!code) code = file_rename(png, path, e);
  str_free(&script);
  mem_free(pixels);
  mem_free(png);
  return code;
}

st sheet_draw(const config *c, const data_set *d, work_pool *pool, const char *path, str *said, err *e) {
  contact_sheet s;
  char *folder = mem_printf("%s.tmp-%ld", path, (long)getpid());
  st code = file_make_folder(folder, e);
  if (!code) {
    code = open_sheet(&s, c, d, pool, e);
    if (!code) code = draw_in(folder, &s, path, e);
    if (!code && s.letters_lack)
      str_addf(said, "warning: %s: no font here has some letters of the names: ? stands for them\n", path);
    close_sheet(&s);
    file_remove(folder, NULL);
  }
  mem_free(folder);
  return code;
}
