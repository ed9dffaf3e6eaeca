/* bench gemm: the matrix products of a config's step one by one, as its micro-batches make them, by the matrix library and by
 * the kernels of ours that a step uses where they are faster.
 *
 * A row is a distinct product (pass and sizes). "all" is each thread making its own, as in a step. The peak is what
 * this SIMD level's fused multiply-adds reach in registers, on as many threads. */
#include "bench_parts.h"

#include "dyt/kernel.h"
#include "dyt/workers.h"

#include <stdio.h>

enum { ONE, ALL, WIDTHS };
enum { BLAS, PACKED, MAKERS };
enum { WAYS = MAKERS * WIDTHS };

typedef struct row {
  const bench_products *products;
  int index; /* into the products */
  int64_t per_step;
  bench_series gflops[MAKERS][WIDTHS];
} row;

/* A row made in one way. */
typedef struct job {
  const row *row;
  work_pool *pool;
  void (*make)(const bench_products *b, int index, int worker);
  int threads;
  int64_t times;
} job;

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
  if (i == g->rows) g->row[g->rows++] = (row){.products = &g->products, .index = index};
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

static void job_of_worker(void *context, int worker) {
  const job *j = context;
  for (int64_t i = 0; i < j->times; i++) j->make(j->row->products, j->row->index, worker);
}

static void run_job(void *context, int64_t times) {
  job *j = context;
  j->times = times;
  bench_together(j->pool, j->threads, job_of_worker, j);
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
  int jobs = WAYS * g->rows, n = jobs + WIDTHS;
  job *all = mem_new((size_t)jobs + 1, sizeof *all);
  bench_subject *subject = mem_new((size_t)n, sizeof *subject);
  bench_series *seconds = mem_new((size_t)n, sizeof *seconds);
  const int threads[WIDTHS] = {1, g->products.threads};
  real sum = 0;
  for (int i = 0; i < jobs; i++) {
    all[i] = (job){.row = &g->row[i / WAYS],
                   .pool = g->m.pool,
                   .make = i / WIDTHS % MAKERS == PACKED ? bench_product_packed : bench_product_run,
                   .threads = threads[i % WIDTHS]};
    subject[i] = (bench_subject){NULL, run_job, &all[i]};
  }
  subject[jobs + ONE] = (bench_subject){NULL, peak_on_one, g};
  subject[jobs + ALL] = (bench_subject){NULL, peak_on_all, g};
  bench_in_turns(n, subject, round_ms, seconds);
  for (int i = 0; i < jobs; i++) {
    row *r = &g->row[i / WAYS];
    r->gflops[i / WIDTHS % MAKERS][i % WIDTHS] =
        bench_rate(&seconds[i], threads[i % WIDTHS] * bench_product_flops(&g->products.p[r->index]) * 1e-9);
  }
  for (int w = 0; w < WIDTHS; w++)
    g->peak[w] = bench_rate(&seconds[jobs + w], threads[w] * k_fma_peak(PEAK_ROUNDS, &sum) * 1e-9);
  mem_free(all);
  mem_free(subject);
  mem_free(seconds);
}

/* --- writing --- */

static const char *const maker_key[MAKERS] = {"", "packed_"}, *const width_key[WIDTHS] = {"1", "all"};

/* Of the best round of the peak: a limit is the most that was reached. */
static double share(const gemm *g, const row *r, int maker, int width) {
  return bench_stat_of(&r->gflops[maker][width]).median / bench_stat_of(&g->peak[width]).max;
}

static void write_table(const gemm *g, const bench_options *o, str *out) {
  bench_stat one = bench_stat_of(&g->peak[ONE]), all = bench_stat_of(&g->peak[ALL]);
  bench_write_title(o, g->products.threads, out);
  str_addf(
      out,
      "peak of fused multiply-adds: %.1f GFLOP/s on 1 thread, %.1f on %d (best round); a step uses %s\n\n",
      one.max, all.max, g->products.threads, k_packs() ? "the packed kernels" : "the library");
  str_addf(out, "%-8s %6s %6s %6s %7s %28s %28s %28s %28s\n", "product", "m", "n", "k", "a step",
           "library, 1 thread: GFLOP/s", "all threads", "packed, 1 thread", "all threads");
  for (int i = 0; i < g->rows; i++) {
    const row *r = &g->row[i];
    const bench_product *p = &g->products.p[r->index];
    str_addf(out, "%-8s %6lld %6lld %6lld %7lld", bench_pass_name[p->pass], (long long)p->m, (long long)p->n,
             (long long)p->k, (long long)r->per_step);
    for (int way = 0; way < WAYS; way++) {
      bench_stat s = bench_stat_of(&r->gflops[way / WIDTHS][way % WIDTHS]);
      str_addf(out, "  %6.1f (%5.1f .. %5.1f) %3.0f%%", s.median, s.min, s.max,
               100 * share(g, r, way / WIDTHS, way % WIDTHS));
    }
    str_add(out, "\n");
  }
  str_add(out, "\npercent: of the peak on as many threads\n");
}

static void write_json(const gemm *g, const bench_options *o, str *out) {
  char key[48];
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
    for (int way = 0; way < WAYS; way++) {
      int maker = way / WIDTHS, width = way % WIDTHS;
      snprintf(key, sizeof key, "%sgflops_%s", maker_key[maker], width_key[width]);
      bench_write_stat(out, key, bench_stat_of(&r->gflops[maker][width]));
      snprintf(key, sizeof key, "%sshare_of_peak_%s", maker_key[maker], width_key[width]);
      bench_write_number(out, key, share(g, r, maker, width));
    }
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
