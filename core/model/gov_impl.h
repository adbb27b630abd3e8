/* core/model/gov_impl.h -- what gov.c (facts, questions) and gov_rule.c (rulings) share. */
#ifndef ML_MODEL_GOV_IMPL_H
#define ML_MODEL_GOV_IMPL_H

#include <string.h>

#include "core/model/gov.h"

struct ml_gov {
    const struct ml_env *env; /* borrowed */
    struct ml_org_id org;
    struct ml_fact **facts;
    size_t count;
    size_t cap;
    size_t last; /* facts before the last ml_gov_apply */
};

static inline bool ml_gov_same(const void *a, const void *b, size_t len)
{
    return memcmp(a, b, len) == 0;
}

/** Keeps a copy of `fact` and of its label's bytes. NOMEM. */
ml_err ml_gov_keep(struct ml_gov *g, const struct ml_fact *fact) ML_MUST_CHECK;
/** Forgets the facts after the first `count`. */
void ml_gov_truncate(struct ml_gov *g, size_t count);
/** It counts, and `at` (NULL: everything) covers it. */
bool ml_gov_covered(const struct ml_fact *f, const struct ml_gvec *at);
/** The opening of a writer; NULL: unknown. */
const struct ml_fact *ml_gov_opening_of(const struct ml_gov *g, const struct ml_writer_id *writer,
                                        bool counting);
/** The lowest rank that anyone gave stands: of concurrent grants the smaller. */
static inline const struct ml_fact *ml_gov_lower(const struct ml_fact *best,
                                                 const struct ml_fact *f)
{
    return best == NULL || f->rank > best->rank ? f : best;
}

#endif
