/* net/node/contacts.c -- see contacts.h. */
#include "net/node/contacts.h"

#include <string.h>

/* Also one that was denied since: what is remembered of it is no way back in. */
static bool governance_knows(const struct ml_org *org, const struct ml_node_id *node)
{
    return ml_gov_knew_node(ml_log_gov(org->log), node) != NULL;
}

const struct ml_known_node *ml_contacts_node(const struct ml_org *org,
                                             const struct ml_node_id *node)
{
    for (size_t i = 0; i < org->secrets.contact_count; i++) {
        const struct ml_known_node *c = &org->secrets.contacts[i];
        if (memcmp(&c->node, node, sizeof(*node)) == 0 && !governance_knows(org, node)) {
            return c;
        }
    }
    return NULL;
}

const struct ml_known_node *ml_contacts_noise(const struct ml_org *org,
                                              const struct ml_box_pk *noise)
{
    for (size_t i = 0; i < org->secrets.contact_count; i++) {
        const struct ml_known_node *c = &org->secrets.contacts[i];
        if (memcmp(&c->noise, noise, sizeof(*noise)) == 0 && !governance_knows(org, &c->node)) {
            return c;
        }
    }
    return NULL;
}

/* Its place; the number of contacts: it is none. */
static size_t contact_find(const struct ml_node_secrets *s, const struct ml_node_id *node)
{
    size_t i = 0;
    while (i < s->contact_count && memcmp(&s->contacts[i].node, node, sizeof(*node)) != 0) {
        i++;
    }
    return i;
}

/* Moves entry `i` to the front; `i` may be the one behind the last. */
static void contact_first(struct ml_node_secrets *s, size_t i, const struct ml_known_node *contact)
{
    memmove(&s->contacts[1], &s->contacts[0], i * sizeof(s->contacts[0]));
    s->contacts[0] = *contact;
}

ml_err ml_contacts_keep(struct ml_org *org, const struct ml_node_id *node,
                        const struct ml_box_pk *noise, const char *address)
{
    struct ml_node_secrets *s = &org->secrets;
    struct ml_known_node fresh = {.node = *node, .noise = *noise};
    const size_t len = strlen(address);
    const size_t i = contact_find(s, node);
    if (i < s->contact_count) {
        memcpy(fresh.address, s->contacts[i].address, sizeof(fresh.address));
    }
    if (len > 0 && len < sizeof(fresh.address)) {
        memset(fresh.address, 0, sizeof(fresh.address));
        memcpy(fresh.address, address, len);
    }
    if (i < s->contact_count && memcmp(&s->contacts[i], &fresh, sizeof(fresh)) == 0) {
        return ML_OK; /* its place in the order isn't worth a write */
    }
    if (i == s->contact_count && i < ML_CONTACTS_MAX) {
        s->contact_count++;
    }
    contact_first(s, i < ML_CONTACTS_MAX ? i : ML_CONTACTS_MAX - 1, &fresh);
    return ml_org_save_secrets(org);
}

ml_err ml_contacts_address(struct ml_org *org, const struct ml_node_id *node, const char *address)
{
    const struct ml_node_secrets *s = &org->secrets;
    const size_t i = contact_find(s, node);
    if (i == s->contact_count) {
        return ML_OK;
    }
    const struct ml_box_pk noise = s->contacts[i].noise; /* its entry moves */
    return ml_contacts_keep(org, node, &noise, address);
}

ml_err ml_contacts_restore(const struct ml_org *org, struct ml_log *log)
{
    ml_err err = ML_OK;
    for (size_t i = 0; i < org->secrets.contact_count && err == ML_OK; i++) {
        const struct ml_known_node *c = &org->secrets.contacts[i];
        struct ml_log_peer peer = {.node = c->node};
        memcpy(peer.address, c->address, sizeof(peer.address));
        if (peer.address[0] != '\0') {
            err = ml_log_peer_put(log, &peer);
        }
    }
    return err;
}
