/* core/codec/msg.h -- what two nodes say to each other inside a Noise link: exchange and enrolment.
 *
 * HELLO is exactly 46 bytes, its first byte the version (below 16). Every other message begins with
 * its kind (16 or above); the rest is one canonical map. Messages span frames; none is larger than
 * ML_MSG_BYTES_MAX. Formats are closed: HELLO's version says what a peer may send. Zero-copy; pure.
 */
#ifndef ML_CODEC_MSG_H
#define ML_CODEC_MSG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/bundle.h"
#include "core/codec/manifest.h"
#include "core/codec/wire.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_MSG_VERSION         1u  /* highest that we speak; an exchange has the lower of both */
#define ML_MSG_VERSION_LAST    15u /* above it a first byte is a kind */
#define ML_MSG_BYTES_MAX       262144u
#define ML_HELLO_BYTES         46u
#define ML_MSG_HEADS_MAX       4096u /* heads in one FRONTIER: its flag `more` says others follow */
#define ML_MSG_BUNDLES_MAX     1024u /* bundles in one BUNDLES */
#define ML_MSG_HEADERS_MAX     512u
#define ML_MSG_HASHES_MAX      4096u
#define ML_MSG_FORK_HASHES_MAX 1024u
#define ML_MSG_CHUNKS_MAX      64u /* chunks named by one CHUNK_WANT or CHUNK_ABSENT */
#define ML_MSG_NAME_MAX        256u

/* X(NAME, number, text). Numbers below 16 are HELLO's versions. */
#define ML_MSG_MAP(X)                                                                              \
    X(FRONTIER, 16, "FRONTIER")                                                                    \
    X(PLAN, 17, "PLAN")                                                                            \
    X(BUNDLES, 18, "BUNDLES")                                                                      \
    X(CREDIT, 19, "CREDIT")                                                                        \
    X(COMMIT, 20, "COMMIT")                                                                        \
    X(FORK_QUERY, 21, "FORK_QUERY")                                                                \
    X(FORK_ANSWER, 22, "FORK_ANSWER")                                                              \
    X(HEADERS, 23, "HEADERS")                                                                      \
    X(BODY_REQUEST, 24, "BODY_REQUEST")                                                            \
    X(ABSENT, 25, "ABSENT")                                                                        \
    X(DONE, 26, "DONE")                                                                            \
    X(BYE, 27, "BYE")                                                                              \
    X(BUNDLE_REQUEST, 28, "BUNDLE_REQUEST")                                                        \
    X(CHUNK_WANT, 29, "CHUNK_WANT")                                                                \
    X(CHUNK, 30, "CHUNK")                                                                          \
    X(CHUNK_ABSENT, 31, "CHUNK_ABSENT")                                                            \
    X(CHUNK_HAVE, 32, "CHUNK_HAVE")                                                                \
    X(ENROL_REQUEST, 48, "ENROL_REQUEST")                                                          \
    X(ENROL_GRANT, 49, "ENROL_GRANT")                                                              \
    X(ENROL_REFUSE, 50, "ENROL_REFUSE")                                                            \
    X(ENROL_READY, 51, "ENROL_READY")

typedef enum ml_msg_kind {
    ML_MSG_HELLO = 0, /* never a first byte of its own */
#define X(name, number, text) ML_MSG_##name = (number),
    ML_MSG_MAP(X)
#undef X
} ml_msg_kind;

/* Flags of HELLO. */
#define ML_HELLO_LIVE 1u /* wants to be pushed what comes next */
#define ML_HELLO_KEYS 8u /* gives and takes lanes 0 and 1 only, until both are DONE with them */

/** Big-endian, in this order, 46 bytes. */
struct ml_msg_hello {
    uint8_t version;
    uint8_t flags;
    uint64_t hlc;
    uint32_t capabilities;
    uint8_t digest[32]; /* BLAKE2b-16 of the sorted frontier || BLAKE2b-16 of holes (rules B22) */
};

/** What the sender holds: the whole frontier, or what differs from the one that `base` names. */
struct ml_msg_frontier {
    struct ml_hash16 base;  /* digest of the frontier both kept; zero: none, the list is whole */
    struct ml_list heads;   /* of ml_dep, sorted; a forked chain has several: then all are listed */
    bool more;              /* others follow in the next FRONTIER */
    bool unknown_base;      /* the peer's base isn't kept here: send it whole */
    struct ml_hash16 trace; /* of the base's lane 2, which its digest leaves out */
    bool reply;             /* a new comparison: the peer sends its own again */
};

struct ml_plan_lane {
    uint8_t lane;
    uint32_t bundles;
    uint64_t bytes;
    uint32_t ops;
};

/** What the sender is about to give, lane by lane: progress bars are drawn from it. */
struct ml_msg_plan {
    struct ml_list lanes; /* of ml_plan_lane, sorted by lane; empty: nothing */
};

struct ml_msg_bundles {
    uint64_t number;      /* of this message in the exchange, from 1; COMMIT names it */
    struct ml_list items; /* of struct ml_slice: bundles in wire form, causal order */
    bool live;            /* pushed, not part of a plan */
};

/** The sender takes so much more of BUNDLES between two COMMITs. */
struct ml_msg_credit {
    uint32_t bytes; /* of wire forms */
    uint32_t bundles;
};

/** All BUNDLES up to `number` are durable at the receiver. */
struct ml_msg_commit {
    uint64_t number;
    struct ml_hash16 frontier; /* digest of its frontier after them */
};

/** Asks for the hashes of a chain at these places, to find where two copies part. */
struct ml_msg_fork_query {
    struct ml_writer_id writer;
    uint8_t lane;
    uint32_t first;
    uint32_t last;
    uint32_t step;         /* from 1: every step-th */
    uint32_t head_seq;     /* the peer's head whose branch is meant, above `last` */
    struct ml_hash16 head; /* and its hash */
};

struct ml_msg_fork_answer {
    struct ml_writer_id writer;
    uint8_t lane;
    uint32_t first;
    uint32_t step;
    struct ml_list hashes; /* of ml_hash16 */
};

struct ml_signed_header {
    struct ml_slice header;
    struct ml_signature sig;
};

/** Headers without bodies: a fork's evidence, a chain to verify (I4). */
struct ml_msg_headers {
    struct ml_list items; /* of ml_signed_header */
};

/** Bodies that are missing here. */
struct ml_msg_body_request {
    struct ml_list hashes; /* of ml_hash16 */
};

struct ml_absent_body {
    struct ml_hash16 hash;
    uint8_t reason; /* ml_absent */
};

struct ml_msg_absent {
    struct ml_list items; /* of ml_absent_body */
};

/** The sender has given all that it announced. */
struct ml_msg_done {
    struct ml_hash16 frontier; /* digest of its frontier */
    uint64_t number;           /* of its last BUNDLES; 0: none */
};

/* Why a peer leaves. */
typedef enum ml_bye {
    ML_BYE_DONE = 1,     /* nothing more to say */
    ML_BYE_STOPPING = 2, /* the node stops */
    ML_BYE_BUSY = 3,     /* too many sessions: later */
    ML_BYE_VERSION = 4,
    ML_BYE_PROTOCOL = 5, /* the other broke the rules */
    ML_BYE_LIMIT = 6,    /* a quota or a limit was reached */
    ML_BYE_FULL = 7,     /* no disk space */
    ML_BYE_PAUSED = 8,
    ML_BYE_REVOKED = 9,
    ML_BYE_DUPLICATE = 10, /* another link with this peer stays */
    ML_BYE_TIMEOUT = 11,   /* what was due didn't come */
} ml_bye;

struct ml_msg_bye {
    uint8_t reason;    /* ml_bye, or a later one */
    uint32_t retry_ms; /* 0: when it likes */
};

struct ml_chain_range {
    struct ml_writer_id writer;
    uint8_t lane;
    uint32_t first;
    uint32_t last;
};

/** Asks for bundles of chains, whatever the frontiers say (a pending bundle's past). */
struct ml_msg_bundle_request {
    struct ml_list ranges; /* of ml_chain_range, sorted */
};

/** CHUNK_WANT: the sender lacks these and takes as many CHUNKs: its credit. CHUNK_ABSENT: of those
 * asked, these aren't at the sender's at present. */
struct ml_msg_chunk_list {
    struct ml_list hashes; /* of ml_hash */
};

/** One chunk that was asked for; its name is its hash, which the receiver computes. */
struct ml_msg_chunk {
    struct ml_slice bytes; /* ciphertext with its tag */
};

/** The sender has got chunks since it said that some are absent: ask again. */
struct ml_msg_chunk_have {
    uint64_t missing; /* that it lacks itself */
};

/** The newcomer's public keys; the one-time code is proved by the link's psk (XXpsk3), and this
 * proof binds the keys to it: BLAKE2b-32(key = enrol psk, "maille/enrol/1" || handshake hash ||
 * keys 2..5's values). */
struct ml_msg_enrol_request {
    uint8_t proof[32];
    struct ml_box_pk noise;
    struct ml_sign_pk mon_sign;
    struct ml_box_pk mon_box;
    struct ml_sign_pk node_writer; /* the new node's own writer */
    struct ml_slice node_name;     /* text */
    struct ml_slice member_name;   /* text: shown to who enrols; empty: a node for a known member */
};

struct ml_msg_enrol_grant {
    struct ml_org_id org;
    struct ml_slice genesis; /* the genesis bundle, wire form */
    uint32_t network_epoch;
    uint8_t network_secret[32]; /* wiped by who reads it */
    struct ml_member_id member;
    struct ml_node_id node;
    struct ml_node_id responder;
    struct ml_box_pk responder_noise;
    uint8_t rank;
    uint16_t role;
    struct ml_slice org_name;      /* text */
    struct ml_list addresses;      /* of struct ml_slice: text, where the responder can be called */
    struct ml_slice import_secret; /* 32 bytes (rules A9), or empty */
};

typedef enum ml_enrol_refusal {
    ML_ENROL_WRONG_CODE = 1,
    ML_ENROL_EXPIRED = 2,
    ML_ENROL_USED = 3,
    ML_ENROL_DENIED = 4, /* the person who enrols said no */
    ML_ENROL_LOCKED = 5, /* nobody is unlocked there */
} ml_enrol_refusal;

struct ml_msg_enrol_refuse {
    uint8_t reason; /* ml_enrol_refusal, or a later one */
};

/** The newcomer stored the grant: an exchange may begin. */
struct ml_msg_enrol_ready {
    struct ml_node_id node;
};

struct ml_msg {
    ml_msg_kind kind;
    union {
        struct ml_msg_hello hello;
        struct ml_msg_frontier frontier;
        struct ml_msg_plan plan;
        struct ml_msg_bundles bundles;
        struct ml_msg_credit credit;
        struct ml_msg_commit commit;
        struct ml_msg_fork_query fork_query;
        struct ml_msg_fork_answer fork_answer;
        struct ml_msg_headers headers;
        struct ml_msg_body_request body_request;
        struct ml_msg_absent absent;
        struct ml_msg_done done;
        struct ml_msg_bye bye;
        struct ml_msg_bundle_request bundle_request;
        struct ml_msg_chunk_list chunk_list; /* CHUNK_WANT, CHUNK_ABSENT */
        struct ml_msg_chunk chunk;
        struct ml_msg_chunk_have chunk_have;
        struct ml_msg_enrol_request enrol_request;
        struct ml_msg_enrol_grant enrol_grant;
        struct ml_msg_enrol_refuse enrol_refuse;
        struct ml_msg_enrol_ready enrol_ready;
    } u;
};

extern const struct ml_wire_format ml_format_plan_lane;
extern const struct ml_wire_format ml_format_wire_bundle;
extern const struct ml_wire_format ml_format_hash16;
extern const struct ml_wire_format ml_format_signed_header;
extern const struct ml_wire_format ml_format_absent_body;
extern const struct ml_wire_format ml_format_chain_range;
extern const struct ml_wire_format ml_format_address;

/** Table of a kind's map, NULL for HELLO and unknown kinds (docs, explain). */
const struct ml_wire_format *ml_msg_format(ml_msg_kind kind);
/** Static, "?" for an unknown kind. */
const char *ml_msg_name(ml_msg_kind kind);

/** Borrows `in`. MALFORMED with the fault (may be NULL). Of a HELLO of a later version the first
 * bytes, which no version changes; what follows them is left out. */
ml_err ml_msg_decode(struct ml_msg *out, struct ml_slice in, struct ml_fault *fault) ML_MUST_CHECK;
/** Appends; lists with `items`. NOMEM, LIMIT, INVALID. */
ml_err ml_msg_encode(struct ml_buf *out, const struct ml_msg *msg) ML_MUST_CHECK;

/** The most that one BUNDLES may hold: stop adding when `total` + the next bundle is above it. */
#define ML_MSG_BUNDLES_BYTES_MAX (ML_MSG_BYTES_MAX - 64u)
/** Bytes that a bundle of `len` takes in a BUNDLES message. */
static inline size_t ml_msg_bundle_cost(size_t len)
{
    return len + 5;
}

#endif
