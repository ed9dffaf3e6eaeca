/* folder_each - does something with every file of a list on all workers: in any order, with the same result for any number.
 *
 *   static st probe(void *ctx, int64_t i, err *e) { ... }                       // of files.file[i]
 *   if (folder_each(&files, pool, "headers", skip_bad, probe, &ctx, e)) return e->code;
 */
#ifndef DYT_DATA_FOLDER_EACH_H
#define DYT_DATA_FOLDER_EACH_H

#include "data/folder.h"
#include "dyt/work.h"

#include <stdbool.h>

/* What is done with file i: called once for each that is not bad yet, from any worker. Its sentence becomes `bad`. */
typedef st folder_fn(void *ctx, int64_t i, err *e);

/* ST_USER: the sentence of the first bad file by their order (of those behind it some were not looked at); with `skip` bad
 * files are only marked. What takes longer than a second is shown as so many `things` of all. */
st folder_each(folder_files *files, work_pool *pool, const char *things, bool skip, folder_fn *fn, void *ctx,
               err *e);

#endif
