/* Converting the numbers of safetensors files, and shapes as text. */
#include "dyt/safetensors.h"
#include "support.h"

#include <math.h>
#include <string.h>

static const float floats[6] = {1, -2.5f, 3e-40f, -0.0f, 1e30f, 0.1f};
static const double doubles[2] = {0.1, -1e30};
static const int64_t longs[3] = {INT64_MIN, -1, INT64_MAX};

static st to_real_of(const char *dtype, const void *data, int64_t n, size_t size, real *out, err *e) {
  const safetensors f = {.path = "x.safetensors"};
  const safetensors_entry t = {
      .name = "w", .dtype = dtype, .rank = 1, .shape = {n}, .data = data, .bytes = size};
  return safetensors_to_real(&f, &t, out, e);
}

static void halves_become_real(void **state) {
  (void)state;
  const uint16_t half[] = {0x0000, 0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001,
                           0x83ff, 0x3555, 0x7c00, 0xfc00, 0x8000, 0x7e00};
  const double value[] = {0,        1,         -2,  65504, 0x1p-14, 0x1p-24, -0x3ffp-24, 0.333251953125,
                          INFINITY, -INFINITY, -0.0};
  real out[12];
  assert_int_equal(to_real_of("F16", half, 12, 24, out, NULL), ST_OK);
  for (int i = 0; i < 11; i++) assert_true((double)out[i] == value[i]);
  assert_true(signbit(out[10]) && !signbit(out[0]));
  assert_true(isnan(out[11]));

  const uint16_t brain[] = {0x3f80, 0xc020, 0x7f80, 0xff7f, 0x0001, 0x8000, 0x7fc0};
  const double brain_value[] = {1, -2.5, INFINITY, -0x1.fep127, 0x1p-133, -0.0};
  assert_int_equal(to_real_of("BF16", brain, 7, 14, out, NULL), ST_OK);
  for (int i = 0; i < 6; i++) assert_true((double)out[i] == brain_value[i]);
  assert_true(signbit(out[5]));
  assert_true(isnan(out[6]));
}

/* Data in a file need not be aligned: read from an odd address. */
static void floats_become_real(void **state) {
  (void)state;
  unsigned char odd[64];
  real out[6];
  memcpy(odd + 1, floats, sizeof floats);
  assert_int_equal(to_real_of("F32", odd + 1, 6, sizeof floats, out, NULL), ST_OK);
  for (int i = 0; i < 6; i++) assert_true(out[i] == (real)floats[i]);
  memcpy(odd + 1, doubles, sizeof doubles);
  assert_int_equal(to_real_of("F64", odd + 1, 2, sizeof doubles, out, NULL), ST_OK);
  for (int i = 0; i < 2; i++) assert_true(out[i] == (real)doubles[i]);
  assert_int_equal(to_real_of("F16", "", 0, 0, out, NULL), ST_OK);

  err e = {0};
  assert_int_equal(to_real_of("I64", longs, 3, 24, out, &e), ST_USER);
  assert_string_equal(e.text, "x.safetensors: tensor \"w\": found type I64, expected F64, F32, F16 or BF16");
}

static void whole_numbers_become_int64(void **state) {
  (void)state;
  const safetensors f = {.path = "x.safetensors"};
  static const unsigned char raw[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x88};
  static const struct {
    const char *dtype;
    int n;
    int64_t first, last;
  } cases[] = {{"I64", 2, -1, (int64_t)0x8807060504030201},
               {"I32", 4, -1, (int32_t)0x88070605},
               {"I16", 8, -1, (int16_t)0x8807},
               {"I8", 16, -1, (int8_t)0x88},
               {"U8", 16, 255, 0x88},
               {"U16", 8, 65535, 0x8807},
               {"U32", 4, 4294967295, 0x88070605}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const safetensors_entry t = {"labels", cases[i].dtype, 1, {cases[i].n}, raw, 16};
    int64_t out[16];
    assert_int_equal(safetensors_to_int(&f, &t, out, NULL), ST_OK);
    assert_int_equal(out[0], cases[i].first);
    assert_int_equal(out[cases[i].n - 1], cases[i].last);
  }
  err e = {0};
  const safetensors_entry t = {"labels", "U64", 1, {2}, raw, 16};
  assert_int_equal(safetensors_to_int(&f, &t, (int64_t[2]){0}, &e), ST_USER);
  assert_non_null(strstr(e.text, "x.safetensors: tensor \"labels\": found type U64, expected I64,"));
}

static void shapes_as_text(void **state) {
  (void)state;
  char text[64];
  safetensors_shape_text(&(safetensors_entry){.rank = 0}, text);
  assert_string_equal(text, "[]");
  safetensors_shape_text(&(safetensors_entry){.rank = 2, .shape = {3, 4}}, text);
  assert_string_equal(text, "[3, 4]");
  for (int64_t big = 1; big < INT64_MAX / 10; big *= 10)
    for (int rank = 1; rank <= 8; rank++) {
      safetensors_shape_text(
          &(safetensors_entry){.rank = rank, .shape = {big, big, big, big, big, big, big, big}}, text);
      assert_in_range(strlen(text), 3, 63);
      assert_int_equal(text[strlen(text) - 1], ']');
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(halves_become_real),
      cmocka_unit_test(floats_become_real),
      cmocka_unit_test(whole_numbers_become_int64),
      cmocka_unit_test(shapes_as_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
