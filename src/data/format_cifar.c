/* formats "cifar10" and "cifar100": the binary version of CIFAR, mapped and not copied.
 *
 * A file is rows of one label byte (CIFAR-100: a coarse label, then the fine one, which is the class) and 32 x
 * 32 pixels of red, then of green, then of blue. (https://www.cs.toronto.edu/~kriz/cifar.html) */
#include "dyt/data_format.h"
#include "dyt/file.h"
#include "dyt/mem.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <xxhash.h>

enum { SIDE = 32, AREA = SIDE * SIDE, COLOURS = 3, FILES_MAX = 6 };

/* How the two differ. */
typedef struct layout {
  const char *name, *folder; /* folder: of the published archive */
  int label_bytes;           /* before the pixels of a row; the last is the class */
  int classes;
  const char *class_names; /* the file with a name a line */
  const char *other;       /* what the version for Python has and this one has not */
  struct {
    int part;
    const char *name;
  } file[FILES_MAX]; /* those of a part one after another; ends with a name of NULL, or full */
} layout;

static const layout cifar10 = {.name = "cifar10",
                               .folder = "cifar-10-batches-bin",
                               .label_bytes = 1,
                               .classes = 10,
                               .class_names = "batches.meta.txt",
                               .other = "batches.meta",
                               .file = {{DATA_TRAIN, "data_batch_1.bin"},
                                        {DATA_TRAIN, "data_batch_2.bin"},
                                        {DATA_TRAIN, "data_batch_3.bin"},
                                        {DATA_TRAIN, "data_batch_4.bin"},
                                        {DATA_TRAIN, "data_batch_5.bin"},
                                        {DATA_TEST, "test_batch.bin"}}};

static const layout cifar100 = {.name = "cifar100",
                                .folder = "cifar-100-binary",
                                .label_bytes = 2,
                                .classes = 100,
                                .class_names = "fine_label_names.txt",
                                .other = "meta",
                                .file = {{DATA_TRAIN, "train.bin"}, {DATA_TEST, "test.bin"}}};

/* One file: mapped, or read where files cannot be mapped. */
typedef struct cifar_file {
  file_bytes map, read; /* owned */
  const unsigned char *row;
  int64_t rows;
} cifar_file;

typedef struct cifar_state {
  const layout *l;
  char *folder; /* that holds the files; owned */
  cifar_file file[FILES_MAX];
} cifar_state;

static size_t row_bytes(const layout *l) { return (size_t)l->label_bytes + COLOURS * AREA; }

static bool holds(const char *folder, const char *name, file_kind kind) {
  char *path = mem_printf("%s/%s", folder, name);
  bool found = file_what(path) == kind;
  mem_free(path);
  return found;
}

/* The folder that holds the files: the one given, or the archive's own inside it. */
static st find_folder(const char *path, cifar_state *t, err *e) {
  const layout *l = t->l;
  if (!path)
    return err_add(e, ST_USER,
                   "data.path: null, but format \"%s\" needs the folder that holds its files; "
                   "`scripts/fetch_data.sh %s` makes data/%s",
                   l->name, l->name, l->name);
  if (file_what(path) != FILE_FOLDER)
    return err_add(e, ST_USER,
                   "%s: no such folder (data.path): expected %s and the others there; "
                   "`scripts/fetch_data.sh %s` gets the data",
                   path, l->file[0].name, l->name);
  bool inside = !holds(path, l->file[0].name, FILE_REGULAR) && holds(path, l->folder, FILE_FOLDER);
  t->folder = inside ? mem_printf("%s/%s", path, l->folder) : mem_strdup(path);
  return ST_OK;
}

static st no_file(const cifar_state *t, const char *path, err *e) {
  bool other = holds(t->folder, t->l->other, FILE_REGULAR);
  return err_add(e, ST_USER, "%s: no such file%s; `scripts/fetch_data.sh %s` gets the data", path,
                 other ? ": the folder holds the version for Python, expected the binary version" : "",
                 t->l->name);
}

static st open_file(const cifar_state *t, const char *path, cifar_file *f, err *e) {
  size_t row = row_bytes(t->l);
  if (file_what(path) != FILE_REGULAR) return no_file(t, path, e);
  bool mapped = file_map(path, &f->map);
  if (!mapped && file_read(path, SIZE_MAX - 1, &f->read, e)) return e->code;
  const file_bytes *b = mapped ? &f->map : &f->read;
  if (b->size == 0 || b->size % row)
    return err_add(
        e, ST_USER,
        "%s: %zu bytes, expected rows of %zu bytes: the file is cut short, or not %s; fetch it again", path,
        b->size, row, t->l->name);
  f->row = b->data;
  f->rows = (int64_t)(b->size / row);
  return ST_OK;
}

/* Adds the labels of a file to those of its part. */
static st add_labels(const layout *l, const char *path, const cifar_file *f, data_part *part, err *e) {
  const unsigned char *label = f->row + l->label_bytes - 1;
  part->label = mem_grow(part->label, (size_t)part->n, (size_t)(part->n + f->rows), sizeof *part->label);
  for (int64_t i = 0; i < f->rows; i++, label += row_bytes(l)) {
    if (*label >= l->classes)
      return err_add(e, ST_USER, "%s: label %d of row %" PRId64 ", expected 0 to %d; fetch it again", path,
                     *label, i, l->classes - 1);
    part->label[part->n++] = *label;
  }
  return ST_OK;
}

static st read_file(data_source *s, int i, err *e) {
  cifar_state *t = s->state;
  data_part *part = &s->part[t->l->file[i].part];
  cifar_file *f = &t->file[i];
  char *path = mem_printf("%s/%s", t->folder, t->l->file[i].name);
  st code = open_file(t, path, f, e);
  if (!code) code = add_labels(t->l, path, f, part, e);
  if (!code) {
    size_t bytes = (size_t)f->rows * row_bytes(t->l);
    s->bytes += bytes;
    s->pixel_hash = XXH64(f->row, bytes, s->pixel_hash); /* reads every page before the first step */
    if (!part->where) part->where = mem_strdup(t->folder);
  }
  mem_free(path);
  return code;
}

/* A name a line; empty lines at the end of the published files do not count. */
static st split_names(const char *path, char *text, data_source *s, int classes, err *e) {
  char *rest = NULL;
  int n = 0;
  for (char *line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest), n++)
    if (n < classes) s->class_names[s->n_class_names++] = mem_strdup(line);
  if (n == classes) return ST_OK;
  return err_add(e, ST_USER, "%s: %d names, expected %d, one a line", path, n, classes);
}

/* The names come from their file where it is there; else they are numbers, so that the number of classes does
 * not depend on it. */
static st read_names(data_source *s, err *e) {
  enum { NAMES_MAX = 1 << 16 };
  const cifar_state *t = s->state;
  char *path = mem_printf("%s/%s", t->folder, t->l->class_names);
  file_bytes text = {0};
  st code = ST_OK;
  s->class_names = mem_new((size_t)t->l->classes, sizeof *s->class_names);
  if (file_what(path) == FILE_NONE)
    while (s->n_class_names < t->l->classes)
      s->class_names[s->n_class_names] = mem_printf("%d", s->n_class_names), s->n_class_names++;
  else if (!(code = file_read(path, NAMES_MAX, &text, e)))
    code = split_names(path, (char *)text.data, s, t->l->classes, e);
  file_bytes_free(&text);
  mem_free(path);
  return code;
}

static st open_cifar(const layout *l, const config *c, data_source *s, err *e) {
  cifar_state *t = s->state = mem_new(1, sizeof *t);
  t->l = l;
  s->height = s->width = SIDE, s->channels = COLOURS;
  if (find_folder(c->data.path, t, e)) return e->code;
  for (int i = 0; i < FILES_MAX && l->file[i].name; i++)
    if (read_file(s, i, e)) return e->code;
  return read_names(s, e);
}

static st open_cifar10(const config *c, data_source *s, err *e) { return open_cifar(&cifar10, c, s, e); }
static st open_cifar100(const config *c, data_source *s, err *e) { return open_cifar(&cifar100, c, s, e); }

/* The row of sample i of a part. */
static const unsigned char *row_of(const cifar_state *t, int part, int64_t i) {
  const cifar_file *f = t->file;
  for (int k = 0; t->l->file[k].part != part || i >= f->rows; k++, f++)
    if (t->l->file[k].part == part) i -= f->rows;
  return f->row + (size_t)i * row_bytes(t->l);
}

/* One plane a colour to one pixel after another. */
static const unsigned char *pixels_cifar(const data_source *s, int part, int64_t i, unsigned char *scratch) {
  const cifar_state *t = s->state;
  const unsigned char *plane = row_of(t, part, i) + t->l->label_bytes;
  for (int j = 0; j < AREA; j++)
    for (int k = 0; k < COLOURS; k++) scratch[j * COLOURS + k] = plane[k * AREA + j];
  return scratch;
}

static void close_cifar(data_source *s) {
  cifar_state *t = s->state;
  if (!t) return;
  for (int i = 0; i < FILES_MAX; i++) {
    file_unmap(&t->file[i].map);
    file_bytes_free(&t->file[i].read);
  }
  mem_free(t->folder);
  mem_free(t);
}

const data_format data_format_cifar10 = {
    .name = "cifar10", .open = open_cifar10, .pixels = pixels_cifar, .close = close_cifar};
const data_format data_format_cifar100 = {
    .name = "cifar100", .open = open_cifar100, .pixels = pixels_cifar, .close = close_cifar};
