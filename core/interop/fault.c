/* core/interop/fault.c -- see fault.h. */
#include "core/interop/fault.h"

#include <inttypes.h>
#include <stdio.h>

struct fault_row {
    const char *name;
    const char *text;
};

static const struct fault_row rows[] = {
#define X(name, text) {#name, text},
    ML_IMPORT_FAULT_MAP(X)
#undef X
};

static const struct fault_row *fault_row(ml_import_fault_kind kind)
{
    size_t i = (size_t)kind;
    return &rows[i < sizeof(rows) / sizeof(rows[0]) ? i : 0];
}

const char *ml_import_fault_text(ml_import_fault_kind kind)
{
    return fault_row(kind)->text;
}

const char *ml_import_fault_name(ml_import_fault_kind kind)
{
    return fault_row(kind)->name;
}

void ml_import_fault_describe(char *out, size_t size, const struct ml_import_fault *fault)
{
    const char *text = ml_import_fault_text(fault->kind);
    if (fault->line == 0) {
        snprintf(out, size, "%s", text);
        return;
    }
    snprintf(out, size, "ligne %" PRIu32 ", colonne %" PRIu32 "%s%s : %s", fault->line,
             fault->column, fault->place[0] != '\0' ? ", " : "", fault->place, text);
}
