/* tfevents - TensorBoard's event files: scalars and histograms at a step, without its libraries.
 *
 * A file is a row of records: length (8 bytes), its checksum, data, their checksum. Data are an Event in protocol-buffer
 * encoding: wall time, step, and values with a tag each; the first record names the version instead. All numbers are
 * little-endian, checksums are CRC-32C, rotated and shifted so that a checksum of data with checksums in them is no
 * constant. Formats: TensorFlow's record_writer.h, event.proto, summary.proto, histogram.proto.
 *
 *   str file = {0}, values = {0};
 *   tfevents_begin(&file, now);                         // once, at the start of a file
 *   tfevents_scalar(&values, "steps/loss", 0.5);
 *   tfevents_add(&file, now, step, &values);
 */
#ifndef DYT_TFEVENTS_H
#define DYT_TFEVENTS_H

#include "dyt/str.h"

#include <stdint.h>

typedef struct tfevents_histogram {
  double min, max, n, sum, sum_squares; /* of the numbers themselves */
  int buckets;
  const double *limit, *count; /* [buckets]: where each ends (excluded), rising, and how many lie in it */
} tfevents_histogram;

/* The record that a file begins with. Times are seconds since 1970. */
void tfevents_begin(str *file, double wall_time);
/* A record with the values of one moment. */
void tfevents_add(str *file, double wall_time, int64_t step, const str *values);

/* One value more. Tags are any text; TensorBoard groups them by what stands before the first '/'. */
void tfevents_scalar(str *values, const char *tag, double v);
void tfevents_add_histogram(str *values, const char *tag, const tfevents_histogram *h);

/* CRC-32C (Castagnoli): 0xE3069283 for "123456789". */
uint32_t tfevents_crc(const void *data, size_t n);

#endif
