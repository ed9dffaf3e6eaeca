#include "base/config_keys.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAGNITUDE, LAYERS, STD, INCREASING, SECTIONS };

/* What may follow "rand", each once. timm reads m, n and inc as whole numbers. */
static const struct section {
  const char *name;
  double fallback, min, max;
  bool whole;
} sections[SECTIONS] = {
    [MAGNITUDE] = {"m", 10, 0, 10, true},
    [LAYERS] = {"n", 2, 1, 100, true},
    [STD] = {"mstd", 0, 0, 100, false},
    [INCREASING] = {"inc", 0, 0, 1, true},
};

const char config_randaugment_pattern[] =
    "^rand(-(m([0-9]|10)|n[1-9][0-9]?|n100|mstd[0-9]+(\\.[0-9]*)?|inc[01]))*$";

/* One section, "mstd0.5", of `n` characters. */
static bool read_section(const char *text, size_t n, double value[SECTIONS], bool given[SECTIONS]) {
  static const char digits[] = "0123456789";
  size_t name = strcspn(text, digits), number = strspn(text + name, "0123456789.");
  char *end;
  for (int k = 0; k < SECTIONS; k++) {
    const struct section *s = &sections[k];
    if (strlen(s->name) != name || strncmp(s->name, text, name) || given[k]) continue;
    given[k] = true;
    value[k] = strtod(text + name, &end);
    return number > 0 && name + number == n && end == text + n && value[k] >= s->min && value[k] <= s->max &&
           (!s->whole || value[k] == floor(value[k]));
  }
  return false;
}

bool config_randaugment_read(const char *text, config_randaugment *out) {
  double value[SECTIONS];
  bool given[SECTIONS] = {false};
  for (int k = 0; k < SECTIONS; k++) value[k] = sections[k].fallback;
  if (strncmp(text, "rand", 4)) return false;
  for (text += 4; *text;) {
    if (*text++ != '-') return false;
    size_t n = strcspn(text, "-");
    if (!read_section(text, n, value, given)) return false;
    text += n;
  }
  if (out)
    *out = (config_randaugment){.layers = (int)value[LAYERS],
                                .magnitude = value[MAGNITUDE],
                                .std = value[STD],
                                .increasing = value[INCREASING] != 0};
  return true;
}
