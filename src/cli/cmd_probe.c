#include "cli.h"

#include "dyt/file.h"
#include "dyt/mem.h"
#include "dyt/probe.h"

#include <stdio.h>

/* The tables, then their pictures: where these cannot be drawn there is a warning. */
static st write_folder(const probe *p, const char *folder, err *e) {
  err undrawn = {0};
  if (probe_write(p, folder, e)) return e->code;
  if (probe_draw(p, folder, &undrawn)) fprintf(stderr, "warning: %s\n", undrawn.text);
  return ST_OK;
}

static st run(const trained_options *o, const char *folder, err *e) {
  probe p;
  if (file_what(o->source) != FILE_FOLDER)
    return err_add(e, ST_USER, "%s: no run directory: expected a folder that dyt train made", o->source);
  if (probe_open(&p, o, e)) return e->code;
  if (!write_folder(&p, folder, e)) {
    str text = {0};
    probe_table(&p, &text);
    printf("%s%lld images, all of it in %s\n", text.data, (long long)p.samples, folder);
    str_free(&text);
  }
  probe_close(&p);
  return e->code;
}

int cli_probe(const cli_command *self, int argc, char **argv) {
  const char *sets[CLI_ARGS_MAX], *source[1] = {0}, *out = NULL;
  int n = 0;
  trained_options o = {.sets = sets};
  const cli_option options[] = {
      {.name = "out", .arg = "DIR", .help = "default: RUN_DIR/probe", .text = &out},
      CLI_SET(sets, o.n_sets),
      {.name = "checkpoint", .arg = "last|best", .help = "which checkpoint (last)", .text = &o.checkpoint},
      CLI_THREADS(o.threads)};
  int code = cli_begin(self, argc, argv, options, sizeof options / sizeof options[0], source, 1, 1, &n);
  if (code >= 0) return code;
  err e = {0};
  o.source = source[0];
  char *folder = out ? mem_strdup(out) : mem_printf("%s/probe", source[0]);
  run(&o, folder, &e);
  mem_free(folder);
  return e.code ? cli_fail(&e) : ST_OK;
}
