#include "trainer.h"

#include "dyt/file.h"

#include <math.h>
#include <unistd.h>

static double epoch_at(const trainer *t) { return (double)t->at.step / (double)t->steps_per_epoch; }

static void member(str *out, const char *name, double v, int digits) {
  str_addf(out, "%s\"%s\": ", out->len ? ", " : "", name);
  str_add_number(out, v, digits);
}

st trainer_write_status(trainer *t, const char *state, const char *message, err *e) {
  str s = {0};
  const checkpoint_state *a = &t->at;
  str_addf(&s, "{\"state\": \"%s\", \"step\": %lld, \"epoch\": %.6g, \"pid\": %ld, \"seconds\": %.3f", state,
           (long long)a->step, epoch_at(t), (long)getpid(), a->seconds);
  if (t->first_step > 0) member(&s, "first_step_seconds", t->first_step, 3);
  if (a->best_epoch >= 0) {
    str best = {0};
    member(&best, "epoch", a->best_epoch, 6);
    member(&best, "val_acc1", a->best_acc1, 9);
    member(&best, "val_loss", a->best_loss, 9);
    str_addf(&s, ", \"best\": {%s}", best.data);
    str_free(&best);
  }
  if (t->last_line.len) str_addf(&s, ", \"last\": {%s}", t->last_line.data);
  if (message) {
    str_add(&s, ", \"message\": ");
    str_add_quoted(&s, message);
  }
  str_add(&s, "}\n");
  st code = run_replace(&t->run, "status.json", &s, e);
  str_free(&s);
  return code;
}

st trainer_log_window(trainer *t, double grad_norm, err *e) {
  str s = {0};
  str_addf(&s, "{\"step\": %lld, \"loss\": ", (long long)t->at.step);
  str_add_number(&s, t->at.window_loss / (double)t->at.window_steps, 9);
  str_add(&s, ", \"lr\": ");
  str_add_number(&s, t->lr, 9);
  str_add(&s, ", \"grad_norm\": ");
  str_add_number(&s, grad_norm, 9);
  str_add(&s, "}\n");
  st code = run_append(&t->run, "steps.jsonl", &s, e);
  if (!code) code = trainer_event_of_line(t, "steps", &s, e);
  str_free(&s);
  t->at.window_loss = 0;
  t->at.window_steps = 0;
  return code;
}

st trainer_log_stats(trainer *t, err *e) {
  str s = {0};
  if (run_size(&t->run, "dyt.csv") == 0) str_add(&s, NORM_STATS_HEADER);
  norm_stats_take(&t->stats, &t->engine, &t->probe_feed.engine);
  norm_stats_write(&t->stats, t->at.step, epoch_at(t), &s);
  st code = data_check(&t->data, e);
  if (!code) code = run_append(&t->run, "dyt.csv", &s, e);
  if (!code) code = trainer_event_of_stats(t, e);
  str_free(&s);
  return code;
}

/* --- an evaluation --- */

static st write_predictions(trainer *t, err *e) {
  str s = {0};
  evaluate_write_predictions(t->score, t->data.test.n, &s);
  st code = run_replace(&t->run, "predictions.csv", &s, e);
  str_free(&s);
  return code;
}

static st write_line(trainer *t, err *e) {
  str s = {0};
  str_addf(&s, "{%s}\n", t->last_line.data);
  st code = run_append(&t->run, "log.jsonl", &s, e);
  if (!code) code = trainer_event_of_line(t, "log", &s, e);
  str_clear(&s);
  char *path = run_file(t->run.path, "log.jsonl");
  file_bytes log = {0};
  if (!code) code = file_read(path, SIZE_MAX, &log, e);
  if (!code) {
    run_summary((const char *)log.data, &s);
    code = run_replace(&t->run, "summary.csv", &s, e);
  }
  file_bytes_free(&log);
  mem_free(path);
  str_free(&s);
  return code;
}

/* With an average of the weights *v and the scores that stay are the average's. */
static void judge_split(trainer *t, const data_split *split, const char *prefix, evaluation *v) {
  bool averaged = t->ema.value != NULL;
  evaluation raw;
  if (averaged) evaluate(&t->engine, &t->feed, split, t->score, &raw);
  ema_swap(&t->ema);
  evaluate(&t->engine, &t->feed, split, t->score, v);
  ema_swap(&t->ema);
  evaluate_write_json(t->engine.task, v, prefix, &t->last_line);
  if (!averaged) return;
  char *name = mem_printf("raw_%s", prefix);
  evaluate_write_json(t->engine.task, &raw, name, &t->last_line);
  mem_free(name);
}

static void tell(trainer *t, const evaluation *v, const char *split, double img_per_s) {
  char left[24];
  double pace = (progress_clock() - t->started) / fmax(1, (double)(t->at.step - t->steps_before));
  progress_line(&t->progress,
                "epoch %.4g/%.6g  train loss %.4f  %s loss %.4f  acc %.2f%%  lr %.2e  %.0f img/s  %s left",
                epoch_at(t), t->cfg->schedule.epochs, t->at.loss_sum / t->at.seen, split, v->metric[0],
                100 * v->metric[1], t->lr, img_per_s,
                progress_time(pace * (double)(t->last_step - t->at.step), left));
}

/* Nothing is ever chosen on the test split: without a validation split the last checkpoint is the best one.
 * */
static bool is_best(trainer *t, const evaluation *v) {
  if (v && t->at.best_epoch >= 0 && !(v->metric[1] > t->at.best_acc1)) return false;
  t->at.best_epoch = epoch_at(t);
  t->at.best_acc1 = v ? v->metric[1] : NAN;
  t->at.best_loss = v ? v->metric[0] : NAN;
  return true;
}

st trainer_log_evaluation(trainer *t, bool *best, err *e) {
  const data_set *d = &t->data;
  bool last = t->at.step == t->last_step;
  double img_per_s = t->at.seen / fmax(1e-9, t->at.train_seconds);
  evaluation on_val = {0}, on_test = {0}, on_train = {0};
  st code = ST_OK;
  str_clear(&t->last_line);
  member(&t->last_line, "epoch", epoch_at(t), 6);
  member(&t->last_line, "step", (double)t->at.step, 15);
  member(&t->last_line, "train_loss", t->at.loss_sum / t->at.seen, 9);
  member(&t->last_line, "train_acc1", t->at.right_sum / t->at.seen, 9);
  if (d->val.n) judge_split(t, &d->val, "val_", &on_val);
  if (last && t->cfg->train.eval_train) judge_split(t, &d->train, "eval_train_", &on_train);
  if (d->test.n && (last || !d->val.n)) judge_split(t, &d->test, "test_", &on_test);
  if (data_check(d, e)) {
    str_clear(&t->last_line); /* it says what was made of other pictures */
    return e->code;
  }
  if (d->test.n && last) code = write_predictions(t, e);
  *best = is_best(t, d->val.n ? &on_val : NULL);
  t->at.seconds = t->seconds_before + progress_clock() - t->started;
  member(&t->last_line, "lr", t->lr, 9);
  member(&t->last_line, "img_per_s", img_per_s, 6);
  member(&t->last_line, "seconds", t->at.seconds, 6);
  if (!code) code = write_line(t, e);
  tell(t, d->val.n ? &on_val : &on_test, d->val.n ? "val" : "test", img_per_s);
  t->at.loss_sum = t->at.right_sum = t->at.seen = t->at.train_seconds = 0;
  return code;
}
