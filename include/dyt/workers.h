/* workers - the pool of threads that a command computes on: how many, and made ready for the matrix library.
 *
 *   work_pool *pool = workers_new(options.threads, cfg.train.shards);
 */
#ifndef DYT_WORKERS_H
#define DYT_WORKERS_H

#include "dyt/work.h"

/* asked: 0 for the cores this process may use, but no more than `useful`. More than either is allowed, with a
 * warning on stderr.
 * A BLAS that is not safe with threads gets one, with a warning. The caller frees with work_free. */
work_pool *workers_new(int asked, int useful);

#endif
