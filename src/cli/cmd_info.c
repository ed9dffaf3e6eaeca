#include "cli.h"

#include "dyt/engine.h"
#include "dyt/file.h"
#include "dyt/model_guess.h"
#include "dyt/run.h"
#include "dyt/safetensors.h"
#include "dyt/trained.h"
#include "dyt/weights.h"

#include <stdio.h>
#include <string.h>

/* --- a weights file --- */

/* Tensors that do not belong to the guessed model, as a sentence. */
static void check_guess(const safetensors *f, const config_model *guess, err *e) {
  config_model c = *guess;
  model m;
  if (!c.classes) c.classes = 2; /* there is no head: it will be among what is missing */
  if (model_build(&m, &c, e)) return;
  weights_fit(f, &m.params, e);
  model_free(&m);
}

/* What names begin with, each once: "conv1, layer1, fc". */
static str roots_of(const safetensors *f) {
  enum { LISTED = 8 };
  str list = {0}, seen = {0};
  int n = 0;
  for (int i = 0; i < f->count; i++) {
    const char *name = f->entry[i].name;
    char *root = mem_printf("\n%.*s\n", (int)strcspn(name, "."), name);
    if (!seen.data || !strstr(seen.data, root)) {
      str_add(&seen, root);
      if (++n <= LISTED) str_addf(&list, "%s%.*s", n > 1 ? ", " : "", (int)strcspn(name, "."), name);
    }
    mem_free(root);
  }
  str_add(&list, n > LISTED ? ", ..." : n ? "" : "nothing");
  str_free(&seen);
  return list;
}

/* Other weights are no error unless the config is all that was asked for. */
static st say_unknown(const safetensors *f, bool json, err *e) {
  str roots = roots_of(f);
  static const char expected[] =
      "a ViT's pos_embed [1, T, D] and patch_embed.proj.weight [D, C, P, P], T - 1 a square";
  if (json)
    err_add(e, ST_USER, "%s: found %s, expected %s", f->path, roots.data, expected);
  else
    printf("no config can be guessed: found %s, expected %s\n", roots.data, expected);
  str_free(&roots);
  return e->code;
}

static st guess_config(const safetensors *f, bool json, err *e) {
  config_model guess;
  err misfit = {0};
  str text = {0};
  if (!model_guess(f, &guess)) return say_unknown(f, json, e);
  check_guess(f, &guess, &misfit);
  if (misfit.code) fprintf(stderr, "warning: %s\n", misfit.text);
  model_guess_write(&guess, f->path, &text);
  printf("%s%s", json ? "" : "a config for them (dyt info --json prints it alone):\n", text.data);
  str_free(&text);
  return ST_OK;
}

static void list_tensors(const safetensors *f) {
  int64_t numbers = 0;
  char dims[64];
  for (int i = 0; i < f->count; i++) {
    safetensors_shape_text(&f->entry[i], dims);
    printf("%-40s %-5s %s\n", f->entry[i].name, f->entry[i].dtype, dims);
    numbers += safetensors_numel(&f->entry[i]);
  }
  printf("%s: %d tensors, %lld numbers\n", f->path, f->count, (long long)numbers);
  for (int i = 0; i < f->metadata_count; i++) printf("  %s: %s\n", f->metadata[i].key, f->metadata[i].value);
}

static st describe_weights(const char *path, bool json, err *e) {
  safetensors f;
  if (safetensors_read(path, &f, e)) return e->code;
  if (!json) list_tensors(&f);
  st code = guess_config(&f, json, e);
  safetensors_free(&f);
  return code;
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
  bool graph = false, json = false;
  trained_options o = {.sets = sets};
  const cli_option options[] = {CLI_SET(sets, o.n_sets),
                                {.name = "graph",
                                 .help = "the training tape: operations, shapes, FLOPs, places in memory",
                                 .flag = &graph},
                                CLI_JSON(json, "of a weights file: only the config that is guessed from it")};
  int code = cli_begin(self, argc, argv, options, 3, source, 1, 1, &n);
  if (code >= 0) return code;
  err e = {0};
  if (ends_with(source[0], ".safetensors")) {
    describe_weights(source[0], json, &e);
  } else if (json) {
    err_add(&e, ST_USER, "dyt info --json %s: expected a weights file (.safetensors)", source[0]);
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
