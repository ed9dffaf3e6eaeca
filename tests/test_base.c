/* The base layer: errors, strings, memory and random numbers. */
#define _GNU_SOURCE
#include "dyt/err.h"
#include "dyt/mem.h"
#include "dyt/rng.h"
#include "dyt/str.h"
#include "dyt/text.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* err */

static void errors_collect_sentences(void **state) {
  (void)state;
  err e = {0};
  assert_int_equal(err_add(&e, ST_USER, "a.json:%d: %s", 3, "no such key"), ST_USER);
  assert_int_equal(err_add(&e, ST_NUMBERS, "second"), ST_NUMBERS);
  assert_string_equal(e.text, "a.json:3: no such key\nsecond");
  assert_int_equal(e.code, ST_USER);
  assert_int_equal(e.count, 2);
  assert_int_equal(err_add(NULL, ST_USER, "dropped"), ST_USER);

  err all = {0};
  assert_int_equal(err_join(&all, &(err){0}), ST_OK);
  assert_int_equal(all.count, 0);
  err_add(&all, ST_NUMBERS, "first");
  assert_int_equal(err_join(&all, &e), ST_USER);
  assert_string_equal(all.text, "first\na.json:3: no such key\nsecond");
  assert_int_equal(all.count, 3);
  assert_int_equal(all.code, ST_NUMBERS);
}

/* However much is added, the text stays in its buffer and the count right. */
static void errors_never_overflow(void **state) {
  (void)state;
  static char word[20000];
  for (size_t length = 0; length < 300; length += 7) {
    struct {
      err e;
      char after[16];
    } guarded = {0};
    memset(word, 'x', length), word[length] = '\0';
    memset(guarded.after, 'G', sizeof guarded.after);
    for (int i = 1; i <= 3000; i++) {
      err_add(&guarded.e, ST_USER, "%s", word);
      assert_int_equal(guarded.e.count, i);
    }
    assert_in_range(guarded.e.len, 0, sizeof guarded.e.text - 1);
    assert_int_equal(strlen(guarded.e.text), guarded.e.len);
    for (size_t i = 0; i < sizeof guarded.after; i++) assert_int_equal(guarded.after[i], 'G');
  }
  err e = {0};
  memset(word, 'x', sizeof word - 1);
  err_add(&e, ST_USER, "%s", word);
  err_add(&e, ST_USER, "%s", word);
  assert_int_equal(strlen(e.text), sizeof e.text - 1);
  assert_int_equal(e.count, 2);
}

static void fails_require(void) { REQUIRE(1 + 1 == 3, "arithmetic of %d", 2); }
static void asks_for_too_much(void) { mem_new(SIZE_MAX / 2, 4); }
static void passes_require(void) { REQUIRE(1 + 1 == 2, "arithmetic of %d", 2); }

/* Runs fn in a process of its own; its exit code, 91 if fn returns. What it writes to stderr goes into text.
 */
static int exit_code_of(void (*fn)(void), char text[512]) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    fn();
    _exit(91);
  }
  close(ends[1]);
  size_t n = 0;
  for (ssize_t more; n < 511 && (more = read(ends[0], text + n, 511 - n)) > 0;) n += (size_t)more;
  text[n] = '\0';
  close(ends[0]);
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 92;
}

static void require_ends_the_process(void **state) {
  (void)state;
  char text[512];
  assert_int_equal(exit_code_of(fails_require, text), ST_INTERNAL);
  assert_non_null(strstr(text, "test_base.c:"));
  assert_non_null(strstr(text, "(1 + 1 == 3): arithmetic of 2\n"));
  assert_int_equal(exit_code_of(passes_require, text), 91);
  assert_int_equal(exit_code_of(asks_for_too_much, text), ST_INTERNAL);
}

/* str */

static void numbers_survive_text(void **state) {
  (void)state;
  const double values[] = {0,
                           -0.0,
                           1,
                           -1,
                           0.1,
                           1.0 / 3,
                           1e-308,
                           5e-324,
                           1.7976931348623157e308,
                           1e21,
                           1e-7,
                           123456.0,
                           0x1p-24,
                           9007199254740993.0};
  str s = {0};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    str_clear(&s);
    str_add_number(&s, values[i], 17);
    double back = strtod(s.data, NULL);
    assert_true(back == values[i] && signbit(back) == signbit(values[i]));
    str_clear(&s);
    str_add_number(&s, (double)(float)values[i], 9);
    assert_true(strtof(s.data, NULL) == (float)values[i] || isinf((float)values[i]));
  }
  str_clear(&s);
  const double none[] = {NAN, INFINITY, -INFINITY};
  for (int i = 0; i < 3; i++) str_add_number(&s, none[i], 9);
  assert_string_equal(s.data, "nullnullnull");
  str_free(&s);
}

static void strings_grow(void **state) {
  (void)state;
  str s = {0};
  for (int i = 0; i < 1000; i++) str_addf(&s, "%d,", i);
  assert_int_equal(s.len, 10 * 2 + 90 * 3 + 900 * 4);
  assert_int_equal(strlen(s.data), s.len);
  assert_memory_equal(s.data, "0,1,2,", 6);
  assert_string_equal(s.data + s.len - 8, "998,999,");
  str_add_bytes(&s, "\0x", 2);
  assert_int_equal(s.len, 3892);
  assert_int_equal(s.data[3891], 'x');
  str_clear(&s);
  str_add(&s, "");
  assert_string_equal(s.data, "");
  str_free(&s);
  assert_null(s.data);
  str_free(&s);
}

static void strings_are_quoted(void **state) {
  (void)state;
  str s = {0};
  str_add_quoted(&s, "a\"b\\c\b\f\n\r\t\x01\x1f/\xc3\xa9");
  assert_string_equal(s.data, "\"a\\\"b\\\\c\\b\\f\\n\\r\\t\\u0001\\u001f/\xc3\xa9\"");
  str_clear(&s);
  str_add_quoted(&s, "");
  assert_string_equal(s.data, "\"\"");
  str_free(&s);
}

static void any_bytes_are_lines(void **state) {
  (void)state;
  static const char *const cases[][2] = {{"\xc3\xa4\t\xe6\x9d\xb1\x7f", "\xc3\xa4 \xe6\x9d\xb1 "},
                                         {"a\xff\xc3", "a??"},
                                         {"\xc0\x80\xed\xa0\x80", "?????"},
                                         {"", ""}};
  for (int i = 0; i < 4; i++) {
    str s = {0};
    str_add(&s, "");
    text_line(&s, cases[i][0]);
    assert_string_equal(s.data, cases[i][1]);
    str_free(&s);
  }
  assert_int_equal(text_width("\xc3\xa4\xff\xe6\x9d\xb1."), 5);
  str s = {0};
  text_cell(&s, "\xc3\xa4", 3);
  text_cell(&s, "long", 2);
  assert_string_equal(s.data, "\xc3\xa4  long");
  str_free(&s);
}

static void words_have_distances(void **state) {
  (void)state;
  assert_int_equal(str_distance("", "", 9), 0);
  assert_int_equal(str_distance("", "abc", 9), 3);
  assert_int_equal(str_distance("kitten", "sitting", 9), 3);
  assert_int_equal(str_distance("sitting", "kitten", 9), 3);
  assert_int_equal(str_distance("flaw", "lawn", 9), 2);
  assert_int_equal(str_distance("abc", "xyz", 2), 2);
  char longest[200];
  memset(longest, 'a', sizeof longest - 1), longest[sizeof longest - 1] = '\0';
  assert_int_equal(str_distance(longest, "a", 5), 5);
  assert_int_equal(str_distance(longest + 136, longest + 136, 5),
                   0); /* 63 letters, the longest that are compared */
  const char *keys[] = {"depth", "dim", "dropout", "drop_path"};
  assert_string_equal(str_nearest("detph", keys, 4), "depth");
  assert_string_equal(str_nearest("dropuot", keys, 4), "dropout");
  assert_null(str_nearest("zzzzzz", keys, 4));
  assert_null(str_nearest("dim", keys, 0));
}

/* mem */

static void memory_is_zeroed_and_aligned(void **state) {
  (void)state;
  for (size_t n = 0; n < 200; n += 13) {
    unsigned char *p = mem_new(n, 3);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 64, 0);
    for (size_t i = 0; i < 3 * n; i++) assert_int_equal(p[i], 0);
    memset(p, 7, 3 * n);
    p = mem_grow(p, n, n + 50, 3);
    for (size_t i = 0; i < 3 * (n + 50); i++) assert_int_equal(p[i], i < 3 * n ? 7 : 0);
    mem_free(p);
  }
  char *s = mem_printf("%s-%03d", "x", 7), *t = mem_strdup(s);
  assert_string_equal(t, "x-007");
  mem_free(s);
  mem_free(t);
}

static void arenas_are_mapped(void **state) {
  (void)state;
  err e = {0};
  const size_t sizes[] = {1, 4096, 4097, 3 << 20};
  for (int i = 0; i < 4; i++) {
    arena a;
    assert_int_equal(mem_map(&a, sizes[i], "numbers", &e), ST_OK);
    assert_int_equal(a.size, sizes[i]);
    assert_int_equal((uintptr_t)a.base % (2 << 20), 0);
    assert_int_equal(a.base[0] + a.base[sizes[i] - 1], 0);
    a.base[sizes[i] - 1] = 1;
    mem_unmap(&a);
    assert_null(a.base);
  }
  arena none;
  assert_int_equal(mem_map(&none, 0, "nothing", &e), ST_OK);
  assert_null(none.base);
  mem_unmap(&none);
  assert_int_equal(e.count, 0);
  assert_int_equal(mem_map(&none, SIZE_MAX - 10, "everything", &e), ST_USER);
  assert_int_equal(mem_map(&none, SIZE_MAX / 4, "everything", &e), ST_USER);
  assert_non_null(strstr(e.text, "no room for everything"));
  /* the kernel updates the two counters apart, some pages at a time */
  assert_in_range(mem_resident(), 1 << 16, mem_peak() + (1 << 20));
}

static void memory_is_asked_for_first(void **state) {
  (void)state;
  err e = {0};
  assert_int_equal(mem_afford("the test", 1 << 20, "nothing", &e), ST_OK);
  assert_int_equal(e.count, 0);
  if (mem_available() == SIZE_MAX) return; /* where the system does not say, all is well */
  assert_int_equal(mem_afford("the test", SIZE_MAX / 2, "a smaller test", &e), ST_USER);
  assert_int_equal(e.count, 1);
  assert_non_null(strstr(e.text, "the test needs 8796093022208.0 MiB more memory, and "));
  assert_non_null(strstr(e.text, " MiB are available: a smaller test"));
}

/* rng */

typedef struct known {
  uint32_t counter[4], key[2], out[4];
} known;

/* philox4x32, 10 rounds: kat_vectors of the Random123 distribution. */
static const known vectors[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static void philox_gives_the_published_numbers(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    const known *v = &vectors[i];
    rng r = rng_at_name(v->key[0] | (uint64_t)v->key[1] << 32, v->counter[0] | (uint64_t)v->counter[1] << 32,
                        v->counter[2]);
    r.b |= (uint64_t)v->counter[3] << 32; /* the block that a long way of draws would come to */
    for (int k = 0; k < 4; k++) assert_int_equal(rng_u32(&r), v->out[k]);
  }
}

/* What the draws are must never change: checkpoints and published results depend on it. */
static void draws_depend_on_what_they_are_for(void **state) {
  (void)state;
  rng a = rng_at(3, "augment", 5, 7), same = rng_at_name(rng_name(3, "augment"), 5, 7);
  const rng others[] = {rng_at(4, "augment", 5, 7), rng_at(3, "order", 5, 7), rng_at(3, "augment", 6, 7),
                        rng_at(3, "augment", 5, 8), rng_at(3, "augment", 7, 5)};
  uint32_t first[8];
  for (int i = 0; i < 8; i++) {
    first[i] = rng_u32(&a);
    assert_int_equal(first[i], rng_u32(&same));
  }
  for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
    rng r = others[k];
    int equal = 0;
    for (int i = 0; i < 8; i++) equal += rng_u32(&r) == first[i];
    assert_int_equal(equal, 0);
  }
  rng start = rng_at(3, "augment", 5, 7), copy;
  rng_u32(&start);
  copy = start;
  assert_int_equal(rng_u32(&copy), rng_u32(&start));
}

static void uniform_draws_fill_the_interval(void **state) {
  (void)state;
  enum { N = 100000, BINS = 10 };
  rng r = rng_at(1, "uniform", 0, 0);
  int bins[BINS] = {0};
  double sum = 0;
  for (int i = 0; i < N; i++) {
    double u = rng_uniform(&r);
    assert_true(u > 0 && u < 1);
    bins[(int)(u * BINS)]++;
    sum += u;
  }
  assert_true(fabs(sum / N - 0.5) < 5 * sqrt(1 / 12.0 / N));
  for (int i = 0; i < BINS; i++) assert_in_range(bins[i], N / BINS - 500, N / BINS + 500);
}

/* 5 deviations; for 3 * 2^30 a plain remainder would give the lowest third twice as often. */
static void below_is_even(void **state) {
  (void)state;
  enum { N = 60000 };
  const uint32_t limits[] = {1, 2, 3, 7, 10};
  rng r = rng_at(1, "below", 0, 0);
  for (int k = 0; k < 5; k++) {
    int counts[10] = {0};
    for (int i = 0; i < N; i++) {
      uint32_t v = rng_below(&r, limits[k]);
      assert_true(v < limits[k]);
      counts[v]++;
    }
    double mean = (double)N / limits[k];
    for (uint32_t i = 0; i < limits[k]; i++) assert_true(fabs(counts[i] - mean) <= 5 * sqrt(mean));
  }
  int low = 0;
  for (int i = 0; i < N; i++) {
    uint32_t v = rng_below(&r, 3u << 30);
    assert_true(v < 3u << 30);
    low += v < 1u << 30;
  }
  assert_true(fabs(low - N / 3.0) < 5 * sqrt(N * 2 / 9.0));
}

static void normal_draws_have_their_moments(void **state) {
  (void)state;
  enum { N = 200000 };
  rng r = rng_at(1, "normal", 0, 0);
  double m[5] = {0};
  int beyond = 0;
  for (int i = 0; i < N; i++) {
    double x = rng_normal(&r), p = x;
    for (int k = 1; k <= 4; k++, p *= x) m[k] += p / N;
    beyond += fabs(x) > 1.959964;
  }
  assert_true(fabs(m[1]) < 5 * sqrt(1.0 / N));
  assert_true(fabs(m[2] - 1) < 5 * sqrt(2.0 / N));
  assert_true(fabs(m[3]) < 5 * sqrt(15.0 / N));
  assert_true(fabs(m[4] - 3) < 5 * sqrt(96.0 / N));
  assert_true(fabs(beyond - 0.05 * N) < 5 * sqrt(0.05 * 0.95 * N));
}

/* Inside +-2 whatever the deviation; a normal cut at two deviations has variance 0.7737. */
static void truncated_normals_stay_inside(void **state) {
  (void)state;
  enum { N = 50000 };
  const double stds[] = {0.02, 1, 5}, variance[] = {0.0004, 0.7737413, 1.305};
  for (int k = 0; k < 3; k++) {
    rng r = rng_at(1, "trunc", 0, (uint64_t)k);
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++) {
      double x = rng_trunc_normal(&r, stds[k]);
      assert_true(fabs(x) <= 2);
      sum += x, squares += x * x;
    }
    assert_true(fabs(sum / N) < 5 * sqrt(variance[k] / N));
    assert_true(fabs(squares / N / variance[k] - 1) < 0.03);
  }
}

static void permutations_hold_everything_once(void **state) {
  (void)state;
  int32_t p[1000], seen[6] = {0};
  rng r = rng_at(1, "order", 0, 0);
  for (int n = 0; n <= 1000; n += n < 5 ? 1 : 199) {
    char there[1000] = {0};
    rng_permutation(&r, n, p);
    for (int i = 0; i < n; i++) {
      assert_in_range(p[i], 0, n - 1);
      assert_int_equal(there[p[i]]++, 0);
    }
  }
  for (int i = 0; i < 6000; i++) { /* each of the six orders of three */
    rng_permutation(&r, 3, p);
    seen[p[0] * 2 + (p[1] > p[2])]++;
  }
  for (int i = 0; i < 6; i++) assert_in_range(seen[i], 850, 1150);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(errors_collect_sentences),
      cmocka_unit_test(errors_never_overflow),
      cmocka_unit_test(require_ends_the_process),
      cmocka_unit_test(numbers_survive_text),
      cmocka_unit_test(strings_grow),
      cmocka_unit_test(strings_are_quoted),
      cmocka_unit_test(any_bytes_are_lines),
      cmocka_unit_test(words_have_distances),
      cmocka_unit_test(memory_is_zeroed_and_aligned),
      cmocka_unit_test(arenas_are_mapped),
      cmocka_unit_test(memory_is_asked_for_first),
      cmocka_unit_test(philox_gives_the_published_numbers),
      cmocka_unit_test(draws_depend_on_what_they_are_for),
      cmocka_unit_test(uniform_draws_fill_the_interval),
      cmocka_unit_test(below_is_even),
      cmocka_unit_test(normal_draws_have_their_moments),
      cmocka_unit_test(truncated_normals_stay_inside),
      cmocka_unit_test(permutations_hold_everything_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
