/* core/codec/change.h -- the plaintext of a record op (lane 3): one change of one object.
 *
 * Decoding is zero-copy. Unknown keys are kept in `extra` and written again (rules D1); unknown
 * entity types, fields and op types are no error here: who projects decides. Any thread.
 */
#ifndef ML_CODEC_CHANGE_H
#define ML_CODEC_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/wire.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_CHANGE_BYTES_MAX  49000u /* an op fits a body alone */
#define ML_CHANGE_VALUE_MAX  16384u /* larger values are chunks by hash (rules D3) */
#define ML_CHANGE_SEEN_MAX   256u
#define ML_CHANGE_REASON_MAX 4096u
#define ML_CHANGE_ORIGIN_MAX 512u

/* X(NAME, number, text). The numbers are on the wire; others are kept and relayed. */
#define ML_CHANGE_TYPE_MAP(X)                                                                      \
    X(CREATE, 1, "create")                                                                         \
    X(SET, 2, "set")                                                                               \
    X(AMEND, 3, "amend")                                                                           \
    X(VOID, 4, "void")                                                                             \
    X(ARCHIVE, 5, "archive")                                                                       \
    X(MOVE, 6, "move")                                                                             \
    X(RESTORE, 7, "restore")                                                                       \
    X(COSIGN, 8, "cosign")

typedef enum ml_change_type {
#define X(name, number, text) ML_CHANGE_##name = (number),
    ML_CHANGE_TYPE_MAP(X)
#undef X
} ml_change_type;

/* How exact an instant is; year .. second (rules D8). */
typedef enum ml_precision {
    ML_PRECISION_YEAR = 1,
    ML_PRECISION_MONTH = 2,
    ML_PRECISION_DAY = 3,
    ML_PRECISION_HOUR = 4,
    ML_PRECISION_MINUTE = 5,
    ML_PRECISION_SECOND = 6,
    ML_PRECISION_MILLISECOND = 7,
} ml_precision;

#define ML_OFFSET_MINUTES_MAX 1439

/** A time of care. precision 0: none is given, and the rest is 0. */
struct ml_instant {
    int64_t utc_ms;
    int16_t offset_min;
    uint8_t precision; /* ml_precision */
};

extern const struct ml_wire_format ml_format_instant;
extern const struct ml_wire_format ml_format_seen;
extern const struct ml_wire_format ml_format_change;

struct ml_change {
    uint16_t schema;
    uint8_t type;    /* ml_change_type, or a later one */
    uint16_t entity; /* schema entity id */
    struct ml_object_id object;
    uint16_t slot;         /* field id for set and move; 0: the object's life, or the whole event */
    struct ml_slice value; /* one canonical value; empty: none. create and amend: map of field id ->
                              value. set: value, or map for an atomic group */
    struct ml_list seen;   /* of ml_version_ref, sorted: the versions that this one replaces */
    struct ml_instant effective;
    struct ml_object_id author; /* a professional who isn't the writer's member; zero: it is */
    struct ml_slice reason;     /* text; empty: none */
    struct ml_slice origin;     /* text: source of an import; empty: none */
    struct ml_wire_extra extra;
};

/** MALFORMED with the fault, which may be NULL. */
ml_err ml_change_decode(struct ml_change *out, struct ml_slice in,
                        struct ml_fault *fault) ML_MUST_CHECK;
/** Appends; seen.items may be set. NOMEM, LIMIT, INVALID. */
ml_err ml_change_encode(struct ml_buf *out, const struct ml_change *change) ML_MUST_CHECK;

static inline bool ml_seen_next(struct ml_list_walk *walk, struct ml_version_ref *out)
{
    return ml_list_next(walk, &ml_format_seen, out);
}

/** "create"; "?" for a number that has no name here. */
const char *ml_change_type_name(uint8_t type);

/* ---- maps of field id -> value ---- */

/** Walks the value of a create, an amend or an atomic set, which outlives the walk. */
struct ml_fields_walk {
    struct ml_mp mp;
    uint32_t left;
};

/** MALFORMED when `value` isn't a map with ids 1..65535. */
ml_err ml_fields_walk(struct ml_fields_walk *walk, struct ml_slice value) ML_MUST_CHECK;
bool ml_fields_next(struct ml_fields_walk *walk, uint16_t *field, struct ml_slice *value);
/** The value of one field; false when the map lacks it. */
bool ml_fields_find(struct ml_slice map, uint16_t field, struct ml_slice *value);

/** Is this the kind of value that holds a map of fields? */
bool ml_value_is_map(struct ml_slice value);

/** One field of a map to be written. */
struct ml_field_value {
    uint16_t field;
    struct ml_slice value; /* encoded */
};

/** Appends the map; `fields` ascending, each value canonical. INVALID, NOMEM, LIMIT. */
ml_err ml_fields_encode(struct ml_buf *out, const struct ml_field_value *fields,
                        uint32_t count) ML_MUST_CHECK;

#endif
