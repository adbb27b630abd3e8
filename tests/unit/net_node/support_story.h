/* support_story.h -- what people do, in one line each: calls of a cluster's nodes that must
 * succeed. */
#ifndef ML_TESTS_STORY_H
#define ML_TESTS_STORY_H

#include "support_cluster.h"
#include "support_request.h"

struct story_proof {
    char state_hash[72];
    char view_hash[72];
    int patients;
    int conflicts;
    int bodies_missing;
    int chunks;
    int chunks_missing;
    int pending;
    int ops;
    int forks;
    int quarantined;
};

struct story_drug {
    const char *name;
    const char *dosage;
};

static inline struct story_drug drug(const char *name, const char *dosage)
{
    return (struct story_drug){name, dosage};
}

void story_found(struct cluster *c, unsigned n);
void story_unlock(struct cluster *c, unsigned n);
/** As _unlock; true: the answer says that the store was restored. */
bool story_unlock_restored(struct cluster *c, unsigned n);
ml_err story_try_unlock(struct cluster *c, unsigned n, const char *passphrase);
/** `by` adds a member and a code; node `n` joins with it, and is given by's address. */
void story_join(struct cluster *c, unsigned by, unsigned n, const char *name, int role);
/** The two halves of it: adds a member of a role and a rank, and lets him in. */
void story_member(struct cluster *c, unsigned by, const char *name, const int job[2],
                  char member[40]);
void story_enrol(struct cluster *c, unsigned by, unsigned n, const char *member);
/** The same with a rank. */
void story_join_ranked(struct cluster *c, unsigned by, unsigned n, const char *name, int rank);
/** The id of who is called so, as node `n` knows him, and of his first computer (NULL: not asked).
 * False: there is nobody. */
bool story_find_member(struct cluster *c, unsigned n, const char *name, char member[40],
                       char node[40]);
/** The same; he must be there. */
void story_member_of(struct cluster *c, unsigned n, const char *name, char member[40]);
/** Camille MARTIN, born on 28 March 1979. */
void story_patient(struct cluster *c, unsigned n, char patient[40]);
void story_treatment(struct cluster *c, unsigned n, const char *patient, struct story_drug drug,
                     char treatment[40]);
void story_dose(struct cluster *c, unsigned n, const char *patient, const char *treatment,
                struct story_drug drug);
/** How many patients answer; the call must succeed. */
int story_find(struct cluster *c, unsigned n, const char *query);
ml_err story_try_find(struct cluster *c, unsigned n);
void story_synced(struct cluster *c, unsigned n);
void story_pause(struct cluster *c, unsigned n, bool paused);
/** Somebody says on node `to` that node `of` answers where node `at` is. */
void story_address(struct cluster *c, unsigned to, unsigned of, unsigned at);
void story_verify(struct cluster *c, unsigned n, struct story_proof *proof);

#endif
