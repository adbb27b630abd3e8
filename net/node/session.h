/* net/node/session.h -- a member who is unlocked on this node: keys, vault, writer. Org thread.
 *
 * One session a structure (decisions 5). It ends at lock, at a switch, after ten idle minutes, and
 * with it every key of the member is wiped and the vault is closed. */
#ifndef ML_NODE_SESSION_H
#define ML_NODE_SESSION_H

#include <stdbool.h>

#include "core/model/keyring.h"
#include "net/node/org.h"

/** The keystore's member is unlocked and the structure open: opens vault and keyring, which catches
 * up with the log in turns. Ends an earlier session. */
ml_err ml_session_begin(struct ml_org *org, const struct ml_member_id *member,
                        uint32_t posix_session) ML_MUST_CHECK;
void ml_session_end(struct ml_org *org); /* nobody there: does nothing */
/** Ends one that no call was made in for ML_SESSION_IDLE_MS, asleep or awake. */
void ml_session_end_idle(struct ml_org *org);
/** Ends whatever session there is; its member stays unlocked in the keystore only if he is
 * `member`. */
void ml_session_end_other(struct ml_org *org, const struct ml_member_id *member);

/** Projects up to `bundles_max` more; *more: some are left. */
ml_err ml_session_catch_up(struct ml_org *org, uint32_t bundles_max, bool *more) ML_MUST_CHECK;
/** Takes lane 1 in until the vault knows every denial, where it has something to hide (rules C12),
 * and whose role has begun or ended by now: before anything is answered. */
ml_err ml_session_denials(struct ml_org *org) ML_MUST_CHECK;
/** Until nothing is left: after an own write, which is in memory already. */
ml_err ml_session_catch_up_all(struct ml_org *org) ML_MUST_CHECK;

/** Opens the writers of member and node when governance knows the enrolment and they aren't open
 * yet (B18). *opened: the member may write; not who was denied since. */
ml_err ml_session_open_writers(struct ml_org *org, bool *opened) ML_MUST_CHECK;

/** Another machine signs with the session's key too (an image that runs twice): a new writer is
 * drawn, which _open_writers opens. */
ml_err ml_session_renew_writer(struct ml_org *org) ML_MUST_CHECK;

/* ---- after damage (damage.h) ---- */

/** The log was made anew under a session, if there is one: a new writer, and the vault projects
 * again. */
ml_err ml_session_mended(struct ml_org *org) ML_MUST_CHECK;
/** The session's vault can't be read: a new one, empty, that follows the log. */
ml_err ml_session_vault_again(struct ml_org *org) ML_MUST_CHECK;
/** The session's drafts can't be read: set aside, told; what can be read is in the new file. */
ml_err ml_session_drafts_aside(struct ml_org *org) ML_MUST_CHECK;

/** Of the session's member; a session is there. */
struct ml_keyring *ml_session_keyring(const struct ml_org *org);

struct ml_drafts;
/** The session's drafts, opened at their first use. *out borrowed. IO, FULL, CORRUPT ... */
ml_err ml_session_drafts(struct ml_org *org, struct ml_drafts **out) ML_MUST_CHECK;

/** The member's author. */
void ml_session_author(const struct ml_org *org, struct ml_author *out);

/** A seed of this keystore signs for it. */
bool ml_org_is_own_writer(const struct ml_org *org, const struct ml_writer_id *writer);

/** Puts {token, member, name, rank, ...} into an answer. */
void ml_session_describe(struct ml_org *org, struct ml_args *out);

#endif
