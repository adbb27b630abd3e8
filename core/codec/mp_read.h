/* core/codec/mp_read.h -- a bounded, strict reader of MessagePack from outside.
 *
 * A cursor over borrowed bytes. It allocates nothing, never recurses, and reads nothing beyond its
 * slice. The first fault sticks: later reads return zero values and don't move, so that a decoder
 * reads on and asks once, at the end. What it refuses: lengths beyond what remains, forms that are
 * not the shortest, map keys that don't ascend, depth beyond the limit, text that isn't UTF-8,
 * floats, extension types, bytes after the end. One thread at a time.
 */
#ifndef ML_CODEC_MP_READ_H
#define ML_CODEC_MP_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "maille/err.h"

#define ML_MP_DEPTH_MAX  8u  /* containers inside each other, canonical data */
#define ML_DOC_DEPTH_MAX 16u /* the same for RPC documents */

/* X(NAME, text): why bytes were refused. */
#define ML_FAULT_MAP(X)                                                                            \
    X(NONE, "no fault")                                                                            \
    X(TRUNCATED, "it ends before it should")                                                       \
    X(NOT_SHORTEST, "not the shortest form")                                                       \
    X(TOO_DEEP, "containers are nested too deep")                                                  \
    X(KEY_TYPE, "a map key of the wrong type")                                                     \
    X(KEY_ORDER, "map keys out of order, or the same key twice")                                   \
    X(UNKNOWN_KEY, "a key that this format does not have")                                         \
    X(MISSING, "a required field is missing")                                                      \
    X(TYPE, "a value of the wrong type")                                                           \
    X(RANGE, "a number or a length outside its limits")                                            \
    X(UTF8, "text that is not UTF-8")                                                              \
    X(FORBIDDEN, "a float, an extension or a reserved byte")                                       \
    X(TRAILING, "bytes after the end")                                                             \
    X(NOT_OMITTED, "an optional field that is empty must be left out")                             \
    X(LIST_ORDER, "list entries out of order, or the same entry twice")                            \
    X(RULE, "fields that contradict each other")

typedef enum ml_fault_reason {
#define X(name, text) ML_FAULT_##name,
    ML_FAULT_MAP(X)
#undef X
} ml_fault_reason;

/** Where and why a decoder stopped. `where` is a static field name or NULL. */
struct ml_fault {
    ml_fault_reason reason;
    size_t offset; /* into the slice that was given to the decoder */
    const char *where;
};

/** Static English text. */
const char *ml_fault_text(ml_fault_reason reason);
/** "seq: not the shortest form (at byte 17)" into `out`, always NUL-terminated. Holds nothing of
 * the bytes themselves: safe to log. */
void ml_fault_describe(char *out, size_t size, const struct ml_fault *fault);

typedef enum ml_mp_type {
    ML_MP_NONE, /* at the end, or after a fault */
    ML_MP_NIL,
    ML_MP_BOOL,
    ML_MP_UINT,
    ML_MP_NEGATIVE,
    ML_MP_STR,
    ML_MP_BIN,
    ML_MP_ARRAY,
    ML_MP_MAP,
    ML_MP_FLOAT, /* documents only */
} ml_mp_type;

typedef enum ml_mp_mode {
    ML_MP_CANONICAL, /* integer keys, ascending; no floats; depth 8 */
    ML_MP_DOC,       /* text keys in any order; float64 allowed; depth 16 */
} ml_mp_mode;

struct ml_mp_frame {
    size_t left; /* items still to come, keys and values both counted */
    uint64_t next_key;
    bool map;
};

/** Caller-allocated; the fields are private but for `fault` and `pos`. */
struct ml_mp {
    const uint8_t *data; /* borrowed */
    size_t len;
    size_t pos;
    struct ml_fault fault;
    ml_mp_mode mode;
    uint8_t depth;
    struct ml_mp_frame frames[ML_DOC_DEPTH_MAX];
};

void ml_mp_init(struct ml_mp *c, struct ml_slice in, ml_mp_mode mode);

/** What comes next, without moving. A head that is itself faulty sets the fault. */
ml_mp_type ml_mp_peek(struct ml_mp *c);

void ml_mp_nil(struct ml_mp *c);
bool ml_mp_bool(struct ml_mp *c);
/** RANGE outside min..max. */
uint64_t ml_mp_uint(struct ml_mp *c, uint64_t min, uint64_t max);
int64_t ml_mp_int(struct ml_mp *c, int64_t min, int64_t max);
double ml_mp_float(struct ml_mp *c);
/** Borrowed from the input; RANGE when shorter than min or longer than max. */
struct ml_slice ml_mp_bin(struct ml_mp *c, size_t min, size_t max);
/** As _bin; UTF-8 is checked. */
struct ml_slice ml_mp_str(struct ml_mp *c, size_t min, size_t max);
/** A bin of exactly `len` bytes, copied; `out` is untouched on a fault. */
void ml_mp_fixed(struct ml_mp *c, void *out, size_t len);
/** Enters a container: exactly that many items (pairs for a map) must be read next. */
uint32_t ml_mp_array(struct ml_mp *c, uint32_t min, uint32_t max);
uint32_t ml_mp_map(struct ml_mp *c, uint32_t min, uint32_t max);
/** The next key of the innermost map; KEY_ORDER unless above the one before. */
uint64_t ml_mp_key(struct ml_mp *c);
/** The next text key of the innermost map; documents only. */
struct ml_slice ml_mp_key_str(struct ml_mp *c);
/** Any one value with all inside it, fully checked: its encoding, borrowed. */
struct ml_slice ml_mp_value(struct ml_mp *c);

/** Sets the fault at `offset` unless there is one already. */
void ml_mp_fail(struct ml_mp *c, ml_fault_reason reason, size_t offset);
/** Items of the innermost container still to come; 0 outside of one. */
size_t ml_mp_left(const struct ml_mp *c);
bool ml_mp_ok(const struct ml_mp *c);
/** To be asked last: ML_OK when all was read and nothing was refused, else MALFORMED. */
ml_err ml_mp_end(struct ml_mp *c) ML_MUST_CHECK;

/** One canonical value and nothing else? MALFORMED with the fault (which may be NULL) if not. */
ml_err ml_mp_check(struct ml_slice in, ml_mp_mode mode, struct ml_fault *fault) ML_MUST_CHECK;

#endif
