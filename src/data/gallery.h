/* gallery - the pictures of a list of files as samples of one size: decoded once, into memory, where they fit there, else anew for
 * each use.
 *
 * Every file is decoded at the start, on all workers, kept or not: a bad one is found before a training begins, and what a run
 * sees does not depend on how much memory there is. A part of the data is kept or not as a whole. What is kept of a picture is the
 * sample (resized, the middle of it), or for random crops (resized_crop.h) of the training part the picture as it is in the file.
 *
 *   gallery g = {.files = &files};
 *   if (gallery_probe(&g, pool, skip, e)) return e->code;       // g.item[i]: height, width, channels; where shapes are not known
 *   g.view = (view){.side = 224, .shorter = 256, .channels = 3}, g.filter = RESIZE_BICUBIC;
 *   if (gallery_decode(&g, pool, skip, e)) return e->code;
 *   const unsigned char *pixels = gallery_sample(&g, i, NULL, scratch);        // gallery_scratch(&g) bytes
 *   gallery_close(&g);
 */
#ifndef DYT_DATA_GALLERY_H
#define DYT_DATA_GALLERY_H

#include "data/folder.h"
#include "data/resize.h"
#include "dyt/data_format.h"
#include "dyt/mem.h"
#include "dyt/view.h"

#include <pthread.h>
#include <stdbool.h>

typedef struct gallery {
  folder_files *files; /* the caller's; `bad` is set in what cannot be used */
  view view;           /* what a sample is of a picture */
  resize_filter filter;
  double area[2]; /* of random crops of the training part; 0, 0: none */
  picture *item;  /* [files] as kept: pixels in `store`, NULL where they are not kept */
  uint64_t *hash; /* [files] of what is kept, or would be */
  arena store;
  pthread_mutex_t lock;
  int64_t failed; /* the first file that could not be decoded anew; none: files->n */
  char *failure;  /* what was wrong with it */
} gallery;

/* Sizes and channels of all pictures, by their headers. With `skip` what cannot be read is marked as bad; else ST_USER. */
st gallery_probe(gallery *g, work_pool *pool, bool skip, err *e);
/* Decodes all, and keeps what fits. ST_USER: a bad file without `skip`; no memory. Random crops need gallery_probe before. */
st gallery_decode(gallery *g, work_pool *pool, bool skip, err *e);

/* File i as a sample [side, side, channels], or with `r` a random crop of it: memory of the gallery, or scratch filled. Any
 * number of threads at once; allocates where the picture is not kept. */
const unsigned char *gallery_sample(gallery *g, int64_t i, rng *r, unsigned char *scratch);
size_t gallery_scratch(const gallery *g);
/* ST_USER once a picture could not be decoded anew as it was at the start. */
st gallery_check(gallery *g, err *e);

void gallery_close(gallery *g);

#endif
