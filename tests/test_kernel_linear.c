/* The products of linear layers at every SIMD level this machine has, against plain loops in double: packed weights, fused
 * bias, residual and function, and the sums that go back. */
#include "kernel_support.h"

typedef struct linear_case {
  int64_t N, in, out;
  k_fn act;
  bool bias, plus, acc;
} linear_case;

/* The numbers of a case, and z = x w^T + bias + plus in double with the size of its terms. */
typedef struct operands {
  real *x, *w, *bias, *plus, *forward, *backward;
  double *z, *size;
} operands;

static operands make(const linear_case *k) {
  int64_t n = k->N * k->out;
  operands o = {.x = numbers(k->N * k->in, -1, 1),
                .w = numbers(k->out * k->in, -1, 1),
                .bias = k->bias ? numbers(k->out, -1, 1) : NULL,
                .plus = k->plus ? numbers(n, -1, 1) : NULL,
                .forward = numbers(k->out * k->in, 9, 9),
                .backward = numbers(k->out * k->in, 9, 9)};
  k_linear_pack(true, k->out, k->in, o.w, o.forward);
  k_linear_pack(false, k->out, k->in, o.w, o.backward);
  o.z = mem_new((size_t)n * 2, sizeof *o.z), o.size = o.z + n;
  for (int64_t i = 0; i < n; i++) {
    int64_t row = i / k->out, c = i % k->out;
    double sum = (k->bias ? (double)o.bias[c] : 0) + (k->plus ? (double)o.plus[i] : 0), size = 2;
    for (int64_t j = 0; j < k->in; j++) {
      double term = (double)o.x[row * k->in + j] * (double)o.w[c * k->in + j];
      sum += term, size += fabs(term);
    }
    o.z[i] = sum, o.size[i] = size;
  }
  return o;
}

static double of_z(k_fn act, double z, bool slope) {
  real in = (real)z, y, one = 1, s;
  k_map_fwd(act, 1, &in, &y);
  k_map_bwd(act, 1, &in, &y, &one, &s, false);
  return (double)(slope ? s : y);
}

static void check_forward(const linear_case *k, const operands *o) {
  int64_t n = k->N * k->out;
  bool act = k->act != K_identity;
  real *y = numbers(n, 9, 9), *slope = act ? numbers(n, 9, 9) : NULL,
       *again = o->plus ? copied(o->plus, n) : y;
  k_linear_fwd(k->N, k->in, k->out, o->x, o->forward, o->bias, o->plus, k->act, y, slope);
  for (int64_t i = 0; i < n; i++) {
    close_to((double)y[i], of_z(k->act, o->z[i], false), 30, o->size[i], "y", i);
    if (act) close_to((double)slope[i], of_z(k->act, o->z[i], true), 60, o->size[i], "slope", i);
  }
  real *first = copied(y, n); /* without a slope, in the residual's place: the same bits */
  k_linear_fwd(k->N, k->in, k->out, o->x, o->forward, o->bias, o->plus ? again : NULL, k->act, again, NULL);
  assert_memory_equal(again, first, (size_t)n * sizeof *y);
}

static void check_backward(const linear_case *k, const operands *o) {
  int64_t N = k->N, in = k->in, out = k->out;
  real *dy = numbers(N * out, -1, 1), *dx = numbers(N * in, -1, 1), *dx0 = copied(dx, N * in);
  real *dw = numbers(out * in, -1, 1), *dw0 = copied(dw, out * in),
       *scratch = numbers(k_linear_scratch(N, in), NAN, NAN);
  k_linear_dx(N, in, out, dy, o->backward, dx, k->acc);
  k_linear_dw(N, in, out, dy, o->x, dw, scratch);
  for (int64_t i = 0; i < N * in; i++) {
    double sum = k->acc ? (double)dx0[i] : 0, size = 1;
    for (int64_t c = 0; c < out; c++) {
      double term = (double)dy[i / in * out + c] * (double)o->w[c * in + i % in];
      sum += term, size += fabs(term);
    }
    close_to((double)dx[i], sum, 20, size, "dx", i);
  }
  for (int64_t i = 0; i < out * in; i++) {
    double sum = (double)dw0[i], size = 1;
    for (int64_t r = 0; r < N; r++) {
      double term = (double)dy[r * out + i / in] * (double)o->x[r * in + i % in];
      sum += term, size += fabs(term);
    }
    close_to((double)dw[i], sum, 20, size, "dw", i);
  }
}

static void check(const linear_case *k) {
  operands o = make(k);
  check_forward(k, &o);
  check_backward(k, &o);
  mem_free(o.z);
  release(NULL);
}

static void linear_matches_plain_loops(void **state) {
  (void)state;
  const int64_t sizes[][3] = {{1, 1, 1},     {2, 3, 5},     {3, 17, 16},  {7, 4, 31},
                              {13, 16, 48},  {5, 33, 67},   {25, 64, 10}, {6, 65, 80},
                              {50, 48, 129}, {29, 200, 64}, {600, 20, 33}};
  const k_fn acts[] = {K_identity, K_gelu, K_relu, K_silu};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (int options = 0; options < 8; options++)
      check(&(linear_case){.N = sizes[i][0],
                           .in = sizes[i][1],
                           .out = sizes[i][2],
                           .act = acts[(i + (size_t)options) % 4],
                           .bias = options & 1,
                           .plus = options & 2,
                           .acc = options & 4});
}

/* A row's result is one sum in order: it does not depend on the rows beside it, nor on the tile it falls in. */
static void a_row_does_not_depend_on_its_neighbours(void **state) {
  (void)state;
  enum { N = 37, IN = 20, OUT = 50 };
  real *x = numbers(N * IN, -1, 1), *w = numbers(OUT * IN, -1, 1), *panels = numbers(OUT * IN, 0, 0);
  real *all = numbers(N * OUT, 0, 0), *one = numbers(OUT, 0, 0);
  k_linear_pack(true, OUT, IN, w, panels);
  k_linear_fwd(N, IN, OUT, x, panels, NULL, NULL, K_gelu, all, NULL);
  for (int r = 0; r < N; r++) {
    k_linear_fwd(1, IN, OUT, x + r * IN, panels, NULL, NULL, K_gelu, one, NULL);
    assert_memory_equal(one, all + r * OUT, OUT * sizeof *one);
  }
}

static void slopes_go_back_in_one_pass(void **state) {
  (void)state;
  const int64_t Ns[] = {1, 3, 32, 70};
  for (int l = 0; l < N_LENGTHS; l++)
    for (int k = 0; k < 4; k++) {
      int64_t C = LENGTHS[l], N = Ns[k];
      real *slope = numbers(N * C, -1, 1), *dy = numbers(N * C, -1, 1), *dz = numbers(N * C, 9, 9);
      real *db = numbers(C, -1, 1), *db0 = copied(db, C), *same = numbers(N * C, 9, 9);
      k_slope_bwd(N, C, slope, dy, dz, db);
      k_slope_bwd(N, C, slope, dy, same, NULL);
      assert_memory_equal(dz, same, (size_t)(N * C) * sizeof *dz);
      for (int64_t c = 0; c < C; c++) {
        double sum = (double)db0[c];
        for (int64_t r = 0; r < N; r++) {
          assert_true(dz[r * C + c] == slope[r * C + c] * dy[r * C + c]);
          sum += (double)dz[r * C + c];
        }
        close_to((double)db[c], sum, 4, (double)N + 1, "db", c);
      }
    }
}

/* What `activate` does to a block inside a larger matrix, and to nothing beside it. */
static void functions_of_a_block(void **state) {
  (void)state;
  enum { N = 3, C = 21, ROW = 40 };
  for (k_fn fn = 0; fn < K_FN_COUNT; fn++)
    for (int slope = 0; slope < 2; slope++) {
      real *z = numbers(N * ROW, -3, 3), *before = copied(z, N * ROW), *y = numbers(N * ROW, 9, 9);
      k_activate(fn, N, C, ROW, z, y, slope);
      for (int i = 0; i < N * ROW; i++) {
        real one = 1, t, d;
        k_map_fwd(fn, 1, before + i, &t);
        k_map_bwd(fn, 1, before + i, &t, &one, &d, false);
        bool inside = i % ROW < C;
        assert_true(y[i] == (inside ? t : 9));
        assert_true(z[i] == (inside && slope ? d : before[i]));
      }
      release(NULL);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, release)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(linear_matches_plain_loops),
                                     TEST(a_row_does_not_depend_on_its_neighbours),
                                     TEST(slopes_go_back_in_one_pass), TEST(functions_of_a_block)};
  int failures = 0;
  RUN_AT_EVERY_LEVEL(tests, failures);
  return failures;
}
