/* dyt - trained models and training inside another program: the public interface of libdyt.
 *
 *   dyt_error e;
 *   dyt_run *run = dyt_open("runs/x", 0, &e);
 *   if (!run) return fprintf(stderr, "%s\n", e.text), 1;
 *   float *p = malloc(n * dyt_classes(run) * sizeof *p);
 *   if (dyt_predict(run, images, n, p, &e) == DYT_OK) puts(dyt_class_name(run, best_of(p)));
 *   dyt_close(run);
 *
 * Compile and link with `pkg-config --cflags --libs dyt` (examples/predict.c is a whole program). This header
 * needs no other, and the shared library exports these functions only.
 *
 * Errors: a function that can fail takes a dyt_error (NULL: the sentences are dropped), which it clears. When
 * memory for small objects is lacking, or when dyt itself is wrong, the process ends with a sentence and exit
 * code 1. Warnings (such as more threads than cores) go to stderr.
 *
 * Threads: a run computes on threads of its own, but is used by one thread of the program at a time, the one
 * that opened it. OpenBLAS is set to one thread a call for the whole process.
 */
#ifndef DYT_DYT_H
#define DYT_DYT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum dyt_status {
  DYT_OK = 0,
  DYT_USER = 2,    /* what was given cannot be used: a missing file, a wrong key, no memory for it */
  DYT_DIVERGED = 3 /* training met numbers that are not finite */
} dyt_status;

/* What was wrong: sentences, one a line; empty when all went well. Owns nothing. */
typedef struct dyt_error {
  dyt_status status;
  char text[8192];
} dyt_error;

/* The version of the library in use, such as "0.1.0". */
const char *dyt_version(void);

/* --- a trained model --- */

typedef struct dyt_run dyt_run;

/* Opens the last checkpoint of a run directory. No data set is needed: the run knows what its classes are called
 * (numbers, where the data had no names) and how images are normalized. threads: 0 for the cores this process may
 * use. NULL when it cannot be opened. The caller closes it. */
dyt_run *dyt_open(const char *run_dir, int threads, dyt_error *e);
void dyt_close(dyt_run *run); /* NULL is fine */

/* An image is [dyt_channels][dyt_image_size][dyt_image_size]. */
int dyt_image_size(const dyt_run *run);
int dyt_channels(const dyt_run *run);
int dyt_classes(const dyt_run *run);
/* The name of class 0 .. dyt_classes-1, owned by the run; NULL beyond. */
const char *dyt_class_name(const dyt_run *run, int k);

/* Probabilities [n][classes] of images [n][channels][size][size], whose pixels are 0 (black) to 1: the run's
 * own normalization is applied here. Rows sum to one. Both arrays are the caller's. DYT_USER for n < 0 and for
 * pixels that are not finite; then nothing is written. n may be 0 or any number; it costs the least memory
 * and time an image when it is large. */
dyt_status dyt_predict(dyt_run *run, const float *images, int64_t n, float *probabilities, dyt_error *e);

/* --- training --- */

/* After every step: how many of the run's steps are made, and the step's loss. Anything but 0 stops the training
 * after this step. */
typedef int dyt_watch(void *context, int64_t step, int64_t steps, double loss);

/* Zero-initialise; a path is needed for the first two. */
typedef struct dyt_training {
  const char *config;      /* a config file, as for `dyt train` */
  const char *run_dir;     /* where the run goes; must not exist */
  const char *const *sets; /* [n_sets] "key.path=VALUE", as for --set; may be NULL */
  int n_sets;
  int threads;      /* 0: the cores this process may use */
  dyt_watch *watch; /* NULL: none */
  void *context;    /* the watch's first argument */
} dyt_training;

/* Trains as `dyt train` does and leaves the same run directory, but prints nothing and leaves signals alone.
 * One that the watch stopped has saved a checkpoint: it is DYT_OK too, can be opened, and `dyt train --resume`
 * goes on with it. One training at a time in a process. */
dyt_status dyt_train(const dyt_training *training, dyt_error *e);

#ifdef __cplusplus
}
#endif

#endif
