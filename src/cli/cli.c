#include "cli.h"

#include "dyt/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cli_option *find(const char *name, size_t n, const cli_option *options, int n_options) {
  for (int i = 0; i < n_options; i++)
    if (strlen(options[i].name) == n && strncmp(options[i].name, name, n) == 0) return &options[i];
  return NULL;
}

static st unknown(const char *command, const char *arg, const cli_option *options, int n_options, err *e) {
  const char *names[CLI_ARGS_MAX], *near;
  for (int i = 0; i < n_options; i++) names[i] = options[i].name;
  near = str_nearest(arg + 2, names, n_options);
  return err_add(e, ST_USER, "dyt %s: unknown option %s%s%s%s (see dyt %s --help)", command, arg,
                 near ? ", did you mean --" : "", near ? near : "", near ? "?" : "", command);
}

static st store(const char *command, const cli_option *o, const char *value, err *e) {
  if (o->number) {
    char *end;
    errno = 0;
    long v = strtol(value, &end, 10);
    if (errno || end == value || *end || v < 0 || v > 1 << 20)
      return err_add(e, ST_USER, "dyt %s: --%s %s: expected a whole number from 0 to %d", command, o->name,
                     value, 1 << 20);
    *o->number = (int)v;
  } else if (o->count) {
    if (*o->count == CLI_ARGS_MAX) return err_add(e, ST_USER, "dyt %s: too many --%s", command, o->name);
    o->text[(*o->count)++] = value;
  } else {
    *o->text = value;
  }
  return ST_OK;
}

static cli_page *page_of(const char *arg) {
  static const struct {
    const char *arg;
    cli_page *page;
  } pages[] = {{"--help", cli_help}, {"-h", cli_help}, {"--help-man", cli_man}, {"--help-bash", cli_bash}};
  for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
    if (strcmp(pages[i].arg, arg) == 0) return pages[i].page;
  return NULL;
}

st cli_parse(int argc, char **argv, const cli_option *options, int n_options, const char **positional,
             int min, int max, int *n_positional, cli_page **page, err *e) {
  bool rest = false;
  *n_positional = 0;
  *page = NULL;
  for (int i = 1; i < argc; i++) {
    const char *arg = argv[i];
    if (!rest && strcmp(arg, "--") == 0) {
      rest = true;
    } else if (!rest && (*page = page_of(arg))) {
      return ST_OK;
    } else if (!rest && strncmp(arg, "--", 2) == 0) {
      size_t n = strcspn(arg + 2, "=");
      const cli_option *o = find(arg + 2, n, options, n_options);
      const char *value = arg[2 + n] ? arg + 3 + n : NULL;
      if (!o) {
        unknown(argv[0], arg, options, n_options, e);
      } else if (o->flag) {
        if (value) err_add(e, ST_USER, "dyt %s: --%s takes no argument", argv[0], o->name);
        *o->flag = true;
      } else if (!value && i + 1 == argc) {
        err_add(e, ST_USER, "dyt %s: --%s needs %s", argv[0], o->name, o->arg);
      } else {
        store(argv[0], o, value ? value : argv[++i], e);
      }
    } else if (!rest && arg[0] == '-' && arg[1]) {
      err_add(e, ST_USER, "dyt %s: unknown option %s (see dyt %s --help)", argv[0], arg, argv[0]);
    } else if (*n_positional == max) {
      err_add(e, ST_USER, "dyt %s: unexpected argument %s", argv[0], arg);
    } else {
      positional[(*n_positional)++] = arg;
    }
  }
  if (!e->count && *n_positional < min)
    err_add(e, ST_USER, "dyt %s: expected %d argument%s more (see dyt %s --help)", argv[0],
            min - *n_positional, min - *n_positional == 1 ? "" : "s", argv[0]);
  return e->code;
}

void cli_help(const cli_command *c, const cli_option *options, int n_options) {
  printf("usage: dyt %s\n\n%s\n", c->usage, c->help);
  if (n_options) printf("\n");
  for (int i = 0; i < n_options; i++) {
    char left[64];
    snprintf(left, sizeof left, "--%s%s%s", options[i].name, options[i].arg ? " " : "",
             options[i].arg ? options[i].arg : "");
    printf("  %-26s %s\n", left, options[i].help);
  }
  if (c->word) printf("\nThe first argument is one of\n");
  for (int i = 0; c->word && c->word(i).name; i++) printf("  %-8s %s\n", c->word(i).name, c->word(i).help);
}

int cli_fail(const err *e) {
  for (const char *p = e->text; *p;) {
    size_t n = strcspn(p, "\n");
    fprintf(stderr, "error: %.*s\n", (int)n, p);
    p += n + (p[n] == '\n');
  }
  return e->code;
}

int cli_begin(const cli_command *c, int argc, char **argv, const cli_option *options, int n_options,
              const char **positional, int min, int max, int *n_positional) {
  err e = {0};
  cli_page *page;
  if (cli_parse(argc, argv, options, n_options, positional, min, max, n_positional, &page, &e))
    return cli_fail(&e);
  if (page) page(c, options, n_options);
  return page ? ST_OK : -1;
}
