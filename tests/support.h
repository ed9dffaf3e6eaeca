/* support - what several tests need: random numbers, a probe operation, one-worker pools, temporary folders.
 * */
#ifndef DYT_TESTS_SUPPORT_H
#define DYT_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dyt/ops.h"
#include "dyt/tape.h"

/* x [n] uniform in (low, high), drawn from `stream`. */
void support_fill(const char *stream, int64_t n, double low, double high, real *x);

/* probe: y -> [1], the sum of w y with fixed random weights w in (0.5, 1.5) of random sign drawn from
 * `stream`. Never a plain sum: the
 * gradient of softmax under a plain sum is zero, and a check with it is blind. */
typedef struct op_probe_attr {
  uint64_t stream;
} op_probe_attr;
extern const op op_probe;

/* A folder below the system's temporary one, removed by support_end. */
char *support_folder(void);
void support_end(char *folder);

/* Writes a text file; returns its path, of the caller's own. */
char *support_write(const char *folder, const char *name, const char *text);

#endif
