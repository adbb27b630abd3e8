/* tests/bench/fixture_seal.h -- writers and their bundles. For fixture.c. */
#ifndef ML_BENCH_FIXTURE_SEAL_H
#define ML_BENCH_FIXTURE_SEAL_H

#include "core/codec/bundle.h"
#include "core/crypto/secret.h"
#include "fixture.h"
#include "net/node/org.h"

enum { SEAL_DEPS = 160 };

struct seal_writer {
    struct ml_secret *seed; /* owned */
    struct ml_writer_id id;
    uint32_t seq; /* of its last record bundle */
    struct ml_hash prev;
    struct ml_hash16 gctx;
    struct ml_dep first[SEAL_DEPS]; /* what its first one cites */
    uint32_t first_count;
};

struct seal {
    struct bench *b;
    struct ml_org *org; /* founded, a session open */
    struct seal_writer writers[FIXTURE_WRITERS];
    uint64_t hlc;
};

/** Enrols the first `count` writers in governance: a member and a node each. */
bool seal_enrol(struct seal *s, unsigned count);
/** Streams and data keys of the plan's patients, in lane 1. */
bool seal_keys(struct seal *s, const struct plan *p);
/** Once lanes 0 and 1 are complete: what the writers' first bundles say. */
bool seal_begin(struct seal *s);
/**
 * Appends the wire form of bundle i to `out`. Writers take turns of SEAL_TURN bundles; in each
 * round of all 40 a writer first cites the heads that the others had when the round began: days of
 * work apart, exchanged at night.
 */
enum { SEAL_TURN = 16 };
bool seal_bundle(struct seal *s, struct ml_buf *out, const struct plan *p, size_t i);
void seal_end(struct seal *s);

#endif
