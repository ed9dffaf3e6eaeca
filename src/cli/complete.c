/* Completion for bash from the tables that --help prints. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

/* An argument written "last|best" is one of these words; any other is free: bash offers files. */
static void put_argument(const cli_option *o) {
  printf("        --%s) words=\"", o->name);
  for (const char *p = strchr(o->arg, '|') ? o->arg : ""; *p; p++) putchar(*p == '|' ? ' ' : *p);
  printf("\" ;;\n");
}

/* The branch of one command. */
void cli_bash(const cli_command *c, const cli_option *options, int n_options) {
  printf("    %s)\n      words=\"", c->name);
  for (int i = 0; i < n_options; i++) printf("--%s ", options[i].name);
  printf("--help\"\n");
  if (c->word) printf("      [ \"$COMP_CWORD\" != 2 ] || words=\"$words");
  for (int i = 0; c->word && c->word(i).name; i++) printf(" %s", c->word(i).name);
  if (c->word) printf("\"\n");
  printf("      case $previous in\n");
  for (int i = 0; i < n_options; i++)
    if (options[i].arg) put_argument(&options[i]);
  printf("      esac ;;\n");
}

void cli_bash_program(const cli_program *p) {
  printf("# bash completion for dyt %s\n"
         "_dyt() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words=\n"
         "  case $([ \"$COMP_CWORD\" = 1 ] || echo \"${COMP_WORDS[1]}\") in\n"
         "    '') words=\"",
         DYT_VERSION);
  for (int i = 0; i < p->n; i++) printf("%s ", p->commands[i].name);
  printf("--help --version\" ;;\n");
  for (int i = 0; i < p->n; i++) {
    char name[32], page[] = "--help-bash";
    snprintf(name, sizeof name, "%s", p->commands[i].name);
    p->commands[i].run(&p->commands[i], 2, (char *[]){name, page, NULL});
  }
  printf("  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "}\n"
         "complete -o default -F _dyt dyt\n");
}
