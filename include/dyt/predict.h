/* predict - the most probable classes of picture files.
 *
 *   trained t;
 *   if (trained_open(&t, &(trained_options){.source = "runs/x"}, e)) return e->code;
 *   predict_question q = {.path = paths, .n = n, .top = 5, .answer = print, .context = NULL};
 *   if (predict_files(&t, &q, e)) return e->code;         // print(NULL, &answer) for each, in order
 *
 * Files are read, decoded and resized by all workers, a batch at a time: memory does not grow with their number.
 */
#ifndef DYT_PREDICT_H
#define DYT_PREDICT_H

#include "dyt/trained.h"

typedef struct predict_class {
  int32_t class;
  double p;
} predict_class;

typedef struct predict_answer {
  const char *path;
  const predict_class *top; /* [n] the most probable first, of equals the lower class */
  int n;                    /* predict_question.top, or all classes if these are fewer */
  const err *bad;           /* why there is no answer; NULL: there is */
} predict_answer;

typedef struct predict_question {
  char *const *path; /* [n] files; "-" is standard input, which can be read once */
  int64_t n;
  int top;                                                /* from 1 */
  void (*answer)(void *context, const predict_answer *a); /* called by the thread that asks */
  void *context;
} predict_question;

/* Answers all files in their order; those that cannot be read have `bad` set. ST_USER: the model takes no pictures. */
st predict_files(trained *t, const predict_question *q, err *e);

/* log of the sum of exp(logits[k]) over the classes: p_k = exp(logits[k] - that). */
double predict_log_sum(const real *logits, int classes);

#endif
