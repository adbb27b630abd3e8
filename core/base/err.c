/* core/base/err.c -- text, name and class of every error code, generated from ML_ERR_MAP. */
#include "maille/err.h"

#include <stddef.h>

static const struct {
    ml_err_class class;
    const char *name;
    const char *text;
} table[] = {[ML_OK] = {ML_CLASS_NONE, "OK", "success"},
#define X(name_, class_, text_) [ML_E_##name_] = {ML_CLASS_##class_, #name_, text_},
             ML_ERR_MAP(X)
#undef X
};

static size_t index_of(ml_err err)
{
    size_t i = (size_t)err;
    return i < sizeof(table) / sizeof(table[0]) ? i : ML_E_CORRUPT;
}

ml_err_class ml_err_class_of(ml_err err)
{
    return table[index_of(err)].class;
}

const char *ml_err_name(ml_err err)
{
    return table[index_of(err)].name;
}

const char *ml_err_text(ml_err err)
{
    return table[index_of(err)].text;
}
