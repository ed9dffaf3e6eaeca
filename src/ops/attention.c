/* attention: multi-head self-attention between the qkv and the output projection (Vaswani et al. 2017), one
 * operation.
 *
 * For each sample and head, q, k, v [T, D] and C = heads * D:
 *   P = softmax over keys of (q k^T / sqrt(D)), out = P v
 *   dv = P^T dout        dP = dout v^T        dS = P (dP - sum over keys of P dP)
 *   dq = dS k / sqrt(D)        dk = dS^T q / sqrt(D)
 *
 * Saved: P of every sample. Without room for it (a forward-only plan) one sample's P lies in the scratch. */
#include "dyt/ops.h"

static int64_t head_width(const op_attention_attr *a, shape qkv) { return shape_cols(qkv) / 3 / a->heads; }

static void infer(op_shapes *s) {
  const op_attention_attr *a = s->attr;
  OP_REQUIRE(s, s->in[0].rank == 3, "qkv is [n, T, 3C]");
  OP_REQUIRE(s, a->heads >= 1 && shape_cols(s->in[0]) % (3 * a->heads) == 0,
             "3 x heads (%d) divide the channels", a->heads);
  int64_t n = s->in[0].dim[0], T = s->in[0].dim[1], D = head_width(a, s->in[0]);
  s->out = SHAPE(n, T, D * a->heads);
  s->saved = n * k_attention_saved(T, a->heads);
  s->scratch = k_attention_scratch(T, D) + k_attention_saved(T, a->heads);
}

static void forward(const op_call *c) {
  const op_attention_attr *a = c->attr;
  shape s = c->in[0].s;
  int64_t T = s.dim[1], D = head_width(a, s), in = T * s.dim[2], out = in / 3,
          p = k_attention_saved(T, a->heads);
  for (int64_t i = 0; i < s.dim[0]; i++)
    k_attention_fwd(T, a->heads, D, c->in[0].x + i * in, c->out->x + i * out,
                    c->saved ? c->saved + i * p : c->scratch, c->scratch + p);
}

static void backward(const op_call *c) {
  const op_attention_attr *a = c->attr;
  const tensor *qkv = &c->in[0];
  shape s = qkv->s;
  int64_t T = s.dim[1], D = head_width(a, s), in = T * s.dim[2], out = in / 3,
          p = k_attention_saved(T, a->heads);
  if (!qkv->g) return;
  for (int64_t i = 0; i < s.dim[0]; i++)
    k_attention_bwd(T, a->heads, D, qkv->x + i * in, c->saved + i * p, c->out->g + i * out, qkv->g + i * in,
                    qkv->acc, c->scratch + p);
}

/* q k^T and P v. */
static double flops(const op_shapes *s) {
  double n = (double)s->in[0].dim[0], T = (double)s->in[0].dim[1], C = (double)s->in[0].dim[2] / 3;
  return 2 * 2 * n * T * T * C;
}

const op op_attention = {.name = "attention",
                         .min_in = 1,
                         .max_in = 1,
                         .attr_size = sizeof(op_attention_attr),
                         .needs = OP_IN(0),
                         .infer = infer,
                         .forward = forward,
                         .backward = backward,
                         .flops = flops};
