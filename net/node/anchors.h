/* net/node/anchors.h -- how far this node's own chains have been offered to anyone (rules B18).
 * Org thread. The record lies outside the home: a restored home doesn't bring it back. */
#ifndef ML_NODE_ANCHORS_H
#define ML_NODE_ANCHORS_H

#include "net/node/org.h"
#include "sync/action.h"

/** Opens the record and compares it with the log: ROLLED_BACK when a chain is shorter here than
 * what was offered. */
ml_err ml_anchors_open(struct ml_org *org) ML_MUST_CHECK;
void ml_anchors_close(struct ml_org *org);

/** *ahead: more was offered than the log holds, of this writer or of any one that this node had and
 * of which nobody was told yet: the store was restored from a copy. That a key forked doesn't make
 * it so. NOMEM, IO. */
ml_err ml_anchors_ahead(struct ml_org *org, const struct ml_writer_id *writer,
                        bool *ahead) ML_MUST_CHECK;
/** What is lacking now was told: only more of it makes the record ahead again. Kept in the log's
 * settings, so that what a later restore takes away is told again. NOMEM, IO, FULL. */
ml_err ml_anchors_told(struct ml_org *org) ML_MUST_CHECK;

/** 0: never offered. */
uint32_t ml_anchors_get(const struct ml_org *org, const struct ml_writer_id *writer, uint8_t lane);
/** Durable when it returns. */
ml_err ml_anchors_raise(struct ml_org *org, const struct ml_sync_own *own) ML_MUST_CHECK;

#endif
