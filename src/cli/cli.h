/* cli - the commands: each parses its arguments and makes one call. Not a public header. */
#ifndef DYT_CLI_CLI_H
#define DYT_CLI_CLI_H

#include "dyt/err.h"

#include <stdbool.h>

enum { CLI_ARGS_MAX = 256 };

/* An option a command takes. One table serves parsing, --help and completion. */
typedef struct cli_option {
  const char *name; /* without the dashes */
  const char *arg;  /* the argument's name in the help; NULL: a switch */
  const char *help;
  const char **text; /* where the argument goes, or */
  int *number;       /* a whole number >= 0, or */
  bool *flag;        /* true when given; or */
  int *count;        /* with `text`: how many were given (text is an array of CLI_ARGS_MAX) */
} cli_option;

/* Parses argv[1..]: options anywhere, what is left into positional (min to max of them). argv[0] is the
 * command's name.
 * ST_USER names the argument and what is allowed. *help: --help was given. */
st cli_parse(int argc, char **argv, const cli_option *options, int n_options, const char **positional,
             int min, int max, int *n_positional, bool *help, err *e);

/* A command: its arguments are as `main`'s; returns the exit code. */
typedef struct cli_command {
  const char *name, *usage, *help;
  int (*run)(const struct cli_command *self, int argc, char **argv);
} cli_command;

/* Prints the usage, the help and the options of a command. */
void cli_help(const cli_command *c, const cli_option *options, int n_options);
/* Parses with a command's table and does what every command does: prints help or errors. Returns -1 to go on,
 * else the exit code. */
int cli_begin(const cli_command *c, int argc, char **argv, const cli_option *options, int n_options,
              const char **positional, int min, int max, int *n_positional);
/* Prints the errors on stderr and returns the exit code. */
int cli_fail(const err *e);

int cli_train(const cli_command *self, int argc, char **argv);
int cli_eval(const cli_command *self, int argc, char **argv);
int cli_replay(const cli_command *self, int argc, char **argv);
int cli_config(const cli_command *self, int argc, char **argv);
int cli_info(const cli_command *self, int argc, char **argv);
int cli_plot(const cli_command *self, int argc, char **argv);
int cli_bench(const cli_command *self, int argc, char **argv);

#endif
