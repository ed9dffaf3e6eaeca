/* OpenMP comes with OpenBLAS and binds the thread that loads it to one core where OMP_PROC_BIND or
 * GOMP_CPU_AFFINITY ask for bound threads. Ours are not OpenMP's and would all inherit that one core. */
#define _GNU_SOURCE
#include "dyt/kernel.h"
#include "dyt/mem.h"

#include <sched.h>

/* There only when OpenBLAS brings OpenMP in. */
extern int omp_get_proc_bind(void) __attribute__((weak));
extern int omp_get_num_places(void) __attribute__((weak));
extern int omp_get_place_num_procs(int place) __attribute__((weak));
extern void omp_get_place_proc_ids(int place, int *ids) __attribute__((weak));

static void add_place(int place, cpu_set_t *all) {
  int n = omp_get_place_num_procs(place);
  int *id = mem_new((size_t)n, sizeof *id);
  omp_get_place_proc_ids(place, id);
  for (int i = 0; i < n; i++) CPU_SET((size_t)id[i], all);
  mem_free(id);
}

void k_unbind(void) {
  cpu_set_t all;
  CPU_ZERO(&all);
  if (!omp_get_proc_bind || !omp_get_proc_bind()) return;
  for (int i = 0, n = omp_get_num_places(); i < n; i++) add_place(i, &all);
  if (CPU_COUNT(&all)) sched_setaffinity(0, sizeof all, &all);
}
