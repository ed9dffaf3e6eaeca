/* dyt study: grids, what is chosen, shared runs, kills, locks, and what cannot be. */
#define _GNU_SOURCE
#include "command.h"

#include "dyt/mem.h"
#include "dyt/record.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

/* Six runs: three functions, two seeds. */
static const char functions[] =
    "{ \"base\": \"tiny.json\", \"set\": { \"data.val_size\": 60, \"schedule.epochs\": 3, \"optim.lr\": 2e-2 },\n"
    "  \"axes\": [ { \"name\": \"fn\", \"key\": \"model.norm.fn\", \"values\": [\"tanh\", \"hardtanh\", \"sigmoid\"] } ],\n"
    "  \"seeds\": [0, 1],\n"
    "  \"table\": { \"rows\": \"fn\", \"metric\": \"test_acc1\", \"baseline\": { \"fn\": \"tanh\" } } }\n";

/* A learning rate for two norms, chosen by one seed and reported by two. */
static const char tuning[] =
    "{ \"base\": \"tiny.json\", \"set\": { \"data.val_size\": 60, \"schedule.epochs\": 4 },\n"
    "  \"axes\": [ { \"name\": \"norm\", \"cases\": [ { \"label\": \"LN\", \"set\": { \"model.norm.kind\": \"layernorm\" } },\n"
    "                                           { \"label\": \"DyT\", \"set\": { \"model.norm.kind\": \"dyt\" } } ] },\n"
    "            { \"name\": \"lr\", \"key\": \"optim.lr\", \"values\": [1e-6, 2e-2] } ],\n"
    "  \"seeds\": [0, 1],\n"
    "  \"select\": { \"axis\": \"lr\", \"by\": \"val_acc1\", \"seeds\": [100] },\n"
    "  \"tiers\": { \"short\": { \"seeds\": [5], \"set\": { \"data.val_size\": 60, \"schedule.epochs\": 4, \"train.max_steps\": 4 } } } }\n";

static void put(const command *c, const char *name, const char *text) {
  mem_free(support_write(c->folder, name, text));
}

/* Files of the folder whose names end so. */
static int count_files(const command *c, const char *folder, const char *ending) {
  char *path = command_path(c, folder);
  DIR *d = opendir(path);
  int n = 0;
  for (struct dirent *f; d && (f = readdir(d));) {
    size_t have = strlen(f->d_name), want = strlen(ending);
    n += have >= want && strcmp(f->d_name + have - want, ending) == 0;
  }
  if (d) closedir(d);
  mem_free(path);
  return n;
}

/* The id of the study's first run, from a dry run. */
static char *first_id(command *c, const char *study) {
  assert_int_equal(command_run(c, "study @/%s --runs @/runs --out @/dry --dry-run", study), 0);
  return mem_printf("%.16s", c->out);
}

static int times(const char *text, const char *part) {
  int n = 0;
  for (const char *p = text; (p = strstr(p, part)); p += strlen(part)) n++;
  return n;
}

/* --- a grid --- */

static void test_a_grid_trains_each_run_once(void **state) {
  command *c = *state;
  put(c, "functions.json", functions);
  assert_int_equal(command_run(c, "study @/functions.json --runs @/runs --out @/out"), 0);
  assert_int_equal(count_files(c, "runs", ".json.gz"), 6);
  assert_int_equal(count_files(c, "runs", ".lock") + count_files(c, "runs", ".out"), 0);
  assert_int_equal(times(c->err, "seed "), 6);
  command_assert_contains(c->out, "hardtanh");
  assert_true(command_exists(c, "out/study.json") && command_exists(c, "out/table.md"));
  file_bytes before = command_read(c, "out/table.csv");
  assert_int_equal(command_run(c, "study @/functions.json --runs @/runs --out @/out"), 0);
  assert_int_equal(times(c->err, "seed "), 0);
  file_bytes after = command_read(c, "out/table.csv");
  assert_string_equal((char *)before.data, (char *)after.data);
  file_bytes_free(&before);
  file_bytes_free(&after);
}

/* A run's record is that of the same training alone. */
static void test_a_run_is_what_train_makes_of_it(void **state) {
  command *c = *state;
  put(c, "functions.json", functions);
  char *id = first_id(c, "functions.json");
  assert_int_equal(
      command_run(c, "study @/functions.json --runs @/runs --out @/out --only fn=tanh --only seed=0"), 0);
  assert_int_equal(count_files(c, "runs", ".json.gz"), 1);
  assert_int_equal(
      command_run(
          c,
          "train @/tiny.json --set data.val_size=60 --set schedule.epochs=3 --set optim.lr=2e-2 --set model.norm.fn=tanh --set train.seed=0 "
          "--run-dir @/alone"),
      0);
  char *weights = mem_printf("runs/%s/checkpoints/last/model.safetensors", id);
  command_assert_same(c, weights, "alone/checkpoints/last/model.safetensors");
  char *file = mem_printf("%s/runs/%s.json.gz", c->folder, id), *run = mem_printf("%s/alone", c->folder);
  record a = {0}, b = {0};
  assert_int_equal(record_read(&a, file, &(err){0}), ST_OK);
  assert_int_equal(record_read(&b, run, &(err){0}), ST_OK);
  assert_int_equal(a.epochs.rows, 3);
  assert_int_equal(a.images, 90);
  assert_int_equal(a.layers, 5);
  for (int i = 0; i < a.images; i++)
    assert_true(a.predicted[i] == b.predicted[i] && a.right[i] == b.right[i]);
  for (int i = 0; i < a.norms.rows; i++)
    for (int k = 0; k < NORMS_COLUMNS; k++) {
      double x = record_at(&a.norms, i, k), y = record_at(&b.norms, i, k);
      assert_true((isnan(x) && isnan(y)) || fabs(x - y) <= 1e-4 * fabs(y));
    }
  assert_non_null(a.shape);
  assert_true(a.shape[0].tanh_r2 > 0.999); /* it is a tanh */
  record_free(&a);
  record_free(&b);
  mem_free(file);
  mem_free(run);
  mem_free(weights);
  mem_free(id);
}

static void test_studies_share_runs(void **state) {
  command *c = *state;
  put(c, "functions.json", functions);
  put(c, "other.json",
      "{ \"base\": \"tiny.json\", \"set\": { \"data.val_size\": 60, \"schedule.epochs\": 3, \"optim.lr\": 2e-2 },\n"
      "  \"axes\": [ { \"name\": \"which\", \"cases\": [ { \"label\": \"T\", \"set\": { \"model.norm.fn\": \"tanh\" } },\n"
      "    { \"label\": \"E\", \"set\": { \"model.norm.fn\": \"erf\" }, \"seeds\": [1] } ] } ], \"seeds\": [0, 1] }\n");
  assert_int_equal(command_run(c, "study @/functions.json --runs @/runs --out @/out --keep record"), 0);
  assert_int_equal(command_run(c, "study @/other.json --runs @/runs --out @/other"), 0);
  assert_int_equal(times(c->err, "seed "), 1);
  assert_int_equal(count_files(c, "runs", ".json.gz"), 7);
  command_assert_contains(c->out, "(2)");
  assert_int_equal(count_files(c, "runs", "gz") + 1 + 2 + 1,
                   count_files(c, "runs", "")); /* records, one kept run, . and .., .claims */
}

/* --- choosing --- */

static void test_the_better_case_is_chosen(void **state) {
  command *c = *state;
  put(c, "tuning.json", tuning);
  assert_int_equal(command_run(c, "study @/tuning.json --runs @/runs --out @/out"), 0);
  assert_int_equal(count_files(c, "runs", ".json.gz"), 4 + 4);
  file_bytes runs = command_read(c, "out/runs.json");
  command_assert_contains((char *)runs.data, "{\"cell\": [0,1]");
  command_assert_contains((char *)runs.data, "{\"cell\": [1,1]");
  command_assert_contains((char *)runs.data, "\"trials\": 2");
  file_bytes_free(&runs);
  put(c, "user.json",
      "{ \"base\": \"tiny.json\", \"set\": { \"data.val_size\": 60, \"schedule.epochs\": 4 }, \"seeds\": [0],\n"
      "  \"use\": [ { \"study\": \"tuning.json\", \"cell\": { \"norm\": \"DyT\" } } ] }\n");
  assert_int_equal(command_run(c, "study @/user.json --runs @/runs --out @/user"), 0);
  assert_int_equal(times(c->err, "seed "), 0); /* DyT at 2e-2 with seed 0 is there */
  assert_int_equal(command_run(c, "study @/tuning.json --tier short --runs @/runs --out @/short"), 0);
  assert_int_equal(count_files(c, "runs", ".json.gz"), 8 + 4 + 2);
}

/* Of cases that are as good as each other the lowest learning rate; cells that are excluded are not run. */
static void test_ties_and_exclusions(void **state) {
  command *c = *state;
  put(c, "ties.json",
      "{ \"base\": \"tiny.json\", \"set\": { \"data.val_size\": 60, \"train.max_steps\": 2 }, \"seeds\": [],\n"
      "  \"axes\": [ { \"name\": \"lr\", \"key\": \"optim.lr\", \"values\": [3e-9, 1e-9, 2e-9, 4e-9] } ],\n"
      "  \"exclude\": [ { \"lr\": 4e-9 } ], \"select\": { \"axis\": \"lr\", \"by\": \"val_acc1\", \"seeds\": [100] } }\n");
  assert_int_equal(command_run(c, "study @/ties.json --runs @/runs --out @/out"), 0);
  assert_int_equal(count_files(c, "runs", ".json.gz"), 3);
  file_bytes runs = command_read(c, "out/runs.json");
  command_assert_contains((char *)runs.data, "{\"cell\": [1], ");
  file_bytes_free(&runs);
}

/* What has failed is the worst, also by a loss, which knows no chance. */
static void test_failed_runs_are_not_chosen(void **state) {
  command *c = *state;
  put(c, "losses.json",
      "{ \"base\": \"tiny.json\", \"set\": { \"data.val_size\": 60 }, \"seeds\": [],\n"
      "  \"axes\": [ { \"name\": \"lr\", \"key\": \"optim.lr\", \"values\": [1e30, 2e-2] } ],\n"
      "  \"select\": { \"axis\": \"lr\", \"by\": \"val_loss\", \"seeds\": [100] } }\n");
  c->under = "timeout 60"; /* a choice that can never be made would wait for ever */
  assert_int_equal(command_run(c, "study @/losses.json --runs @/runs --out @/out"), 0);
  file_bytes runs = command_read(c, "out/runs.json");
  command_assert_contains((char *)runs.data, "{\"cell\": [1], ");
  file_bytes_free(&runs);
}

/* --- kills and company --- */

/* Tables of runs that were killed are those of runs that were not. */
static void test_killed_and_run_again(void **state) {
  command *c = *state;
  char *longer = mem_strdup(functions), *epochs = strstr(longer, "epochs\": 3, ");
  memcpy(epochs + 9, "60,", 3);
  put(c, "functions.json", longer);
  mem_free(longer);
  assert_int_equal(command_run(c, "study @/functions.json --runs @/whole --out @/a"), 0);
  for (int i = 0; i < 4; i++) {
    pid_t pid = command_start(c, "study @/functions.json --runs @/killed --out @/b");
    command_nap(0.15 + 0.1 * i + (double)(getpid() % 50) / 1000);
    kill(pid, SIGKILL);
    assert_int_equal(command_wait(pid), 128 + SIGKILL);
  }
  assert_int_equal(command_run(c, "study @/functions.json --runs @/killed --out @/b"), 0);
  command_assert_same(c, "a/table.md", "b/table.md");
  command_assert_same(c, "a/table.csv", "b/table.csv");
  command_assert_same(c, "a/table.json", "b/table.json");
  assert_int_equal(count_files(c, "killed", ".lock"), 0);
}

static void test_interrupted(void **state) {
  command *c = *state;
  put(c, "functions.json", functions);
  pid_t pid = command_start(
      c, "study @/functions.json --runs @/runs --out @/out --jobs 1 --threads 1 --only fn=tanh");
  for (int i = 0; i < 1000 && count_files(c, "runs", ".lock") == 0; i++) command_nap(0.01);
  kill(pid, SIGINT);
  assert_int_equal(command_wait(pid), 130);
  assert_int_equal(count_files(c, "runs", ".lock"), 0);
  assert_int_equal(command_run(c, "study @/functions.json --runs @/runs --out @/out --only fn=tanh"), 0);
  assert_int_equal(count_files(c, "runs", ".json.gz"), 2);
}

/* Half of it took 1000 s, so it has 1000 to go, and no second place makes one run faster. */
static void test_time_left_of_a_run_that_was_begun(void **state) {
  command *c = *state;
  put(c, "functions.json", functions);
  char *id = first_id(c, "functions.json"), *folder = mem_printf("%s/runs", c->folder);
  char *dir = mem_printf("%s/%s", folder, id), *status = mem_printf("runs/%s/status.json", id);
  mkdir(folder, 0777);
  mkdir(dir, 0777);
  put(c, status, "{\"state\": \"interrupted\", \"step\": 9, \"epoch\": 1.5, \"seconds\": 1000}");
  assert_int_equal(
      command_run(c, "study @/functions.json --runs @/runs --out @/out --dry-run --jobs 2 --only id=%s", id),
      0);
  command_assert_contains(c->out, "about 16:40 with 2 side by side");
  assert_int_equal(
      command_run(c, "study @/functions.json --runs @/runs --out @/out --dry-run --jobs 2 --only fn=tanh"),
      0);
  command_assert_contains(c->out, "about 16:40 with 2 side by side");
  put(c, status, "{\"epoch\": \"half\"");
  assert_int_equal(
      command_run(c, "study @/functions.json --runs @/runs --out @/out --dry-run --only id=%s", id), 0);
  assert_null(strstr(c->out, "16:40")); /* measured, as if nothing had been begun */
  mem_free(status);
  mem_free(dir);
  mem_free(folder);
  mem_free(id);
}

static void test_two_at_once_train_each_run_once(void **state) {
  command *c = *state;
  put(c, "functions.json", functions);
  char *line = mem_printf(
      "cd %s; for i in 1 2; do \"$DYT_ABS\" study functions.json --runs runs --out out --jobs 2 2>err$i >out$i & done; wait",
      c->folder);
  const char *dyt = getenv("DYT") ? getenv("DYT") : "build/dyt";
  char *absolute = realpath(dyt, NULL);
  setenv("DYT_ABS", absolute, 1);
  assert_int_equal(WEXITSTATUS(system(line)), 0);
  file_bytes a = command_read(c, "err1"), b = command_read(c, "err2");
  int made = times((char *)a.data, " in 0:") + times((char *)b.data, " in 0:");
  int met = times((char *)a.data, "run by another process") + times((char *)b.data, "run by another process");
  assert_int_equal(made, 6);
  assert_int_equal(made + met, 12);
  command_assert_same(c, "out1", "out2");
  file_bytes_free(&a);
  file_bytes_free(&b);
  mem_free(line);
  free(absolute);
}

/* As docs/studies.md shows it, the program being on the PATH. */
static void run_commands(command *c, const char *scheduler) {
  char *bin = command_path(c, "bin"), *link = command_path(c, "bin/dyt");
  char *dyt = realpath(getenv("DYT") ? getenv("DYT") : "build/dyt", NULL);
  mkdir(bin, 0777);
  unlink(link);
  assert_int_equal(symlink(dyt, link), 0);
  char *line = mem_printf(
      "cd %s; PATH=$PWD/bin:$PATH; dyt study functions.json --runs runs --out out --commands | %s >said 2>&1",
      c->folder, scheduler);
  int status = system(line);
  if (WEXITSTATUS(status)) fail_msg("%s: exit code %d", line, WEXITSTATUS(status));
  assert_int_equal(count_files(c, "runs", ".json.gz"), 6);
  assert_int_equal(command_run(c, "study @/functions.json --runs @/runs --out @/out --commands"), 0);
  assert_string_equal(c->out, "");
  mem_free(line);
  mem_free(bin);
  mem_free(link);
  free(dyt);
}

static void test_commands_by_gnu_parallel(void **state) {
  command *c = *state;
  put(c, "functions.json", functions);
  run_commands(c, "parallel --jobs 2");
}

static void test_commands_by_xargs(void **state) {
  command *c = *state;
  put(c, "functions.json", functions);
  run_commands(c, "xargs -P 2 -d '\\n' -n 1 sh -c");
}

/* --- what was left behind --- */

static void test_a_lock_of_a_process_that_is_gone(void **state) {
  command *c = *state;
  char host[256] = {0};
  put(c, "functions.json", functions);
  char *id = first_id(c, "functions.json");
  gethostname(host, sizeof host - 1);
  char *store = command_path(c, "runs");
  assert_int_equal(mkdir(store, 0777), 0);
  mem_free(store);
  char *name = mem_printf("runs/%s.lock", id), *text = mem_printf("%s 999999999", host);
  put(c, name, text);
  c->under = "timeout 20"; /* less than a lock that nobody touches lasts */
  assert_int_equal(
      command_run(c, "study @/functions.json --runs @/runs --out @/out --only fn=tanh --only seed=0"), 0);
  /* of another host: void once it was not touched for a minute */
  assert_int_equal(
      command_run(c, "study @/functions.json --runs @/other --out @/out2 --only fn=tanh --only seed=1"), 0);
  char *far = mem_printf("other/%s.lock", id), *path = command_path(c, far);
  put(c, far, "elsewhere.example 1");
  utime(path, &(struct utimbuf){.actime = 1000, .modtime = 1000});
  assert_int_equal(
      command_run(c, "study @/functions.json --runs @/other --out @/out2 --only fn=tanh --only seed=0"), 0);
  mem_free(path);
  mem_free(far);
  mem_free(name);
  mem_free(text);
  mem_free(id);
}

static void test_half_a_run_is_trained_anew(void **state) {
  command *c = *state;
  put(c, "functions.json", functions);
  char *id = first_id(c, "functions.json");
  static const char *const lost[] = {"config.json", "checkpoints/last/model.safetensors",
                                     "checkpoints/last/optim.safetensors"};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(
        command_run(c, "study @/functions.json --runs @/runs --out @/out --keep all --only id=%s", id), 0);
    char *file = mem_printf("%s/runs/%s/%s", c->folder, id, lost[i]),
         *rec = mem_printf("%s/runs/%s.json.gz", c->folder, id);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(unlink(rec), 0);
    assert_int_equal(
        command_run(c, "study @/functions.json --runs @/runs --out @/out --keep all --only id=%s", id), 0);
    assert_int_equal(count_files(c, "runs", ".json.gz"), 1);
    mem_free(file);
    mem_free(rec);
  }
  mem_free(id);
}

/* A run that diverges is a result; one that cannot be trained is a failure, and is tried again. */
static void test_diverged_and_failed(void **state) {
  command *c = *state;
  put(c, "diverges.json",
      "{ \"base\": \"tiny.json\", \"set\": { \"model.norm.fn\": \"identity\", \"optim.lr\": 1e30 }, \"seeds\": [0] }\n");
  assert_int_equal(command_run(c, "study @/diverges.json --runs @/runs --out @/out"), 0);
  command_assert_contains(c->err, "diverged");
  command_assert_contains(c->out, "failed");
  put(c, "fails.json",
      "{ \"base\": \"tiny.json\", \"set\": { \"data.format\": \"idx\", \"data.path\": \"/nowhere\" }, \"seeds\": [0, 1] }\n");
  assert_int_equal(command_run(c, "study @/fails.json --runs @/runs --out @/out2 --jobs 1"), 1);
  command_assert_contains(c->err, "/nowhere");
  assert_int_equal(count_files(c, "runs", ".failed"), 2);
  assert_int_equal(command_run(c, "study @/fails.json --runs @/none --out @/out2 --jobs 1 --fail-fast"), 1);
  assert_int_equal(count_files(c, "none", ".failed"), 1);
}

static void test_a_full_disk_loses_no_record(void **state) {
  command *c = *state;
  put(c, "functions.json", functions);
  assert_int_equal(command_run(c, "study @/functions.json --runs @/runs --out @/out --only fn=tanh"), 0);
  c->under = "sh -c 'ulimit -f 24; trap \"\" XFSZ; exec \"$@\"' sh";
  assert_int_equal(command_run(c, "study @/functions.json --runs @/runs --out @/out"), 1);
  c->under = NULL;
  command_assert_contains(c->err, "cannot be written");
  assert_int_equal(count_files(c, "runs", ".json.gz"), 2);
  assert_int_equal(command_run(c, "study @/functions.json --runs @/runs --out @/out"), 0);
  assert_int_equal(count_files(c, "runs", ".json.gz"), 6);
  assert_int_equal(count_files(c, "runs", ".failed"), 0);
}

/* --- what cannot be --- */

#define BASE "{ \"base\": \"tiny.json\", \"seeds\": [0], "

static void refuse(command *c, const char *text, const char *part) {
  put(c, "bad.json", text);
  command_refuse(c, "study @/bad.json --runs @/runs --out @/out", part);
  assert_false(command_exists(c, "runs"));
}

static void test_bad_studies(void **state) {
  command *c = *state;
  refuse(c, BASE "\"axes\": [ { \"name\": \"x\", \"key\": \"model.norm.fm\", \"values\": [\"tanh\"] } ] }",
         "model.norm.fm: unknown key, did you mean");
  refuse(c, BASE "\"axes\": [ { \"name\": \"x\", \"key\": \"optim.lr\", \"values\": [] } ] }",
         "bad.json:1:82: axes: x: 0 cases, expected 1 to 64");
  refuse(c, BASE "\"axes\": [ { \"name\": \"x\", \"values\": [1] } ] }",
         "expected {\"name\", \"key\", \"values\": [...]}");
  refuse(c,
         BASE
         "\"axes\": [ { \"name\": \"x\", \"cases\": [ { \"label\": \"a\" }, { \"label\": \"b\" } ] } ] }",
         "two cells are the same run (seed 0): x a; and x b");
  refuse(c,
         BASE
         "\"axes\": [ { \"name\": \"x\", \"cases\": [ { \"label\": \"a\" }, { \"label\": \"a\" } ] } ] }",
         "two cases are called a");
  refuse(c, BASE "\"exclude\": [ { \"y\": 1 } ] }", "no axis is called y");
  refuse(c, BASE "\"axis\": [] }", "bad.axis: unknown key, did you mean \"axes\"?");
  refuse(
      c,
      BASE
      "\"axes\": [ { \"name\": \"lr\", \"key\": \"optim.lr\", \"values\": [1, 2] } ], \"select\": { \"axis\": \"lr\", \"by\": \"val_acc1\" } }",
      "val_acc1 is of images that are held out: set data.val_size");
  refuse(c, "{ \"base\": \"tiny.json\" }", "seeds: expected a list");
  refuse(c, "{ \"base\": \"tiny.json\", \"seeds\": [] }", "seeds: expected at least one");
  refuse(c, "{ \"base\": \"tiny.json\", \"seeds\": [1, 1] }", "seeds: 1 is there twice");
  refuse(c, "{ \"base\": \"tiny.json\", \"seeds\": [-1] }", "seeds: expected whole numbers");
  refuse(c, "{ \"base\": \"none.json\", \"seeds\": [0] }", "none.json");
  refuse(c, "{ \"seeds\": [0] }", "base: expected the path of a config");
  refuse(c, BASE "\"table\": { \"metric\": \"top1\" } }", "top1");
  refuse(c, BASE "\"use\": [ { \"study\": \"bad.json\", \"cell\": {} } ] }", "bad.json selects nothing");
  refuse(
      c,
      BASE
      "\"axes\": [ { \"name\": \"lr\", \"key\": \"optim.lr\", \"values\": [1, 2] } ], \"select\": { \"axis\": \"lr\", \"by\": \"test_acc1\" } }",
      "nothing is chosen on the test split");
  refuse(
      c,
      BASE
      "\"axes\": [ { \"name\": \"lr\", \"key\": \"optim.lr\", \"values\": [1, 2] } ], \"select\": { \"axis\": \"lr\", \"by\": \"val_acc1\", \"seeds\": [0] } }",
      "may not be among the seeds that report");
  put(c, "functions.json", functions);
  command_refuse(c, "study @/functions.json --tier long", "no tier is called long; there is none");
  command_refuse(c, "study @/functions.json --only lr=1 --runs @/runs",
                 "--only lr=1: expected AXIS=CASE, seed=N or id=ID");
  command_refuse(c, "study @/functions.json --only fn=tan --runs @/runs", "no case of fn is called so");
  command_refuse(c, "study @/functions.json --keep some", "expected record, last or all");
}

static void test_a_folder_of_another_study(void **state) {
  command *c = *state;
  put(c, "functions.json", functions);
  put(c, "tuning.json", tuning);
  command_refuse(c, "study @/functions.json --runs @/runs --out @/out --only id=zz --dry-run",
                 "no run matches --only");
  assert_int_equal(
      command_run(c, "study @/functions.json --runs @/runs --out @/out --only fn=tanh --only seed=0"), 0);
  command_refuse(c, "study @/tuning.json --runs @/runs --out @/out",
                 "made by functions.json, not by tuning.json: choose another --out");
  put(c, "user.json",
      "{ \"base\": \"tiny.json\", \"seeds\": [0], \"use\": [ { \"study\": \"tuning.json\", \"cell\": { \"norm\": \"DyT\" } } ] }\n");
  command_refuse(c, "study @/user.json --runs @/runs --out @/user", "tuning.json has not run");
}

static void test_damaged_records(void **state) {
  command *c = *state;
  put(c, "functions.json", functions);
  char *id = first_id(c, "functions.json");
  assert_int_equal(command_run(c, "study @/functions.json --runs @/runs --out @/out --only id=%s", id), 0);
  char *name = mem_printf("runs/%s.json.gz", id), *path = command_path(c, name);
  assert_int_equal(truncate(path, 200), 0);
  command_refuse(c, "table @/out", "damaged: no whole gzip file");
  put(c, name, "no gzip");
  command_refuse(c, "table @/out", ".json.gz");
  put(c, name, "{\"format\": \"dyt record 2\"}");
  command_refuse(c, "table @/out", "no record of a run");
  mem_free(path);
  mem_free(name);
  mem_free(id);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

// test_study [CASE]: all cases, or those that a pattern with * and ? names.
int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      TEST(test_a_grid_trains_each_run_once),
      TEST(test_a_run_is_what_train_makes_of_it),
      TEST(test_studies_share_runs),
      TEST(test_the_better_case_is_chosen),
      TEST(test_ties_and_exclusions),
      TEST(test_failed_runs_are_not_chosen),
      TEST(test_killed_and_run_again),
      TEST(test_interrupted),
      TEST(test_time_left_of_a_run_that_was_begun),
      TEST(test_two_at_once_train_each_run_once),
      TEST(test_commands_by_gnu_parallel),
      TEST(test_commands_by_xargs),
      TEST(test_a_lock_of_a_process_that_is_gone),
      TEST(test_half_a_run_is_trained_anew),
      TEST(test_diverged_and_failed),
      TEST(test_a_full_disk_loses_no_record),
      TEST(test_bad_studies),
      TEST(test_a_folder_of_another_study),
      TEST(test_damaged_records),
  };
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
