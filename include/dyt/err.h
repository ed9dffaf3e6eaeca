/* err - how a function says that it could not do its work.
 *
 * Three kinds of error, never mixed:
 *   ours (a shape that cannot be)      REQUIRE(condition, "sentence", ...): prints, ends the process (exit 1)
 *   the user's (a typo, a broken file) a status and an `err` that says what, where, found, expected: exit 2
 *   the numbers (NaN, divergence)      ST_NUMBERS: exit 3
 *
 * Functions that can fail return an `st` and take an `err *` as their last argument (not NULL, but for file.h
 * and err_add). They add one sentence for each thing that is wrong (a config reader lists every
 * error, not only the first) and undo what they had begun.
 *
 *   err e = {0};
 *   if (json_read(path, &doc, &e)) return e.code;         // the caller's caller prints err_text(&e)
 */
#ifndef DYT_ERR_H
#define DYT_ERR_H

#include <stddef.h>

/* Also the exit codes of the program. */
typedef enum st { ST_OK = 0, ST_INTERNAL = 1, ST_USER = 2, ST_NUMBERS = 3 } st;

/* Zero-initialise; owns nothing. Sentences beyond the buffer are counted and not kept. */
typedef struct err {
  st code;   /* of the first sentence added */
  int count; /* sentences added */
  size_t len;
  char text[8192]; /* sentences, one a line, no newline at the end */
} err;

/* Adds a sentence (no newline, no full stop needed) and returns `code`. `e` may be NULL: the sentence is
 * dropped. */
st err_add(err *e, st code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Adds the sentences of `from` to `to` and returns from->code. */
st err_join(err *to, const err *from);

/* Ends the process with exit code 1 after printing the sentence; never returns. Use through REQUIRE. */
void err_die(const char *file, int line, const char *condition, const char *format, ...)
    __attribute__((noreturn, format(printf, 4, 5)));

#define REQUIRE(condition, ...)                                                                              \
  do {                                                                                                       \
    if (!(condition)) err_die(__FILE__, __LINE__, #condition, __VA_ARGS__);                                  \
  } while (0)

#endif
