/* tests/sim/sim_value.c -- a value for any field of the schema, as a client gives it. */
#include <stdio.h>

#include "sim.h"

static void text_put(struct sim *s, struct ml_args *a)
{
    static const char *const words[] = {"douleur", "repos", "œdème",  "stable", "à revoir",
                                        "fièvre",  "toux",  "normal", "gêne",   "amélioré"};
    char text[96];
    snprintf(text, sizeof(text), "%s, %s (%u)", words[sim_below(s, 10)], words[sim_below(s, 10)],
             (unsigned)sim_below(s, 1000000));
    ml_args_text(a, text);
}

static void date_put(struct sim *s, struct ml_args *a, bool with_time)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "20%02u-%02u-%02u", (unsigned)(10 + sim_below(s, 16)),
                       (unsigned)(1 + sim_below(s, 12)), (unsigned)(1 + sim_below(s, 28)));
    if (with_time) {
        snprintf(text + len, sizeof(text) - (size_t)len, "T%02u:%02u", (unsigned)sim_below(s, 24),
                 (unsigned)sim_below(s, 60));
    }
    ml_args_text(a, text);
}

static void pair(struct ml_args *a, const char *key, const char *value)
{
    ml_args_key(a, key);
    ml_args_text(a, value);
}

static void number_put(struct sim *s, struct ml_args *a)
{
    char text[32];
    snprintf(text, sizeof(text), "%u.%u", (unsigned)sim_below(s, 200), (unsigned)sim_below(s, 10));
    ml_args_text(a, text);
}

static void quantity_put(struct sim *s, struct ml_args *a, const struct ml_field *field)
{
    ml_args_map(a);
    ml_args_key(a, "value");
    number_put(s, a);
    pair(a, "unit", field->unit == NULL ? "mg" : field->unit);
    ml_args_end(a);
}

/* Of the field's list, or free. */
static void code_put(struct sim *s, struct ml_args *a, const struct ml_field *field)
{
    const struct ml_value_set *set =
        field->value_set == NULL ? NULL
                                 : ml_schema_value_set(ml_schema_builtin(), field->value_set);
    if (set != NULL && set->item_count > 0) {
        ml_args_text(a, set->items[sim_below(s, set->item_count)].code);
        return;
    }
    ml_args_map(a);
    pair(a, "system", "http://loinc.org");
    pair(a, "code", sim_chance(s, 500) ? "8480-6" : "8462-4");
    pair(a, "display", "mesure");
    ml_args_end(a);
}

static void structured_put(struct sim *s, struct ml_args *a, const struct ml_field *field)
{
    ml_args_map(a);
    if (field->type == ML_TYPE_PERIOD) {
        ml_args_key(a, "start");
        date_put(s, a, false);
    } else if (field->type == ML_TYPE_IDENTIFIER) {
        pair(a, "system", "urn:oid:1.2.250.1.213.1.4.8");
        ml_args_key(a, "value");
        number_put(s, a);
    } else if (field->type == ML_TYPE_NAME) {
        pair(a, "use", "usual");
        pair(a, "family", sim_chance(s, 500) ? "LEFÈVRE" : "d'Hérouville");
    } else if (field->type == ML_TYPE_ADDRESS) {
        pair(a, "city", sim_chance(s, 500) ? "Saint-Étienne" : "Le Mans");
        pair(a, "postal_code", "72000");
    } else if (field->type == ML_TYPE_CONTACT) {
        pair(a, "medium", "phone");
        ml_args_key(a, "value");
        number_put(s, a);
    } else if (field->type == ML_TYPE_DOSAGE) {
        ml_args_key(a, "text");
        text_put(s, a);
    } else { /* ML_TYPE_COMPONENT */
        ml_args_key(a, "concept");
        ml_args_map(a);
        ml_args_key(a, "text");
        text_put(s, a);
        ml_args_end(a);
        ml_args_key(a, "value");
        ml_args_int(a, (int64_t)sim_below(s, 200));
    }
    ml_args_end(a);
}

void sim_value_put(struct sim *s, struct ml_args *a, const struct ml_field *field)
{
    switch ((int)field->type) {
    case ML_TYPE_TEXT:
        text_put(s, a);
        break;
    case ML_TYPE_BOOL:
        ml_args_bool(a, sim_chance(s, 500));
        break;
    case ML_TYPE_INT:
        ml_args_int(a, (int64_t)sim_below(s, 100));
        break;
    case ML_TYPE_DECIMAL:
        number_put(s, a);
        break;
    case ML_TYPE_QUANTITY:
    case ML_TYPE_VALUE:
        quantity_put(s, a, field);
        break;
    case ML_TYPE_CODE:
        code_put(s, a, field);
        break;
    case ML_TYPE_CONCEPT:
        if (field->value_set != NULL) {
            code_put(s, a, field);
        } else {
            ml_args_map(a);
            ml_args_key(a, "text");
            text_put(s, a);
            ml_args_end(a);
        }
        break;
    case ML_TYPE_DATE:
        date_put(s, a, false);
        break;
    case ML_TYPE_INSTANT:
        date_put(s, a, true);
        break;
    default:
        structured_put(s, a, field);
        break;
    }
}
