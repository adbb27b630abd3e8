/* tests/sim/sim_count.h -- what happened in a run, and how often: a zero over all seeds fails. */
#ifndef ML_TESTS_SIM_COUNT_H
#define ML_TESTS_SIM_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_COUNTS(X)                                                                              \
    X(NET_DELIVERED, "messages delivered")                                                         \
    X(NET_LOST, "messages lost")                                                                   \
    X(NET_DOUBLED, "messages doubled")                                                             \
    X(NET_REORDERED, "messages out of order")                                                      \
    X(NET_CUT, "paths cut both ways")                                                              \
    X(NET_CUT_ONE_WAY, "paths cut one way")                                                        \
    X(NET_STALL, "paths stalled")                                                                  \
    X(NET_RESET, "links reset")                                                                    \
    X(CRASH_SYNCED, "crashes, only what was synced stays")                                         \
    X(CRASH_PREFIX, "crashes, torn last write")                                                    \
    X(CRASH_RANDOM, "crashes, sectors at random")                                                  \
    X(CRASH_KILL, "processes killed")                                                              \
    X(CRASH_IN_WRITE, "crashes at a chosen write")                                                 \
    X(DISK_FULL, "disks full")                                                                     \
    X(DISK_ERROR, "disk errors")                                                                   \
    X(CLOCK_YEAR, "clocks a year off")                                                             \
    X(CLOCK_BACK, "clocks jumping back")                                                           \
    X(RESTORED, "stores restored from an older copy")                                              \
    X(DOUBLED, "machine images resumed twice")                                                     \
    X(STOPPED, "nodes stopped and started")                                                        \
    X(OP_CREATE, "create")                                                                         \
    X(OP_SET, "set")                                                                               \
    X(OP_AMEND, "amend")                                                                           \
    X(OP_VOID, "void")                                                                             \
    X(OP_ARCHIVE, "archive")                                                                       \
    X(OP_RESTORE, "restore")                                                                       \
    X(OP_RESOLVE, "conflict settled")                                                              \
    X(ACKED, "writes acknowledged")                                                                \
    X(REFUSED, "writes refused")                                                                   \
    X(UNKNOWN, "writes whose answer was lost")                                                     \
    X(MERGE_EVENT, "conflicting heads of an event")                                                \
    X(MERGE_SET, "concurrent lives of a set member")                                               \
    X(MERGE_REGISTER, "conflicting heads of a register")                                           \
    X(MERGE_ATOMIC, "conflicting heads of an atomic group")                                        \
    X(MERGE_ASSERT, "conflicting heads of an assertion")                                           \
    X(VERDICT_ACCEPTED, "bundles accepted")                                                        \
    X(VERDICT_FORKED, "forks seen")                                                                \
    X(CHECKED_NOW, "cheap checks")                                                                 \
    X(CHECKED_END, "full checks")

typedef enum sim_count_of {
#define X(id, text) SIM_##id,
    SIM_COUNTS(X)
#undef X
        SIM_COUNT_OF
} sim_count_of;

struct sim_count {
    uint64_t of[SIM_COUNT_OF];
};

void sim_count_add(struct sim_count *to, const struct sim_count *one);
/** One line each on stdout; false when one is zero. */
bool sim_count_print(const struct sim_count *c);

#endif
