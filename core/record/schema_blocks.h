/* core/record/schema_blocks.h -- the blocks that ml_schema_builtin gathers. A block is one file
 * schema_<block>.c that defines ml_schema_block_<block>; a new block is a line here, a new entity
 * is an entry in its block's file and nothing else. Order is free: lookups sort by id. */
#ifndef ML_RECORD_SCHEMA_BLOCKS_H
#define ML_RECORD_SCHEMA_BLOCKS_H

#include "core/record/schema.h"

#define ML_SCHEMA_ENTITIES_MAX   512u
#define ML_SCHEMA_VALUE_SETS_MAX 512u

struct ml_schema_block {
    const struct ml_entity *const *entities;
    size_t entity_count;
    const struct ml_value_set *const *value_sets;
    size_t value_set_count;
};

#define ML_SCHEMA_BLOCK_MAP(X)                                                                     \
    X(identity)                                                                                    \
    X(directory)                                                                                   \
    X(visit)                                                                                       \
    X(history)                                                                                     \
    X(treatment)                                                                                   \
    X(measure)                                                                                     \
    X(act)                                                                                         \
    X(plan)                                                                                        \
    X(document)

#define X(name) extern const struct ml_schema_block ml_schema_block_##name;
ML_SCHEMA_BLOCK_MAP(X)
#undef X

/* The words in which the tables of the blocks are written; included by nothing else. */
#define ML_COUNT_OF(array)  (sizeof(array) / sizeof((array)[0]))
#define ID(number, word)    .id = (number), .name = (word)
#define REGISTER(kind)      .type = ML_TYPE_##kind, .merge = ML_MERGE_REGISTER
#define FIXED(kind)         .type = ML_TYPE_##kind, .merge = ML_MERGE_FIXED
#define ASSERT(kind)        .type = ML_TYPE_##kind, .merge = ML_MERGE_ASSERT
#define ATOMIC(kind, first) .type = ML_TYPE_##kind, .merge = ML_MERGE_ATOMIC, .group = (first)
#define LIST                .list = true
#define REQUIRED            .required = true
#define SEVERITY(level)     .severity = ML_SEVERITY_##level
#define SEARCH(kind)        .search = ML_SEARCH_##kind
#define FORM(order)         .form_order = (order)
#define CODES(set)          .value_set = (set)
#define REFERS(entities)    .ref = (entities)
#define UNIT(ucum)          .unit = (ucum)
#define LABELS(fr, en)      .label_fr = (fr), .label_en = (en)
#define HELP(fr)            .help_fr = (fr)
#define FHIR(path)          .fhir = (path)
#define FIELDS(array)       .fields = (array), .field_count = ML_COUNT_OF(array)
#define ITEMS(array)        .items = (array), .item_count = ML_COUNT_OF(array)
#define DROPS(array)        .fhir_drops = (array), .fhir_drop_count = ML_COUNT_OF(array)
#define ENTITIES(array)     .entities = (array), .entity_count = ML_COUNT_OF(array)
#define SETS(array)         .value_sets = (array), .value_set_count = ML_COUNT_OF(array)

#endif
