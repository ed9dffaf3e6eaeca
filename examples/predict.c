/* Classifies raw images with a trained model:
 *
 *   cc predict.c -o predict $(pkg-config --cflags --libs dyt)
 *   tail -c +17 data/fashion-mnist/t10k-images-idx3-ubyte | ./predict runs/quickstart-dyt
 *
 * stdin holds images of one byte a pixel, [channels][size][size] each; every one gives a line: its number, its
 * most probable class, and how probable that is. */
#include <dyt/dyt.h>

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 100 };

static void print(const dyt_run *run, int64_t image, const float *p) {
  int best = 0;
  for (int k = 1; k < dyt_classes(run); k++)
    if (p[k] > p[best]) best = k;
  printf("%lld,%s,%.9g\n", (long long)image, dyt_class_name(run, best), (double)p[best]);
}

int main(int argc, char **argv) {
  dyt_error e;
  dyt_run *run = argc == 2 ? dyt_open(argv[1], 0, &e) : NULL;
  if (!run) {
    fprintf(stderr, "%s\n", argc == 2 ? e.text : "usage: predict RUN_DIR < IMAGES");
    return 2;
  }
  size_t size = (size_t)dyt_image_size(run), pixels = (size_t)dyt_channels(run) * size * size;
  unsigned char *bytes = malloc(BATCH * pixels);
  float *images = malloc(BATCH * pixels * sizeof *images);
  float *p = malloc(BATCH * (size_t)dyt_classes(run) * sizeof *p);
  if (!bytes || !images || !p) return 1;
  size_t n;
  for (int64_t done = 0; (n = fread(bytes, pixels, BATCH, stdin)) > 0; done += (int64_t)n) {
    for (size_t i = 0; i < n * pixels; i++) images[i] = (float)bytes[i] / 255;
    if (dyt_predict(run, images, (int64_t)n, p, &e)) return fprintf(stderr, "%s\n", e.text), e.status;
    for (size_t i = 0; i < n; i++) print(run, done + (int64_t)i, p + i * (size_t)dyt_classes(run));
  }
  free(bytes), free(images), free(p);
  dyt_close(run);
}
