#define _GNU_SOURCE
#include "dyt/run.h"

#include "dyt/file.h"
#include "dyt/kernel.h"
#include "dyt/mem.h"

#include <cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

char *run_file(const char *path, const char *name) { return mem_printf("%s/%s", path, name); }

static st lock(run *r, const char *path, err *e) {
  *r = (run){.path = mem_strdup(path), .lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (r->lock >= 0 && flock(r->lock, LOCK_EX | LOCK_NB) == 0) return ST_OK;
  int why = errno;
  run_close(r);
  if (why == EWOULDBLOCK) return err_add(e, ST_USER, "%s: another process is training in this run", path);
  return err_add(e, ST_USER, "%s: cannot be locked: %s", path, strerror(why));
}

static st fill(const char *path, const config *c, const str *env, err *e) {
  str text = {0};
  config_write(c, &text);
  char *config_path = run_file(path, "config.json"), *env_path = run_file(path, "env.json");
  st code = file_write(config_path, text.data, text.len, e);
  if (!code) code = file_write(env_path, env->data, env->len, e);
  str_free(&text);
  mem_free(config_path);
  mem_free(env_path);
  return code;
}

st run_create(run *r, const char *path, const config *c, const str *env, err *e) {
  if (file_what(path) != FILE_NONE)
    return err_add(
        e, ST_USER,
        "%s: exists already: go on with it by `dyt train --resume %s`, choose another --run-dir, or remove it",
        path, path);
  char *temporary = mem_printf("%s.tmp-%ld", path, (long)getpid());
  st code = file_make_folder(temporary, e);
  if (!code) code = fill(temporary, c, env, e);
  if (!code) code = file_rename(temporary, path, e);
  if (code) file_remove(temporary, NULL);
  mem_free(temporary);
  return code ? code : lock(r, path, e);
}

st run_resume(run *r, const char *path, err *e) {
  char *config_path = run_file(path, "config.json");
  st code = file_what(config_path) == FILE_REGULAR
                ? lock(r, path, e)
                : err_add(e, ST_USER, "%s: no run directory: there is no config.json in it", path);
  mem_free(config_path);
  return code;
}

void run_close(run *r) {
  if (r->path && r->lock >= 0) close(r->lock);
  mem_free(r->path);
  *r = (run){0};
}

st run_append(const run *r, const char *name, const str *text, err *e) {
  char *path = run_file(r->path, name);
  st code = file_append(path, text->data, text->len, e);
  mem_free(path);
  return code;
}

st run_replace(const run *r, const char *name, const str *text, err *e) {
  char *path = run_file(r->path, name);
  st code = file_write(path, text->data, text->len, e);
  mem_free(path);
  return code;
}

bool run_is_done(const run *r) {
  char *path = run_file(r->path, "status.json");
  file_bytes b = {0};
  bool done = !file_read(path, 1 << 20, &b, NULL) && strstr((const char *)b.data, "\"state\": \"done\"");
  file_bytes_free(&b);
  mem_free(path);
  return done;
}

uint64_t run_size(const run *r, const char *name) {
  char *path = run_file(r->path, name);
  uint64_t size = file_size(path);
  mem_free(path);
  return size;
}

char *run_default_path(const char *config_path, const config *c) {
  char hash[17];
  config_hash(c, hash);
  const char *name = file_name(config_path), *dot = strrchr(name, '.');
  int n = dot && dot > name ? (int)(dot - name) : (int)strlen(name);
  return mem_printf("runs/%.*s-%.8s", n, name, hash);
}

/* --- env.json --- */

static void cpu_model(char out[128]) {
  FILE *f = fopen("/proc/cpuinfo", "r");
  char line[256];
  snprintf(out, 128, "unknown");
  while (f && fgets(line, sizeof line, f)) {
    if (strncmp(line, "model name", 10) || !strchr(line, ':')) continue;
    snprintf(out, 128, "%.100s", strchr(line, ':') + 2);
    out[strcspn(out, "\n")] = '\0';
    break;
  }
  if (f) fclose(f);
}

void run_environment(int threads, const char *data_fingerprint, str *out) {
  char cpu[128], host[128] = "unknown", when[32];
  time_t now = time(NULL);
  struct tm utc;
  cpu_model(cpu);
  gethostname(host, sizeof host - 1);
  strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
  const char *const member[][2] = {
      {"version", DYT_VERSION},   {"real", REAL_NAME},      {"compiler", __VERSION__},
      {"blas", k_blas_name()},    {"simd", k_simd_level()}, {"cpu", cpu},
      {"data", data_fingerprint}, {"host", host},           {"started", when}};
  str_addf(out, "{\n  \"threads\": %d", threads);
  for (size_t i = 0; i < sizeof member / sizeof member[0]; i++) {
    str_addf(out, ",\n  \"%s\": ", member[i][0]);
    str_add_quoted(out, member[i][1]);
  }
  str_add(out, "\n}\n");
}

/* --- summary.csv --- */

/* All that a line of log.jsonl can have, in its order. */
#define SPLIT(name) name "_loss", name "_acc1", name "_acc5"
static const char *const columns[] = {"epoch",
                                      "step",
                                      "train_loss",
                                      "train_acc1",
                                      SPLIT("val"),
                                      SPLIT("raw_val"),
                                      SPLIT("eval_train"),
                                      SPLIT("raw_eval_train"),
                                      SPLIT("test"),
                                      SPLIT("raw_test"),
                                      "lr",
                                      "img_per_s",
                                      "seconds"};

static void add_row(const char *line, size_t n, str *out) {
  cJSON *row = cJSON_ParseWithLength(line, n);
  for (size_t i = 0; row && i < sizeof columns / sizeof columns[0]; i++) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(row, columns[i]);
    if (i) str_add(out, ",");
    if (cJSON_IsNumber(v)) str_addf(out, "%.9g", v->valuedouble);
  }
  if (row) str_add(out, "\n");
  cJSON_Delete(row);
}

void run_summary(const char *log, str *out) {
  for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
    str_addf(out, "%s%s", i ? "," : "", columns[i]);
  str_add(out, "\n");
  while (*log) {
    size_t n = strcspn(log, "\n");
    add_row(log, n, out);
    log += n + (log[n] == '\n');
  }
}
