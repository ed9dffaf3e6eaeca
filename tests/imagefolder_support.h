/* Test support: folders of small pictures, and configs that open them. */
#ifndef DYT_TESTS_IMAGEFOLDER_SUPPORT_H
#define DYT_TESTS_IMAGEFOLDER_SUPPORT_H

#include "data_support.h"

#define REFERENCE "tests/reference/pictures/"

/* A file, and the folders above it. */
static inline void put_below(const char *name, const void *bytes, size_t size) {
  err e = {0};
  char *path = mem_strdup(in_folder(name));
  *strrchr(path, '/') = 0;
  assert_int_equal(file_make_folder(path, &e), ST_OK);
  mem_free(path);
  put(name, bytes, size);
}

/* The first `share` of a reference picture. */
static inline void put_reference(const char *name, const char *reference, double share) {
  file_bytes b;
  err e = {0};
  char *path = mem_printf(REFERENCE "%s", reference);
  if (file_read(path, 1 << 24, &b, &e)) fail_msg("%s", e.text);
  put_below(name, b.data, (size_t)(share * (double)b.size));
  file_bytes_free(&b);
  mem_free(path);
}

/* A BMP of 24 bits in which every pixel of colour channel k is value + k. */
static inline void put_bmp(const char *name, int height, int width, int value) {
  int row = (width * 3 + 3) / 4 * 4, size = 54 + row * height;
  unsigned char *b = mem_new((size_t)size, 1);
  const struct {
    int at, value;
  } head[] = {{2, size}, {10, 54}, {14, 40}, {18, width}, {22, height}, {34, row * height}};
  memcpy(b, "BM", 2);
  for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
    for (int k = 0; k < 4; k++) b[head[i].at + k] = (unsigned char)(head[i].value >> 8 * k);
  b[26] = 1, b[28] = 24;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width * 3; x++) b[54 + y * row + x] = (unsigned char)(value + 2 - x % 3);
  put_below(name, b, (size_t)size);
  mem_free(b);
}

/* A config for `folder`; classes 0: the data's. */
static inline config config_of(int size, int channels, int classes) {
  return (config){.model = {.family = "vit", .image_size = size, .channels = channels, .classes = classes},
                  .data = {.format = "imagefolder",
                           .path = folder,
                           .std = {1},
                           .n_mean = 1,
                           .n_std = 1,
                           .train_fraction = 1,
                           .test_fraction = 0.25,
                           .crop_pct = 1,
                           .interpolation = "bicubic"}};
}

#endif
