/* split - picks a part of the samples in which every class has its share.
 *
 *   bool *chosen = mem_new(n, 1);
 *   split_pick(label, n, classes, 1000, seed, "val", chosen);     // chosen[i] for exactly 1000 of the n
 */
#ifndef DYT_DATA_SPLIT_H
#define DYT_DATA_SPLIT_H

#include <stdbool.h>
#include <stdint.h>

/* Sets chosen[i] for `want` of the samples 0..n-1 (label [n], each below `classes`; 0 <= want <= n) and
 * clears the others. Each class gets its share want * n_k / n rounded up or down. The choice depends on the
 * labels, seed, stream and `want` only, and one for a smaller `want` is contained in one for a larger. */
void split_pick(const int32_t *label, int64_t n, int classes, int64_t want, uint64_t seed, const char *stream,
                bool *chosen);

#endif
