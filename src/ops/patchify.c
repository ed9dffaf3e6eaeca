/* patchify: cuts images into patches, so that the patch embedding (a convolution whose stride is its width)
 * is a linear layer.
 *
 *   x [n, C, H, W] -> y [n, P, C p p], P = (H/p)(W/p), patches row by row, the numbers of a patch in the
 * order (channel, row, column)
 *   dx: the same numbers carried back */
#include "dyt/ops.h"

#include <string.h>

static int64_t patch_of(const op_shapes *s) { return ((const op_patchify_attr *)s->attr)->patch; }

static void infer(op_shapes *s) {
  int64_t p = patch_of(s);
  shape x = s->in[0];
  OP_REQUIRE(s, x.rank == 4 && p >= 1 && x.dim[2] % p == 0 && x.dim[3] % p == 0,
             "patches of %lld divide the image", (long long)p);
  s->out = SHAPE(x.dim[0], (x.dim[2] / p) * (x.dim[3] / p), x.dim[1] * p * p);
}

/* Calls line(image numbers, patch numbers) for each run of p numbers that lie together in both. */
static void each_line(const op_call *c, real *image, real *patches,
                      void (*line)(real *, real *, int64_t, bool)) {
  int64_t p = ((const op_patchify_attr *)c->attr)->patch;
  shape s = c->in[0].s;
  int64_t channels = s.dim[1], height = s.dim[2], width = s.dim[3];
  for (int64_t i = 0; i < s.dim[0]; i++)
    for (int64_t top = 0; top < height; top += p)
      for (int64_t left = 0; left < width; left += p)
        for (int64_t ch = 0; ch < channels; ch++)
          for (int64_t row = 0; row < p; row++, patches += p)
            line(image + ((i * channels + ch) * height + top + row) * width + left, patches, p, c->in[0].acc);
}

static void cut(real *image, real *patch, int64_t n, bool acc) {
  (void)acc;
  memcpy(patch, image, (size_t)n * sizeof(real));
}

static void carry_back(real *image, real *patch, int64_t n, bool acc) {
  for (int64_t j = 0; j < n; j++) image[j] = acc ? image[j] + patch[j] : patch[j];
}

static void forward(const op_call *c) { each_line(c, c->in[0].x, c->out->x, cut); }

static void backward(const op_call *c) {
  if (c->in[0].g) each_line(c, c->in[0].g, c->out->g, carry_back);
}

const op op_patchify = {.name = "patchify",
                        .min_in = 1,
                        .max_in = 1,
                        .attr_size = sizeof(op_patchify_attr),
                        .infer = infer,
                        .forward = forward,
                        .backward = backward};
