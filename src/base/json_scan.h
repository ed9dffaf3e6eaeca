/* json_scan - the pass over the bytes of a JSON text that finds every error cJSON would let through; not for
 * others. */
#ifndef DYT_BASE_JSON_SCAN_H
#define DYT_BASE_JSON_SCAN_H

#include "dyt/json.h"

/* Checks text[size], overwrites its comments with spaces, and writes the line and column of each value to
 * place [JSON_VALUES_MAX], a value before those in it. Returns how many, or -1 after a sentence that begins
 * with `name`. */
int json_scan(const char *name, char *text, size_t size, json_place *place, err *e);

#endif
