#include "dyt/rng.h"

#include <math.h>
#include <Random123/philox.h>
#include <string.h>
#include <xxhash.h>

uint64_t rng_name(uint64_t seed, const char *stream) { return XXH64(stream, strlen(stream), seed); }

rng rng_at_name(uint64_t name, uint64_t a, uint64_t b) {
  return (rng){.key = {(uint32_t)name, (uint32_t)(name >> 32)}, .a = a, .b = b & UINT32_MAX};
}

rng rng_at(uint64_t seed, const char *stream, uint64_t a, uint64_t b) {
  return rng_at_name(rng_name(seed, stream), a, b);
}

static void refill(rng *r) {
  philox4x32_ctr_t c = {{(uint32_t)r->a, (uint32_t)(r->a >> 32), (uint32_t)r->b, (uint32_t)(r->b >> 32)}};
  philox4x32_key_t k = {{r->key[0], r->key[1]}};
  c = philox4x32(c, k);
  memcpy(r->block, c.v, sizeof r->block);
  r->b += (uint64_t)1 << 32;
  r->left = 4;
}

uint32_t rng_u32(rng *r) {
  if (r->left == 0) refill(r);
  return r->block[4 - r->left--];
}

double rng_uniform(rng *r) { return ((double)rng_u32(r) + 0.5) * 0x1p-32; }

/* Multiply and reject (Lemire 2019): the low word tells whether the draw falls into the uneven rest. */
uint32_t rng_below(rng *r, uint32_t n) {
  uint32_t reject = (0u - n) % n;
  uint64_t m = (uint64_t)rng_u32(r) * n;
  while ((uint32_t)m < reject) m = (uint64_t)rng_u32(r) * n;
  return (uint32_t)(m >> 32);
}

/* Box-Muller; the second number of the pair is not kept, so that a draw has no hidden state. */
double rng_normal(rng *r) {
  double u = rng_uniform(r), v = rng_uniform(r);
  return sqrt(-2.0 * log(u)) * cos(6.283185307179586477 * v);
}

void rng_normals(rng *r, int64_t n, real *out) {
  for (int64_t i = 0; i < n; i += 2) {
    double u = rng_uniform(r), v = 6.283185307179586477 * rng_uniform(r), length = sqrt(-2.0 * log(u));
    out[i] = (real)(length * cos(v));
    if (i + 1 < n) out[i + 1] = (real)(length * sin(v));
  }
}

/* The logarithm of a draw of Gamma(a, 1): Marsaglia and Tsang (2000), exact, for a + 1, which times U^(1/a) is that of a. As a
 * logarithm, since for small a nearly all draws are too small for a double. */
static double log_gamma_draw(rng *r, double a) {
  double d = a + 1 - 1.0 / 3, c = 1 / sqrt(9 * d);
  for (;;) {
    double x = rng_normal(r), v = 1 + c * x;
    v = v * v * v;
    if (v > 0 && log(rng_uniform(r)) < 0.5 * x * x + d - d * v + d * log(v))
      return log(d) + log(v) + log(rng_uniform(r)) / a;
  }
}

/* X / (X + Y) of two Gamma(a). */
double rng_beta(rng *r, double a) {
  double x = log_gamma_draw(r, a), y = log_gamma_draw(r, a);
  return x == y ? 0.5 : 1 / (1 + exp(y - x)); /* both are -infinity if a is next to nothing */
}

double rng_trunc_normal(rng *r, double std) {
  double x = std * rng_normal(r);
  while (fabs(x) > 2.0) x = std * rng_normal(r);
  return x;
}

void rng_permutation(rng *r, int64_t n, int32_t *out) {
  for (int64_t i = 0; i < n; i++) {
    int64_t j = rng_below(r, (uint32_t)i + 1);
    out[i] = out[j];
    out[j] = (int32_t)i;
  }
}
