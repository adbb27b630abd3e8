/* tests/unit/net_node/support_tally.h -- what opens of what disks hold: the key ops and records of
 * one node's log, given to the keyring of who is unlocked on another, as a thief of his keystore
 * could; op by op. */
#ifndef ML_TESTS_SUPPORT_TALLY_H
#define ML_TESTS_SUPPORT_TALLY_H

#include "support_cluster.h"

struct tally {
    unsigned opened;
    unsigned closed; /* no key of it is there */
};

/** Every key op that node `from` holds, to the keyring of who is unlocked on `to`. */
void tally_give_keys(const struct cluster *c, unsigned from, unsigned to);
/** The records that `from` has after the ingest number `after`, by the keys of who is on `by`. */
struct tally tally_records(const struct cluster *c, unsigned from, unsigned by, uint64_t after);

#endif
