/* format "idx": a folder with the four files of MNIST and its relatives, each plain or gzipped (the plain one
 * is preferred: its pixels are used where they lie in the system's cache, those of a gzipped one are unpacked
 * into memory at each start). */
#include "data/idx.h"
#include "dyt/data_format.h"
#include "dyt/file.h"
#include "dyt/mem.h"

#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

static const struct {
  int part;
  const char *images, *labels;
} files[] = {{DATA_TRAIN, "train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
             {DATA_TEST, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}};
enum { FILES = sizeof files / sizeof files[0] };

typedef struct idx_state {
  idx_array images[DATA_PARTS];
} idx_state;

/* How to get the data: MNIST for a folder of that name, else Fashion-MNIST. */
static const char *how_to_get(const char *folder) {
  return strcmp(file_name(folder), "mnist") == 0 ? "`scripts/fetch_data.sh mnist` gets the data"
                                                 : "`scripts/fetch_data.sh fashion-mnist` gets the data";
}

static st check_folder(const char *folder, err *e) {
  if (!folder)
    return err_add(e, ST_USER,
                   "data.path: null, but format \"idx\" needs the folder that holds its files; "
                   "`scripts/fetch_data.sh fashion-mnist` makes data/fashion-mnist");
  if (file_what(folder) == FILE_FOLDER) return ST_OK;
  return err_add(e, ST_USER, "%s: no such folder (data.path): expected the IDX files there; %s", folder,
                 how_to_get(folder));
}

/* The path of `name` or `name`.gz in the folder, of the caller's own; NULL with a sentence if there is
 * neither. */
static char *find_file(const char *folder, const char *name, err *e) {
  static const char *const endings[] = {"", ".gz"};
  for (int i = 0; i < 2; i++) {
    char *path = mem_printf("%s/%s%s", folder, name, endings[i]);
    if (file_what(path) == FILE_REGULAR) return path;
    mem_free(path);
  }
  err_add(e, ST_USER, "%s/%s: neither this file nor %s.gz is there; %s", folder, name, name,
          how_to_get(folder));
  return NULL;
}

/* Finds and reads one file; *where: its path, of the caller's own. */
static st read_named(const char *folder, const char *name, int dims, idx_array *out, char **where, err *e) {
  *where = find_file(folder, name, e);
  return *where ? idx_read(*where, dims, out, e) : e->code;
}

static void take_labels(data_part *part, const idx_array *labels) {
  part->n = labels->dim[0];
  part->label = mem_new((size_t)part->n, sizeof *part->label);
  for (int64_t i = 0; i < part->n; i++) part->label[i] = labels->element[i];
}

static st read_part(data_source *s, int part, const char *folder, const char *images, const char *labels,
                    err *e) {
  idx_array *x = &((idx_state *)s->state)->images[part], y = {0};
  char *path = NULL;
  st code = read_named(folder, images, 3, x, &path, e);
  if (!code) code = read_named(folder, labels, 1, &y, &s->part[part].where, e);
  if (!code && x->dim[0] != y.dim[0])
    code = err_add(e, ST_USER, "%s: %" PRId64 " labels, but %s holds %" PRId64 " pictures",
                   s->part[part].where, y.dim[0], path, x->dim[0]);
  if (!code && s->height && (x->dim[1] != s->height || x->dim[2] != s->width))
    code = err_add(e, ST_USER,
                   "%s: pictures of %" PRId64 " x %" PRId64 ", but the training pictures are %d x %d", path,
                   x->dim[1], x->dim[2], s->height, s->width);
  if (!code) {
    s->height = (int)x->dim[1], s->width = (int)x->dim[2];
    take_labels(&s->part[part], &y);
    s->bytes += x->elements;
    s->pixel_hash =
        XXH64(x->element, x->elements, s->pixel_hash); /* reads every page before the first step */
  }
  idx_free(&y);
  mem_free(path);
  return code;
}

static st open_idx(const config *c, data_source *s, err *e) {
  const char *folder = c->data.path;
  if (check_folder(folder, e)) return e->code;
  s->channels = 1;
  s->state = mem_new(1, sizeof(idx_state));
  for (int i = 0; i < FILES; i++)
    if (read_part(s, files[i].part, folder, files[i].images, files[i].labels, e)) return e->code;
  return ST_OK;
}

static const unsigned char *pixels_idx(const data_source *s, int part, int64_t i, unsigned char *scratch) {
  (void)scratch;
  const idx_array *x = &((const idx_state *)s->state)->images[part];
  return x->element + (size_t)i * (size_t)s->height * (size_t)s->width;
}

static void close_idx(data_source *s) {
  idx_state *state = s->state;
  for (int part = 0; state && part < DATA_PARTS; part++) idx_free(&state->images[part]);
  mem_free(state);
}

const data_format data_format_idx = {
    .name = "idx", .open = open_idx, .pixels = pixels_idx, .close = close_idx};
