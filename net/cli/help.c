/* net/cli/help.c -- help, manual page and completion, all from the table of commands. */
#include <stdio.h>
#include <string.h>

#include "net/cli/command.h"

static void summary_print(void *user, const struct cli_command *c)
{
    (void)user;
    printf("  %-20s %s\n", c->words, c->summary);
}

static void options_print(const struct cli_option *o)
{
    for (; o != NULL && o->name != NULL; o++) {
        char left[48];
        snprintf(left, sizeof(left), "--%s%s%s", o->name, o->value == NULL ? "" : " ",
                 o->value == NULL ? "" : o->value);
        printf("  %-28s %s%s\n", left, o->help, o->repeats ? " (plusieurs fois)" : "");
    }
}

int cli_print_help(const struct cli_command *command)
{
    if (command == NULL) {
        puts("maille -- le dossier partagé de la maison de santé, en pair à pair\n\n"
             "Usage : maille COMMANDE [OPTIONS] [...]\n\nCommandes :");
        cli_each_command(summary_print, NULL);
        puts("\nPour toutes : --json, --home DOSSIER, --org ID, --passphrase-fd N, --token-fd N,\n"
             "--help. Codes de fin : 0 fait, 1 refusé ou échoué, 2 mal appelé.\n"
             "maille COMMANDE --help en dit plus ; maille help --man écrit la page de manuel,\n"
             "maille help --completion la complétion pour bash.");
        return CLI_DONE;
    }
    printf("Usage : maille %s%s%s%s\n\n%s.\n", command->words,
           command->options == NULL ? "" : " [OPTIONS]", command->operands == NULL ? "" : " ",
           command->operands == NULL ? "" : command->operands, command->summary);
    if (command->details != NULL) {
        printf("\n%s\n", command->details);
    }
    if (command->options != NULL) {
        puts("\nOptions :");
        options_print(command->options);
    }
    if (command->example != NULL) {
        printf("\nExemple :\n  %s\n", command->example);
    }
    return CLI_DONE;
}

/* A line that begins with a dot or a quote would be a command of roff. */
static void roff_text(const char *text)
{
    bool at_start = true;
    for (const char *p = text; *p != '\0'; p++) {
        if (at_start && (*p == '.' || *p == '\'')) {
            fputs("\\&", stdout);
        }
        if (*p == '\\') {
            fputs("\\e", stdout);
        } else if (*p == '-') {
            fputs("\\-", stdout);
        } else {
            fputc(*p, stdout);
        }
        at_start = *p == '\n';
    }
    fputc('\n', stdout);
}

static void command_man(void *user, const struct cli_command *c)
{
    (void)user;
    printf(".SS maille %s", c->words);
    printf("%s%s\n", c->operands == NULL ? "" : " ", c->operands == NULL ? "" : c->operands);
    roff_text(c->summary);
    if (c->details != NULL) {
        puts(".PP");
        roff_text(c->details);
    }
    for (const struct cli_option *o = c->options; o != NULL && o->name != NULL; o++) {
        printf(".TP\n\\fB\\-\\-%s\\fR%s%s\n", o->name, o->value == NULL ? "" : " ",
               o->value == NULL ? "" : o->value);
        roff_text(o->help);
    }
    if (c->example != NULL) {
        puts(".PP\n.EX");
        roff_text(c->example);
        puts(".EE");
    }
}

int cli_print_man(void)
{
    puts(".TH MAILLE 1 \"\" \"maille " ML_VERSION "\" \"Maille\"\n"
         ".SH NOM\nmaille \\- le dossier partagé de la maison de santé, en pair à pair\n"
         ".SH SYNOPSIS\n\\fBmaille\\fR \\fICOMMANDE\\fR [\\fIOPTIONS\\fR] [...]\n"
         ".SH DESCRIPTION\nParle à \\fBmailled\\fR, qui tient les dossiers de ce poste, par une "
         "socket locale, et le démarre s'il ne tourne pas. Toutes les commandes prennent "
         "\\-\\-json, \\-\\-home, \\-\\-org, \\-\\-passphrase\\-fd, \\-\\-token\\-fd et "
         "\\-\\-help.\n"
         ".SH COMMANDES");
    cli_each_command(command_man, NULL);
    puts(".SH CODES DE FIN\n0 : fait. 1 : refusé ou échoué. 2 : mal appelé.\n"
         ".SH FICHIERS\n$MAILLE_HOME, sinon $XDG_DATA_HOME/maille : le journal, les coffres et le "
         "trousseau, chiffrés.");
    return CLI_DONE;
}

static void command_completion(void *user, const struct cli_command *c)
{
    (void)user;
    printf("  '%s') options='--json --home --org --passphrase-fd --token-fd --help", c->words);
    for (const struct cli_option *o = c->options; o != NULL && o->name != NULL; o++) {
        printf(" --%s", o->name);
    }
    puts("' ;;");
}

static void command_words(void *user, const struct cli_command *c)
{
    (void)user;
    printf("%s\n", c->words);
}

int cli_print_completion(void)
{
    puts("# bash completion for maille; made by `maille help --completion`\n"
         "_maille_commands='");
    cli_each_command(command_words, NULL);
    puts("'\n_maille() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} first=${COMP_WORDS[1]} two options=''\n"
         "  two=\"$first ${COMP_WORDS[2]}\"\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
         "    COMPREPLY=($(compgen -W \"$(cut -d' ' -f1 <<< \"$_maille_commands\" | sort -u)\" -- "
         "\"$word\"))\n"
         "    return\n  fi\n"
         "  case $word in -*) ;; *)\n"
         "    if [ \"$COMP_CWORD\" -eq 2 ]; then\n"
         "      COMPREPLY=($(compgen -W \"$(sed -n \"s/^$first //p\" <<< \"$_maille_commands\")\" "
         "-- "
         "\"$word\"))\n"
         "      [ ${#COMPREPLY[@]} -gt 0 ] && return\n    fi ;;\n  esac\n"
         "  case $two in");
    cli_each_command(command_completion, NULL);
    puts("  esac\n"
         "  COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
         "  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$word\"))\n"
         "}\ncomplete -F _maille maille");
    return CLI_DONE;
}
