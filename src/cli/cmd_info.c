#include "cli.h"

#include "dyt/engine.h"
#include "dyt/file.h"
#include "dyt/run.h"
#include "dyt/safetensors.h"
#include "dyt/trained.h"

#include <stdio.h>
#include <string.h>

/* --- a weights file --- */

static st describe_weights(const char *path, err *e) {
  safetensors f;
  if (safetensors_read(path, &f, e)) return e->code;
  int64_t numbers = 0;
  char dims[64];
  for (int i = 0; i < f.count; i++) {
    safetensors_shape_text(&f.entry[i], dims);
    printf("%-40s %-5s %s\n", f.entry[i].name, f.entry[i].dtype, dims);
    numbers += safetensors_numel(&f.entry[i]);
  }
  printf("%s: %d tensors, %lld numbers\n", path, f.count, (long long)numbers);
  for (int i = 0; i < f.metadata_count; i++) printf("  %s: %s\n", f.metadata[i].key, f.metadata[i].value);
  safetensors_free(&f);
  return ST_OK;
}

/* --- a model --- */

static double mib(int64_t reals) { return (double)reals * sizeof(real) / (1 << 20); }

static void describe_parameters(const params *p) {
  char dims[80];
  for (int i = 0; i < p->count; i++) {
    int flags = p->p[i].flags;
    printf("  %-32s %-18s%s\n", p->p[i].name, shape_text(p->p[i].s, dims),
           !(flags & PARAM_TRAIN) ? " fixed"
           : flags & PARAM_DECAY  ? " weight decay"
                                  : "");
  }
}

static void describe_model(const config *c, const model *m, bool graph) {
  const params *p = &m->params;
  int micro = c->train.micro_batch ? c->train.micro_batch : engine_micro_batch(m, &task_classify);
  task_tape r = task_classify.record(m, c->train.label_smoothing, micro);
  plan *train = plan_new(r.tape, r.loss, 1, &r.output), *eval = plan_new(r.tape, NO_VAL, 1, &r.output);
  double flops = tape_flops(r.tape) / micro;
  printf("parameters        %lld in %d tensors\n", (long long)p->numbers, p->count);
  describe_parameters(p);
  printf("norm layers       %d\n", m->norms);
  printf("forward pass      %.3f MFLOP an image; training step %.3f\n", flops * 1e-6, 3 * flops * 1e-6);
  printf("micro-batch       %d images: %d operations, %.2f MiB to train, %.2f MiB to evaluate, a worker\n",
         micro, r.tape->nodes, mib(train->numbers), mib(eval->numbers));
  printf("parameters, moments and gradients  %.2f MiB (%d shards)\n", mib(p->total * (3 + c->train.shards)),
         c->train.shards);
  if (graph) {
    str text = {0};
    plan_describe(train, &text);
    printf("\n%s", text.data);
    str_free(&text);
  }
  plan_free(train);
  plan_free(eval);
  tape_free(r.tape);
}

/* Keys that are null come from the data set. */
static st settle(config *c, err *e) {
  data_set d;
  if (c->model.image_size && c->model.channels && c->model.classes) return ST_OK;
  work_pool *pool = work_new(work_cores(), NULL, NULL);
  st code = data_open(c, pool, &d, e);
  work_free(pool);
  if (code) return code;
  data_close(&d);
  return config_check_shapes(c, e);
}

static void describe_run(const char *path) {
  char *status = run_file(path, "status.json");
  file_bytes b;
  if (!file_read(status, 1 << 20, &b, NULL)) {
    printf("%s\n%s\n", path, b.data);
    file_bytes_free(&b);
  }
  mem_free(status);
}

static st describe_config(const trained_options *o, bool graph, err *e) {
  config c;
  model m;
  if (config_load(o->config_path, o->sets, o->n_sets, &c, e)) return e->code;
  st code = settle(&c, e);
  if (!code) code = model_build(&m, &c.model, e);
  if (!code) {
    describe_model(&c, &m, graph);
    model_free(&m);
  }
  config_free(&c);
  return code;
}

static bool ends_with(const char *s, const char *end) {
  size_t n = strlen(s), k = strlen(end);
  return n >= k && strcmp(s + n - k, end) == 0;
}

int cli_info(const cli_command *self, int argc, char **argv) {
  const char *sets[CLI_ARGS_MAX], *source[1] = {0};
  int n = 0;
  bool graph = false;
  trained_options o = {.sets = sets};
  const cli_option options[] = {{.name = "set",
                                 .arg = "KEY=VALUE",
                                 .help = "change a key of the config",
                                 .text = sets,
                                 .count = &o.n_sets},
                                {.name = "graph",
                                 .help = "the training tape: operations, shapes, FLOPs, places in memory",
                                 .flag = &graph}};
  int code = cli_begin(self, argc, argv, options, 2, source, 1, 1, &n);
  if (code >= 0) return code;
  err e = {0};
  if (ends_with(source[0], ".safetensors")) {
    describe_weights(source[0], &e);
  } else {
    bool folder = file_what(source[0]) == FILE_FOLDER;
    char *path = folder ? run_file(source[0], "config.json") : mem_strdup(source[0]);
    if (folder) describe_run(source[0]);
    o.config_path = path;
    describe_config(&o, graph, &e);
    mem_free(path);
  }
  return e.code ? cli_fail(&e) : ST_OK;
}
