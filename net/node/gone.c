/* net/node/gone.c -- slots that come, and those whose member is gone. See enrol_here.h. */
#include <string.h>

#include "core/base/assert.h"
#include "net/node/enrol_here.h"
#include "net/node/found.h"
#include "net/node/session.h"

static bool same_member(const struct ml_member_id *a, const struct ml_member_id *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static bool has_member(const struct ml_keystore *ks, const struct ml_member_id *member)
{
    bool found = false;
    for (size_t i = 0; i < ml_keystore_member_count(ks); i++) {
        found = found || same_member(ml_keystore_member(ks, i), member);
    }
    return found;
}

/* What only his own keys open. */
static ml_err files_remove(struct ml_org *org, const struct ml_member_id *member)
{
    static const char *const folders[] = {"vaults", "drafts"};
    char path[ML_PATH_MAX];
    ml_err err = ML_OK;
    for (size_t i = 0; i < 2 && err == ML_OK; i++) {
        err = ml_home_member_file(&org->node->home, path, &org->id, folders[i], member);
        if (err == ML_OK) {
            err = ml_home_remove_db(org->node->env, path);
        }
    }
    return err;
}

static void end_session_of(struct ml_org *org, const struct ml_member_id *member)
{
    if (org->session != NULL && same_member(&org->session->member, member)) {
        ml_session_end(org);
    }
}

/* ---- who comes ---- */

static ml_err slot_make(struct ml_keystore *ks, const struct ml_node *node,
                        const struct ml_new_slot *slot)
{
    struct ml_secret *section = NULL;
    ml_err err =
        has_member(ks, &slot->member) ? ml_keystore_remove_member(ks, &slot->member) : ML_OK;
    if (err == ML_OK) {
        err = ml_keystore_add_member(ks, &slot->member, slot->passphrase, &node->cost);
    }
    if (err == ML_OK) {
        err = ml_member_secrets_encode(&section, slot->secrets);
    }
    if (err == ML_OK) {
        err = ml_keystore_put_section(ks, &slot->member, section);
    }
    ml_secret_free(section);
    return err;
}

ml_err ml_slot_put(struct ml_org *org, const struct ml_new_slot *slot)
{
    struct ml_keystore *changed = NULL;
    ml_err err = ml_passphrase_cost(org->node);
    if (err == ML_OK) {
        err = ml_keystore_copy(&changed, org->keystore);
    }
    if (err == ML_OK) {
        err = slot_make(changed, org->node, slot);
    }
    if (err != ML_OK) {
        ml_keystore_free(changed);
        return err;
    }
    err = ml_org_take_keystore(org, changed);
    if (err != ML_OK) {
        return err;
    }
    end_session_of(org, &slot->member);
    if (files_remove(org, &slot->member) != ML_OK) { /* they don't open: made anew at unlock */
        ml_logf(org->node->env, ML_LOG_WARN, "node", "an old vault or drafts are left behind");
    }
    return ML_OK;
}

/* ---- who is gone ---- */

static bool is_zero_node(const struct ml_node_id *node)
{
    return ml_is_zero(node->b, sizeof(node->b));
}

bool ml_org_is_gone(const struct ml_org *org, const struct ml_member_id *member)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_node_id *here = &org->secrets.node;
    const struct ml_fact *f = NULL;
    while ((f = ml_gov_next(gov, ML_FACT_MON, f)) != NULL) {
        if (same_member(&f->member, member) && memcmp(&f->node, here, sizeof(*here)) == 0) {
            return false;
        }
    }
    while ((f = ml_gov_next(gov, ML_FACT_DENIAL, f)) != NULL) {
        const bool of_here = is_zero_node(&f->node) || memcmp(&f->node, here, sizeof(*here)) == 0;
        if (same_member(&f->member, member) && of_here && f->mode != ML_DENY_SUSPENSION) {
            return true;
        }
    }
    return false;
}

static ml_err slot_drop(struct ml_org *org, const struct ml_member_id *member)
{
    struct ml_keystore *changed = NULL;
    ml_err err = ml_keystore_copy(&changed, org->keystore);
    if (err == ML_OK) {
        err = ml_keystore_remove_member(changed, member);
    }
    if (err != ML_OK) {
        ml_keystore_free(changed);
        return err;
    }
    return ml_org_take_keystore(org, changed);
}

static ml_err drop_one(struct ml_org *org, const struct ml_member_id *member)
{
    ml_keystore_lock(org->keystore, member);
    ml_err err = files_remove(org, member);
    if (err == ML_OK && ml_keystore_member_count(org->keystore) > 1) {
        err = slot_drop(org, member);
        ml_logf(org->node->env, ML_LOG_INFO, "node", "a revoked member's slot: %s",
                err == ML_OK ? "deleted unopened" : ml_err_name(err));
    }
    return err;
}

bool ml_org_gone_waits(const struct ml_org *org)
{
    return ml_gov_acts(ml_log_gov(org->log)) != org->gone_acts;
}

void ml_org_drop_gone(struct ml_org *org)
{
    struct ml_member_id gone[ML_KEYSTORE_MEMBERS_MAX];
    size_t count = 0;
    org->gone_acts = ml_gov_acts(ml_log_gov(org->log));
    for (size_t i = 0; i < ml_keystore_member_count(org->keystore); i++) {
        const struct ml_member_id *member = ml_keystore_member(org->keystore, i);
        const bool open =
            org->session != NULL && same_member(&org->session->member, member); /* until he locks */
        if (!open && ml_org_is_gone(org, member)) {
            gone[count++] = *member;
        }
    }
    for (size_t i = 0; i < count; i++) {
        ml_err err = drop_one(org, &gone[i]);
        if (err != ML_OK) {
            ml_logf(org->node->env, ML_LOG_WARN, "node",
                    "what a revoked member had here isn't deleted yet: %s", ml_err_name(err));
        }
    }
}

void ml_org_tick_gone(struct ml_org *org)
{
    if (ml_org_gone_waits(org)) {
        ml_org_drop_gone(org);
    }
}
