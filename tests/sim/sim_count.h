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
    X(DISK_SLOW, "slow disks")                                                                     \
    X(WRITE_STRAY, "writes that went to another place")                                            \
    X(WRITE_CHEAT, "writes reported done and done in part")                                        \
    X(ROT_BIT, "bits that flipped on a disk")                                                      \
    X(ROT_BLOCK, "blocks that became zeros")                                                       \
    X(ROT_SHORT, "files cut short")                                                                \
    X(ROT_WASTE, "files wasted whole")                                                             \
    X(ROT_GONE, "files gone")                                                                      \
    X(ROT_LOG, "damaged logs")                                                                     \
    X(ROT_WAL, "damaged WALs of logs")                                                             \
    X(ROT_VAULT, "damaged vaults")                                                                 \
    X(ROT_KEYSTORE, "damaged keystores")                                                           \
    X(ROT_ANCHOR, "damaged anchors")                                                               \
    X(ROT_JOURNAL, "damaged trace journals")                                                       \
    X(ROT_DRAFTS, "damaged drafts")                                                                \
    X(REPLACED, "machines lost for ever and replaced")                                             \
    X(OP_CREATE, "create")                                                                         \
    X(OP_SET, "set")                                                                               \
    X(OP_AMEND, "amend")                                                                           \
    X(OP_VOID, "void")                                                                             \
    X(OP_ARCHIVE, "archive")                                                                       \
    X(OP_RESTORE, "restore")                                                                       \
    X(OP_RESOLVE, "conflict settled")                                                              \
    X(ACKED, "writes acknowledged")                                                                \
    X(IMPORTED, "imports done")                                                                    \
    X(IMPORT_CANCELED, "imports cancelled")                                                        \
    X(IMPORT_CUT, "imports cut by a crash")                                                        \
    X(IMPORT_AGAIN, "imports taken up again elsewhere")                                            \
    X(IMPORT_CHECKED, "imports found whole at the end")                                            \
    X(DOCUMENT, "documents with a file")                                                           \
    X(DOCUMENT_LARGE, "documents in chunks")                                                       \
    X(DOCUMENT_CHECKED, "files read back at the end")                                              \
    X(JOINED_LATE, "members enrolled during the run")                                              \
    X(DRAFT_KEPT, "drafts found again")                                                            \
    X(BAD_REQUEST, "bad requests refused")                                                         \
    X(ROGUE, "messages that a hostile peer changed")                                               \
    X(ACKED_OPS, "ops acknowledged")                                                               \
    X(REFUSED, "writes refused")                                                                   \
    X(UNKNOWN, "writes whose answer was lost")                                                     \
    X(LOST_TOLD, "only copies destroyed, and named")                                               \
    X(RESTORE_TOLD, "restored stores that said so")                                                \
    X(FORK_TOLD, "doubled machines that were told of")                                             \
    X(CHECKED_NOW, "cheap checks")                                                                 \
    X(CHECKED_I1, "bundles alone at their place (I1)")                                             \
    X(CHECKED_I2, "states computed again in another order (I2)")                                   \
    X(CHECKED_I2_VIEW, "vaults built again (I2, I5)")                                              \
    X(CHECKED_I3, "bundles judged after their governance (I3)")                                    \
    X(CHECKED_I4, "headers verified without a body (I4)")                                          \
    X(CHECKED_I5, "logs read from a crashed disk (I5)")                                            \
    X(CHECKED_I5_VAULT, "vaults read from a crashed disk (I5)")                                    \
    X(CHECKED_I10, "objects shown with all that is here (I10)")                                    \
    X(CHECKED_I10_LIST, "conflicts found in the worklist (I10)")                                   \
    X(CHECKED_I11, "offers on a disk with nothing unsynced (I11)")                                 \
    X(CHECKED_I11_IMAGE, "offers looked up on the synced disk (I11)")                              \
    X(CHECKED_END, "full checks")

typedef enum sim_count_of {
#define X(id, text) SIM_##id,
    SIM_COUNTS(X)
#undef X
        SIM_COUNT_OF
} sim_count_of;

/* Lists of the code under test, each with a number of its own. */
typedef enum sim_row {
    SIM_ROW_CHANGE,
    SIM_ROW_GOVOP,
    SIM_ROW_KEYOP,
    SIM_ROW_RESULT,  /* of bundles that came to a log */
    SIM_ROW_VERDICT, /* the log's */
    SIM_ROW_REASON,  /* of the log's verdict */
    SIM_ROW_GREY,    /* the content verdict */
    SIM_ROW_MERGE,   /* conflicts of each rule */
    SIM_ROW_LANE,
} sim_row;

enum { SIM_ROWS_MAX = 128, SIM_METHODS_MAX = 96 };

struct sim_count {
    uint64_t of[SIM_COUNT_OF];
    uint64_t rows[SIM_ROWS_MAX];
    uint64_t methods[SIM_METHODS_MAX]; /* answered well: in the order of ml_method_at */
    uint64_t rows_unknown;             /* of no list */
};

void sim_count_row(struct sim_count *c, sim_row kind, unsigned number);
/** A call that was answered well. */
void sim_count_method(struct sim_count *c, const char *name);

void sim_count_add(struct sim_count *to, const struct sim_count *one);
/** One line each on stdout; false when one is zero. */
bool sim_count_print(const struct sim_count *c, bool sound);

#endif
