/* config_keys - the schema: a row for every config key. All that is said or checked about keys follows from
 * it; not for others.
 *
 *   config_path path[CONFIG_PATHS_MAX];
 *   for (int i = 0, n = config_keys(path); i < n; i++) printf("%s: %s\n", path[i].text, path[i].key->help);
 */
#ifndef DYT_BASE_CONFIG_KEYS_H
#define DYT_BASE_CONFIG_KEYS_H

#include "dyt/config.h"
#include "dyt/json.h"

#include <stddef.h>

typedef enum config_type {
  CONFIG_INT,    /* a whole number: int */
  CONFIG_INT64,  /* a whole number below 2^53: int64_t or uint64_t */
  CONFIG_REAL,   /* double */
  CONFIG_BOOL,   /* bool */
  CONFIG_TEXT,   /* const char * */
  CONFIG_CHOICE, /* a string of `choices`: const char * */
  CONFIG_PAIR,   /* a list of two numbers: double[2] */
  CONFIG_NUMBERS, /* a number or a list of up to CONFIG_CHANNELS_MAX: double[], the count at `count_at`; "auto": count 0 */
  CONFIG_NAMES,      /* a list of strings: const char **, the count at `count_at` */
  CONFIG_RANDAUGMENT /* a string that config_randaugment_read takes: config_randaugment */
} config_type;

/* Ends of a range that do not belong to it. */
enum { CONFIG_ABOVE_MIN = 1, CONFIG_BELOW_MAX = 2 };

typedef struct config_key {
  const char *path;
  config_type type;
  const char *fallback; /* the default as JSON; "null": none, then the field is 0, NULL or NAN, and a user may
                           say null */
  double min, max;      /* of a number, or of each of a list */
  int open;             /* CONFIG_ABOVE_MIN, CONFIG_BELOW_MAX */
  const char *const *choices; /* NULL-terminated */
  const char *help;
  size_t at, count_at; /* offsets of the value and its count in config */
  bool norm;           /* a key of model.norm and again of each norm site; `at` is that of the first site */
} config_key;

/* A norm site: "attn", and how far its config_norm lies beyond the first one. */
typedef struct config_site {
  const char *name;
  size_t offset;
} config_site;

enum { CONFIG_SITES = 3, CONFIG_PATHS_MAX = 128, CONFIG_PATH_SIZE = 48 };
extern const config_site config_sites[CONFIG_SITES];

/* A key where it may stand in a file. */
typedef struct config_path {
  char text[CONFIG_PATH_SIZE]; /* "model.norm.attn.kind" */
  const config_key *key;
  const config_site *site; /* NULL but for the keys of a norm site */
} config_path;

/* Every key in the order of the resolved config. Returns how many. */
int config_keys(config_path out[CONFIG_PATHS_MAX]);

/* Whether `path` is `above` or lies below it; everything lies below "". */
bool config_keys_below(const char *path, const char *above);

/* Whether a value (not null) may be given to the key. */
bool config_keys_fit(const config_key *k, const cJSON *v);

/* Writes a value that fits (or null) to its place; `offset` is the norm site's. Strings stay the value's. */
void config_keys_bind(const config_key *k, const cJSON *v, size_t offset, config *c);

/* Appends what the key takes: "a whole number from 1 to 65536, or null". */
void config_keys_expected(const config_key *k, str *out);

/* What a string of data.augment.randaugment says, such as "rand-m9-mstd0.5-inc1"; false if it is none. `out` may be NULL. */
bool config_randaugment_read(const char *text, config_randaugment *out);
/* The same strings as a regular expression, for the schema. */
extern const char config_randaugment_pattern[];

#endif
