/* support_disk.h -- the sealing VFS over a fault_disk, and a workload that knows what was
 * acknowledged to it. */
#ifndef ML_TESTS_SUPPORT_DISK_H
#define ML_TESTS_SUPPORT_DISK_H

#include "fault_vfs.h"
#include "support_vfs.h"

#define SUPPORT_DISK "fault-disk"
#define SUPPORT_DB   "t.db"
#define SUPPORT_WAL  "t.db-wal"

/** A disk with SUPPORT_VFS (support_key) over it. */
struct fault_disk *support_disk_new(uint64_t seed);
void support_disk_free(struct fault_disk *disk);
sqlite3 *support_disk_open_ok(void);
/** NULL on failure. */
sqlite3 *support_disk_open(void);

/* The workload: `steps` transactions, each of which writes row `step` of "done" beside other work:
 * inserts, updates that spill a small cache, deletes, savepoints, checkpoints of two kinds, VACUUM.
 * An error ends nothing: the next step goes on, as a program would. */
struct support_work {
    int steps;      /* at most 60 in all runs */
    int step_size;  /* rows a step writes; above ~60 the cache spills */
    bool reopen;    /* close and open again now and then */
    int started;    /* in and out: the last step begun */
    uint64_t acked; /* in and out: bit per step whose COMMIT was OK */
    int failed;     /* out: how many calls failed */
    int last_code;  /* out: extended, of the last failure */
};
/** Opens, works, closes. Stops early when the disk is dead. */
void support_work_run(struct support_work *w, struct fault_disk *disk);
/** Fails the test unless every step up to `acked` is there, none after `started`, and all is sound.
 */
void support_work_check(const struct support_work *w);

#endif
