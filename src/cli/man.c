/* Manual pages from the tables that --help prints. */
#include "cli.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Text as roff: a hyphen as it is typed, nothing at a line's begin taken for a request, one space for what
 * aligned the text elsewhere. */
static void put(const char *text, size_t n) {
  for (size_t i = 0; i < n; i++) {
    bool begins = i == 0 || text[i - 1] == '\n';
    if (text[i] == ' ' && (begins || text[i - 1] == ' ')) continue;
    if (begins && strchr(".'", text[i])) fputs("\\&", stdout);
    fputs(text[i] == '\\' ? "\\e" : text[i] == '-' ? "\\-" : (char[2]){text[i], '\0'}, stdout);
  }
}

static void line(const char *text) {
  put(text, strlen(text));
  putchar('\n');
}

static void title(const char *command) {
  printf(".TH DYT%s", command ? "\\-" : "");
  for (const char *p = command ? command : ""; *p; p++) putchar(toupper((unsigned char)*p));
  printf(" 1 \"\" \"dyt %s\" \"User Commands\"\n.SH NAME\ndyt%s%s \\- ", DYT_VERSION, command ? "\\-" : "",
         command ? command : "");
}

/* Every way to call the command is a paragraph. */
static void put_usage(const char *usage) {
  printf(".SH SYNOPSIS\n.B dyt\n");
  for (size_t n; *usage; usage += n + (usage[n] == '\n')) {
    n = strcspn(usage, "\n");
    put(usage, n);
    printf(usage[n] ? "\n.PP\n" : "\n");
  }
}

static void item(const char *name, const char *arg, const char *help) {
  printf(".TP\n\\fB");
  put(name, strlen(name));
  printf("\\fR");
  if (arg) {
    printf(" \\fI");
    put(arg, strlen(arg));
    printf("\\fR");
  }
  putchar('\n');
  line(help);
}

void cli_man(const cli_command *c, const cli_option *options, int n_options) {
  title(c->name);
  line(c->brief);
  put_usage(c->usage);
  printf(".SH DESCRIPTION\n");
  line(c->help);
  if (c->word) printf(".PP\nThe first argument is one of\n");
  for (int i = 0; c->word && c->word(i).name; i++) item(c->word(i).name, NULL, c->word(i).help);
  printf(".SH OPTIONS\n");
  for (int i = 0; i < n_options; i++) {
    char name[64];
    snprintf(name, sizeof name, "--%s", options[i].name);
    item(name, options[i].arg, options[i].help);
  }
  item("--help", NULL, "print the usage and these options");
  printf(".SH EXIT STATUS\nSee\n.BR dyt (1).\n.SH SEE ALSO\n.BR dyt (1)\n");
}

void cli_man_program(const cli_program *p) {
  title(NULL);
  line(p->summary);
  printf(
      ".SH SYNOPSIS\n.B dyt\nCOMMAND [ARGUMENTS]\n.PP\n.B dyt\n\\-\\-help | \\-\\-version\n.SH COMMANDS\n");
  for (int i = 0; i < p->n; i++) {
    printf(".TP\n.BR dyt\\-%s (1)\n", p->commands[i].name);
    line(p->commands[i].brief);
  }
  printf(".SH EXIT STATUS\n");
  for (const cli_word *x = p->exits; x->name; x++) item(x->name, NULL, x->help);
  printf(".SH ENVIRONMENT\n");
  for (const cli_word *x = p->environment; x->name; x++) item(x->name, NULL, x->help);
  printf(".SH EXAMPLES\n");
  line(p->first_run);
  printf(".SH SEE ALSO\n");
  for (int i = 0; i < p->n; i++) printf(".BR dyt\\-%s (1)%s\n", p->commands[i].name, i + 1 < p->n ? "," : "");
}
