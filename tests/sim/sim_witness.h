/* tests/sim/sim_witness.h -- every bundle that was seen in any node's log, and where it is.
 *
 * After each event the logs are read on from where the last reading ended; of each bundle that is
 * new the chain, the identity and the governance that it cites are computed here again, from its
 * header's bytes, by docs/storage/log.md and not by core/model. What a damaged disk took with it is
 * known from here: a bundle may be gone only if each machine that had it lost something since.
 */
#ifndef ML_TESTS_SIM_WITNESS_H
#define ML_TESTS_SIM_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/codec/bundle.h"

enum { SIM_MACHINES = 5, SIM_WITNESS_SLOTS = 32768 };

struct sim;

/** Where one bundle is on one machine. */
struct sim_copy {
    bool here; /* in its log, judged */
    bool body;
    uint64_t n;     /* its ingest number there */
    uint64_t event; /* when it was seen there first, or again after a loss; 0: never */
};

struct sim_bundle {
    struct ml_hash hash;
    struct ml_writer_id writer;
    uint8_t lane;
    uint32_t seq;
    uint8_t verdict;
    bool has_vec;
    struct ml_dep *vec; /* owned: the governance that it has seen, sorted by writer */
    size_t vec_count;
    struct ml_hash16 *waits; /* owned: its predecessor, and what it cites and waits for */
    size_t wait_count;
    uint64_t walk; /* the last one that came by */
    struct sim_copy copy[SIM_MACHINES];
};

/** What was lost of a machine, and since when. */
typedef enum sim_loss {
    SIM_LOSS_NONE,
    SIM_LOSS_DAMAGE,  /* its log's file gave back something else: it must say what is missing */
    SIM_LOSS_SET_BACK /* restored, or gone for ever: nobody could say */
} sim_loss;

struct sim_ledger {
    uint64_t cursor;    /* ingest number read up to */
    struct ml_hash at;  /* of the bundle there */
    uint64_t epoch;     /* of the log: another one means that numbers are new */
    bool again;         /* read all of it again */
    uint64_t recent[3]; /* first number of the last readings that found something; [0]: the last */
    sim_loss loss;
    uint64_t lost_event; /* the last loss */
    uint64_t back_event; /* the last SET_BACK */
    uint64_t tail_event; /* the last time that the end of its WAL may have gone without a word */
    uint64_t gone_event; /* the last time that the whole log was gone, and no file stayed of it */
    uint64_t told_event; /* the last time that a repair of the log was told as it was done */
    uint64_t tail_from;  /* bundles from this number on may be that end */
};

struct sim_witness {
    struct sim_bundle *bundles; /* owned */
    size_t count;
    size_t room;
    uint32_t slots[SIM_WITNESS_SLOTS]; /* index + 1, by the hash's first bytes */
    uint64_t event;                    /* counts what users do and what goes wrong */
    uint64_t walk;                     /* counts sim_witness_hangs_on */
};

void sim_witness_free(struct sim *s);
/** Reads on in the logs of all nodes that are up. */
void sim_witness_read(struct sim *s);
/** Of one node: an answer just said that something is durable. */
void sim_witness_read_node(struct sim *s, unsigned node);
/** By the first 16 bytes of its hash; NULL: never seen. */
struct sim_bundle *sim_witness_find(struct sim *s, const uint8_t hash16[16]);
/** The machine lost something, or may have. */
void sim_witness_loss(struct sim *s, unsigned node, sim_loss loss);
/** Whether this node knows its writer as one of its own. */
bool sim_witness_is_own(const struct sim *s, unsigned node, const struct sim_bundle *b);
/** Whether it's on any machine now, with its body. */
bool sim_witness_is_kept(const struct sim_bundle *b);
/** Whether it isn't judged without what stood at this place: it waits for it, or for one that does.
 */
bool sim_witness_hangs_on(struct sim *s, const struct sim_bundle *b, const struct ml_dep *place);
bool sim_witness_any_loss(const struct sim *s);
/** Whether this node has lost a bundle that is nowhere else. */
bool sim_witness_has_lost(const struct sim *s, unsigned node);
/** Whether every machine that ever had it lost something since it came there. */
bool sim_witness_may_lack(const struct sim *s, const struct sim_bundle *b);

#endif
