/* bench - what this machine can do with a config's model, and how close the program comes.
 *
 *   const bench *b = bench_find("step", e);
 *   if (!b || bench_run(b, &(bench_options){.cfg = &cfg, .name = path, .json = true}, &text, e)) return e->code;
 *
 * Images are random numbers in memory. What is compared is timed in turns: each of BENCH_ROUNDS rounds times everything
 * once, and a number is the median over the rounds with the smallest and the largest beside it. So ratios survive a busy
 * minute, and smallest to largest is a 98% confidence interval of the median (1 - 2 / 2^7).
 */
#ifndef DYT_BENCH_H
#define DYT_BENCH_H

#include "dyt/config.h"

enum { BENCH_ROUNDS = 7 };

typedef struct bench_options {
  config *
      cfg; /* NULL: none, where the benchmark needs none; image_size, channels, classes may be null (28, 1, 10) */
  const char *name; /* of the config, in the output */
  int threads;      /* 0: the cores this process may use */
  int round_ms;     /* what is timed is repeated for so long in a round; 0: as the benchmark likes */
  const char *only; /* ops: the rows whose names begin so; NULL: all */
  const char *out;  /* growth: the folder for its curves; NULL: none */
  bool json;        /* one JSON object instead of a table */
} bench_options;

typedef struct bench {
  const char *name, *help;
  bool needs_config;
  int round_ms;
  st (*run)(const bench_options *o, str *out, err *e);
} bench;

/* The benchmarks, up to one without a name. */
extern const bench bench_all[];

/* NULL: there is none of that name; the sentence lists them. */
const bench *bench_find(const char *name, err *e);
/* Appends the result to `out`. ST_USER: the config is missing or cannot be, memory is lacking, a file cannot be written. */
st bench_run(const bench *b, const bench_options *o, str *out, err *e);

#endif
