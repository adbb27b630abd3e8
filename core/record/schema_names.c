/* core/record/schema_names.c -- what the kinds of the schema are called (schema.h). */
#include "core/record/schema.h"

static const char *name_at(const char *const *names, size_t count, size_t i)
{
    return i < count && names[i] != NULL ? names[i] : "?";
}

#define NAME_AT(names, i) name_at((names), sizeof(names) / sizeof((names)[0]), (size_t)(i))

const char *ml_field_type_name(ml_field_type type)
{
    static const char *const names[] = {[ML_TYPE_TEXT] = "text",
                                        [ML_TYPE_BOOL] = "bool",
                                        [ML_TYPE_INT] = "int",
                                        [ML_TYPE_DECIMAL] = "decimal",
                                        [ML_TYPE_QUANTITY] = "quantity",
                                        [ML_TYPE_CODE] = "code",
                                        [ML_TYPE_CONCEPT] = "concept",
                                        [ML_TYPE_DATE] = "date",
                                        [ML_TYPE_INSTANT] = "instant",
                                        [ML_TYPE_PERIOD] = "period",
                                        [ML_TYPE_REF] = "ref",
                                        [ML_TYPE_IDENTIFIER] = "identifier",
                                        [ML_TYPE_NAME] = "name",
                                        [ML_TYPE_ADDRESS] = "address",
                                        [ML_TYPE_CONTACT] = "contact",
                                        [ML_TYPE_DOSAGE] = "dosage",
                                        [ML_TYPE_COMPONENT] = "component",
                                        [ML_TYPE_VALUE] = "value",
                                        [ML_TYPE_ATTACHMENT] = "attachment"};
    return NAME_AT(names, type);
}

const char *ml_merge_name(ml_merge merge)
{
    static const char *const names[] = {
        [ML_MERGE_EVENT] = "event",       [ML_MERGE_SET] = "set",
        [ML_MERGE_REGISTER] = "register", [ML_MERGE_ATOMIC] = "atomic",
        [ML_MERGE_ASSERT] = "assert",     [ML_MERGE_STATE] = "state",
        [ML_MERGE_DENY] = "deny",         [ML_MERGE_FIXED] = "fixed"};
    return NAME_AT(names, merge);
}

const char *ml_severity_name(ml_severity severity)
{
    static const char *const names[] = {"none", "low", "medium", "high", "critical"};
    return NAME_AT(names, severity);
}

const char *ml_search_name(ml_search search)
{
    static const char *const names[] = {"none", "text", "name", "birth_date", "identifier"};
    return NAME_AT(names, search);
}

const char *ml_compartment_name(ml_compartment compartment)
{
#define X(name, number, text) [number] = (text),
    static const char *const names[] = {ML_COMPARTMENT_MAP(X)};
#undef X
    return NAME_AT(names, compartment);
}
