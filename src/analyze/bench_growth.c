/* bench growth: how time and memory of a training step grow with batch, depth, tokens and width.
 *
 * One of them doubles (tokens: by the image's side, so nearly) while the others stand as in the config, but for a quarter of its
 * batch and a fixed micro-batch, so that nothing else changes. The step's time is divided among operations as their times on one thread
 * divide. The slope is that of the line from the first point to the last in a
 * log-log plot: 1 is linear, 2 quadratic. */
#include "bench_growth.h"

#include "dyt/workers.h"

#include <math.h>

enum { SPLIT_STEPS = 2 };

/* The batch of all but the batch axis, which begins there. */
static int small_batch(const config *c) { return c->train.batch_size > 4 ? c->train.batch_size / 4 : 1; }

static void set_batch(config *c, int value) { c->train.batch_size *= value; }
static void set_depth(config *c, int value) { c->model.depth = value; }
static void set_side(config *c, int value) { c->model.image_size = value * c->model.patch_size; }
static void set_width(config *c, int value) { c->model.dim = value * c->model.heads; }

static double batch_of(const config *c) { return c->train.batch_size; }
static double depth_of(const config *c) { return c->model.depth; }
static double tokens_of(const config *c) {
  return (double)(c->model.image_size / c->model.patch_size) * (c->model.image_size / c->model.patch_size) +
         1;
}
static double width_of(const config *c) { return c->model.dim; }

static const struct {
  const char *name, *unit;
  void (*set)(config *c, int value);
  double (*x)(const config *c);
  int value[GROWTH_POINTS];
} axes[GROWTH_AXES] = {[GROWTH_BATCH] = {"batch", "images", set_batch, batch_of, {1, 2, 4, 8}},
                       [GROWTH_DEPTH] = {"depth", "blocks", set_depth, depth_of, {1, 2, 4, 8}},
                       [GROWTH_TOKENS] = {"tokens", "tokens", set_side, tokens_of, {7, 10, 14, 20}},
                       [GROWTH_WIDTH] = {"width", "channels", set_width, width_of, {8, 16, 32, 64}}};

/* --- measuring --- */

static double mib(size_t bytes) { return (double)bytes / (1 << 20); }

static st measure_model(growth_point *p, bench_model *m, size_t before, int round_ms, err *e) {
  bench_series seconds;
  bench_split split;
  const bench_subject step = {NULL, bench_model_step, m};
  size_t after = mem_resident();
  p->activations = mib(engine_workspace_bytes(&m->engine)) / work_threads(m->pool);
  p->parameters = mib(m->model.params.store.size + m->optim.store.size + engine_packed_bytes(&m->engine));
  p->gradients = mib(engine_gradient_bytes(&m->engine));
  p->resident = after > before ? mib(after - before) : 0;
  bench_in_turns(1, &step, round_ms, &seconds);
  for (int i = 0; i < BENCH_ROUNDS; i++) seconds.round[i] *= 1e3;
  p->ms = bench_stat_of(&seconds);
  if (bench_split_run(m, SPLIT_STEPS, &split, e)) return e->code;
  double part = p->ms.median / bench_split_ms(&split, NULL);
  p->linear_ms = part * bench_split_ms(&split, "linear");
  p->attention_ms = part * bench_split_ms(&split, "attention");
  p->other_ms = p->ms.median - p->linear_ms - p->attention_ms;
  return ST_OK;
}

static st measure(growth_point *p, const bench_options *o, int axis, int value, work_pool *pool, err *e) {
  config c = *o->cfg;
  bench_model m;
  int batch = c.train.batch_size = small_batch(o->cfg);
  if (!c.train.micro_batch) c.train.micro_batch = batch > c.train.shards ? batch / c.train.shards : 1;
  axes[axis].set(&c, value);
  p->x = axes[axis].x(&c);
  size_t before = mem_resident();
  if (config_check_shapes(&c, e) || bench_model_open(&m, &c, pool, c.train.batch_size, 0, e)) return e->code;
  st code = measure_model(p, &m, before, o->round_ms, e);
  bench_model_close(&m);
  return code;
}

/* --- columns --- */

static double time_of(const growth_point *p) { return p->ms.median; }
static double linear_of(const growth_point *p) { return p->linear_ms; }
static double attention_of(const growth_point *p) { return p->attention_ms; }
static double other_of(const growth_point *p) { return p->other_ms; }
static double activations_of(const growth_point *p) { return p->activations; }
static double parameters_of(const growth_point *p) { return p->parameters; }

static const struct {
  const char *name;
  double (*of)(const growth_point *p);
} slopes[] = {{"step", time_of},   {"linear", linear_of},           {"attention", attention_of},
              {"other", other_of}, {"activations", activations_of}, {"parameters", parameters_of}};
enum { SLOPES = sizeof slopes / sizeof *slopes };

static double slope(const growth_axis *a, double (*of)(const growth_point *p)) {
  const growth_point *first = &a->point[0], *last = &a->point[GROWTH_POINTS - 1];
  return log(of(last) / of(first)) / log(last->x / first->x);
}

static double attention_share(const growth_point *p) { return p->attention_ms / p->ms.median; }

/* --- writing --- */

static void write_table(const growth_axis *axis, const bench_options *o, int threads, str *out) {
  bench_write_title(o, threads, out);
  str_addf(out, "%d images a batch where it is not batch that grows\n", small_batch(o->cfg));
  for (int a = 0; a < GROWTH_AXES; a++) {
    str_addf(out, "\n%8s %28s %10s %10s %10s %10s %12s %11s %10s %9s\n", axis[a].name, "ms a step", "linear",
             "attention", "other", "attention", "activations", "parameters", "gradients", "resident");
    for (int i = 0; i < GROWTH_POINTS; i++) {
      const growth_point *p = &axis[a].point[i];
      str_addf(
          out,
          "%8.0f %8.2f (%7.2f .. %7.2f) %10.2f %10.2f %10.2f %9.1f%% %8.2f MiB %7.2f MiB %6.2f MiB %5.1f MiB\n",
          p->x, p->ms.median, p->ms.min, p->ms.max, p->linear_ms, p->attention_ms, p->other_ms,
          100 * attention_share(p), p->activations, p->parameters, p->gradients, p->resident);
    }
    str_add(out, "   slope");
    for (int i = 0; i < SLOPES; i++)
      str_addf(out, "%s%s %.2f", i ? ", " : " ", slopes[i].name, slope(&axis[a], slopes[i].of));
    str_add(out, "\n");
  }
  str_add(
      out,
      "\nactivations: planned, of one worker; parameters: with their moments and packed copies; gradients: of all shards; "
      "resident: what the process grew by\n");
}

static void write_json_point(const growth_axis *axis, const growth_point *p, str *out) {
  str_addf(out, "{\"axis\": \"%s\", \"x\": %.0f", axis->name, p->x);
  bench_write_stat(out, "step_ms", p->ms);
  bench_write_number(out, "linear_ms", p->linear_ms);
  bench_write_number(out, "attention_ms", p->attention_ms);
  bench_write_number(out, "other_ms", p->other_ms);
  bench_write_number(out, "attention_share", attention_share(p));
  bench_write_number(out, "activations_mib", p->activations);
  bench_write_number(out, "parameters_mib", p->parameters);
  bench_write_number(out, "gradients_mib", p->gradients);
  bench_write_number(out, "resident_mib", p->resident);
  str_add(out, "}");
}

static void write_json(const growth_axis *axis, const bench_options *o, int threads, str *out) {
  bench_write_begin(o, threads, out);
  str_add(out, ", \"points\": [");
  for (int i = 0; i < GROWTH_AXES * GROWTH_POINTS; i++) {
    const growth_axis *a = &axis[i / GROWTH_POINTS];
    str_add(out, i ? ", " : "");
    write_json_point(a, &a->point[i % GROWTH_POINTS], out);
  }
  str_add(out, "], \"slopes\": [");
  for (int a = 0; a < GROWTH_AXES; a++) {
    str_addf(out, "%s{\"axis\": \"%s\"", a ? ", " : "", axis[a].name);
    for (int i = 0; i < SLOPES; i++) bench_write_number(out, slopes[i].name, slope(&axis[a], slopes[i].of));
    str_add(out, "}");
  }
  str_add(out, "]}\n");
}

st bench_growth(const bench_options *o, str *out, err *e) {
  growth_axis axis[GROWTH_AXES] = {0};
  work_pool *pool = workers_new(o->threads, o->cfg->train.shards);
  int threads = work_threads(pool);
  st code = ST_OK;
  for (int a = 0; a < GROWTH_AXES && !code; a++) {
    axis[a].name = axes[a].name;
    axis[a].unit = axes[a].unit;
    for (int i = 0; i < GROWTH_POINTS && !code; i++)
      code = measure(&axis[a].point[i], o, a, axes[a].value[i], pool, e);
  }
  if (!code) (o->json ? write_json : write_table)(axis, o, threads, out);
  if (!code && o->out) code = growth_draw(axis, o->name, o->out, e);
  work_free(pool);
  return code;
}
