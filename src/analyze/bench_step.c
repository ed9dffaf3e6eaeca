/* bench step: a whole training step beside the matrix library.
 *
 * FLOPs are 2 x multiply-adds of linear layers and attention, forward plus twice that for backward. The matrix rate is that
 * of the library on the forward, dX and dW products of every linear layer, 16 images' rows a call, each thread on its own.
 * Both are timed in turns, so that their ratio survives a busy minute. */
#include "bench_parts.h"

#include "dyt/workers.h"

enum { GEMM_IMAGES = 16, SPLIT_STEPS = 3 };

typedef struct step {
  bench_model m;
  bench_products products;
  bench_series img_per_s, gemm_gflops;
  double flops; /* of an image's training step */
  double peak_mb;
  bench_split split;
} step;

static void products_of_worker(void *context, int worker) {
  const bench_products *p = context;
  for (int i = 0; i < p->count; i++) bench_product_run(p, i, worker);
}

static void all_products(void *context, int64_t times) {
  step *s = context;
  for (int64_t i = 0; i < times; i++)
    bench_together(s->m.pool, s->products.threads, products_of_worker, &s->products);
}

static void time_all(step *s, int round_ms) {
  bench_series seconds[2];
  const bench_subject subject[2] = {{NULL, bench_model_step, &s->m}, {NULL, all_products, s}};
  double flops = 0;
  for (int i = 0; i < s->products.count; i++) flops += bench_product_flops(&s->products.p[i]);
  bench_in_turns(2, subject, round_ms, seconds);
  s->img_per_s = bench_rate(&seconds[0], (double)s->m.train);
  s->gemm_gflops = bench_rate(&seconds[1], flops * s->products.threads * 1e-9);
}

static st measure(step *s, const bench_options *o, work_pool *pool, err *e) {
  if (bench_model_open(&s->m, o->cfg, pool, o->cfg->train.batch_size, 0, e)) return e->code;
  task_tape r = task_classify.record(&s->m.model, 0, GEMM_IMAGES);
  bench_products_add(&s->products, r.tape, 1);
  tape_free(r.tape);
  if (bench_products_ready(&s->products, work_threads(pool), e)) return e->code;
  s->flops = 3 * bench_model_flops(&s->m.model);
  time_all(s, o->round_ms);
  s->peak_mb = (double)mem_peak() * 1e-6;
  return bench_split_run(&s->m, SPLIT_STEPS, &s->split, e);
}

static void write_table(const step *s, const bench_options *o, str *out) {
  bench_stat img = bench_stat_of(&s->img_per_s), gemm = bench_stat_of(&s->gemm_gflops);
  double gflops = img.median * s->flops * 1e-9;
  bench_write_title(o, s->products.threads, out);
  str_addf(out, "training step     %8.0f images/s  (%.0f .. %.0f), %.1f GFLOP/s\n", img.median, img.min,
           img.max, gflops);
  str_addf(out, "matrix products   %8.1f GFLOP/s   (%.1f .. %.1f) on the step's own shapes\n", gemm.median,
           gemm.min, gemm.max);
  str_addf(out, "step over gemm    %8.3f\npeak memory       %8.1f MB\n\n", gflops / gemm.median, s->peak_mb);
  str_addf(out, "%-16s %10s %10s   ms a step, one thread\n", "operation", "forward", "backward");
  for (int i = 0; i < s->split.parts; i++)
    str_addf(out, "%-16s %10.3f %10.3f\n", s->split.part[i].name, s->split.part[i].fwd_ms,
             s->split.part[i].bwd_ms);
}

/* The keys are a contract: docs/architecture.md. */
static void write_json(const step *s, const bench_options *o, str *out) {
  bench_stat img = bench_stat_of(&s->img_per_s), gemm = bench_stat_of(&s->gemm_gflops);
  double gflops = img.median * s->flops * 1e-9;
  bench_write_begin(o, s->products.threads, out);
  bench_write_stat(out, "img_per_s", img);
  bench_write_number(out, "gflops", gflops);
  bench_write_stat(out, "gemm_gflops", gemm);
  bench_write_number(out, "step_over_gemm", gflops / gemm.median);
  bench_write_number(out, "flops_per_image", s->flops);
  bench_write_number(out, "peak_rss_mb", s->peak_mb);
  bench_write_split(out, "ops", &s->split);
  str_add(out, "}\n");
}

st bench_step(const bench_options *o, str *out, err *e) {
  step *s = mem_new(1, sizeof *s);
  work_pool *pool = workers_new(o->threads, o->cfg->train.shards);
  st code = measure(s, o, pool, e);
  if (!code) (o->json ? write_json : write_table)(s, o, out);
  bench_products_close(&s->products);
  bench_model_close(&s->m);
  work_free(pool);
  mem_free(s);
  return code;
}
