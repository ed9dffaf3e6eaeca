/* command - runs the program as a user does, and what a test then asks of it. DYT names the program. */
#ifndef DYT_TESTS_COMMAND_H
#define DYT_TESTS_COMMAND_H

#include "support.h"

#include "dyt/file.h"

#include <sys/types.h>

/* A folder with a config of a tiny model on synthetic data in it (tiny.json), and the last command's output.
 * */
typedef struct command {
  char *folder;
  char *out, *err;   /* what the last command printed; owned */
  const char *under; /* what the program runs under, such as "env NAME=VALUE"; NULL: nothing */
} command;

int command_setup(void **state); /* for cmocka_unit_test_setup_teardown */
int command_teardown(void **state);

/* Runs "dyt " + the formatted arguments in a shell, "@" standing for the folder; returns the exit code. */
int command_run(command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same in the background; returns the process. */
pid_t command_start(command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Runs it and expects exit 2, one sentence on stderr that holds the part, and nothing on stdout. */
void command_refuse(command *c, const char *arguments, const char *part);
/* Waits and returns the exit code, or 128 + the signal that ended it. */
int command_wait(pid_t pid);

void command_nap(double seconds);
/* Waits until a file of the folder (stdout and stderr are there) holds the text, at most twenty seconds. */
void command_wait_for(const command *c, const char *name, const char *text);

/* The file NAME of the folder. */
char *command_path(const command *c, const char *name);
file_bytes command_read(const command *c, const char *name);
bool command_exists(const command *c, const char *name);
void command_assert_same(const command *c, const char *a, const char *b);
void command_assert_contains(const char *text, const char *part);

#endif
