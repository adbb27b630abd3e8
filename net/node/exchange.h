/* net/node/exchange.h -- the sync engine of one structure, joined to its log store and its links.
 * Org thread only. The engine decides; this does what it asks and tells it what came of it. */
#ifndef ML_NODE_EXCHANGE_H
#define ML_NODE_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/store/log.h"
#include "net/node/node.h"
#include "sync/status.h"
#include "sync/sync.h"

struct ml_org;
struct ml_exchange;

/** Starts the engine and gives the driver the structure's identity. NOMEM, IO. */
ml_err ml_exchange_open(struct ml_org *org) ML_MUST_CHECK;
/** Links are closed; NULL inside `org` is allowed. */
void ml_exchange_close(struct ml_org *org);

/** Does all that the engine asks until it asks no more. */
void ml_exchange_run(struct ml_org *org);
void ml_exchange_tick(struct ml_org *org);

/** An own bundle was stored. */
void ml_exchange_on_append(struct ml_org *org, const struct ml_log_outcome *o);
/** A bundle of another that had been pending was stored with it. */
void ml_exchange_on_stored(struct ml_org *org, const struct ml_log_outcome *o);

/** Chunks came, or are named by what was stored. */
void ml_exchange_chunks(struct ml_org *org);

/** Bodies went missing or came: the engine asks its peers for what is left. */
void ml_exchange_holes(struct ml_org *org);

/** The link's handshake is done: a known node of this structure, or the link is closed. */
void ml_exchange_link_up(struct ml_org *org, uint64_t link, const struct ml_link_peer *peer);
/** False when the link isn't of this structure; so below. */
bool ml_exchange_link_message(struct ml_org *org, uint64_t link, struct ml_slice msg);
bool ml_exchange_link_sent(struct ml_org *org, uint64_t link, size_t bytes);
bool ml_exchange_link_down(struct ml_org *org, uint64_t link, ml_err reason);
bool ml_exchange_dial_failed(struct ml_org *org, uint64_t dial, ml_err reason);

/** Dials every known peer that has an address and no link. */
void ml_exchange_dial_all(struct ml_org *org);
/** Flight mode: kept across restarts until it is left. */
ml_err ml_exchange_set_paused(struct ml_org *org, bool paused) ML_MUST_CHECK;
/** A code waits: the driver may answer an enrolment; NULLs end it. Borrowed until then. */
void ml_exchange_offer_enrolment(struct ml_org *org, const struct ml_secret *psk,
                                 const struct ml_secret *mac);
/** The session's keyring may hold other network epochs now: the links are opened by them from now
 * on. Not open: nothing. NOMEM. */
ml_err ml_exchange_network(struct ml_org *org) ML_MUST_CHECK;
/** When the next dial or engine timer is due; dials what is. */
uint64_t ml_exchange_next_ms(struct ml_org *org);

/** The node that enrolled this one: believed before governance has come. Kept in the log store. */
ml_err ml_exchange_set_sponsor(struct ml_org *org, const struct ml_node_id *node,
                               const struct ml_box_pk *noise) ML_MUST_CHECK;

/** What the links brought and gave since the last call goes into the day's tally. */
void ml_exchange_tell_tally(struct ml_org *org);

struct ml_sync *ml_exchange_engine(struct ml_org *org);

#endif
