/* core/model/verdict.c -- see verdict.h. */
#include "core/model/verdict.h"

#include <stddef.h>

static const struct {
    ml_reason reason;
    const char *name;
    const char *text;
} reasons[] = {
#define X(name, number, text) {ML_REASON_##name, #name, text},
    ML_REASON_MAP(X)
#undef X
};

static size_t reason_row(ml_reason reason)
{
    size_t i = 0;
    while (i < sizeof(reasons) / sizeof(reasons[0]) && reasons[i].reason != reason) {
        i++;
    }
    return i;
}

const char *ml_reason_text(ml_reason reason)
{
    size_t row = reason_row(reason);
    return row < sizeof(reasons) / sizeof(reasons[0]) ? reasons[row].text : "?";
}

const char *ml_reason_name(ml_reason reason)
{
    size_t row = reason_row(reason);
    return row < sizeof(reasons) / sizeof(reasons[0]) ? reasons[row].name : "?";
}

const char *ml_verdict_name(ml_verdict verdict)
{
    switch (verdict) {
    case ML_VERDICT_PENDING:
        return "pending";
    case ML_VERDICT_ACCEPTED:
        return "accepted";
    case ML_VERDICT_QUARANTINED:
        return "quarantined";
    }
    return "?";
}
