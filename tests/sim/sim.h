/* tests/sim/sim.h -- whole nodes in one process, on virtual time, with a hostile network, hostile
 * disks and wrong clocks; all drawn from one seed.
 *
 * world     time, the queue of what happens next, the nodes' environments     sim_world.c
 * net       links between nodes: late, lost, doubled, out of order, cut       sim_net.c
 * nodes     start, stop, crash, restore, unlock                               sim_node.c
 * calls     what a user asks of a node                                        sim_call.c
 * work      what users write, drawn by the seed                               sim_work.c
 * act       what else they do: read, lock, draft, enrol, ask for what's refused    sim_act.c
 * govern    what they decide about people: rights, consent, what was left out    sim_govern.c
 * import    many ops at once                                                  sim_import.c
 * rogue     what a hostile peer signs and sends                               sim_rogue.c
 * adversary stories of one attack each, in a mode of their own                sim_adversary.h
 * watch     what comes to each log and vault, counted                         sim_watch.c
 * fault     what goes wrong, drawn by the seed                                sim_fault.c
 * model     what the record must then hold, computed from what was said       sim_model.c
 * damage    disks that rot, stray and cheat, machines that are replaced       sim_damage.c
 * witness   every bundle ever seen, and where it is                           sim_witness.c
 * store     what stands on a disk, read without the node                      sim_store.c
 * check     the invariants of the architecture, outside the code under test   sim_check.c
 * count     how often each thing happened: a zero fails a run                 sim_count.c
 *
 * One thread. Memory of the simulator itself is malloc's; running short of it ends the program.
 */
#ifndef ML_TESTS_SIM_H
#define ML_TESTS_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/env.h"
#include "core/base/fs.h"
#include "core/record/schema.h"
#include "core/store/log.h"
#include "fault_vfs.h"
#include "maille/value.h"
#include "net/node/node.h"
#include "sim_count.h"
#include "sim_model.h"
#include "sim_witness.h"

enum {
    SIM_NODES = 5,
    SIM_TWIN = SIM_NODES - 1, /* runs the image of another one, once there is such */
    SIM_LATE = SIM_TWIN - 1,  /* joins during the run, in half of them */
    SIM_ENROLLER = 0,         /* the founder: of rank 1 */
    SIM_PLACES = 256,
    SIM_LINKS = 8192,
    SIM_SCALE = 2, /* patients of an import, at most: more are asked for by --scale */
    SIM_ID = 40,   /* hexadecimal digits of an id, and NUL */
    SIM_HASH = 72, /* ... of a bundle's name */
    SIM_OTHERS = 4,
};

struct sim;

/** What opens the files of a node from outside, kept while it is open itself. */
struct sim_keys {
    bool log;
    bool vault;
    struct ml_org_id org;
    struct ml_member_id member;
    uint8_t log_key[32];
    uint8_t vault_key[32];
};

typedef enum sim_event_kind {
    SIM_LINK_UP,
    SIM_LINK_MESSAGE,
    SIM_LINK_DOWN,
    SIM_DIAL_FAILED,
    SIM_LINK_SENT,   /* bytes left the sender's queue */
    SIM_LINK_BROKEN, /* the driver finds that something is missing or comes twice */
} sim_event_kind;

struct sim_event {
    struct sim_event *next; /* in the queue: by time, then by order of arrival */
    uint64_t at_ms;
    sim_event_kind kind;
    unsigned node;
    unsigned boot; /* of the node: what was meant for an earlier life is dropped */
    uint64_t link; /* or the dial that failed */
    struct ml_link_peer peer;
    ml_err reason;
    size_t len;
    uint8_t bytes[];
};

/** What a node says of its damaged files (node.status). */
struct sim_told {
    unsigned count; /* of files */
    bool restored;
    bool doubled;
    bool cut; /* this and what follows: of the log */
    bool unreadable;
    int64_t lost;
    int64_t missing;
    int64_t bodies;
    int64_t forks; /* of the structure; -1: it doesn't say */
    struct ml_dep places[SIM_PLACES];
    size_t place_count;
};

struct sim_node {
    struct sim *sim;
    unsigned index;
    struct ml_env env;      /* ctx: this node */
    int64_t wall_offset_ms; /* its clock against the simulator's */
    uint64_t rng;           /* never set back: rules B19 */
    long live;              /* blocks of its memory */
    char disk_name[32];
    struct fault_disk *disk;
    struct ml_fs fs;
    struct ml_node *node; /* NULL: down */
    unsigned boot;
    struct fault_image *backup; /* of its home; NULL: none yet */
    uint64_t start_at_ms;       /* down and to be started then; 0: not planned */
    uint64_t wake_at_ms;
    bool joined;    /* has a member of the structure */
    unsigned draft; /* number of the draft that it acknowledged; 0: none that is sure */
    bool has_identity;
    struct ml_link_identity identity;
    char id[SIM_ID];
    char member[SIM_ID];
    struct sim_ledger ledger;
    struct sim_told told;
    struct sim_keys keys;
    uint64_t busy_until_ms; /* its disk is slow: what comes waits until then */
    bool damaged;           /* something else stands on its disk than was written */
    bool anchor_hit; /* its record began anew: of what was offered before it knows the log's part */
    bool keystore_hit; /* one of the two copies may be damaged: the other one stays sound */
    bool strays;       /* of its planned write: else it cheats */
    bool ill;          /* its disk answered an error: a check may have met it */
    bool clock_moved;  /* what it tells for a week may be over */
    unsigned
        works_on; /* 1 + the boot in which a call wasn't answered in time; it may still write */
    bool was_replaced;
    bool has_history; /* what was written before he came was given to him */
    bool replacing;   /* a new machine that isn't enrolled yet */
    bool set_back;    /* restored, and nobody has unlocked it since */
    uint8_t token[32];
    size_t token_len;
};

struct sim_link {
    bool up;
    bool broken[2]; /* towards that end: what comes is not what Noise expects */
    unsigned end[2];
    ml_link_kind kind;
    uint64_t last_at_ms[2]; /* when the latest message towards that end arrives: order is kept */
};

/** How messages from one node to another fare; chances are out of 1000 messages. */
struct sim_path {
    bool cut;
    uint32_t delay_ms;
    uint32_t lost;
    uint32_t doubled;
    uint32_t reordered;
    uint64_t stalled_until_ms;
};

struct sim_options {
    uint64_t seed;
    unsigned events; /* what users do and what goes wrong, together */
    bool story;      /* each step on stderr */
    bool sound;      /* disks keep what is written on them, but for crashes */
    unsigned scale;  /* patients of an import, at most */
};

/** What an adversary does to bundles on their way; zero: nothing. */
struct sim_wire {
    bool (*lets)(void *user, unsigned from, unsigned to, struct ml_slice wire); /* NULL: all */
    void *user;
    uint8_t bytes[8192]; /* goes with the next ones of `from` */
    size_t len;          /* 0: nothing does */
    unsigned from;
    unsigned given; /* such went out */
    /* What others' logs said when they were given exactly these bytes, by ml_log_result. */
    unsigned judged[ML_LOG_REFUSED + 1];
};

struct sim {
    struct sim_options options;
    uint64_t now_ms;
    uint64_t rng;
    struct sim_event *queue;
    struct sim_node nodes[SIM_NODES];
    struct sim_node scratch; /* a disk and an environment for whoever looks from outside */
    struct sim_link links[SIM_LINKS];
    unsigned link_count;
    struct sim_path paths[SIM_NODES][SIM_NODES];
    uint64_t next_call;
    struct {
        bool done;
        ml_err err;
        struct ml_buf document;
    } answer;
    struct sim_model model;
    int roles[SIM_TWIN];
    struct { /* members who have no computer: sim_govern.c */
        unsigned count;
        char ids[SIM_OTHERS][SIM_ID];
        char statement[SIM_ID]; /* the latest that a patient made; empty: none */
        char patient[SIM_ID];
    } others;
    size_t last_object; /* of the latest edit, and its field: where two people meet */
    const struct ml_field *last_field;
    bool forked; /* an image runs twice: what its writer says counts no more */
    unsigned doubled;
    unsigned offers_drawn; /* sim_store.c: to be looked up on the synced disk */
    struct {               /* sim_rogue.c */
        unsigned acts;
        uint8_t *wire; /* owned; goes with the next bundles of `from`. NULL: nothing does */
        size_t len;
        unsigned from;
        const char *name;
        bool waits;                   /* it stays pending */
        bool withholds;               /* bodies, in those bundles */
        unsigned waiting;             /* so many may be pending at the end */
        const struct ml_secret *lies; /* who signs another action; NULL: nobody */
    } rogue;
    struct sim_wire wire; /* sim_adversary_forge.c */
    struct sim_witness witness;
    unsigned damages;
    bool replaced;
    struct sim_count count;
    uint8_t import_key[32]; /* as the founder had it: ids of what is imported hang on it */
    bool has_import_key;
    bool keys_awaited; /* some vault, built again, lacks keys that its own log destroyed */
    uint64_t lost;     /* acknowledged, and gone */
    uint64_t diverged; /* nodes that aren't as the others, or the model */
    char failure[512]; /* empty: none */
};

/* ---- world ---- */

void sim_init(struct sim *s, const struct sim_options *options);
void sim_free(struct sim *s);
uint64_t sim_below(struct sim *s, uint64_t bound);
bool sim_chance(struct sim *s, unsigned of_1000);
/** A line of the run's story. */
void sim_say(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** The first failure is kept, the run goes on to its end. */
void sim_fail(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Everything that happens in the next `ms`. */
void sim_run(struct sim *s, uint64_t ms);
/** The next thing that happens, if it does before `until_ms`; else time is then. */
void sim_step(struct sim *s, uint64_t until_ms);

/* ---- net ---- */

struct sim_event *sim_event_new(sim_event_kind kind, unsigned node, size_t len);
void sim_event_push(struct sim *s, struct sim_event *e, uint64_t at_ms);
void sim_net_ports(struct sim_node *n, struct ml_node_ports *ports);
void sim_link_drop(struct sim *s, uint64_t link, ml_err reason);
void sim_links_drop(struct sim *s, unsigned node);

/* ---- nodes ---- */

void sim_node_start(struct sim *s, unsigned n);
void sim_node_stop(struct sim *s, unsigned n);
/** The machine is gone as of now; what the disk keeps of it is for `keep` to say. */
void sim_node_crash(struct sim *s, unsigned n, enum fault_keep keep);
/** Ends the lives of those whose disk has died under them. */
void sim_nodes_reap(struct sim *s);
/** Up, joined, and unlocked: it can be asked. */
/** The home as it was at the last backup; the anti-rollback record isn't part of it. */
void sim_node_back_up(struct sim *s, unsigned n);
void sim_node_restore(struct sim *s, unsigned n);
/** The twin becomes a second machine with all that node `n` has. */
void sim_node_double(struct sim *s, unsigned n);
bool sim_node_ready(const struct sim *s, unsigned n);
/** One of two machines of one image: what it signs is kept, and counts no more. */
static inline bool sim_is_twin(const struct sim *s, unsigned n)
{
    return s->forked && (n == s->doubled || n == SIM_TWIN);
}
/** The time as this node has it: what its disk took is on top of the world's. */
uint64_t sim_node_now(const struct sim_node *n);
/** After a call into the node: it's busy for as long as its disk took. */
void sim_node_spent(struct sim_node *n);
/** Of the ready ones, any; SIM_NODES: none. */
unsigned sim_node_any(struct sim *s);

/* ---- calls ---- */

struct sim_call {
    struct ml_args *args; /* an open map */
    struct ml_tree *answer;
    unsigned cancel_after; /* so many steps; 0: never */
    bool lost;             /* the node died before it answered: nobody knows */
};

void sim_ask(struct sim_call *c);
void sim_put(struct sim_call *c, const char *key, const char *value);
ml_err sim_send(struct sim_call *c, struct sim *s, unsigned n, const char *method);
const struct ml_value *sim_get(const struct sim_call *c, const char *key);
void sim_call_end(struct sim_call *c);

bool sim_found(struct sim *s, unsigned n);
bool sim_join(struct sim *s, unsigned by, unsigned n);
/** A machine for a member who is known. */
bool sim_join_as(struct sim *s, unsigned by, unsigned n, const char *member);
/** Everybody who can be asked, and a machine that is new: where the other one answers. */
void sim_introduce_new(struct sim *s, unsigned n);
/** Each node is told where each other one answers. */
bool sim_introduce(struct sim *s);
/** Node `i` is told where the others answer. */
bool sim_introduce_one(struct sim *s, unsigned i);
ml_err sim_unlock(struct sim *s, unsigned n);

/* ---- work, faults, checks ---- */

/** One thing that a user does. */
void sim_work(struct sim *s);
/** Something else than writing, on a node that is ready. */
void sim_act(struct sim *s, unsigned node);
/** A member who has no computer, by who may; else it is refused. */
void sim_other_add(struct sim *s, unsigned node);
/** A decision about them. */
void sim_govern(struct sim *s, unsigned node);
void sim_other_keep(struct sim *s, const char *member);
void sim_history_give(struct sim *s, unsigned from, unsigned to);
/** From now on roles say who writes what. */
void sim_matrix_begin(struct sim *s);
/** A request that must be refused. */
void sim_bad(struct sim *s, unsigned node);
/** An import, new or taken up again. */
void sim_import(struct sim *s, unsigned node);
void sim_imports_check(struct sim *s);
/** Files of this process, gone when it ends. */
const char *sim_folder(void);
/** From now on what comes to logs and vaults is counted in `s`. */
void sim_watch(struct sim *s);

/* sim_fast.c: once, before anything opens a database. */
void sim_fast_begin(void);
/** What a changed program signs, of node `node`. */
void sim_rogue(struct sim *s, unsigned node);
/** A message that node `from` changes on its way out; false: it doesn't. */
bool sim_rogue_changes(struct sim *s, unsigned from, unsigned to, struct ml_slice bytes,
                       struct ml_buf *out);
bool sim_rogue_lies(struct sim *s, const struct ml_org_id *org, struct ml_slice wire,
                    struct ml_buf *out);
/** The same of an adversary; `ends`: from, to. Nothing in `out`: the message is kept back. */
bool sim_adversary_changes(struct sim *s, const unsigned ends[2], struct ml_slice bytes,
                           struct ml_buf *out);
/** One thing that goes wrong. */
void sim_fault(struct sim *s);
/** A disk that isn't what it was, or a machine that is gone. */
void sim_damage(struct sim *s);
/** A new machine that could not be enrolled yet tries again. */
void sim_replaced_joins(struct sim *s, unsigned n);
/** Whether no other machine that is there has its enrolment: they don't exchange with it. */
bool sim_node_is_stranger(const struct sim *s, unsigned n);
/** What stray and cheating writes hit, since the last time. */
void sim_damage_notice(struct sim *s);
/** Whether a file of this name is a log, or will be. */
bool sim_is_log(const char *name);
/** What node n tells of damage, as of now; nothing where it can't answer. */
ml_err sim_told_read(struct sim *s, unsigned n);
/** After heal: what is nowhere any more, is so for a reason, and it is told. */
void sim_check_losses(struct sim *s);
/** All that goes wrong ends: links whole, disks sound, clocks right, every node up. */
void sim_heal(struct sim *s);
/** What must hold at any time; cheap. */
void sim_check_now(struct sim *s);
/** After heal, with everything exchanged: equal nodes, and the record as the model says. */
void sim_check_end(struct sim *s);

/** A line of the story for each peer of this node. */
void sim_say_links(struct sim *s, unsigned node);

/* ---- what stands on a disk ---- */

/** The keys of what is open now, for a time when it isn't. */
void sim_store_keys(struct sim *s, unsigned n);
/** I5: after a crash, before the node starts: log and vault agree with themselves. */
void sim_store_check(struct sim *s, unsigned n);
/** I11: what is offered would outlive a power cut at this moment. */
void sim_store_offered(struct sim *s, unsigned n, struct ml_slice message);
/** I2: the state again, from the raw bundles in another order. Not `in_time`: keys that others are
 * to give within a minute may be awaited, and s->keys_awaited says that they are. */
void sim_store_recompute(struct sim *s, unsigned n, bool in_time);

/** A value of the field's type, as a client gives it, put as the next value of `args`. */
void sim_value_put(struct sim *s, struct ml_args *args, const struct ml_field *field);

#endif
