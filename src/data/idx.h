/* idx - reads IDX files, the format of MNIST and its relatives, plain or gzipped.
 *
 * Big-endian: two zero bytes, the element type (8: unsigned byte, the only one read here), the number of
 * dimensions, each dimension as 32 bits, then the elements, last dimension fastest.
 * (http://yann.lecun.com/exdb/mnist/)
 *
 *   idx_array images;
 *   if (idx_read("data/mnist/train-images-idx3-ubyte", 3, &images, e)) return e->code;     // 60000 x 28 x 28
 *   idx_free(&images);
 */
#ifndef DYT_DATA_IDX_H
#define DYT_DATA_IDX_H

#include "dyt/file.h"
#include "dyt/mem.h"

#include <stdint.h>

enum { IDX_DIMS_MAX = 3 };

typedef struct idx_array {
  int64_t dim[IDX_DIMS_MAX]; /* sizes; 1 beyond the dimensions asked for */
  const unsigned char *element;
  size_t elements;
  file_bytes map; /* the file where it lies, if it is plain; owned */
  arena store;    /* what was unpacked, if it is not; owned */
} idx_array;

/* The file `path` (gzipped or not, whatever its name), which must be an array of unsigned bytes with `dims`
 * dimensions. ST_USER: unreadable, another type or number of dimensions, an empty dimension, more or fewer
 * elements than the header says, corrupt gzip, no memory. The header is checked against the size of the file
 * before memory is taken. A plain file is mapped, not copied: it must not be cut short before idx_free. */
st idx_read(const char *path, int dims, idx_array *out, err *e);
void idx_free(idx_array *a);

#endif
