/* core/record/schema.c -- gathers the blocks once, sorts them, and looks entries up.
 *
 * Happy path: the first caller gathers under pthread_once; lookups by number are binary searches.
 * A number or a name used twice, or fields out of order, are faults of the tables that a unit test
 * shows at once: they stop the program (ML_ASSERT), since ops would be written under a wrong name.
 */
#include "core/record/schema.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/record/schema_blocks.h"

static const struct ml_entity *all_entities[ML_SCHEMA_ENTITIES_MAX];
static const struct ml_value_set *all_value_sets[ML_SCHEMA_VALUE_SETS_MAX];
static struct ml_schema builtin;

static int entity_order(const void *a, const void *b)
{
    const struct ml_entity *const *x = a;
    const struct ml_entity *const *y = b;
    return (int)(*x)->id - (int)(*y)->id;
}

static int value_set_order(const void *a, const void *b)
{
    const struct ml_value_set *const *x = a;
    const struct ml_value_set *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static void block_add(const struct ml_schema_block *block)
{
    ML_ASSERT(builtin.entity_count + block->entity_count <= ML_SCHEMA_ENTITIES_MAX);
    ML_ASSERT(builtin.value_set_count + block->value_set_count <= ML_SCHEMA_VALUE_SETS_MAX);
    for (size_t i = 0; i < block->entity_count; i++) {
        all_entities[builtin.entity_count++] = block->entities[i];
    }
    for (size_t i = 0; i < block->value_set_count; i++) {
        all_value_sets[builtin.value_set_count++] = block->value_sets[i];
    }
}

static bool tables_are_unique(void)
{
    bool unique = true;
    for (size_t i = 1; i < builtin.entity_count; i++) {
        unique = unique && all_entities[i - 1]->id < all_entities[i]->id;
    }
    for (size_t i = 1; i < builtin.value_set_count; i++) {
        unique = unique && strcmp(all_value_sets[i - 1]->name, all_value_sets[i]->name) < 0;
    }
    return unique;
}

static void schema_gather(void)
{
#define X(name) block_add(&ml_schema_block_##name);
    ML_SCHEMA_BLOCK_MAP(X)
#undef X
    qsort(all_entities, builtin.entity_count, sizeof(void *), entity_order);
    qsort(all_value_sets, builtin.value_set_count, sizeof(void *), value_set_order);
    ML_ASSERT(tables_are_unique());
    builtin.entities = all_entities;
    builtin.value_sets = all_value_sets;
}

const struct ml_schema *ml_schema_builtin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int rc = pthread_once(&once, schema_gather);
    ML_ASSERT(rc == 0);
    return &builtin;
}

const struct ml_entity *ml_schema_entity(const struct ml_schema *schema, uint16_t id)
{
    size_t low = 0;
    size_t high = schema->entity_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (schema->entities[mid]->id < id) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    bool found = low < schema->entity_count && schema->entities[low]->id == id;
    return found ? schema->entities[low] : NULL;
}

const struct ml_entity *ml_schema_entity_named(const struct ml_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->entity_count; i++) {
        if (strcmp(schema->entities[i]->name, name) == 0) {
            return schema->entities[i];
        }
    }
    return NULL;
}

const struct ml_field *ml_entity_field(const struct ml_entity *entity, uint16_t id)
{
    for (size_t i = 0; i < entity->field_count; i++) {
        if (entity->fields[i].id == id) {
            return &entity->fields[i];
        }
    }
    return NULL;
}

const struct ml_field *ml_entity_field_named(const struct ml_entity *entity, const char *name)
{
    for (size_t i = 0; i < entity->field_count; i++) {
        if (strcmp(entity->fields[i].name, name) == 0) {
            return &entity->fields[i];
        }
    }
    return NULL;
}

const struct ml_value_set *ml_schema_value_set(const struct ml_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->value_set_count; i++) {
        if (strcmp(schema->value_sets[i]->name, name) == 0) {
            return schema->value_sets[i];
        }
    }
    return NULL;
}

uint16_t ml_field_slot(const struct ml_field *field)
{
    if (field->merge == ML_MERGE_FIXED) {
        return 0;
    }
    return field->merge == ML_MERGE_ATOMIC && field->group != 0 ? field->group : field->id;
}
