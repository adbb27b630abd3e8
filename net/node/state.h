/* net/node/state.h -- what a node, a structure in it and a member's session hold. Org thread only.
 *
 * closed   the keystore is known; nothing can be read or exchanged
 * open     the node's keys are out: log store, journal, exchanges run, nobody need be there
 * session  a member is unlocked: vault, drafts, keyring; ends at lock, switch, ten idle minutes
 */
#ifndef ML_NODE_STATE_H
#define ML_NODE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/hlc.h"
#include "core/crypto/keystore.h"
#include "core/crypto/pwhash.h"
#include "core/crypto/words.h"
#include "core/model/exclusion.h"
#include "core/record/views.h"
#include "net/node/call.h"
#include "net/node/home.h"
#include "net/node/node.h"
#include "net/node/secrets.h"

#define ML_NODE_ORGS_MAX       8u      /* structures; as ML_IDENTITIES_MAX of net/link */
#define ML_SESSION_IDLE_MS     600000u /* without a call: the member's session locks */
#define ML_SESSION_TOKEN_BYTES 32u
#define ML_NODE_VFS_NAME_MAX   48u

struct ml_anchor;
struct ml_enrol_offer;
struct ml_drafts;
struct ml_exchange;
struct ml_glass;
struct ml_glass_ask;
struct ml_join;
struct ml_log;
struct ml_schema;
struct ml_tally;
struct ml_traces;
struct ml_vault;

/** What the session's keyring was told of groups by; all zeros: nothing yet. */
struct ml_keys_told {
    bool told;
    bool looked; /* and the entitled had what they lacked */
    uint64_t acts;
    uint64_t log_epoch;
    uint64_t faults;   /* ml_keyring_faults, when it was looked */
    uint64_t until_ms; /* UTC: then a dated role begins or ends */
};

#define ML_KEEP_DECIDED_MAX 64u

/** By what the session's node last sealed keys for those who lacked them (keep.h). */
struct ml_keep {
    bool begun;
    bool busy;
    uint64_t acts;
    uint64_t log_epoch;
    uint64_t until_ms; /* UTC: then a dated role begins or ends */
    size_t exceptions;
    uint64_t faults;
    uint64_t heard;                                   /* statements of patients */
    uint64_t due_ms;                                  /* monotonic; 0: nothing has changed since */
    struct ml_object_id decided[ML_KEEP_DECIDED_MAX]; /* whose keys don't follow yet */
    size_t decided_count;
};

/** A member who is unlocked here. */
struct ml_session {
    struct ml_member_id member;
    struct ml_member_secrets secrets; /* owned */
    uint8_t token[ML_SESSION_TOKEN_BYTES];
    uint32_t posix_session; /* whose command lines need no token */
    uint64_t last_call_ms;
    char vault_vfs[ML_NODE_VFS_NAME_MAX];
    struct ml_vault *vault; /* owned */
    struct ml_view_names names;
    struct ml_exclusions exclusions; /* whom patients leave out; set by consent */
    struct ml_keys_told keys;
    struct ml_keep keep;
    char drafts_vfs[ML_NODE_VFS_NAME_MAX];
    struct ml_drafts *drafts;  /* owned; NULL until they are used */
    struct ml_glass *glasses;  /* owned: emergency access that is open */
    struct ml_glass_ask *asks; /* owned: requests for another's share, until they are answered */
    size_t glass_acts;         /* of governance, when the emergency pair was last looked at */
    uint64_t glass_until_ms;   /* UTC: then a dated role begins or ends */
    bool restored;     /* at this unlock the store was found older than what it had offered */
    bool writers_open; /* governance knows the writers of member and node */
};

/** Who enrolled, and what both screens show: two people compare the words. */
struct ml_enrolled {
    char words[ML_FINGERPRINT_TEXT]; /* "": nobody yet */
    struct ml_member_id member;
    struct ml_node_id node;
};

struct ml_org {
    struct ml_org *next;
    struct ml_node *node;      /* borrowed */
    uint64_t retention_due_ms; /* monotonic: when traces are looked at for their age */
    struct ml_org_id id;
    struct ml_keystore *keystore; /* owned; never NULL */
    bool open;
    struct ml_node_secrets secrets;     /* owned while open */
    struct ml_session *session;         /* owned; NULL: nobody is unlocked */
    char log_vfs[ML_NODE_VFS_NAME_MAX]; /* "" while closed */
    struct ml_log *log;                 /* owned while open */
    struct ml_secret *salt_key;         /* owned while open: keys the salts (rules B19) */
    struct ml_hlc_clock clock;
    struct ml_anchor *anchor; /* owned while open, with its key */
    struct ml_secret *anchor_key;
    struct ml_traces *traces;     /* owned while open */
    struct ml_tally *tally;       /* owned while open */
    struct ml_exchange *exchange; /* owned while open */
    bool mended;                  /* a repair was made at `mended_ms` */
    uint64_t mended_ms;           /* monotonic */
    bool keystore_twin;           /* the keystore was damaged: its twin was taken */
    char keystore_aside[ML_ASIDE_NAME_MAX];
    bool behind;                  /* the session's vault has bundles left to project */
    uint64_t follow_ms;           /* not before: it failed to; monotonic, 0 at once */
    bool signing;                 /* receipts of what patients decided are being written */
    unsigned card_tries;          /* wrong PINs since the last right one, as far as we saw */
    struct ml_enrol_offer *offer; /* owned; NULL: no code waits */
    struct ml_enrolled enrolled;  /* by this node last */
    size_t gone_acts;             /* of governance, when we last looked for who is gone */
};

/** A structure of this home whose keystore can't be read. */
struct ml_unopened {
    struct ml_unopened *next;
    struct ml_org_id id;
    ml_err err; /* CORRUPT: both copies; UNSUPPORTED: a newer program's; IO, READONLY ... */
};

struct ml_node {
    const struct ml_env *env; /* borrowed */
    struct ml_node_ports ports;
    struct ml_home home;
    const struct ml_schema *schema; /* static */
    bool test_keys;
    struct ml_pwhash_cost cost;   /* of new passphrase slots; passes 0: not calibrated yet */
    struct ml_org *orgs;          /* owned list */
    struct ml_unopened *unopened; /* owned list */
    struct ml_call *deferred;     /* owned list */
    uint64_t next_dial;
    struct ml_join *join; /* owned; NULL: this node isn't joining a structure */
    bool changed;         /* deferred calls look again at the next turn */
};

#endif
