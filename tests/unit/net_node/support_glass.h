/* tests/unit/net_node/support_glass.h -- stories of emergency access: a doctor's node with a
 * patient who takes a treatment, and what people do with glasses. Each must succeed but the _try
 * ones. */
#ifndef ML_TESTS_SUPPORT_GLASS_H
#define ML_TESTS_SUPPORT_GLASS_H

#include "net/node/glass_second.h"
#include "net/node/session.h"
#include "support_story.h"

struct glass_story {
    struct cluster c;
    char patient[40];
    char treatment[40];
    char glass[40];  /* of the last opening */
    bool asked;      /* which waits for another's share */
    bool of_patient; /* only what is traced with him is counted */
};

int glass_setup(void **state);
int glass_teardown(void **state);
struct ml_org *glass_org(struct glass_story *f, unsigned n);

struct glass_opening {
    const char *patient; /* NULL: the story's */
    const char *reason;
    const char *text;
    int tier;
    int minutes;
};
extern const struct glass_opening glass_summary;
extern const struct glass_opening glass_whole;

ml_err glass_try(struct glass_story *f, unsigned n, const struct glass_opening *o, char text[48]);
void glass_opened(struct glass_story *f, unsigned n, const struct glass_opening *o);
/** How many elements the timeline shows. */
int64_t glass_shown(struct glass_story *f, unsigned n);
/** Of glasses, in the folder of vaults. */
unsigned glass_files(struct glass_story *f, unsigned n);
/** What a patient decided, as consent answers it: emergencies may not open the compartments in
 * *ctx, an unsigned of bits. */
ml_err glass_excluded(void *ctx, struct ml_exclusion *out, const struct ml_object_id *patient,
                      ml_compartment compartment, const struct ml_member_id *member);

#endif
