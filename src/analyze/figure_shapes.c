/* Norm layers as functions: how well a line and a tanh explain them by depth, and their pairs of input and output. */
#include "figure_parts.h"

#include "dyt/file.h"
#include "dyt/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- R2 by depth --- */

static bool has_shape(const record *r) { return r->shape && r->layers > 0; }

typedef struct two {
  double line, gain;
} two;

static two mean_of(const figure_cell *c, int l) {
  two sum = {0, 0};
  int n = 0;
  for (int k = 0; k < c->runs; k++) {
    if (l >= c->run[k]->layers) continue;
    const probe_shape *p = &c->run[k]->shape[l];
    sum.line += p->line_r2, sum.gain += p->tanh_r2 - p->line_r2;
    n++;
  }
  return (two){sum.line / n, sum.gain / n};
}

static void widen(record_range *r, double v) {
  if (isfinite(v)) *r = (record_range){fmin(r->low, v), fmax(r->high, v)};
}

static void add_cell(const figure_cell *c, int number, str *data, record_range *x, record_range y[2]) {
  const record *first = c->run[0];
  for (int l = 0; l < first->layers; l++) {
    two v = mean_of(c, l);
    str_addf(data, "%d,%d,%s,%s", number, l, first->layer[l].name, first->layer[l].site);
    style_add_field(data, v.line), style_add_field(data, v.gain);
    str_add(data, "\n");
    widen(x, l), widen(&y[0], v.line), widen(&y[1], v.gain);
  }
  str_add(data, "\n\n");
}

static st write_shapes(figure_job *j, err *e) {
  static const char *const label[2] = {"R\xc2\xb2 of a line", "R\xc2\xb2 of a tanh less that of a line"};
  const char *names[FIGURE_CELLS_MAX];
  record_range x = RECORD_NOTHING, y[2] = {RECORD_NOTHING, RECORD_NOTHING};
  str data = {0}, definitions = {0}, s = {0};
  str_add(&data, "cell,index,layer,site,line_r2,tanh_minus_line\n");
  for (int i = 0; i < j->cells; i++) {
    names[i] = j->cell[i].label;
    add_cell(&j->cell[i], i + 1, &data, &x, y);
  }
  int rows = style_key_rows(names, j->cells, 600);
  style_grid g = style_grid_of(1, 2, 300, 250, 0, STYLE_KEY_ROW * rows + STYLE_KEY_ROOM);
  figure_add_labels(j, "cell_", &definitions);
  style_begin(j->name, definitions.data, &g, &s);
  str_add(&s, "set xlabel 'norm layer, from the first'\n");
  for (int q = 0; q < 2; q++) {
    str_addf(&s, "set ylabel '%s'\n", label[q]);
    style_add_range("x", x, INFINITY, &s);
    style_add_range("y", y[q], INFINITY, &s);
    for (int i = 0; i < j->cells; i++)
      str_addf(&s, "%s'%s.csv' skip 1 index %d using 2:%d with linespoints linestyle %d",
               i ? ", \\\n  " : "plot ", j->name, i, 5 + q, i + 1);
    str_add(&s, "\n");
  }
  style_add_key(&g, rows, &s);
  for (int i = 0; i < j->cells; i++)
    str_addf(&s, "%sNaN with linespoints linestyle %d title cell_%d", i ? ", " : "", i + 1, i + 1);
  str_add(&s, "\n");
  str_free(&definitions);
  st code = style_write_data(j->folder, j->name, &data, e), written = style_finish(j->folder, j->name, &s, e);
  return code ? code : written;
}

const figure_kind figure_shapes = {
    .name = "shapes",
    .title = "Input to output of norm layers: line or S",
    .caption =
        "Mean over seeds; input x to output y before gamma and beta, y = slope x + intercept and y = a tanh(b x) fitted by least squares.",
    .lacks = "shapes were measured of no run",
    .cells_most = FIGURE_CELLS_MAX,
    .has = has_shape,
    .write = write_shapes};

/* --- pairs --- */

enum { PANELS_MAX = 6, LAYERS_MAX = 256, POINTS = 250 /* of a panel */, COLUMNS = 64 };

typedef struct layer {
  char name[64], kind[24];
  int index, pairs; /* pairs: rows of it in pairs.csv */
  double a, b, line_r2, tanh_r2;
} layer;

static int split(char *line, char *field[COLUMNS]) {
  int n = 0;
  for (char *p = line; p && n < COLUMNS; n++) {
    field[n] = p;
    if ((p = strchr(p, ','))) *p++ = '\0';
  }
  return n;
}

static const char *named(char *const *header, char *const *field, int n, const char *name) {
  for (int i = 0; i < n; i++)
    if (strcmp(header[i], name) == 0) return field[i];
  return "";
}

static double number(const char *text) { return *text ? strtod(text, NULL) : NAN; }

/* What `dyt probe` says of each layer. */
static int read_layers(const char *path, layer *out) {
  enum { SIZE_MAX_BYTES = 1 << 20 };
  file_bytes b = {0};
  char *header[COLUMNS], *field[COLUMNS], *next;
  int n = 0, columns = 0;
  if (file_read(path, SIZE_MAX_BYTES, &b, NULL)) return 0;
  for (char *line = (char *)b.data; line && *line && n < LAYERS_MAX; line = next) {
    if ((next = strchr(line, '\n'))) *next++ = '\0';
    if (!columns) {
      columns = split(line, header);
      continue;
    }
    if (split(line, field) != columns) break;
    layer *l = &out[n++];
    *l = (layer){.index = (int)number(named(header, field, columns, "index")),
                 .pairs = (int)fmin(PROBE_PAIRS, number(named(header, field, columns, "n"))),
                 .a = number(named(header, field, columns, "a")),
                 .b = number(named(header, field, columns, "b")),
                 .line_r2 = number(named(header, field, columns, "line_r2")),
                 .tanh_r2 = number(named(header, field, columns, "tanh_r2"))};
    strncpy(l->name, named(header, field, columns, "layer"), sizeof l->name - 1);
    strncpy(l->kind, named(header, field, columns, "kind"), sizeof l->kind - 1);
  }
  file_bytes_free(&b);
  return n;
}

static void plot_layer(const layer *l, int panel, str *s) {
  str_addf(s, "set title name_%d.\"\\n", panel + 1);
  if (isfinite(l->line_r2) && isfinite(l->tanh_r2))
    str_addf(s, "R\xc2\xb2: line %.3f, tanh %.3f", l->line_r2, l->tanh_r2);
  else
    str_add(s, "no fit");
  str_addf(
      s,
      "\" noenhanced\nplot 'pairs.csv' skip 1 every %d using (column(2) == %d ? column(8) : NaN):9 with points pointtype 7 "
      "pointsize 0.4 linecolor rgb '#0072b2'",
      l->pairs > POINTS ? l->pairs / POINTS : 1, l->index);
  if (isfinite(l->a) && isfinite(l->b))
    str_addf(s, ", \\\n  %.9g * tanh(%.9g * x) with lines linewidth 1.2 linecolor rgb '#d55e00'", l->a, l->b);
  str_add(s, "\n");
}

static st write_pairs(figure_job *j, err *e) {
  layer *l = mem_new(LAYERS_MAX, sizeof *l);
  char *path = mem_printf("%s/layers.csv", j->folder);
  int n = read_layers(path, l), panels = n < PANELS_MAX ? n : PANELS_MAX;
  const char *names[PANELS_MAX];
  str definitions = {0}, s = {0};
  for (int i = 0; i < panels; i++)
    l[i] = l[panels > 1 ? i * (n - 1) / (panels - 1) : 0]; /* the one read lies not before the one written */
  for (int i = 0; i < panels; i++) names[i] = l[i].name;
  int columns = panels < 2 ? panels : 2;
  st code = ST_OK;
  if (panels) {
    style_grid g = style_grid_of((panels + columns - 1) / columns, columns, 300, 220, 2, 0);
    style_add_names("name_", names, panels, &definitions);
    style_begin(j->name, definitions.data, &g, &s);
    str_add(
        &s,
        "set samples 300\nset grid xtics\nset offsets graph 0.03,0.03,0.06,0.06\nset xlabel 'input'\nset ylabel 'output'\n");
    for (int i = 0; i < panels; i++) plot_layer(&l[i], i, &s);
    code = style_finish(j->folder, j->name, &s, e);
  }
  str_free(&definitions);
  mem_free(path);
  mem_free(l);
  return code;
}

static bool has_anything(const record *r) { return r->state != NULL; }

const figure_kind figure_pairs = {
    .name = "pairs",
    .title = "Input and output of norm layers",
    .caption = "A point an element, before gamma and beta; line: a tanh(b x), fitted by least squares.",
    .lacks =
        "pairs.csv and layers.csv are not in the folder of the figures, where dyt probe RUN_DIR --out writes them",
    .files = (const char *const[]){"layers.csv", "pairs.csv", NULL},
    .cells_most = STUDY_CELLS_MAX,
    .has = has_anything,
    .write = write_pairs};
