/* net/node/contacts.h -- the nodes that this one exchanged with, kept in the keystore's node
 * section: when the log is lost, and with it governance and every address, they say who to dial and
 * whose link to take. What they then send proves itself from the genesis on. Org thread only. */
#ifndef ML_NODE_CONTACTS_H
#define ML_NODE_CONTACTS_H

#include "core/store/log.h"
#include "net/node/org.h"

/** Keeps it first; saves the keystore when that says something new. `address` "": keeps what was
 * known. Errors: those of saving; the contact then stands in memory only. */
ml_err ml_contacts_keep(struct ml_org *org, const struct ml_node_id *node,
                        const struct ml_box_pk *noise, const char *address) ML_MUST_CHECK;

/** A person says where a node answers: it's known from then on, not from the next link on. Nothing
 * for one that was never met: that one's address comes with its first link. Errors: as above. */
ml_err ml_contacts_address(struct ml_org *org, const struct ml_node_id *node,
                           const char *address) ML_MUST_CHECK;

/* Only of nodes that governance knows nothing of, lest it be overruled. NULL: none. */
const struct ml_known_node *ml_contacts_node(const struct ml_org *org,
                                             const struct ml_node_id *node);
const struct ml_known_node *ml_contacts_noise(const struct ml_org *org,
                                              const struct ml_box_pk *noise);

/** Puts their addresses into a new log. */
ml_err ml_contacts_restore(const struct ml_org *org, struct ml_log *log) ML_MUST_CHECK;

#endif
