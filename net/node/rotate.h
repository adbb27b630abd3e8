/* net/node/rotate.h -- other keys for Root (rules B16, ADR 0029): new sheets, typed again before
 * anything is said; agreed by a majority, or by the Root that goes where one person leads alone.
 * Org thread.
 */
#ifndef ML_NODE_ROTATE_H
#define ML_NODE_ROTATE_H

#include "core/codec/govop.h"
#include "net/node/call.h"
#include "net/node/org.h"

/** Without params.shares: cuts new sheets, and writes nothing. With them: says ROOT_ROTATE. */
ml_err ml_method_org_rotate(struct ml_call *call);
/** After a ROOT_ROTATE counts: what is sealed to Root is sealed to the one in force, as far as the
 * session's member holds it: an emergency pair, then the next epoch of each of his groups. */
ml_err ml_rotate_reseal(struct ml_org *org) ML_MUST_CHECK;

#endif
