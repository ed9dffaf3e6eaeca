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
    {"train", "train a model, go on with a run, fine-tune",
     "train CONFIG.json [--set key.path=VALUE]... [--run-dir DIR] [--init-from WEIGHTS|RUN_DIR] [--threads N]\n"
     "       dyt train --resume RUN_DIR [CONFIG.json] [--set key.path=VALUE]... [--threads N]",
     "Trains the model of a config and leaves a run directory: log.jsonl, dyt.csv (alpha and 1/std of every norm\n"
     "layer), checkpoints, predictions. Ctrl-C finishes the step, saves, and prints how to go on. --init-from begins with\n"
     "other weights (fine-tuning): what fits is carried over, position embeddings are resampled, a head of another class\n"
     "count is new, and so is what one kind of norm has and another had not; what happened is printed.",
     cli_train, NULL},
    {"eval", "loss and accuracy on the test split, class by class",
     "eval RUN_DIR|WEIGHTS [--config CONFIG.json] [--set key.path=VALUE]... [--checkpoint last|best] [--threads N]\n"
     "       [--csv DIR] [--json]",
     "Evaluates a trained model on its test split: loss, top-1 and top-5 accuracy, and each class: its accuracy and what it\n"
     "is most often mistaken for. --csv keeps this as tables, with the confusion matrix, also as a picture by gnuplot:\n"
     "to restyle it, change confusion.gp and run gnuplot on it.",
     cli_eval, NULL},
    {"predict", "what pictures show",
     "predict RUN_DIR|WEIGHTS IMAGE|FOLDER|-... [--top K] [--json] [--config CONFIG.json] [--set key.path=VALUE]...\n"
     "       [--checkpoint last|best] [--threads N]",
     "Says what pictures show: the most probable classes of PNG, JPEG and BMP files, of all in a folder and those below\n"
     "it, of one on standard input (-). Pictures of any size are resized and cropped as data.interpolation and\n"
     "data.crop_pct say. No data set is needed. What cannot be read is named, the rest answered; then the exit code is 2.",
     cli_predict, NULL},
    {"replay", "one batch through given weights: logits, gradients, updated weights",
     "replay --config CONFIG.json --weights W.safetensors --batch B.safetensors --out O.safetensors [--steps N]",
     "Runs one forward and backward pass (and N optimizer steps) on a given batch with given weights and writes loss,\n"
     "logits, every gradient and the updated weights: for checks against other frameworks. The batch holds images\n"
     "[N,C,H,W] (normalized) and labels [N] (I64) or targets [N,K]; no data set is read.",
     cli_replay, NULL},
    {"export", "the weights of a run as one file, under timm's names",
     "export RUN_DIR --out FILE.safetensors [--checkpoint last|best] [--raw] [--force]",
     "Writes the weights of a run alone, under timm's names: their average where the run keeps one (train.ema). A file that\n"
     "exists is replaced only with --force.",
     cli_export, NULL},
    {"config", "show, check and explain configs",
     "config show|check CONFIG.json [--set key.path=VALUE]...\n"
     "       dyt config explain [KEY]\n"
     "       dyt config schema",
     "Shows, checks and explains configs: what a training would use, and what may stand there.", cli_config,
     cli_config_word},
    {"info", "what a config makes, what a run or a weights file holds",
     "info CONFIG.json|RUN_DIR [--set key.path=VALUE]... [--graph]\n"
     "       dyt info WEIGHTS.safetensors [--json]",
     "Parameters, FLOPs, memory plan and, with --graph, the tape of a config; state and contents of a run; names and\n"
     "shapes in a weights file, and a config that is guessed from them.",
     cli_info, NULL},
    {"study", "a grid of configs over seeds, and its tables",
     "study STUDY.json [--tier TIER] [--out DIR] [--runs DIR] [--jobs J] [--threads T] [--keep record|last|all]\n"
     "       [--only KEY=VALUE]... [--fail-fast] [--dry-run] [--commands]",
     "Trains a grid of configs over seeds and makes its tables. What has finished in --runs is not trained again, also for\n"
     "another study; Ctrl-C loses nothing, and the same command goes on. Several shells or hosts that share the folders may work\n"
     "on one study. A diverged run is a result; exit 1 says that a run failed otherwise.",
     cli_study, NULL},
    {"data", "what a data set holds, and a picture of what training sees",
     "data CONFIG.json [--out SHEET.png] [--set key.path=VALUE]... [--threads N] [--json]",
     "Shows what a config's data set holds: pictures a class and split, mean and std of the training pictures as measured,\n"
     "and warnings of what may go wrong. --out draws a contact sheet: a row a training picture, first as it is evaluated,\n"
     "then as training shows it in the first epochs, with its label (mixed ones with their shares).",
     cli_data, NULL},
    {"plot", "curves and norm statistics of runs, drawn", "plot RUN_DIR|RECORD... [--out DIR]",
     "Draws what runs logged with gnuplot, as SVG and PNG: curves (loss, accuracy), norms (alpha and 1/std of every norm\n"
     "layer over steps), alpha_std (one against the other at the end). Data (.csv) and scripts (.gp) stay beside the\n"
     "pictures: change one and run gnuplot on it. A run may still be training. Records of studies (ID.json.gz) will do.",
     cli_plot, NULL},
    {"probe", "what the norm layers of a run do to their inputs",
     "probe RUN_DIR [--out DIR] [--checkpoint last|best] [--set key.path=VALUE]... [--threads N]",
     "Measures what a run's norm layers do on its first training images: alpha, 1/std and the like as in dyt.csv, input\n"
     "against output before gamma and beta, how much of it a line and a tanh explain, which channels hold the extremes, how\n"
     "alpha goes with 1/std. Leaves tables (layers.csv, pairs.csv, tokens.csv, correlation.csv) and pictures by gnuplot.",
     cli_probe, NULL},
    {"table", "means, intervals and tests of a study",
     "table STUDY_DIR [--format md|csv|latex|json] [--runs DIR]",
     "Prints what the runs of a study say: mean and standard deviation over seeds, differences to a baseline seed by seed\n"
     "with their intervals, tests that were fixed beforehand, failed runs, what was chosen. Made of the records alone: the\n"
     "runs may be gone, and runs that are not done yet are counted.",
     cli_table, NULL},
    {"report", "one web page of studies and runs", "report STUDY_DIR|RUN_DIR... [--out FILE.html]",
     "Makes one web page of studies and runs: tables, figures, every run, configs, environment. It is a single file that\n"
     "loads nothing, reads in light and dark and on a telephone, and prints. The figures stay beside the study too, in\n"
     "STUDY_DIR/figures: SVG, PNG, data (.csv) and scripts (.gp).",
     cli_report, NULL},
    {"bench", "what this machine can do with a model",
     "bench NAME CONFIG.json [--set key.path=VALUE]... [--threads N] [--json]      ops: without CONFIG too",
     "Measures what this machine can do with a config's model, and how close dyt comes; on random images, no data set.\n"
     "What is compared is timed in turns, once in each of 7 rounds: a number is the median over the rounds, in brackets\n"
     "(JSON: _spread) the smallest and the largest. Numbers whose brackets overlap cannot be told apart. On a machine\n"
     "that does something else brackets are wide and rates too low; ratios suffer less. docs/speed.md says more.",
     cli_bench, cli_bench_word},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static const cli_word exits[] = {{"0", "done"},
                                 {"1", "internal error"},
                                 {"2", "input that cannot be used"},
                                 {"3", "training diverged"},
                                 {"130/143", "interrupted"},
                                 {0}};

static const cli_word environment[] = {
    {"DYT_SIMD", "SIMD level of the kernels: avx512, avx2 or portable (default: the best there is here)"},
    {"DYT_GEMM", "blas: OpenBLAS multiplies matrices instead of dyt's own kernels"},
    {"DYT_CACHE_MIB", "MiB that decoded pictures may take (default: three quarters of free memory)"},
    {0}};

static const cli_program program = {
    .summary = "train small transformers on a CPU, with LayerNorm or without (Dynamic Tanh)",
    .first_run = "dyt train configs/quick/fashion_dyt.json",
    .commands = commands,
    .n = COMMANDS,
    .exits = exits,
    .environment = environment};

static void help(const cli_program *p) {
  printf("dyt %s: %s\n\n"
         "usage: dyt COMMAND [ARGUMENTS]      dyt COMMAND --help explains a command\n\n",
         DYT_VERSION, p->summary);
  for (int i = 0; i < p->n; i++) printf("  %-8s %s\n", p->commands[i].name, p->commands[i].brief);
  printf("\nFirst run: %s\nExit codes: ", p->first_run);
  for (const cli_word *x = p->exits; x->name; x++)
    printf("%s %s%s", x->name, x->help, x[1].name ? ", " : "\n");
  printf("Environment:\n");
  for (const cli_word *x = p->environment; x->name; x++) printf("  %-14s %s\n", x->name, x->help);
}

static void version(const cli_program *p) {
  (void)p;
  printf("dyt %s\n", DYT_VERSION);
}

/* What the program says without a command; the first also without any argument. */
static const struct page {
  const char *arg;
  void (*print)(const cli_program *p);
} pages[] = {{"--help", help},       {"-h", help},
             {"help", help},         {"--help-man", cli_man_program},
             {"--version", version}, {"--help-bash", cli_bash_program}};
enum { PAGES = sizeof pages / sizeof pages[0] };

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
  /* Not signal(): in strict POSIX the first delivery takes the handler away, and a second worker may meet the same hole. */
  sigaction(SIGBUS, &(struct sigaction){.sa_handler = on_bus}, NULL);
  const char *first = argc < 2 ? pages[0].arg : argv[1];
  for (int i = 0; i < PAGES; i++)
    if (strcmp(pages[i].arg, first) == 0) {
      pages[i].print(&program);
      return ST_OK;
    }
  err e = {0};
  if (k_init(NULL, &e)) return cli_fail(&e);
  for (int i = 0; i < COMMANDS; i++)
    if (strcmp(commands[i].name, argv[1]) == 0) return commands[i].run(&commands[i], argc - 1, argv + 1);
  return unknown(argv[1]);
}
