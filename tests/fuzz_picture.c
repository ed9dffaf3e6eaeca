/* libFuzzer target for picture files and their resizing. The first bytes choose channels, filter and size. */
#include "data/picture.h"
#include "data/resize.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size) {
  if (size < 3) return 0;
  picture p;
  err e = {0};
  static const int channels[] = {0, 1, 3};
  st code = picture_decode(bytes + 3, size - 3, "fuzz", channels[bytes[0] % 3], &p, &e);
  REQUIRE(code ? e.count == 1 && !p.pixels : p.pixels != NULL, "%s", e.text);
  if (code || p.height > 512 || p.width > 512) {
    picture_free(&p);
    return 0;
  }
  int side = bytes[1] % 64 + 1;
  resize_window w = resize_and_crop(p.height, p.width, side + bytes[2] % 8, side);
  picture small = resize_picture(&p, &w, bytes[2] & 128 ? RESIZE_BICUBIC : RESIZE_BILINEAR);
  picture_free(&p);
  picture_free(&small);
  return 0;
}
