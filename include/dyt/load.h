/* load - whether other processes hold the cores that this one computes on.
 *
 *   load before, after;
 *   load_take(&before);   ... a second of work ...   load_take(&after);
 *   double others = load_others(&before, &after);
 *   if (load_hinders(others, after.cores, threads)) printf("others take %.0f%%\n", 100 * others);
 */
#ifndef DYT_LOAD_H
#define DYT_LOAD_H

#include <stdbool.h>

typedef struct load {
  int cores;    /* that this process may use by its affinity; 0: the system does not say what they do */
  double clock; /* seconds */
  double busy;  /* seconds these cores have computed for anyone */
  double own;   /* seconds of that for this process */
} load;

/* Reads /proc/stat: about 0.1 ms, more on machines with many cores. */
void load_take(load *l);

/* The share of the cores that others took between two looks, 0 to 1; 0 where it is not known. */
double load_others(const load *from, const load *to);

/* Whether others that take this share of `cores` leave `threads` threads a tenth less than they could use. */
bool load_hinders(double others, int cores, int threads);

#endif
