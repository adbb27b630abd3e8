/* net/cli/sheets.h -- the sheets of a structure: shown, written to print, typed again. */
#ifndef ML_CLI_SHEETS_H
#define ML_CLI_SHEETS_H

#include "net/cli/command.h"

/** « 3/5 » of an option as need and count; nothing when it is NULL. False when it is neither
 * (said). */
bool cli_param_plan(struct cli *c, struct ml_args *params, const char *value);

/** Shows "shares" of an answer one after the other, with a QR code on --qr; a person at a terminal
 * is waited for between two. With --print: writes a sheet (SVG) and a code (PNG) each into that
 * folder, which it makes, and shows no words. */
void cli_show_sheets(const struct cli *c, const struct ml_value *answer);

/** Reads sheets from standard input, one a line, asked for at a terminal, until an empty line or
 * the end, as "shares" of params. False: none came (said). */
bool cli_param_sheets(struct ml_args *params);

/** At a terminal: waits until this sheet is put away. */
void cli_wait_for_sheet(void);

#endif
