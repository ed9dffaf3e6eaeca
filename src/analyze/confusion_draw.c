/* The confusion matrix as a heat map: a row a true class, a column a predicted one, colour the share of the row's images. */
#include "dyt/confusion.h"

#include "fonts.h"
#include "gnuplot.h"

#include "dyt/text.h"

#include <inttypes.h>

/* From these numbers of classes on there is no room for numbers in the cells, for names at the axes. */
enum { CELL_LABELS_MAX = 20, NAMES_MAX = 120 };
enum { NAME_LENGTH = 28 }; /* columns of a name at an axis */

/* In pixels of the SVG. */
typedef struct layout {
  int cell, font; /* side of a cell, size of the letters at the axes */
  int side;       /* of the matrix */
  int names;      /* room for the names of the classes, at the left and below */
  int width, height;
} layout;
enum { TOP = 44, AXIS = 30, KEY = 90, RIGHT = 12 };

static int longest_name(const confusion *c) {
  int longest = 0;
  for (int k = 0; k < c->classes; k++) {
    int width = text_width(c->name[k]);
    if (width > longest) longest = width;
  }
  return longest < NAME_LENGTH ? longest : NAME_LENGTH;
}

static layout layout_of(const confusion *c) {
  int n = c->classes;
  layout l = {.cell = n <= CELL_LABELS_MAX ? 44 : n <= 40 ? 22 : 11, .font = n <= 40 ? 12 : 8};
  l.side = n <= NAMES_MAX ? n * l.cell : 900;
  if (l.side < 5 * l.cell) l.side = 5 * l.cell;
  l.names = n <= NAMES_MAX ? longest_name(c) * l.font * 6 / 10 + 14 : 40;
  l.width = AXIS + l.names + l.side + KEY + RIGHT;
  l.height = TOP + l.side + l.names + AXIS;
  return l;
}

/* Cells without an image are left out: they are white. */
static void add_cells(const confusion *c, str *data) {
  str_add(data, "true,predicted,images,percent\n");
  for (int64_t i = 0; i < c->cells; i++) {
    const confusion_cell *cell = &c->cell[i];
    str_addf(data, "%" PRId32 ",%" PRId32 ",%" PRId64 ",%.6g\n", cell->label, cell->pred, cell->n,
             100 * (double)cell->n / (double)c->class[cell->label].n);
  }
}

/* The name of a class as a string for an axis, where a per cent sign means something. */
static void add_name(const char *name, str *script) {
  str text = {0}, out = {0};
  text_fit(&text, name, NAME_LENGTH);
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] == '%') str_add(&out, "%");
    str_add_bytes(&out, text.data + i, 1);
  }
  gnuplot_quote(script, out.len ? out.data : "");
  str_free(&text);
  str_free(&out);
}

/* The names as variables: a name that the fonts here lack letters of is a number in the PNG. (In an SVG the letters are the
 * reader's.) */
static void add_names(const confusion *c, str *script) {
  fonts f;
  fonts_open(&f);
  for (int k = 0; k < c->classes; k++) {
    str drawn = {0};
    str_addf(script, "class_%d = ", k);
    if (!fonts_keep(&f, c->name[k], &drawn)) str_addf(script, "kind eq 'png' ? 'class %d' : ", k);
    add_name(c->name[k], script);
    str_add(script, "\n");
    str_free(&drawn);
  }
  fonts_close(&f);
}

static void add_tics(const confusion *c, const layout *l, str *script) {
  if (c->classes > NAMES_MAX) return;
  add_names(c, script);
  str_addf(script,
           "letters = kind eq 'svg' ? ',%d' : ',%d'\nset tics font letters\nset xtics rotate by 90 right (",
           l->font, l->font - 2);
  for (int axis = 0; axis < 2; axis++) {
    for (int k = 0; k < c->classes; k++)
      str_addf(script, "%s%sclass_%d %d", k ? ", " : "", k && k % 8 == 0 ? "\\\n  " : "", k, k);
    str_add(script, axis ? ")\n" : ")\nset ytics (");
  }
}

static void add_frame(const confusion *c, const layout *l, str *script) {
  double w = l->width, h = l->height, left = AXIS + l->names, low = AXIS + l->names;
  str_addf(script,
           "set datafile separator ','\n"
           "set lmargin at screen %.5f\nset rmargin at screen %.5f\n"
           "set bmargin at screen %.5f\nset tmargin at screen %.5f\n",
           left / w, (left + l->side) / w, low / h, (low + l->side) / h);
  str_addf(
      script,
      "set xrange [-0.5:%d.5]\nset yrange [%d.5:-0.5]\n"
      "set border 15 linecolor rgb '#808080'\nset tics nomirror scale 0 textcolor rgb '#202020'\nunset key\n"
      "set label 1 'true class' at screen %.5f,%.5f rotate by 90 center\n"
      "set label 2 'predicted class' at screen %.5f,%.5f center\n"
      "set title 'Confusion: percent of the images of each true class' offset 0,-0.4\n",
      c->classes - 1, c->classes - 1, 14 / w, (low + l->side / 2.0) / h, (left + l->side / 2.0) / w, 12 / h);
  str_addf(script,
           "set colorbox user origin %.5f,%.5f size %.5f,%.5f\nset cbtics format '%%g%%%%' scale 0.5\n",
           (left + l->side + 14) / w, low / h, 14 / w, l->side / h);
}

/* Most of a good matrix is on the diagonal: the few per cent of a mistake need colours too. */
static const char palette[] =
    "set cbrange [0:100]\n"
    "set palette defined (0 '#ffffff', 1 '#e6f0fa', 5 '#c3dbf0', 15 '#84b8dd', 40 '#3f8bc4', 70 '#1a60a6', "
    "100 '#08306b')\n"
    "set style fill solid noborder\n";

st confusion_draw(const confusion *c, const char *folder, err *e) {
  layout l = layout_of(c);
  str data = {0}, script = {0};
  add_cells(c, &data);
  gnuplot_begin("confusion", "", l.width, l.height, &script);
  add_frame(c, &l, &script);
  add_tics(c, &l, &script);
  str_add(&script, palette);
  double least = 1.25 * c->classes / l.side; /* 2.5 pixels: less cannot be seen */
  double half = least > 0.5 ? least : 0.5;
  str_addf(&script,
           "plot 'confusion_cells.csv' skip 1 using 2:1:(%.4g):(%.4g):4 with boxxyerror linecolor palette",
           half, half);
  if (c->classes <= CELL_LABELS_MAX)
    str_add(
        &script,
        ", \\\n  '' skip 1 using 2:1:(sprintf($4 < 9.95 ? '%.1f' : '%.0f', $4)):($4 > 30 ? 0xffffff : 0x202020) "
        "with labels font ',10' textcolor rgb variable");
  str_add(&script, "\n");
  gnuplot_end(&script);
  st code = gnuplot_write(folder, "confusion_cells", ".csv", &data, e);
  if (!code) code = gnuplot_write(folder, "confusion", ".gp", &script, e);
  str_free(&data);
  str_free(&script);
  return code ? code : gnuplot_run(folder, "confusion", e);
}
