#include "dyt/train.h"

#include "dyt/process.h"
#include "trainer.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WINDOW = 50 }; /* steps between lines of steps.jsonl */

const char *const train_may_change[] = {"train.eval_every",  "train.probe_every",  "train.eval_train",
                                        "train.tensorboard", "train.on_nonfinite", NULL};

/* --- signals --- */

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
  if (interrupted) _exit(128 + number); /* asked twice: at once */
  interrupted = number;
}

static void catch_signals(void) {
  struct sigaction a = {.sa_handler = on_signal};
  sigemptyset(&a.sa_mask);
  sigaction(SIGINT, &a, NULL);
  sigaction(SIGTERM, &a, NULL);
}

/* --- one step --- */

/* Points the feed at the samples of the coming step and returns how many there are. */
static int64_t next_batch(trainer *t) {
  int64_t epoch = t->at.step / t->steps_per_epoch, first = t->at.step % t->steps_per_epoch * t->batch;
  if (t->order_epoch != epoch) {
    data_order(t->cfg->train.seed, (uint64_t)epoch, t->data.train.n, t->order);
    t->order_epoch = epoch;
  }
  feed_split(&t->feed, &t->data.train, t->order + first, &(data_draw){t->cfg->train.seed, (uint64_t)epoch});
  int64_t left = t->data.train.n - first, n = left < t->batch ? left : t->batch;
  feed_prepare(&t->feed, t->pool, first / t->cfg->train.batch_size, n);
  return n;
}

static st diverged(trainer *t, int64_t batch, err *e) {
  str what = {0};
  engine_diagnose(&t->engine, batch, (uint64_t)t->at.step, &t->feed.engine, &what);
  err_add(e, ST_NUMBERS,
          "diverged at step %lld: %s; a lower optim.lr, a smaller alpha0 or optim.clip_norm may help",
          (long long)t->at.step + 1, what.data);
  str_free(&what);
  return ST_NUMBERS;
}

/* Forward, backward, check, update. Nothing is changed by a step whose numbers are not finite. */
static st train_step(trainer *t, double *grad_norm, err *e) {
  const config *c = t->cfg;
  engine_result r;
  double begun = progress_clock();
  int64_t batch = next_batch(t);
  engine_step(&t->engine, batch, (uint64_t)t->at.step, &t->feed.engine, &r);
  if (data_check(&t->data, e)) return e->code;
  *grad_norm = optim_reduce(&t->optim, t->pool, t->engine.grads, t->engine.shards);
  if (!r.finite || !isfinite(*grad_norm)) return diverged(t, batch, e);
  t->lr = optim_lr(c->optim.lr, c->schedule.min_lr, t->at.step, t->warmup, t->steps);
  optim_update(&t->optim, t->pool, t->engine.grads[0], t->lr, *grad_norm);
  ema_update(&t->ema, t->pool);
  t->at.step++;
  t->loss = r.loss;
  t->at.loss_sum += r.loss * (double)batch;
  t->at.right_sum += r.acc1 * (double)batch;
  t->at.seen += (double)batch;
  t->at.window_loss += r.loss;
  t->at.window_steps++;
  t->at.train_seconds += progress_clock() - begun;
  return ST_OK;
}

/* What the wait from the command to its effect was, once. */
static void announce_first_step(trainer *t) {
  if (t->first_step > 0) return;
  t->first_step = process_seconds();
  progress_line(&t->progress, "first step: %.3f s after the start of the process", t->first_step);
  load_take(&t->load);
}

/* A second later, once: whoever compares speeds must know that the machine was not free. */
static void look_at_load(trainer *t) {
  if (t->load.cores == 0 || progress_clock() - t->load.clock < 1) return;
  load now;
  load_take(&now);
  double others = load_others(&t->load, &now);
  if (load_hinders(others, now.cores, work_threads(t->pool)))
    progress_line(&t->progress,
                  "warning: other processes take %.0f%% of the %d core%s: training is slowed down",
                  100 * others, now.cores, now.cores == 1 ? "" : "s");
  t->load.cores = 0;
}

static void show_progress(trainer *t) {
  double spe = (double)t->steps_per_epoch, step = (double)t->at.step;
  double pace = (progress_clock() - t->started) / fmax(1, step - (double)t->steps_before);
  double rest = fmin(ceil(step / spe) * spe, (double)t->last_step) - step;
  progress_step(&t->progress, &(progress_point){.epoch = step / spe,
                                                .epochs = t->cfg->schedule.epochs,
                                                .step = t->at.step,
                                                .steps = t->last_step,
                                                .loss = t->at.loss_sum / t->at.seen,
                                                .acc1 = t->at.right_sum / t->at.seen,
                                                .lr = t->lr,
                                                .img_per_s = t->at.seen / fmax(1e-9, t->at.train_seconds),
                                                .epoch_eta = pace * rest,
                                                .eta = pace * ((double)t->last_step - step)});
}

/* --- the loop --- */

/* An update of finite numbers can still overflow: such weights are neither evaluated nor saved over good ones. */
static st check_weights(const trainer *t, err *e) {
  const params *p = &t->model.params;
  for (int i = 0; i < p->count; i++)
    if (!k_finite(shape_numel(p->p[i].s), params_value(p, i)))
      return err_add(e, ST_NUMBERS, "diverged at step %lld: the parameter %s is not finite after the update",
                     (long long)t->at.step, p->p[i].name);
  return ST_OK;
}

static st save(trainer *t, bool best, err *e) {
  t->at.seconds = t->seconds_before + progress_clock() - t->started;
  for (int i = 0; i < CHECKPOINT_LOGS; i++) t->at.log_size[i] = run_size(&t->run, checkpoint_log[i]);
  st code = checkpoint_write(t->run.path, &t->model.params, &t->optim, &t->ema, &t->at, best, e);
  if (!code) t->saved_step = t->at.step;
  return code;
}

static bool every(int64_t step, int64_t interval) { return interval && step % interval == 0; }

/* What falls due after a step: log lines, statistics, evaluation, checkpoint. */
static st after_step(trainer *t, double grad_norm, err *e) {
  const config_train *c = &t->cfg->train;
  int64_t step = t->at.step;
  bool last = step == t->last_step, epoch = every(step, t->steps_per_epoch), best = false;
  st code = ST_OK;
  if (every(step, WINDOW) || last) code = trainer_log_window(t, grad_norm, e);
  if (!code && (epoch || last || every(step, c->probe_every))) code = trainer_log_stats(t, e);
  if (!code && (last || (c->eval_every ? every(step, c->eval_every) : epoch))) {
    code = check_weights(t, e);
    if (!code) code = trainer_log_evaluation(t, &best, e);
    if (!code) code = save(t, best, e);
    if (!code && !last) code = trainer_write_status(t, "running", NULL, e);
  }
  return code;
}

static void show(trainer *t) {
  const train_options *o = t->options;
  show_progress(t);
  if (o->watch) t->stop = o->watch(o->watch_context, t->at.step, t->last_step, t->loss);
}

static st loop(trainer *t, err *e) {
  st code = trainer_write_status(t, "running", NULL, e);
  if (!code && t->at.step == 0) code = trainer_log_stats(t, e);
  while (!code && t->at.step < t->last_step && !interrupted && !t->stop) {
    double grad_norm = 0;
    code = train_step(t, &grad_norm, e);
    if (!code) announce_first_step(t);
    if (!code) look_at_load(t);
    if (!code) show(t);
    if (!code) code = after_step(t, grad_norm, e);
  }
  return code;
}

/* Ends a run that was stopped by a signal or its watch: a checkpoint unless one was just made. */
static st interrupt(trainer *t, err *e) {
  st code = ST_OK;
  if (t->saved_step != t->at.step) {
    code = check_weights(t, e);
    if (!code) code = save(t, t->data.val.n == 0, e); /* without a validation split the last is the best */
  }
  if (!code) code = trainer_write_status(t, "interrupted", NULL, e);
  if (!code)
    progress_line(&t->progress, "interrupted at step %lld, saved; go on with: dyt train --resume %s",
                  (long long)t->at.step, t->run.path);
  return code;
}

static st finish(trainer *t, st code, int *signal, err *e) {
  bool stopped = !code && t->at.step < t->last_step;
  if (stopped) {
    *signal = interrupted;
    code = interrupt(t, e);
  }
  if (code) trainer_write_status(t, code == ST_NUMBERS ? "diverged" : "failed", e->text, NULL);
  if (code || stopped) return code;
  t->at.seconds = t->seconds_before + progress_clock() - t->started;
  code = trainer_write_status(t, "done", NULL, e);
  char time[24];
  if (!code)
    progress_line(&t->progress, "done: %s in %s, peak memory %.1f MiB", t->run.path,
                  progress_time(t->at.seconds, time), (double)mem_peak() / (1 << 20));
  return code;
}

st train_run(config *c, const train_options *o, int *signal, err *e) {
  trainer t;
  *signal = 0;
  if (trainer_open(&t, c, o, e)) return e->code;
  if (!o->watch) trainer_announce(&t);
  st code = ST_OK;
  if (t.at.step == t.last_step) {
    progress_line(&t.progress, "nothing to do: this run has made all its steps");
    if (!run_is_done(&t.run))
      code = trainer_write_status(&t, "done", NULL, e); /* killed just before it said so */
  } else {
    interrupted = 0;
    if (!o->watch) catch_signals();
    t.started = progress_clock();
    code = finish(&t, loop(&t, e), signal, e);
  }
  trainer_close(&t);
  return code;
}
