/* safetensors: what is written is read back, the exact bytes, and that every kind of broken file
 * is refused with a sentence that names the file. */
#define _GNU_SOURCE
#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/rng.h"
#include "dyt/safetensors.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *folder, *path;

static int make_folder(void **state) {
  (void)state;
  folder = support_folder();
  path = mem_printf("%s/t.safetensors", folder);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  mem_free(path);
  support_end(folder);
  return 0;
}

/* Writes `path` without file_write's flushing, which hundreds of files would make slow. */
static void put(const void *data, size_t size) {
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(data, 1, size, f), size);
  assert_int_equal(fclose(f), 0);
}

/* A file whose first 8 bytes say `length`, then a header, then data. */
static void put_raw(uint64_t length, const char *header, size_t header_size, const void *data, size_t size) {
  unsigned char whole[2048];
  assert_true(8 + header_size + size <= sizeof whole);
  memcpy(whole, &length, 8);
  memcpy(whole + 8, header, header_size);
  memcpy(whole + 8 + header_size, data, size);
  put(whole, 8 + header_size + size);
}

/* Reads `path`, which must be refused with one sentence that names it. */
static void assert_refused(const char *sentence) {
  err e = {0};
  safetensors f;
  st code = safetensors_read(path, &f, &e);
  if (code != ST_USER || e.count != 1 || !strstr(e.text, sentence))
    fail_msg("expected \"%s\", found code %d: %s", sentence, code, e.text);
  assert_ptr_equal(strstr(e.text, path), e.text);
  assert_null(strchr(e.text, '\n'));
  assert_null(f.entry);
  assert_null(f.store);
  safetensors_free(&f);
}

static safetensors read_good(void) {
  err e = {0};
  safetensors f;
  if (safetensors_read(path, &f, &e)) fail_msg("%s", e.text);
  return f;
}

static const float floats[6] = {1, -2.5f, 3e-40f, -0.0f, 1e30f, 0.1f};
static const double doubles[2] = {0.1, -1e300};
static const int64_t longs[3] = {INT64_MIN, -1, INT64_MAX};
static const uint8_t bytes[3] = {0, 128, 255};

static const safetensors_entry sample[] = {
    {.name = "z.bytes", .dtype = "U8", .rank = 1, .shape = {3}, .data = bytes, .bytes = 3},
    {.name = "b.weight", .dtype = "F32", .rank = 2, .shape = {2, 3}, .data = floats, .bytes = 24},
    {.name = "scalar", .dtype = "F64", .rank = 0, .data = doubles, .bytes = 8},
    {.name = "empty", .dtype = "F32", .rank = 3, .shape = {4, 0, 2}, .data = NULL, .bytes = 0},
    {.name = "labels", .dtype = "I64", .rank = 1, .shape = {3}, .data = longs, .bytes = 24},
    {.name = "a.weight",
     .dtype = "F32",
     .rank = 8,
     .shape = {1, 1, 1, 1, 1, 1, 1, 1},
     .data = floats,
     .bytes = 4},
    {.name = "\xc3\xa9 \"q\" \\ \n", .dtype = "F64", .rank = 1, .shape = {2}, .data = doubles, .bytes = 16},
};
enum { SAMPLES = sizeof sample / sizeof *sample };
static const safetensors_pair notes[] = {{"step", "12"}, {"contents", "a \"model\"\n"}};

static void put_sample(void) {
  err e = {0};
  assert_int_equal(safetensors_write(path, sample, SAMPLES, notes, 2, &e), ST_OK);
}

static const char *metadata_of(const safetensors *f, const char *key) {
  for (int i = 0; i < f->metadata_count; i++)
    if (strcmp(f->metadata[i].key, key) == 0) return f->metadata[i].value;
  return NULL;
}

static void what_is_written_is_read(void **state) {
  (void)state;
  put_sample();
  safetensors f = read_good();
  assert_string_equal(f.path, path);
  assert_int_equal(f.count, SAMPLES);
  for (int i = 0; i < SAMPLES; i++) {
    const safetensors_entry *t = safetensors_find(&f, sample[i].name);
    assert_non_null(t);
    assert_string_equal(t->name, sample[i].name);
    assert_string_equal(t->dtype, sample[i].dtype);
    assert_int_equal(t->rank, sample[i].rank);
    assert_memory_equal(t->shape, sample[i].shape, sizeof t->shape);
    assert_int_equal(t->bytes, sample[i].bytes);
    assert_int_equal(safetensors_numel(t), safetensors_numel(&sample[i]));
    if (t->bytes) assert_memory_equal(t->data, sample[i].data, t->bytes);
  }
  assert_null(safetensors_find(&f, "B.weight"));
  assert_null(safetensors_find(&f, ""));
  assert_int_equal(f.metadata_count, 3);
  assert_string_equal(metadata_of(&f, "format"), "pt");
  assert_string_equal(metadata_of(&f, "step"), "12");
  assert_string_equal(metadata_of(&f, "contents"), notes[1].value);
  safetensors_free(&f);
  assert_null(f.entry);
}

static void the_bytes_are_those_of_the_format(void **state) {
  (void)state;
  err e = {0};
  const safetensors_entry t[] = {sample[0], sample[4], sample[1], sample[5]};
  const safetensors_pair format = {"format", "np"}; /* the writer's own stays */
  assert_int_equal(safetensors_write(path, t, 4, &format, 1, &e), ST_OK);
  file_bytes b;
  assert_int_equal(file_read(path, 4096, &b, &e), ST_OK);
  const char *header =
      "{\"__metadata__\":{\"format\":\"pt\"},"
      "\"labels\":{\"dtype\":\"I64\",\"shape\":[3],\"data_offsets\":[0,24]},"
      "\"a.weight\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1],\"data_offsets\":[24,28]},"
      "\"b.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[28,52]},"
      "\"z.bytes\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[52,55]}}";
  uint64_t length;
  memcpy(&length, b.data, 8);
  assert_int_equal((8 + length) % 64, 0);
  assert_int_equal(b.size, 8 + length + 55);
  assert_in_range(length, strlen(header), strlen(header) + 63);
  assert_memory_equal(b.data + 8, header, strlen(header));
  for (size_t i = strlen(header); i < length; i++) assert_int_equal(b.data[8 + i], ' ');
  assert_memory_equal(b.data + 8 + length, longs, 24);
  assert_memory_equal(b.data + 8 + length + 52, bytes, 3);
  file_bytes_free(&b);
}

static void the_order_of_arguments_does_not_matter(void **state) {
  (void)state;
  err e = {0};
  file_bytes first = {0}, b;
  for (int shift = 0; shift < SAMPLES; shift++) {
    safetensors_entry t[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) t[i] = sample[(i * 3 + shift) % SAMPLES];
    assert_int_equal(safetensors_write(path, t, SAMPLES, notes, 2, &e), ST_OK);
    assert_int_equal(file_read(path, 4096, &b, &e), ST_OK);
    if (shift == 0) {
      first = b;
      continue;
    }
    assert_int_equal(b.size, first.size);
    assert_memory_equal(b.data, first.data, b.size);
    file_bytes_free(&b);
  }
  file_bytes_free(&first);
}

static void a_file_without_tensors(void **state) {
  (void)state;
  err e = {0};
  assert_int_equal(safetensors_write(path, NULL, 0, NULL, 0, &e), ST_OK);
  safetensors f = read_good();
  assert_int_equal(f.count, 0);
  assert_null(safetensors_find(&f, "a"));
  safetensors_free(&f);
  put_raw(2, "{}", 2, "", 0);
  f = read_good();
  assert_int_equal(f.count + f.metadata_count, 0);
  safetensors_free(&f);
}

#define T(name, dtype, shape, offsets)                                                                       \
  "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

/* Forms that other writers may use: spaces, another order of keys, escapes, a gap-free layout in any order of
 * the header. */
static void other_writers_forms(void **state) {
  (void)state;
  const char *headers[] = {
      "{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[4,8]") "}",
      "{" T("b", "F32", "[1]", "[4,8]") "," T("a", "F32", "[1]", "[0,4]") "}   \n",
      "{ \"a\" : { \"data_offsets\" : [ 0 , 4 ] , \"shape\" : [ ] , \"dtype\" : \"F32\" } , " T(
          "b", "I8", "[4]", "[4,8]") "}",
      "{" T("\\u0061", "F32", "[1]", "[0,4]") "," T("b", "F4", "[2,4]", "[4,8]") ",\"__metadata__\":{}}",
      "{" T("e", "F32", "[0]", "[4,4]") "," T("a", "BF16", "[2]", "[0,4]") "," T("b", "BOOL", "[2,2]",
                                                                                 "[4,8]") "}",
      "{" T("a", "U8", "[4]", "[0,4]") "," T("b", "U8", "[4]",
                                             "[4,8]") "," T("e", "F32", "[0,9007199254740991]", "[8,8]") "}",
  };
  for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
    put_raw(strlen(headers[i]), headers[i], strlen(headers[i]), "ABCDEFGH", 8);
    safetensors f = read_good();
    assert_memory_equal(safetensors_find(&f, "a")->data, "ABCD", 4);
    assert_memory_equal(safetensors_find(&f, "b")->data, "EFGH", 4);
    for (int k = 1; k < f.count; k++)
      assert_true((uintptr_t)f.entry[k].data >= (uintptr_t)f.entry[k - 1].data || !f.entry[k].bytes ||
                  !f.entry[k - 1].bytes);
    safetensors_free(&f);
  }
}

typedef struct bad {
  const char *header, *sentence;
} bad;

/* Each with eight bytes of data behind it. */
static const bad bad_headers[] = {
    /* not this format, not JSON */
    {"", "expected the header to begin with '{'"},
    {" {}", "expected the header to begin with '{'"},
    {"[]", "expected the header to begin with '{'"},
    {"{", "not JSON"},
    {"{\"a\":}", "not JSON"},
    {"{\"a\"", "not JSON"},
    {"{" T("a", "F32", "[2]", "[0,8]") ",}", "not JSON"},
    {"{" T("a", "F32", "[2]", "[0,8]") "}}", "text after the header's end"},
    {"{" T("a", "F32", "[2]", "[0,8]") "}{}", "text after the header's end"},
    {"{" T("\xff", "F32", "[2]", "[0,8]") "}", "not UTF-8"},
    {"{" T("\xc0\x80", "F32", "[2]", "[0,8]") "}", "not UTF-8"},
    {"{" T("\xed\xa0\x80", "F32", "[2]", "[0,8]") "}", "not UTF-8"},
    {"{" T("a\\u0000b", "F32", "[2]", "[0,8]") "}", "control character"},
    {"{" T("a\nb", "F32", "[2]", "[0,8]") "}", "control character"},
    {"{" T("\\ud800", "F32", "[2]", "[0,8]") "}", "not JSON"},
    {"{\"a\\\n\":null}", "control character"},
    {"{\"a", "has no end"},
    {"{\"a\\", "has no end"},
    /* values that no header holds */
    {"{\"a\":null}", "tensor \"a\": found \"null}\""},
    {"{" T("a", "F32", "[-2]", "[0,8]") "}", "tensor \"a\": found \"-2]"},
    {"{" T("a", "F32", "[2.0]", "[0,8]") "}", "tensor \"a\": found \".0]"},
    {"{" T("a", "F32", "[2e0]", "[0,8]") "}", "tensor \"a\": found \"e0]"},
    {"{" T("a", "F32", "[02]", "[0,8]") "}", "without leading zeros"},
    {"{" T("a", "F32", "[[2]]", "[0,8]") "}", "nothing nested here"},
    {"{" T("a", "F32", "[{\"b\":2}]", "[0,8]") "}", "nothing nested here"},
    {"{" T("a", "F32", "[1,1,1,1,1,1,1,1,2]", "[0,8]") "}", "at most 8 dimensions"},
    /* a tensor's fields */
    {"{\"a\":\"F32\"}", "tensor \"a\": expected an object"},
    {"{\"a\":[2]}", "tensor \"a\": expected an object"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", "tensor \"a\": data_offsets is missing"},
    {"{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", "tensor \"a\": dtype is missing"},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
     "tensor \"a\": dtype is there twice"},
    {"{\"a\":{\"Dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "found the key \"Dtype\""},
    {"{" T("a", "f32", "[2]", "[0,8]") "}", "found dtype \"f32\""},
    {"{\"a\":{\"dtype\":32,\"shape\":[2],\"data_offsets\":[0,8]}}", "found dtype \"\""},
    {"{" T("a", "F32", "2", "[0,8]") "}", "shape is not a list"},
    {"{" T("a", "F32", "[\"2\"]", "[0,8]") "}", "shape holds what is not a number"},
    {"{" T("a", "F32", "[2]", "8") "}", "data_offsets is not a list"},
    {"{" T("a", "F32", "[2]", "[0]") "}", "to be a beginning and an end"},
    {"{" T("a", "F32", "[2]", "[0,4,8]") "}", "to be a beginning and an end"},
    {"{" T("a", "F32", "[0]", "[8,0]") "}", "to be a beginning and an end"},
    {"{" T("a", "F32", "[9007199254740992]", "[0,8]") "}", "below 2^53"},
    {"{" T("a", "F32", "[9007199254740993]", "[0,8]") "}", "below 2^53"},
    {"{" T("a", "F32", "[2]", "[0,18446744073709551624]") "}", "below 2^53"},
    {"{" T("a", "F32", "[2]", "[99999999999999999999999999999999999999999999999999,8]") "}", "below 2^53"},
    /* sizes */
    {"{" T("a", "F32", "[2]", "[0,16]") "}", "cut off"},
    {"{" T("a", "F32", "[3]", "[0,8]") "}", "tensor \"a\": found 8 bytes of data, expected 12 for F32 [3]"},
    {"{" T("a", "F32", "[]", "[0,8]") "}", "expected 4 for F32 []"},
    {"{" T("a", "F64", "[2]", "[0,8]") "}", "expected 16"},
    {"{" T("a", "F4", "[3]", "[0,8]") "}", "whole number of bytes"},
    {"{" T("a", "F32", "[4294967296,4294967296]", "[0,8]") "}", "whole number of bytes"},
    {"{" T("a", "F32", "[4294967296,4294967296,0]", "[0,0]") "}", "whole number of bytes"},
    {"{" T("a", "F64", "[1073741824,1073741824,1]", "[0,8]") "}", "whole number of bytes"},
    {"{" T("a", "U8", "[4503599627370496,8,8,8]", "[0,0]") "}", "whole number of bytes"},
    /* layout */
    {"{" T("a", "F32", "[1]", "[0,4]") "}", "found 8 bytes of data, expected 4"},
    {"{}", "found 8 bytes of data, expected 0"},
    {"{" T("a", "F32", "[1]", "[4,8]") "}", "hole"},
    {"{" T("a", "U8", "[1]", "[0,1]") "," T("b", "U8", "[6]", "[2,8]") "}",
     "tensor \"b\": its data begins at byte 2, expected 1"},
    {"{" T("a", "F32", "[2]", "[0,8]") "," T("b", "F32", "[1]", "[4,8]") "}", "overlap"},
    {"{" T("a", "F32", "[2]", "[0,8]") "," T("b", "F32", "[2]", "[0,8]") "}", "overlap"},
    {"{" T("a", "F32", "[2]", "[0,8]") "," T("b", "F32", "[0]", "[4,4]") "}", "overlap"},
    {"{" T("a", "F32", "[1]", "[0,4]") "," T("a", "F32", "[1]", "[4,8]") "}",
     "tensor \"a\": it is there twice"},
    {"{" T("a", "F32", "[1]", "[0,4]") "," T("\\u0061", "F32", "[1]", "[4,8]") "}",
     "tensor \"a\": it is there twice"},
    /* metadata */
    {"{\"__metadata__\":\"x\"}", "expected __metadata__ to be an object"},
    {"{\"__metadata__\":{\"k\":1}}", "\"k\": expected a string"},
    {"{\"__metadata__\":{\"k\":{}}}", "\"k\": expected a string"},
    {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"1\"}}", "has the key \"k\" twice"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", "__metadata__ is there twice"},
};

static void bad_headers_are_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof bad_headers / sizeof *bad_headers; i++) {
    put_raw(strlen(bad_headers[i].header), bad_headers[i].header, strlen(bad_headers[i].header), "12345678",
            8);
    assert_refused(bad_headers[i].sentence);
  }
  put_raw(8, "{}\0\0\0\0\0\0", 8, "", 0);
  assert_refused("found a byte 0x00 at byte 2 of the header");
  put_raw(9, "{\"a\0b\":0}", 9, "", 0);
  assert_refused("control character");
}

static void long_and_wild_names_stay_in_one_line(void **state) {
  (void)state;
  char header[1024] = "{\"";
  for (int i = 0; i < 60; i++) strcat(header, "\\n\xc3\xa9");
  strcat(header, "\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}");
  put_raw(strlen(header), header, strlen(header), "12345678", 8);
  assert_refused("\\n\xc3\xa9\\n");
  assert_refused("\": found dtype \"F31\"");
}

static void bad_files_are_refused(void **state) {
  (void)state;
  err e = {0};
  assert_int_equal(file_remove(path, &e), ST_OK);
  assert_refused("No such file");
  assert_int_equal(mkdir(path, 0777), 0);
  assert_refused("found a folder");
  assert_int_equal(file_remove(path, &e), ST_OK);
  assert_int_equal(mkfifo(path, 0666), 0);
  assert_refused("expected a file");
  assert_int_equal(file_remove(path, &e), ST_OK);
  put("", 0);
  assert_refused("found 0 bytes");
  put("1234567", 7);
  assert_refused("found 7 bytes");
  put("PK\3\4aaaaaaaaaaaa", 16); /* PyTorch's own format is a zip file */
  assert_refused("is it a safetensors file?");
  put_raw(UINT64_MAX, "{}", 2, "", 0);
  assert_refused("announce a header of 18446744073709551615 bytes");
  put_raw(100000001, "{}", 2, "", 0);
  assert_refused("expected at most 100000000");
  put_raw(100000000, "{}", 2, "", 0);
  assert_refused("the file is cut off");
  put_raw(3, "{}", 2, "", 0);
  assert_refused("found 2 bytes after the first 8, expected a header of 3");
}

/* Every shorter file is refused, and so is a longer one. */
static void cut_files_are_refused(void **state) {
  (void)state;
  put_sample();
  file_bytes b;
  err e = {0};
  assert_int_equal(file_read(path, 4096, &b, &e), ST_OK);
  for (size_t n = 0; n < b.size; n++) {
    put(b.data, n);
    assert_refused("");
  }
  put(b.data, b.size + 1); /* file_read adds a NUL */
  assert_refused("where the last tensor ends");
  file_bytes_free(&b);
}

/* Changed bytes either leave a file that can be used or one sentence; the sanitizers watch over both. */
static void changed_bytes_never_crash(void **state) {
  (void)state;
  put_sample();
  file_bytes b;
  err none = {0};
  assert_int_equal(file_read(path, 4096, &b, &none), ST_OK);
  static const char likely[] = "\"{}[]:,0123456789-.eE\\u \n";
  rng r = rng_at(1, "changed", 0, 0);
  int accepted = 0, refused = 0;
  for (int round = 0; round < 1500; round++) {
    unsigned char copy[4096];
    memcpy(copy, b.data, b.size);
    for (uint32_t k = 0; k <= rng_below(&r, 3); k++)
      copy[rng_below(&r, (uint32_t)b.size)] =
          (unsigned char)(rng_below(&r, 2) ? likely[rng_below(&r, sizeof likely)] : (char)rng_below(&r, 256));
    put(copy, b.size);
    err e = {0};
    safetensors f;
    if (safetensors_read(path, &f, &e)) {
      assert_int_equal(e.count, 1);
      refused++;
      continue;
    }
    accepted++;
    for (int i = 0; i < f.count; i++) assert_ptr_equal(safetensors_find(&f, f.entry[i].name), &f.entry[i]);
    safetensors_free(&f);
  }
  assert_true(accepted > 10);
  assert_true(refused > 100);
  file_bytes_free(&b);
}

static void a_failed_write_leaves_the_old_file(void **state) {
  (void)state;
  put_sample();
  err e = {0};
  const safetensors_pair latin = {"author", "Andr\xe9"};
  assert_int_equal(safetensors_write(path, sample, 1, &latin, 1, &e), ST_USER);
  assert_non_null(strstr(e.text, "not UTF-8"));
  safetensors f = read_good();
  assert_int_equal(f.count, SAMPLES);
  safetensors_free(&f);
  e = (err){0};
  assert_int_equal(safetensors_write("nowhere/at/all.safetensors", sample, 1, NULL, 0, &e), ST_USER);
  assert_non_null(strstr(e.text, "nowhere/at/all.safetensors: cannot be written"));
}

static int exit_code_of_writing(const safetensors_entry *t, int count) {
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    if (!freopen("/dev/null", "w", stderr)) _exit(90);
    safetensors_write(path, t, count, NULL, 0, NULL);
    _exit(91);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 92;
}

static void wrong_entries_are_errors_of_ours(void **state) {
  (void)state;
  const safetensors_entry good = sample[1];
  safetensors_entry t[2] = {good, good};
  assert_int_equal(exit_code_of_writing(t, 1), 91);
  assert_int_equal(exit_code_of_writing(t, 2), ST_INTERNAL);
  t[0].dtype = "float";
  assert_int_equal(exit_code_of_writing(t, 1), ST_INTERNAL);
  t[0] = good, t[0].bytes = 20;
  assert_int_equal(exit_code_of_writing(t, 1), ST_INTERNAL);
  t[0] = good, t[0].name = "__metadata__";
  assert_int_equal(exit_code_of_writing(t, 1), ST_INTERNAL);
  t[0] = good, t[0].rank = 9;
  assert_int_equal(exit_code_of_writing(t, 1), ST_INTERNAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_written_is_read),
      cmocka_unit_test(the_bytes_are_those_of_the_format),
      cmocka_unit_test(the_order_of_arguments_does_not_matter),
      cmocka_unit_test(a_file_without_tensors),
      cmocka_unit_test(other_writers_forms),
      cmocka_unit_test(bad_headers_are_refused),
      cmocka_unit_test(long_and_wild_names_stay_in_one_line),
      cmocka_unit_test(bad_files_are_refused),
      cmocka_unit_test(cut_files_are_refused),
      cmocka_unit_test(changed_bytes_never_crash),
      cmocka_unit_test(a_failed_write_leaves_the_old_file),
      cmocka_unit_test(wrong_entries_are_errors_of_ours),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
