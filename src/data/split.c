#include "data/split.h"

#include "dyt/mem.h"
#include "dyt/rng.h"

#include <string.h>

/* The class that gets place number `place` (from 1): among those still below their share of that many places,
 * the one with the most samples a place. Ties go to the lower class. */
static int next_class(const int64_t *count, const int64_t *take, int classes, int64_t n, int64_t place) {
  int best = -1;
  for (int k = 0; k < classes; k++) {
    if (take[k] * n >= count[k] * place) continue;
    if (best < 0 || count[k] * (take[best] + 1) > count[best] * (take[k] + 1)) best = k;
  }
  return best;
}

/* How many of each class: the quota method (Balinski and Young 1975). Largest remainders give the same exact
 * total within one of every share, but taking one sample more in all can there mean one fewer of some class:
 * not nested. */
static void share_out(const int64_t *count, int classes, int64_t n, int64_t want, int64_t *take) {
  for (int64_t place = 1; place <= want; place++) take[next_class(count, take, classes, n, place)]++;
}

void split_pick(const int32_t *label, int64_t n, int classes, int64_t want, uint64_t seed, const char *stream,
                bool *chosen) {
  memset(chosen, want == n, (size_t)n * sizeof *chosen);
  if (want == n || want == 0) return;
  size_t K = (size_t)classes;
  int64_t *count = mem_new(K, sizeof *count), *take = mem_new(K, sizeof *take),
          *end = mem_new(K, sizeof *end);
  int32_t *member = mem_new((size_t)n, sizeof *member), *order = mem_new((size_t)n, sizeof *order);
  for (int64_t i = 0; i < n; i++) count[label[i]]++;
  share_out(count, classes, n, want, take);
  for (int k = 1; k < classes; k++) end[k] = end[k - 1] + count[k - 1];
  for (int64_t i = 0; i < n; i++)
    member[end[label[i]]++] = (int32_t)i; /* grouped by class; end[k]: where class k ends */
  for (int k = 0; k < classes; k++) {
    const int32_t *of_class = member + end[k] - count[k];
    rng r = rng_at(seed, stream, (uint64_t)k, 0);
    rng_permutation(&r, count[k], order);
    for (int64_t j = 0; j < take[k]; j++) chosen[of_class[order[j]]] = true;
  }
  void *const temporary[] = {count, take, end, member, order};
  for (size_t i = 0; i < sizeof temporary / sizeof temporary[0]; i++) mem_free(temporary[i]);
}
