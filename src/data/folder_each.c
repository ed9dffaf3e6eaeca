#include "data/folder_each.h"

#include "dyt/mem.h"
#include "dyt/progress.h"

#include <stdatomic.h>

typedef struct round {
  folder_files *files;
  folder_fn *fn;
  void *ctx;
  bool skip;
  _Atomic int64_t done, first_bad;
  const char *things;
  progress shown; /* worker 0's */
  double begun;
} round;

static void note_bad(round *r, int64_t i) {
  int64_t first = r->first_bad;
  while (i < first && !atomic_compare_exchange_weak(&r->first_bad, &first, i)) continue;
}

static void one_file(void *context, int task, int worker) {
  round *r = context;
  folder_file *f = &r->files->file[task];
  err bad = {0};
  if (!r->skip && task > r->first_bad) return;
  if (!f->bad && r->fn(r->ctx, task, &bad)) f->bad = mem_strdup(bad.text);
  if (f->bad) note_bad(r, task);
  r->done++;
  if (worker == 0) progress_count(&r->shown, r->things, r->done, r->files->n, r->begun);
}

st folder_each(folder_files *files, work_pool *pool, const char *things, bool skip, folder_fn *fn, void *ctx,
               err *e) {
  round r = {.files = files,
             .fn = fn,
             .ctx = ctx,
             .skip = skip,
             .first_bad = files->n,
             .things = things,
             .begun = progress_clock()};
  progress_open(&r.shown, false);
  work_run(pool, (int)files->n, one_file, &r);
  progress_close(&r.shown);
  if (skip || r.first_bad == files->n) return ST_OK;
  return err_add(e, ST_USER, "%s", files->file[r.first_bad].bad);
}
