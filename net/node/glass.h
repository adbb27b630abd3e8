/* net/node/glass.h -- emergency access (rules A6, B23): a glass is broken for one patient, with a
 * reason, for a time; said first, then opened. Org thread; needs a session.
 *
 * Tiers: 1 the emergency summary (identity, contacts, wishes, alerts and allergies), 2 everything
 * but sensitive data, 3 those too. What a glass shows lies in a vault of its own whose key is in
 * memory only; at its end, at lock, at the session's end the key is wiped and the file goes. The
 * time is this node's own (rules B15): never a verdict.
 */
#ifndef ML_NODE_GLASS_H
#define ML_NODE_GLASS_H

#include "core/model/exclusion.h"
#include "core/record/glass.h"
#include "net/node/call.h"
#include "net/node/org.h"

#define ML_GLASS_MINUTES_MAX     480u /* architecture 8 */
#define ML_GLASS_MINUTES_DEFAULT 60u
#define ML_GLASSES_MAX           8u /* of one session at a time */

struct ml_glass; /* owned by the session */

/** The open glass of this patient, NULL: none. One whose time is over isn't. */
struct ml_glass *ml_glass_of(struct ml_org *org, const struct ml_object_id *patient);
/** What may be shown of the patient: the glass's vault where one is open, brought up to the log,
 * else the session's own. The glass's errors. */
ml_err ml_glass_vault(struct ml_org *org, const struct ml_object_id *patient,
                      struct ml_vault **out) ML_MUST_CHECK;

/** Ends those whose time is over; all of a session. */
void ml_glass_tick(struct ml_org *org);
uint64_t ml_glass_next_ms(const struct ml_org *org);
void ml_glass_end_all(struct ml_org *org, struct ml_session *s);
/** Files that a crash left: nobody has their keys. */
void ml_glass_sweep(struct ml_org *org);

/** Whom the emergency pair is for and who lacks it, or has it and shouldn't: looked at when
 * governance changed. */
void ml_glass_tend(struct ml_org *org);
/** A new emergency pair, if the session's member holds the present one: Root's half of it is sealed
 * to a Root that was replaced. */
void ml_glass_renew(struct ml_org *org);

/** What patients decided; asked before a glass opens. NULL: nobody decided anything. */
const struct ml_exclusions *ml_glass_exclusions(struct ml_org *org);

#endif
