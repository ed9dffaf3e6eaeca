/* How many fused multiply-adds this processor makes: what every other rate is a share of. */
#include "kernels/simd/simd.h"

/* Each chain waits for its own last result only: more of them than a processor has under way, fewer than registers. */
enum { CHAINS = 12 };

double LEVEL(fma_peak)(int64_t n, real *out) {
  vec sum[CHAINS], a = v_set((real)0.5), b = v_set(1);
  for (int c = 0; c < CHAINS; c++) sum[c] = v_set((real)c);
  for (int64_t i = 0; i < n; i++)
    for (int c = 0; c < CHAINS; c++) sum[c] = v_fma(sum[c], a, b);
  for (int c = 0; c < CHAINS; c++) out[0] += v_sum(sum[c]);
  return 2.0 * CHAINS * W * (double)n;
}
