/* net/cli/command.h -- the table of commands: parsing, help, manual page and completion come from
 * it.
 *
 * A command is a row: its words, its options, what it calls and how its answer reads. Exit codes: 0
 * done, 1 refused or failed, 2 usage. Every command takes --json, --home, --org and --help.
 */
#ifndef ML_CLI_COMMAND_H
#define ML_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "maille/client.h"

enum { CLI_OPTIONS_MAX = 16, CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

struct cli_option {
    const char *name;  /* long, without dashes */
    const char *value; /* what it takes, NULL: nothing */
    const char *help;  /* French, one line */
    bool repeats;
};

struct cli;

struct cli_command {
    const char *words;                /* "org found" */
    const char *operands;             /* "PATIENT OBJET", NULL: none */
    const char *summary;              /* French, one line */
    const char *details;              /* French, for --help and the manual; NULL: none */
    const char *example;              /* one line, or NULL */
    const struct cli_option *options; /* ends with a NULL name; NULL: none of its own */
    int (*run)(struct cli *c);
};

/* One use of the program. */
struct cli {
    const struct cli_command *command;
    const char *program; /* argv[0], to find what lies beside it */
    bool json;
    const char *home;
    const char *org;
    int passphrase_fd; /* -1: ask on the terminal */
    int token_fd;
    char **operands;
    int operand_count;
    const char *given[CLI_OPTIONS_MAX]; /* by the command's options; "" for one without value */
    const char **repeated;              /* values of the option that repeats */
    size_t repeated_count;
    struct ml_client *client; /* open while the command runs, unless it needs none */
};

extern const struct cli_command *const cli_tables[]; /* ends with NULL; each table too */

/** Calls `each` for every command in the order of help. */
void cli_each_command(void (*each)(void *user, const struct cli_command *command), void *user);

/** The value of one of the command's options, NULL when it was not given. */
const char *cli_option_value(const struct cli *c, const char *name);

/** Prints why and how to get help; CLI_USAGE. */
int cli_usage(const struct cli *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Parameters with the structure filled in; the map is left open. */
struct ml_args *cli_params(const struct cli *c);
void cli_param(struct ml_args *a, const char *key, const char *value); /* NULL value: left out */
/** True under the name of an option that was given; else nothing. */
void cli_param_flag(const struct cli *c, struct ml_args *a, const char *name);

/** Closes and frees `params`, calls, prints an error as text or JSON. *answer is the caller's; NULL
 * unless CLI_DONE is returned. */
int cli_call(struct cli *c, const char *method, struct ml_args *params, struct ml_tree **answer);

/** The same, then the answer as JSON, or by `render`. */
typedef void cli_render(const struct cli *c, const struct ml_value *answer);
int cli_run_call(struct cli *c, const char *method, struct ml_args *params, cli_render *render);

/** The same, for what looks whether all is well: CLI_FAILED when the answer says that it isn't. */
struct cli_check {
    cli_render *render;
    bool (*is_sound)(const struct ml_value *answer);
};
int cli_run_check(struct cli *c, const char *method, struct ml_args *params,
                  struct cli_check check);

/** Ctrl-C cancels the call that waits, whose answer then says how far it came; a second one ends
 * the program. */
void cli_stoppable(struct cli *c);
bool cli_stopped(void);

/** Opens the client if it isn't; prints the error. */
bool cli_connect(struct cli *c);

/** A passphrase from --passphrase-fd or the terminal, without echo. Wiped and freed by
 * cli_passphrase_free. NULL: an error was printed. */
char *cli_passphrase(const struct cli *c, const char *prompt, bool twice);
void cli_passphrase_free(char *passphrase);

/* ---- printing ---- */

void cli_print_json(const struct ml_value *v);

struct cli_column {
    const char *key;
    const char *title;
};
/** Rows of a list of maps, as wide as they need; columns end with a NULL key. */
void cli_print_table(const struct ml_value *rows, const struct cli_column *columns);
/** "Titre : valeur" for each of the columns that the map has. */
void cli_print_map(const struct ml_value *map, const struct cli_column *columns);
/** "03/02/2026 10:42", of this machine's time zone; without a new line. */
void cli_print_time(int64_t ms);
/** Cells as text: numbers, yes and no, "" for nil. */
const char *cli_cell(const struct ml_value *v, char *buf, size_t size);

int cli_print_man(void);
int cli_print_completion(void);
int cli_print_help(const struct cli_command *command);

#endif
