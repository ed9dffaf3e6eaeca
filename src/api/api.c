#include "api.h"

#include "dyt/kernel.h"

#include <pthread.h>
#include <string.h>

_Static_assert(sizeof((dyt_error){0}.text) == sizeof((err){0}.text), "every sentence has a place");

static err init_error;
static void init(void) { k_init(NULL, &init_error); }

st api_init(err *e) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, init);
  return err_join(e, &init_error);
}

dyt_status api_end(const err *from, dyt_error *to) {
  if (to) {
    to->status = (dyt_status)from->code;
    memcpy(to->text, from->text, from->len);
    to->text[from->len] = '\0';
  }
  return (dyt_status)from->code;
}

const char *dyt_version(void) { return DYT_VERSION; }
