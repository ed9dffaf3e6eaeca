#include "bench_parts.h"

#include "dyt/kernel.h"

#include <string.h>

/* For a linear layer y = x w^T: y [rows,out], dx = dy w, dw += dy^T x. */
static const struct {
  bool ta, tb;
  real beta;
} pass[BENCH_PASSES] = {
    [BENCH_FORWARD] = {false, true, 0}, [BENCH_DX] = {false, false, 0}, [BENCH_DW] = {true, false, 1}};

const char *const bench_pass_name[BENCH_PASSES] = {
    [BENCH_FORWARD] = "forward", [BENCH_DX] = "dx", [BENCH_DW] = "dw"};

void bench_products_add(bench_products *b, const tape *t, int64_t runs) {
  b->p = mem_grow(b->p, (size_t)b->count, (size_t)(b->count + t->nodes * BENCH_PASSES), sizeof *b->p);
  for (int i = 0; i < t->nodes; i++) {
    const tape_node *n = &t->node[i];
    if (strcmp(n->op->name, "linear")) continue;
    int64_t rows = shape_rows(tape_shape(t, n->in[0])), in = shape_cols(tape_shape(t, n->in[0])),
            out = shape_cols(tape_shape(t, n->out));
    b->p[b->count++] = (bench_product){BENCH_FORWARD, rows, out, in, runs};
    b->p[b->count++] = (bench_product){BENCH_DX, rows, in, out, t->value[n->in[0]].wants_grad ? runs : 0};
    b->p[b->count++] = (bench_product){BENCH_DW, out, in, rows, runs};
  }
}

/* One place for all products' a, one for b, one for c, one for scratch: operands are read again and again and nothing is fed back. */
static void lay_out(bench_products *b) {
  int64_t most[4] = {0};
  for (int i = 0; i < b->count; i++) {
    const bench_product *p = &b->p[i];
    const int64_t size[4] = {p->m * p->k, p->k * p->n, p->m * p->n,
                             p->pass == BENCH_DW ? k_linear_scratch(p->k, p->n) : 0};
    for (int j = 0; j < 4; j++)
      if (size[j] > most[j]) most[j] = size[j];
  }
  for (int j = 0; j < 4; j++) {
    b->at[j] = b->length;
    b->length += k_padded(most[j]);
  }
}

st bench_products_ready(bench_products *b, int threads, err *e) {
  b->threads = threads;
  lay_out(b);
  b->buffer = mem_new((size_t)threads, sizeof *b->buffer);
  for (int i = 0; i < threads; i++) {
    if (mem_map(&b->buffer[i], (size_t)b->length * sizeof(real), "matrices", e)) return e->code;
    bench_fill((real *)b->buffer[i].base, b->length);
  }
  return ST_OK;
}

void bench_products_close(bench_products *b) {
  for (int i = 0; b->buffer && i < b->threads; i++) mem_unmap(&b->buffer[i]);
  mem_free(b->buffer);
  mem_free(b->p);
  *b = (bench_products){0};
}

void bench_product_packed(const bench_products *b, int index, int worker) {
  const bench_product *p = &b->p[index];
  real *base = (real *)b->buffer[worker].base, *a = base + b->at[0], *w = base + b->at[1],
       *c = base + b->at[2];
  if (p->pass == BENCH_FORWARD) k_linear_fwd(p->m, p->k, p->n, a, w, NULL, NULL, K_identity, c, NULL);
  if (p->pass == BENCH_DX) k_linear_dx(p->m, p->n, p->k, a, w, c, false);
  if (p->pass == BENCH_DW) k_linear_dw(p->k, p->n, p->m, a, w, c, base + b->at[3]);
}

void bench_product_run(const bench_products *b, int index, int worker) {
  const bench_product *p = &b->p[index];
  real *base = (real *)b->buffer[worker].base;
  bool ta = pass[p->pass].ta, tb = pass[p->pass].tb;
  k_gemm(ta, tb, p->m, p->n, p->k, 1, base + b->at[0], ta ? p->m : p->k, base + b->at[1], tb ? p->k : p->n,
         pass[p->pass].beta, base + b->at[2], p->n);
}

double bench_product_flops(const bench_product *p) {
  return 2.0 * (double)p->m * (double)p->n * (double)p->k;
}
