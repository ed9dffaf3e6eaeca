#include "data/augment_ops.h"

#include <math.h>
#include <string.h>

/* As Pillow: the result's pixel (x, y) lies at u = a (x + 1/2) + b (y + 1/2) + c, v likewise, of the source; outside of the
 * source it is the fill, inside it is interpolated between the pixels' centres, those beyond the border being the border's, and
 * cut off to a byte. */

static int clamp(int v, int high) { return v < 0 ? 0 : v > high ? high : v; }

static float linear(float a, float b, float d) { return a + (b - a) * d; }

/* Between b (d 0) and c (d 1). In this form pixels that are equal give exactly themselves. */
static float cubic(float a, float b, float c, float d, float t) {
  float p2 = -a + c, p3 = 2 * (a - b) + c - d, p4 = -a + b - c + d;
  return b + t * (p2 + t * (p3 + t * p4));
}

static unsigned char to_byte(float v) {
  v = v < 0 ? 0 : v;
  v = v > 255 ? 255 : v;
  return (unsigned char)(int)v;
}

/* --- along one axis --- */

/* A row of `n` pixels of `unit` bytes, `stride` bytes from one to the next; a "pixel" may be a whole row of a picture. */
typedef struct line {
  int n;
  size_t unit, stride;
} line;

static void blend_linear(size_t n, const unsigned char *const p[4], float t, unsigned char *out) {
  const unsigned char *a = p[1], *b = p[2];
  for (size_t i = 0; i < n; i++) out[i] = to_byte(linear(a[i], b[i], t));
}

static void blend_cubic(size_t n, const unsigned char *const p[4], float t, unsigned char *out) {
  const unsigned char *a = p[0], *b = p[1], *c = p[2], *d = p[3];
  for (size_t i = 0; i < n; i++) out[i] = to_byte(cubic(a[i], b[i], c[i], d[i], t));
}

static void put_fill(size_t n, const augment_arg *a, size_t channels, unsigned char *out) {
  for (size_t i = 0; i < n; i += channels) memcpy(out + i, a->fill, channels);
}

/* Pixel x of the result from x + shift of the source: every pixel has the same share between two neighbours. */
static void shift_line(const line *l, double shift, size_t channels, const unsigned char *in,
                       unsigned char *out, const augment_arg *a) {
  int whole = (int)floor(shift),
      last = l->n - 2 - whole; /* `last`: the first with a border pixel at its end */
  float t = (float)(shift - floor(shift));
  for (int x = 0, run; x < l->n; x += run) {
    double u = x + 0.5 + shift;
    const unsigned char *p[4];
    bool inside = x + whole >= 1 && x + whole + 2 < l->n;
    for (int k = 0; k < 4; k++) p[k] = in + (size_t)clamp(x + whole - 1 + k, l->n - 1) * l->stride;
    run = inside && l->unit == l->stride ? (last < l->n ? last : l->n) - x : 1;
    unsigned char *to = out + (size_t)x * l->stride;
    if (u < 0 || u >= l->n)
      put_fill(l->unit, a, channels, to);
    else
      (a->cubic ? blend_cubic : blend_linear)((size_t)run * l->unit, p, t, to);
  }
}

/* Row y of the result from slope (y + 1/2) + offset pixels further right. */
static bool shift_rows(augment_size s, const unsigned char *in, unsigned char *out, double slope,
                       double offset, const augment_arg *a) {
  size_t C = (size_t)s.channels, row = (size_t)s.width * C;
  line l = {s.width, C, C};
  for (int y = 0; y < s.height; y++)
    shift_line(&l, slope * (y + 0.5) + offset, C, in + (size_t)y * row, out + (size_t)y * row, a);
  return true;
}

bool augment_shear_x(augment_size s, const unsigned char *in, unsigned char *out, const augment_arg *a) {
  return shift_rows(s, in, out, a->value, 0, a);
}

bool augment_translate_x(augment_size s, const unsigned char *in, unsigned char *out, const augment_arg *a) {
  return shift_rows(s, in, out, 0, a->value, a);
}

bool augment_shear_y(augment_size s, const unsigned char *in, unsigned char *out, const augment_arg *a) {
  size_t C = (size_t)s.channels, row = (size_t)s.width * C;
  line l = {s.height, C, row};
  for (int x = 0; x < s.width; x++)
    shift_line(&l, a->value * (x + 0.5), C, in + (size_t)x * C, out + (size_t)x * C, a);
  return true;
}

/* Whole rows are the pixels of one column. */
bool augment_translate_y(augment_size s, const unsigned char *in, unsigned char *out, const augment_arg *a) {
  size_t C = (size_t)s.channels, row = (size_t)s.width * C;
  line l = {s.height, row, row};
  shift_line(&l, a->value, C, in, out, a);
  return true;
}

/* --- along both --- */

/* Where a pixel of the source lies, as four rows and four columns around it, and its shares between the middle two. */
typedef struct place {
  const unsigned char *row[4];
  size_t column[4];
  float tx, ty;
} place;

static float linear_at(const place *p, size_t c) {
  float top = linear(p->row[1][p->column[1] + c], p->row[1][p->column[2] + c], p->tx);
  float bottom = linear(p->row[2][p->column[1] + c], p->row[2][p->column[2] + c], p->tx);
  return linear(top, bottom, p->ty);
}

static float cubic_at(const place *p, size_t c) {
  float v[4];
  for (int k = 0; k < 4; k++) {
    const unsigned char *r = p->row[k] + c;
    v[k] = cubic(r[p->column[0]], r[p->column[1]], r[p->column[2]], r[p->column[3]], p->tx);
  }
  return cubic(v[0], v[1], v[2], v[3], p->ty);
}

static place place_of(augment_size s, const unsigned char *in, double u, double v) {
  size_t C = (size_t)s.channels, row = (size_t)s.width * C;
  int x = (int)(u + 0.5) - 1, y = (int)(v + 0.5) - 1; /* floor(u - 1/2): u is not negative */
  place p = {.tx = (float)(u - 0.5 - x), .ty = (float)(v - 0.5 - y)};
  for (int k = 0; k < 4; k++) {
    p.row[k] = in + (size_t)clamp(y - 1 + k, s.height - 1) * row;
    p.column[k] = (size_t)clamp(x - 1 + k, s.width - 1) * C;
  }
  return p;
}

/* The turn (u, v) = (cosine x + sine y + u0, cosine y - sine x + v0). */
typedef struct turn {
  double cosine, sine, u0, v0;
} turn;

/* `channels` is s.channels: a constant where the compiler can see it. */
static inline void rotate(augment_size s, size_t channels, const turn *t, const unsigned char *in,
                          unsigned char *out, const augment_arg *a) {
  for (int y = 0; y < s.height; y++)
    for (int x = 0; x < s.width; x++, out += channels) {
      double u = t->cosine * (x + 0.5) + t->sine * (y + 0.5) + t->u0;
      double v = -t->sine * (x + 0.5) + t->cosine * (y + 0.5) + t->v0;
      if (u < 0 || u >= s.width || v < 0 || v >= s.height) {
        memcpy(out, a->fill, channels);
        continue;
      }
      place p = place_of(s, in, u, v);
      for (size_t c = 0; c < channels; c++) out[c] = to_byte(a->cubic ? cubic_at(&p, c) : linear_at(&p, c));
    }
}

bool augment_rotate(augment_size s, const unsigned char *in, unsigned char *out, const augment_arg *a) {
  const double pi = 3.14159265358979323846;
  double angle = -a->value * pi / 180, w = s.width / 2.0, h = s.height / 2.0;
  turn t = {.cosine = cos(angle), .sine = sin(angle)};
  t.u0 = w - t.cosine * w - t.sine * h;
  t.v0 = h + t.sine * w - t.cosine * h;
  if (angle == 0) return false;
  if (s.channels == 3)
    rotate(s, 3, &t, in, out, a);
  else
    rotate(s, (size_t)s.channels, &t, in, out, a);
  return true;
}
