/* process - how long this process has existed, the time before main() included.
 *
 *   process_note_start();                        // the first thing main does
 *   printf("%.3f s\n", process_seconds());
 */
#ifndef DYT_PROCESS_H
#define DYT_PROCESS_H

/* To be called once, before anything that waits: until then the process has mostly been busy (loading its
 * libraries), so that its CPU time tells its age more finely than the system's own record of 10 ms. */
void process_note_start(void);

/* Seconds since the process was made; since the first call of either function if its start was not noted. */
double process_seconds(void);

#endif
