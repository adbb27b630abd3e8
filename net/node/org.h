/* net/node/org.h -- one structure of a node: opening, closing, appending. Org thread only. */
#ifndef ML_NODE_ORG_H
#define ML_NODE_ORG_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/model/gov.h"
#include "core/store/log.h"
#include "net/node/state.h"

/** A structure whose keystore is in the home; closed. NOT_FOUND: no keystore; CORRUPT, IO, NOMEM.
 */
ml_err ml_org_load(struct ml_org **out, struct ml_node *node,
                   const struct ml_org_id *id) ML_MUST_CHECK;
/** A structure that is being founded or joined: takes the keystore over. NOMEM; LIMIT: this node is
 * in ML_NODE_ORGS_MAX of them, as many as its links can be told apart by; UNSUPPORTED: a later
 * program's files stand in its place. */
ml_err ml_org_new(struct ml_org **out, struct ml_node *node,
                  struct ml_keystore *keystore) ML_MUST_CHECK;
/** Closes it first; NULL is allowed. */
void ml_org_free(struct ml_org *org);
/** Joined again with new keys: a keystore that can't be read, in the place that this one's will
 * take, is set aside. */
ml_err ml_org_replace_unopened(struct ml_org *org) ML_MUST_CHECK;
/** Into the node's list. */
void ml_org_join(struct ml_org *org);

/** Saves the keystore. */
ml_err ml_org_save_keystore(struct ml_org *org) ML_MUST_CHECK;
/** Saves a changed copy (ml_keystore_copy) and uses it from here on. An error: it is freed, and
 * neither what is in memory nor what is opened by the file has changed, as far as the disk still
 * takes the old one back. */
ml_err ml_org_take_keystore(struct ml_org *org, struct ml_keystore *changed) ML_MUST_CHECK;
/** The node's secrets as they are now, into the keystore; saved. */
ml_err ml_org_save_secrets(struct ml_org *org) ML_MUST_CHECK;
/** A new structure's first one: saved in both its places, or in none. */
ml_err ml_org_first_keystore(struct ml_org *org) ML_MUST_CHECK;

/** Opens the log store and starts exchanges; the keystore's node must be open. Idempotent. */
ml_err ml_org_open(struct ml_org *org, bool create) ML_MUST_CHECK;
/* Log, anchor, traces, exchanges: within _open and _close, and between them when the log is made
 * anew. The session stays. */
ml_err ml_org_store_open(struct ml_org *org, bool create) ML_MUST_CHECK;
void ml_org_store_close(struct ml_org *org);
/** Ends the session, the exchanges and wipes the node's keys. */
void ml_org_close(struct ml_org *org);

/** Registers the VFS of one database under a name of its own; its key comes from the keystore. */
ml_err ml_org_vfs(struct ml_org *org, char name[ML_NODE_VFS_NAME_MAX], ml_kdf_id key_of,
                  const struct ml_member_id *member) ML_MUST_CHECK;

bool ml_org_is_coordinator(const struct ml_org *org);
/** What a call may have left to do: exchanges, timers. */
void ml_org_after_call(struct ml_org *org);

/** Who writes. `seed` borrowed. */
struct ml_author {
    struct ml_writer_id id;
    const struct ml_secret *seed;
};
void ml_author_of(struct ml_author *out, const struct ml_secret *seed);

/** A reading of this node's clock, above all that it has stored but what is too far ahead. */
uint64_t ml_org_hlc(struct ml_org *org);

/** The header of the author's next bundle in a lane, but for dictionary and salt; its deps are
 * borrowed until the next call on the log. */
ml_err ml_org_next_header(struct ml_org *org, struct ml_header *out, const struct ml_author *author,
                          uint8_t lane) ML_MUST_CHECK;

/** A bundle of lane 0 or 1: signed, not sealed. `ops` encoded; durable when it returns. LIMIT: they
 * don't fit one bundle. ROLLED_BACK: the log doesn't take our own bundle. */
ml_err ml_org_append_plain(struct ml_org *org, const struct ml_author *author, uint8_t lane,
                           const struct ml_slice *ops, size_t count) ML_MUST_CHECK;
/** One act of governance. `counts` not NULL: one that its author may not say alone is kept all the
 * same, and *counts says whether it counts; else DENIED. */
ml_err ml_org_append_act(struct ml_org *org, const struct ml_author *author, struct ml_slice op,
                         bool *counts) ML_MUST_CHECK;
/** Own wire forms, in order; all stored in one transaction, or none. */
ml_err ml_org_append_wires(struct ml_org *org, const struct ml_slice *wires,
                           size_t count) ML_MUST_CHECK;

/** What became of own bundles that aren't durable yet: of struct ml_log_outcome. */
struct ml_own_outcomes {
    struct ml_buf outcomes;
};
/** As _append_wires, between ml_log_begin and ml_log_commit: after the commit, tell. An error: the
 * whole is to be aborted. */
ml_err ml_org_append_part(struct ml_org *org, const struct ml_slice *wires, size_t count,
                          struct ml_own_outcomes *later) ML_MUST_CHECK;
/** The exchange may offer them. */
void ml_org_tell(struct ml_org *org, const struct ml_own_outcomes *later);

/** The salt of one bundle (rules B19); `plain` is hashed in. */
void ml_org_salt(struct ml_org *org, struct ml_salt *out, const struct ml_header *header,
                 const struct ml_slice *plain, size_t count);

#endif
