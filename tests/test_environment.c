/* The surroundings a user may start the program in: the same bits, the right number of threads, and a warning where
 * it costs speed. */
#define _GNU_SOURCE
#include "command.h"

#include "dyt/mem.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double number_after(const char *text, const char *mark) {
  const char *p = strstr(text, mark);
  if (!p) fail_msg("no '%s' in: %s", mark, text);
  return atof(p + strlen(mark));
}

static int times_in(const char *text, const char *part) {
  int n = 0;
  for (const char *p = text; (p = strstr(p, part)); p++) n++;
  return n;
}

/* The number of threads that the program said it computes on. */
static int threads_of(const char *text) {
  const char *p = strstr(text, "dyt 0.");
  p = p ? strchr(p, ':') : NULL;
  if (!p) fail_msg("no threads in: %s", text);
  return atoi(p + 1);
}

/* The time counts from where the process began, here a shell that slept before it became the program. */
static void test_first_step(void **state) {
  command *c = *state;
  double begin = seconds();
  c->under = "sh -c 'sleep 0.3; exec \"$@\"' sh";
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/run --set train.max_steps=3"), 0);
  double whole = seconds() - begin, told = number_after(c->err, "first step: ");
  assert_int_equal(times_in(c->err, "first step: "), 1);
  command_assert_contains(c->err, " s after the start of the process\n");
  if (told < 0.3 || told > whole) fail_msg("first step after %g s, all took %g s", told, whole);
  file_bytes status = command_read(c, "run/status.json");
  assert_float_equal(number_after((char *)status.data, "\"first_step_seconds\": "), told, 0.001);
  file_bytes_free(&status);
}

#define SHORT "train @/tiny.json --set train.max_steps=10 --run-dir @"

/* Trains under `under` into the folder `name`; its threads and its bytes must be those of the folder "plain". */
static void same_as_plain(command *c, int threads, const char *under, const char *name) {
  char path[64];
  c->under = under;
  assert_int_equal(command_run(c, SHORT "/%s", name), 0);
  if (threads_of(c->err) != threads) fail_msg("%s: expected %d threads: %s", under, threads, c->err);
  if (strstr(c->err, "warning: 1 thread")) fail_msg("%s: %s", under, c->err);
  snprintf(path, sizeof path, "%s/checkpoints/last/model.safetensors", name);
  command_assert_same(c, path, "plain/checkpoints/last/model.safetensors");
}

static void test_variables(void **state) {
  command *c = *state;
  static const char *const variables[] = {
      "env OMP_NUM_THREADS=8",      "env OMP_NUM_THREADS=1",
      "env OMP_NUM_THREADS=many",   "env OPENBLAS_NUM_THREADS=8",
      "env OPENBLAS_NUM_THREADS=1", "env OPENBLAS_NUM_THREADS=many",
      "env OMP_PROC_BIND=true",     "env OMP_PROC_BIND=close OMP_PLACES=cores OMP_NUM_THREADS=8",
      "env OMP_THREAD_LIMIT=1",     "env OMP_DYNAMIC=true OMP_WAIT_POLICY=active OMP_MAX_ACTIVE_LEVELS=4",
  };
  c->under =
      "env -u OMP_NUM_THREADS -u OPENBLAS_NUM_THREADS -u OMP_PROC_BIND -u OMP_PLACES -u GOMP_CPU_AFFINITY";
  assert_int_equal(command_run(c, SHORT "/plain"), 0);
  int threads = threads_of(c->err);
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
    char name[16];
    snprintf(name, sizeof name, "run%zu", i);
    same_as_plain(c, threads, variables[i], name);
  }
}

/* The first core this process may use, and nothing else, for it and what it starts. */
static cpu_set_t stay_on_one_core(void) {
  cpu_set_t before, one;
  assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
  CPU_ZERO(&one);
  for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
    if (CPU_ISSET(i, &before)) CPU_SET(i, &one);
  assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
  return before;
}

static void test_one_core(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, SHORT "/plain"), 0);
  cpu_set_t before = stay_on_one_core();
  same_as_plain(c, 1, NULL, "one");
  same_as_plain(c, 1, "env OMP_PROC_BIND=true OMP_NUM_THREADS=8", "bound");
  assert_int_equal(command_run(c, SHORT "/two --threads 2"), 0);
  assert_int_equal(times_in(c->err, "warning: 2 threads on 1 core: slower than 1"), 1);
  command_assert_same(c, "two/checkpoints/last/model.safetensors",
                      "plain/checkpoints/last/model.safetensors");
  assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

/* The least that a processor of this kind can do: threads change nothing there either. */
static void test_portable(void **state) {
  command *c = *state;
  c->under = "env DYT_SIMD=portable OPENBLAS_CORETYPE=Prescott";
  for (int threads = 1; threads <= 3; threads++)
    assert_int_equal(command_run(c, SHORT "/t%d --threads %d", threads, threads), 0);
  command_assert_contains(c->err, "portable");
  command_assert_same(c, "t1/checkpoints/last/model.safetensors", "t2/checkpoints/last/model.safetensors");
  command_assert_same(c, "t1/checkpoints/last/model.safetensors", "t3/checkpoints/last/model.safetensors");
}

/* Another process computes on the only core. */
static void test_busy_core(void **state) {
  command *c = *state;
  cpu_set_t before = stay_on_one_core();
  pid_t other = fork();
  assert_true(other >= 0);
  if (other == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (volatile unsigned i = 0;; i++) continue;
  }
  pid_t pid = command_start(c, "train @/tiny.json --run-dir @/run --set schedule.epochs=1000000");
  command_wait_for(c, "stderr", "first step: ");
  command_wait_for(c, "stderr", "warning: other processes take ");
  command_nap(1.2);
  kill(pid, SIGINT);
  assert_int_equal(command_wait(pid), 130);
  kill(other, SIGKILL);
  command_wait(other);
  assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
  file_bytes text = command_read(c, "stderr");
  assert_int_equal(times_in((char *)text.data, "warning: other processes take "), 1); /* said once */
  double share = number_after((char *)text.data, "warning: other processes take ");
  assert_true(share > 25 && share <= 100);
  file_bytes_free(&text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_first_step), TEST(test_variables), TEST(test_one_core),
      TEST(test_portable),   TEST(test_busy_core),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
