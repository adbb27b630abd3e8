/* core/codec/msg.h -- what two nodes of one org tell each other (docs/sync.md, docs/protocol.md).
 *
 * The first message each way is HELLO, 46 fixed bytes. Every other is one byte of kind, then one
 * canonical MessagePack map. Decoding is zero-copy: lists and slices borrow the message. Pure
 * functions; any thread.
 */
#ifndef ML_CODEC_MSG_H
#define ML_CODEC_MSG_H

#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/bundle.h"
#include "core/codec/wire.h"
#include "maille/err.h"

#define ML_HELLO_BYTES     46u
#define ML_HELLO_VERSION   0u      /* 1 once frozen (decisions 17) */
#define ML_MSG_BYTES_MAX   131072u /* decoded: room for the largest bundle, and for its list */
#define ML_MSG_BUNDLES_MAX 256u    /* bundles of one BUNDLES */
#define ML_MSG_HEADS_MAX   1024u   /* heads of one FRONTIER part, HAVE or BODY_REQUEST */
#define ML_MSG_SEQS_MAX    32u     /* places asked by one FORK_QUERY */
#define ML_MSG_ROUND_MAX   65535u
#define ML_MSG_KIND_LAST   13u

/** What is known of both halves of a frontier (rules B22). Lane 2 is outside: it never starts an
 * exchange (B23). */
struct ml_digest {
    uint8_t frontier[16]; /* BLAKE2b-16 of the sorted heads of lanes 0, 1, 3, 4 */
    uint8_t holes[16];    /* BLAKE2b-16 of the absent bodies with their reasons; zero: none */
};

/** Names the frontier that both kept from their last exchange. */
struct ml_base_id {
    uint8_t heads[16]; /* of its lanes 0, 1, 3, 4 */
    uint8_t trace[16]; /* of its lane 2 */
};

#define ML_HELLO_PAUSED 1u /* flags: nothing is asked for or given at present */

struct ml_hello {
    uint8_t version;
    uint8_t flags;
    uint64_t hlc;
    uint32_t capabilities; /* none yet: zero; unknown bits are ignored */
    struct ml_digest digest;
};

/* X(NAME, number, text). The numbers are on the wire. */
#define ML_MSG_MAP(X)                                                                              \
    X(FRONTIER, 1, "heads, whole or since the base; first credits")                                \
    X(FULL, 2, "the base that you name is not here: send all heads")                               \
    X(PLAN, 3, "what follows, counted by lane")                                                    \
    X(BUNDLES, 4, "bundles in (lane, causal) order")                                               \
    X(COMMIT, 5, "what is durable here, and new credits")                                          \
    X(HAVE, 6, "bundles that are here")                                                            \
    X(FORK_QUERY, 7, "which bundles lie below this head?")                                         \
    X(HEADERS, 8, "these lie below it")                                                            \
    X(FORK_BASE, 9, "the last bundle that both have below this head")                              \
    X(BODY_REQUEST, 10, "send the bodies of these")                                                \
    X(BODY_END, 11, "all that is here of what was asked has been sent")                            \
    X(DONE, 12, "all that you lacked has been sent and committed")                                 \
    X(BYE, 13, "the exchange ends, and why")

typedef enum ml_msg_kind {
#define X(name, number, text) ML_MSG_##name = (number),
    ML_MSG_MAP(X)
#undef X
} ml_msg_kind;

/* X(NAME, number, error): why an exchange ends. The numbers are on the wire. */
#define ML_BYE_MAP(X)                                                                              \
    X(CLOSING, 1, CANCELED)                                                                        \
    X(PAUSED, 2, CANCELED)                                                                         \
    X(DUPLICATE, 3, EXISTS)                                                                        \
    X(VERSION, 4, VERSION)                                                                         \
    X(MALFORMED, 5, MALFORMED)                                                                     \
    X(PROTOCOL, 6, PROTOCOL)                                                                       \
    X(FORGED, 7, FORGED)                                                                           \
    X(LIMIT, 8, LIMIT)                                                                             \
    X(TIMEOUT, 9, TIMEOUT)                                                                         \
    X(BUSY, 10, BUSY)

typedef enum ml_bye {
#define X(name, number, error) ML_BYE_##name = (number),
    ML_BYE_MAP(X)
#undef X
} ml_bye;
#define ML_BYE_LAST 10u

struct ml_msg_frontier {
    struct ml_base_id base; /* zero: the list is the whole frontier */
    bool more;              /* another part follows */
    uint32_t round;         /* of this session, from 1 */
    uint64_t credit_bytes;  /* totals for the session that the receiver of this may send */
    uint32_t credit_bundles;
    /* of ml_dep, sorted: every head of each chain whose heads are not those of the base */
    struct ml_list heads;
};

struct ml_msg_full {
    uint32_t round; /* that of the frontier which can't be read */
};

/** One lane of a plan. */
struct ml_plan_lane {
    uint8_t lane;
    uint32_t bundles;
    uint64_t bytes;
};

struct ml_msg_plan {
    struct ml_list lanes; /* of ml_plan_lane, sorted; empty: nothing follows */
};

/** An item of ml_msg_bundles: one bundle's wire form. */
struct ml_msg_bundle {
    struct ml_slice wire;
};

struct ml_msg_bundles {
    struct ml_list bundles; /* of ml_msg_bundle */
};

/** Totals since the session began. */
struct ml_msg_commit {
    uint32_t bundles; /* taken from this session and settled: durable, or refused for good */
    uint64_t bytes;
    uint32_t credit_bundles;
    uint64_t credit_bytes;
    struct ml_digest digest; /* of what is here now */
};

struct ml_msg_have {
    struct ml_list heads; /* of ml_dep, sorted */
};

/** An item of a FORK_QUERY. */
struct ml_msg_seq {
    uint32_t seq;
};

struct ml_msg_fork_query {
    struct ml_dep head;
    struct ml_list seqs; /* of ml_msg_seq, ascending by encoding, below the head's */
};

/** An item of HEADERS. */
struct ml_msg_place {
    uint32_t seq;
    struct ml_hash16 hash;
};

struct ml_msg_headers {
    struct ml_dep head;
    struct ml_list places; /* of ml_msg_place, sorted; what was asked and isn't below is left out */
};

struct ml_msg_fork_base {
    struct ml_dep head;   /* the receiver's head that the sender didn't know */
    struct ml_dep common; /* of the same chain; seq 0 and all else zero: they share nothing */
};

struct ml_msg_body_request {
    uint32_t number;      /* of this session, from 1, ascending */
    struct ml_list heads; /* of ml_dep, sorted */
};

struct ml_msg_body_end {
    uint32_t number;
    uint32_t sent;
};

struct ml_msg_done {
    struct ml_digest digest;
};

struct ml_msg_bye {
    uint8_t reason; /* ml_bye */
};

struct ml_msg {
    ml_msg_kind kind;
    union {
        struct ml_msg_frontier frontier;
        struct ml_msg_full full;
        struct ml_msg_plan plan;
        struct ml_msg_bundles bundles;
        struct ml_msg_commit commit;
        struct ml_msg_have have;
        struct ml_msg_fork_query fork_query;
        struct ml_msg_headers headers;
        struct ml_msg_fork_base fork_base;
        struct ml_msg_body_request body_request;
        struct ml_msg_body_end body_end;
        struct ml_msg_done done;
        struct ml_msg_bye bye;
    } u;
};

/** VERSION when the peer speaks another; MALFORMED when it isn't 46 bytes. */
ml_err ml_hello_decode(struct ml_hello *out, struct ml_slice in) ML_MUST_CHECK;
void ml_hello_encode(uint8_t out[ML_HELLO_BYTES], const struct ml_hello *hello);

/** MALFORMED (fault may be NULL; its offset counts the kind's byte), LIMIT when over
 * ML_MSG_BYTES_MAX. */
ml_err ml_msg_decode(struct ml_msg *out, struct ml_slice in, struct ml_fault *fault) ML_MUST_CHECK;
/** Appends. NOMEM, LIMIT, INVALID: `out` is then as it was, but for its err. */
ml_err ml_msg_encode(struct ml_buf *out, const struct ml_msg *msg) ML_MUST_CHECK;

/** The table of one kind, for the reader of docs; NULL for a number that is none. */
const struct ml_wire_format *ml_msg_format(unsigned kind);
/** Static name such as "FRONTIER"; "?" for a number that is none. */
const char *ml_msg_name(unsigned kind);
/** The error that a BYE's reason is; PROTOCOL for none. */
ml_err ml_bye_err(uint8_t reason);

extern const struct ml_wire_format ml_format_plan_lane;
extern const struct ml_wire_format ml_format_msg_bundle;
extern const struct ml_wire_format ml_format_msg_seq;
extern const struct ml_wire_format ml_format_msg_place;

#endif
