/* kernel - the arithmetic: matrix products through BLAS, everything else through SIMD kernels chosen at run
 * time.
 *
 * The only layer that knows BLAS and vector instructions. A kernel is named in kernels.def, written once in
 * src/kernels/simd/ and compiled for each SIMD level (AVX-512, AVX2+FMA, portable); k_init takes the best one
 * the
 * processor has. Results may differ in rounding from one level to another, never from one thread count to
 * another.
 *
 *   if (k_init(NULL, e)) return e->code;                                     // once, before anything else
 *   k_gemm(false, true, rows, out, in, 1, x, in, w, in, 0, y, out);          // y = x w^T
 *   k_map_fwd(K_gelu, n, y, y);
 */
#ifndef DYT_KERNEL_H
#define DYT_KERNEL_H

#include "dyt/err.h"
#include "dyt/real.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum k_fn {
#define FN(name, group) K_##name,
#include "dyt/functions.def"
  K_FN_COUNT
} k_fn;

typedef enum k_fn_group { K_NORM, K_ACT } k_fn_group;

/* What is known of a function without evaluating it on a span. */
typedef struct k_fn_info {
  const char *name;
  k_fn_group group;
  double slope0; /* f'(0); INFINITY where it is infinite */
  double kinks
      [2]; /* |z| at which the slope jumps (0 at the origin included when the slope is infinite there), < 0: none */
} k_fn_info;

extern const k_fn_info k_functions[K_FN_COUNT];

/* The function of that name and group, or K_FN_COUNT. */
k_fn k_fn_find(const char *name, k_fn_group group);

/* Widths that kernels may read or write beyond a row are rounded up to this many elements, whatever the SIMD
 * level, so that
 * memory plans are the same on every machine. */
enum { K_PAD = 16 };
static inline int64_t k_padded(int64_t n) { return (n + K_PAD - 1) / K_PAD * K_PAD; }

/* Numbers that attention keeps for the backward pass, and scratch either pass needs, for one sample. */
static inline int64_t k_attention_saved(int64_t T, int64_t H) { return H * T * k_padded(T); }
int64_t k_attention_scratch(int64_t T, int64_t D);

/* Scratch of k_linear_dw. */
static inline int64_t k_linear_scratch(int64_t N, int64_t in) { return N * (in + 24); }

typedef struct k_adamw_args {
  double lr, beta1, beta2, eps, weight_decay, gscale, c1, c2;
} k_adamw_args;

typedef struct k_sgd_args {
  double lr, momentum, weight_decay, gscale;
} k_sgd_args;

/* Chooses the SIMD level ("avx512", "avx2", "portable", or NULL: the environment's DYT_SIMD, else the best
 * there is) and sets BLAS to one thread a call.
 * ST_USER: no such level, this processor lacks it, or DYT_GEMM is neither "own" nor "blas". */
st k_init(const char *level, err *e);
const char *k_simd_level(void);
/* Whether linear layers should use the linear_* kernels on packed weights: not at the portable level, where BLAS is faster,
 * unless the environment's DYT_GEMM says "own" or "blas". */
bool k_packs(void);

/* BLAS: c [m,n] = alpha op(a) op(b) + beta c, row-major; op transposes when ta or tb. lda, ldb, ldc: row
 * strides as stored. Single-threaded;
 * safe from several threads at once. */
void k_gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, real alpha, const real *a, int64_t lda,
            const real *b, int64_t ldb, real beta, real *c, int64_t ldc);
/* The BLAS in use, e.g. "OpenBLAS 0.3.21 openmp Cooperlake"; its build kind. */
const char *k_blas_name(void);
typedef enum k_blas_build { K_BLAS_SERIAL, K_BLAS_PTHREAD, K_BLAS_OPENMP } k_blas_build;
/* A serial build is not safe to call from several threads: see k_blas_build. */
k_blas_build k_blas_kind(void);
/* Every thread that will call k_gemm calls this once: OpenMP keeps its thread count per thread. */
void k_thread_init(void);
/* Gives the caller back all the cores that OpenMP may use, if OpenMP has bound it to one; k_init calls it. */
void k_unbind(void);

/* The kernels at the chosen level. */
typedef struct k_table {
#define KERNEL(result, name, params, args) result(*name) params;
#include "dyt/kernels.def"
} k_table;
extern k_table k_active;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic" /* `return` of a void call: one wrapper serves all result types */
#define KERNEL(result, name, params, args)                                                                   \
  static inline result k_##name params { return k_active.name args; }
#include "dyt/kernels.def"
#pragma GCC diagnostic pop

#endif
