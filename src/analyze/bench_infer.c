/* bench infer: one image on one thread, as someone who waits for an answer has it, and a batch on all threads. Forward only. */
#include "bench_parts.h"

#include "dyt/progress.h"
#include "dyt/workers.h"

#include <stdlib.h>

enum { BATCH = 128, LATENCIES_MAX = 1 << 16 };

typedef struct infer {
  bench_model one, many;
  double *ms; /* [count] every call with one image */
  int count;
  bench_series median_ms; /* of the calls of a round */
  bench_series img_per_s;
  int threads;
  double peak_mb;
} infer;

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double quantile(double *sorted, int n, double q) { return sorted[(int)(q * (n - 1) + 0.5)]; }

/* Each call by itself: people wait for the slow ones too. */
static void time_latency(infer *s, int round, int round_ms) {
  int first = s->count;
  double begun = progress_clock(), now = begun;
  do {
    double before = now;
    bench_model_forward(&s->one, 1);
    now = progress_clock();
    s->ms[s->count++] = (now - before) * 1e3;
  } while ((now - begun) * 1e3 < round_ms && s->count - first < LATENCIES_MAX / BENCH_ROUNDS);
  qsort(s->ms + first, (size_t)(s->count - first), sizeof(double), ascending);
  s->median_ms.round[round] = quantile(s->ms + first, s->count - first, 0.5);
}

static void time_all(infer *s, int round_ms) {
  bench_series seconds;
  const bench_subject batch = {NULL, bench_model_forward, &s->many};
  s->ms = mem_new(LATENCIES_MAX, sizeof(double));
  for (int i = 0; i < BENCH_ROUNDS; i++) time_latency(s, i, round_ms);
  qsort(s->ms, (size_t)s->count, sizeof(double), ascending);
  bench_in_turns(1, &batch, round_ms, &seconds);
  s->img_per_s = bench_rate(&seconds, BATCH);
  s->peak_mb = (double)mem_peak() * 1e-6;
}

static void write_table(infer *s, const bench_options *o, str *out) {
  bench_stat ms = bench_stat_of(&s->median_ms), img = bench_stat_of(&s->img_per_s);
  bench_write_title(o, s->threads, out);
  str_addf(
      out,
      "one image, 1 thread      %10.4f ms median, %.4f ms p90  (medians of the rounds %.4f .. %.4f, %d calls)\n",
      quantile(s->ms, s->count, 0.5), quantile(s->ms, s->count, 0.9), ms.min, ms.max, s->count);
  str_addf(out, "%d images, %d thread%s   %10.0f images/s  (%.0f .. %.0f)\n", BATCH, s->threads,
           s->threads == 1 ? "  " : "s ", img.median, img.min, img.max);
  str_addf(out, "peak memory              %10.1f MB\n", s->peak_mb);
}

static void write_json(infer *s, const bench_options *o, str *out) {
  bench_stat rounds = bench_stat_of(&s->median_ms);
  bench_write_begin(o, s->threads, out);
  bench_write_stat(out, "latency_ms", (bench_stat){quantile(s->ms, s->count, 0.5), rounds.min, rounds.max});
  bench_write_number(out, "latency_p90_ms", quantile(s->ms, s->count, 0.9));
  bench_write_number(out, "calls", s->count);
  bench_write_number(out, "batch", BATCH);
  bench_write_stat(out, "img_per_s", bench_stat_of(&s->img_per_s));
  bench_write_number(out, "flops_per_image", bench_model_flops(&s->many.model));
  bench_write_number(out, "peak_rss_mb", s->peak_mb);
  str_add(out, "}\n");
}

st bench_infer(const bench_options *o, str *out, err *e) {
  infer s = {0};
  config one_image = *o->cfg;
  one_image.train.micro_batch = 1;
  work_pool *pool = workers_new(o->threads, o->cfg->train.shards), *alone = workers_new(1, 1);
  s.threads = work_threads(pool);
  st code = bench_model_open(&s.one, &one_image, alone, 0, 1, e);
  if (!code) code = bench_model_open(&s.many, o->cfg, pool, 0, BATCH, e);
  if (!code) {
    time_all(&s, o->round_ms);
    (o->json ? write_json : write_table)(&s, o, out);
  }
  bench_model_close(&s.one);
  bench_model_close(&s.many);
  work_free(pool);
  work_free(alone);
  mem_free(s.ms);
  return code;
}
