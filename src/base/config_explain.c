/* What the keys mean, for people. */
#include "base/config_keys.h"

#include <string.h>

/* As in functions.def, whose every function must have one here: a missing formula does not compile. */
#define FORMULA_identity    "z"
#define FORMULA_tanh        "tanh z"
#define FORMULA_hardtanh    "clip(z)"
#define FORMULA_sigmoid     "1 / (1 + e^-z)"
#define FORMULA_erf         "2/sqrt(pi) * integral of e^-t^2 from 0 to z"
#define FORMULA_isru        "z / sqrt(1 + z^2)"
#define FORMULA_arctan      "2/pi atan z"
#define FORMULA_satursin    "sin(z limited to [-pi/2, pi/2])"
#define FORMULA_expsign     "sgn(z) (1 - e^-|z|)"
#define FORMULA_smoothsign  "z / (1 + |z|)"
#define FORMULA_relsign     "z / (sqrt(z^2 + 1) + 1)"
#define FORMULA_arcsinhclip "clip(asinh z)"
#define FORMULA_linearclip  "clip(z), another name of hardtanh"
#define FORMULA_exproot     "sgn(z) (1 - e^-sqrt|z|)"
#define FORMULA_logsignclip "clip(sgn(z) ln(|z| + 1))"
#define FORMULA_logquadclip "clip(sgn(z) ln(z^2 + 1))"
#define FORMULA_power23clip "clip(sgn(z) |z|^(2/3))"
#define FORMULA_saturlog    "sgn(z) l / (l + 1), l = ln(|z| + 1)"
#define FORMULA_cubsign     "z^3 / (|z|^3 + 1)"
#define FORMULA_gelu        "z Phi(z), Phi the normal distribution function"
#define FORMULA_gelu_tanh   "z/2 (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3)))"
#define FORMULA_relu        "max(z, 0)"
#define FORMULA_silu        "z / (1 + e^-z)"
#define FORMULA_selu        "1.0507 z, below 0: 1.0507 * 1.67326 (e^z - 1)"

static const struct formula {
  const char *name, *text;
} formulas[] = {
#define FN(name, group) {#name, FORMULA_##name},
#include "dyt/functions.def"
};

static const char *formula_of(const char *name) {
  for (size_t i = 0; i < sizeof formulas / sizeof formulas[0]; i++)
    if (strcmp(formulas[i].name, name) == 0) return formulas[i].text;
  return NULL;
}

/* Keys whose values are functions get a line a value. */
static void explain(const config_path *p, str *out) {
  const config_key *k = p->key;
  bool functions = k->choices && formula_of(k->choices[0]);
  str_addf(out, "%s\n    %s\n    default %s", p->text, k->help,
           p->site ? "what model.norm says" : k->fallback);
  str_add(out, functions ? "; one of, clip(v) being v limited to [-1, 1]:\n" : "; ");
  if (!functions) config_keys_expected(k, out);
  for (int i = 0; functions && k->choices[i]; i++)
    str_addf(out, "%s      %-12s %s", i ? "\n" : "", k->choices[i], formula_of(k->choices[i]));
  str_add(out, "\n");
}

static st no_such_key(const char *key, const config_path *path, int paths, err *e) {
  const char *word[CONFIG_PATHS_MAX + 16];
  static const char *const groups[] = {
      "model",        "model.norm", "model.norm.attn", "model.norm.ffn", "model.norm.final", "data",
      "data.augment", "optim",      "schedule",        "train",          "train.init_from"};
  int n = 0;
  for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) word[n++] = groups[i];
  for (int i = 0; i < paths; i++) word[n++] = path[i].text;
  const char *near = str_nearest(key, word, n);
  return err_add(e, ST_USER, "%s: no such key%s%s%s", key, near ? ", did you mean \"" : "", near ? near : "",
                 near ? "\"?" : "");
}

st config_explain(const char *key, str *out, err *e) {
  config_path path[CONFIG_PATHS_MAX];
  int paths = config_keys(path), found = 0, sites = 0;
  bool about_site = strncmp(key, "model.norm.", strlen("model.norm.")) == 0;
  for (int i = 0; i < paths; i++) {
    if (!config_keys_below(path[i].text, key)) continue;
    found++;
    if (path[i].site && !about_site)
      sites++; /* the same keys three times more: said once, below */
    else
      explain(&path[i], out);
    if (sites == CONFIG_SITES && path[i].site) {
      str_add(
          out,
          "model.norm.attn, model.norm.ffn, model.norm.final\n    any of these keys again, for the norm before attention, "
          "before the MLP, and the last one\n    default {}: what a site does not say, model.norm says\n");
    }
  }
  return found ? ST_OK : no_such_key(key, path, paths, e);
}
