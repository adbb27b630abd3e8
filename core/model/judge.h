/* core/model/judge.h -- is a bundle well formed where it stands? (invariant I3, rules B10, B13)
 *
 * Happy path: everything the bundle waits for is known -> ml_judge_shape -> in lane 0
 * ml_gov_apply, elsewhere ml_gov_rule_lane -> the fork check. The shape is a function of the bundle
 * and of what it waits for: what is refused here is refused by every node, whatever came first.
 * Pure; any thread.
 */
#ifndef ML_MODEL_JUDGE_H
#define ML_MODEL_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/env.h"
#include "core/codec/bundle.h"
#include "core/model/fork.h"
#include "core/model/gvec.h"
#include "core/model/verdict.h"
#include "maille/err.h"

/**
 * Does a bundle of `lane` wait for a citation into `cited`? (ADR 0008) For lanes 0 and 1 up to its
 * own, and for its own lane; never for traces. What it doesn't wait for stays signed evidence.
 */
bool ml_judge_waits(uint8_t lane, uint8_t cited);

/** What a judged bundle leaves for those that follow it. */
struct ml_judged {
    struct ml_hash hash;
    uint64_t hlc;
    struct ml_own_vec own;
    struct ml_gvec *gvec; /* whose reference it is, its owner says */
};

/** One citation, in the header's order. */
struct ml_judge_dep {
    struct ml_dep dep;
    uint32_t before;               /* number of that chain cited by this chain before; 0: none */
    const struct ml_judged *known; /* of what is waited for; else NULL */
};

struct ml_judge_in {
    const struct ml_env *env;
    const struct ml_org_id *org;
    const struct ml_header *header; /* decoded; signature and hash are checked elsewhere */
    const struct ml_judged *prev;   /* found by header.prev; NULL for seq 1 */
    const struct ml_judge_dep *deps;
    size_t dep_count;
};

/**
 * out->own and out->gvec (a reference for the caller), hash and hlc left to the caller. MALFORMED
 * with *why for what is refused; NOMEM, LIMIT.
 */
ml_err ml_judge_shape(struct ml_judged *out, ml_reason *why,
                      const struct ml_judge_in *in) ML_MUST_CHECK;

#endif
