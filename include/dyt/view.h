/* view - picture files as a model sees them when it is evaluated: decoded, resized, cropped; and where they lie.
 *
 * The shorter side becomes floor(image_size / crop_pct), then the middle is cropped, as torchvision's Resize and
 * CenterCrop do it; alpha is dropped, grey from colour is PIL's "L", colour from grey three times the same. Format
 * imagefolder and `dyt predict` both read pictures so.
 *
 *   view v;
 *   if (view_of(&cfg, cfg.model.image_size, cfg.model.channels, &v, e)) return e->code;
 *   unsigned char *pixels = mem_new(view_bytes(&v), 1);
 *   if (view_read(&v, "cat.jpg", pixels, e)) return e->code;      // then data_normalize(&data, pixels, image)
 */
#ifndef DYT_VIEW_H
#define DYT_VIEW_H

#include "dyt/config.h"

#include <stddef.h>

typedef struct view {
  int side, channels; /* of the result */
  int shorter;        /* the shorter side before the crop */
  bool bicubic;       /* else bilinear */
} view;

/* How the config's data.interpolation and data.crop_pct make pictures of that size. ST_USER: a size, a crop or a number of
 * channels that pictures cannot have. */
st view_of(const config *c, int side, int channels, view *v, err *e);

/* Bytes of a result, [side, side, channels]. */
size_t view_bytes(const view *v);

/* Reads a file into out [view_bytes]; any number of threads at once. ST_USER: unreadable, no picture, damaged, too large;
 * then `out` is untouched. */
st view_read(const view *v, const char *path, unsigned char *out, err *e);
/* The same of what an open file, such as standard input, gives until its end; messages call it `name`. */
st view_read_stream(const view *v, int fd, const char *name, unsigned char *out, err *e);

typedef struct view_paths {
  char **path; /* [n]; owned */
  int64_t n;
} view_paths;

/* Adds the picture files (by their endings) of a folder and those below it, sorted by bytes, hidden ones left out. ST_USER:
 * unreadable, none in it, folders in folders without end. */
st view_list(const char *folder, view_paths *out, err *e);
/* Adds one path, copied. */
void view_add(view_paths *out, const char *path);
void view_paths_free(view_paths *p);

#endif
