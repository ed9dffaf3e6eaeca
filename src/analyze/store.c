#define _GNU_SOURCE
#include "dyt/store.h"

#include "dyt/file.h"
#include "dyt/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

char *store_path(const char *store, const char *id, const char *ending) {
  return mem_printf("%s/%s%s", store, id, ending);
}

bool store_finished(const char *store, const char *id) {
  char *path = store_path(store, id, ".json.gz");
  bool there = file_what(path) == FILE_REGULAR;
  mem_free(path);
  return there;
}

/* "HOST PID" of this process. */
static char *owner(void) {
  char host[256] = "unknown";
  gethostname(host, sizeof host - 1);
  return mem_printf("%s %ld", host, (long)getpid());
}

/* Whether the process of a lock runs on this host: 1 yes, 0 no, -1 another host's. */
static int lives_here(const char *text) {
  char *mine = owner();
  size_t host = (size_t)(strrchr(mine, ' ') - mine);
  int lives = -1;
  if (strncmp(mine, text, host + 1) == 0) {
    long pid = strtol(text + host + 1, NULL, 10);
    lives = pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
  }
  mem_free(mine);
  return lives;
}

/* Seconds since the file was touched, by the clock that its file system stamps files with: that of `beside`, just written. */
static double age(const char *path, int beside) {
  struct stat then, now;
  if (stat(path, &then) || futimens(beside, NULL) || fstat(beside, &now)) return 0;
  return (double)(now.st_mtim.tv_sec - then.st_mtim.tv_sec);
}

static bool is_alive(const char *lock, int beside) {
  file_bytes b = {0};
  if (file_read(lock, 4096, &b, NULL)) return false;
  int lives = lives_here((const char *)b.data);
  file_bytes_free(&b);
  /* also here: a number of a process that is gone may be another's by now */
  return lives != 0 && age(lock, beside) < STORE_STALE;
}

/* The lock under which claims are made. -1: errno says why. */
static int enter(const char *store) {
  char *path = mem_printf("%s/.claims", store);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  mem_free(path);
  while (fd >= 0 && flock(fd, LOCK_EX))
    if (errno != EINTR) {
      int why = errno;
      close(fd);
      errno = why;
      return -1;
    }
  return fd;
}

store_claimed store_claim(const char *store, const char *id, err *e) {
  if (file_make_folder(store, e)) return STORE_ERROR;
  int claims = enter(store);
  if (claims < 0) {
    err_add(e, ST_USER, "%s: cannot be locked: %s", store, strerror(errno));
    return STORE_ERROR;
  }
  char *lock = store_path(store, id, ".lock"), *mine = owner();
  store_claimed got = STORE_MINE;
  if (store_finished(store, id))
    got = STORE_FINISHED;
  else if (file_what(lock) != FILE_NONE && is_alive(lock, claims))
    got = STORE_TAKEN;
  else if (file_write(lock, mine, strlen(mine), e))
    got = STORE_ERROR;
  close(claims);
  mem_free(mine);
  mem_free(lock);
  return got;
}

void store_touch(const char *store, const char *id) {
  char *lock = store_path(store, id, ".lock");
  utimensat(AT_FDCWD, lock, NULL, 0);
  mem_free(lock);
}

void store_release(const char *store, const char *id) {
  char *lock = store_path(store, id, ".lock");
  unlink(lock);
  mem_free(lock);
}
