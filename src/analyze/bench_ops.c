/* bench ops: every operation by itself, through a tape and a plan, in cache and out of it, on one thread and on all.
 *
 * Time is an element of the first input, GB/s are bytes that must move over time: forward reads every input once and writes the
 * result, backward reads the result's gradient and the inputs that it needs and writes the gradients of the inputs. What an
 * operation keeps for itself between the two is not counted. Beside it stands the bandwidth of a copy of the same size, read and
 * written. On several threads each has its own operands, and elements and bytes are those of all. */
#include "bench_ops.h"
#include "bench_parts.h"

#include "dyt/workers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the first input: operands of one operation fit a core's second cache, and none fits any cache. */
static const struct place {
  const char *name, *label;
  int64_t bytes;
  bool warm;
} places[] = {{"cache", "in cache", 100 << 10, true}, {"memory", "out of cache", 64 << 20, false}};
enum { PLACES = sizeof places / sizeof *places };

static const bench_sizes usual = {
    .tokens = 50, .channels = 192, .heads = 3, .classes = 10, .image = 28, .image_channels = 1, .patch = 4};

typedef struct ops {
  const bench_options *o;
  work_pool *pool;
  int threads;       /* now */
  bool warm;         /* what is timed now fits the caches */
  arena *arena;      /* [pool's threads] a tape's, one row after another */
  bench_rows *rows;  /* of the place that is timed now */
  bench_series copy; /* GB/s */
  str *out;
  int written; /* rows of JSON */
} ops;

/* A row, or a copy, in one direction. */
typedef struct job {
  const ops *b;
  bench_row *row; /* NULL: a copy of `numbers` */
  int64_t numbers, times;
  int direction;
} job;

/* --- running --- */

static tape_run run_of(const job *j, int worker) {
  real *base = (real *)j->b->arena[worker].base;
  return (tape_run){.plan = j->row->p,
                    .base = base,
                    .values = j->row->store.value,
                    .panels = j->row->packs.panels,
                    .grads = base + j->row->p->numbers, /* the parameters' stand behind the tape's arena */
                    .op = {.train = true, .seed = 1}};
}

static void fill(real *x, shape s) {
  if (x) bench_fill(x, shape_numel(s));
}

/* Random operands, and in the caches where they fit. */
static void prepare_worker(void *context, int worker) {
  const job *j = context;
  if (!j->row) {
    bench_fill((real *)j->b->arena[worker].base, 2 * j->numbers);
    return;
  }
  tape_run r = run_of(j, worker);
  const tape *t = j->row->t;
  for (val v = 0; v < t->values; v++)
    if (t->value[v].kind == TAPE_INPUT) fill(tape_at(&r, v), t->value[v].s);
  fill(tape_grad_at(&r, j->row->out), t->value[j->row->out].s);
  bench_fill(r.grads, j->row->store.total);
  if (!j->b->warm) return;
  tape_forward(&r);
  tape_backward(&r, 1);
}

static void work_worker(void *context, int worker) {
  const job *j = context;
  if (!j->row) {
    real *x = (real *)j->b->arena[worker].base;
    for (int64_t i = 0; i < j->times; i++) k_scale(j->numbers, 1, x, x + j->numbers, false);
    return;
  }
  tape_run r = run_of(j, worker);
  for (int64_t i = 0; i < j->times; i++)
    if (j->direction == BENCH_FWD)
      tape_forward(&r);
    else
      tape_backward(&r, 1);
}

static void prepare(void *context) {
  const job *j = context;
  bench_together(j->b->pool, j->b->threads, prepare_worker, context);
}

static void work(void *context, int64_t times) {
  job *j = context;
  j->times = times;
  bench_together(j->b->pool, j->b->threads, work_worker, j);
}

/* seconds [DIRECTIONS * rows]; the copy's bandwidth goes into b->copy. */
static void time_rows(ops *b, bench_series *seconds) {
  int n = BENCH_DIRECTIONS * b->rows->count;
  job *jobs = mem_new((size_t)n + 1, sizeof *jobs);
  bench_subject *subject = mem_new((size_t)n + 1, sizeof *subject);
  for (int i = 0; i < n; i++) {
    jobs[i] = (job){.b = b, .row = &b->rows->row[i / BENCH_DIRECTIONS], .direction = i % BENCH_DIRECTIONS};
    /* forward is timed first: backward finds what it left */
    subject[i] = (bench_subject){jobs[i].direction == BENCH_FWD ? prepare : NULL, work, &jobs[i]};
  }
  jobs[n] = (job){.b = b, .numbers = b->rows->sizes.numbers};
  subject[n] = (bench_subject){prepare, work, &jobs[n]};
  bench_in_turns(n + 1, subject, b->o->round_ms, seconds);
  b->copy = bench_rate(&seconds[n], 2e-9 * (double)b->rows->sizes.numbers * sizeof(real) * b->threads);
  mem_free(jobs);
  mem_free(subject);
}

/* --- writing --- */

/* What one direction of a row comes to. */
typedef struct figures {
  bench_stat ns; /* an element */
  double gb_per_s, share_of_copy, gflops;
} figures;

static figures figures_of(const ops *b, const bench_row *row, int direction, const bench_series *seconds) {
  bench_stat s = bench_stat_of(seconds);
  double all = b->threads, per_ns = 1e9 / (row->elements * all);
  double gb = row->bytes[direction] * all / s.median * 1e-9;
  return (figures){{s.median * per_ns, s.min * per_ns, s.max * per_ns},
                   gb,
                   gb / bench_stat_of(&b->copy).median,
                   row->flops[direction] * all / s.median * 1e-9};
}

/* Forward and backward over LayerNorm's in the same round; NAN where that is not among the rows, or it is no norm. */
static bench_stat over_layernorm(const ops *b, int index, const bench_series *seconds) {
  bench_stat none = {NAN, NAN, NAN};
  bench_series ratio;
  int layernorm = 0;
  while (layernorm < b->rows->count && strcmp(b->rows->row[layernorm].name, "norm.layernorm")) layernorm++;
  if (layernorm == b->rows->count || !b->rows->row[index].is_norm) return none;
  const bench_series *mine = &seconds[BENCH_DIRECTIONS * index],
                     *its = &seconds[BENCH_DIRECTIONS * layernorm];
  for (int i = 0; i < BENCH_ROUNDS; i++)
    ratio.round[i] = (mine[BENCH_FWD].round[i] + mine[BENCH_BWD].round[i]) /
                     (its[BENCH_FWD].round[i] + its[BENCH_BWD].round[i]);
  return bench_stat_of(&ratio);
}

static void write_json_rows(ops *b, const struct place *place, const bench_series *seconds) {
  static const char *const prefix[BENCH_DIRECTIONS] = {"fwd", "bwd"};
  char key[48];
  for (int i = 0; i < b->rows->count; i++) {
    const bench_row *row = &b->rows->row[i];
    str_addf(b->out, "%s{\"op\": \"%s\", \"place\": \"%s\", \"threads\": %d", b->written++ ? ", " : "",
             row->name, place->name, b->threads);
    bench_write_number(b->out, "elements", row->elements);
    bench_write_stat(b->out, "copy_gb_per_s", bench_stat_of(&b->copy));
    for (int d = 0; d < BENCH_DIRECTIONS; d++) {
      figures f = figures_of(b, row, d, &seconds[BENCH_DIRECTIONS * i + d]);
      snprintf(key, sizeof key, "%s_ns", prefix[d]);
      bench_write_stat(b->out, key, f.ns);
      snprintf(key, sizeof key, "%s_gb_per_s", prefix[d]);
      bench_write_number(b->out, key, f.gb_per_s);
      snprintf(key, sizeof key, "%s_share_of_copy", prefix[d]);
      bench_write_number(b->out, key, f.share_of_copy);
      snprintf(key, sizeof key, "%s_gflops", prefix[d]);
      bench_write_number(b->out, key, row->flops[d] > 0 ? f.gflops : NAN);
    }
    bench_write_stat(b->out, "over_layernorm", over_layernorm(b, i, seconds));
    str_add(b->out, "}");
  }
}

static void write_table_rows(ops *b, const struct place *place, const bench_series *seconds) {
  bench_stat copy = bench_stat_of(&b->copy);
  str_addf(b->out, "\n%s (%lld KB a tensor), %d thread%s; a copy moves %.1f GB/s (%.1f .. %.1f)\n",
           place->label, (long long)(place->bytes >> 10), b->threads, b->threads == 1 ? "" : "s", copy.median,
           copy.min, copy.max);
  str_addf(b->out, "%-22s %24s %6s %5s %24s %6s %5s %14s %14s\n", "", "forward: ns an element", "GB/s",
           "copy", "backward: ns an element", "GB/s", "copy", "GFLOP/s", "over LayerNorm");
  for (int i = 0; i < b->rows->count; i++) {
    const bench_row *row = &b->rows->row[i];
    figures f[BENCH_DIRECTIONS];
    str_addf(b->out, "%-22s", row->name);
    for (int d = 0; d < BENCH_DIRECTIONS; d++) {
      f[d] = figures_of(b, row, d, &seconds[BENCH_DIRECTIONS * i + d]);
      str_addf(b->out, " %7.3f (%6.3f .. %6.3f) %6.1f %4.0f%%", f[d].ns.median, f[d].ns.min, f[d].ns.max,
               f[d].gb_per_s, 100 * f[d].share_of_copy);
    }
    bench_stat over = over_layernorm(b, i, seconds);
    if (row->flops[BENCH_FWD] > 0) str_addf(b->out, " %6.1f %7.1f", f[BENCH_FWD].gflops, f[BENCH_BWD].gflops);
    if (!isnan(over.median)) str_addf(b->out, " %21.2f", over.median);
    str_add(b->out, "\n");
  }
}

/* --- the whole --- */

static bench_sizes sizes_of(const config *c) {
  if (!c) return usual;
  const config_model *m = &c->model;
  int64_t side = m->image_size / m->patch_size;
  return (bench_sizes){.tokens = side * side + 1,
                       .channels = m->dim,
                       .heads = m->heads,
                       .classes = m->classes,
                       .image = m->image_size,
                       .image_channels = m->channels,
                       .patch = m->patch_size};
}

/* One arena a thread, for the row that needs the most. */
static st take_memory(ops *b, err *e) {
  int64_t most = 2 * b->rows->sizes.numbers;
  int threads = work_threads(b->pool);
  for (int i = 0; i < b->rows->count; i++) {
    int64_t numbers = b->rows->row[i].p->numbers + b->rows->row[i].store.total;
    if (numbers > most) most = numbers;
  }
  size_t size = (size_t)most * sizeof(real);
  if (mem_afford("dyt bench ops", size * (size_t)threads, "fewer --threads may fit", e)) return e->code;
  for (int i = 0; i < threads; i++) {
    mem_unmap(&b->arena[i]);
    if (mem_map(&b->arena[i], size, "operands", e)) return e->code;
  }
  return ST_OK;
}

static st time_place(ops *b, const struct place *place, err *e) {
  b->rows = mem_new(1, sizeof *b->rows);
  b->rows->sizes = sizes_of(b->o->cfg);
  b->rows->sizes.numbers = place->bytes / (int64_t)sizeof(real);
  b->rows->only = b->o->only;
  b->warm = place->warm;
  bench_rows_list(b->rows);
  st code = b->rows->count
                ? take_memory(b, e)
                : err_add(e, ST_USER, "dyt bench ops --only %s: no row's name begins so", b->o->only);
  bench_series *seconds = mem_new((size_t)(BENCH_DIRECTIONS * b->rows->count + 1), sizeof *seconds);
  const int threads[] = {1, work_threads(b->pool)};
  for (int i = 0; i < (threads[1] > 1 ? 2 : 1) && !code; i++) {
    b->threads = threads[i];
    time_rows(b, seconds);
    (b->o->json ? write_json_rows : write_table_rows)(b, place, seconds);
  }
  mem_free(seconds);
  bench_rows_free(b->rows);
  mem_free(b->rows);
  return code;
}

st bench_ops(const bench_options *o, str *out, err *e) {
  ops b = {.o = o, .pool = workers_new(o->threads, work_cores()), .out = out};
  int threads = work_threads(b.pool);
  st code = ST_OK;
  b.arena = mem_new((size_t)threads, sizeof *b.arena);
  if (o->json)
    bench_write_begin(o, threads, out), str_add(out, ", \"rows\": [");
  else
    bench_write_title(o, threads, out);
  for (int i = 0; i < PLACES && !code; i++) code = time_place(&b, &places[i], e);
  str_add(out, o->json ? "]}\n" : "\n'copy': GB/s of the row over those of a copy of the same size\n");
  if (code) str_clear(out);
  for (int i = 0; i < threads; i++) mem_unmap(&b.arena[i]);
  mem_free(b.arena);
  work_free(b.pool);
  return code;
}
