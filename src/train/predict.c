#include "dyt/predict.h"

#include "dyt/view.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

/* What a batch may hold, so that many files take no more memory than this, and some hundred of a usual size keep the
 * workers busy. */
enum { BATCH_BYTES = 32 << 20, BATCH_MAX = 1024 };

typedef struct batch {
  const trained *t;
  view view;
  int top;
  char *const *path;
  unsigned char *pixels; /* [n][view_bytes] */
  predict_class *best;   /* [n][top] */
  err **bad;             /* [n]; NULL: the picture was read */
  int *read;             /* [good] which of the n were read */
  int good;
} batch;

/* ---- files to pixels ---- */

static void read_one(void *context, int i, int worker) {
  batch *b = context;
  err e = {0};
  unsigned char *to = b->pixels + (size_t)i * view_bytes(&b->view);
  (void)worker;
  if (strcmp(b->path[i], "-"))
    view_read(&b->view, b->path[i], to, &e);
  else
    view_read_stream(&b->view, STDIN_FILENO, "standard input", to, &e);
  if (!e.code) return;
  b->bad[i] = mem_new(1, sizeof e);
  *b->bad[i] = e;
}

/* ---- pixels to classes ---- */

double predict_log_sum(const real *logits, int classes) {
  double sum = 0, most = (double)logits[0];
  for (int k = 1; k < classes; k++) most = fmax(most, (double)logits[k]);
  for (int k = 0; k < classes; k++) sum += exp((double)logits[k] - most);
  return most + log(sum);
}

/* What the targets are does not matter, the loss is not read. */
static void fill(void *context, int64_t first, int64_t n, real *const *slot, int worker) {
  const batch *b = context;
  const data_set *d = &b->t->data;
  size_t numbers = view_bytes(&b->view);
  (void)worker;
  for (int64_t i = 0; i < n; i++)
    data_normalize(d, b->pixels + (size_t)b->read[first + i] * numbers, slot[0] + (size_t)i * numbers);
  memset(slot[1], 0, (size_t)n * (size_t)d->classes * sizeof(real));
}

/* The `top` largest, by insertion. */
static void choose(const real *logits, int classes, int top, predict_class *best) {
  double log_sum = predict_log_sum(logits, classes);
  int have = 0;
  for (int k = 0; k < classes; k++) {
    int at = have < top ? have++ : top;
    for (; at > 0 && logits[k] > logits[best[at - 1].class]; at--)
      if (at < top) best[at] = best[at - 1];
    if (at < top) best[at] = (predict_class){k, exp((double)logits[k] - log_sum)};
  }
}

static void take(void *context, const engine_part *part) {
  const batch *b = context;
  int classes = b->t->data.classes;
  for (int64_t i = 0; i < part->n; i++)
    choose(part->output + i * classes, classes, b->top, b->best + (int64_t)b->read[part->first + i] * b->top);
}

/* ---- batches ---- */

static void answer(const batch *b, int n, const predict_question *q) {
  for (int i = 0; i < n; i++) {
    predict_answer a = {.path = b->path[i], .bad = b->bad[i]};
    if (!a.bad) a.top = b->best + (size_t)i * (size_t)b->top, a.n = b->top;
    q->answer(q->context, &a);
    mem_free(b->bad[i]);
    b->bad[i] = NULL;
  }
}

static void run(trained *t, batch *b, int n) {
  work_run(t->pool, n, read_one, b);
  b->good = 0;
  for (int i = 0; i < n; i++)
    if (!b->bad[i]) b->read[b->good++] = i;
  engine_forward(&t->engine, ENGINE_EVAL, b->good, &(engine_feed){fill, b}, &(engine_sink){take, b});
}

st predict_files(trained *t, const predict_question *q, err *e) {
  int top = q->top < t->data.classes ? q->top : t->data.classes;
  batch b = {.t = t, .top = top};
  if (view_of(&t->cfg, t->data.height, t->data.channels, &b.view, e)) return e->code;
  size_t one = view_bytes(&b.view) + (size_t)top * sizeof *b.best, fit = BATCH_BYTES / one;
  int64_t most = fit < 1 ? 1 : fit > BATCH_MAX ? BATCH_MAX : (int64_t)fit;
  if (most > q->n) most = q->n;
  b.pixels = mem_new((size_t)most + 1, view_bytes(&b.view));
  b.best = mem_new((size_t)most + 1, (size_t)top * sizeof *b.best);
  b.bad = mem_new((size_t)most + 1, sizeof *b.bad);
  b.read = mem_new((size_t)most + 1, sizeof *b.read);
  for (int64_t first = 0, n = 0; first < q->n; first += n) {
    n = q->n - first < most ? q->n - first : most;
    b.path = q->path + first;
    run(t, &b, (int)n);
    answer(&b, (int)n, q);
  }
  void *const owned[] = {b.pixels, b.best, b.bad, b.read};
  for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) mem_free(owned[i]);
  return ST_OK;
}
