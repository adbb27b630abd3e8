/* net/node/share.h -- a patient of several teams: what is his in one is sealed for the others by
 * who is in both. Org thread; a session is there. */
#ifndef ML_NODE_SHARE_H
#define ML_NODE_SHARE_H

#include "net/node/org.h"

/** Opens a patient of other teams in this one too: what he decided is sealed for it first, then who
 * he is, then the data keys that this member has. Idempotent: said again by who has more keys, it
 * gives these too. NO_KEY: the team's keys aren't his; LIMIT: more teams, or more statements, than
 * can be weighed. */
ml_err ml_share_open(struct ml_org *org, const struct ml_object_id *patient,
                     const struct ml_team_id *team) ML_MUST_CHECK;

/** What patients of several teams decided in one, who is in several tells the others. Idempotent.
 * Nobody passes on what is about himself, nor what its author would gain by (consent.h): what one
 * team doesn't hear is never an opposition to somebody else. */
ml_err ml_share_keep(struct ml_org *org) ML_MUST_CHECK;

#endif
