/* core/record/object.h -- one object as its versions say: life, registers, heads (docs/merge.md).
 *
 * A vault keeps an object as one row with all its versions, packed:
 *
 *   | bundle16 | index 1 | grey 1 | n u64be | hlc u64be | len u32be | plaintext of the op | ...
 *
 * in any order; nothing below depends on it. Pure; one thread at a time per object.
 */
#ifndef ML_RECORD_OBJECT_H
#define ML_RECORD_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/env.h"
#include "core/codec/change.h"
#include "core/model/merge.h"
#include "core/record/schema.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_OBJECT_BYTES_MAX ((size_t)64 << 20) /* all versions of one object */

/* X(NAME, number, text): why a version is greyed. The numbers are in the vault and in view_hash. */
#define ML_GREY_MAP(X)                                                                             \
    X(NONE, 0, "")                                                                                 \
    X(QUARANTINED, 1, "en quarantaine")                                                            \
    X(COMPARTMENT, 2, "classée dans un autre compartiment que son type")                           \
    X(ACTION, 3, "d'une autre action que celle annoncée")                                          \
    X(PATIENT, 4, "d'un autre patient que celui de son dossier")                                   \
    X(VALUE, 5, "d'une valeur qui n'est pas du type du champ")                                     \
    X(FIELD, 6, "sur un champ qui ne se modifie pas ainsi")

typedef enum ml_grey {
#define X(name, number, text) ML_GREY_##name = (number),
    ML_GREY_MAP(X)
#undef X
} ml_grey;

/** Static French text; "" for NONE. */
const char *ml_grey_text(uint8_t grey);

struct ml_obj_version {
    struct ml_version_id id;
    uint64_t n; /* ingest number of its bundle: local */
    uint64_t hlc;
    uint8_t grey; /* ml_grey */
    struct ml_slice plain;
    struct ml_change change; /* borrows plain */
    struct ml_version_id *seen;
    uint32_t seen_count;
};

struct ml_object {
    const struct ml_env *env;
    const struct ml_schema *schema; /* borrowed, as the entity */
    const struct ml_entity *entity;
    int64_t patient; /* a vault's row of its patient: where its references lead; 0: not from one */
    struct ml_obj_version *versions; /* owned */
    uint32_t count;
    struct ml_version_id *seen; /* owned: of all versions */
    struct ml_merge_graph *graph;
    bool *member;           /* scratch, count */
    ml_life_act *acts;      /* count */
    ml_version_rank *lives; /* count: ranks in the register of lives */
    struct ml_life_outcome life;
};

/** Appends a packed version. */
void ml_object_pack(struct ml_buf *out, const struct ml_obj_version *version);
/** Is this version in the packed bytes? */
bool ml_object_holds(struct ml_slice packed, const struct ml_version_id *id);
/** Decodes and merges lives. `packed` is borrowed. CORRUPT, NOMEM, LIMIT. */
ml_err ml_object_load(struct ml_object **out, const struct ml_env *env,
                      const struct ml_schema *schema, const struct ml_entity *entity,
                      struct ml_slice packed) ML_MUST_CHECK;
/** The object of one version that is decoded already, `change` too, which it borrows: what _load of
 * its packed form would give. NOMEM; CORRUPT: of an op type that this version doesn't know. */
ml_err ml_object_begin(struct ml_object **out, const struct ml_env *env,
                       const struct ml_schema *schema, const struct ml_entity *entity,
                       const struct ml_obj_version *version) ML_MUST_CHECK;
void ml_object_free(struct ml_object *o); /* NULL is allowed */

/* One register of an object. */
struct ml_register {
    uint16_t slot; /* 0: the whole value of an event */
    ml_severity severity;
    ml_version_rank *ranks;      /* owned, count of the object's versions */
    struct ml_merge_head *heads; /* owned; values of atomic groups are packed, see value_of */
    uint32_t *head_versions;     /* owned: index of each head's version */
    uint32_t head_count;
    struct ml_merge_outcome outcome;
    struct ml_buf groups; /* bytes of the packed values */
};

ml_err ml_object_register(struct ml_object *o, uint16_t slot,
                          struct ml_register *out) ML_MUST_CHECK;
void ml_register_free(const struct ml_object *o, struct ml_register *r);

/** Do several versions write this register? Else it can't be in conflict. */
bool ml_object_contested(const struct ml_object *o, uint16_t slot);

/** What version `i` says of one field: false when it says nothing. */
bool ml_object_value(const struct ml_object *o, uint32_t i, const struct ml_field *field,
                     struct ml_slice *value);

/** Calls for each register that this entity has, 0 first for an EVENT; an error ends the walk. */
typedef ml_err ml_slot_cb(void *user, uint16_t slot, const struct ml_field *first);
ml_err ml_entity_slots(const struct ml_entity *entity, ml_slot_cb *each, void *user) ML_MUST_CHECK;

struct ml_shown {
    struct ml_slice value; /* borrowed from the object */
    uint32_t version;      /* whose it is */
    bool found;            /* false: no counting version says anything of the field */
    bool conflict;         /* others stand beside it */
};

/** The value of `field` to show: of the head that stands above, or of several in conflict the one
 * with the smallest version id. NOMEM. */
ml_err ml_object_shown(struct ml_object *o, const struct ml_field *field,
                       struct ml_shown *out) ML_MUST_CHECK;

/** Time of care: of the change, else of the entity's field, else when it was recorded. NOMEM. */
ml_err ml_object_effective(struct ml_object *o, struct ml_instant *out) ML_MUST_CHECK;

/** What this op type does to an object's life. False: an op type that this version doesn't know. */
bool ml_life_act_of(const struct ml_entity *entity, uint8_t change_type, ml_life_act *act);

#endif
