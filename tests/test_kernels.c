/* Kernels at every SIMD level this machine has: each against plain loops in double (or long double), at
 * lengths that leave every kind of tail; functions in units of the last place; the choice of a level. */
#include "kernel_support.h"

/* --- spans --- */

static void spans_match_plain_loops(void **state) {
  (void)state;
  for (int l = 0; l < N_LENGTHS; l++) {
    int64_t n = LENGTHS[l];
    real *a = numbers(n, -2, 2), *b = numbers(n, -2, 2), *y = numbers(n, 5, 6), *z = copied(a, n);
    double sumsq = 0, out[3] = {1, 2, 0.5}, want[3] = {1, 2, 0.5};
    k_add(n, a, b, y);
    k_add(n, z, b, z);
    for (int64_t i = 0; i < n; i++) assert_true(y[i] == a[i] + b[i] && z[i] == y[i]);
    k_scale(n, (real)1.7, a, y, false);
    memcpy(z, a, (size_t)n * sizeof *a);
    k_scale(n, (real)1.7, z, z, true);
    for (int64_t i = 0; i < n; i++) assert_true(y[i] == (real)1.7 * a[i] && z[i] == a[i] + y[i]);
    memcpy(z, b, (size_t)n * sizeof *b);
    k_lerp(n, (real)0.25, a, z);
    for (int64_t i = 0; i < n; i++)
      close_to((double)z[i], 0.75 * (double)b[i] + 0.25 * (double)a[i], 2, 2, "lerp", i);
    k_moments(n, a, 0.7, out);
    for (int64_t i = 0; i < n; i++) {
      double x = (double)a[i];
      sumsq += x * x, want[0] += x, want[1] += (x - 0.7) * (x - 0.7), want[2] = fmax(want[2], fabs(x));
    }
    assert_true(fabs(k_sumsq(n, a) - sumsq) <= 1e-14 * sumsq);
    for (int k = 0; k < 3; k++) assert_true(fabs(out[k] - want[k]) <= 1e-13 * (double)(n + 1));
    assert_true(k_sumsq(0, a) == 0);
  }
}

static void finite_finds_one_bad_number_anywhere(void **state) {
  (void)state;
  const real bad[] = {(real)INFINITY, -(real)INFINITY, (real)NAN};
  for (int l = 0; l < N_LENGTHS; l++) {
    int64_t n = LENGTHS[l];
    real *x = numbers(n, -1e30, 1e30);
    assert_true(k_finite(n, x));
    for (int64_t i = 0; i < n; i++) {
      real kept = x[i];
      for (int k = 0; k < 3; k++) {
        x[i] = bad[k];
        assert_false(k_finite(n, x));
      }
      x[i] = kept;
    }
  }
  assert_true(k_finite(0, bad));
}

static void rows_and_column_sums(void **state) {
  (void)state;
  const int64_t Ns[] = {1, 3, 32, 70};
  for (int l = 0; l < N_LENGTHS; l++)
    for (int k = 0; k < 4; k++) {
      int64_t C = LENGTHS[l], N = Ns[k];
      real *dy = numbers(N * C, -1, 1), *db = numbers(C, -1, 1), *before = copied(db, C);
      k_colsum(N, C, dy, db);
      for (int64_t c = 0; c < C; c++) {
        double sum = (double)before[c], size = fabs(sum);
        for (int64_t r = 0; r < N; r++) sum += (double)dy[r * C + c], size += fabs((double)dy[r * C + c]);
        close_to((double)db[c], sum, 4, size, "colsum", c);
      }
      k_rows_set(N, C, db, dy);
      for (int64_t i = 0; i < N * C; i++) assert_true(dy[i] == db[i % C]);
      k_rows_set(N, C, NULL, dy);
      for (int64_t i = 0; i < N * C; i++) assert_true(dy[i] == 0);
    }
}

static void adamw_is_the_textbook_step(void **state) {
  (void)state;
  for (int l = 0; l < N_LENGTHS; l++) {
    int64_t n = LENGTHS[l];
    real *w = numbers(n, -1, 1), *g = numbers(n, -1, 1), *m = numbers(n, 0, 0), *v = numbers(n, 0, 0);
    double *ref = mem_new((size_t)n * 3, sizeof *ref);
    for (int64_t i = 0; i < n; i++) ref[i] = (double)w[i];
    for (int step = 1; step <= 10; step++) {
      k_adamw_args a = {
          .lr = 1e-2, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0.05, .gscale = 0.5};
      a.c1 = 1 - pow(a.beta1, step), a.c2 = 1 - pow(a.beta2, step);
      k_adamw(n, w, g, m, v, &a);
      for (int64_t i = 0; i < n; i++) {
        double *W = ref + i, *M = ref + n + i, *V = ref + 2 * n + i, G = a.gscale * (double)g[i];
        *W *= 1 - a.lr * a.weight_decay;
        *M += (1 - a.beta1) * (G - *M);
        *V = a.beta2 * *V + (1 - a.beta2) * G * G;
        *W -= a.lr / a.c1 * *M / (sqrt(*V) / sqrt(a.c2) + a.eps);
        close_to((double)w[i], *W, 10, 1, "w", i);
        close_to((double)m[i], *M, 10, 1, "m", i);
        close_to((double)v[i], *V, 10, 1, "v", i);
      }
    }
    mem_free(ref);
  }
}

static void sgd_is_the_textbook_step(void **state) {
  (void)state;
  for (int l = 0; l < N_LENGTHS; l++) {
    int64_t n = LENGTHS[l];
    real *w = numbers(n, -1, 1), *g = numbers(n, -1, 1), *buffer = numbers(n, 0, 0);
    double *ref = mem_new((size_t)n * 2, sizeof *ref);
    for (int64_t i = 0; i < n; i++) ref[i] = (double)w[i];
    for (int step = 1; step <= 10; step++) {
      const k_sgd_args a = {.lr = 1e-2, .momentum = 0.9, .weight_decay = 0.3, .gscale = 0.5};
      k_sgd(n, w, g, buffer, &a);
      for (int64_t i = 0; i < n; i++) {
        double *W = ref + i, *B = ref + n + i, G = a.gscale * (double)g[i] + a.weight_decay * *W;
        *B = step == 1 ? G : a.momentum * *B + G;
        *W -= a.lr * *B;
        close_to((double)w[i], *W, 10, 1, "w", i);
        close_to((double)buffer[i], *B, 20, 1, "buffer", i);
      }
    }
    mem_free(ref);
  }
}

/* --- functions --- */

typedef long double wider;
static wider sgn(wider z) { return z > 0 ? 1 : z < 0 ? -1 : 0; }
static wider clip(wider z) { return z > 1 ? 1 : z < -1 ? -1 : z; }
static const wider PI = 3.14159265358979323846264338327950288L;

static wider ref_identity(wider z) { return z; }
static wider ref_tanh(wider z) { return tanhl(z); }
static wider ref_hardtanh(wider z) { return clip(z); }
static wider ref_sigmoid(wider z) { return 1 / (1 + expl(-z)); }
static wider ref_erf(wider z) { return erfl(z); }
static wider ref_isru(wider z) { return z / sqrtl(1 + z * z); }
static wider ref_arctan(wider z) { return 2 / PI * atanl(z); }
static wider ref_satursin(wider z) { return fabsl(z) >= PI / 2 ? sgn(z) : sinl(z); }
static wider ref_expsign(wider z) { return -sgn(z) * expm1l(-fabsl(z)); }
static wider ref_smoothsign(wider z) { return z / (1 + fabsl(z)); }
static wider ref_relsign(wider z) { return z / (sqrtl(z * z + 1) + 1); }
static wider ref_arcsinhclip(wider z) { return clip(asinhl(z)); }
static wider ref_linearclip(wider z) { return clip(z); }
static wider ref_exproot(wider z) { return -sgn(z) * expm1l(-sqrtl(fabsl(z))); }
static wider ref_logsignclip(wider z) { return clip(sgn(z) * log1pl(fabsl(z))); }
static wider ref_logquadclip(wider z) { return clip(sgn(z) * log1pl(z * z)); }
static wider ref_power23clip(wider z) { return clip(sgn(z) * powl(cbrtl(fabsl(z)), 2)); }
static wider ref_saturlog(wider z) { return sgn(z) * log1pl(fabsl(z)) / (log1pl(fabsl(z)) + 1); }
static wider ref_cubsign(wider z) { return z * z * z / (fabsl(z * z * z) + 1); }
static wider ref_gelu(wider z) { return z / 2 * erfcl(-z * sqrtl(0.5L)); }
static wider ref_gelu_tanh(wider z) {
  return z / (1 + expl(-2 * sqrtl(2 / PI) * (z + 0.044715L * z * z * z)));
}
static wider ref_relu(wider z) { return z > 0 ? z : 0; }
static wider ref_silu(wider z) { return z / (1 + expl(-z)); }
static wider ref_selu(wider z) {
  return 1.0507009873554804934193349852946L * (z > 0 ? z : 1.6732632423543772848170429916717L * expm1l(z));
}

static const struct {
  wider (*value)(wider z);
} refs[K_FN_COUNT] = {
#define FN(name, group) {ref_##name},
#include "dyt/functions.def"
};

/* The slope, by differences of the fourth order: good to 1e-12 where five points lie on one smooth piece. */
static double ref_slope(k_fn fn, double z) {
  wider h = 1e-3L, (*f)(wider) = refs[fn].value;
  return (double)((8 * (f(z + h) - f(z - h)) - (f(z + 2 * h) - f(z - 2 * h))) / (12 * h));
}

/* No kink, and no jump of the second derivative (those are at 0 and pi/2), within `room` of z. */
static bool smooth_near(k_fn fn, double z, double room) {
  const k_fn_info *f = &k_functions[fn];
  double edges[] = {0, f->kinks[0], f->kinks[1], 1.5707963267948966};
  for (int k = 0; k < 4; k++)
    if (edges[k] >= 0 && fabs(fabs(z) - edges[k]) < (k == 0 && isinf(f->slope0) ? 0.2 : room)) return false;
  return true;
}

/* Points from tiny to large, of both signs. */
enum { POINTS = 60000 };
static real *sweep(void) {
  real *z = numbers(POINTS, -12, 12);
  for (int i = 0; i < POINTS / 4; i++) {
    z[i] = (real)(pow(10, -25 + 45.0 * i / (POINTS / 4.0)) * (i % 2 ? 1 : -1));
    z[POINTS - 1 - i] = (real)((double)z[POINTS - 1 - i] / 6);
  }
  return z;
}

/* The unit of the last place of a value. GELU and SiLU are a product z (1 + ...) / 2 whose bracket tends to
 * 0: theirs is that of z times the bracket's unit, as in any implementation by erf or tanh. */
static double unit_of(k_fn fn, double z, double want) {
  if (fn == K_gelu || fn == K_gelu_tanh) want = fmax(fabs(want), fabs(z) / 2);
  int e;
  frexp(want, &e);
  return fmax(ldexp(REAL_EPS, e - 1), 1e-36);
}

static void values_in_units_of_the_last_place(void **state) {
  (void)state;
  real *z = sweep(), *y = numbers(POINTS, 0, 0);
  for (int fn = 0; fn < K_FN_COUNT; fn++) {
    double worst = 0, at = 0;
    k_map_fwd((k_fn)fn, POINTS, z, y);
    for (int i = 0; i < POINTS; i++) {
      double want = (double)refs[fn].value(z[i]),
             error = fabs((double)y[i] - want) / unit_of((k_fn)fn, (double)z[i], want);
      if (!(error <= worst)) worst = error, at = (double)z[i];
    }
    bool strict = fn == K_tanh || fn == K_erf || fn == K_sigmoid || fn == K_silu;
    print_message("    %-8s %-12s %.2f ulp at %g\n", k_simd_level(), k_functions[fn].name, worst, at);
    if (!(worst <= (REAL_IS_F64 ? 8 : strict ? 4 : 6))) fail_msg("%s: %g ulp", k_functions[fn].name, worst);
  }
}

/* Absolute: 1 - t^2 and its kin, near t = 1, are as good as t is. */
static void slopes_match_differences(void **state) {
  (void)state;
  real *z = numbers(4000, -7, 7), *y = numbers(4000, 0, 0), *one = numbers(4000, 1, 1),
       *dx = numbers(4000, 0, 0);
  for (int fn = 0; fn < K_FN_COUNT; fn++) {
    int checked = 0;
    k_map_fwd((k_fn)fn, 4000, z, y);
    k_map_bwd((k_fn)fn, 4000, z, y, one, dx, false);
    for (int i = 0; i < 4000; i++) {
      if (!smooth_near((k_fn)fn, (double)z[i], 3e-3)) continue;
      double want = ref_slope((k_fn)fn, (double)z[i]);
      if (!(fabs((double)dx[i] - want) <= (REAL_IS_F64 ? 2e-10 : 6e-6)))
        fail_msg("%s'(%g) is %.9g, expected %.9g", k_functions[fn].name, (double)z[i], (double)dx[i], want);
      checked++;
    }
    assert_in_range(checked, 3000, 4000);
  }
}

static double value_at(k_fn fn, double z) {
  real x = (real)z, y;
  k_map_fwd(fn, 1, &x, &y);
  return (double)y;
}

static double slope_at(k_fn fn, double z) {
  real x = (real)z, y, one = 1, dx;
  k_map_fwd(fn, 1, &x, &y);
  k_map_bwd(fn, 1, &x, &y, &one, &dx, false);
  return (double)dx;
}

static void zero_infinity_and_nan(void **state) {
  (void)state;
  for (int i = 0; i < K_FN_COUNT; i++) {
    k_fn fn = (k_fn)i;
    const k_fn_info *f = &k_functions[fn];
    assert_true(value_at(fn, 0) == (fn == K_sigmoid ? 0.5 : 0));
    close_to(slope_at(fn, 0), isinf(f->slope0) ? 0 : f->slope0, 4, 1, f->name, 0);
    assert_true(isnan(value_at(fn, NAN)));
    double high = value_at(fn, INFINITY), low = value_at(fn, -INFINITY);
    if (f->group == K_ACT || fn == K_identity)
      assert_true(isinf(high) && high > 0);
    else
      close_to(high, 1, 1, 1, f->name, 1);
    double below = fn == K_identity    ? -INFINITY
                   : fn == K_selu      ? -1.7580993408473766
                   : f->group == K_ACT ? 0
                                       : -1;
    if (fn == K_sigmoid) below = 0;
    if (isinf(below))
      assert_true(low == below);
    else
      close_to(low, below, 1, 1, f->name, -1);
    for (int s = -1; s <= 1; s += 2) assert_true(isfinite(slope_at(fn, s * INFINITY)) || fn == K_identity);
    for (double z = 1e-30; z < 1e30; z *= 3)
      assert_true(isfinite(slope_at(fn, z)) && isfinite(slope_at(fn, -z)));
  }
}

static void bounded_functions_stay_in_bounds(void **state) {
  (void)state;
  real *z = sweep(), *y = numbers(POINTS, 0, 0);
  for (int fn = 0; fn < K_FN_COUNT; fn++) {
    if (k_functions[fn].group != K_NORM || fn == K_identity) continue;
    k_map_fwd((k_fn)fn, POINTS, z, y);
    for (int i = 0; i < POINTS; i++) assert_true(fabs((double)y[i]) <= 1);
  }
}

static void kinks_are_where_the_slope_jumps(void **state) {
  (void)state;
  for (int i = 0; i < K_FN_COUNT; i++)
    for (int k = 0; k < 2; k++) {
      double at = k_functions[i].kinks[k];
      if (at < 0) continue;
      double jump = slope_at((k_fn)i, at + 1e-3) - slope_at((k_fn)i, at - 1e-3);
      assert_true(fabs(jump) > 0.05 || isinf(k_functions[i].slope0));
    }
}

/* The same element in a vector and in every place of a tail; dx in the place of dy, or added to. */
static void bits_do_not_depend_on_the_place(void **state) {
  (void)state;
  enum { N = 70 };
  real *x = numbers(N, -3, 3), *y = numbers(N, 0, 0), *dy = numbers(N, -1, 1), *dx = numbers(N, 0, 0);
  for (int fn = 0; fn < K_FN_COUNT; fn++) {
    k_map_fwd((k_fn)fn, N, x, y);
    k_map_bwd((k_fn)fn, N, x, y, dy, dx, false);
    for (int64_t from = 0; from < N; from++) {
      int64_t n = N - from;
      real a[N], d[N], sum[N], base = (real)0.25;
      memcpy(a, x + from, (size_t)n * sizeof *a);
      k_map_fwd((k_fn)fn, n, a, a); /* in place */
      memcpy(d, dy + from, (size_t)n * sizeof *d);
      k_map_bwd((k_fn)fn, n, x + from, a, d, d, false);
      for (int64_t i = 0; i < n; i++) sum[i] = base;
      k_map_bwd((k_fn)fn, n, x + from, a, dy + from, sum, true);
      for (int64_t i = 0; i < n; i++)
        assert_true(a[i] == y[from + i] && d[i] == dx[from + i] && sum[i] == base + d[i]);
    }
  }
}

static void saturation_is_counted(void **state) {
  (void)state;
  for (int i = 0; i < K_FN_COUNT; i++) {
    k_fn fn = (k_fn)i;
    double limit = 0.1 * k_functions[fn].slope0;
    if (limit == 0 || isinf(limit)) continue;
    for (int l = 0; l < N_LENGTHS; l++)
      for (int per_channel = 0; per_channel <= 1; per_channel++) {
        int64_t C = LENGTHS[l], want = 0;
        real *x = numbers(3 * C, -4, 4), *alpha = numbers(C, 0.5, 2), shift = (real)0.125;
        for (int64_t j = 0; j < 3 * C; j++) {
          double a = (double)alpha[per_channel ? j % C : 0], z = a * (double)x[j] + 0.125;
          double slope = smooth_near(fn, z, 3e-3) ? fabs(ref_slope(fn, z)) : limit;
          if (fabs(slope / limit - 1) < 1e-3)
            x[j] = (real)(-0.125 / a + 0.01 / a), slope = fabs(ref_slope(fn, 0.01));
          want += slope < limit;
        }
        assert_int_equal(k_saturated(fn, 3, C, x, alpha, per_channel, shift), want);
      }
  }
}

static void functions_are_found_by_name_and_group(void **state) {
  (void)state;
  assert_int_equal(k_fn_find("tanh", K_NORM), K_tanh);
  assert_int_equal(k_fn_find("gelu", K_ACT), K_gelu);
  assert_int_equal(k_fn_find("tanh", K_ACT), K_FN_COUNT);
  assert_int_equal(k_fn_find("Tanh", K_NORM), K_FN_COUNT);
  assert_int_equal(k_fn_find("", K_NORM), K_FN_COUNT);
  for (int i = 0; i < K_FN_COUNT; i++)
    assert_int_equal(k_fn_find(k_functions[i].name, k_functions[i].group), i);
}

/* --- choice of the level --- */

static void levels_are_chosen_by_name(void **state) {
  (void)state;
  const char *level = k_simd_level();
  char asked[16];
  snprintf(asked, sizeof asked, "%s", level);
  err e = {0};
  assert_int_equal(k_init("sse9", &e), ST_USER);
  assert_non_null(strstr(e.text, "sse9"));
  assert_non_null(strstr(e.text, "portable"));
  assert_string_equal(k_simd_level(), asked);
  e = (err){0};
  setenv("DYT_SIMD", "mmx", 1);
  assert_int_equal(k_init(NULL, &e), ST_USER);
  assert_non_null(strstr(e.text, "DYT_SIMD"));
  setenv("DYT_SIMD", "portable", 1);
  assert_int_equal(k_init(NULL, &e), ST_OK);
  assert_string_equal(k_simd_level(), "portable");
  unsetenv("DYT_SIMD");
  assert_int_equal(k_init(asked, NULL), ST_OK);
  assert_string_equal(k_simd_level(), asked);
}

/* But for the fused multiply-add, levels are the same arithmetic: those that have it agree to the bit. */
static void avx2_and_avx512_agree_on_functions(void **state) {
  (void)state;
  real *z = sweep(), *y = numbers(POINTS, 0, 0), *y2 = numbers(POINTS, 0, 0);
  if (k_init("avx512", NULL) != ST_OK) skip();
  for (int fn = 0; fn < K_FN_COUNT; fn++) {
    k_init("avx512", NULL);
    k_map_fwd((k_fn)fn, POINTS, z, y);
    k_init("avx2", NULL);
    k_map_fwd((k_fn)fn, POINTS, z, y2);
    assert_memory_equal(y, y2, POINTS * sizeof *y);
  }
}

#define TEST(name) cmocka_unit_test_teardown(name, release)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(spans_match_plain_loops),
                                     TEST(finite_finds_one_bad_number_anywhere),
                                     TEST(rows_and_column_sums),
                                     TEST(adamw_is_the_textbook_step),
                                     TEST(sgd_is_the_textbook_step),
                                     TEST(values_in_units_of_the_last_place),
                                     TEST(slopes_match_differences),
                                     TEST(zero_infinity_and_nan),
                                     TEST(bounded_functions_stay_in_bounds),
                                     TEST(kinks_are_where_the_slope_jumps),
                                     TEST(bits_do_not_depend_on_the_place),
                                     TEST(saturation_is_counted),
                                     TEST(levels_are_chosen_by_name)};
  const struct CMUnitTest once[] = {TEST(functions_are_found_by_name_and_group),
                                    TEST(avx2_and_avx512_agree_on_functions)};
  int failures = 0;
  RUN_AT_EVERY_LEVEL(tests, failures);
  return failures + cmocka_run_group_tests_name("levels", once, NULL, NULL);
}
