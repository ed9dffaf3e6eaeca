#include "data/resize.h"

#include "dyt/mem.h"

#include <math.h>
#include <stdint.h>

enum { PRECISION = 32 - 8 - 2 }; /* bits of a weight after the point: a sum of bytes stays within int32 */

static double triangle(double x) {
  x = fabs(x);
  return x < 1 ? 1 - x : 0;
}

/* Keys (1981) with a = -1/2. */
static double cubic(double x) {
  const double a = -0.5;
  x = fabs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

static const struct {
  double (*at)(double x);
  double support;
} filters[] = {[RESIZE_BILINEAR] = {triangle, 1}, [RESIZE_BICUBIC] = {cubic, 2}};

/* What one output along an axis is made of: `count` inputs from `first`. */
typedef struct span {
  int first, count;
  const int32_t *weight;
} span;

typedef struct axis {
  int outputs;
  span *span;      /* [outputs] */
  int32_t *weight; /* of all spans */
} axis;

/* The weights of one output, whose centre is at `centre` among `inputs`; w: room for them before rounding. */
static span make_span(double centre, double scale, int inputs, resize_filter filter, double *w,
                      int32_t *weight) {
  double support = filters[filter].support * scale, sum = 0;
  int first = (int)(centre - support + 0.5), end = (int)(centre + support + 0.5);
  if (first < 0) first = 0;
  if (end > inputs) end = inputs;
  for (int i = first; i < end; i++)
    sum += w[i - first] = filters[filter].at((i - centre + 0.5) * (1 / scale));
  for (int i = 0; i < end - first; i++) {
    double share = sum != 0 ? w[i] / sum : w[i];
    weight[i] = (int32_t)(share * (1 << PRECISION) + (share < 0 ? -0.5 : 0.5));
  }
  return (span){first, end - first, weight};
}

/* Outputs first..first+outputs-1 of `whole` that `inputs` become. */
static axis make_axis(int inputs, int whole, int first, int outputs, resize_filter filter) {
  double step = (double)inputs / whole, scale = step < 1 ? 1 : step;
  size_t room = 2 * (size_t)ceil(filters[filter].support * scale) + 1;
  axis a = {.outputs = outputs};
  a.span = mem_new((size_t)outputs, sizeof *a.span);
  a.weight = mem_new((size_t)outputs * room, sizeof *a.weight);
  double *w = mem_new(room, sizeof *w);
  for (int i = 0; i < outputs; i++)
    a.span[i] = make_span((first + i + 0.5) * step, scale, inputs, filter, w, a.weight + (size_t)i * room);
  mem_free(w);
  return a;
}

static void free_axis(axis *a) {
  mem_free(a->span);
  mem_free(a->weight);
}

/* One number: inputs `stride` bytes apart. */
static unsigned char weigh(const unsigned char *in, size_t stride, const span *s) {
  int32_t sum = 1 << (PRECISION - 1);
  in += (size_t)s->first * stride;
  for (int i = 0; i < s->count; i++, in += stride) sum += *in * s->weight[i];
  int v = sum >> PRECISION;
  return (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static picture resize_columns(const picture *in, const axis *a) {
  picture out = {in->height, a->outputs, in->channels, NULL};
  size_t C = (size_t)in->channels, row = (size_t)in->width * C;
  unsigned char *to = out.pixels = mem_new((size_t)out.height * (size_t)out.width * C, 1);
  for (int y = 0; y < out.height; y++)
    for (int x = 0; x < out.width; x++)
      for (size_t c = 0; c < C; c++) *to++ = weigh(in->pixels + (size_t)y * row + c, C, &a->span[x]);
  return out;
}

static picture resize_rows(const picture *in, const axis *a) {
  picture out = {a->outputs, in->width, in->channels, NULL};
  size_t row = (size_t)in->width * (size_t)in->channels;
  unsigned char *to = out.pixels = mem_new((size_t)out.height * row, 1);
  for (int y = 0; y < out.height; y++)
    for (size_t j = 0; j < row; j++) *to++ = weigh(in->pixels + j, row, &a->span[y]);
  return out;
}

/* An axis that keeps its size: each output is its input. make_span gives the same: the filters are 1 at 0 and 0 at
 * every other whole number. */
picture resize_picture(const picture *in, const resize_window *w, resize_filter filter) {
  axis across = make_axis(in->width, w->width, w->left, w->columns, filter);
  axis down = make_axis(in->height, w->height, w->top, w->rows, filter);
  picture narrow = resize_columns(in, &across), out = resize_rows(&narrow, &down);
  picture_free(&narrow);
  free_axis(&across);
  free_axis(&down);
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
