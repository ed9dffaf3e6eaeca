#include "cli.h"

#include "dyt/table.h"

#include <stdio.h>

int cli_table(const cli_command *self, int argc, char **argv) {
  const char *folder[1] = {0}, *format = "md", *runs = NULL;
  int n = 0, missing = 0;
  const cli_option options[] = {
      {.name = "format", .arg = "md|csv|latex|json", .help = "default: md", .text = &format},
      {.name = "runs",
       .arg = "DIR",
       .help = "where the records are; default: where the study ran",
       .text = &runs}};
  int code = cli_begin(self, argc, argv, options, sizeof options / sizeof *options, folder, 1, 1, &n);
  if (code >= 0) return code;
  err e = {0};
  str text = {0};
  if (table_print(folder[0], runs, format, &text, &missing, &e)) return cli_fail(&e);
  fputs(text.data, stdout);
  if (missing)
    fprintf(stderr, "%s: %d run%s not done yet: dyt study goes on with them\n", folder[0], missing,
            missing == 1 ? " is" : "s are");
  str_free(&text);
  return ST_OK;
}
