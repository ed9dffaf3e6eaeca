/* dyt_train: `dyt train` for another program. */
#include "api.h"

#include "dyt/init_from.h"
#include "dyt/train.h"

static bool watch(void *context, int64_t step, int64_t steps, double loss) {
  const dyt_training *t = context;
  return t->watch && t->watch(t->context, step, steps, loss) != 0;
}

static st check(const dyt_training *t, err *e) {
  if (!t->config || !t->config[0]) return err_add(e, ST_USER, "dyt_train: config: expected a config file");
  if (!t->run_dir || !t->run_dir[0])
    return err_add(e, ST_USER, "dyt_train: run_dir: expected a folder's name");
  if (t->threads < 0 || t->n_sets < 0)
    return err_add(e, ST_USER, "dyt_train: threads %d and n_sets %d: expected no negative number", t->threads,
                   t->n_sets);
  return ST_OK;
}

dyt_status dyt_train(const dyt_training *t, dyt_error *error) {
  err e = {0};
  config c;
  if (check(t, &e) || api_init(&e) || init_from_config(t->config, t->sets, t->n_sets, NULL, &c, &e))
    return api_end(&e, error);
  int signal = 0;
  dyt_training given = *t;
  train_options o = {.config_path = t->config,
                     .run_dir = t->run_dir,
                     .threads = t->threads,
                     .watch = watch,
                     .watch_context = &given};
  train_run(&c, &o, &signal, &e);
  config_free(&c);
  return api_end(&e, error);
}
