#include "trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dyt/file.h"
#include "dyt/init_from.h"
#include "dyt/workers.h"

/* Images of a step, steps of an epoch, of the run, of the warm-up; what an epoch has left for its last step is trained on. The
 * batches that a step accumulates go to the engine as one: it cuts them into micro-batches anyway, so they take no memory. */
static void count_steps(trainer *t) {
  const config *c = t->cfg;
  t->batch = (int64_t)c->train.batch_size * c->train.accumulate;
  t->steps_per_epoch = (t->data.train.n + t->batch - 1) / t->batch;
  t->steps = (int64_t)fmax(1, round(c->schedule.epochs * (double)t->steps_per_epoch));
  t->warmup = c->schedule.warmup_epochs * (double)t->steps_per_epoch;
  t->last_step = c->train.max_steps && c->train.max_steps < t->steps ? c->train.max_steps : t->steps;
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static st open_engine(trainer *t, err *e) {
  const config_train *c = &t->cfg->train;
  const data_set *d = &t->data;
  int64_t probe = smaller(c->probe_samples, d->train.n), batch = smaller(t->batch, d->train.n);
  engine_use use = {.shards = c->shards,
                    .micro_batch = c->micro_batch,
                    .label_smoothing = c->label_smoothing,
                    .seed = c->seed,
                    .train = {batch, d->train.n % t->batch},
                    .eval = {d->test.n, d->val.n, c->eval_train ? d->train.n : 0},
                    .probe = probe};
  if (engine_open(&t->engine, &t->model, &task_classify, &use, t->pool, e)) return e->code;
  norm_stats_open(&t->stats, &t->model, probe, t->engine.micro_batch, c->tensorboard);
  return ST_OK;
}

static st open_buffers(trainer *t, err *e) {
  const data_set *d = &t->data;
  int threads = work_threads(t->pool);
  feed_open(&t->feed, d, threads);
  feed_open(&t->probe_feed, d, threads);
  feed_split(&t->probe_feed, &d->train, NULL, NULL);
  if (feed_open_mix(&t->feed, t->cfg->train.batch_size, smaller(t->batch, d->train.n), e)) return e->code;
  int64_t judged = larger(larger(d->test.n, d->val.n), t->cfg->train.eval_train ? d->train.n : 0);
  t->score = mem_new((size_t)judged + 1, sizeof *t->score);
  t->order = mem_new((size_t)d->train.n + 1, sizeof *t->order);
  t->order_epoch = -1;
  t->plan = t->baseline + d->bytes + t->model.params.store.size + t->optim.store.size + t->ema.store.size +
            engine_gradient_bytes(&t->engine) + engine_packed_bytes(&t->engine) +
            engine_workspace_bytes(&t->engine) + (size_t)judged * sizeof *t->score +
            (size_t)d->train.n * sizeof *t->order + feed_mix_bytes(&t->feed);
  return ST_OK;
}

static st check_memory(const trainer *t, err *e) {
  size_t have = mem_resident();
  return mem_afford("the run", t->plan > have ? t->plan - have : 0,
                    "a smaller model, train.shards or train.micro_batch may fit", e);
}

/* --- the run directory --- */

static st cut_logs(trainer *t, err *e) {
  for (int i = 0; i < CHECKPOINT_LOGS; i++) {
    char *path = run_file(t->run.path, checkpoint_log[i]);
    st code = file_truncate(path, t->at.log_size[i], e);
    mem_free(path);
    if (code) return code;
  }
  return ST_OK;
}

/* Initial values: drawn, then those of other weights where the config names some; a checkpoint has its own. */
static st begin_weights(trainer *t, const train_options *o, err *e) {
  const config *c = t->cfg;
  bool saved = o->resume && checkpoint_exists(o->resume, "last");
  params_draw(&t->model.params, c->train.seed, t->pool);
  st code = c->train.init_from.path && !saved ? init_from_weights(c, &t->model, &t->init_said, e) : ST_OK;
  ema_start(&t->ema);
  return code;
}

static st open_resumed(trainer *t, const train_options *o, err *e) {
  if (run_resume(&t->run, o->resume, e)) return e->code;
  if (checkpoint_exists(o->resume, "last")) {
    if (checkpoint_read(o->resume, "last", &t->model.params, &t->optim, &t->ema, &t->at, e)) return e->code;
    t->saved_step = t->at.step;
  }
  if (cut_logs(t, e)) return e->code;
  t->seconds_before = t->at.seconds;
  t->steps_before = t->at.step;
  return ST_OK;
}

static st open_new(trainer *t, const train_options *o, err *e) {
  char *path = o->run_dir ? mem_strdup(o->run_dir) : run_default_path(o->config_path, t->cfg);
  for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--) path[n - 1] = '\0';
  str env = {0};
  run_environment(work_threads(t->pool), t->data.fingerprint, &env);
  st code = run_create(&t->run, path, t->cfg, &env, e);
  str_free(&env);
  mem_free(path);
  return code;
}

/* --- life --- */

st trainer_open(trainer *t, config *c, const train_options *o, err *e) {
  *t = (trainer){.cfg = c, .options = o, .at = {.best_epoch = -1}, .saved_step = -1};
  progress_open(&t->progress, o->watch != NULL);
  t->pool = workers_new(o->threads, c->train.shards);
  t->baseline = mem_resident();
  st code = data_open(c, t->pool, &t->data, e);
  if (!code) code = config_check_shapes(c, e); /* now that the data have settled what was null */
  if (!code) code = model_build(&t->model, &c->model, e);
  if (!code) code = optim_open(&t->optim, &t->model.params, &c->optim, e);
  if (!code) code = ema_open(&t->ema, &t->model.params, c->train.ema, e);
  if (!code) count_steps(t);
  if (!code) code = open_engine(t, e);
  if (!code) code = open_buffers(t, e);
  if (!code) code = check_memory(t, e);
  if (!code) code = begin_weights(t, o, e);
  if (!code) code = o->resume ? open_resumed(t, o, e) : open_new(t, o, e);
  if (code) trainer_close(t);
  return code;
}

void trainer_close(trainer *t) {
  progress_close(&t->progress);
  run_close(&t->run);
  norm_stats_close(&t->stats);
  if (t->engine.model) engine_close(&t->engine);
  ema_close(&t->ema);
  if (t->optim.params) optim_close(&t->optim);
  if (t->model.family) model_free(&t->model);
  feed_close(&t->feed);
  feed_close(&t->probe_feed);
  if (t->data.format) data_close(&t->data);
  mem_free(t->score);
  mem_free(t->order);
  str_free(&t->init_said);
  str_free(&t->last_line);
  work_free(t->pool);
}

static double mib(size_t bytes) { return (double)bytes / (1 << 20); }

/* What a user wants to see within a second of the start. */
void trainer_announce(const trainer *t) {
  const data_set *d = &t->data;
  fprintf(stderr, "dyt %s: %d thread%s, %s, %s, %s\n", DYT_VERSION, work_threads(t->pool),
          work_threads(t->pool) == 1 ? "" : "s", k_blas_name(), k_simd_level(), REAL_NAME);
  if (work_threads(t->pool) == 1 && work_cores() > 1 && k_blas_kind() != K_BLAS_SERIAL)
    fprintf(stderr, "warning: 1 thread on %d cores\n", work_cores());
  fprintf(stderr, "model: %s, %lld parameters, %d norm layers (%s)\n", t->cfg->model.family,
          (long long)t->model.params.numbers, t->model.norms, t->cfg->model.attn.kind);
  fprintf(stderr, "data: %s, %lld train, %lld val, %lld test, %d classes, %dx%dx%d\n", t->cfg->data.format,
          (long long)d->train.n, (long long)d->val.n, (long long)d->test.n, d->classes, d->channels,
          d->height, d->width);
  fprintf(
      stderr,
      "memory: %.1f MiB = process %.1f + data %.1f + parameters, moments, average and packed weights %.1f + gradients %.1f (%d shards) + "
      "activations %.1f (%d x %d images)\n",
      mib(t->plan), mib(t->baseline), mib(d->bytes + feed_mix_bytes(&t->feed)),
      mib(t->model.params.store.size + t->optim.store.size + t->ema.store.size +
          engine_packed_bytes(&t->engine)),
      mib(engine_gradient_bytes(&t->engine)), t->engine.shards, mib(engine_workspace_bytes(&t->engine)),
      work_threads(t->pool), t->engine.micro_batch);
  if (t->init_said.len) fprintf(stderr, "init: %s\n", t->init_said.data);
  fprintf(stderr, "run: %s, %lld steps of %lld images%s\n", t->run.path, (long long)t->last_step,
          (long long)t->batch, t->at.step ? ", resumed" : "");
  if (t->at.step) fprintf(stderr, "resuming at step %lld\n", (long long)t->at.step);
}
