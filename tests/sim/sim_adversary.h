/* tests/sim/sim_adversary.h -- `maille-sim --adversary`: one attack after another, each told as a
 * story of four whole nodes on a bad network.
 *
 * A story takes place like this: people of these ranks found, join and meet; each of them may write
 * notes; then come `move` and its hostile acts, with lines that lose, machines that crash, and
 * groups that don't hear of each other; then all lines are well again, in an order that the seed
 * draws. At the end everybody honest says the same (verify: state and view), shows each note that
 * must stand, and none that mustn't; `check` asks what else must hold. What stands is written into
 * the story by hand, from the rules' text: no part of the code under test says it.
 *
 * An attack that nobody met proves nothing: each story waits until it has been met, and fails where
 * it never is. A note that mustn't stand has come to somebody honest, who judged it; what was
 * forged was put before somebody's log; and of nobody but who signed twice is a fork told.
 *
 * Its draws are its own: no seed of the other stories hangs on them.
 */
#ifndef ML_TESTS_SIM_ADVERSARY_H
#define ML_TESTS_SIM_ADVERSARY_H

#include "sim.h"

enum { ADV_NOTES = 16, ADV_EVERYBODY = (1 << SIM_TWIN) - 1, ADV_COORDINATOR = 1, ADV_REFERENT = 2 };

/** Everybody but node n. */
#define ADV_BUT(n) (ADV_EVERYBODY & ~(1u << (n)))

struct adv_note {
    char object[SIM_ID];
    char text[40];
    struct ml_hash16 bundle;
    bool stands; /* at the end, on every honest node */
};

struct adversary;

struct adv {
    struct sim *s;
    const struct adversary *of;
    char patient[SIM_ID];
    struct adv_note notes[ADV_NOTES];
    unsigned count;
    unsigned honest; /* bits: whose nodes must agree at the end; all, unless said otherwise */
    bool apart[SIM_TWIN][SIM_TWIN]; /* neither hears of the other */
    char stranger[SIM_ID];          /* a member without a computer */
    struct ml_header place;         /* of what was forged: only its place is to be read */
    struct ml_hash16 twin;          /* its name */
    bool forks;       /* the last one's writer may be frozen: he signs two at one place */
    unsigned attacks; /* hostile things that came to somebody honest: 0 is a failure */
};

struct adversary {
    const char *name;
    const char *holds;        /* what must be so at the end, in a sentence */
    unsigned ranks[SIM_TWIN]; /* 0: joins later; a second coordinator is made by the others */
    int role;                 /* of the last one; 0: a doctor, as all are */
    void (*move)(struct adv *a);
    void (*check)(struct adv *a); /* NULL: notes and equal nodes are all */
};

extern const struct adversary sim_adversaries_deny[];
extern const struct adversary sim_adversaries_forge[];
extern const struct adversary sim_adversaries_time[];

/** Plays these stories with `seeds` seeds each; NULL, "all": every one. What came of it, on stdout.
 * False: one failed, one never happened, or there is none of that name. */
bool sim_adversaries(const char *name, const struct sim_options *options, uint64_t seeds);

/* ---- where they are ---- */

/** Groups of nodes, as in "02|13": from here on one doesn't hear of another. */
void adv_part(struct adv *a, const char *groups);
/** These two alone. */
void adv_cut(struct adv *a, unsigned one, unsigned other, bool cut);
/** Some time on bad lines; machines crash. */
void adv_weather(struct adv *a);
/** The same, then fair lines until what was forged has been put before somebody's log. */
void adv_reach(struct adv *a);
/** Fair lines until that is so; fails, with `what` it waited for, when it never is. */
typedef bool adv_is(struct adv *a);
void adv_until(struct adv *a, adv_is *is, const char *what);
/** Until these nodes, of one group, hold the same. */
void adv_meet(struct adv *a, unsigned nodes);
/** These machines are up and somebody is at each. */
void adv_awake(struct adv *a, unsigned nodes);
/** The clock of a machine is so far from the others'. */
void adv_clock(struct adv *a, unsigned node, int64_t offset_ms);

/* ---- what people do: each must succeed ---- */

/** A note in the patient's record; its number. Until it is said otherwise it stands at the end. */
unsigned adv_note(struct adv *a, unsigned node);
/** Fails unless this person is told that he may not. */
void adv_must_refuse(struct adv *a, unsigned node);
bool adv_shows(struct adv *a, unsigned node, unsigned note);
/** Fails unless this node shows it by now, or doesn't. */
void adv_must_show(struct adv *a, unsigned node, unsigned note, bool shown);
/** At the end it mustn't stand. */
void adv_falls(struct adv *a, unsigned note);
void adv_revoke(struct adv *a, unsigned by, unsigned whom, const char *mode);
/** Of an equal: it waits for others' hands. */
void adv_propose_revoke(struct adv *a, unsigned by, unsigned whom);
void adv_suspend(struct adv *a, unsigned by, unsigned whom);
/** All that is proposed. */
void adv_cosign(struct adv *a, unsigned node);
void adv_checkpoint(struct adv *a, unsigned node);
/** One of texts alone, sent again while a machine dies under it; the caller ends it. */
ml_err adv_send(struct adv *a, unsigned node, const char *method, const char *const texts[][2],
                struct sim_call *c);
/** The same; it must succeed, and its answer isn't looked at. */
void adv_do(struct adv *a, unsigned node, const char *method, const char *const texts[][2]);
/** A member of this rank joins with his computer. */
void adv_join(struct adv *a, unsigned by, unsigned node, unsigned rank);
/** The rank of that member as a node knows him; 0: nobody. */
unsigned adv_rank(struct adv *a, unsigned node, const char *member);
/** Fails unless each honest node says so. */
void adv_must_rank(struct adv *a, const char *member, unsigned rank);
/** Fails unless this one says so by now. */
void adv_must_know(struct adv *a, unsigned node, unsigned whom, unsigned rank);

/* ---- what changed programs do ---- */

/** The structure on that node, open. */
struct ml_org *adv_org(struct adv *a, unsigned node);
/** How the log of a node judges that bundle; 0: it isn't there. */
unsigned adv_verdict(struct adv *a, unsigned node, const struct ml_hash16 *bundle);

/** By the header of that bundle on that node; 0: it isn't there. */
uint64_t adv_hlc_ms(struct adv *a, unsigned node, const struct ml_hash16 *bundle);
/** Is this note on some honest node, judged? */
bool adv_is_met(struct adv *a, unsigned note);
/** Fails unless on that node the first note has the second one below it. */
void adv_must_cite(struct adv *a, unsigned node, unsigned note, unsigned of);
/** Fails unless others' logs said so of what was forged. */
void adv_must_be(struct adv *a, ml_log_result result);
/** Fails where an honest node tells a fork of anybody; of the last one it may where a->forks. */
void adv_must_blame_nobody(struct adv *a);
/** Fails unless each honest node judges it so. */
void adv_must_judge(struct adv *a, const struct ml_hash16 *bundle, unsigned verdict);
/** Fails unless each of them counts so many forks. */
void adv_must_fork(struct adv *a, int64_t forks);

#endif
