#include "base/config_keys.h"

#include "dyt/mem.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- the table ---- */

static const char *const families[] = {
#define MODEL(name) #name,
#include "dyt/models.def"
    NULL};
static const char *const formats[] = {
#define FORMAT(name) #name,
#include "dyt/formats.def"
    NULL};
/* The functions of one group of functions.def. */
#define NORM_OF_NORM(name) #name,
#define NORM_OF_ACT(name)
#define ACT_OF_NORM(name)
#define ACT_OF_ACT(name) #name,
static const char *const norm_functions[] = {
#define FN(name, group) NORM_OF_##group(name)
#include "dyt/functions.def"
    NULL};
static const char *const activations[] = {
#define FN(name, group) ACT_OF_##group(name)
#include "dyt/functions.def"
    NULL};
static const char *const kinds[] = {"layernorm", "rmsnorm", "dyt", "none", NULL};
static const char *const alpha_shapes[] = {"scalar", "channel", NULL};
static const char *const pools[] = {"avg", "token", NULL};
static const char *const interpolations[] = {"bicubic", "bilinear", NULL};
static const char *const optimizers[] = {
#define OPTIMIZER(name) #name,
#include "dyt/optimizers.def"
    NULL};
static const char *const nonfinite[] = {"stop", NULL};

#define WHOLE_MAX                                                                                            \
  9007199254740991.0 /* 2^53 - 1: every whole number up to here is a double, and no other reads as it */

#define ANY              .min = -INFINITY, .max = INFINITY
#define FROM(a)          .min = (a), .max = INFINITY
#define FROM_TO(a, b)    .min = (a), .max = (b)
#define ABOVE(a)         .min = (a), .max = INFINITY, .open = CONFIG_ABOVE_MIN
#define ABOVE_TO(a, b)   .min = (a), .max = (b), .open = CONFIG_ABOVE_MIN
#define FROM_BELOW(a, b) .min = (a), .max = (b), .open = CONFIG_BELOW_MAX

#define FIELD(f) .path = #f, .at = offsetof(config, f)
#define SITE(f)  .path = "model.norm." #f, .at = offsetof(config, model.attn.f), .norm = true
#define COUNTED(group, name)                                                                                 \
  .path = #group "." #name, .at = offsetof(config, group.name), .count_at = offsetof(config, group.n_##name)

#define INT(f, d, range, h)       {FIELD(f), .type = CONFIG_INT, .fallback = d, range, .help = h},
#define INT64(f, d, range, h)     {FIELD(f), .type = CONFIG_INT64, .fallback = d, range, .help = h},
#define REAL(f, d, range, h)      {FIELD(f), .type = CONFIG_REAL, .fallback = d, range, .help = h},
#define BOOL(f, d, h)             {FIELD(f), .type = CONFIG_BOOL, .fallback = d, .help = h},
#define TEXT(f, d, h)             {FIELD(f), .type = CONFIG_TEXT, .fallback = d, .help = h},
#define CHOICE(f, d, list, h)     {FIELD(f), .type = CONFIG_CHOICE, .fallback = d, .choices = list, .help = h},
#define PAIR(f, d, range, h)      {FIELD(f), .type = CONFIG_PAIR, .fallback = d, range, .help = h},
#define RANDAUGMENT(f, d, h)      {FIELD(f), .type = CONFIG_RANDAUGMENT, .fallback = d, .help = h},
#define NORM_REAL(f, d, range, h) {SITE(f), .type = CONFIG_REAL, .fallback = d, range, .help = h},
#define NORM_BOOL(f, d, h)        {SITE(f), .type = CONFIG_BOOL, .fallback = d, .help = h},
#define NORM_CHOICE(f, d, list, h)                                                                           \
  {SITE(f), .type = CONFIG_CHOICE, .fallback = d, .choices = list, .help = h},
#define NUMBERS(g, f, d, range, h) {COUNTED(g, f), .type = CONFIG_NUMBERS, .fallback = d, range, .help = h},
#define NAMES(g, f, d, h)          {COUNTED(g, f), .type = CONFIG_NAMES, .fallback = d, .help = h},

static const config_key keys[] = {
#include "base/config_keys.def"
};
enum { KEYS = sizeof keys / sizeof keys[0] };

const config_site config_sites[CONFIG_SITES] = {
#define SITE_OFFSET(name)                                                                                    \
  { #name, offsetof(config, model.name) - offsetof(config, model.attn) }
    SITE_OFFSET(attn), SITE_OFFSET(ffn), SITE_OFFSET(final)};

/* ---- every path ---- */

static void add_path(config_path *p, const config_key *k, const config_site *site) {
  int n = site ? snprintf(p->text, sizeof p->text, "model.norm.%s%s", site->name, strrchr(k->path, '.'))
               : snprintf(p->text, sizeof p->text, "%s", k->path);
  REQUIRE(n < CONFIG_PATH_SIZE, "%s is too long", k->path);
  p->key = k;
  p->site = site;
}

int config_keys(config_path out[CONFIG_PATHS_MAX]) {
  int n = 0;
  for (int i = 0; i < KEYS; i++) {
    add_path(&out[n++], &keys[i], NULL);
    if (!keys[i].norm || (i + 1 < KEYS && keys[i + 1].norm)) continue;
    for (int s = 0; s < CONFIG_SITES; s++) /* after the last key of model.norm */
      for (int k = 0; k < KEYS; k++)
        if (keys[k].norm) add_path(&out[n++], &keys[k], &config_sites[s]);
  }
  return n;
}

bool config_keys_below(const char *path, const char *above) {
  size_t n = strlen(above);
  return n == 0 || (strncmp(path, above, n) == 0 && (path[n] == '.' || path[n] == '\0'));
}

/* ---- what each type takes ---- */

static bool in_range(const config_key *k, const cJSON *v) {
  double x = v->valuedouble;
  if (!cJSON_IsNumber(v) || !isfinite(x)) return false;
  return (k->open & CONFIG_ABOVE_MIN ? x > k->min : x >= k->min) &&
         (k->open & CONFIG_BELOW_MAX ? x < k->max : x <= k->max);
}

static bool fit_whole(const config_key *k, const cJSON *v) {
  return in_range(k, v) && v->valuedouble == floor(v->valuedouble);
}

static bool fit_bool(const config_key *k, const cJSON *v) { return (void)k, cJSON_IsBool(v); }

static bool fit_text(const config_key *k, const cJSON *v) { return (void)k, cJSON_IsString(v); }

static bool fit_choice(const config_key *k, const cJSON *v) {
  if (!cJSON_IsString(v)) return false;
  for (int i = 0; k->choices[i]; i++)
    if (strcmp(k->choices[i], v->valuestring) == 0) return true;
  return false;
}

static bool fit_list(const config_key *k, const cJSON *v, int least, int most) {
  int n = cJSON_GetArraySize(v);
  const cJSON *item;
  cJSON_ArrayForEach(item, v) if (!in_range(k, item)) return false;
  return cJSON_IsArray(v) && n >= least && n <= most;
}

static bool fit_pair(const config_key *k, const cJSON *v) { return fit_list(k, v, 2, 2); }

static bool fit_numbers(const config_key *k, const cJSON *v) {
  bool measured = cJSON_IsString(v) && strcmp(v->valuestring, "auto") == 0;
  return measured || in_range(k, v) || fit_list(k, v, 1, CONFIG_CHANNELS_MAX);
}

static bool fit_names(const config_key *k, const cJSON *v) {
  const cJSON *item;
  (void)k;
  cJSON_ArrayForEach(item, v) if (!cJSON_IsString(item)) return false;
  return cJSON_IsArray(v) && v->child;
}

static bool fit_randaugment(const config_key *k, const cJSON *v) {
  (void)k;
  return cJSON_IsString(v) && config_randaugment_read(v->valuestring, NULL);
}

/* ---- what each type is in the struct; `v` fits or is null ---- */

static void bind_int(const cJSON *v, void *at, int *count) {
  (void)count;
  *(int *)at = cJSON_IsNull(v) ? 0 : (int)v->valuedouble;
}

static void bind_int64(const cJSON *v, void *at, int *count) {
  (void)count;
  *(int64_t *)at = cJSON_IsNull(v) ? 0 : (int64_t)v->valuedouble;
}

static void bind_real(const cJSON *v, void *at, int *count) {
  (void)count;
  *(double *)at = cJSON_IsNull(v) ? (double)NAN : v->valuedouble;
}

static void bind_bool(const cJSON *v, void *at, int *count) {
  (void)count;
  *(bool *)at = cJSON_IsTrue(v);
}

static void bind_text(const cJSON *v, void *at, int *count) {
  (void)count;
  *(const char **)at = v->valuestring; /* NULL for null */
}

static void bind_numbers(const cJSON *v, void *at, int *count) {
  double *x = at;
  int n = 0;
  const cJSON *item;
  if (cJSON_IsNumber(v)) x[n++] = v->valuedouble;
  cJSON_ArrayForEach(item, v) x[n++] = item->valuedouble;
  if (count) *count = n;
}

static void bind_names(const cJSON *v, void *at, int *count) {
  int n = cJSON_GetArraySize(v), i = 0;
  mem_free(*(void **)at);
  const char **name = n ? mem_new((size_t)n, sizeof *name) : NULL;
  const cJSON *item;
  cJSON_ArrayForEach(item, v) name[i++] = item->valuestring;
  *(const char ***)at = name;
  *count = n;
}

static void bind_randaugment(const cJSON *v, void *at, int *count) {
  config_randaugment *out = at;
  (void)count;
  *out = (config_randaugment){0};
  if (cJSON_IsString(v)) config_randaugment_read(v->valuestring, out);
}

static const struct type {
  const char *noun;
  bool (*fit)(const config_key *k, const cJSON *v);
  void (*bind)(const cJSON *v, void *at, int *count);
} types[] = {
    [CONFIG_INT] = {"a whole number", fit_whole, bind_int},
    [CONFIG_INT64] = {"a whole number", fit_whole, bind_int64},
    [CONFIG_REAL] = {"a number", in_range, bind_real},
    [CONFIG_BOOL] = {"true or false", fit_bool, bind_bool},
    [CONFIG_TEXT] = {"a string", fit_text, bind_text},
    [CONFIG_CHOICE] = {"one of", fit_choice, bind_text},
    [CONFIG_PAIR] = {"a list of two numbers", fit_pair, bind_numbers},
    [CONFIG_NUMBERS] = {"\"auto\", a number or a list of numbers", fit_numbers, bind_numbers},
    [CONFIG_NAMES] = {"a list of strings", fit_names, bind_names},
    [CONFIG_RANDAUGMENT] =
        {"\"rand\" with any of -m0 to -m10, -n1 to -n100, -mstd0 to -mstd100, -inc0 or -inc1, each once",
         fit_randaugment, bind_randaugment},
};

bool config_keys_fit(const config_key *k, const cJSON *v) { return types[k->type].fit(k, v); }

void config_keys_bind(const config_key *k, const cJSON *v, size_t offset, config *c) {
  char *base = (char *)c;
  types[k->type].bind(v, base + k->at + offset, k->count_at ? (int *)(void *)(base + k->count_at) : NULL);
}

void config_keys_expected(const config_key *k, str *out) {
  bool number = k->type <= CONFIG_REAL || k->type == CONFIG_PAIR || k->type == CONFIG_NUMBERS;
  str_add(out, types[k->type].noun);
  for (int i = 0; k->choices && k->choices[i]; i++) str_addf(out, "%s \"%s\"", i ? "," : "", k->choices[i]);
  if (number && isfinite(k->min))
    str_addf(out, " %s %.16g", k->open & CONFIG_ABOVE_MIN ? "above" : "from", k->min);
  if (number && isfinite(k->max))
    str_addf(out, " %s%s %.16g", isfinite(k->min) ? "" : "up ",
             k->open & CONFIG_BELOW_MAX ? "to below" : "to", k->max);
  if (strcmp(k->fallback, "null") == 0) str_add(out, ", or null");
}
