/* A trained model for another program. */
#include "api.h"

#include "dyt/predict.h"

#include <math.h>

struct dyt_run {
  trained t;
};

dyt_run *dyt_open(const char *run_dir, int threads, dyt_error *error) {
  err e = {0};
  dyt_run *run = mem_new(1, sizeof *run);
  if (threads < 0) err_add(&e, ST_USER, "dyt_open: threads %d: expected no negative number", threads);
  if (!e.code && !api_init(&e))
    trained_open(&run->t, &(trained_options){.source = run_dir, .threads = threads}, &e);
  if (e.code) {
    mem_free(run);
    run = NULL;
  }
  api_end(&e, error);
  return run;
}

void dyt_close(dyt_run *run) {
  if (run) trained_close(&run->t);
  mem_free(run);
}

int dyt_image_size(const dyt_run *run) { return run->t.data.height; }
int dyt_channels(const dyt_run *run) { return run->t.data.channels; }
int dyt_classes(const dyt_run *run) { return run->t.data.classes; }

const char *dyt_class_name(const dyt_run *run, int k) {
  return k < 0 || k >= run->t.data.classes ? NULL : run->t.data.class_names[k];
}

typedef struct prediction {
  const data_set *data;
  const float *images;
  float *probabilities;
} prediction;

static int64_t area_of(const data_set *d) { return (int64_t)d->height * d->width; }

/* The normalized images; what the targets are does not matter, the loss is not read. */
static void fill(void *context, int64_t first, int64_t n, real *const *slot, int worker) {
  const prediction *p = context;
  const data_set *d = p->data;
  int64_t area = area_of(d), planes = n * d->channels;
  const float *from = p->images + first * d->channels * area;
  (void)worker;
  for (int64_t plane = 0; plane < planes; plane++) {
    int k = (int)(plane % d->channels);
    for (int64_t i = plane * area; i < (plane + 1) * area; i++)
      slot[0][i] = (real)(((double)from[i] - (double)d->mean[k]) * (double)d->inv_std[k]);
  }
  for (int64_t i = 0; i < n * d->classes; i++) slot[1][i] = 0;
}

static void take(void *context, const engine_part *part) {
  const prediction *p = context;
  int classes = p->data->classes;
  for (int64_t i = 0; i < part->n; i++) {
    const real *logits = part->output + i * classes;
    float *out = p->probabilities + (part->first + i) * classes;
    double log_sum = predict_log_sum(logits, classes);
    for (int k = 0; k < classes; k++) out[k] = (float)exp((double)logits[k] - log_sum);
  }
}

dyt_status dyt_predict(dyt_run *run, const float *images, int64_t n, float *probabilities, dyt_error *error) {
  err e = {0};
  const data_set *d = &run->t.data;
  int64_t numbers = d->channels * area_of(d);
  if (n < 0) err_add(&e, ST_USER, "dyt_predict: %lld images", (long long)n);
  for (int64_t i = 0; i < n && !e.code; i++)
    for (int64_t j = 0; j < numbers && !e.code; j++)
      if (!isfinite(images[i * numbers + j]))
        err_add(&e, ST_USER, "dyt_predict: pixel %lld of image %lld is not finite", (long long)j,
                (long long)i);
  prediction p = {d, images, probabilities};
  if (!e.code)
    engine_forward(&run->t.engine, ENGINE_EVAL, n, &(engine_feed){fill, &p}, &(engine_sink){take, &p});
  return api_end(&e, error);
}
