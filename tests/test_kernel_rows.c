/* Kernels over rows and tokens at every SIMD level this machine has: the point-wise norm, LayerNorm and
 * RMSNorm, attention, and BLAS, each against plain loops in double. */
#include "kernel_support.h"

/* One number of a parameter that may be absent. */
static double at(const real *p, int64_t i, double absent) { return p ? (double)p[i] : absent; }

/* --- point-wise norm --- */

typedef struct pointwise_case {
  k_fn fn;
  int64_t N, C;
  bool per_channel, affine, shift, acc;
} pointwise_case;

static void check_pointwise(const pointwise_case *k) {
  int64_t N = k->N, C = k->C, n = N * C;
  real *x = numbers(n, -3, 3), *dy = numbers(n, -1, 1), *y = numbers(n, 9, 9), *t = numbers(n, 9, 9);
  real *alpha = numbers(C, 0.3, 1.5), *gamma = k->affine ? numbers(C, -1, 2) : NULL,
       *beta = k->affine ? numbers(C, -1, 1) : NULL;
  real *shift = k->shift ? numbers(1, 0.1, 0.4) : NULL, *dx = numbers(n, -1, 1), *dx0 = copied(dx, n);
  real *grads = numbers(3 * C + 1, -1, 1), *before = copied(grads, 3 * C + 1),
       *dshift = shift ? grads + 3 * C : NULL;
  double *sum = mem_new((size_t)(3 * C + 1) * 2, sizeof *sum), *size = sum + 3 * C + 1;
  k_pointwise_fwd(k->fn, N, C, x, alpha, k->per_channel, shift, gamma, beta, y, t);
  k_pointwise_bwd(k->fn, N, C, x, t, alpha, k->per_channel, shift, gamma, dy, dx, k->acc, grads, dshift,
                  k->affine ? grads + C : NULL, k->affine ? grads + 2 * C : NULL);
  for (int64_t i = 0; i < n; i++) {
    int64_t c = i % C, a = k->per_channel ? c : 0;
    real z = (real)((double)alpha[a] * (double)x[i] + at(shift, 0, 0)), f, one = 1, slope;
    k_map_fwd(k->fn, 1, &z, &f);
    k_map_bwd(k->fn, 1, &z, &f, &one, &slope, false);
    double q = (double)slope * at(gamma, c, 1) * (double)dy[i];
    /* The portable level rounds alpha x once more than the reference. */
    close_to((double)t[i], (double)f, 8, 1, "t", i);
    close_to((double)y[i], at(gamma, c, 1) * (double)f + at(beta, c, 0), 20, 1, "y", i);
    close_to((double)dx[i], (double)alpha[a] * q + (k->acc ? (double)dx0[i] : 0), 60, 1, "dx", i);
    const double terms[] = {(double)x[i] * q, (double)f * (double)dy[i], (double)dy[i], q};
    const int64_t to[] = {a, C + c, 2 * C + c, 3 * C};
    for (int j = 0; j < 4; j++) sum[to[j]] += terms[j], size[to[j]] += fabs(terms[j]) + 1;
  }
  for (int64_t i = 0; i < 3 * C + 1; i++) {
    bool wanted = i < C ? k->per_channel || i == 0 : i < 3 * C ? k->affine : k->shift;
    if (wanted)
      close_to((double)grads[i], (double)before[i] + sum[i], 30, size[i] + 1, "gradient", i);
    else
      assert_true(grads[i] == before[i]);
  }
  mem_free(sum);
}

static void pointwise_matches_plain_loops(void **state) {
  (void)state;
  const k_fn fns[] = {K_tanh, K_erf, K_sigmoid, K_identity, K_satursin, K_saturlog};
  const int64_t Ns[] = {1, 4, 37, 70};
  for (int l = 0; l < N_LENGTHS; l++)
    for (int options = 0; options < 16; options++)
      check_pointwise(&(pointwise_case){.fn = fns[(l + options) % 6],
                                        .N = Ns[(l + options / 4) % 4],
                                        .C = LENGTHS[l],
                                        .per_channel = options & 1,
                                        .affine = options & 2,
                                        .shift = options & 4,
                                        .acc = options & 8});
}

/* alpha's gradient over 200 000 numbers of one sign, where a float sum would be off by far more than this. */
static void sums_over_the_whole_tensor_are_double(void **state) {
  (void)state;
  enum { N = 2000, C = 100 };
  real *x = numbers(N * C, 0.5, 1), *dy = numbers(N * C, 0.5, 1), *t = numbers(N * C, 0, 0), alpha = 1,
       shift = 0, da = 0, ds = 0;
  long double xq = 0, q = 0;
  k_pointwise_fwd(K_identity, N, C, x, &alpha, false, NULL, NULL, NULL, t, t);
  k_pointwise_bwd(K_identity, N, C, x, t, &alpha, false, &shift, NULL, dy, NULL, false, &da, &ds, NULL, NULL);
  for (int i = 0; i < N * C; i++) xq += (long double)x[i] * dy[i], q += dy[i];
  close_to((double)da, (double)xq, REAL_IS_F64 ? 16 : 1, (double)xq, "dalpha", 0);
  close_to((double)ds, (double)q, REAL_IS_F64 ? 16 : 1, (double)q, "dshift", 0);
}

static void pointwise_without_kept_values(void **state) {
  (void)state;
  for (int l = 0; l < N_LENGTHS; l++) {
    int64_t C = LENGTHS[l];
    real *x = numbers(2 * C, -3, 3), *y = numbers(2 * C, 0, 0), *y2 = copied(y, 2 * C), *t = copied(y, 2 * C),
         alpha = (real)0.5;
    k_pointwise_fwd(K_tanh, 2, C, x, &alpha, false, NULL, NULL, NULL, y, NULL);
    k_pointwise_fwd(K_tanh, 2, C, x, &alpha, false, NULL, NULL, NULL, y2, y2);
    k_pointwise_fwd(K_tanh, 1, 2 * C, x, &alpha, false, NULL, NULL, NULL, t, NULL);
    for (int64_t i = 0; i < 2 * C; i++) assert_true(y[i] == y2[i] && y[i] == t[i]);
  }
}

/* --- LayerNorm and RMSNorm --- */

typedef struct row_stats {
  double mean, rstd, h, hu; /* h, hu: the means of gamma dy and of gamma dy u */
} row_stats;

static row_stats stats_of(bool center, int64_t C, const real *x, const real *gamma, const real *dy,
                          double eps) {
  long double mean = 0, var = 0, h_sum = 0, hu_sum = 0;
  for (int64_t c = 0; center && c < C; c++) mean += x[c] / (long double)C;
  for (int64_t c = 0; c < C; c++) var += (x[c] - mean) * (x[c] - mean) / C;
  double rstd = (double)(1 / sqrtl(var + eps));
  for (int64_t c = 0; c < C; c++) {
    long double h = at(gamma, c, 1) * (long double)dy[c] / C;
    h_sum += center ? h : 0, hu_sum += h * (x[c] - mean) * rstd;
  }
  return (row_stats){(double)mean, rstd, (double)h_sum, (double)hu_sum};
}

static void check_norm(bool center, bool affine, bool acc, int64_t N, int64_t C) {
  const double eps = 1e-6;
  real *x = numbers(N * C, -1, 3), *dy = numbers(N * C, -1, 1), *y = numbers(N * C, 9, 9),
       *stats = numbers(2 * N, 9, 9);
  real *gamma = affine ? numbers(C, -1, 2) : NULL, *beta = affine ? numbers(C, -1, 1) : NULL;
  real *dx = numbers(N * C, -1, 1), *dx0 = copied(dx, N * C), *dgamma = affine ? numbers(C, -1, 1) : NULL;
  real *dbeta = affine ? numbers(C, -1, 1) : NULL;
  double *sum = mem_new((size_t)C * 2, sizeof *sum);
  for (int64_t c = 0; c < C; c++) sum[c] = at(dgamma, c, 0), sum[C + c] = at(dbeta, c, 0);
  k_norm_fwd(center, N, C, x, gamma, beta, eps, y, stats);
  k_norm_bwd(center, N, C, x, gamma, stats, dy, dx, acc, dgamma, dbeta);
  for (int64_t r = 0; r < N; r++) {
    row_stats s = stats_of(center, C, x + r * C, gamma, dy + r * C, eps);
    double grain = C < 3 ? 1e4 : C < 8 ? 200 : 20; /* few channels: the row may be nearly constant */
    close_to((double)stats[2 * r], s.mean, 2, 3, "mean", r);
    close_to((double)stats[2 * r + 1], s.rstd, C < 8 ? 1e3 : 4, s.rstd, "rstd", r);
    for (int64_t c = 0, i = r * C; c < C; c++, i++) {
      double u = ((double)x[i] - s.mean) * s.rstd, h = at(gamma, c, 1) * (double)dy[i];
      close_to((double)y[i], u * at(gamma, c, 1) + at(beta, c, 0), grain, 4, "y", i);
      double want = s.rstd * (h - s.h - u * s.hu) + (acc ? (double)dx0[i] : 0);
      close_to((double)dx[i], want, grain, 4 * (s.rstd + 1), "dx", i);
      sum[c] += (double)dy[i] * u, sum[C + c] += (double)dy[i];
    }
  }
  for (int64_t c = 0; affine && c < C; c++) {
    close_to((double)dgamma[c], sum[c], C < 8 ? 1e5 : 100, (double)N, "dgamma", c);
    close_to((double)dbeta[c], sum[C + c], 20, (double)N, "dbeta", c);
  }
  mem_free(sum);
}

static void norms_match_plain_loops(void **state) {
  (void)state;
  const int64_t Ns[] = {1, 3, 4, 8, 13};
  for (int l = 0; l < N_LENGTHS; l++)
    for (int options = 0; options < 8; options++)
      check_norm(options & 1, options & 2, options & 4, Ns[(l + options) % 5], LENGTHS[l]);
  check_norm(true, true, false, 2, 1500); /* more than one run of partial sums */
  check_norm(false, true, true, 2, 2100);
}

/* 1000 +- 1: E[x^2] - mean^2 in float would lose all of it. The mean is a float near 1000: hence 1e-4. */
static void a_large_mean_does_not_harm_the_variance(void **state) {
  (void)state;
  for (int64_t C = 20; C < 300; C += 93) {
    real *x = numbers(C, 999, 1001), *y = numbers(C, 0, 0), stats[2];
    k_norm_fwd(true, 1, C, x, NULL, NULL, 1e-6, y, stats);
    row_stats s = stats_of(true, C, x, NULL, x, 1e-6);
    close_to((double)stats[0], s.mean, 1, s.mean, "mean", 0);
    close_to((double)stats[1], s.rstd, 2, s.rstd, "rstd", 0);
    for (int64_t c = 0; c < C; c++) assert_true(fabs((double)y[c] - ((double)x[c] - s.mean) * s.rstd) < 1e-4);
  }
}

/* Rows are worked on in groups: nobody may notice. */
static void a_row_does_not_depend_on_its_neighbours(void **state) {
  (void)state;
  enum { N = 19 };
  for (int l = 0; l < N_LENGTHS; l++)
    for (int center = 0; center <= 1; center++) {
      int64_t C = LENGTHS[l];
      real *x = numbers(N * C, -1, 1), *dy = numbers(N * C, -1, 1), *y = numbers(N * C, 0, 0),
           *dx = numbers(N * C, 0, 0);
      real *one = numbers(C, 0, 0), stats[2 * N], alone[2];
      k_norm_fwd(center, N, C, x, NULL, NULL, 1e-6, y, stats);
      k_norm_bwd(center, N, C, x, NULL, stats, dy, dx, false, NULL, NULL);
      for (int64_t r = 0; r < N; r++) {
        k_norm_fwd(center, 1, C, x + r * C, NULL, NULL, 1e-6, one, alone);
        assert_memory_equal(one, y + r * C, (size_t)C * sizeof *one);
        assert_memory_equal(alone, stats + 2 * r, sizeof alone);
        k_norm_bwd(center, 1, C, x + r * C, NULL, alone, dy + r * C, one, false, NULL, NULL);
        assert_memory_equal(one, dx + r * C, (size_t)C * sizeof *one);
      }
    }
}

static void nan_reaches_the_whole_row(void **state) {
  (void)state;
  real *x = numbers(2 * 33, -1, 1), *y = numbers(2 * 33, 0, 0), stats[4];
  x[7] = (real)NAN;
  for (int center = 0; center <= 1; center++) {
    k_norm_fwd(center, 2, 33, x, NULL, NULL, 1e-6, y, stats);
    for (int i = 0; i < 66; i++) assert_true(!isnan((double)y[i]) == (i >= 33));
  }
}

/* --- attention --- */

typedef struct attention_case {
  int64_t T, H, D;
  const real *qkv, *dout;
} attention_case;

/* Number i of q (which = 0), k (1) or v (2), head h, token t. */
static double part(const attention_case *a, int which, int64_t t, int64_t h, int64_t d) {
  return (double)a->qkv[((t * 3 + which) * a->H + h) * a->D + d];
}
static double dot(const attention_case *a, int which, int64_t t, const real *other, int64_t u, int64_t h) {
  double sum = 0;
  for (int64_t d = 0; d < a->D; d++)
    sum += part(a, which, t, h, d) * (other ? (double)other[(u * a->H + h) * a->D + d] : part(a, 1, u, h, d));
  return sum;
}

/* out [T,H,D] and dqkv [T,3,H,D] of one head; p is scratch of T. */
static void plain_attention(const attention_case *a, int64_t h, double *out, double *dqkv, double *p) {
  double scale = 1 / sqrt((double)a->D);
  for (int64_t t = 0; t < a->T; t++) {
    double most = -INFINITY, sum = 0, mean = 0;
    for (int64_t u = 0; u < a->T; u++) most = fmax(most, p[u] = scale * dot(a, 0, t, NULL, u, h));
    for (int64_t u = 0; u < a->T; u++) sum += p[u] = exp(p[u] - most);
    for (int64_t u = 0; u < a->T; u++) mean += (p[u] /= sum) * dot(a, 2, u, a->dout, t, h);
    for (int64_t u = 0; u < a->T; u++) {
      double ds = scale * p[u] * (dot(a, 2, u, a->dout, t, h) - mean);
      for (int64_t d = 0; d < a->D; d++) {
        out[(t * a->H + h) * a->D + d] += p[u] * part(a, 2, u, h, d);
        dqkv[((t * 3 + 0) * a->H + h) * a->D + d] += ds * part(a, 1, u, h, d);
        dqkv[((u * 3 + 1) * a->H + h) * a->D + d] += ds * part(a, 0, t, h, d);
        dqkv[((u * 3 + 2) * a->H + h) * a->D + d] += p[u] * (double)a->dout[(t * a->H + h) * a->D + d];
      }
    }
  }
}

static void check_attention(int64_t T, int64_t H, int64_t D, double range, bool acc) {
  int64_t n = T * H * D;
  real *qkv = numbers(3 * n, -range, range), *dout = numbers(n, -1, 1), *out = numbers(n, 9, 9),
       *dqkv = numbers(3 * n, -1, 1);
  real *p = numbers(k_attention_saved(T, H), 9, 9), *scratch = numbers(k_attention_scratch(T, D), NAN, NAN);
  real *before = copied(dqkv, 3 * n);
  const attention_case a = {T, H, D, qkv, dout};
  double *want = mem_new((size_t)(4 * n + T), sizeof *want);
  k_attention_fwd(T, H, D, qkv, out, p, scratch);
  for (int64_t i = 0; i < k_attention_scratch(T, D); i++) scratch[i] = (real)NAN;
  k_attention_bwd(T, H, D, qkv, p, dout, dqkv, acc, scratch);
  for (int64_t h = 0; h < H; h++) plain_attention(&a, h, want, want + n, want + 4 * n);
  double grain = 20 + 4 * range * range * sqrt((double)D); /* the scores' own rounding */
  for (int64_t i = 0; i < n; i++) close_to((double)out[i], want[i], grain, range, "out", i);
  for (int64_t i = 0; i < 3 * n; i++)
    close_to((double)dqkv[i], want[n + i] + (acc ? (double)before[i] : 0), 4 * grain,
             1 + range * sqrt((double)D), "dqkv", i);
  mem_free(want);
}

static void attention_matches_plain_loops(void **state) {
  (void)state;
  const int64_t cases[][3] = {{1, 1, 1},   {1, 3, 5},   {2, 1, 4},   {3, 2, 7},   {5, 1, 16},
                              {8, 2, 3},   {15, 1, 33}, {16, 2, 8},  {17, 4, 16}, {17, 1, 5},
                              {33, 1, 12}, {50, 2, 16}, {65, 1, 24}, {130, 1, 64}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int acc = 0; acc <= 1; acc++) check_attention(cases[i][0], cases[i][1], cases[i][2], 1.5, acc);
}

/* Scores of some hundreds: the largest is taken off first. */
static void attention_stands_large_scores(void **state) {
  (void)state;
  check_attention(17, 1, 16, 12, false);
  enum { T = 9, D = 4 };
  real *qkv = numbers(T * 3 * D, -1, 1), *out = numbers(T * D, 0, 0),
       *p = numbers(k_attention_saved(T, 1), 0, 0);
  for (int i = 0; i < T; i++) qkv[i * 3 * D] = qkv[i * 3 * D + D] = (real)(i * 1000);
  k_attention_fwd(T, 1, D, qkv, out, p, numbers(k_attention_scratch(T, D), 0, 0));
  for (int t = 1; t < T; t++) /* all weight is on the last token */
    for (int d = 0; d < D; d++) assert_true(out[t * D + d] == qkv[((T - 1) * 3 + 2) * D + d]);
}

static void attention_is_the_same_for_a_head_alone(void **state) {
  (void)state;
  enum { T = 17, H = 3, D = 6 };
  real *qkv = numbers(T * 3 * H * D, -1, 1), *out = numbers(T * H * D, 0, 0),
       *p = numbers(k_attention_saved(T, H), 0, 0);
  real *scratch = numbers(k_attention_scratch(T, D), 0, 0), *one = numbers(T * 3 * D, 0, 0),
       *out1 = numbers(T * D, 0, 0);
  k_attention_fwd(T, H, D, qkv, out, p, scratch);
  for (int h = 0; h < H; h++) {
    for (int i = 0; i < T * 3; i++) memcpy(one + i * D, qkv + (i * H + h) * D, D * sizeof *one);
    k_attention_fwd(T, 1, D, one, out1, p, scratch);
    for (int t = 0; t < T; t++) assert_memory_equal(out1 + t * D, out + (t * H + h) * D, D * sizeof *one);
  }
}

/* --- BLAS --- */

static void gemm_matches_plain_loops(void **state) {
  (void)state;
  enum { M = 5, N = 7, K = 11, LD = 13 };
  for (int options = 0; options < 8; options++) {
    bool ta = options & 1, tb = options & 2;
    real *a = numbers(LD * LD, -1, 1), *b = numbers(LD * LD, -1, 1), *c = numbers(LD * LD, -1, 1),
         *c0 = copied(c, LD * LD);
    real beta = options & 4 ? 1 : 0;
    k_gemm(ta, tb, M, N, K, 2, a, LD, b, LD, beta, c, LD);
    for (int i = 0; i < LD * LD; i++) {
      int m = i / LD, n = i % LD;
      double sum = (double)beta * (double)c0[i];
      for (int k = 0; k < K; k++)
        sum += 2 * (double)a[ta ? k * LD + m : m * LD + k] * (double)b[tb ? n * LD + k : k * LD + n];
      close_to((double)c[i], m < M && n < N ? sum : (double)c0[i], 20, 4, "c", i);
    }
  }
}

static void blas_says_what_it_is(void **state) {
  (void)state;
  const char *const builds[] = {"serial", "pthread", "openmp"};
  assert_non_null(strstr(k_blas_name(), builds[k_blas_kind()]));
  assert_memory_equal(k_blas_name(), "OpenBLAS ", 9);
}

#define TEST(name) cmocka_unit_test_teardown(name, release)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(pointwise_matches_plain_loops),
                                     TEST(sums_over_the_whole_tensor_are_double),
                                     TEST(pointwise_without_kept_values),
                                     TEST(norms_match_plain_loops),
                                     TEST(a_large_mean_does_not_harm_the_variance),
                                     TEST(a_row_does_not_depend_on_its_neighbours),
                                     TEST(nan_reaches_the_whole_row),
                                     TEST(attention_matches_plain_loops),
                                     TEST(attention_stands_large_scores),
                                     TEST(attention_is_the_same_for_a_head_alone)};
  const struct CMUnitTest blas[] = {TEST(gemm_matches_plain_loops), TEST(blas_says_what_it_is)};
  int failures = 0;
  RUN_AT_EVERY_LEVEL(tests, failures);
  return failures + cmocka_run_group_tests_name("blas", blas, NULL, NULL);
}
