/* Picture files and their resizing (data/picture.h, data/resize.h) against Pillow, and bad files. */
#include "data/picture.h"
#include "data/resize.h"
#include "data_support.h"

#define REFERENCE "tests/reference/pictures/"

typedef struct picture_case {
  char file[64], filter[16];
  int channels, height, width;
} picture_case;

static file_bytes read_file(const char *in, const char *name) {
  char path[512];
  file_bytes b;
  err e = {0};
  snprintf(path, sizeof path, "%s/%s", in, name);
  if (file_read(path, 1 << 30, &b, &e)) fail_msg("%s", e.text);
  return b;
}

static file_bytes read_reference(const char *name) { return read_file(REFERENCE, name); }

static picture result_of(const char *in, const picture_case *k) {
  char path[512];
  picture p;
  err e = {0};
  snprintf(path, sizeof path, "%s/%s", in, k->file);
  if (picture_read(path, k->channels, &p, &e)) fail_msg("%s", e.text);
  if (strcmp(k->filter, "none") == 0) return p;
  resize_window w = {.height = k->height, .width = k->width, .rows = k->height, .columns = k->width};
  picture small = resize_picture(&p, &w, strcmp(k->filter, "bicubic") ? RESIZE_BILINEAR : RESIZE_BICUBIC);
  picture_free(&p);
  return small;
}

/* The largest difference of a byte. */
static int difference(const unsigned char *a, const unsigned char *b, size_t n) {
  int most = 0;
  for (size_t i = 0; i < n; i++)
    if (abs(a[i] - b[i]) > most) most = abs(a[i] - b[i]);
  return most;
}

/* The cases of scripts/write_picture_reference.py, or with DYT_PICTURES in the environment those in that folder
 * (scripts/check_pictures.py). */
static void test_like_pillow(void **state) {
  (void)state;
  const char *in = getenv("DYT_PICTURES") ? getenv("DYT_PICTURES") : REFERENCE;
  file_bytes cases = read_file(in, "cases.txt"), expected = read_file(in, "expected.bin");
  size_t at = 0;
  int n = 0, most = 0, used;
  picture_case k;
  for (const char *line = (char *)cases.data;
       sscanf(line, "%63s %d %15s %d %d\n%n", k.file, &k.channels, k.filter, &k.height, &k.width, &used) == 5;
       line += used, n++) {
    picture p = result_of(in, &k);
    size_t bytes = (size_t)(k.height * k.width * k.channels);
    assert_true(p.height == k.height && p.width == k.width && p.channels == k.channels);
    assert_true(at + bytes <= expected.size);
    int off = difference(p.pixels, expected.data + at, bytes);
    if (off > 0)
      print_message("%s, %d channels, %s, %d x %d: off by %d\n", k.file, k.channels, k.filter, k.height,
                    k.width, off);
    most = off > most ? off : most;
    at += bytes;
    picture_free(&p);
  }
  print_message("%d pictures, largest difference from Pillow: %d\n", n, most);
  assert_true(n > 100 && most == 0 && at == expected.size);
  file_bytes_free(&cases);
  file_bytes_free(&expected);
}

/* A window holds what the whole result has there. */
static void test_window(void **state) {
  (void)state;
  picture p;
  err e = {0};
  assert_int_equal(picture_read(REFERENCE "rgb_40x23.png", 0, &p, &e), ST_OK);
  assert_int_equal(p.channels, 3);
  resize_window all = {.height = 30, .width = 50, .rows = 30, .columns = 50}, some = all;
  some.top = 7, some.left = 11, some.rows = 13, some.columns = 20;
  picture whole = resize_picture(&p, &all, RESIZE_BICUBIC), part = resize_picture(&p, &some, RESIZE_BICUBIC);
  assert_true(part.height == 13 && part.width == 20);
  for (int y = 0; y < 13; y++)
    assert_memory_equal(part.pixels + (size_t)y * 60, whole.pixels + (size_t)((y + 7) * 50 + 11) * 3, 60);
  picture_free(&p);
  picture_free(&whole);
  picture_free(&part);
}

/* torchvision.transforms: Resize(shorter) truncates the longer side, CenterCrop(side) rounds halves to even. */
static void test_resize_and_crop(void **state) {
  (void)state;
  static const struct {
    int height, width, shorter, side, to_height, to_width, top, left;
  } c[] = {{480, 640, 256, 224, 256, 341, 16, 58},
           {640, 480, 32, 32, 42, 32, 5, 0},
           {10, 10, 35, 32, 35, 35, 2, 2},
           {1, 1, 29, 28, 29, 29, 0, 0},
           {3, 1, 4, 4, 12, 4, 4, 0},
           {50, 100, 31, 28, 31, 62, 2, 17}};
  for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
    resize_window w = resize_and_crop(c[i].height, c[i].width, c[i].shorter, c[i].side);
    assert_true(w.height == c[i].to_height && w.width == c[i].to_width);
    assert_true(w.top == c[i].top && w.left == c[i].left);
    assert_true(w.rows == c[i].side && w.columns == c[i].side);
  }
}

static void assert_picture_bad(const char *name, const char *words) {
  picture p;
  err e = {0};
  assert_int_equal(picture_read(in_folder(name), 3, &p, &e), ST_USER);
  assert_int_equal(e.count, 1);
  assert_null(p.pixels);
  if (!strstr(e.text, words)) fail_msg("\"%s\" does not mention \"%s\"", e.text, words);
  assert_non_null(strstr(e.text, in_folder(name)));
}

static void test_bad(void **state) {
  (void)state;
  assert_picture_bad("absent", "cannot be read");
  put("empty", "", 0);
  assert_picture_bad("empty", "not a PNG, JPEG or BMP");
  put("text", "GIF89a and so on", 16);
  assert_picture_bad("text", "not a PNG, JPEG or BMP");
  static const char *const files[] = {"rgb_17x31.png", "colour.bmp",     "grey.bmp",
                                      "colour.jpg",    "colour_420.jpg", "cmyk.jpg"};
  for (int i = 0; i < 6; i++) {
    file_bytes b = read_reference(files[i]);
    put("cut", b.data, b.size * 4 / 5);
    assert_picture_bad("cut", "cut short");
    file_bytes_free(&b);
  }
  file_bytes b = read_reference("rgb_17x31.png");
  b.data[18] = 0x30; /* a width of 12319 */
  b.data[22] = 0x30;
  put("large", b.data, b.size);
  assert_picture_bad("large", "expected at most 16384 a side and 67108864 pixels");
  file_bytes_free(&b);
}

/* The bytes of a JPEG reference file with its mark FF `mark` at *at. */
static file_bytes jpeg_with(const char *name, unsigned char mark, size_t *at) {
  file_bytes b = read_reference(name);
  for (*at = 2; b.data[*at] != 0xFF || b.data[*at + 1] != mark; ++*at) assert_true(*at + 2 < b.size);
  return b;
}

/* What the decoder only warns of is an error where pixels are lost, and none where they are not. */
static void test_damaged_jpeg(void **state) {
  (void)state;
  size_t at;
  file_bytes b = jpeg_with("colour.jpg", 0xC4, &at); /* code tables */
  memset(b.data + at + 5, 255, 2);                   /* 510 codes, of one bit and of two */
  put("codes", b.data, b.size);
  assert_picture_bad("codes", "Huffman table");
  file_bytes_free(&b);
  b = jpeg_with("colour.jpg", 0xDA, &at); /* the scan */
  memset(b.data + at + 40, 0, 100);
  put("scan", b.data, b.size);
  assert_picture_bad("scan", "Corrupt JPEG data");
  file_bytes_free(&b);
  b = jpeg_with("colour.jpg", 0xC0, &at); /* the frame: precision, height, width */
  unsigned char *more = mem_new(b.size + 3, 1);
  memcpy(more, b.data, at);
  memcpy(more + at + 3, b.data + at, b.size - at);
  put("extra", more, b.size + 3); /* three stray bytes before it */
  b.data[at + 4] = 12;
  put("deep", b.data, b.size);
  assert_picture_bad("deep", "precision 12");
  picture p, same;
  err e = {0};
  assert_int_equal(picture_read(in_folder("extra"), 0, &p, &e), ST_OK);
  assert_int_equal(picture_read(REFERENCE "colour.jpg", 0, &same, &e), ST_OK);
  assert_memory_equal(p.pixels, same.pixels, (size_t)(p.height * p.width * 3));
  picture_free(&p);
  picture_free(&same);
  mem_free(more);
  file_bytes_free(&b);
}

static void test_probe(void **state) {
  (void)state;
  static const struct {
    const char *file;
    int height, width, channels;
  } known[] = {{REFERENCE "grey_alpha.png", 19, 26, 1}, {REFERENCE "alpha.png", 19, 26, 3},
               {REFERENCE "palette.png", 19, 26, 3},    {REFERENCE "grey.jpg", 19, 26, 1},
               {REFERENCE "cmyk.jpg", 19, 26, 3},       {REFERENCE "rgb_1x7.png", 1, 7, 3}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    picture p;
    err e = {0};
    assert_int_equal(picture_probe(known[i].file, &p, &e), ST_OK);
    assert_true(p.height == known[i].height && p.width == known[i].width && p.channels == known[i].channels);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_like_pillow),
      cmocka_unit_test(test_window),
      cmocka_unit_test(test_resize_and_crop),
      cmocka_unit_test(test_probe),
      TEST_IN_FOLDER(test_bad),
      TEST_IN_FOLDER(test_damaged_jpeg),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
