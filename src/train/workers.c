#include "dyt/workers.h"

#include "dyt/kernel.h"
#include "dyt/mem.h"

#include <stdio.h>

/* Makes the matrix library take its buffers now, so that they are part of what the process holds before it
 * plans its memory: by the least product that OpenBLAS does not make without them. */
static void start_thread(void *unused) {
  enum { N = 128 };
  (void)unused;
  k_thread_init();
  real *x = mem_new((size_t)3 * N * N, sizeof *x);
  k_gemm(false, true, N, N, N, 1, x, N, x + N * N, N, 0, x + 2 * N * N, N);
  mem_free(x);
}

work_pool *workers_new(int asked, int useful) {
  int cores = work_cores(), threads = asked ? asked : cores < useful ? cores : useful;
  if (threads > 1 && k_blas_kind() == K_BLAS_SERIAL) {
    fprintf(stderr,
            "warning: %s is a serial build and not safe with threads: computing on 1 thread; install "
            "libopenblas-openmp-dev\n",
            k_blas_name());
    threads = 1;
  } else if (threads > cores) {
    fprintf(stderr, "warning: %d threads on %d core%s: slower than %d\n", threads, cores,
            cores == 1 ? "" : "s", cores);
  } else if (threads > useful) {
    fprintf(stderr, "warning: %d threads, but train.shards is %d: the others have nothing to do\n", threads,
            useful);
  }
  return work_new(threads, start_thread, NULL);
}
