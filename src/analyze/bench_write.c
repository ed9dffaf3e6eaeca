#include "bench_parts.h"

#include "dyt/kernel.h"

enum { DIGITS = 6 };

void bench_write_begin(const bench_options *o, int threads, str *out) {
  str_add(out, "{\"config\": ");
  if (o->name)
    str_add_quoted(out, o->name);
  else
    str_add(out, "null");
  str_addf(out, ", \"threads\": %d, \"simd\": \"%s\", \"blas\": \"%s\"", threads, k_simd_level(),
           k_blas_name());
}

void bench_write_number(str *out, const char *key, double value) {
  str_addf(out, ", \"%s\": ", key);
  str_add_number(out, value, DIGITS);
}

void bench_write_stat(str *out, const char *key, bench_stat s) {
  bench_write_number(out, key, s.median);
  str_addf(out, ", \"%s_spread\": [", key);
  str_add_number(out, s.min, DIGITS);
  str_add(out, ", ");
  str_add_number(out, s.max, DIGITS);
  str_add(out, "]");
}

void bench_write_split(str *out, const char *key, const bench_split *s) {
  str_addf(out, ", \"%s\": [", key);
  for (int i = 0; i < s->parts; i++) {
    str_addf(out, "%s{\"name\": \"%s\"", i ? ", " : "", s->part[i].name);
    bench_write_number(out, "fwd_ms", s->part[i].fwd_ms);
    bench_write_number(out, "bwd_ms", s->part[i].bwd_ms);
    str_add(out, "}");
  }
  str_add(out, "]");
}

void bench_write_title(const bench_options *o, int threads, str *out) {
  str_addf(out, "%s%s%d thread%s, %s, %s; medians of %d rounds\n", o->name ? o->name : "",
           o->name ? ": " : "", threads, threads == 1 ? "" : "s", k_simd_level(), k_blas_name(),
           BENCH_ROUNDS);
}
