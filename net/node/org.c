/* net/node/org.c -- see org.h: a structure's life, from its keystore to its log. */
#include "net/node/org.h"

#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/keystore_file.h"
#include "maille/vfs.h"
#include "net/node/anchors.h"
#include "net/node/enrol.h"
#include "net/node/exchange.h"
#include "net/node/session.h"
#include "net/node/trace_inner.h"

ml_err ml_org_new(struct ml_org **out, struct ml_node *node, struct ml_keystore *keystore)
{
    struct ml_org *org = ml_alloc(node->env, sizeof(*org));
    if (org == NULL) {
        return ML_E_NOMEM;
    }
    org->node = node;
    org->keystore = keystore;
    org->id = *ml_keystore_org(keystore);
    *out = org;
    return ML_OK;
}

ml_err ml_org_load(struct ml_org **out, struct ml_node *node, const struct ml_org_id *id)
{
    char path[ML_PATH_MAX];
    struct ml_keystore *keystore = NULL;
    struct ml_keystore_damage damage = {0};
    ml_err err = ml_home_file(&node->home, path, id, "keystore");
    if (err == ML_OK) {
        err = ml_keystore_load(&keystore, node->env, path, &damage);
    }
    if (err == ML_E_CORRUPT || err == ML_E_UNSUPPORTED) {
        ml_logf(node->env, ML_LOG_ERROR, "node", "keystore: %s at byte %zu", damage.what,
                damage.offset);
    }
    if (err == ML_OK && memcmp(ml_keystore_org(keystore), id, sizeof(*id)) != 0) {
        err = ML_E_CORRUPT; /* a keystore that was moved between folders */
    }
    if (err == ML_OK) {
        err = ml_org_new(out, node, keystore);
    }
    if (err != ML_OK) {
        ml_keystore_free(keystore);
    }
    return err;
}

void ml_org_free(struct ml_org *org)
{
    if (org != NULL) {
        ml_org_close(org);
        ml_keystore_free(org->keystore);
        ml_release(org->node->env, org);
    }
}

void ml_org_join(struct ml_org *org)
{
    org->next = org->node->orgs;
    org->node->orgs = org;
}

ml_err ml_org_save_keystore(struct ml_org *org)
{
    char path[ML_PATH_MAX];
    ml_err err = ml_home_file(&org->node->home, path, &org->id, "keystore");
    return err == ML_OK ? ml_keystore_save(org->keystore, org->node->env, path) : err;
}

/* The VFS of a database: named after its structure and use, its key wiped at close. */
ml_err ml_org_vfs(struct ml_org *org, char name[ML_NODE_VFS_NAME_MAX], ml_kdf_id key_of,
                  const struct ml_member_id *member)
{
    struct ml_secret *key = NULL;
    char id[ML_HEX_SIZE(8)];
    ml_err err = ml_keystore_derive(org->keystore, key_of, member, &key);
    if (err != ML_OK) {
        return err;
    }
    ml_hex_encode(id, member == NULL ? org->id.b : member->b, 8);
    /* The address keeps the nodes of one process (tests) apart. */
    snprintf(name, ML_NODE_VFS_NAME_MAX, "ml-%d-%s-%zx", (int)key_of, id, (size_t)org->node);
    err = (ml_err)ml_vfs_register(name, ml_secret_bytes(key), 0);
    ml_secret_free(key);
    return err;
}

static ml_err log_open(struct ml_org *org, bool create)
{
    char path[ML_PATH_MAX];
    struct ml_log_args args = {
        .env = org->node->env, .path = path, .vfs = org->log_vfs, .org = org->id, .create = create};
    ml_err err = ml_home_file(&org->node->home, path, &org->id, "log.db");
    return err == ML_OK ? ml_log_open(&org->log, &args) : err;
}

static ml_err secrets_load(struct ml_org *org)
{
    struct ml_secret *section = NULL;
    ml_err err = ml_keystore_get_section(org->keystore, NULL, &section);
    if (err == ML_OK) {
        err = ml_node_secrets_decode(&org->secrets, section);
    }
    ml_secret_free(section);
    return err;
}

ml_err ml_org_open(struct ml_org *org, bool create)
{
    if (org->open) {
        return ML_OK;
    }
    ml_err err = secrets_load(org);
    if (err == ML_OK) {
        err = ml_org_vfs(org, org->log_vfs, ML_KDF_LOG_DB, NULL);
    }
    if (err == ML_OK) {
        err = log_open(org, create);
    }
    if (err == ML_OK) {
        err = ml_keystore_derive(org->keystore, ML_KDF_NODE_SALT, NULL, &org->salt_key);
    }
    if (err == ML_OK) {
        err = ml_anchors_open(org);
    }
    if (err == ML_OK) {
        err = ml_traces_open(org);
    }
    if (err == ML_OK) {
        ml_hlc_init(&org->clock, org->node->env, ml_log_hlc_last(org->log));
        err = ml_exchange_open(org);
    }
    org->open = err == ML_OK;
    if (err != ML_OK) {
        ml_org_close(org);
    }
    return err;
}

void ml_org_close(struct ml_org *org)
{
    ml_enrol_offer_end(org);
    ml_session_end(org);
    ml_exchange_close(org);
    ml_traces_close(org);
    ml_anchors_close(org);
    ml_log_close(org->log);
    org->log = NULL;
    if (org->log_vfs[0] != '\0') {
        int rc = ml_vfs_unregister(org->log_vfs);
        if (rc != ML_OK) {
            ml_logf(org->node->env, ML_LOG_WARN, "node", "vfs still in use: %s",
                    ml_err_name((ml_err)rc));
        }
        org->log_vfs[0] = '\0';
    }
    ml_secret_free(org->salt_key);
    org->salt_key = NULL;
    ml_node_secrets_free(&org->secrets);
    ml_keystore_lock_node(org->keystore);
    org->open = false;
}

bool ml_org_is_coordinator(const struct ml_org *org)
{
    if (org->session == NULL) {
        return false;
    }
    const struct ml_fact *fact = ml_gov_member(ml_log_gov(org->log), NULL, &org->session->member);
    return fact != NULL && fact->rank == ML_RANK_COORDINATOR;
}

void ml_org_after_call(struct ml_org *org)
{
    if (org->open) {
        ml_exchange_run(org);
    }
}
