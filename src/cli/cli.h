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

/* Options that many commands have: `sets`, an array of CLI_ARGS_MAX, and the int that counts them; an int; a bool. */
#define CLI_SET(sets, n)                                                                                     \
  {                                                                                                          \
    .name = "set", .arg = "KEY=VALUE", .help = "change a key of the config; null puts back its default",     \
    .text = (sets), .count = &(n)                                                                            \
  }
#define CLI_THREADS(n)                                                                                       \
  { .name = "threads", .arg = "N", .help = "default: the cores this process may use", .number = &(n) }
#define CLI_JSON(is_on, what)                                                                                \
  { .name = "json", .help = what, .flag = &(is_on) }
#define CLI_ONE_OBJECT "one JSON object on stdout"
/* What says which trained model a command is about: the trained_options `o`, with `sets`. */
#define CLI_TRAINED_OPTIONS(o, sets)                                                                         \
  {.name = "config",                                                                                         \
   .arg = "CONFIG",                                                                                          \
   .help = "the model of a weights file; for a run: instead of its own",                                     \
   .text = &(o).config_path},                                                                                \
      CLI_SET(sets, (o).n_sets),                                                                             \
      {.name = "checkpoint",                                                                                 \
       .arg = "last|best",                                                                                   \
       .help = "which checkpoint of a run (last)",                                                           \
       .text = &(o).checkpoint},                                                                             \
      CLI_THREADS((o).threads)

/* A word with what it means: what a command's first argument may be, an exit code, a variable. */
typedef struct cli_word {
  const char *name, *help;
} cli_word;

/* A command: its arguments are as `main`'s; returns the exit code. */
typedef struct cli_command {
  const char *name, *brief, *usage, *help; /* brief: a phrase, for lists of commands */
  int (*run)(const struct cli_command *self, int argc, char **argv);
  cli_word (*word)(
      int i); /* the words its first argument may be, up to one without a name; NULL: not words */
} cli_command;

/* The program as a whole. */
typedef struct cli_program {
  const char *summary, *first_run; /* a sentence; a command line to begin with */
  const cli_command *commands;
  int n;
  const cli_word *exits, *environment; /* up to one without a name */
} cli_program;

/* What a command or the program says of itself on stdout: for people, as a manual page, for a shell. */
typedef void cli_page(const cli_command *c, const cli_option *options, int n_options);
cli_page cli_help, cli_man, cli_bash;        /* --help, --help-man, --help-bash */
void cli_man_program(const cli_program *p);  /* dyt(1) */
void cli_bash_program(const cli_program *p); /* completion for all commands */

/* Parses argv[1..]: options anywhere, what is left into positional (min to max of them). argv[0] is the
 * command's name.
 * ST_USER names the argument and what is allowed. *page: the page that was asked for, else NULL. */
st cli_parse(int argc, char **argv, const cli_option *options, int n_options, const char **positional,
             int min, int max, int *n_positional, cli_page **page, err *e);

/* Parses with a command's table and does what every command does: prints a page or errors. Returns -1 to go on,
 * else the exit code. */
int cli_begin(const cli_command *c, int argc, char **argv, const cli_option *options, int n_options,
              const char **positional, int min, int max, int *n_positional);
/* Prints the errors on stderr and returns the exit code. */
int cli_fail(const err *e);

int cli_train(const cli_command *self, int argc, char **argv);
int cli_eval(const cli_command *self, int argc, char **argv);
int cli_predict(const cli_command *self, int argc, char **argv);
int cli_replay(const cli_command *self, int argc, char **argv);
int cli_config(const cli_command *self, int argc, char **argv);
int cli_info(const cli_command *self, int argc, char **argv);
int cli_study(const cli_command *self, int argc, char **argv);
int cli_data(const cli_command *self, int argc, char **argv);
int cli_export(const cli_command *self, int argc, char **argv);
int cli_plot(const cli_command *self, int argc, char **argv);
int cli_report(const cli_command *self, int argc, char **argv);
int cli_probe(const cli_command *self, int argc, char **argv);
int cli_table(const cli_command *self, int argc, char **argv);
int cli_bench(const cli_command *self, int argc, char **argv);
cli_word cli_config_word(int i);
cli_word cli_bench_word(int i);

#endif
