/* Matrix products: OpenBLAS, one thread a call.
 *
 * The threads are ours (dyt/work.h), each with its own part of the batch. Whatever OPENBLAS_NUM_THREADS or
 * OMP_NUM_THREADS say, OpenBLAS must not start its own: results would depend on their number. */
#include "dyt/kernel.h"

#include <cblas.h>
#include <stdio.h>

/* There only when OpenBLAS brings OpenMP in, which keeps its number of threads for each calling thread. */
extern void omp_set_num_threads(int threads) __attribute__((weak));

void k_gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, real alpha, const real *a, int64_t lda,
            const real *b, int64_t ldb, real beta, real *c, int64_t ldc) {
  CBLAS_TRANSPOSE opa = ta ? CblasTrans : CblasNoTrans, opb = tb ? CblasTrans : CblasNoTrans;
#if REAL_IS_F64
  cblas_dgemm(CblasRowMajor, opa, opb, (blasint)m, (blasint)n, (blasint)k, alpha, a, (blasint)lda, b,
              (blasint)ldb, beta, c, (blasint)ldc);
#else
  cblas_sgemm(CblasRowMajor, opa, opb, (blasint)m, (blasint)n, (blasint)k, alpha, a, (blasint)lda, b,
              (blasint)ldb, beta, c, (blasint)ldc);
#endif
}

void k_thread_init(void) {
  if (omp_set_num_threads) omp_set_num_threads(1);
  if (openblas_get_num_threads() != 1) openblas_set_num_threads(1);
}

k_blas_build k_blas_kind(void) {
  int parallel = openblas_get_parallel();
  return parallel == 2 ? K_BLAS_OPENMP : parallel == 1 ? K_BLAS_PTHREAD : K_BLAS_SERIAL;
}

const char *k_blas_name(void) {
  static const char *const builds[] = {
      [K_BLAS_SERIAL] = "serial", [K_BLAS_PTHREAD] = "pthread", [K_BLAS_OPENMP] = "openmp"};
  static char name[96];
  char product[32] = "OpenBLAS", version[32] = "";
  if (sscanf(openblas_get_config(), "%31s %31s", product, version) < 1) product[0] = 0;
  snprintf(name, sizeof name, "%s %s %s %s", product, version, builds[k_blas_kind()],
           openblas_get_corename());
  return name;
}
