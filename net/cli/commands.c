/* net/cli/commands.c -- the tables in the order of help. */
#include "net/cli/command.h"
#include "net/cli/tables.h"

const struct cli_command *const cli_tables[] = {
    cli_commands_org,        cli_commands_recover,   cli_commands_patient, cli_commands_record,
    cli_commands_document,   cli_commands_import,    cli_commands_sync,    cli_commands_log,
    cli_commands_quarantine, cli_commands_right,     cli_commands_govern,  cli_commands_team,
    cli_commands_trace,      cli_commands_glass,     cli_commands_schema,  cli_commands_consent,
    cli_commands_key,        cli_commands_retention, cli_commands_doctor,  NULL,
};
