/* kernel_support - for tests of kernels: buffers, comparison, a run at every SIMD level this machine has. */
#ifndef DYT_TESTS_KERNEL_SUPPORT_H
#define DYT_TESTS_KERNEL_SUPPORT_H

#include "dyt/kernel.h"
#include "dyt/mem.h"
#include "dyt/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t LENGTHS[] = {1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 64, 100, 257};
enum { N_LENGTHS = sizeof LENGTHS / sizeof *LENGTHS };

enum { HELD = 16384 };
static void *held[HELD];
static int n_held;

/* Exactly as long as asked for, so that a sanitizer sees a kernel that goes too far; freed after the test. */
static real *numbers(int64_t n, double low, double high) {
  real *x = malloc((size_t)(n ? n : 1) * sizeof *x);
  assert_non_null(x);
  assert_in_range(n_held, 0, HELD - 1);
  rng r = rng_at(1, "kernels", (uint64_t)n_held, (uint64_t)n);
  for (int64_t i = 0; i < n; i++) x[i] = (real)(low + (high - low) * rng_uniform(&r));
  return held[n_held++] = x;
}

static real *copied(const real *x, int64_t n) {
  real *y = numbers(n, 0, 0);
  memcpy(y, x, (size_t)n * sizeof *x);
  return y;
}

static int release(void **state) {
  (void)state;
  while (n_held > 0) free(held[--n_held]);
  return 0;
}

/* |got - want| <= units * eps * scale */
static void close_to(double got, double want, double units, double scale, const char *what, int64_t i) {
  if (!(fabs(got - want) <= units * REAL_EPS * scale))
    fail_msg("%s: %s[%lld] is %.17g, expected %.17g (scale %g)", k_simd_level(), what, (long long)i, got,
             want, scale);
}

/* Runs the group at each level; the number of failures. */
#define RUN_AT_EVERY_LEVEL(tests, failures)                                                                  \
  do {                                                                                                       \
    static const char *const levels_[] = {"portable", "avx2", "avx512"};                                     \
    for (int l_ = 0; l_ < 3; l_++)                                                                           \
      if (k_init(levels_[l_], NULL) == ST_OK)                                                                \
        failures += cmocka_run_group_tests_name(levels_[l_], tests, NULL, NULL);                             \
  } while (0)

#endif
