#include "gnuplot.h"

#include "dyt/file.h"
#include "dyt/mem.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- a script --- */

/* Between single quotes only a single quote means something to gnuplot; between double ones it would run `commands`. */
void gnuplot_quote(str *script, const char *text) {
  str line = {0};
  str_add_line(&line, text);
  str_add(script, "'");
  for (size_t i = 0; i < line.len; i++) {
    if (line.data[i] == '\'') str_add(script, "'");
    str_add_bytes(script, line.data + i, 1);
  }
  str_add(script, "'");
  str_free(&line);
}

/* The code of the UTF-8 character of n bytes. */
static unsigned code_of(const char *text, size_t n) {
  const unsigned char *p = (const unsigned char *)text;
  unsigned code = n == 1 ? p[0] : p[0] & (0x7fu >> n);
  for (size_t i = 1; i < n; i++) code = code << 6 | (p[i] & 0x3f);
  return code;
}

bool gnuplot_has_letters(const char *text) {
  enum { LATIN = 0x250 }; /* what every font has ends before */
  str command = {0};
  for (size_t n; *text; text += n ? n : 1) {
    n = str_character(text);
    unsigned code = n ? code_of(text, n) : 0;
    if (code >= LATIN) str_addf(&command, "%s%x", command.len ? " " : "fc-list ':charset=", code);
  }
  if (!command.len) return true;
  str_add(&command, "' 2>&1");
  FILE *list = popen(command.data, "r");
  bool found = list && fgetc(list) == '/';
  if (list) pclose(list);
  str_free(&command);
  return found;
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

st gnuplot_run(const char *folder, const char *name, err *e) {
  char *script = mem_printf("%s.gp", name);
  int status = 0;
  pid_t pid = start(folder, script);
  mem_free(script);
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return ST_OK;
  if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == NO_GNUPLOT)
    return err_add(e, ST_USER,
                   "%s: data and %s.gp are written but not drawn, because there is no gnuplot: install it "
                   "(scripts/setup.sh bench) and run gnuplot %s.gp there",
                   folder, name, name);
  return err_add(e, ST_USER, "%s: data and %s.gp are written but not drawn: gnuplot failed on %s.gp", folder,
                 name, name);
}
