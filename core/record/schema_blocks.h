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
    X(clinical)                                                                                    \
    X(measure)

#define X(name) extern const struct ml_schema_block ml_schema_block_##name;
ML_SCHEMA_BLOCK_MAP(X)
#undef X

#endif
