/* Files: whole or absent whatever happens, and nothing else touched. */
#define _GNU_SOURCE
#include "dyt/file.h"
#include "dyt/mem.h"
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

static char *folder;

/* A path in the test's folder; four may be in use at once. */
static const char *in(const char *name) {
  static char paths[4][256];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static int make_folder(void **state) {
  (void)state;
  folder = support_folder();
  return 0;
}
static int remove_folder(void **state) {
  (void)state;
  umount2(in("disk"), MNT_DETACH); /* a failed test may have left it */
  support_end(folder);
  return 0;
}

static void assert_holds(const char *path, const char *text) {
  file_bytes b;
  err e = {0};
  if (file_read(path, 1 << 20, &b, &e)) fail_msg("%s", e.text);
  assert_int_equal(b.size, strlen(text));
  assert_string_equal((char *)b.data, text);
  file_bytes_free(&b);
}

static int entries(const char *path) {
  char *command = mem_printf("ls -A '%s' | wc -l", path);
  FILE *f = popen(command, "r");
  int n = -1;
  assert_int_equal(fscanf(f, "%d", &n), 1);
  pclose(f);
  mem_free(command);
  return n;
}

static void files_are_read_and_replaced(void **state) {
  (void)state;
  err e = {0};
  const char *path = in("a.txt");
  assert_int_equal(file_what(path), FILE_NONE);
  assert_int_equal(file_size(path), 0);
  assert_int_equal(file_write(path, "", 0, &e), ST_OK);
  assert_holds(path, "");
  assert_int_equal(file_write(path, "first", 5, &e), ST_OK);
  assert_int_equal(file_what(path), FILE_REGULAR);
  const file_part parts[] = {{"sec", 3}, {NULL, 0}, {"ond", 3}, {"!", 1}};
  int open_before = open(path, O_RDONLY);
  assert_int_equal(file_write_parts(path, parts, 4, &e), ST_OK);
  assert_holds(path, "second!");
  char old[8] = {0}; /* who had the old file open still has it whole: it was replaced, not overwritten */
  assert_int_equal(read(open_before, old, 7), 5);
  close(open_before);
  assert_string_equal(old, "first");
  assert_int_equal(file_size(path), 7);
  assert_int_equal(entries(folder), 1);
  assert_int_equal(e.count, 0);
}

static void unreadable_files_are_named(void **state) {
  (void)state;
  file_bytes b;
  err e = {0};
  assert_int_equal(file_read(in("none"), 10, &b, &e), ST_USER);
  assert_non_null(strstr(e.text, "/none: cannot be read: No such file"));
  assert_null(b.data);
  e = (err){0};
  assert_int_equal(file_read(folder, 10, &b, &e), ST_USER);
  assert_non_null(strstr(e.text, "found a folder"));
  e = (err){0};
  assert_int_equal(file_read("/dev/null", 10, &b, &e), ST_USER);
  assert_int_equal(file_what("/dev/null"), FILE_OTHER);
  e = (err){0};
  assert_int_equal(file_write(in("a"), "0123456789", 10, &e), ST_OK);
  assert_int_equal(file_read(in("a"), 10, &b, &e), ST_OK);
  file_bytes_free(&b);
  assert_int_equal(file_read(in("a"), 9, &b, &e), ST_USER);
  assert_non_null(strstr(e.text, "10 bytes, more than the 9"));
}

/* Writing that ends half way, as on a full disk: the old file stays, nothing else is left, an append is taken
 * back. */
static void check_half_writes(const char *place, size_t room) {
  err e = {0};
  char *path = mem_printf("%s/log", place), *data = mem_new(4 * room, 1);
  memset(data, 'x', 4 * room);
  assert_int_equal(file_write(path, "old\n", 4, &e), ST_OK);
  assert_int_equal(file_append(path, "line\n", 5, &e), ST_OK);
  assert_int_equal(e.count, 0);
  assert_int_equal(file_write(path, data, 4 * room, &e), ST_USER);
  assert_non_null(strstr(e.text, "/log: cannot be written: "));
  assert_holds(path, "old\nline\n");
  assert_int_equal(entries(place), 1);
  assert_int_equal(file_append(path, data, 4 * room, &e), ST_USER);
  assert_holds(path, "old\nline\n");
  assert_int_equal(e.count, 2);
  assert_int_equal(file_append(path, "more\n", 5, &e), ST_OK);
  assert_holds(path, "old\nline\nmore\n");
  mem_free(data);
  mem_free(path);
}

static void a_limit_of_size_loses_nothing(void **state) {
  (void)state;
  struct rlimit before, small;
  getrlimit(RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 4096;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  check_half_writes(folder, 4096);
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_DFL);
}

static void a_full_disk_loses_nothing(void **state) {
  (void)state;
  err e = {0};
  char *place = mem_strdup(in("disk"));
  assert_int_equal(file_make_folder(place, &e), ST_OK);
  if (mount("tmpfs", place, "tmpfs", 0, "size=64k")) { /* needs the right to mount */
    mem_free(place);
    skip();
  }
  check_half_writes(place, 65536);
  assert_int_equal(umount(place), 0);
  mem_free(place);
}

static void logs_are_cut_back(void **state) {
  (void)state;
  err e = {0};
  const char *path = in("log");
  assert_int_equal(file_truncate(path, 0, &e), ST_OK);
  assert_int_equal(file_append(path, "one\n", 4, &e), ST_OK);
  assert_int_equal(file_append(path, "two\n", 4, &e), ST_OK);
  assert_int_equal(file_truncate(path, 8, &e), ST_OK);
  assert_int_equal(file_truncate(path, 4, &e), ST_OK);
  assert_holds(path, "one\n");
  assert_int_equal(e.count, 0);
  assert_int_equal(file_truncate(path, 5, &e), ST_USER);
  assert_non_null(strstr(e.text, "/log: 4 bytes"));
  assert_int_equal(file_truncate(in("none"), 1, &e), ST_USER);
  assert_holds(path, "one\n");
}

static void folders_are_made(void **state) {
  (void)state;
  err e = {0};
  const char *deep = in("a/b/c");
  assert_int_equal(file_make_folder(deep, &e), ST_OK);
  assert_int_equal(file_make_folder(deep, &e), ST_OK);
  assert_int_equal(file_what(deep), FILE_FOLDER);
  assert_int_equal(file_write(in("a/file"), "x", 1, &e), ST_OK);
  assert_int_equal(e.count, 0);
  assert_int_equal(file_make_folder(in("a/file"), &e), ST_USER);
  assert_int_equal(file_make_folder(in("a/file/b"), &e), ST_USER);
  assert_int_equal(e.count, 2);
  assert_holds(in("a/file"), "x");
}

/* A tree goes, what its links point to stays. */
static void trees_are_removed(void **state) {
  (void)state;
  err e = {0};
  assert_int_equal(file_make_folder(in("keep/inside"), &e), ST_OK);
  assert_int_equal(file_write(in("keep/inside/file"), "kept", 4, &e), ST_OK);
  assert_int_equal(file_make_folder(in("tree/sub/deeper"), &e), ST_OK);
  assert_int_equal(file_write(in("tree/sub/file"), "x", 1, &e), ST_OK);
  assert_int_equal(symlink("../keep", in("tree/to_folder")), 0);
  assert_int_equal(symlink("../keep/inside/file", in("tree/to_file")), 0);
  assert_int_equal(symlink("nowhere", in("tree/to_nothing")), 0);
  assert_int_equal(symlink("tree", in("link")), 0);
  assert_int_equal(file_remove(in("link"), &e), ST_OK);
  assert_int_equal(file_what(in("tree/sub/file")), FILE_REGULAR);
  assert_int_equal(file_remove(in("tree"), &e), ST_OK);
  assert_int_equal(file_remove(in("tree"), &e), ST_OK);
  assert_int_equal(e.count, 0);
  assert_int_equal(entries(folder), 1);
  assert_holds(in("keep/inside/file"), "kept");
}

static void links_and_names_are_replaced(void **state) {
  (void)state;
  err e = {0};
  assert_int_equal(file_make_folder(in("step-1"), &e), ST_OK);
  assert_int_equal(file_make_folder(in("step-2"), &e), ST_OK);
  assert_int_equal(file_write(in("step-2/file"), "two", 3, &e), ST_OK);
  assert_int_equal(file_link("step-1", in("last"), &e), ST_OK);
  assert_int_equal(file_link("step-2", in("last"), &e), ST_OK);
  assert_holds(in("last/file"), "two");
  assert_int_equal(entries(folder), 3);
  assert_int_equal(file_write(in("a"), "a", 1, &e), ST_OK);
  assert_int_equal(file_write(in("b"), "b", 1, &e), ST_OK);
  assert_int_equal(file_rename(in("a"), in("b"), &e), ST_OK);
  assert_holds(in("b"), "a");
  assert_int_equal(e.count, 0);
  assert_int_equal(file_rename(in("a"), in("b"), &e), ST_USER);
  assert_int_equal(file_link("x", in("none/link"), &e), ST_USER);
  assert_int_equal(file_sync_folder(in("none"), &e), ST_USER);
  assert_int_equal(e.count, 3);
}

static void names_and_checksums(void **state) {
  (void)state;
  assert_string_equal(file_name("a/b/c.txt"), "c.txt");
  assert_string_equal(file_name("c.txt"), "c.txt");
  assert_string_equal(file_name("a/"), "");
  char hash[17];
  file_hash("", 0, hash); /* XXH64 of nothing and of "abc" with seed 0, as published */
  assert_string_equal(hash, "ef46db3751d8e999");
  file_hash("abc", 3, hash);
  assert_string_equal(hash, "44bc2cf5ad770999");
}

static void files_are_mapped(void **state) {
  (void)state;
  file_bytes b;
  err e = {0};
  assert_int_equal(file_write(in("a"), "0123456789", 10, &e), ST_OK);
  assert_true(file_map(in("a"), &b));
  assert_int_equal(b.size, 10);
  assert_memory_equal(b.data, "0123456789", 10);
  assert_int_equal(file_write(in("a"), "new", 3, &e), ST_OK); /* replaced by another file: this one stays */
  assert_memory_equal(b.data, "0123456789", 10);
  file_unmap(&b);
  assert_null(b.data);
  assert_int_equal(file_write(in("empty"), "", 0, &e), ST_OK);
  const char *const cannot[] = {in("none"), in("empty"), folder, "/dev/null"};
  for (int i = 0; i < 4; i++) assert_false(file_map(cannot[i], &b) || b.data);
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      FILE_TEST(files_are_read_and_replaced),
      FILE_TEST(unreadable_files_are_named),
      FILE_TEST(files_are_mapped),
      FILE_TEST(a_limit_of_size_loses_nothing),
      FILE_TEST(a_full_disk_loses_nothing),
      FILE_TEST(logs_are_cut_back),
      FILE_TEST(folders_are_made),
      FILE_TEST(trees_are_removed),
      FILE_TEST(links_and_names_are_replaced),
      cmocka_unit_test(names_and_checksums),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
