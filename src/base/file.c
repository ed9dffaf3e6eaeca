#define _GNU_SOURCE
#include "dyt/file.h"

#include "dyt/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

file_kind file_what(const char *path) {
  struct stat s;
  if (stat(path, &s)) return FILE_NONE;
  return S_ISREG(s.st_mode) ? FILE_REGULAR : S_ISDIR(s.st_mode) ? FILE_FOLDER : FILE_OTHER;
}

uint64_t file_size(const char *path) {
  struct stat s;
  return stat(path, &s) ? 0 : (uint64_t)s.st_size;
}

st file_read(const char *path, size_t limit, file_bytes *out, err *e) {
  *out = (file_bytes){0};
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat s;
  if (fd < 0 || fstat(fd, &s)) {
    int why = errno;
    if (fd >= 0) close(fd);
    return err_add(e, ST_USER, "%s: cannot be read: %s", path, strerror(why));
  }
  st code = ST_OK;
  if (!S_ISREG(s.st_mode))
    code = err_add(e, ST_USER, "%s: expected a file, found a %s", path,
                   S_ISDIR(s.st_mode) ? "folder" : "device");
  else if ((uint64_t)s.st_size > limit)
    code = err_add(e, ST_USER, "%s: %lld bytes, more than the %zu that are allowed here", path,
                   (long long)s.st_size, limit);
  if (code) {
    close(fd);
    return code;
  }
  size_t size = (size_t)s.st_size, have = 0;
  unsigned char *data = mem_new(size + 1, 1);
  while (have < size) {
    ssize_t n = read(fd, data + have, size - have);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    have += (size_t)n;
  }
  int why = errno;
  close(fd);
  if (have < size) {
    mem_free(data);
    return err_add(e, ST_USER, "%s: cannot be read: %s", path, strerror(why));
  }
  *out = (file_bytes){data, size};
  return ST_OK;
}

st file_read_stream(int fd, const char *name, size_t limit, file_bytes *out, err *e) {
  size_t room = 1 << 16;
  *out = (file_bytes){.data = mem_new(room, 1)};
  for (ssize_t n = 1; n;) {
    if (out->size + 1 == room) out->data = mem_grow(out->data, room, 2 * room, 1), room *= 2;
    n = read(fd, out->data + out->size, room - 1 - out->size);
    int why = errno;
    if (n < 0 && why == EINTR) continue;
    if (n > 0) out->size += (size_t)n;
    if (n >= 0 && out->size <= limit) continue;
    file_bytes_free(out);
    return n < 0 ? err_add(e, ST_USER, "%s: cannot be read: %s", name, strerror(why))
                 : err_add(e, ST_USER, "%s: more than the %zu bytes that are allowed here", name, limit);
  }
  return ST_OK;
}

void file_bytes_free(file_bytes *b) {
  mem_free(b->data);
  *b = (file_bytes){0};
}

bool file_map(const char *path, file_bytes *out) {
  *out = (file_bytes){0};
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat s;
  void *p = MAP_FAILED;
  if (fd >= 0 && !fstat(fd, &s) && S_ISREG(s.st_mode) && s.st_size > 0)
    p = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (fd >= 0) close(fd);
  if (p == MAP_FAILED) return false;
  *out = (file_bytes){p, (size_t)s.st_size};
  return true;
}

void file_unmap(file_bytes *b) {
  if (b->data) munmap(b->data, b->size);
  *b = (file_bytes){0};
}

static int write_all(int fd, const void *data, size_t size) {
  const char *p = data;
  while (size) {
    ssize_t n = write(fd, p, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    p += n;
    size -= (size_t)n;
  }
  return 0;
}

/* The folder that holds `path`, of the caller's own. */
static char *parent(const char *path) {
  const char *slash = strrchr(path, '/');
  if (!slash) return mem_strdup(".");
  return slash == path ? mem_strdup("/") : mem_printf("%.*s", (int)(slash - path), path);
}

st file_sync_folder(const char *path, err *e) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return err_add(e, ST_USER, "%s: cannot be opened: %s", path, strerror(errno));
  fsync(fd); /* not all file systems can: then there is nothing to flush */
  close(fd);
  return ST_OK;
}

st file_rename(const char *from, const char *to, err *e) {
  if (rename(from, to)) return err_add(e, ST_USER, "%s: cannot be put in place: %s", to, strerror(errno));
  char *folder = parent(to);
  st code = file_sync_folder(folder, e);
  mem_free(folder);
  return code;
}

st file_write_parts(const char *path, const file_part *parts, int count, err *e) {
  char *temporary = mem_printf("%s.tmp-%ld", path, (long)getpid());
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  bool ok = fd >= 0;
  for (int i = 0; ok && i < count; i++) ok = !write_all(fd, parts[i].data, parts[i].size);
  ok = ok && !fsync(fd);
  int why = errno;
  if (fd >= 0 && close(fd) && ok) ok = false, why = errno;
  st code = ok ? file_rename(temporary, path, e)
               : err_add(e, ST_USER, "%s: cannot be written: %s", path, strerror(why));
  if (code && fd >= 0) unlink(temporary);
  mem_free(temporary);
  return code;
}

st file_write(const char *path, const void *data, size_t size, err *e) {
  return file_write_parts(path, &(file_part){data, size}, 1, e);
}

st file_append(const char *path, const void *data, size_t size, err *e) {
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
  bool ok = end >= 0 && !write_all(fd, data, size);
  int why = errno;
  if (!ok && end >= 0 && ftruncate(fd, end)) why = errno;
  if (fd >= 0 && close(fd) && ok) ok = false, why = errno;
  return ok ? ST_OK : err_add(e, ST_USER, "%s: cannot be written: %s", path, strerror(why));
}

st file_truncate(const char *path, uint64_t size, err *e) {
  if (size == 0 && file_what(path) == FILE_NONE) return ST_OK;
  uint64_t have = file_size(path);
  if (have == size) return ST_OK;
  if (have < size)
    return err_add(e, ST_USER, "%s: %llu bytes, but the checkpoint was made when it had %llu", path,
                   (unsigned long long)have, (unsigned long long)size);
  if (truncate(path, (off_t)size)) return err_add(e, ST_USER, "%s: cannot be cut: %s", path, strerror(errno));
  return ST_OK;
}

st file_make_folder(const char *path, err *e) {
  if (mkdir(path, 0777) == 0 || file_what(path) == FILE_FOLDER) return ST_OK;
  if (errno == ENOENT && strchr(path, '/')) {
    char *above = parent(path);
    st code = file_make_folder(above, e);
    mem_free(above);
    if (code) return code;
    if (mkdir(path, 0777) == 0) return ST_OK;
  }
  return err_add(e, ST_USER, "%s: cannot be created: %s", path, strerror(errno));
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *where) {
  (void)s, (void)type, (void)where;
  return remove(path);
}

st file_remove(const char *path, err *e) {
  if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
    return err_add(e, ST_USER, "%s: cannot be removed: %s", path, strerror(errno));
  return ST_OK;
}

st file_link(const char *target, const char *path, err *e) {
  char *temporary = mem_printf("%s.tmp-%ld", path, (long)getpid());
  unlink(temporary);
  st code = symlink(target, temporary)
                ? err_add(e, ST_USER, "%s: cannot be linked: %s", path, strerror(errno))
                : file_rename(temporary, path, e);
  if (code) unlink(temporary);
  mem_free(temporary);
  return code;
}

void file_hash(const void *data, size_t size, char out[17]) {
  snprintf(out, 17, "%016llx", (unsigned long long)XXH64(data, size, 0));
}

st file_hash_of(const char *path, char out[17], err *e) {
  unsigned char part[1 << 15];
  FILE *f = fopen(path, "rb");
  if (!f) return err_add(e, ST_USER, "%s: cannot be read: %s", path, strerror(errno));
  XXH64_state_t *state = XXH64_createState();
  XXH64_reset(state, 0);
  for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;) XXH64_update(state, part, n);
  snprintf(out, 17, "%016llx", (unsigned long long)XXH64_digest(state));
  XXH64_freeState(state);
  st code = ferror(f) ? err_add(e, ST_USER, "%s: cannot be read", path) : ST_OK;
  fclose(f);
  return code;
}

const char *file_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}
