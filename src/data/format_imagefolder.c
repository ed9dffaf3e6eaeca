/* format "imagefolder": folders of picture files, decoded and resized once, into memory.
 *
 *   PATH/train/CLASS/...  and PATH/test/CLASS/... or PATH/val/CLASS/... (both: val is the validation part)
 *   PATH/CLASS/...        test_fraction of each class is the test part, drawn by split_seed */
#include "data/folder.h"
#include "data/resize.h"
#include "data/split.h"
#include "dyt/data_format.h"
#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/progress.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <xxhash.h>

typedef struct imagefolder_state {
  folder_names classes;
  folder_files files;
  arena store;              /* pictures, those of a part one after another */
  int64_t from[DATA_PARTS]; /* the first of each part */
  resize_filter filter;
  int shorter; /* the shorter side before the crop */
} imagefolder_state;

/* The folder `name` in `path`, of the caller's own; NULL if there is none. */
static char *folder_in(const char *path, const char *name) {
  char *whole = mem_printf("%s/%s", path, name);
  if (file_what(whole) == FILE_FOLDER) return whole;
  mem_free(whole);
  return NULL;
}

static st add_part(imagefolder_state *t, const char *folder, int part, err *e) {
  return folder ? folder_add(folder, &t->classes, part, &t->files, e) : ST_OK;
}

static st list_parts(imagefolder_state *t, const char *path, const char *train, err *e) {
  char *test = folder_in(path, "test"), *val = folder_in(path, "val");
  st code = ST_OK;
  if (!test && !val)
    code = err_add(e, ST_USER, "%s: holds train, but neither test nor val: expected one of these beside it",
                   path);
  if (!code) code = folder_classes(train, &t->classes, e);
  if (!code) code = add_part(t, train, DATA_TRAIN, e);
  if (!code) code = add_part(t, val, test ? DATA_VAL : DATA_TEST, e);
  if (!code) code = add_part(t, test, DATA_TEST, e);
  mem_free(test);
  mem_free(val);
  return code;
}

/* Moves a share of the files to the test part, at least one and not all. */
static void hold_out(const config *c, imagefolder_state *t) {
  int64_t n = t->files.n, want = llround(c->data.test_fraction * (double)n);
  want = want < 1 ? 1 : want > n - 1 ? n - 1 : want;
  int32_t *label = mem_new((size_t)n, sizeof *label);
  bool *chosen = mem_new((size_t)n, sizeof *chosen);
  for (int64_t i = 0; i < n; i++) label[i] = t->files.file[i].label;
  split_pick(label, n, t->classes.n, want, c->data.split_seed, "test", chosen);
  for (int64_t i = 0; i < n; i++)
    if (chosen[i]) t->files.file[i].part = DATA_TEST;
  mem_free(label);
  mem_free(chosen);
}

static st list_files(const config *c, imagefolder_state *t, err *e) {
  const char *path = c->data.path;
  if (!path)
    return err_add(e, ST_USER,
                   "data.path: null, but format \"imagefolder\" needs the folder that holds the pictures");
  if (file_what(path) != FILE_FOLDER) return err_add(e, ST_USER, "%s: no such folder (data.path)", path);
  char *train = folder_in(path, "train");
  st code = ST_OK;
  if (train) {
    code = list_parts(t, path, train, e);
  } else if (!(code = folder_classes(path, &t->classes, e)) &&
             !(code = folder_add(path, &t->classes, DATA_TRAIN, &t->files, e))) {
    if (t->files.n > 1) hold_out(c, t);
  }
  mem_free(train);
  if (!code && t->files.n == 0) code = err_add(e, ST_USER, "%s: no picture files in its folders", path);
  return code;
}

/* What the config leaves open, from the headers of all files: one size for all, colour if any has it. */
static st settle_shape(const config *c, data_source *s, const folder_files *files, err *e) {
  int channels = 1;
  s->height = s->width = c->model.image_size, s->channels = c->model.channels;
  for (int64_t i = 0; (!c->model.image_size || !c->model.channels) && i < files->n; i++) {
    picture p;
    const char *path = files->file[i].path;
    err bad = {0};
    if (picture_probe(path, &p, &bad)) { /* what is left out is said when it is decoded */
      if (!c->data.skip_bad) return err_join(e, &bad);
      continue;
    }
    if (p.channels > channels) channels = p.channels;
    if (c->model.image_size) continue;
    if (p.height != p.width || (s->height && p.height != s->height))
      return err_add(
          e, ST_USER,
          "%s: a picture of %d x %d: expected model.image_size, as the pictures are not all squares of one size",
          path, p.height, p.width);
    s->height = s->width = p.height;
  }
  if (!s->channels) s->channels = channels;
  if (s->channels == 1 || s->channels == 3) return ST_OK;
  return err_add(e, ST_USER, "model.channels: %d, but pictures have 1 or 3", s->channels);
}

static st settle_resize(const config *c, const data_source *s, imagefolder_state *t, err *e) {
  double shorter = floor(s->height / c->data.crop_pct);
  t->filter = strcmp(c->data.interpolation, "bilinear") == 0 ? RESIZE_BILINEAR : RESIZE_BICUBIC;
  if (s->height > DATA_SIDE_MAX)
    return err_add(e, ST_USER, "model.image_size: %d, expected at most %d", s->height, DATA_SIDE_MAX);
  if (shorter > PICTURE_SIDE_MAX)
    return err_add(e, ST_USER,
                   "data.crop_pct: %g, but pictures of %d would then be resized to %.0f, expected at most %d",
                   c->data.crop_pct, s->height, shorter, PICTURE_SIDE_MAX);
  t->shorter = (int)shorter;
  return ST_OK;
}

static size_t picture_bytes(const data_source *s) {
  return (size_t)s->height * (size_t)s->width * (size_t)s->channels;
}

/* Reads one file to its place. */
static st decode(const data_source *s, const imagefolder_state *t, const char *path, unsigned char *to,
                 err *e) {
  picture p;
  if (picture_read(path, s->channels, &p, e)) return e->code;
  resize_window w = resize_and_crop(p.height, p.width, t->shorter, s->height);
  picture small = resize_picture(&p, &w, t->filter);
  memcpy(to, small.pixels, picture_bytes(s));
  picture_free(&p);
  picture_free(&small);
  return ST_OK;
}

/* A picture that cannot be read: an error, or with data.skip_bad left out and counted. */
static st leave_out(const config *c, data_source *s, const err *bad, err *e) {
  if (!c->data.skip_bad) return err_join(e, bad);
  progress p;
  progress_open(&p, false);
  if (s->left_out++ == 0) progress_line(&p, "left out (data.skip_bad): %s", bad->text);
  return ST_OK;
}

/* The files of a part, from place *at on. */
static st decode_part(const config *c, data_source *s, int part, int64_t *at, err *e) {
  imagefolder_state *t = s->state;
  data_part *p = &s->part[part];
  p->label = mem_new((size_t)t->files.n, sizeof *p->label);
  p->where = mem_strdup(c->data.path);
  t->from[part] = *at;
  for (int64_t i = 0; i < t->files.n; i++) {
    const folder_file *f = &t->files.file[i];
    if (f->part != part) continue;
    err bad = {0};
    if (decode(s, t, f->path, t->store.base + (size_t)*at * picture_bytes(s), &bad)) {
      if (leave_out(c, s, &bad, e)) return e->code;
      continue;
    }
    p->label[p->n++] = f->label;
    ++*at;
  }
  return ST_OK;
}

static st decode_all(const config *c, data_source *s, err *e) {
  imagefolder_state *t = s->state;
  int64_t at = 0;
  size_t bytes = (size_t)t->files.n * picture_bytes(s);
  if (mem_afford("the decoded pictures", bytes, "a smaller model.image_size needs less", e)) return e->code;
  if (mem_map(&t->store, bytes, "the decoded pictures", e)) return e->code;
  for (int part = 0; part < DATA_PARTS; part++)
    if (decode_part(c, s, part, &at, e)) return e->code;
  progress p;
  progress_open(&p, false);
  if (s->left_out) progress_line(&p, "pictures left out (data.skip_bad): %" PRId64, s->left_out);
  s->bytes = bytes;
  s->pixel_hash = XXH64(t->store.base, (size_t)at * picture_bytes(s), 0);
  return ST_OK;
}

static void name_classes(data_source *s, const folder_names *classes) {
  s->class_names = mem_new((size_t)classes->n, sizeof *s->class_names);
  for (int k = 0; k < classes->n; k++) s->class_names[s->n_class_names++] = mem_strdup(classes->name[k]);
}

static st open_imagefolder(const config *c, data_source *s, err *e) {
  imagefolder_state *t = s->state = mem_new(1, sizeof *t);
  if (list_files(c, t, e)) return e->code;
  name_classes(s, &t->classes);
  if (settle_shape(c, s, &t->files, e)) return e->code;
  if (settle_resize(c, s, t, e)) return e->code;
  return decode_all(c, s, e);
}

static const unsigned char *pixels_imagefolder(const data_source *s, int part, int64_t i,
                                               unsigned char *scratch) {
  (void)scratch;
  const imagefolder_state *t = s->state;
  return t->store.base + (size_t)(t->from[part] + i) * picture_bytes(s);
}

static void close_imagefolder(data_source *s) {
  imagefolder_state *t = s->state;
  if (!t) return;
  folder_free(&t->classes, &t->files);
  mem_unmap(&t->store);
  mem_free(t);
}

const data_format data_format_imagefolder = {.name = "imagefolder",
                                             .open = open_imagefolder,
                                             .pixels = pixels_imagefolder,
                                             .close = close_imagefolder};
