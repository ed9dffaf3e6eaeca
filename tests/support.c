#define _GNU_SOURCE
#include "support.h"

#include "dyt/file.h"
#include "dyt/rng.h"

#include <stdlib.h>
#include <string.h>

void support_fill(const char *stream, int64_t n, double low, double high, real *x) {
  rng r = rng_at(7, stream, 0, 0);
  for (int64_t i = 0; i < n; i++) x[i] = (real)(low + (high - low) * rng_uniform(&r));
}

static real weight_of(rng *r) {
  double u = rng_uniform(r);
  return (real)(u < 0.5 ? -0.5 - 2 * u : 2 * u - 0.5);
}

static void infer(op_shapes *s) { s->out = SHAPE(1); }

static void forward(const op_call *c) {
  rng r = rng_at_name(((const op_probe_attr *)c->attr)->stream, 0, 0);
  double sum = 0;
  for (int64_t i = 0, n = shape_numel(c->in[0].s); i < n; i++)
    sum += (double)weight_of(&r) * (double)c->in[0].x[i];
  c->out->x[0] = (real)sum;
}

static void backward(const op_call *c) {
  rng r = rng_at_name(((const op_probe_attr *)c->attr)->stream, 0, 0);
  for (int64_t i = 0, n = shape_numel(c->in[0].s); i < n; i++) {
    real d = weight_of(&r) * c->out->g[0];
    c->in[0].g[i] = c->in[0].acc ? c->in[0].g[i] + d : d;
  }
}

const op op_probe = {.name = "probe",
                     .min_in = 1,
                     .max_in = 1,
                     .attr_size = sizeof(op_probe_attr),
                     .infer = infer,
                     .forward = forward,
                     .backward = backward};

char *support_folder(void) {
  char *path = mem_strdup("/tmp/dyt-test-XXXXXX");
  assert_non_null(mkdtemp(path));
  return path;
}

void support_end(char *folder) {
  file_remove(folder, NULL);
  mem_free(folder);
}

char *support_write(const char *folder, const char *name, const char *text) {
  char *path = mem_printf("%s/%s", folder, name);
  assert_int_equal(file_write(path, text, strlen(text), NULL), ST_OK);
  return path;
}
