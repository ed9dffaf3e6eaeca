#include "pos_embed.h"

#include "dyt/cubic.h"
#include "dyt/mem.h"

#include <math.h>

/* What each output takes of each input: [to, from], rows that sum to 1. */
static double *shares_of(int64_t from, int64_t to) {
  double *share = mem_new((size_t)(to * from), sizeof *share);
  double step = (double)from / (double)to, scale = fmax(1, step);
  for (int64_t i = 0; i < to; i++) {
    double *row = share + i * from, sum = 0;
    for (int64_t j = 0; j < from; j++)
      sum += row[j] = cubic(((double)j + 0.5 - ((double)i + 0.5) * step) / scale);
    for (int64_t j = 0; j < from; j++) row[j] /= sum;
  }
  return share;
}

void pos_embed_resample(int64_t channels, int64_t from, const real *in, int64_t to, real *out) {
  double *share = shares_of(from, to), *sum = mem_new((size_t)channels, sizeof *sum);
  double *narrow = mem_new((size_t)(from * to * channels), sizeof *narrow); /* [from, to, channels] */
  for (int64_t y = 0; y < from; y++)
    for (int64_t x = 0; x < to; x++)
      for (int64_t j = 0; j < from; j++)
        for (int64_t c = 0; c < channels; c++)
          narrow[(y * to + x) * channels + c] +=
              share[x * from + j] * (double)in[(y * from + j) * channels + c];
  for (int64_t y = 0; y < to; y++)
    for (int64_t x = 0; x < to; x++) {
      for (int64_t c = 0; c < channels; c++) sum[c] = 0;
      for (int64_t j = 0; j < from; j++)
        for (int64_t c = 0; c < channels; c++)
          sum[c] += share[y * from + j] * narrow[(j * to + x) * channels + c];
      for (int64_t c = 0; c < channels; c++) out[(y * to + x) * channels + c] = (real)sum[c];
    }
  mem_free(narrow);
  mem_free(sum);
  mem_free(share);
}
