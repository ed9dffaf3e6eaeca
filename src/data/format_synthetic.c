/* format "synthetic": pictures made on demand, so that everything can be tried without any data.
 *
 * Each class has a fixed smooth random pattern P, larger than the picture by a margin. A sample of class k is
 *
 *   pixel = 128 + (gain P_k[y + dy, x + dx] + other P_j[y + dy, x + dx] + NOISE u) / 256
 *
 * with its own shift (dy, dx), its own gain, another class j mixed in more weakly, and u uniform in -128 ..
 * 127 for every pixel. All arithmetic is in integers: the same bytes on every machine. A sample depends on
 * its part, number and class only, the patterns on their class and the size. */
#include "dyt/data_format.h"
#include "dyt/mem.h"
#include "dyt/rng.h"

#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

/* gain is GAIN_MIN .. GAIN_MIN + 127, other is 0 .. 127, of 256. The values make a nearest class mean right
 * for nearly all samples, while a small ViT needs some hundred steps. Whatever changes a byte changes
 * VERSION. */
enum {
  VERSION = 1,
  CELLS = 4,
  GAIN_MIN = 144,
  NOISE = 128,
  SIZE_DEFAULT = 28,
  CHANNELS_DEFAULT = 1,
  CLASSES_DEFAULT = 10
};

#define PIXEL_MEAN 0.5
#define PIXEL_STD  0.21

static const uint64_t fixed_seed = 20250313;

typedef struct synthetic_state {
  int classes, margin; /* a shift is 0 .. margin */
  size_t side;         /* of a pattern: picture and margin */
  arena pattern;       /* signed char [classes, side, side, channels] */
  uint64_t stream[DATA_PARTS];
} synthetic_state;

/* Value at x of `side` places that run over CELLS cells between CELLS+1 nodes, 256 to a cell: node and
 * weight. */
static void locate(size_t x, size_t side, size_t *node, int *weight) {
  size_t at = side > 1 ? x * CELLS * 256 / (side - 1) : 0;
  *node = at / 256 < CELLS ? at / 256 : CELLS - 1;
  *weight = (int)(at - *node * 256);
}

static int mix(int a, int b, int weight) { return (a * (256 - weight) + b * weight) / 256; }

/* Bilinear interpolation of a coarse grid of random values, for one class. */
static void draw_pattern(signed char *out, size_t side, size_t channels, uint64_t name, int class) {
  int grid[CONFIG_CHANNELS_MAX][CELLS + 1][CELLS + 1];
  rng r = rng_at_name(name, 0, (uint64_t) class);
  for (size_t c = 0; c < channels; c++)
    for (int i = 0; i < (CELLS + 1) * (CELLS + 1); i++)
      grid[c][i / (CELLS + 1)][i % (CELLS + 1)] = (int)rng_below(&r, 256) - 128;
  for (size_t y = 0; y < side; y++)
    for (size_t x = 0; x < side; x++)
      for (size_t c = 0; c < channels; c++) {
        size_t row, column;
        int down, right;
        locate(y, side, &row, &down);
        locate(x, side, &column, &right);
        int top = mix(grid[c][row][column], grid[c][row][column + 1], right);
        int bottom = mix(grid[c][row + 1][column], grid[c][row + 1][column + 1], right);
        *out++ = (signed char)mix(top, bottom, down);
      }
}

static st make_patterns(synthetic_state *t, size_t channels, err *e) {
  size_t one = t->side * t->side * channels;
  if (mem_map(&t->pattern, one * (size_t)t->classes, "the patterns of the synthetic data", e)) return e->code;
  uint64_t name = rng_name(fixed_seed, "pattern");
  for (int k = 0; k < t->classes; k++)
    draw_pattern((signed char *)t->pattern.base + (size_t)k * one, t->side, channels, name, k);
  return ST_OK;
}

/* As many of each class as can be, in random order. */
static st make_part(data_part *p, int64_t n, int classes, const char *key, err *e) {
  if (n < 1 || n > INT32_MAX)
    return err_add(e, ST_USER, "%s: %" PRId64 ", expected 1 to %" PRId32, key, n, INT32_MAX);
  p->n = n;
  p->label = mem_new((size_t)n, sizeof *p->label);
  p->where = mem_strdup(key);
  rng r = rng_at(fixed_seed, key, 0, 0);
  rng_permutation(&r, n, p->label);
  for (int64_t i = 0; i < n; i++) p->label[i] %= classes;
  return ST_OK;
}

static void hash_parameters(data_source *s, const synthetic_state *t) {
  const int64_t of[] = {VERSION, t->classes, s->part[DATA_TRAIN].n, s->part[DATA_TEST].n};
  s->pixel_hash = XXH64(of, sizeof of, fixed_seed);
}

static st open_synthetic(const config *c, data_source *s, err *e) {
  const config_model *m = &c->model;
  synthetic_state *t = s->state = mem_new(1, sizeof *t);
  if (m->image_size > DATA_SIDE_MAX)
    return err_add(e, ST_USER, "model.image_size: %d, expected at most %d", m->image_size, DATA_SIDE_MAX);
  s->height = s->width = m->image_size ? m->image_size : SIZE_DEFAULT;
  s->channels = m->channels ? m->channels : CHANNELS_DEFAULT;
  t->classes = m->classes ? m->classes : CLASSES_DEFAULT;
  t->margin = s->width / 8;
  t->side = (size_t)s->width + (size_t)t->margin;
  t->stream[DATA_TRAIN] = rng_name(fixed_seed, "train");
  t->stream[DATA_TEST] = rng_name(fixed_seed, "test");
  if (make_part(&s->part[DATA_TRAIN], c->data.train_size, t->classes, "data.train_size", e)) return e->code;
  if (make_part(&s->part[DATA_TEST], c->data.test_size, t->classes, "data.test_size", e)) return e->code;
  hash_parameters(s, t);
  st code = make_patterns(t, (size_t)s->channels, e);
  s->bytes = t->pattern.size;
  return code;
}

static int clamp_byte(int v) { return v < 0 ? 0 : v > 255 ? 255 : v; }

enum { PIECE = 64 };

/* Four bytes of noise from each random word, for n pixels, rounded up to whole words. */
static void draw_noise(size_t n, rng *r, unsigned char out[PIECE]) {
  for (size_t i = 0; i < n; i += 4) {
    uint32_t word = rng_u32(r);
    for (size_t j = 0; j < 4; j++) out[i + j] = (unsigned char)(word >> 8 * j);
  }
}

/* A row of a picture, in pieces whose noise is drawn first: what remains is arithmetic the compiler vectorizes. */
static void draw_row(const signed char *a, const signed char *b, int16_t gain, int16_t other, size_t n,
                     rng *r, unsigned char *restrict out) {
  unsigned char noise[PIECE];
  for (size_t i = 0; i < n; i += PIECE) {
    size_t m = n - i < PIECE ? n - i : PIECE;
    draw_noise(m, r, noise);
    for (size_t j = i; j < i + m; j++) {
      int16_t x = a[j], y = b[j]; /* products of 16 bits: SSE2 has them, and none of 32 */
      out[j] = (unsigned char)clamp_byte(128 + (gain * x + other * y + NOISE * (noise[j - i] - 128)) / 256);
    }
  }
}

static const unsigned char *pixels_synthetic(const data_source *s, int part, int64_t i,
                                             unsigned char *scratch) {
  const synthetic_state *t = s->state;
  size_t C = (size_t)s->channels, row = (size_t)s->width * C, one = t->side * t->side * C;
  rng r = rng_at_name(t->stream[part], 0, (uint64_t)i);
  size_t down = rng_below(&r, (uint32_t)t->margin + 1), right = rng_below(&r, (uint32_t)t->margin + 1);
  uint32_t gains = rng_u32(&r);
  size_t second = rng_below(&r, (uint32_t)t->classes), first = (size_t)s->part[part].label[i];
  const signed char *pattern = (const signed char *)t->pattern.base,
                    *from = pattern + (down * t->side + right) * C;
  for (int y = 0; y < s->height; y++, from += t->side * C)
    draw_row(from + first * one, from + second * one, (int16_t)(GAIN_MIN + (gains & 127)),
             (int16_t)(gains >> 25), row, &r, scratch + (size_t)y * row);
  return scratch;
}

static void close_synthetic(data_source *s) {
  synthetic_state *t = s->state;
  if (t) mem_unmap(&t->pattern);
  mem_free(t);
}

const data_format data_format_synthetic = {.name = "synthetic",
                                           .mean = PIXEL_MEAN,
                                           .std = PIXEL_STD,
                                           .open = open_synthetic,
                                           .pixels = pixels_synthetic,
                                           .close = close_synthetic};
