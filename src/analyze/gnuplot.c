#include "gnuplot.h"

#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/text.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- a script --- */

/* Between single quotes only a single quote means something to gnuplot, which is doubled; between double ones it would run
 * `commands`. Three at the beginning gnuplot takes for an empty string and one more: those stand before, as strings of their own. */
void gnuplot_quote(str *script, const char *text) {
  str line = {0};
  size_t i = 0;
  text_line(&line, text);
  for (; i < line.len && line.data[i] == '\''; i++) str_add(script, "\"'\".");
  str_add(script, "'");
  for (; i < line.len; i++) {
    if (line.data[i] == '\'') str_add(script, "'");
    str_add_bytes(script, line.data + i, 1);
  }
  str_add(script, "'");
  str_free(&line);
}

void gnuplot_begin(const char *name, const char *definitions, int width, int height, str *script) {
  str_addf(
      script,
      "# gnuplot %s.gp draws %s.svg and %s.png from the data beside it.\n"
      "%s"
      "do for [kind in 'svg png'] {\n"
      "reset\n"
      "set encoding utf8\n"
      "if (kind eq 'svg') { set terminal svg noenhanced size %d,%d font 'sans,12' background rgb 'white' } \\\n"
      "else { set terminal pngcairo noenhanced size %d,%d font 'sans,10' fontscale 2 linewidth 2 pointscale 2 "
      "background rgb 'white' }\n"
      "set output '%s.'.kind\n",
      name, name, name, definitions, width, height, 2 * width, 2 * height, name);
}

void gnuplot_end(str *script) { str_add(script, "unset multiplot\nset output\n}\n"); }

/* --- files and the program --- */

st gnuplot_write(const char *folder, const char *name, const char *ending, const str *text, err *e) {
  char *path = mem_printf("%s/%s%s", folder, name, ending);
  st code = file_write(path, text->data, text->len, e);
  mem_free(path);
  return code;
}

enum { NO_GNUPLOT = 127 };

/* In the folder, so that the script's names are the same for whoever runs it again; without the user's own settings. */
static pid_t start(const char *folder, const char *script) {
  pid_t pid = fork();
  if (pid == 0) {
    if (chdir(folder) == 0) execlp("gnuplot", "gnuplot", "-d", script, (char *)NULL);
    _exit(NO_GNUPLOT);
  }
  return pid;
}

/* gnuplot does not notice a disk that fills up: only a PNG's last bytes say that it is whole. */
static bool is_whole(const char *folder, const char *name) {
  enum { PNG_MAX = 1 << 28 };
  static const unsigned char end[] = {'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82};
  char *path = mem_printf("%s/%s.png", folder, name);
  file_bytes b;
  bool whole = !file_read(path, PNG_MAX, &b, NULL) && b.size > sizeof end &&
               memcmp(b.data + b.size - sizeof end, end, sizeof end) == 0;
  file_bytes_free(&b);
  mem_free(path);
  return whole;
}

gnuplot_outcome gnuplot_try(const char *folder, const char *name) {
  char *script = mem_printf("%s.gp", name);
  int status = 0;
  pid_t pid = start(folder, script);
  mem_free(script);
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == NO_GNUPLOT) return GNUPLOT_MISSING;
  bool ended_well = pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return ended_well && is_whole(folder, name) ? GNUPLOT_DREW : GNUPLOT_FAILED;
}

st gnuplot_run(const char *folder, const char *name, err *e) {
  switch (gnuplot_try(folder, name)) {
  case GNUPLOT_DREW:
    return ST_OK;
  case GNUPLOT_MISSING:
    return err_add(e, ST_USER,
                   "%s: data and %s.gp are written but not drawn, because there is no gnuplot: install it "
                   "(scripts/setup.sh bench) and run gnuplot %s.gp there",
                   folder, name, name);
  default:
    return err_add(e, ST_USER, "%s: data and %s.gp are written but not drawn: gnuplot failed on %s.gp",
                   folder, name, name);
  }
}
