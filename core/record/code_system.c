/* core/record/code_system.c -- see code_system.h. */
#include "core/record/code_system.h"

#include <string.h>

struct code_system {
    uint32_t number;
    const char *uri;
    const char *name;
};

static const struct code_system systems[] = {
#define X(number, uri, name) {number, uri, name},
    ML_CODE_SYSTEM_MAP(X)
#undef X
};

#define SYSTEM_COUNT (sizeof(systems) / sizeof(systems[0]))

static const struct code_system *system_numbered(uint32_t number)
{
    for (size_t i = 0; i < SYSTEM_COUNT; i++) {
        if (systems[i].number == number) {
            return &systems[i];
        }
    }
    return NULL;
}

uint32_t ml_code_system_number(struct ml_slice uri)
{
    for (size_t i = 0; i < SYSTEM_COUNT; i++) {
        if (ml_slice_equal(ml_slice_str(systems[i].uri), uri)) {
            return systems[i].number;
        }
    }
    return 0;
}

const char *ml_code_system_uri(uint32_t number)
{
    const struct code_system *found = system_numbered(number);
    return found != NULL ? found->uri : NULL;
}

const char *ml_code_system_name(uint32_t number)
{
    const struct code_system *found = system_numbered(number);
    return found != NULL ? found->name : NULL;
}

const struct ml_value_set_item *ml_value_set_find(const struct ml_value_set *set,
                                                  struct ml_slice code)
{
    for (size_t i = 0; i < set->item_count; i++) {
        if (ml_slice_equal(ml_slice_str(set->items[i].code), code)) {
            return &set->items[i];
        }
    }
    return NULL;
}
