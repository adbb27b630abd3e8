/* tests/unit/core_model/support_consent.h -- statements by letters, people by numbers; and an
 * oracle that knows nothing of sets, rows or facts. */
#ifndef ML_TESTS_SUPPORT_CONSENT_H
#define ML_TESTS_SUPPORT_CONSENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/model/consent.h"
#include "fake_env.h"

#define STORY_MAX (ML_CONSENT_FACTS_MAX + 1)

/* What somebody says; 0 and NULL: not. People and teams are numbers: who is in team n is n. */
struct says {
    const char *object;
    uint64_t until_ms;
    unsigned by;
    unsigned person;
    unsigned team;
    unsigned except;
    unsigned knows; /* of `chosen`: bit i, the i-th one; else all before, or (`alone`) none */
    uint16_t role;
    uint8_t kind;
    uint8_t source; /* 0: the patient */
    uint8_t class;
    uint8_t compartment;
    char name;
    char ends[4]; /* letters */
    bool alone;
    bool chosen;
    bool grey;
};

struct story {
    struct fake_env fake;
    const uint16_t *roles; /* by person */
    unsigned outside;      /* who isn't in the care team; 0: nobody */
    uint64_t now_ms;
    size_t count;
    struct says says[STORY_MAX];
    struct ml_consent_fact facts[STORY_MAX];
    struct ml_buf bytes[STORY_MAX]; /* that the facts borrow */
};

void story_begin(struct story *s, const uint16_t *roles);
void story_end(struct story *s); /* nothing was leaked */
void story_say(struct story *s, const struct says *says);
void story_fill(struct story *s, size_t count); /* so many that he was informed */
void story_shuffle(struct story *s, uint64_t seed);

struct asked {
    const char *object;
    ml_viewer viewer;
    unsigned who;
    unsigned class;
    bool emergency;
};

ml_consent_answer consent_ask(const struct story *s, const struct asked *asked);
/* "INFORMED:I OUTWEIGHED:D/A ": the steps, with the letters of facts. */
void consent_tell(const struct story *s, const struct asked *asked, char *out, size_t size);
bool consent_closes(const struct story *s, unsigned who, unsigned compartment);
bool consent_closes_emergency(const struct story *s, unsigned compartment);
bool consent_opposes(const struct story *s);
uint64_t consent_next(const struct story *s);
void consent_fails_cleanly(struct story *s); /* each allocation that fails leaves nothing behind */

bool oracle_may(const struct story *s, const struct asked *asked);

#endif
