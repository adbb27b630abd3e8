/* tests/unit/core_model/support_people.h -- some people, each with a pair and a keyring over
 * arrays, who hear one log of key ops; a team and a patient. */
#ifndef ML_TESTS_SUPPORT_PEOPLE_H
#define ML_TESTS_SUPPORT_PEOPLE_H

#include "support_keystore.h"

enum { PEOPLE_MAX = 5 };

struct person {
    struct ml_secret *box;
    struct ml_box_pk pk;
    struct mem_store store;
    struct ml_keyring *ring;
};

struct people {
    struct fake_env fake;
    struct ml_org_id org;
    struct ml_team_id team;
    struct ml_object_id patient;
    struct person who[PEOPLE_MAX];
    size_t count;
    struct ml_secret *recovery; /* the structure's, of nobody */
    struct ml_box_pk recovery_pk;
    struct key_log log;
};

/* All zeros but for what it names; the log is empty. Assert what they do. */
void people_init(struct people *w, uint64_t seed, size_t count);
/* 0, or -1 when something of theirs is still allocated: what a teardown answers. */
int people_free(struct people *w);

/* The same pair again, with a keyring that knows what the person's store holds. */
void person_again(struct people *w, struct person *p);
/* The same pair again, with nothing kept. */
void person_reset(struct people *w, struct person *p);
/* Everybody applies the log's ops from `first` on. */
void people_hear(struct people *w, size_t first);
/* The i-th op of a log. */
struct ml_keyop key_log_op(const struct key_log *log, size_t i);

#endif
