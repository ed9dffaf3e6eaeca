/* replay - one forward and backward pass, and N optimizer steps, on a given batch with given weights;
 * everything is
 * written out. This is how anyone can check the program against another framework.
 *
 *   st code = replay_run(&cfg, &(replay_options){"w.safetensors", "b.safetensors", "out.safetensors", .steps
 * = 10}, e);
 */
#ifndef DYT_REPLAY_H
#define DYT_REPLAY_H

#include "dyt/config.h"

typedef struct replay_options {
  const char *weights; /* the model's parameters, F32 or F64 */
  const char *batch;   /* images [N, C, H, W], normalized; labels I64 [N] or targets [N, K] */
  const char *out;     /* loss [max(1, steps)], logits [N, K], grad.NAME, and after the steps NAME */
  int steps, threads;
} replay_options;

/* No data set is read: image_size, channels and classes that are null come from the batch and the weights. No
 * augmentation,
 * dropout or drop path; the same batch and optim.lr every step. ST_USER: files that do not fit each other or
 * the config. */
st replay_run(config *c, const replay_options *o, err *e);

#endif
