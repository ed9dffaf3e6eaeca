/* mix - mixup and cutmix: the pictures of a batch mixed in pairs.
 *
 * timm's Mixup in mode "batch": one draw for all pictures of a batch. Picture i of n is mixed with n-1-i as that was before (an
 * odd one in the middle with itself), and its target with that one's by the same share.
 *
 *   mixup   lambda ~ Beta(alpha, alpha): lambda x + (1 - lambda) x'
 *   cutmix  lambda ~ Beta(alpha, alpha): a box of sqrt(1 - lambda) of either side about a uniform centre is x'; lambda is then
 *           1 minus the area of what of it lies in the picture
 *
 *   mix m = mix_draw(&cfg, 28, 28, seed, epoch, batch);
 *   mix_images(&m, 1, 28, 28, partner, image);
 *   mix_targets(&m, 10, other, target);
 */
#ifndef DYT_MIX_H
#define DYT_MIX_H

#include "dyt/config.h"
#include "dyt/real.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct mix {
  double lambda; /* share of the picture itself; 1: not mixed */
  bool cut;
  int top, bottom, left, right; /* cut: rows top .. bottom-1, columns left .. right-1 are the partner's */
} mix;

/* Whether the config mixes at all. */
bool mix_is_on(const config_augment *a);

/* The draw for batch `batch` (its number in the epoch, below 2^32): a function of seed, epoch and that alone. */
mix mix_draw(const config_augment *a, int height, int width, uint64_t seed, uint64_t epoch, uint64_t batch);

/* Who is mixed with sample i of a batch of n. */
static inline int64_t mix_partner(int64_t i, int64_t n) { return n - 1 - i; }

/* Mixes `partner` into `image`, both [channels, height, width]. */
void mix_images(const mix *m, int channels, int height, int width, const real *partner, real *image);
/* The same for targets [classes]. */
void mix_targets(const mix *m, int classes, const real *partner, real *target);

#endif
