/* core/codec/trace.h -- plaintexts of lane 2: who did what to whose record, and the key deposit
 * that opens a trace bundle. Zero-copy; pure; any thread.
 *
 * Op 0 of a lane-2 bundle is a deposit: the bundle's random content key, sealed to the audit public
 * key and to the author's member-on-node box key. It is itself not sealed again. The others are
 * entries, sealed under that key.
 */
#ifndef ML_CODEC_TRACE_H
#define ML_CODEC_TRACE_H

#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/wire.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_TRACE_TEXT_MAX      1024u
#define ML_TRACE_DEPOSIT_BYTES 80u /* a 32-byte key sealed anonymously */

/* X(NAME, number, text). The numbers are on the wire; later ones are kept. */
#define ML_TRACE_ACTION_MAP(X)                                                                     \
    X(READ, 1, "read")                                                                             \
    X(WRITE, 2, "write")                                                                           \
    X(SEARCH, 3, "search")                                                                         \
    X(LIST, 4, "list")                                                                             \
    X(EXPORT, 5, "export")                                                                         \
    X(IMPORT, 6, "import")                                                                         \
    X(PRINT, 7, "print")                                                                           \
    X(UNLOCK, 8, "unlock")                                                                         \
    X(LOCK, 9, "lock")                                                                             \
    X(BREAK_GLASS, 10, "break glass")                                                              \
    X(GOVERN, 11, "govern")                                                                        \
    X(EXCHANGE, 12, "exchange")                                                                    \
    X(AUDIT, 13, "audit")                                                                          \
    X(REVIEW, 14, "review")                                                                        \
    X(CONSENT, 15, "consent")                                                                      \
    X(MERGE, 16, "merge")

typedef enum ml_trace_action {
#define X(name, number, text) ML_TRACE_##name = (number),
    ML_TRACE_ACTION_MAP(X)
#undef X
} ml_trace_action;

typedef enum ml_trace_result {
    ML_TRACE_DONE = 1,
    ML_TRACE_REFUSED = 2,
    ML_TRACE_FAILED = 3,
} ml_trace_result;

/* How far the wall clock may be trusted. */
typedef enum ml_clock_confidence {
    ML_CLOCK_UNKNOWN = 1,
    ML_CLOCK_LOCAL = 2,  /* the machine's own */
    ML_CLOCK_PEERS = 3,  /* within the peers' median */
    ML_CLOCK_SYNCED = 4, /* the system says it is synchronised */
} ml_clock_confidence;

struct ml_trace_entry {
    struct ml_member_id actor;   /* zero: the node itself */
    struct ml_object_id patient; /* zero: none */
    uint8_t action;              /* ml_trace_action, or a later one */
    struct ml_object_id object;  /* zero: the record as a whole */
    uint16_t entity;             /* schema entity of the object; 0: none */
    uint8_t result;              /* ml_trace_result */
    uint64_t wall_ms;
    uint8_t clock;           /* ml_clock_confidence */
    struct ml_slice purpose; /* text: what for, as the caller stated it */
    struct ml_slice context; /* text: screen or command */
    struct ml_node_id node;
    struct ml_slice device; /* text: the client's kind: cli, desktop */
    uint32_t count;         /* how many alike were summed up; 0: one */
    uint64_t seq;           /* place in the node's journal, from 1: a gap is seen; 0: not said */
    struct ml_wire_extra extra;
};

struct ml_trace_deposit {
    uint8_t audit[ML_TRACE_DEPOSIT_BYTES];
    uint8_t author[ML_TRACE_DEPOSIT_BYTES];
};

extern const struct ml_wire_format ml_format_trace_entry;
extern const struct ml_wire_format ml_format_trace_deposit;

ml_err ml_trace_entry_decode(struct ml_trace_entry *out, struct ml_slice in,
                             struct ml_fault *fault) ML_MUST_CHECK;
ml_err ml_trace_entry_encode(struct ml_buf *out, const struct ml_trace_entry *entry) ML_MUST_CHECK;
ml_err ml_trace_deposit_decode(struct ml_trace_deposit *out, struct ml_slice in,
                               struct ml_fault *fault) ML_MUST_CHECK;
ml_err ml_trace_deposit_encode(struct ml_buf *out,
                               const struct ml_trace_deposit *deposit) ML_MUST_CHECK;
/** "read"; "?" for a number that has no name here. */
const char *ml_trace_action_name(uint8_t action);
/** 0: it names none. */
uint8_t ml_trace_action_named(const char *name);

/** "maille/trace/1" || org || content key id 16: context of both anonymous boxes. */
#define ML_TRACE_CONTEXT_BYTES 62u
void ml_trace_context(uint8_t out[ML_TRACE_CONTEXT_BYTES], const struct ml_org_id *org,
                      const struct ml_key_id *key);

#endif
