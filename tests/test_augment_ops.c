/* Single operations on pictures (data/augment_ops.h) and the arguments that RandAugment gives them, against Pillow and timm
 * (scripts/write_augment_reference.py). */
#include "data/augment_ops.h"
#include "data/randaugment.h"
#include "data_support.h"

#include <math.h>

#define REFERENCE "tests/reference/augment/"

static const struct named {
  const char *name;
  augment_op *apply;
  int apart; /* grey levels from Pillow's */
} ops[] = {
    {"autocontrast", augment_autocontrast, 0},
    {"equalize", augment_equalize, 0},
    {"invert", augment_invert, 0},
    {"posterize", augment_posterize, 0},
    {"solarize", augment_solarize, 0},
    {"solarize_add", augment_solarize_add, 0},
    {"brightness", augment_brightness, 0},
    {"contrast", augment_contrast, 0},
    {"saturation", augment_saturation, 0},
    {"sharpness", augment_sharpness, 0},
    {"rotate", augment_rotate, 1},
    {"shear_x", augment_shear_x, 1},
    {"shear_y", augment_shear_y, 1},
    {"translate_x", augment_translate_x, 1},
    {"translate_y", augment_translate_y, 1},
};
enum { OPS = sizeof ops / sizeof ops[0], PICTURES = 10 };

static file_bytes read_reference(const char *name) {
  char path[128];
  file_bytes b;
  err e = {0};
  snprintf(path, sizeof path, REFERENCE "%s", name);
  if (file_read(path, 1 << 24, &b, &e)) fail_msg("%s", e.text);
  return b;
}

typedef struct sources {
  file_bytes bytes;
  augment_size size[PICTURES];
  const unsigned char *at[PICTURES];
} sources;

static void read_sources(sources *s) {
  file_bytes sizes = read_reference("pictures.txt");
  s->bytes = read_reference("pictures.bin");
  size_t at = 0;
  char *line = (char *)sizes.data;
  for (int k = 0; k < PICTURES; k++, at += augment_bytes(s->size[k - 1])) {
    augment_size *z = &s->size[k];
    z->height = (int)strtol(line, &line, 10);
    z->width = (int)strtol(line, &line, 10);
    z->channels = (int)strtol(line, &line, 10);
    s->at[k] = s->bytes.data + at;
  }
  assert_int_equal(at, s->bytes.size);
  file_bytes_free(&sizes);
}

static void test_like_pillow(void **state) {
  (void)state;
  static const unsigned char fill[] = {124, 116, 104};
  sources s;
  file_bytes cases = read_reference("cases.txt"), want = read_reference("cases.bin");
  const unsigned char *expected = want.data;
  char name[32];
  int k, bicubic, used, seen = 0;
  long differ = 0, interpolated = 0;
  augment_arg a = {.fill = fill};
  read_sources(&s);
  for (const char *line = (char *)cases.data;
       sscanf(line, "%d %31s %lf %d\n%n", &k, name, &a.value, &bicubic, &used) == 4; line += used, seen++) {
    size_t n = augment_bytes(s.size[k]);
    int op = 0;
    while (op < OPS && strcmp(ops[op].name, name)) op++;
    assert_true(op < OPS);
    unsigned char *out = mem_new(n, 1);
    a.cubic = bicubic;
    if (!ops[op].apply(s.size[k], s.at[k], out, &a)) memcpy(out, s.at[k], n);
    for (size_t i = 0; i < n; i++) {
      if (abs(out[i] - expected[i]) > ops[op].apart)
        fail_msg("picture %d, %s %g%s: byte %zu is %d, expected %d", k, name, a.value,
                 bicubic ? ", bicubic" : "", i, out[i], expected[i]);
      differ += out[i] != expected[i], interpolated += ops[op].apart;
    }
    expected += n;
    mem_free(out);
  }
  print_message("%d cases; of %ld interpolated bytes %ld are one level apart\n", seen, interpolated, differ);
  assert_true(seen == 580 && differ < interpolated / 500);
  assert_true(expected == want.data + want.size);
  file_bytes_free(&cases);
  file_bytes_free(&want);
  file_bytes_free(&s.bytes);
}

static void test_levels_like_timm(void **state) {
  (void)state;
  file_bytes cases = read_reference("levels.txt");
  char name[32];
  int increasing, sign, side, used, seen = 0;
  double m, value;
  for (const char *line = (char *)cases.data;
       sscanf(line, "%31s %d %lf %d %d %lf\n%n", name, &increasing, &m, &sign, &side, &value, &used) == 6;
       line += used, seen++) {
    int op = seen / 12 % RANDAUGMENT_OPS; /* timm's order too */
    assert_string_equal(randaugment_name(op), name);
    double got = randaugment_value(op, increasing, m, sign, (augment_size){side, side, 3});
    if (fabs(got - value) > 1e-12)
      fail_msg("%s %d at %g: %.17g, expected %.17g", name, increasing, m, got, value);
  }
  assert_int_equal(seen, 360);
  file_bytes_free(&cases);
}

/* Pictures of other than one or three channels: nothing beyond the picture is read or written (under the sanitizer), grey is the
 * channels' mean, and a fill has them all. */
static void test_other_channels(void **state) {
  (void)state;
  enum { SIDE = 6 };
  static const unsigned char fill[CONFIG_CHANNELS_MAX] = {1, 2,  3,  4,  5,  6,  7,  8,
                                                          9, 10, 11, 12, 13, 14, 15, 16};
  for (int C = 1; C <= CONFIG_CHANNELS_MAX; C++) {
    augment_size s = {SIDE, SIDE, C};
    size_t n = augment_bytes(s);
    unsigned char *in = mem_new(n, 1), *out = mem_new(n, 1);
    memset(in, 200, n);
    for (int op = 0; op < OPS; op++)
      ops[op].apply(s, in, out, &(augment_arg){.value = 1, .fill = fill, .cubic = C % 2});
    augment_contrast(s, in, out, &(augment_arg){.value = 0.1});
    for (size_t i = 0; i < n; i++) assert_int_equal(out[i], 200);
    augment_translate_x(s, in, out, &(augment_arg){.value = 2, .fill = fill});
    for (size_t i = 0; i < n; i++)
      assert_int_equal(out[i], (int)i / C % SIDE < SIDE - 2 ? 200 : fill[i % (size_t)C]);
    mem_free(in);
    mem_free(out);
  }
}

/* ---- speed ---- */

static double microseconds(const struct named *op, augment_size s, const unsigned char *in,
                           unsigned char *out, bool bicubic) {
  static const unsigned char fill[] = {124, 116, 104};
  const char *name = op->name;
  double value = strcmp(name, "rotate") == 0 ? 27
                 : strstr(name, "shear")     ? 0.27
                 : strstr(name, "translate") ? 4.05
                                             : 1.4;
  int times = s.width < 100 ? 400 : 10;
  double best = 1e9;
  for (int round = 0; round < 5; round++) {
    double begin = seconds();
    for (int i = 0; i < times; i++)
      op->apply(s, in, out, &(augment_arg){.value = value, .fill = fill, .cubic = bicubic});
    double took = (seconds() - begin) * 1e6 / times;
    best = took < best ? took : best;
  }
  return best;
}

static void test_speed(void **state) {
  (void)state;
  static const int sides[] = {32, 224};
  for (int k = 0; k < 2; k++) {
    augment_size s = {sides[k], sides[k], 3};
    size_t n = augment_bytes(s);
    unsigned char *in = mem_new(n, 1), *out = mem_new(n, 1);
    for (size_t i = 0; i < n; i++) in[i] = byte_of((int)(i / 100), (int)i);
    for (int op = 0; op < OPS; op++) {
      print_message("%d x %d x 3, %s: %.1f us", sides[k], sides[k], ops[op].name,
                    microseconds(&ops[op], s, in, out, false));
      if (ops[op].apart) print_message(", bicubic %.1f us", microseconds(&ops[op], s, in, out, true));
      print_message("\n");
    }
    mem_free(in);
    mem_free(out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_like_pillow),
      cmocka_unit_test(test_levels_like_timm),
      cmocka_unit_test(test_other_channels),
      cmocka_unit_test(test_speed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
