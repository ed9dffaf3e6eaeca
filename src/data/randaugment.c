#include "data/randaugment.h"

#include "data/augment_ops.h"

#include <math.h>

/* The argument of an operation at magnitude m, 0 to 10; sign: -1 or 1; side: pixels. Whole numbers are cut off, not rounded. */
typedef double level(double m, int sign, int side);

static double none(double m, int sign, int side) { return (void)m, (void)sign, (void)side, 0; }

static double degrees(double m, int sign, int side) { return (void)side, sign * (m / 10 * 30); }
static double slope(double m, int sign, int side) { return (void)side, sign * (m / 10 * 0.3); }
static double pixels(double m, int sign, int side) { return sign * (m / 10 * 0.45) * side; }

static double factor(double m, int sign, int side) { return (void)sign, (void)side, m / 10 * 1.8 + 0.1; }
static double factor_away(double m, int sign, int side) {
  return (void)side, fmax(0.1, 1 + sign * (m / 10 * 0.9));
}

static double bits(double m, int sign, int side) { return (void)sign, (void)side, floor(m / 10 * 4); }
static double fewer_bits(double m, int sign, int side) { return 4 - bits(m, sign, side); }
static double threshold(double m, int sign, int side) {
  return (void)sign, (void)side, fmin(256, floor(m / 10 * 256));
}
static double lower_threshold(double m, int sign, int side) { return 256 - threshold(m, sign, side); }
static double addend(double m, int sign, int side) { return (void)sign, (void)side, floor(m / 10 * 110); }

/* timm's list, its order, its level functions: those of the plain set and of the increasing one. */
static const struct operation {
  const char *name;
  augment_op *apply;
  level *plain, *increasing;
  bool signed_plain, signed_increasing; /* a sign is drawn */
  bool geometric;
} operations[RANDAUGMENT_OPS] = {
    {"AutoContrast", augment_autocontrast, none, none, false, false, false},
    {"Equalize", augment_equalize, none, none, false, false, false},
    {"Invert", augment_invert, none, none, false, false, false},
    {"Rotate", augment_rotate, degrees, degrees, true, true, true},
    {"Posterize", augment_posterize, bits, fewer_bits, false, false, false},
    {"Solarize", augment_solarize, threshold, lower_threshold, false, false, false},
    {"SolarizeAdd", augment_solarize_add, addend, addend, false, false, false},
    {"Color", augment_saturation, factor, factor_away, false, true, false},
    {"Contrast", augment_contrast, factor, factor_away, false, true, false},
    {"Brightness", augment_brightness, factor, factor_away, false, true, false},
    {"Sharpness", augment_sharpness, factor, factor_away, false, true, false},
    {"ShearX", augment_shear_x, slope, slope, true, true, true},
    {"ShearY", augment_shear_y, slope, slope, true, true, true},
    {"TranslateXRel", augment_translate_x, pixels, pixels, true, true, true},
    {"TranslateYRel", augment_translate_y, pixels, pixels, true, true, true},
};

const char *randaugment_name(int op) { return operations[op].name; }

/* Pictures are square: the side is either of theirs. */
double randaugment_value(int op, bool increasing, double magnitude, int sign, augment_size s) {
  const struct operation *o = &operations[op];
  return (increasing ? o->increasing : o->plain)(magnitude, sign, s.width);
}

static void layer(const augment *g, augment_picture *p, rng *r) {
  const config_randaugment *c = &g->cfg.randaugment;
  int k = (int)rng_below(r, RANDAUGMENT_OPS), sign = 1;
  const struct operation *o = &operations[k];
  if (rng_uniform(r) >= 0.5) return;
  double m = c->magnitude;
  if (c->std > 0) m = fmin(fmax(m + c->std * rng_normal(r), 0), 10);
  if (c->increasing ? o->signed_increasing : o->signed_plain) sign = rng_uniform(r) < 0.5 ? 1 : -1;
  augment_arg a = {.value = randaugment_value(k, c->increasing, m, sign, g->size), .fill = g->fill};
  if (o->geometric) a.cubic = rng_uniform(r) >= 0.5;
  if (o->apply(p->size, p->now, augment_free(p), &a)) augment_moved(p);
}

void randaugment(const augment *g, augment_picture *p, rng *r) {
  for (int i = 0; i < g->cfg.randaugment.layers; i++) layer(g, p, r);
}
