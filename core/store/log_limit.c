/* core/store/log_limit.c -- what a node doesn't keep, though its signature is right (STOPPED).
 *
 * Whoever is enrolled can sign without end. Most of it costs disk alone; what is here costs every
 * node memory, or stops others: heads stand in each frontier, writers in each first header, facts
 * of governance in each ruling. Two nodes may keep different ones of somebody who goes beyond; what
 * is below the limits they judge alike.
 */
#include <string.h>

#include "core/store/log_impl.h"

static size_t branches_of_all(const struct ml_log *log)
{
    size_t count = 0;
    for (size_t i = 0; i < log->writer_count; i++) {
        for (size_t lane = 0; lane < ML_LANES; lane++) {
            size_t heads = log->writers[i]->chains[lane].count;
            count += heads > 1 ? heads - 1 : 0;
        }
    }
    return count;
}

bool ml_log_is_branch_too_many(const struct ml_log *log, const struct ml_log_one *one)
{
    const struct ml_header *h = &one->bundle.header;
    const struct ml_hash16 prev = ml_hash16_of(&h->prev);
    const struct ml_log_writer *w = one->writer;
    if (log->unbounded || w == NULL || w->chains[h->lane].count == 0 ||
        ml_log_head_find(w, h->lane, &prev) != NULL) {
        return false;
    }
    bool lowers = h->seq - 1 < w->freeze.seq[h->lane]; /* all nodes must come to the lowest */
    return (w->chains[h->lane].count >= ML_LOG_BRANCHES_MAX && !lowers) ||
           branches_of_all(log) >= ML_LOG_BRANCHES_ALL_MAX;
}

/* NULL: a stranger's. Not who was denied since: some nodes have his words, and others would not. */
static const struct ml_fact *rightful_opening(const struct ml_log *log,
                                              const struct ml_writer_id *writer)
{
    const struct ml_fact *f = ml_gov_opening(log->gov, writer);
    return f != NULL && ml_gov_had_right(log->gov, f) ? f : NULL;
}

static bool is_writer_too_many(const struct ml_log *log, const struct ml_fact *opening)
{
    const struct ml_fact *f = NULL;
    size_t count = 0;
    while ((f = ml_gov_next(log->gov, ML_FACT_WRITER, f)) != NULL) {
        count += memcmp(&f->member, &opening->member, sizeof(f->member)) == 0 &&
                 memcmp(&f->node, &opening->node, sizeof(f->node)) == 0;
    }
    return count > ML_LOG_PLACE_WRITERS_MAX; /* itself among them */
}

/* Who takes people in, denies, adopts says much over the years; also where he is known to have
 * left, or his last words would be kept by some nodes and not by others. */
static bool has_rank(const struct ml_log *log, const struct ml_fact *opening)
{
    const struct ml_fact *member = ml_gov_ever_member(log->gov, &opening->member);
    return member != NULL && member->rank <= ML_RANK_REFERENT;
}

bool ml_log_is_voice_too_many(const struct ml_log *log, const struct ml_log_one *one)
{
    const struct ml_header *h = &one->bundle.header;
    if (log->unbounded || h->lane != ML_LANE_GOVERNANCE) {
        return false;
    }
    const struct ml_fact *opening = rightful_opening(log, &h->writer);
    if (opening == NULL) {
        return (h->seq == 1 && ml_gov_strangers(log->gov) > ML_LOG_STRANGERS_MAX) ||
               h->seq > ML_LOG_LANE0_STRANGER_MAX || h->n_ops > ML_LOG_LANE0_OPS_MAX;
    }
    if (h->seq == 1 && is_writer_too_many(log, opening)) {
        return true;
    }
    return !has_rank(log, opening) &&
           (h->seq > ML_LOG_LANE0_MAX || h->n_ops > ML_LOG_LANE0_OPS_MAX);
}
