/* The IDX reader (data/idx.h): good files, plain and gzipped, and every kind of bad one. */
#include "data/idx.h"
#include "data_support.h"

#include <string.h>

static void test_idx_good(void **state) {
  (void)state;
  put_images(put, "a", 3, 5, 7);
  put_images(put_gz, "b", 3, 5, 7);
  const char *const names[] = {"a", "b"};
  for (int f = 0; f < 2; f++) {
    idx_array a;
    err e = {0};
    assert_int_equal(idx_read(in_folder(names[f]), 3, &a, &e), ST_OK);
    assert_true(a.dim[0] == 3 && a.dim[1] == 5 && a.dim[2] == 7);
    for (int j = 0; j < 3 * 35; j++) assert_int_equal(a.element[j], byte_of(j / 35, j % 35));
    assert_true(a.elements == 3 * 35);
    assert_int_equal(a.map.data != NULL, f == 0); /* a plain file is not copied */
    idx_free(&a);
  }
}

static void assert_idx_bad(const char *name, int dims, const char *words) {
  idx_array a;
  err e = {0};
  assert_int_equal(idx_read(in_folder(name), dims, &a, &e), ST_USER);
  assert_int_equal(e.count, 1);
  assert_null(a.element);
  if (!strstr(e.text, words)) fail_msg("\"%s\" does not mention \"%s\"", e.text, words);
  assert_non_null(strstr(e.text, in_folder(name)));
}

static void test_idx_bad(void **state) {
  (void)state;
#define BYTES(...) (const unsigned char[]){__VA_ARGS__}, sizeof((const unsigned char[]){__VA_ARGS__})
  const struct {
    const unsigned char *bytes;
    size_t size;
    int dims;
    const char *plain, *gz;
  } bad[] = {
      {BYTES(0), 1, "1 bytes are too few", "1 bytes are too few"},
      {BYTES(0, 0, 8, 1, 0, 0), 1, "within the header: 6 bytes of 8", "within the header: 6 bytes of 8"},
      {BYTES('P', 'K', 3, 4, 0, 0, 0, 0), 1, "50 4b 03 04", "expected 00 00 08 01"},
      {BYTES(0, 0, 13, 1, 0, 0, 0, 1, 0, 0, 0, 0), 1, "type 0x0d", "unsigned byte"},
      {BYTES(0, 0, 8, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 3, 1, 1, 1), 3, "4 dimensions",
       "with 3"},
      {BYTES(0, 0, 8, 1, 0, 0, 0, 0), 1, "dimension 1 of the header is 0", "dimension 1 of the header is 0"},
      {BYTES(0, 0, 8, 1, 255, 255, 255, 255, 1), 1, "4294967295", "4294967295"},
      {BYTES(0, 0, 8, 3, 127, 255, 255, 255, 127, 255, 255, 255, 127, 255, 255, 255, 1), 3, "dimension 3",
       "dimension 3"},
      {BYTES(0, 0, 8, 1, 127, 0, 0, 0, 1), 1, "1 bytes follow the header, expected 2130706432",
       "compressed bytes can hold"},
      {BYTES(0, 0, 8, 1, 0, 0, 0, 3, 1, 2), 1, "2 bytes follow the header, expected 3",
       "2 elements, but the header says 3"},
      {BYTES(0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3, 4), 1, "4 bytes follow the header, expected 3",
       "more than the 3 elements"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    put("plain", bad[i].bytes, bad[i].size);
    put_gz("zipped", bad[i].bytes, bad[i].size);
    assert_idx_bad("plain", bad[i].dims, bad[i].plain);
    assert_idx_bad("zipped", bad[i].dims, bad[i].gz);
  }
  put("empty", "", 0);
  assert_idx_bad("empty", 1, "0 bytes are too few");
  assert_idx_bad("absent", 1, "found none");
  assert_idx_bad(".", 1, "found none");
}

static void test_idx_gz_damaged(void **state) {
  (void)state;
  put_images(put_gz, "good", 40, 9, 9);
  file_bytes b;
  err e = {0};
  assert_int_equal(file_read(in_folder("good"), 1 << 20, &b, &e), ST_OK);
  put("cut", b.data, b.size - 1); /* within the checksum */
  assert_idx_bad("cut", 3, "cut short");
  put("half", b.data, b.size / 2);
  assert_idx_bad("half", 3, "cut short");
  b.data[b.size - 7] ^= 1; /* the stored CRC */
  put("crc", b.data, b.size);
  assert_idx_bad("crc", 3, "damaged");
  b.data[b.size - 7] ^= 1;
  b.data[b.size / 2] ^= 255;
  put("flipped", b.data, b.size);
  idx_array a;
  assert_int_equal(idx_read(in_folder("flipped"), 3, &a, &e), ST_USER);
  file_bytes_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST_IN_FOLDER(test_idx_good),
      TEST_IN_FOLDER(test_idx_bad),
      TEST_IN_FOLDER(test_idx_gz_damaged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
