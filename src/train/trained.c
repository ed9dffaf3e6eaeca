#include "dyt/trained.h"

#include "dyt/checkpoint.h"
#include "dyt/file.h"
#include "dyt/run.h"
#include "dyt/weights.h"
#include "dyt/workers.h"

#include <string.h>

st trained_find(const trained_options *o, config *cfg, char **weights, err *e) {
  const char *which = o->checkpoint ? o->checkpoint : "last";
  bool folder = file_what(o->source) == FILE_FOLDER;
  *weights = NULL;
  if (file_what(o->source) == FILE_NONE)
    return err_add(e, ST_USER, "%s: there is no such run or file", o->source);
  if (!folder && !o->config_path)
    return err_add(e, ST_USER, "%s: a weights file needs --config: it does not say what model it belongs to",
                   o->source);
  if (folder && strcmp(which, "last") && strcmp(which, "best"))
    return err_add(e, ST_USER, "--checkpoint %s: expected last or best", which);
  char *own = run_file(o->source, "config.json");
  st code = folder && !o->config_path && file_what(own) != FILE_REGULAR
                ? err_add(e, ST_USER, "%s: no run directory: there is no config.json in it", o->source)
                : config_load(o->config_path ? o->config_path : own, o->sets, o->n_sets, cfg, e);
  mem_free(own);
  if (code) return code;
  if (!folder) *weights = mem_strdup(o->source);
  if (folder && checkpoint_exists(o->source, which)) *weights = checkpoint_weights(o->source, which, false);
  return ST_OK;
}

/* What both ways to open share, once t->data say what the model is for. */
static st open_model(trained *t, const char *weights, bool any, err *e) {
  if (config_check_shapes(&t->cfg, e)) return e->code;
  if (model_build(&t->model, &t->cfg.model, e) || weights_read(weights, &t->model.params, e)) return e->code;
  engine_use use = {
      .shards = 1, .micro_batch = t->cfg.train.micro_batch, .eval = {t->data.test.n}, .eval_any = any};
  if (engine_open(&t->engine, &t->model, &task_classify, &use, t->pool, e)) return e->code;
  feed_open(&t->feed, &t->data, work_threads(t->pool));
  return ST_OK;
}

static st open_any(trained *t, const trained_options *o, bool with_data, err *e) {
  *t = (trained){0};
  char *weights;
  if (trained_find(o, &t->cfg, &weights, e)) return e->code;
  st code = weights ? ST_OK : err_add(e, ST_USER, "%s: this run has no checkpoint yet", o->source);
  if (!code) t->pool = workers_new(o->threads, work_cores());
  if (!code) code = with_data ? data_open(&t->cfg, t->pool, &t->data, e) : data_recall(&t->cfg, &t->data, e);
  if (!code) code = open_model(t, weights, !with_data, e);
  mem_free(weights);
  if (code) trained_close(t);
  return code;
}

st trained_open(trained *t, const trained_options *o, err *e) { return open_any(t, o, false, e); }
st trained_open_data(trained *t, const trained_options *o, err *e) { return open_any(t, o, true, e); }

void trained_close(trained *t) {
  feed_close(&t->feed);
  if (t->engine.model) engine_close(&t->engine);
  if (t->model.family) model_free(&t->model);
  if (t->data.format) data_close(&t->data);
  work_free(t->pool);
  config_free(&t->cfg);
  *t = (trained){0};
}
