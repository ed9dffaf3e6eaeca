/* format "imagefolder": folders of picture files, as samples (gallery.h).
 *
 *   PATH/train/CLASS/...  and PATH/test/CLASS/... or PATH/val/CLASS/... (both: val is the validation part)
 *   PATH/CLASS/...        test_fraction of each class is the test part, drawn by split_seed */
#include "data/folder.h"
#include "data/gallery.h"
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
  gallery gallery;
  int64_t *file[DATA_PARTS]; /* [samples of the part] where each is among the files */
  char *classes_in;          /* the folder that holds the classes to train on */
  bool held_out;             /* the test part is drawn from those */
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

/* Moves a share of the files to the test part, at least one and not all. (There are two classes, so two files.) */
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

/* Every class has a picture, or a model would be trained for one that it never sees. */
static st check_classes(const imagefolder_state *t, err *e) {
  int64_t *n = mem_new((size_t)t->classes.n, sizeof *n);
  st code = ST_OK;
  for (int64_t i = 0; i < t->files.n; i++) {
    const folder_file *f = &t->files.file[i];
    n[f->label] += !f->bad && (t->held_out || f->part == DATA_TRAIN);
  }
  for (int k = 0; k < t->classes.n && !code; k++)
    if (n[k] == 0)
      code = err_add(e, ST_USER, "%s/%s: no picture in it%s, expected at least one of each class",
                     t->classes_in, t->classes.name[k], t->gallery.item ? " that can be read" : "");
  mem_free(n);
  return code;
}

static st list_files(const config *c, imagefolder_state *t, err *e) {
  const char *path = c->data.path;
  if (!path)
    return err_add(e, ST_USER,
                   "data.path: null, but format \"imagefolder\" needs the folder that holds the pictures");
  if (file_what(path) != FILE_FOLDER) return err_add(e, ST_USER, "%s: no such folder (data.path)", path);
  char *train = folder_in(path, "train");
  t->held_out = !train;
  t->classes_in = train ? train : mem_strdup(path);
  if (train ? list_parts(t, path, train, e)
            : folder_classes(path, &t->classes, e) || folder_add(path, &t->classes, DATA_TRAIN, &t->files, e))
    return e->code;
  if (t->files.n == 0) return err_add(e, ST_USER, "%s: no picture files in its folders", path);
  if (check_classes(t, e)) return e->code;
  if (t->held_out) hold_out(c, t);
  return ST_OK;
}

/* What the config leaves open, from the headers of all files: one size for all, colour if any has it. */
static st settle_shape(const config *c, data_source *s, imagefolder_state *t, err *e) {
  int channels = 1;
  bool all_known = c->model.image_size && c->model.channels && c->data.augment.resized_crop[1] == 0;
  s->height = s->width = c->model.image_size, s->channels = c->model.channels;
  if (!all_known && gallery_probe(&t->gallery, s->pool, c->data.skip_bad, e)) return e->code;
  for (int64_t i = 0; !all_known && i < t->files.n; i++) {
    const picture *p = &t->gallery.item[i];
    if (t->files.file[i].bad) continue;
    if (p->channels > channels) channels = p->channels;
    if (c->model.image_size) continue;
    if (p->height != p->width || (s->height && p->height != s->height))
      return err_add(
          e, ST_USER,
          "%s: a picture of %d x %d: expected model.image_size, as the pictures are not all squares of one size",
          t->files.file[i].path, p->height, p->width);
    s->height = s->width = p->height;
  }
  if (!s->height)
    return err_add(e, ST_USER, "%s: none of its pictures can be read: %s", c->data.path,
                   t->files.file[0].bad);
  if (!s->channels) s->channels = channels;
  return ST_OK;
}

/* The first that was left out, and how many were. */
static void tell_left_out(data_source *s, const folder_files *files) {
  progress p;
  progress_open(&p, false);
  for (int64_t i = 0; i < files->n; i++)
    if (files->file[i].bad && s->left_out++ == 0)
      progress_line(&p, "left out (data.skip_bad): %s", files->file[i].bad);
  if (s->left_out) progress_line(&p, "pictures left out (data.skip_bad): %" PRId64, s->left_out);
}

static void add_sample(data_source *s, int64_t i) {
  imagefolder_state *t = s->state;
  const folder_file *f = &t->files.file[i];
  data_part *p = &s->part[f->part];
  t->file[f->part][p->n] = i;
  p->label[p->n++] = f->label;
}

/* Samples stand in the order of the files. */
static void make_parts(const config *c, data_source *s) {
  imagefolder_state *t = s->state;
  size_t n = (size_t)t->files.n;
  for (int part = 0; part < DATA_PARTS; part++) {
    s->part[part] = (data_part){.label = mem_new(n, sizeof(int32_t)), .where = mem_strdup(c->data.path)};
    t->file[part] = mem_new(n, sizeof *t->file[part]);
  }
  for (int64_t i = 0; i < t->files.n; i++)
    if (!t->files.file[i].bad) add_sample(s, i);
}

/* Of every picture as it is kept. */
static void set_hash(data_source *s) {
  const imagefolder_state *t = s->state;
  for (int part = 0; part < DATA_PARTS; part++)
    for (int64_t i = 0; i < s->part[part].n; i++)
      s->pixel_hash = XXH64(&t->gallery.hash[t->file[part][i]], sizeof(uint64_t), s->pixel_hash);
}

/* Pictures, and what is known of each file. */
static size_t bytes_held(const imagefolder_state *t) {
  size_t bytes = t->gallery.store.size;
  for (int64_t i = 0; i < t->files.n; i++)
    bytes += sizeof(folder_file) + strlen(t->files.file[i].path) + 1 + sizeof(picture) + sizeof(uint64_t) +
             DATA_PARTS * sizeof(int64_t);
  return bytes;
}

static void name_classes(data_source *s, const folder_names *classes) {
  s->class_names = mem_new((size_t)classes->n, sizeof *s->class_names);
  for (int k = 0; k < classes->n; k++) s->class_names[s->n_class_names++] = mem_strdup(classes->name[k]);
}

static st open_imagefolder(const config *c, data_source *s, err *e) {
  imagefolder_state *t = s->state = mem_new(1, sizeof *t);
  t->gallery.files = &t->files;
  if (list_files(c, t, e)) return e->code;
  name_classes(s, &t->classes);
  if (settle_shape(c, s, t, e)) return e->code;
  if (view_of(c, s->height, s->channels, &t->gallery.view, e)) return e->code;
  t->gallery.filter = resize_filter_named(c->data.interpolation);
  memcpy(t->gallery.area, c->data.augment.resized_crop, sizeof t->gallery.area);
  if (gallery_decode(&t->gallery, s->pool, c->data.skip_bad, e)) return e->code;
  tell_left_out(s, &t->files);
  if (check_classes(t, e)) return e->code;
  make_parts(c, s);
  set_hash(s);
  s->bytes = bytes_held(t);
  s->scratch = gallery_scratch(&t->gallery);
  return ST_OK;
}

static const unsigned char *pixels_imagefolder(const data_source *s, int part, int64_t i,
                                               unsigned char *scratch) {
  imagefolder_state *t = s->state;
  return gallery_sample(&t->gallery, t->file[part][i], NULL, scratch);
}

static const unsigned char *crop_imagefolder(const data_source *s, int64_t i, rng *r,
                                             unsigned char *scratch) {
  imagefolder_state *t = s->state;
  return gallery_sample(&t->gallery, t->file[DATA_TRAIN][i], r, scratch);
}

static st check_imagefolder(const data_source *s, err *e) {
  imagefolder_state *t = s->state;
  return gallery_check(&t->gallery, e);
}

static void close_imagefolder(data_source *s) {
  imagefolder_state *t = s->state;
  if (!t) return;
  gallery_close(&t->gallery);
  folder_free(&t->classes, &t->files);
  for (int part = 0; part < DATA_PARTS; part++) mem_free(t->file[part]);
  mem_free(t->classes_in);
  mem_free(t);
}

const data_format data_format_imagefolder = {.name = "imagefolder",
                                             .open = open_imagefolder,
                                             .pixels = pixels_imagefolder,
                                             .crop = crop_imagefolder,
                                             .check = check_imagefolder,
                                             .close = close_imagefolder};
