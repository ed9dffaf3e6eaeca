/* config_schema - the table of every config key. Not a public header. */
#ifndef DYT_BASE_CONFIG_SCHEMA_H
#define DYT_BASE_CONFIG_SCHEMA_H

#include "dyt/config.h"

#include <stddef.h>
#include <stdint.h>

typedef enum config_type {
  CONFIG_INT,     /* whole number -> int */
  CONFIG_INT64,   /* whole number -> int64_t */
  CONFIG_REAL,    /* number -> double */
  CONFIG_BOOL,    /* -> bool */
  CONFIG_TEXT,    /* string -> const char * */
  CONFIG_CHOICE,  /* one of `choices` -> const char * */
  CONFIG_PAIR,    /* list of two numbers -> double[2] */
  CONFIG_NUMBERS, /* a number or a list of up to 16 -> double[16], their count at count_at */
  CONFIG_NAMES,   /* list of strings -> const char **, their count at count_at */
  CONFIG_LATER    /* accepted with its default only: what it asks for is not in this version */
} config_type;

/* A key that is checked, and that nothing reads yet: its data formats are to come. */
#define CONFIG_NOWHERE SIZE_MAX

typedef struct config_key {
  const char *path; /* relative to its group for the keys of a norm site */
  config_type type;
  const char *fallback; /* the default as JSON; "null": none, then the field is 0, NULL or NAN */
  double min, max;
  bool above_min;             /* min itself is not allowed */
  const char *const *choices; /* NULL-terminated */
  const char *help;
  size_t at, count_at; /* offsets into config, or into config_norm for the keys of a norm site */
} config_key;

extern const config_key config_keys[];
extern const int config_key_count;
extern const config_key config_norm_keys[]; /* of model.norm, and of each site below it */
extern const int config_norm_key_count;

typedef struct config_site {
  const char *path; /* "model.norm.attn" */
  size_t at;        /* of the config_norm in config */
} config_site;
extern const config_site config_sites[3];

/* "a whole number from 1 to 65536", "one of \"a\", \"b\"": what a key takes, appended to `out`. */
void config_expected(const config_key *k, str *out);

#endif
