/* net/cli/tables.h -- one table a file; each ends with a row without words. */
#ifndef ML_CLI_TABLES_H
#define ML_CLI_TABLES_H

#include "net/cli/command.h"

extern const struct cli_command cli_commands_org[];      /* structure, members, session */
extern const struct cli_command cli_commands_recover[];  /* sheets, another passphrase */
extern const struct cli_command cli_commands_patient[];  /* reading */
extern const struct cli_command cli_commands_record[];   /* writing, conflicts */
extern const struct cli_command cli_commands_import[];   /* import, gen, demo */
extern const struct cli_command cli_commands_sync[];     /* peers, exchanges */
extern const struct cli_command cli_commands_log[];      /* verify, log */
extern const struct cli_command cli_commands_document[]; /* files of the record */
extern const struct cli_command cli_commands_quarantine[];
extern const struct cli_command cli_commands_right[];
extern const struct cli_command cli_commands_trace[]; /* traces */
extern const struct cli_command cli_commands_glass[]; /* emergency access */
extern const struct cli_command cli_commands_govern[];
extern const struct cli_command cli_commands_team[];
extern const struct cli_command cli_commands_consent[];
extern const struct cli_command cli_commands_schema[];    /* what a record may hold */
extern const struct cli_command cli_commands_key[];       /* groups' keys */
extern const struct cli_command cli_commands_retention[]; /* how long records are kept */
extern const struct cli_command cli_commands_doctor[];

/** Adds {fields: ...} from each --set FIELD=VALUE (`c->repeated`) and, with --stdin, a JSON object
 * on standard input. Prints what is wrong; CLI_DONE, CLI_USAGE or CLI_FAILED. */
int cli_fields(struct cli *c, struct ml_args *params);

/** What is shown goes to paper or into a file: traced as that (rpc.md, `use`). */
#define CLI_USE_OPTIONS                                                                            \
    {"print", NULL, "pour imprimer : tracé comme une impression", false},                          \
    {                                                                                              \
        "export", NULL, "pour un fichier : tracé comme un export", false                           \
    }
void cli_param_use(const struct cli *c, struct ml_args *params);

/** A number of an option into params; false when it is none (said). */
bool cli_param_number(struct cli *c, struct ml_args *params, const char *key, const char *value);

/** A profession by its name or number into params.role; false when it is none (said). */
bool cli_param_role(struct cli *c, struct ml_args *params, const char *value);

/** Checks the count of operands; CLI_DONE or CLI_USAGE (said). `max` < 0: no end. */
int cli_operands(struct cli *c, int min, int max);

/** What a proposal of a coordinator still lacks, and who can sign it; nothing of another one. */
void cli_show_lacking(const struct ml_value *answer);

/** Text of a path in an answer, "" when there is none. */
const char *cli_text(const struct ml_value *map, const char *key);

#endif
