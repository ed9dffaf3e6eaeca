#include "data/folder.h"

#include "dyt/file.h"
#include "dyt/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEPTH_MAX = 16 }; /* a link to a folder above would have no end */

static int visible(const struct dirent *d) { return d->d_name[0] != '.'; }

/* By bytes, whatever the locale. */
static int by_bytes(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

/* The sorted names in a folder. */
static st read_names(const char *path, folder_names *out, err *e) {
  struct dirent **entry;
  *out = (folder_names){0};
  int n = scandir(path, &entry, visible, by_bytes);
  if (n < 0) return err_add(e, ST_USER, "%s: the folder cannot be read: %s", path, strerror(errno));
  out->name = mem_new((size_t)n + 1, sizeof *out->name);
  for (int i = 0; i < n; i++) {
    out->name[out->n++] = mem_strdup(entry[i]->d_name);
    free(entry[i]);
  }
  free(entry);
  return ST_OK;
}

static void free_names(folder_names *f) {
  for (int i = 0; i < f->n; i++) mem_free(f->name[i]);
  mem_free(f->name);
  *f = (folder_names){0};
}

/* Whether a name in a folder of classes is a class: a folder. A link to nothing would be a class left out in silence. */
static st is_class(const char *path, const char *name, bool *yes, err *e) {
  char *whole = mem_printf("%s/%s", path, name);
  file_kind kind = file_what(whole);
  *yes = kind == FILE_FOLDER;
  st code = kind == FILE_NONE ? err_add(e, ST_USER, "%s: a link to nothing", whole) : ST_OK;
  mem_free(whole);
  return code;
}

st folder_classes(const char *path, folder_names *out, err *e) {
  if (read_names(path, out, e)) return e->code;
  int n = 0;
  bool yes = false;
  st code = ST_OK;
  for (int i = 0; i < out->n; i++)
    if (!code && !(code = is_class(path, out->name[i], &yes, e)) && yes)
      out->name[n++] = out->name[i];
    else
      mem_free(out->name[i]);
  out->n = n;
  if (code || n >= 2) return code;
  return err_add(e, ST_USER, "%s: %d folder%s in it, expected at least two, one a class", path, n,
                 n == 1 ? "" : "s");
}

/* torchvision's list: kinds that cannot be read here are named when they are opened, not passed over. */
static bool is_picture(const char *name) {
  static const char *const endings[] = {".jpg", ".jpeg", ".png",  ".bmp", ".ppm",
                                        ".pgm", ".tif",  ".tiff", ".webp"};
  const char *dot = strrchr(name, '.');
  for (size_t i = 0; dot && i < sizeof endings / sizeof endings[0]; i++)
    if (strcasecmp(dot, endings[i]) == 0) return true;
  return false;
}

static void add_file(folder_files *out, char *path, int32_t label, int part) {
  if (out->n == out->room) {
    int64_t room = out->room ? 2 * out->room : 256;
    out->file = mem_grow(out->file, (size_t)out->room, (size_t)room, sizeof *out->file);
    out->room = room;
  }
  out->file[out->n++] = (folder_file){path, label, part, NULL};
}

static st add_below(const char *path, int32_t label, int part, int depth, folder_files *out, err *e) {
  folder_names names = {0};
  if (depth > DEPTH_MAX)
    return err_add(e, ST_USER, "%s: more than %d folders below each other: is there a link to one above?",
                   path, DEPTH_MAX);
  st code = read_names(path, &names, e);
  for (int i = 0; !code && i < names.n; i++) {
    char *whole = mem_printf("%s/%s", path, names.name[i]);
    file_kind kind = file_what(whole);
    if (kind == FILE_FOLDER) code = add_below(whole, label, part, depth + 1, out, e);
    if ((kind == FILE_REGULAR || kind == FILE_NONE) && is_picture(names.name[i]))
      add_file(out, whole, label, part);
    else
      mem_free(whole);
  }
  free_names(&names);
  return code;
}

st folder_add_below(const char *path, folder_files *out, err *e) { return add_below(path, 0, 0, 1, out, e); }

static int32_t label_of(const folder_names *classes, const char *name) {
  for (int32_t k = 0; k < classes->n; k++)
    if (strcmp(classes->name[k], name) == 0) return k;
  return -1;
}

st folder_add(const char *path, const folder_names *classes, int part, folder_files *out, err *e) {
  folder_names names = {0};
  bool yes = false;
  st code = read_names(path, &names, e);
  for (int i = 0; !code && i < names.n; i++) {
    code = is_class(path, names.name[i], &yes, e);
    if (code || !yes) continue;
    char *whole = mem_printf("%s/%s", path, names.name[i]);
    int32_t label = label_of(classes, names.name[i]);
    code = label < 0 ? err_add(e, ST_USER, "%s: no such class among the training pictures", whole)
                     : add_below(whole, label, part, 1, out, e);
    mem_free(whole);
  }
  free_names(&names);
  return code;
}

void folder_free(folder_names *classes, folder_files *files) {
  free_names(classes);
  for (int64_t i = 0; i < files->n; i++) {
    mem_free(files->file[i].path);
    mem_free(files->file[i].bad);
  }
  mem_free(files->file);
  *files = (folder_files){0};
}
