/* net/node/right.h -- what a role lets a member do now, asked by methods. Org thread. */
#ifndef ML_NODE_RIGHT_H
#define ML_NODE_RIGHT_H

#include "core/model/matrix.h"
#include "net/node/org.h"

/** By all that is known, at this node's clock; ALL for any member before a matrix is adopted. */
ml_scope ml_right_of(const struct ml_org *org, const struct ml_member_id *member, unsigned class,
                     ml_right right);
/** Of the session's member. */
ml_scope ml_right_now(const struct ml_org *org, unsigned class, ml_right right);
/** The same by the roles that hold for any of these teams, a patient's; none: anywhere. */
ml_scope ml_right_here(const struct ml_org *org, unsigned class, ml_right right,
                       const struct ml_team_id *teams, size_t count);

#endif
