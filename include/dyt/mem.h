/* mem - memory that is obtained before the first step and kept.
 *
 * Two kinds. Small things (names, tables, nodes) come from the heap through mem_new, which never fails: a
 * machine out
 * of small memory cannot go on anyway, so the process ends with one sentence. Large things (arenas, parameter
 * stores,
 * data sets) come from mem_map, which can fail and says so: their sizes follow from what the user asked for.
 *
 *   node *n = mem_new(count, sizeof *n);   ...   mem_free(n);
 *   arena a; if (mem_map(&a, bytes, "activations", e)) return e->code;   ...   mem_unmap(&a);
 */
#ifndef DYT_MEM_H
#define DYT_MEM_H

#include "dyt/err.h"

/* `count` objects of `size` bytes, zeroed; aligned to 64 bytes. Ends the process when there is no memory. The
 * caller frees. */
void *mem_new(size_t count, size_t size);

/* mem_new's block of `old_count` objects grown to `new_count`, the added part zeroed; `p` may be NULL. */
void *mem_grow(void *p, size_t old_count, size_t new_count, size_t size);

/* A copy of a string, of the caller's own. */
char *mem_strdup(const char *s);

/* printf into a string of the caller's own. */
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

void mem_free(void *p);

/* One large block of zeroed pages; huge pages are asked for. Not touched: a page costs memory when first
 * written. */
typedef struct arena {
  unsigned char *base; /* aligned to 2 MiB; NULL when size is 0 */
  size_t size;         /* bytes asked for */
} arena;

/* ST_USER with a sentence naming `what` and the size if the system has no room for it. */
st mem_map(arena *a, size_t bytes, const char *what, err *e);
void mem_unmap(arena *a);

/* Bytes this process holds in memory now, and the most it has held (VmRSS, VmHWM); 0 where the system does
 * not say. */
size_t mem_resident(void);
size_t mem_peak(void);
/* Bytes the system could still give without swapping: MemAvailable, or less where control groups allow less;
 * SIZE_MAX where it does not say. */
size_t mem_available(void);
/* What the control groups still allow; SIZE_MAX where they set no limit. Reads below the folder `root`: "" for
 * the machine's own. */
size_t mem_group_room(const char *root);
/* Pages are promised before they exist, and a process that writes to more than there are is killed: ST_USER with both
 * numbers when the system has no `more` bytes to give. `what` needs them; `advice` says what may help. */
st mem_afford(const char *what, size_t more, const char *advice, err *e);

#endif
