/* file - files and folders, written so that an interruption or a full disk loses nothing.
 *
 * A file that must be whole or absent is written under a temporary name beside its own, flushed to the disk
 * and renamed.
 *
 *   file_bytes b;
 *   if (file_read(path, 1 << 20, &b, e)) return e->code;      ...      file_bytes_free(&b);
 *   if (file_write(path, text, len, e)) return e->code;       // replaces atomically
 */
#ifndef DYT_FILE_H
#define DYT_FILE_H

#include "dyt/err.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct file_bytes {
  unsigned char *data; /* NUL-terminated beyond `size`; owned: file_bytes_free */
  size_t size;
} file_bytes;

typedef enum file_kind { FILE_NONE, FILE_REGULAR, FILE_FOLDER, FILE_OTHER } file_kind;

file_kind file_what(const char *path); /* follows links */

/* The whole of a regular file. ST_USER: missing, a folder, unreadable, larger than `limit` bytes. */
st file_read(const char *path, size_t limit, file_bytes *out, err *e);
/* All that an open file gives until its end; messages call it `name`. */
st file_read_stream(int fd, const char *name, size_t limit, file_bytes *out, err *e);
void file_bytes_free(file_bytes *b);

/* The same without a copy, read-only and not NUL-terminated: pages of the system's cache. False where it cannot
 * be had. Whoever cuts the file short meanwhile ends this process by SIGBUS. file_unmap. */
bool file_map(const char *path, file_bytes *out);
void file_unmap(file_bytes *b);

/* Replaces `path` atomically. ST_USER when the disk is full or the place not writable; then the old file is
 * untouched. */
st file_write(const char *path, const void *data, size_t size, err *e);

/* The same for a file made of several blocks one after another, so that they need not be copied into one. */
typedef struct file_part {
  const void *data;
  size_t size;
} file_part;
st file_write_parts(const char *path, const file_part *parts, int count, err *e);

/* Adds to the end of a file, creating it, and flushes it to the kernel. A partial line is cut off again when
 * the disk is full. */
st file_append(const char *path, const void *data, size_t size, err *e);
/* Cuts a file to `size` bytes; a shorter or missing file is an error (unless size is 0). */
st file_truncate(const char *path, uint64_t size, err *e);
uint64_t file_size(const char *path); /* 0 if there is none */

/* Creates a folder and those above it; one that exists is fine. */
st file_make_folder(const char *path, err *e);
/* Removes a file, or a folder with all in it; a path that is not there is fine. Links are removed, not
 * followed. */
st file_remove(const char *path, err *e);
/* Renames, replacing; then flushes the folder that holds it. */
st file_rename(const char *from, const char *to, err *e);
/* Makes `path` a symbolic link to `target` (relative to the link's folder), replacing an older one
 * atomically. */
st file_link(const char *target, const char *path, err *e);
/* Flushes a folder's entries to the disk. */
st file_sync_folder(const char *path, err *e);

/* xxHash (XXH64, seed 0) as 16 hex digits into out[17]. */
void file_hash(const void *data, size_t size, char out[17]);

/* The same of a file's bytes, without holding them. ST_USER when it cannot be read. */
st file_hash_of(const char *path, char out[17], err *e);

/* The last part of a path, without what precedes the last '/'. Points into `path`. */
const char *file_name(const char *path);

#endif
