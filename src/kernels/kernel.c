/* What is known of the functions, and the choice of the SIMD level. */
#include "dyt/kernel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- functions --- */

#define NO_KINK                                                                                              \
  { -1, -1 }
#define INFO_identity 1, NO_KINK
#define INFO_tanh     1, NO_KINK
#define INFO_hardtanh                                                                                        \
  1, { 1, -1 }
#define INFO_sigmoid    0.25, NO_KINK
#define INFO_erf        1.1283791670955126, NO_KINK /* 2/sqrt(pi) */
#define INFO_isru       1, NO_KINK
#define INFO_arctan     0.6366197723675814, NO_KINK /* 2/pi */
#define INFO_satursin   1, NO_KINK
#define INFO_expsign    1, NO_KINK
#define INFO_smoothsign 1, NO_KINK
#define INFO_relsign    0.5, NO_KINK
#define INFO_arcsinhclip                                                                                     \
  1, { 1.1752011936438014, -1 } /* sinh 1 */
#define INFO_linearclip                                                                                      \
  1, { 1, -1 }
#define INFO_exproot                                                                                         \
  INFINITY, { 0, -1 }
#define INFO_logsignclip                                                                                     \
  1, { 1.718281828459045, -1 } /* e - 1 */
#define INFO_logquadclip                                                                                     \
  0, { 1.3108324944320862, -1 } /* sqrt(e - 1) */
#define INFO_power23clip                                                                                     \
  INFINITY, { 0, 1 }
#define INFO_saturlog  1, NO_KINK
#define INFO_cubsign   0, NO_KINK
#define INFO_gelu      0.5, NO_KINK
#define INFO_gelu_tanh 0.5, NO_KINK
#define INFO_relu                                                                                            \
  0, { 0, -1 }
#define INFO_silu 0.5, NO_KINK
#define INFO_selu                                                                                            \
  1.7580993408473766, { 0, -1 } /* the left side's */

const k_fn_info k_functions[K_FN_COUNT] = {
#define FN(name, group) {#name, K_##group, INFO_##name},
#include "dyt/functions.def"
};

k_fn k_fn_find(const char *name, k_fn_group group) {
  for (int i = 0; i < K_FN_COUNT; i++)
    if (k_functions[i].group == group && !strcmp(k_functions[i].name, name)) return (k_fn)i;
  return K_FN_COUNT;
}

/* Backward needs the most: the gradient of `out` transposed [D] and the gradient of the scores [T]. */
int64_t k_attention_scratch(int64_t T, int64_t D) { return (D + T) * k_padded(T); }

/* --- levels --- */

static bool always(void) { return true; }

#if defined(__x86_64__)
extern const k_table k_table_avx512, k_table_avx2;

/* The compiler's support library also asks whether the operating system saves the registers. */
static bool has_avx512(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("fma");
}
static bool has_avx2(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif
extern const k_table k_table_portable;

/* Best first. */
static const struct {
  const char *name;
  bool (*usable)(void);
  const k_table *kernels;
  bool packs; /* its linear_* kernels are faster than BLAS */
} levels[] = {
#if defined(__x86_64__)
    {"avx512", has_avx512, &k_table_avx512, true},
    {"avx2", has_avx2, &k_table_avx2, true},
#endif
    {"portable", always, &k_table_portable, false},
};
enum { LEVELS = sizeof levels / sizeof *levels };

k_table k_active;
static const char *active_name = "none";

static bool active_packs;

const char *k_simd_level(void) { return active_name; }
bool k_packs(void) { return active_packs; }

/* The names of the levels that this processor has, best first, in `list`. */
static void usable_levels(char *list, size_t size) {
  size_t len = 0;
  list[0] = 0;
  for (int i = 0; i < LEVELS; i++)
    if (levels[i].usable() && len < size)
      len += (size_t)snprintf(list + len, size - len, "%s%s", len ? ", " : "", levels[i].name);
}

static st refuse(const char *level, const char *origin, bool known, err *e) {
  char list[64];
  usable_levels(list, sizeof list);
  return err_add(e, ST_USER, "%s \"%s\": %s, expected one of %s", origin, level,
                 known ? "this processor lacks these instructions" : "no such SIMD level", list);
}

/* The environment may choose who multiplies matrices: one is the check of the other. */
static st choose_gemm(bool packs, err *e) {
  const char *gemm = getenv("DYT_GEMM");
  active_packs = gemm ? strcmp(gemm, "own") == 0 : packs;
  if (!gemm || active_packs || strcmp(gemm, "blas") == 0) return ST_OK;
  return err_add(e, ST_USER, "environment variable DYT_GEMM \"%s\": expected own or blas", gemm);
}

st k_init(const char *level, err *e) {
  const char *origin = "SIMD level";
  if (!level && (level = getenv("DYT_SIMD"))) origin = "environment variable DYT_SIMD";
  for (int i = 0; i < LEVELS; i++) {
    bool named = level && !strcmp(level, levels[i].name), usable = levels[i].usable();
    if (named && !usable) return refuse(level, origin, true, e);
    if (!named && (level || !usable)) continue;
    k_active = *levels[i].kernels;
    active_name = levels[i].name;
    k_thread_init();
    k_unbind();
    return choose_gemm(levels[i].packs, e);
  }
  return refuse(level, origin, false, e);
}
