/* bench gemm: the matrix products of a config's step one by one, as its micro-batches make them.
 *
 * A row is a distinct product (pass and sizes). "all threads" is each thread making its own, as in a step. The peak is what
 * this SIMD level's fused multiply-adds reach in registers, on as many threads. */
#include "bench_parts.h"

#include "dyt/kernel.h"
#include "dyt/workers.h"

enum { ONE, ALL, WIDTHS };

typedef struct row {
  const bench_products *products;
  work_pool *pool;
  int index; /* into the products */
  int64_t per_step, times;
  bench_series gflops[WIDTHS];
} row;

typedef struct gemm {
  bench_model m;
  bench_products products;
  row *row;
  int rows;
  bench_series peak[WIDTHS]; /* GFLOP/s */
} gemm;

/* --- what a step makes --- */

static bool same(const bench_product *a, const bench_product *b) {
  return a->pass == b->pass && a->m == b->m && a->n == b->n && a->k == b->k;
}

static void add_row(gemm *g, int index) {
  const bench_product *p = &g->products.p[index];
  if (!p->times) return;
  int i = 0;
  while (i < g->rows && !same(&g->products.p[g->row[i].index], p)) i++;
  if (i == g->rows) g->row[g->rows++] = (row){.products = &g->products, .pool = g->m.pool, .index = index};
  g->row[i].per_step += p->times;
}

/* Micro-batches of each size that a step runs are counted where they ask for their images. */
typedef struct counter {
  const bench_model *m;
  _Atomic int *runs; /* [micro_batch + 1] */
} counter;

static void count(void *context, int64_t first, int64_t n, real *const *slot, int worker) {
  const counter *c = context;
  c->m->feed.fill(c->m->feed.context, first, n, slot, worker);
  c->runs[n]++;
}

static st list_rows(gemm *g, err *e) {
  engine *eng = &g->m.engine;
  counter c = {&g->m, mem_new((size_t)eng->micro_batch + 1, sizeof *c.runs)};
  engine_feed feed = {count, &c};
  engine_result r;
  engine_step(eng, g->m.train, 0, &feed, &r);
  for (int n = 1; n <= eng->micro_batch; n++)
    if (c.runs[n]) bench_products_add(&g->products, eng->by_count[n].rec.tape, c.runs[n]);
  mem_free(c.runs);
  g->row = mem_new((size_t)g->products.count + 1, sizeof *g->row);
  for (int i = 0; i < g->products.count; i++) add_row(g, i);
  return bench_products_ready(&g->products, work_threads(g->m.pool), e);
}

/* --- timing --- */

static void row_of_worker(void *context, int worker) {
  const row *r = context;
  for (int64_t i = 0; i < r->times; i++) bench_product_run(r->products, r->index, worker);
}

static void row_on_one(void *context, int64_t times) {
  row *r = context;
  r->times = times;
  row_of_worker(r, 0);
}

static void row_on_all(void *context, int64_t times) {
  row *r = context;
  r->times = times;
  bench_together(r->pool, r->products->threads, row_of_worker, r);
}

enum { PEAK_ROUNDS = 20000 };

static void peak_of_worker(void *context, int worker) {
  const int64_t *times = context;
  real sum = 0;
  (void)worker;
  for (int64_t i = 0; i < *times; i++) k_fma_peak(PEAK_ROUNDS, &sum);
}

static void peak_on_one(void *context, int64_t times) {
  (void)context;
  peak_of_worker(&times, 0);
}

static void peak_on_all(void *context, int64_t times) {
  const gemm *g = context;
  bench_together(g->m.pool, g->products.threads, peak_of_worker, &times);
}

static void time_all(gemm *g, int round_ms) {
  int n = WIDTHS * (g->rows + 1);
  bench_subject *subject = mem_new((size_t)n, sizeof *subject);
  bench_series *seconds = mem_new((size_t)n, sizeof *seconds);
  const double threads[WIDTHS] = {1, g->products.threads};
  real sum = 0;
  for (int i = 0; i < g->rows; i++) {
    subject[WIDTHS * i + ONE] = (bench_subject){NULL, row_on_one, &g->row[i]};
    subject[WIDTHS * i + ALL] = (bench_subject){NULL, row_on_all, &g->row[i]};
  }
  subject[WIDTHS * g->rows + ONE] = (bench_subject){NULL, peak_on_one, g};
  subject[WIDTHS * g->rows + ALL] = (bench_subject){NULL, peak_on_all, g};
  bench_in_turns(n, subject, round_ms, seconds);
  for (int w = 0; w < WIDTHS; w++) {
    for (int i = 0; i < g->rows; i++)
      g->row[i].gflops[w] = bench_rate(
          &seconds[WIDTHS * i + w], threads[w] * bench_product_flops(&g->products.p[g->row[i].index]) * 1e-9);
    g->peak[w] =
        bench_rate(&seconds[WIDTHS * g->rows + w], threads[w] * k_fma_peak(PEAK_ROUNDS, &sum) * 1e-9);
  }
  mem_free(subject);
  mem_free(seconds);
}

/* --- writing --- */

/* Of the best round of the peak: a limit is the most that was reached. */
static double share(const gemm *g, const row *r, int width) {
  return bench_stat_of(&r->gflops[width]).median / bench_stat_of(&g->peak[width]).max;
}

static void write_table(const gemm *g, const bench_options *o, str *out) {
  bench_stat one = bench_stat_of(&g->peak[ONE]), all = bench_stat_of(&g->peak[ALL]);
  bench_write_title(o, g->products.threads, out);
  str_addf(out, "peak of fused multiply-adds: %.1f GFLOP/s on 1 thread, %.1f on %d (best round)\n\n", one.max,
           all.max, g->products.threads);
  str_addf(out, "%-8s %6s %6s %6s %8s   %27s   %27s\n", "product", "m", "n", "k", "a step",
           "GFLOP/s on 1 thread", "GFLOP/s on all");
  for (int i = 0; i < g->rows; i++) {
    const row *r = &g->row[i];
    const bench_product *p = &g->products.p[r->index];
    str_addf(out, "%-8s %6lld %6lld %6lld %8lld", bench_pass_name[p->pass], (long long)p->m, (long long)p->n,
             (long long)p->k, (long long)r->per_step);
    for (int w = 0; w < WIDTHS; w++) {
      bench_stat s = bench_stat_of(&r->gflops[w]);
      str_addf(out, "   %6.1f (%5.1f .. %5.1f) %3.0f%%", s.median, s.min, s.max, 100 * share(g, r, w));
    }
    str_add(out, "\n");
  }
  str_add(out, "\npercent: of the peak on as many threads\n");
}

static void write_json(const gemm *g, const bench_options *o, str *out) {
  bench_write_begin(o, g->products.threads, out);
  bench_write_stat(out, "peak_gflops_1", bench_stat_of(&g->peak[ONE]));
  bench_write_stat(out, "peak_gflops_all", bench_stat_of(&g->peak[ALL]));
  str_add(out, ", \"products\": [");
  for (int i = 0; i < g->rows; i++) {
    const row *r = &g->row[i];
    const bench_product *p = &g->products.p[r->index];
    str_addf(out, "%s{\"pass\": \"%s\", \"m\": %lld, \"n\": %lld, \"k\": %lld, \"per_step\": %lld",
             i ? ", " : "", bench_pass_name[p->pass], (long long)p->m, (long long)p->n, (long long)p->k,
             (long long)r->per_step);
    bench_write_stat(out, "gflops_1", bench_stat_of(&r->gflops[ONE]));
    bench_write_number(out, "share_of_peak_1", share(g, r, ONE));
    bench_write_stat(out, "gflops_all", bench_stat_of(&r->gflops[ALL]));
    bench_write_number(out, "share_of_peak_all", share(g, r, ALL));
    str_add(out, "}");
  }
  str_add(out, "]}\n");
}

st bench_gemm(const bench_options *o, str *out, err *e) {
  gemm g = {0};
  work_pool *pool = workers_new(o->threads, o->cfg->train.shards);
  st code = bench_model_open(&g.m, o->cfg, pool, o->cfg->train.batch_size, 0, e);
  if (!code) code = list_rows(&g, e);
  if (!code) {
    time_all(&g, o->round_ms);
    (o->json ? write_json : write_table)(&g, o, out);
  }
  bench_products_close(&g.products);
  bench_model_close(&g.m);
  work_free(pool);
  mem_free(g.row);
  return code;
}
