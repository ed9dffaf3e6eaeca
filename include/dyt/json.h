/* json - strict JSON documents with positions: config and study files.
 *
 * Strict means RFC 8259 plus `//` comments: no trailing commas or text, no duplicate keys, at most 64 levels, at most 16 MiB. One scan of the
 * bytes checks all that (cJSON would not), blanks the comments and records where each value stands; cJSON then builds the tree.
 *
 *   json_doc d;
 *   if (json_read("x.json", &d, e)) return e->code;                  // every error has file:line:column
 *   const cJSON *v = cJSON_GetObjectItemCaseSensitive(d.root, "optim");
 *   json_origin(&d, "optim.lr", place);                              // "x.json:12:5"
 *   json_free(&d);
 */
#ifndef DYT_JSON_H
#define DYT_JSON_H

#include "dyt/err.h"

#include <cJSON.h>

enum { JSON_DEPTH_MAX = 64, JSON_SIZE_MAX = 16 << 20, JSON_ORIGIN_MAX = 512 };

/* Where a value came from. */
typedef struct json_place {
  char *path;   /* "optim.lr", "seeds.0" */
  char *origin; /* "configs/x.json:12:5", "--set" */
} json_place;

typedef struct json_doc {
  cJSON *root;
  json_place *place; /* [places] */
  int places;
} json_doc;

/* One file, as it stands. */
st json_read(const char *path, json_doc *out, err *e);
/* The same from memory; `name` stands for the file in messages. */
st json_parse(const char *name, const char *text, size_t size, json_doc *out, err *e);
void json_free(json_doc *d);

/* A file with what it names in `_base_` (a path or a list of paths, relative to the file) merged under it: objects merge, everything
 * else replaces, "_delete_": true in an object drops what was inherited. `_base_` and `_delete_` do not appear in the result. */
st json_read_merged(const char *path, json_doc *out, err *e);

/* Applies "key.path=VALUE": VALUE is JSON if it parses as such, otherwise a string. `origin` names the argument. */
st json_set(json_doc *d, const char *assignment, const char *origin, err *e);

/* The value at a dotted path, or NULL. */
cJSON *json_at(const json_doc *d, const char *path);
/* Where the value at a path, or the nearest one above it, came from; "" when unknown. */
const char *json_origin(const json_doc *d, const char *path);
/* Records the origin of a path (and forgets those below it). */
void json_note(json_doc *d, const char *path, const char *origin);

#endif
