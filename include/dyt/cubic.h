/* cubic - the cubic filter that pictures and position embeddings are resized with: Keys (1981), a = -1/2, as in Pillow and in
 * PyTorch with antialias.
 *
 *   double share = cubic((x - centre) / scale);      // 1 at 0, 0 at every other whole number, 0 from 2 on
 */
#ifndef DYT_CUBIC_H
#define DYT_CUBIC_H

#include <math.h>

static inline double cubic(double x) {
  const double a = -0.5;
  x = fabs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

#endif
