/* folder - the picture files of a folder of classes: CLASS/..., each class a folder, files at any depth below it.
 *
 *   folder_names classes = {0};   folder_files files = {0};
 *   if (folder_classes("photos", &classes, e)) return e->code;                     // sorted by bytes, as torchvision does
 *   if (folder_add("photos", &classes, DATA_TRAIN, &files, e)) return e->code;     // files.file[i].path, .label
 *   folder_free(&classes, &files);
 */
#ifndef DYT_DATA_FOLDER_H
#define DYT_DATA_FOLDER_H

#include "dyt/err.h"

#include <stdint.h>

typedef struct folder_names {
  char **name; /* [n]; owned */
  int n;
} folder_names;

typedef struct folder_file {
  char *path; /* owned */
  int32_t label;
  int part;
  char *bad; /* why it cannot be used; NULL: nothing is known against it; owned */
} folder_file;

typedef struct folder_files {
  folder_file *file; /* [n]; owned */
  int64_t n, room;
} folder_files;

/* The folders in `path`, sorted by bytes, but hidden ones. ST_USER: unreadable, fewer than two, a link to nothing. */
st folder_classes(const char *path, folder_names *out, err *e);
/* Adds the picture files (by their endings; links to nothing too) of all classes in `path`, sorted within each. ST_USER: a
 * folder there that is no class, a link to nothing in its place, folders in folders without end. */
st folder_add(const char *path, const folder_names *classes, int part, folder_files *out, err *e);
/* Adds the picture files of `path` and all folders below it, sorted within each; labels and parts are 0. ST_USER as above. */
st folder_add_below(const char *path, folder_files *out, err *e);
/* Both may be half made. */
void folder_free(folder_names *classes, folder_files *files);

#endif
