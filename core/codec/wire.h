/* core/codec/wire.h -- formats as data: one table drives decoding, encoding, explanation and docs.
 *
 * A format is a map with ascending integer keys, or a tuple (array of fixed length), and a C struct
 * that its fields are read into. Decoding is zero-copy: slices and lists borrow the input. Rules of
 * every format (docs/protocol.md, "Fields"):
 *  - an optional field whose value is zero or empty is left out, and writing it is refused, so that
 *    one content has one encoding;
 *  - keys 1..N are a format's own; a newer version adds N+1, N+2 ..., so that unknown keys come
 *    last. An open format keeps them as `extra`; a closed one refuses them.
 * Tables are static and immutable; any thread.
 */
#ifndef ML_CODEC_WIRE_H
#define ML_CODEC_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/codec/mp_read.h"
#include "maille/types.h"

typedef enum ml_wire_type {
    ML_WIRE_UINT,   /* uint8_t .. uint64_t; min..max are values */
    ML_WIRE_INT,    /* int16_t .. int64_t; -max..max are values */
    ML_WIRE_BOOL,   /* bool */
    ML_WIRE_FIXED,  /* struct of bytes; bin of exactly its size */
    ML_WIRE_BIN,    /* struct ml_slice; bin of min..max bytes */
    ML_WIRE_TEXT,   /* struct ml_slice; str of min..max bytes */
    ML_WIRE_VALUE,  /* struct ml_slice: the encoding of any canonical value of min..max bytes */
    ML_WIRE_BODY,   /* struct ml_wire_body: bin of min..max bytes, or uint: why there is none */
    ML_WIRE_REF,    /* struct ml_version_ref: uint 0..255, or [bundle16, uint 0..255] */
    ML_WIRE_SYSTEM, /* struct ml_slice: a code system's URI; uint for those of ml_code_system_* */
    ML_WIRE_TUPLE,  /* a struct in place: tuple of scalars */
    ML_WIRE_LIST,   /* struct ml_list: array of min..max items */
} ml_wire_type;

#define ML_WIRE_OPTIONAL 1u /* may be left out; then zero in the struct */
#define ML_WIRE_SORTED   2u /* a list whose encoded items strictly ascend (memcmp order) */

struct ml_wire_format;

struct ml_wire_field {
    uint8_t key; /* map key from 1, or place in the tuple from 0 */
    ml_wire_type type;
    uint8_t flags;
    uint16_t offset; /* of the member in the struct */
    uint16_t size;   /* of the member */
    uint64_t min;
    uint64_t max;
    const char *name;
    const struct ml_wire_format *item; /* of a LIST or TUPLE, else NULL */
    const char *meaning;
};

typedef enum ml_wire_kind {
    ML_WIRE_MAP,    /* of fields by key */
    ML_WIRE_ARRAY,  /* tuple */
    ML_WIRE_SCALAR, /* a list item that is one value: exactly one field */
} ml_wire_kind;

/** What a map held beyond the keys that are known: `pairs` keys with their values, encoded. */
struct ml_wire_extra {
    struct ml_slice raw;
    uint32_t pairs;
};

#define ML_WIRE_CLOSED UINT16_MAX /* extra_offset of a format without unknown keys */

struct ml_wire_format {
    const char *name; /* as the docs name it */
    ml_wire_kind kind;
    uint16_t size;         /* of the struct */
    uint16_t extra_offset; /* of a struct ml_wire_extra, or ML_WIRE_CLOSED */
    uint16_t field_count;
    const struct ml_wire_field *fields;
    /* Rules between fields, run after decoding and before encoding: NULL, or the name of the field
     * at fault. May be NULL. */
    const char *(*check)(const void *object);
    const char *meaning;
};

/** Decoded: count items, encoded one after the other in `raw`. To be encoded: `items`, an array of
 * the item's struct, when it isn't NULL, else `raw` again. */
struct ml_list {
    struct ml_slice raw;
    uint32_t count;
    const void *items;
};

/** Bytes, or the reason (never 0) why they are absent. */
struct ml_wire_body {
    struct ml_slice bytes; /* data is NULL when absent */
    uint8_t absent;
};

/** A reference to one op; in the log's formats an op of the same bundle is named by index alone. */
struct ml_version_ref {
    bool same_bundle; /* then `bundle` is zero */
    struct ml_version_id id;
};

/** MALFORMED (with the fault, which may be NULL; *out untouched) unless `in` is exactly one. */
ml_err ml_wire_decode(const struct ml_wire_format *format, void *out, struct ml_slice in,
                      struct ml_fault *fault) ML_MUST_CHECK;

/** Appends. Errors: NOMEM, LIMIT (the buffer's), INVALID (a field outside its limits, a list out of
 * order, or a rule broken: what decode would refuse); `out` is then as it was, but for its err. */
ml_err ml_wire_encode(const struct ml_wire_format *format, struct ml_buf *out,
                      const void *object) ML_MUST_CHECK;

/** Walks a decoded list, which outlives the walk. */
struct ml_list_walk {
    struct ml_mp mp;
    uint32_t left;
};

void ml_list_walk(struct ml_list_walk *walk, const struct ml_list *list);
/** False after the last. `out` is the item's struct. */
bool ml_list_next(struct ml_list_walk *walk, const struct ml_wire_format *item, void *out);

/** Ops of one lane: maps that share key 1 (type) and key 2 (must-understand), read into one struct
 * whose first members are `any`'s. */
struct ml_wire_family {
    const struct ml_wire_format *any;   /* keys 1 and 2, open */
    const struct ml_wire_format *types; /* by type, from 1; all read into the same struct */
    uint16_t type_count;
    uint16_t type_offset;  /* of the uint16_t */
    uint16_t known_offset; /* of the bool */
    uint16_t raw_offset;   /* of the struct ml_slice that the op was decoded from */
};

/** By type; an unknown type is accepted as `known == false` with all its keys in `extra`. */
ml_err ml_wire_decode_op(const struct ml_wire_family *family, void *out, struct ml_slice in,
                         struct ml_fault *fault) ML_MUST_CHECK;
/** The table of a type, NULL when unknown. */
const struct ml_wire_format *ml_wire_family_of(const struct ml_wire_family *family, uint16_t type);

/* Code systems with a number (value.h has the list). */
/** The number of a URI; 0 when it has none. */
uint16_t ml_code_system_number(struct ml_slice uri);
/** The URI of a number, static; empty for a number that is none. */
struct ml_slice ml_code_system_uri(uint64_t number);

/* For the table's readers (explain, docs). */

/** The field with this key, or NULL. */
const struct ml_wire_field *ml_wire_field_of(const struct ml_wire_format *format, uint64_t key);
/** Reads one scalar (not a LIST or TUPLE) from `c` into `member`. */
void ml_wire_read_scalar(struct ml_mp *c, const struct ml_wire_field *field, void *member);

/* Tables are written with these. S is the struct, m its member, which also names the field. */
#define ML_WF_NAMED(S, k, t, fl, lo, hi, m, nm, it, text)                                          \
    {                                                                                              \
        (k), ML_WIRE_##t, (fl), offsetof(S, m), sizeof(((S *)0)->m), (lo), (hi), nm, (it), text    \
    }
#define ML_WF_ANY(S, k, t, fl, lo, hi, m, it, text)                                                \
    ML_WF_NAMED(S, k, t, fl, lo, hi, m, #m, it, text)
#define ML_WF_UINT(S, k, m, lo, hi, text) ML_WF_ANY(S, k, UINT, 0, lo, hi, m, NULL, text)
#define ML_WF_INT(S, k, m, hi, text)      ML_WF_ANY(S, k, INT, 0, 0, hi, m, NULL, text)
#define ML_WF_FIXED(S, k, m, text)                                                                 \
    ML_WF_ANY(S, k, FIXED, 0, sizeof(((S *)0)->m), sizeof(((S *)0)->m), m, NULL, text)
#define ML_WF_BIN(S, k, m, lo, hi, text)      ML_WF_ANY(S, k, BIN, 0, lo, hi, m, NULL, text)
#define ML_WF_TEXT(S, k, m, lo, hi, text)     ML_WF_ANY(S, k, TEXT, 0, lo, hi, m, NULL, text)
#define ML_WF_BODY(S, k, m, lo, hi, text)     ML_WF_ANY(S, k, BODY, 0, lo, hi, m, NULL, text)
#define ML_WF_REF(S, k, m, text)              ML_WF_ANY(S, k, REF, 0, 0, 255, m, NULL, text)
#define ML_WF_TUPLE(S, k, m, it, text)        ML_WF_ANY(S, k, TUPLE, 0, 0, 0, m, it, text)
#define ML_WF_LIST(S, k, m, lo, hi, it, text) ML_WF_ANY(S, k, LIST, 0, lo, hi, m, it, text)
#define ML_WF_SORTED(S, k, m, lo, hi, it, text)                                                    \
    ML_WF_ANY(S, k, LIST, ML_WIRE_SORTED, lo, hi, m, it, text)
/* The same, optional. */
#define ML_WF_OPT_BOOL(S, k, m, text) ML_WF_ANY(S, k, BOOL, ML_WIRE_OPTIONAL, 0, 1, m, NULL, text)
#define ML_WF_OPT_UINT(S, k, m, hi, text)                                                          \
    ML_WF_ANY(S, k, UINT, ML_WIRE_OPTIONAL, 1, hi, m, NULL, text)
#define ML_WF_OPT_FIXED(S, k, m, text)                                                             \
    ML_WF_ANY(S, k, FIXED, ML_WIRE_OPTIONAL, sizeof(((S *)0)->m), sizeof(((S *)0)->m), m, NULL,    \
              text)
#define ML_WF_OPT_BIN(S, k, m, lo, hi, text)                                                       \
    ML_WF_ANY(S, k, BIN, ML_WIRE_OPTIONAL, lo, hi, m, NULL, text)
#define ML_WF_OPT_TEXT(S, k, m, hi, text)                                                          \
    ML_WF_ANY(S, k, TEXT, ML_WIRE_OPTIONAL, 1, hi, m, NULL, text)
#define ML_WF_OPT_VALUE(S, k, m, hi, text)                                                         \
    ML_WF_ANY(S, k, VALUE, ML_WIRE_OPTIONAL, 1, hi, m, NULL, text)
#define ML_WF_OPT_TUPLE(S, k, m, it, text)                                                         \
    ML_WF_ANY(S, k, TUPLE, ML_WIRE_OPTIONAL, 0, 0, m, it, text)
#define ML_WF_OPT_LIST(S, k, m, hi, it, text)                                                      \
    ML_WF_ANY(S, k, LIST, ML_WIRE_OPTIONAL, 1, hi, m, it, text)
#define ML_WF_OPT_SORTED(S, k, m, hi, it, text)                                                    \
    ML_WF_ANY(S, k, LIST, ML_WIRE_OPTIONAL | ML_WIRE_SORTED, 1, hi, m, it, text)

#define ML_WIRE_FORMAT(nm, kd, S, extra, table, rule, text)                                        \
    {                                                                                              \
        .name = (nm), .kind = ML_WIRE_##kd, .size = sizeof(S), .extra_offset = (extra),            \
        .field_count = sizeof(table) / sizeof((table)[0]), .fields = (table), .check = (rule),     \
        .meaning = (text)                                                                          \
    }

#endif
