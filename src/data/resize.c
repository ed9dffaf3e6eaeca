#include "data/resize.h"

#include "dyt/cubic.h"
#include "dyt/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { PRECISION = 32 - 8 - 2 }; /* bits of a weight after the point: a sum of bytes stays within int32 */

static double triangle(double x) {
  x = fabs(x);
  return x < 1 ? 1 - x : 0;
}

static const struct {
  double (*at)(double x);
  double support;
} filters[] = {[RESIZE_BILINEAR] = {triangle, 1}, [RESIZE_BICUBIC] = {cubic, 2}};

resize_filter resize_filter_named(const char *name) {
  return strcmp(name, "bilinear") == 0 ? RESIZE_BILINEAR : RESIZE_BICUBIC;
}

/* What one output along an axis is made of: `count` inputs from `first`. Weights are there for a whole number of GROUPs: 0
 * beyond. */
typedef struct span {
  int first, count;
  const int32_t *weight;
} span;

enum { GROUP = 4, STRIP = 32, LINE = 64, TALL = 100 };

static size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

/* Inputs of one output at most, a whole number of groups; step: inputs an output. */
static size_t taps_of(double step, double support) {
  return round_up(2 * (size_t)ceil(support * fmax(step, 1)) + 1, GROUP);
}

/* Sums of weights are 1 before they are rounded; w: room for them. */
static span make_span(double centre, double scale, int inputs, resize_filter filter, double *w,
                      int32_t *weight) {
  double support = filters[filter].support * scale, sum = 0;
  int first = (int)(centre - support + 0.5), end = (int)(centre + support + 0.5);
  if (first < 0) first = 0;
  if (end > inputs) end = inputs;
  int count = end - first;
  for (int i = 0; i < count; i++) sum += w[i] = filters[filter].at((first + i - centre + 0.5) * (1 / scale));
  for (int i = 0; i < count; i++) {
    double share = sum != 0 ? w[i] / sum : w[i];
    weight[i] = (int32_t)(share * (1 << PRECISION) + (share < 0 ? -0.5 : 0.5));
  }
  for (int i = count; i % GROUP; i++) weight[i] = 0;
  return (span){first, count, weight};
}

/* Where a call keeps what lies between `in` and `out`; resize_room bounds it. */
typedef struct workspace {
  double *w;                    /* of one span */
  span *across, *down;          /* [columns], [rows] */
  int32_t *across_w, *down_w;   /* their weights */
  unsigned char *turned, *made; /* STRIP rows of the input and the result, by columns */
  unsigned char *between;       /* what the first pass makes */
} workspace;

/* Lays it out from `base` (NULL: only to see how large it is) and returns its size. */
static size_t lay_out(workspace *s, unsigned char *base, int height, int width, int channels, int rows,
                      int columns) {
  const double widest = 2; /* of the supports */
  size_t C = (size_t)channels, across = taps_of((double)width / columns, widest),
         down = taps_of((double)height / rows, widest), at = 0;
#define PLACE(field, count)                                                                                  \
  s->field = (void *)(base ? base + at : NULL), at += round_up((count) * sizeof *s->field, LINE)
  PLACE(w, across > down ? across : down);
  PLACE(across, (size_t)columns);
  PLACE(down, (size_t)rows);
  PLACE(across_w, (size_t)columns * across);
  PLACE(down_w, (size_t)rows * down);
  PLACE(turned, (size_t)width * C * STRIP);
  PLACE(made, (size_t)columns * C * STRIP);
  size_t narrow = (size_t)height * (size_t)columns, low = (size_t)rows * (size_t)width;
  PLACE(between, (narrow > low ? narrow : low) * C);
#undef PLACE
  return at;
}

/* Outputs first .. first+outputs-1 of the `whole` that `inputs` become. */
static void make_axis(int inputs, int whole, int first, int outputs, resize_filter filter, double *w,
                      int32_t *weight, span *out) {
  double step = (double)inputs / whole, scale = fmax(step, 1);
  size_t taps = taps_of(step, filters[filter].support);
  for (int i = 0; i < outputs; i++)
    out[i] = make_span((first + i + 0.5) * step, scale, inputs, filter, w, weight + (size_t)i * taps);
}

static unsigned char byte_of(int32_t sum) {
  int v = sum >> PRECISION;
  return (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* out[j] = the sum of weight[i] in[i stride + j] for j < n: GROUP inputs at a time, in loops that compilers vectorize. */
static void weigh(const unsigned char *in, size_t stride, const span *s, size_t n,
                  unsigned char *restrict out) {
  enum { BLOCK = 128 };
  int32_t sum[BLOCK];
  for (size_t from = 0; from < n; from += BLOCK) {
    size_t m = n - from < BLOCK ? n - from : BLOCK;
    for (size_t j = 0; j < m; j++) sum[j] = 1 << (PRECISION - 1);
    for (int i = 0; i < s->count; i += GROUP) {
      const int32_t *w = s->weight + i;
      const unsigned char *x[GROUP];
      for (int k = 0; k < GROUP; k++) /* past the last input the weight is 0 */
        x[k] = in + (size_t)(i + k < s->count ? i + k : i) * stride + from;
      for (size_t j = 0; j < m; j++)
        sum[j] += w[0] * x[0][j] + w[1] * x[1][j] + w[2] * x[2][j] + w[3] * x[3][j];
    }
    for (size_t j = 0; j < m; j++) out[from + j] = byte_of(sum[j]);
  }
}

/* out [columns, rows] from in [rows, columns], whose rows are `stride` bytes apart; those of `out` `out_stride`. */
static void turn(const unsigned char *in, size_t stride, size_t rows, size_t columns, unsigned char *out,
                 size_t out_stride) {
  for (size_t j = 0; j < columns; j++)
    for (size_t i = 0; i < rows; i++) out[j * out_stride + i] = in[i * stride + j];
}

/* Rows first .. end-1 to their places in out [.., columns, channels]: a strip is turned, so that neighbours in memory have the
 * same weights. */
static void resize_columns(const resize_view *in, const workspace *s, int columns, int first, int end,
                           unsigned char *out) {
  size_t C = (size_t)in->channels, row = (size_t)columns * C;
  for (int y = first; y < end; y += STRIP) {
    size_t rows = (size_t)(end - y < STRIP ? end - y : STRIP);
    turn(in->pixels + (size_t)y * in->stride, in->stride, rows, (size_t)in->width * C, s->turned, rows);
    for (int x = 0; x < columns; x++)
      weigh(s->turned + (size_t)s->across[x].first * C * rows, C * rows, &s->across[x], C * rows,
            s->made + (size_t)x * C * rows);
    turn(s->made, rows, row, rows, out + (size_t)y * row, row);
  }
}

static void resize_rows(const resize_view *in, const workspace *s, int rows, unsigned char *out) {
  size_t row = (size_t)in->width * (size_t)in->channels;
  for (int y = 0; y < rows; y++)
    weigh(in->pixels + (size_t)s->down[y].first * in->stride, in->stride, &s->down[y], row,
          out + (size_t)y * row);
}

static resize_view view_of(const unsigned char *pixels, int height, int width, int channels) {
  return (resize_view){pixels, height, width, channels, (size_t)width * (size_t)channels};
}

static bool is_same(const resize_view *in, const resize_window *w) {
  return w->height == in->height && w->width == in->width && w->rows == in->height && w->columns == in->width;
}

void resize_into(const resize_view *in, const resize_window *w, resize_filter filter, void *work,
                 unsigned char *out) {
  size_t row = (size_t)w->columns * (size_t)in->channels;
  if (is_same(in, w)) {
    for (int y = 0; y < w->rows; y++) memcpy(out + (size_t)y * row, in->pixels + (size_t)y * in->stride, row);
    return;
  }
  workspace s;
  lay_out(&s, work, in->height, in->width, in->channels, w->rows, w->columns);
  make_axis(in->width, w->width, w->left, w->columns, filter, s.w, s.across_w, s.across);
  make_axis(in->height, w->height, w->top, w->rows, filter, s.w, s.down_w, s.down);
  if (in->height > TALL * in->width && w->height < in->height) {
    resize_view low = view_of(s.between, w->rows, in->width, in->channels);
    resize_rows(in, &s, w->rows, s.between);
    resize_columns(&low, &s, w->columns, 0, w->rows, out);
    return;
  }
  const span *last = &s.down[w->rows - 1];
  resize_view narrow = view_of(s.between, in->height, w->columns, in->channels);
  resize_columns(in, &s, w->columns, s.down[0].first, last->first + last->count, s.between);
  resize_rows(&narrow, &s, w->rows, out);
}

size_t resize_room(int height, int width, int channels, int rows, int columns) {
  workspace s;
  return lay_out(&s, NULL, height, width, channels, rows, columns);
}

resize_view resize_whole(const picture *p) { return view_of(p->pixels, p->height, p->width, p->channels); }

picture resize_picture(const picture *in, const resize_window *w, resize_filter filter) {
  picture out = {w->rows, w->columns, in->channels, NULL};
  resize_view view = resize_whole(in);
  void *work = mem_new(resize_room(in->height, in->width, in->channels, w->rows, w->columns), 1);
  out.pixels = mem_new((size_t)w->rows * (size_t)w->columns * (size_t)in->channels, 1);
  resize_into(&view, w, filter, work, out.pixels);
  mem_free(work);
  return out;
}

/* Python's round(n / 2): halves to even. */
static int half_to_even(int n) { return n / 2 + (n % 2 && n / 2 % 2); }

resize_window resize_and_crop(int height, int width, int shorter, int side) {
  int small = height < width ? height : width;
  resize_window w = {.height = (int)((int64_t)shorter * height / small),
                     .width = (int)((int64_t)shorter * width / small),
                     .rows = side,
                     .columns = side};
  w.top = half_to_even(w.height - side), w.left = half_to_even(w.width - side);
  return w;
}
