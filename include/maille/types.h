/* maille/types.h -- identifiers, each its own struct of bytes so that one can't pass for another.
 */
#ifndef MAILLE_TYPES_H
#define MAILLE_TYPES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Full BLAKE2b-256 of a header: a bundle's identity (rules B11). */
struct ml_hash {
    uint8_t b[32];
};
/** First 16 bytes of an ml_hash, where the log's formats shorten it. */
struct ml_hash16 {
    uint8_t b[16];
};
/** header_hash of the structure's genesis bundle. */
struct ml_org_id {
    uint8_t b[32];
};
/** BLAKE2b-16 of a writer's Ed25519 public key ("writer16"). */
struct ml_writer_id {
    uint8_t b[16];
};
struct ml_member_id {
    uint8_t b[16];
};
struct ml_node_id {
    uint8_t b[16];
};
struct ml_team_id {
    uint8_t b[16];
};
/** BLAKE2b-16 (key = the patient's link secret, compartment): a pseudonym on the wire. */
struct ml_stream_id {
    uint8_t b[16];
};
/** BLAKE2b-16 of a key: commits to it. */
struct ml_key_id {
    uint8_t b[16];
};
/** 48-bit milliseconds, then 80 random bits (rules A9). Patients are objects too. */
struct ml_object_id {
    uint8_t b[16];
};
/** Ed25519 public key. */
struct ml_sign_pk {
    uint8_t b[32];
};
/** X25519 public key: member-on-node box keys, recovery key, Noise static keys. */
struct ml_box_pk {
    uint8_t b[32];
};

/** One op for ever: the bundle it came in, and its place there. */
struct ml_version_id {
    struct ml_hash16 bundle;
    uint8_t index;
};

enum ml_lane {
    ML_LANE_GOVERNANCE = 0,
    ML_LANE_KEYS = 1,
    ML_LANE_TRACE = 2,
    ML_LANE_RECORD = 3,
    ML_LANE_BLOB = 4,
};
#define ML_LANES 5u

/* Compartments: data classes with their own keys (decisions 22). The numbers are on the wire. */
#define ML_COMPARTMENT_MAP(X)                                                                      \
    X(ADMIN, 1, "admin")                                                                           \
    X(VITAL, 2, "vital")                                                                           \
    X(MEDICAL, 3, "medical")                                                                       \
    X(CARE, 4, "care")                                                                             \
    X(SOCIAL, 5, "social")                                                                         \
    X(RCP, 6, "rcp")                                                                               \
    X(DOCUMENT, 7, "document")                                                                     \
    X(SENSITIVE, 8, "sensitive")                                                                   \
    X(AGENDA, 9, "agenda")                                                                         \
    X(BILLING, 10, "billing")                                                                      \
    X(AUDIT, 11, "audit")                                                                          \
    X(ANNUAIRE, 12, "annuaire")

typedef enum ml_compartment {
#define X(name, number, text) ML_COMPARTMENT_##name = (number),
    ML_COMPARTMENT_MAP(X)
#undef X
} ml_compartment;
#define ML_COMPARTMENT_LAST 12u

/* Action classes: the clear half of a right (architecture 5). The numbers are on the wire. */
#define ML_ACTION_MAP(X)                                                                           \
    X(CREATE, 1, "create")                                                                         \
    X(AMEND, 2, "amend")                                                                           \
    X(DEPOSIT, 3, "deposit")

typedef enum ml_action {
#define X(name, number, text) ML_ACTION_##name = (number),
    ML_ACTION_MAP(X)
#undef X
} ml_action;

#ifdef __cplusplus
}
#endif
#endif
