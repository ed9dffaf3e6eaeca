/* json - strict JSON documents that know where each value came from: config and study files.
 *
 * Strict is RFC 8259 and `//` comments: UTF-8, no trailing comma or text, no duplicate key, no number that a
 * double cannot hold; at most JSON_DEPTH_MAX levels, JSON_VALUES_MAX values, JSON_SIZE_MAX bytes. cJSON lets
 * most of that through and gives no positions, so a scan of the bytes comes first; cJSON then builds the
 * tree.
 *
 *   json_doc d;
 *   if (json_read_merged("x.json", &d, e)) return e->code;                // every sentence begins
 * "x.json:12:5: " const cJSON *lr = json_at(&d, "optim.lr"); if (!cJSON_IsNumber(lr)) json_fail(&d, lr, e,
 * "optim.lr: expected a number"); json_free(&d);
 *
 * Use cJSON's functions with "CaseSensitive" in their names. `valueint` of every node is taken: it is the
 * index of the node's place (cJSON's own use of it saturates at 2^31); numbers are in `valuedouble`. */
#ifndef DYT_JSON_H
#define DYT_JSON_H

#include "dyt/err.h"
#include "dyt/str.h"

#include <cJSON.h>

enum { JSON_DEPTH_MAX = 64, JSON_VALUES_MAX = 1 << 16, JSON_SIZE_MAX = 16 << 20, JSON_FILES_MAX = 64 };

/* Where a value stands: that of a key where there is one, else its own. */
typedef struct json_place {
  int source;       /* index into json_doc.source */
  int line, column; /* from 1, columns in characters; 0: the source as a whole */
} json_place;

typedef struct json_doc {
  cJSON *root;
  char **source; /* [sources] file names, "--set 1 (optim.lr=1)", ... */
  int sources;
  json_place *place; /* [places] */
  int places;
} json_doc;

/* One file as it stands. ST_USER with file:line:column. */
st json_read(const char *path, json_doc *out, err *e);
/* The same from memory; `name` stands for the file in errors. */
st json_parse(const char *name, const char *text, size_t size, json_doc *out, err *e);
void json_free(json_doc *d);

/* A file with all that its `_base_` names (a path or a list of them, relative to the file) merged under it,
 * left to right. Objects merge, everything else replaces, `"_delete_": true` in an object drops what was
 * inherited there. The result is an object that holds no `_base_` and no `_delete_`; `_about`, a string that
 * may stand in any object, stays. */
st json_read_merged(const char *path, json_doc *out, err *e);

/* Merges "key.path=VALUE" over the document: VALUE is JSON if it parses as such, else a string. `name` stands
 * for the assignment in errors and origins. */
st json_set(json_doc *d, const char *assignment, const char *name, err *e);

/* The value at a path of keys and list indices joined by dots ("" is the root), or NULL. */
cJSON *json_at(const json_doc *d, const char *path);

/* Appends where a value came from: "x.json:12:5". */
void json_origin(const json_doc *d, const cJSON *value, str *out);
/* Adds the sentence "ORIGIN: ..." to `e` and returns ST_USER. */
st json_fail(const json_doc *d, const cJSON *value, err *e, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A new source as a whole, for values that are put in later; returns its place. */
int json_add_place(json_doc *d, const char *name);
/* Gives a value and all below it that place; returns the value. */
cJSON *json_put_place(cJSON *value, int place);

/* Appends a key to a path, with a dot between. A key from outside may hold anything: it is escaped and
 * shortened. */
void json_add_key(str *path, const char *key);
/* Appends a value as JSON that reads back to the same value: on one line if `indent` < 0, else its objects a
 * key a line. */
void json_add_value(str *out, const cJSON *value, int indent);

#endif
