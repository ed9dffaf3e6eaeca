#define _GNU_SOURCE
#include "command.h"

#include "dyt/mem.h"
#include "dyt/str.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* 30 steps an epoch; learnable in a few seconds. */
static const char tiny[] =
    "{ \"_about\": \"a tiny model\",\n"
    "  \"model\": { \"image_size\": 8, \"patch_size\": 4, \"dim\": 16, \"depth\": 2, \"heads\": 2, \"mlp_ratio\": 2,\n"
    "             \"norm\": { \"kind\": \"dyt\", \"alpha0\": 1 } },\n"
    "  \"data\": { \"format\": \"synthetic\", \"train_size\": 470, \"test_size\": 90,\n"
    "            \"augment\": { \"crop_padding\": 1, \"hflip\": 0.5 } },\n"
    "  \"optim\": { \"lr\": 2e-3 },\n"
    "  \"schedule\": { \"epochs\": 3, \"warmup_epochs\": 0.5 },\n"
    "  \"train\": { \"batch_size\": 16, \"shards\": 4, \"probe_every\": 7, \"probe_samples\": 50 } }\n";

int command_setup(void **state) {
  command *c = mem_new(1, sizeof *c);
  c->folder = support_folder();
  mem_free(support_write(c->folder, "tiny.json", tiny));
  *state = c;
  return 0;
}

int command_teardown(void **state) {
  command *c = *state;
  support_end(c->folder);
  mem_free(c->out);
  mem_free(c->err);
  mem_free(c);
  return 0;
}

char *command_path(const command *c, const char *name) { return mem_printf("%s/%s", c->folder, name); }

/* The arguments with every "@" replaced by the folder. */
__attribute__((format(printf, 3, 0))) static char *expand(const command *c, const char *program,
                                                          const char *format, va_list args) {
  char *text = NULL;
  assert_true(vasprintf(&text, format, args) >= 0);
  str s = {0};
  str_addf(&s, "exec %s %s ", c->under ? c->under : "", program);
  for (const char *p = text; *p; p++) {
    if (*p == '@')
      str_add(&s, c->folder);
    else
      str_add_bytes(&s, p, 1);
  }
  free(text);
  str_addf(&s, " >%s/stdout 2>%s/stderr", c->folder, c->folder);
  return s.data;
}

static const char *program(void) { return getenv("DYT") ? getenv("DYT") : "build/dyt"; }

static pid_t spawn(char *line) {
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    execl("/bin/sh", "sh", "-c", line, (char *)NULL);
    _exit(127);
  }
  mem_free(line);
  return pid;
}

int command_wait(pid_t pid) {
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

pid_t command_start(command *c, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *line = expand(c, program(), format, args);
  va_end(args);
  return spawn(line);
}

int command_run(command *c, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *line = expand(c, program(), format, args);
  va_end(args);
  int code = command_wait(spawn(line));
  mem_free(c->out);
  mem_free(c->err);
  c->out = (char *)command_read(c, "stdout").data;
  c->err = (char *)command_read(c, "stderr").data;
  return code;
}

void command_refuse(command *c, const char *arguments, const char *part) {
  assert_int_equal(command_run(c, "%s", arguments), 2);
  command_assert_contains(c->err, part);
  command_assert_contains(c->err, "error: ");
  assert_ptr_equal(strchr(c->err, '\n'), c->err + strlen(c->err) - 1);
  assert_string_equal(c->out, "");
}

file_bytes command_read(const command *c, const char *name) {
  char *path = command_path(c, name);
  file_bytes b;
  err e = {0};
  if (file_read(path, SIZE_MAX, &b, &e)) fail_msg("%s", e.text);
  mem_free(path);
  return b;
}

bool command_exists(const command *c, const char *name) {
  char *path = command_path(c, name);
  bool yes = file_what(path) != FILE_NONE;
  mem_free(path);
  return yes;
}

void command_nap(double seconds) {
  struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  nanosleep(&t, NULL);
}

void command_wait_for(const command *c, const char *name, const char *text) {
  for (int i = 0; i < 2000; i++) {
    bool found = false;
    if (command_exists(c, name)) {
      file_bytes b = command_read(c, name);
      found = strstr((char *)b.data, text) != NULL;
      file_bytes_free(&b);
    }
    if (found) return;
    command_nap(0.01);
  }
  fail_msg("%s never held '%s'", name, text);
}

void command_assert_same(const command *c, const char *a, const char *b) {
  file_bytes x = command_read(c, a), y = command_read(c, b);
  if (x.size != y.size || memcmp(x.data, y.data, x.size)) fail_msg("%s and %s differ", a, b);
  file_bytes_free(&x);
  file_bytes_free(&y);
}

void command_assert_contains(const char *text, const char *part) {
  if (!strstr(text, part)) fail_msg("expected '%s' in: %s", part, text);
}
