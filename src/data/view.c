#include "dyt/view.h"

#include "data/folder.h"
#include "data/resize.h"
#include "dyt/data_format.h"
#include "dyt/file.h"
#include "dyt/mem.h"

#include <math.h>
#include <string.h>

st view_of(const config *c, int side, int channels, view *v, err *e) {
  double shorter = floor(side / c->data.crop_pct);
  if (channels != 1 && channels != 3)
    return err_add(e, ST_USER, "model.channels: %d, but pictures have 1 or 3", channels);
  if (side > DATA_SIDE_MAX)
    return err_add(e, ST_USER, "model.image_size: %d, expected at most %d", side, DATA_SIDE_MAX);
  if (shorter > PICTURE_SIDE_MAX)
    return err_add(e, ST_USER,
                   "data.crop_pct: %g, but pictures of %d would then be resized to %.0f, expected at most %d",
                   c->data.crop_pct, side, shorter, PICTURE_SIDE_MAX);
  *v = (view){.side = side,
              .channels = channels,
              .shorter = (int)shorter,
              .bicubic = strcmp(c->data.interpolation, "bicubic") == 0};
  return ST_OK;
}

size_t view_bytes(const view *v) { return (size_t)v->side * (size_t)v->side * (size_t)v->channels; }

/* Frees the picture. */
static void look(const view *v, picture *p, unsigned char *out) {
  resize_window w = resize_and_crop(p->height, p->width, v->shorter, v->side);
  picture small = resize_picture(p, &w, v->bicubic ? RESIZE_BICUBIC : RESIZE_BILINEAR);
  memcpy(out, small.pixels, view_bytes(v));
  picture_free(p);
  picture_free(&small);
}

st view_read(const view *v, const char *path, unsigned char *out, err *e) {
  picture p;
  if (picture_read(path, v->channels, &p, e)) return e->code;
  look(v, &p, out);
  return ST_OK;
}

st view_read_stream(const view *v, int fd, const char *name, unsigned char *out, err *e) {
  picture p;
  file_bytes b;
  if (file_read_stream(fd, name, PICTURE_FILE_MAX, &b, e)) return e->code;
  st code = picture_decode(b.data, b.size, name, v->channels, &p, e);
  if (!code) look(v, &p, out);
  file_bytes_free(&b);
  return code;
}

/* ---- where pictures lie ---- */

/* Room doubles: it is always the next power of two. */
void view_add(view_paths *out, const char *path) {
  size_t n = (size_t)out->n;
  if ((n & (n - 1)) == 0) out->path = mem_grow(out->path, n, n ? 2 * n : 1, sizeof *out->path);
  out->path[out->n++] = mem_strdup(path);
}

st view_list(const char *folder, view_paths *out, err *e) {
  folder_files files = {0};
  st code = folder_add_below(folder, &files, e);
  if (!code && files.n == 0) code = err_add(e, ST_USER, "%s: no picture files in this folder", folder);
  for (int64_t i = 0; !code && i < files.n; i++) view_add(out, files.file[i].path);
  folder_free(&(folder_names){0}, &files);
  return code;
}

void view_paths_free(view_paths *p) {
  for (int64_t i = 0; i < p->n; i++) mem_free(p->path[i]);
  mem_free(p->path);
  *p = (view_paths){0};
}
