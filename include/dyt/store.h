/* store - a folder of runs that several studies, shells and hosts share.
 *
 * STORE/ID/ is the run directory while it trains and as long as it is kept, STORE/ID.json.gz its record once it is done or
 * has diverged, STORE/ID.lock says who trains it now, STORE/ID.out what that training printed, and STORE/ID.failed why it
 * could not. A lock is a file with host and process; its owner touches it every few seconds. It is void when its process is
 * gone (same host) or it was not touched for STORE_STALE seconds by the clock of the file system.
 *
 *   if (store_claim("runs", id, e) == STORE_MINE) { train; write the record; store_release("runs", id); }
 */
#ifndef DYT_STORE_H
#define DYT_STORE_H

#include "dyt/err.h"

#include <stdbool.h>

enum { STORE_TOUCH = 5, STORE_STALE = 60 }; /* seconds */

typedef enum store_claimed { STORE_MINE, STORE_TAKEN, STORE_FINISHED, STORE_ERROR } store_claimed;

/* Takes the lock of a run. STORE_TAKEN: somebody alive holds it; STORE_FINISHED: its record is there; STORE_ERROR: the folder
 * cannot be written, `e` says why. Claims of all processes on the store are made one after another. */
store_claimed store_claim(const char *store, const char *id, err *e);
/* Says that the owner is alive. */
void store_touch(const char *store, const char *id);
void store_release(const char *store, const char *id);
/* Whether a record is there. */
bool store_finished(const char *store, const char *id);
/* STORE/IDENDING, of the caller's own. */
char *store_path(const char *store, const char *id, const char *ending);

#endif
