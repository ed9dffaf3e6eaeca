/* dyt: small transformers on a CPU, with or without normalization. */
#include "cli.h"

#include "dyt/kernel.h"
#include "dyt/process.h"
#include "dyt/str.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const cli_command commands[] = {
    {"train",
     "train CONFIG.json [--set key.path=VALUE]... [--run-dir DIR] [--threads N]\n"
     "       dyt train --resume RUN_DIR [CONFIG.json] [--set key.path=VALUE]... [--threads N]",
     "Trains the model of a config and leaves a run directory: log.jsonl, dyt.csv (alpha and 1/std of every norm\n"
     "layer), checkpoints, predictions. Ctrl-C finishes the step, saves, and prints how to go on.",
     cli_train},
    {"eval",
     "eval RUN_DIR|WEIGHTS [--config CONFIG.json] [--set key.path=VALUE]... [--checkpoint last|best] [--json]",
     "Evaluates a trained model on its test split: loss, top-1 and top-5 accuracy.", cli_eval},
    {"replay",
     "replay --config CONFIG.json --weights W.safetensors --batch B.safetensors --out O.safetensors [--steps N]",
     "Runs one forward and backward pass (and N optimizer steps) on a given batch with given weights and writes loss,\n"
     "logits, every gradient and the updated weights: for checks against other frameworks. The batch holds images\n"
     "[N,C,H,W] (normalized) and labels [N] (I64) or targets [N,K]; no data set is read.",
     cli_replay},
    {"config",
     "config show|check CONFIG.json [--set key.path=VALUE]...\n"
     "       dyt config explain [KEY]\n"
     "       dyt config schema",
     "show: the resolved config with the origin of every value. check: all errors, or nothing. explain: what a key or\n"
     "a group of keys means. schema: JSON Schema, for editors.",
     cli_config},
    {"info", "info CONFIG.json|RUN_DIR|WEIGHTS.safetensors [--set key.path=VALUE]... [--graph]",
     "Parameters, FLOPs, memory plan and, with --graph, the tape of a config; state and contents of a run; names and\n"
     "shapes in a weights file.",
     cli_info},
    {"plot", "plot RUN_DIR... [--out DIR]",
     "Draws what runs logged with gnuplot, as SVG and PNG: curves (loss, accuracy), norms (alpha and 1/std of every norm\n"
     "layer over steps), alpha_std (one against the other at the end). Data (.csv) and scripts (.gp) stay beside the\n"
     "pictures: change one and run gnuplot on it. A run may still be training.",
     cli_plot},
    {"bench",
     "bench NAME CONFIG.json [--set key.path=VALUE]... [--threads N] [--json]      ops: without CONFIG too",
     "Measures what this machine can do with a config's model, and how close dyt comes; on random images, no data set.\n"
     "What is compared is timed in turns, once in each of 7 rounds: a number is the median over the rounds, in brackets\n"
     "(JSON: _spread) the smallest and the largest. Numbers whose brackets overlap cannot be told apart. On a machine\n"
     "that does something else brackets are wide and rates too low; ratios suffer less. docs/speed.md says more.",
     cli_bench},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void usage(FILE *to) {
  fprintf(to,
          "dyt %s: train small transformers on a CPU, with LayerNorm or without (Dynamic Tanh)\n\n"
          "usage: dyt COMMAND [ARGUMENTS]      dyt COMMAND --help explains a command\n\n",
          DYT_VERSION);
  for (int i = 0; i < COMMANDS; i++)
    fprintf(to, "  %-8s %.*s\n", commands[i].name, (int)strcspn(commands[i].help, "\n"), commands[i].help);
  fprintf(
      to,
      "\nFirst run: dyt train configs/quick/fashion_dyt.json\n"
      "Exit codes: 0 done, 1 internal error, 2 input that cannot be used, 3 training diverged, 130/143 interrupted\n");
}

static int unknown(const char *name) {
  const char *names[COMMANDS];
  for (int i = 0; i < COMMANDS; i++) names[i] = commands[i].name;
  const char *near = str_nearest(name, names, COMMANDS);
  fprintf(stderr, "error: dyt: unknown command %s%s%s%s (see dyt --help)\n", name,
          near ? ", did you mean " : "", near ? near : "", near ? "?" : "");
  return ST_USER;
}

/* Plain data files are read where they lie (file_map). */
static void on_bus(int number) {
  static const char text[] =
      "error: a data file was cut short by another program, or its disk failed, while it was in use\n";
  (void)number;
  if (write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(ST_INTERNAL);
  _exit(ST_USER);
}

int main(int argc, char **argv) {
  process_note_start();
  signal(SIGBUS, on_bus);
  if (argc < 2) {
    usage(stdout);
    return ST_OK;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
    usage(stdout);
    return ST_OK;
  }
  if (strcmp(argv[1], "--version") == 0) {
    printf("dyt %s\n", DYT_VERSION);
    return ST_OK;
  }
  err e = {0};
  if (k_init(NULL, &e)) return cli_fail(&e);
  for (int i = 0; i < COMMANDS; i++)
    if (strcmp(commands[i].name, argv[1]) == 0) return commands[i].run(&commands[i], argc - 1, argv + 1);
  return unknown(argv[1]);
}
