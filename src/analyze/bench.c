/* The table of benchmarks. */
#include "bench_parts.h"

#include <string.h>

const bench bench_all[] = {
    {"step",
     "a training step beside OpenBLAS on the step's own matrix shapes, and the time of each operation", true,
     250, bench_step},
    {"gemm",
     "each matrix product of a step: GFLOP/s on one thread and on all, and the share of the processor's peak",
     true, 40, bench_gemm},
    {"ops",
     "each operation and function, in cache and out of it: ns an element, GB/s, share of a copy's bandwidth",
     false, 10, bench_ops},
    {"infer", "one image on one thread, a batch of 128 on all; forward only", true, 250, bench_infer},
    {"norms",
     "what LayerNorm, RMSNorm and DyT cost: the model's time minus that of the same model without norms",
     true, 250, bench_norms},
    {"growth",
     "time and memory of a step against batch, depth, tokens and width, with slopes; --out draws it", true,
     100, bench_growth},
    {0}};

const bench *bench_find(const char *name, err *e) {
  str names = {0};
  for (const bench *b = bench_all; b->name; b++) {
    if (strcmp(b->name, name) == 0) {
      str_free(&names);
      return b;
    }
    str_addf(&names, "%s%s", b == bench_all ? "" : b[1].name ? ", " : " or ", b->name);
  }
  err_add(e, ST_USER, "dyt bench %s: no such benchmark, expected %s", name, names.data);
  str_free(&names);
  return NULL;
}

/* What a data set would settle; a benchmark reads none. */
static void settle(config *c) {
  if (!c->model.image_size) config_fill(c, "model.image_size", 28);
  if (!c->model.channels) config_fill(c, "model.channels", 1);
  if (!c->model.classes) config_fill(c, "model.classes", 10);
}

st bench_run(const bench *b, const bench_options *o, str *out, err *e) {
  bench_options own = *o;
  if (!own.round_ms) own.round_ms = b->round_ms;
  if (!own.cfg && b->needs_config)
    return err_add(e, ST_USER, "dyt bench %s: expected a config, for its model", b->name);
  if (own.cfg) {
    settle(own.cfg);
    if (config_check_shapes(own.cfg, e)) return e->code;
  }
  return b->run(&own, out, e);
}
