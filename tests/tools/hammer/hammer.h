/* tests/tools/hammer/hammer.h -- real mailled processes under load, and what happens to them.
 *
 * disk     the simulated disk of a mailled-powercut, in this process           disk.c
 * node     start, kill, unlock, ask: one mailled and its client                node.c
 * document the files of documents                                              document.c
 * ledger   every entry that was sent, and every answer; what the nodes hold    ledger.c
 * kill     kill -9 and power cuts under load                                   kill.c
 * full     a disk that is full, then has room again                            full.c
 * month    31 days of clock                                                    month.c
 *
 * One thread, and one a disk. Nothing sleeps: a kill comes at a moment of the clock or at a change
 * of the disk, both drawn from the seed; the rest is waited for. Deadlines are guards against
 * hanging. Memory is malloc's; running short of it ends the program.
 */
#ifndef ML_TESTS_HAMMER_H
#define ML_TESTS_HAMMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fault_vfs.h"
#include "maille/client.h"

enum {
    NODES = 2,
    PATH_BYTES = 400,
    ID_BYTES = 40,
    WINDOW = 4,        /* unanswered writes of one node */
    GUARD_MS = 120000, /* nothing takes as long */
    TEXT_BYTES = 600,
};

/* ---- the simulated disk ---- */

struct disk; /* owned by who made it */

struct disk *disk_new(const char *name, uint64_t seed);
void disk_free(struct disk *d);
/** The end of a socket for the program to inherit; its other end is served once `disk_serve` was
 * called with the program's process. */
int disk_plug(struct disk *d);
void disk_serve(struct disk *d, pid_t pid);
/** From the nth change on there is no power: the program is killed at that change. 0: never. False:
 * it has come already. */
bool disk_cut_at(struct disk *d, long nth);
/** After the program's end: what the disk then holds. True when it had lost power. */
bool disk_restart(struct disk *d, enum fault_keep keep);
/** Bytes that may still be written; 0: no limit. */
void disk_room(struct disk *d, uint64_t bytes);
/** Changes of the disk so far. */
uint64_t disk_changes(struct disk *d);

/* ---- a node ---- */

struct node {
    const char *name;
    const char *daemon;
    char home[PATH_BYTES];
    char state[PATH_BYTES]; /* XDG_STATE_HOME */
    char id[ID_BYTES];
    unsigned port;     /* 0: not chosen yet */
    pid_t pid;         /* 0: not running */
    struct disk *disk; /* borrowed; NULL: the real one */
    int clock_fd;      /* of a struct wire_clock; -1: the real one */
    struct ml_client *client;
    struct ml_tree *answer; /* of the last call */
    unsigned open_calls;    /* writes that are not answered */
    char error[600];        /* why the last thing failed */
};

/** mailled runs and was asked to say when it answers, on *ready. */
bool node_spawn(struct node *n, int *ready);
/** Waits for that, and opens a client. */
bool node_connect(struct node *n, int ready);
bool node_start(struct node *n);
void node_end(struct node *n);  /* SIGKILL, and waits; what it had answered can be read */
void node_kill(struct node *n); /* node_end, and the client is closed */
bool node_stop(struct node *n); /* SIGTERM, and waits: false when it ends badly */
bool node_unlock(struct node *n);
/** Takes `params` over (an open map); the result, borrowed until the next call, or NULL. */
const struct ml_value *node_call(struct node *n, const char *method, struct ml_args *params);
/** node_call of what begins a session. */
const struct ml_value *node_enter(struct node *n, const char *method, struct ml_args *params);
struct ml_args *params_new(void);
void param_text(struct ml_args *a, const char *key, const char *value);
void param_int(struct ml_args *a, const char *key, int64_t value);
extern const char node_passphrase[];

/* ---- the ledger ---- */

enum entry_state {
    ENTRY_SENT,
    ENTRY_ACKED,
    ENTRY_UNKNOWN, /* the node died before it answered */
    ENTRY_REFUSED,
};

enum entry_kind {
    ENTRY_NOTE,
    ENTRY_PATIENT,
    ENTRY_DOCUMENT, /* with a file beside it, in chunks */
};

struct entry {
    enum entry_state state;
    enum entry_kind kind;
    unsigned node;    /* that was asked */
    unsigned patient; /* whose note it is */
    bool on[NODES];   /* was seen there: from then on it must be */
    char object[ID_BYTES];
};

struct ledger {
    struct entry *entries;
    size_t count;
    size_t acked;
    char (*patients)[ID_BYTES]; /* those that notes are written on */
    size_t patient_count;
    size_t checks;   /* entries compared so far */
    size_t followed; /* lists that said they weren't complete, and weren't */
    ml_err last_refusal;
    char refusal[400]; /* in words */
};

struct hammer {
    struct node nodes[NODES];
    struct disk *disks[NODES];
    struct ledger ledger;
    uint64_t rng;
    uint64_t seed;
    unsigned count; /* kills asked for */
    unsigned kills;
    unsigned manual; /* steps that a person would have had to do */
    char folder[PATH_BYTES / 2];
    const char *daemon;
    bool story;
    char error[900];
};

uint64_t draw(struct hammer *h, uint64_t bound);
bool fail(struct hammer *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Sends one entry more to that node; false: it can't be asked. */
bool ledger_send(struct hammer *h, unsigned node);
/** Everything the node owes: what was acknowledged by it, what was ever seen on it, and with `all`
 * what any node acknowledged; each entry whole, none twice, none that nobody sent. */
bool ledger_check(struct hammer *h, unsigned node, bool all);
void ledger_free(struct ledger *l);

/** Document k has a file of this path, made now, as its contents are a function of k. */
void document_put(const struct hammer *h, struct ml_args *a, size_t k);
/** The last `most` documents that the node acknowledged have their files there, byte for byte. */
bool documents_check(struct hammer *h, unsigned node, size_t most);

/* ---- what is done with them ---- */

/** Two nodes of one structure, each knows where the other answers, with patients to write on. */
bool hammer_found(struct hammer *h);
/** Answers of both nodes until none is awaited. */
bool hammer_settle(struct hammer *h);
/** Both have the same, as they say themselves. */
bool hammer_synced(struct hammer *h, unsigned node);
/** Both verify as whole, with the same state and view. */
bool hammer_equal(struct hammer *h);

bool run_kills(struct hammer *h);
bool run_cuts(struct hammer *h);
bool run_full(struct hammer *h);
bool run_month(struct hammer *h);

#endif
