/* net/cli/main.c -- maille: the command line. Finds the command, reads its options, runs it. */
#include <getopt.h>
#include <limits.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/cli/command.h"

static const struct cli_option common[] = {
    {"json", NULL, "répond en JSON", false},
    {"home", "DOSSIER", "le dossier de Maille (sinon $MAILLE_HOME)", false},
    {"org", "ID", "la structure, quand le poste en a plusieurs", false},
    {"passphrase-fd", "N", "lit la phrase de passe sur ce descripteur", false},
    {"token-fd", "N", "lit le jeton de session sur ce descripteur", false},
    {"help", NULL, "montre l'aide de la commande", false},
    {NULL, NULL, NULL, false},
};
enum { COMMON_JSON, COMMON_HOME, COMMON_ORG, COMMON_PASSPHRASE, COMMON_TOKEN, COMMON_HELP };

void cli_each_command(void (*each)(void *user, const struct cli_command *command), void *user)
{
    for (size_t t = 0; cli_tables[t] != NULL; t++) {
        for (const struct cli_command *c = cli_tables[t]; c->words != NULL; c++) {
            each(user, c);
        }
    }
}

int cli_usage(const struct cli *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("maille : ", stderr);
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is just above
    vfprintf(stderr, format, args);
    va_end(args);
    if (c->command == NULL) {
        fputs("\nmaille --help montre les commandes.\n", stderr);
    } else {
        fprintf(stderr, "\nmaille %s --help montre comment s'en servir.\n", c->command->words);
    }
    return CLI_USAGE;
}

static size_t options_count(const struct cli_option *o)
{
    size_t n = 0;
    while (o != NULL && o[n].name != NULL) {
        n++;
    }
    return n;
}

const char *cli_option_value(const struct cli *c, const char *name)
{
    for (size_t i = 0; i < options_count(c->command->options); i++) {
        if (strcmp(c->command->options[i].name, name) == 0) {
            return c->given[i];
        }
    }
    return NULL;
}

/* How many of argv's first words are the command's: 0 when it is another one. */
static int words_match(const struct cli_command *command, int argc, char **argv)
{
    char words[64];
    int n = 0;
    snprintf(words, sizeof(words), "%s", command->words);
    char *rest = NULL;
    for (char *word = strtok_r(words, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        if (n >= argc || strcmp(argv[n], word) != 0) {
            return 0;
        }
        n++;
    }
    return n;
}

struct search {
    int argc;
    char **argv;
    const struct cli_command *found;
    int words;
};

static void search_one(void *user, const struct cli_command *command)
{
    struct search *s = user;
    int n = words_match(command, s->argc, s->argv);
    if (n > s->words) {
        s->found = command;
        s->words = n;
    }
}

static void options_long(struct option *out, const struct cli_option *options, int first)
{
    for (size_t i = 0; i < options_count(options); i++) {
        out[i] = (struct option){options[i].name,
                                 options[i].value == NULL ? no_argument : required_argument, NULL,
                                 first + (int)i};
    }
}

/* -1: no number of a descriptor. */
static int descriptor_of(const char *value)
{
    char *end = NULL;
    long n = strtol(value, &end, 10);
    return end == value || *end != '\0' || n < 0 || n > INT_MAX ? -1 : (int)n;
}

static bool common_take(struct cli *c, int which, const char *value)
{
    switch (which) {
    case COMMON_JSON:
        c->json = true;
        return true;
    case COMMON_HOME:
        c->home = value;
        return true;
    case COMMON_ORG:
        c->org = value;
        return true;
    case COMMON_PASSPHRASE:
        c->passphrase_fd = descriptor_of(value);
        return true;
    case COMMON_TOKEN:
        c->token_fd = descriptor_of(value);
        return true;
    default:
        return false;
    }
}

enum { FIRST_COMMON = 1000, FIRST_OWN = 2000 };

static void own_take(struct cli *c, size_t i, const char *value)
{
    c->given[i] = value == NULL ? "" : value;
    if (c->command->options[i].repeats) {
        c->repeated[c->repeated_count++] = c->given[i];
    }
}

/* Reads the options; CLI_DONE to go on, *help when it was asked for. */
static int options_take(struct cli *c, int argc, char **argv, bool *help)
{
    struct option longs[CLI_OPTIONS_MAX + 8] = {{0}};
    int which = 0;
    options_long(longs, common, FIRST_COMMON);
    options_long(longs + options_count(common), c->command->options, FIRST_OWN);
    opterr = 0;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the command line has one thread
    while ((which = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
        if (which == '?' || which == ':') {
            return cli_usage(c, "option %s : %s", argv[optind - 1],
                             which == ':' ? "il manque sa valeur" : "inconnue");
        }
        int common_option = which - FIRST_COMMON;
        if ((common_option == COMMON_PASSPHRASE || common_option == COMMON_TOKEN) &&
            descriptor_of(optarg) < 0) {
            return cli_usage(c, "« %s » n'est pas un descripteur", optarg);
        }
        if (which >= FIRST_OWN) {
            own_take(c, (size_t)(which - FIRST_OWN), optarg);
        } else if (!common_take(c, common_option, optarg)) {
            *help = true;
        }
    }
    c->operands = argv + optind;
    c->operand_count = argc - optind;
    return CLI_DONE;
}

static int command_run(struct cli *c, int argc, char **argv)
{
    bool help = false;
    int rc = options_take(c, argc, argv, &help);
    if (rc == CLI_DONE && help) {
        return cli_print_help(c->command);
    }
    if (rc == CLI_DONE) {
        rc = c->command->run(c);
    }
    ml_client_close(c->client);
    return rc;
}

int main(int argc, char **argv)
{
    struct cli c = {.passphrase_fd = -1, .token_fd = -1, .program = argv[0]};
    setlocale(LC_ALL, "");
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        if (argc > 2 && strcmp(argv[2], "--man") == 0) {
            return cli_print_man();
        }
        if (argc > 2 && strcmp(argv[2], "--completion") == 0) {
            return cli_print_completion();
        }
        int rc = cli_print_help(NULL);
        return argc < 2 ? CLI_USAGE : rc;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("maille " ML_VERSION);
        return CLI_DONE;
    }
    struct search s = {.argc = argc - 1, .argv = argv + 1};
    cli_each_command(search_one, &s);
    if (s.found == NULL) {
        return cli_usage(&c, "« %s » n'est pas une commande", argv[1]);
    }
    c.command = s.found;
    c.repeated = calloc((size_t)argc, sizeof(*c.repeated));
    if (c.repeated == NULL) {
        return CLI_FAILED;
    }
    int rc = command_run(&c, argc - s.words, argv + s.words);
    free(c.repeated);
    return rc;
}
