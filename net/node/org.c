/* net/node/org.c -- see org.h: a structure's life, from its keystore to its log. */
#include "net/node/org.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/fs.h"
#include "core/base/ids.h"
#include "core/crypto/keystore_file.h"
#include "core/store/vfs/vfs.h"
#include "net/node/anchors.h"
#include "net/node/consent.h"
#include "net/node/damage.h"
#include "net/node/enrol.h"
#include "net/node/exchange.h"
#include "net/node/session.h"
#include "net/node/shred.h"
#include "net/node/tally.h"
#include "net/node/trace_inner.h"

#define KEYSTORE_TWIN "keystore.twin"

static ml_err org_make(struct ml_org **out, struct ml_node *node, struct ml_keystore *keystore)
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

static ml_err keystore_read(struct ml_keystore **out, const struct ml_node *node,
                            const struct ml_org_id *id, const char *path)
{
    struct ml_keystore *ks = NULL;
    struct ml_keystore_damage damage = {0};
    ml_err err = ml_keystore_load(&ks, node->env, path, &damage);
    if (err == ML_E_CORRUPT || err == ML_E_UNSUPPORTED) {
        ml_logf(node->env, ML_LOG_ERROR, "node", "keystore: %s at byte %zu", damage.what,
                damage.offset);
    }
    if (err == ML_OK && memcmp(ml_keystore_org(ks), id, sizeof(*id)) != 0) {
        ml_keystore_free(ks);
        return ML_E_CORRUPT; /* a keystore that was moved between folders */
    }
    *out = ks;
    return err;
}

/* The twin in the place of a keystore that can't be read, which is set aside. */
static ml_err keystore_restore(struct ml_keystore **out, const struct ml_node *node,
                               const struct ml_org_id *id, char aside[ML_ASIDE_NAME_MAX])
{
    char path[ML_PATH_MAX];
    char twin[ML_PATH_MAX];
    struct ml_keystore *ks = NULL;
    ml_err err = ml_home_file(&node->home, path, id, "keystore");
    if (err == ML_OK) {
        err = ml_home_file(&node->home, twin, id, KEYSTORE_TWIN);
    }
    if (err == ML_OK) {
        err = keystore_read(&ks, node, id, twin);
    }
    if (err == ML_OK) {
        err = ml_home_set_aside(node->env, path, aside);
    }
    if (err == ML_OK) {
        err = ml_keystore_save(ks, node->env, path);
    }
    if (err != ML_OK) {
        ml_keystore_free(ks);
        return err;
    }
    *out = ks;
    return ML_OK;
}

ml_err ml_org_new(struct ml_org **out, struct ml_node *node, struct ml_keystore *keystore)
{
    size_t count = 0;
    for (const struct ml_org *org = node->orgs; org != NULL; org = org->next) {
        count++;
    }
    for (const struct ml_unopened *u = node->unopened; u != NULL; u = u->next) {
        if (u->err == ML_E_UNSUPPORTED &&
            memcmp(&u->id, ml_keystore_org(keystore), sizeof(u->id)) == 0) {
            return ML_E_UNSUPPORTED;
        }
    }
    return count < ML_NODE_ORGS_MAX ? org_make(out, node, keystore) : ML_E_LIMIT;
}

ml_err ml_org_load(struct ml_org **out, struct ml_node *node, const struct ml_org_id *id)
{
    char path[ML_PATH_MAX];
    char aside[ML_ASIDE_NAME_MAX] = "";
    struct ml_keystore *keystore = NULL;
    ml_err err = ml_home_file(&node->home, path, id, "keystore");
    if (err == ML_OK) {
        err = keystore_read(&keystore, node, id, path);
    }
    const bool twin = err == ML_E_CORRUPT || err == ML_E_NOT_FOUND;
    if (twin) {
        ml_err from_twin = keystore_restore(&keystore, node, id, aside);
        err = from_twin == ML_E_NOT_FOUND ? err : from_twin;
    }
    if (err == ML_OK) {
        err = org_make(out, node, keystore);
    }
    if (err != ML_OK) {
        ml_keystore_free(keystore);
        return err;
    }
    (*out)->keystore_twin = twin;
    memcpy((*out)->keystore_aside, aside, sizeof(aside));
    return ML_OK;
}

void ml_org_free(struct ml_org *org)
{
    if (org != NULL) {
        ml_org_close(org);
        ml_keystore_free(org->keystore);
        ml_release(org->node->env, org);
    }
}

ml_err ml_org_replace_unopened(struct ml_org *org)
{
    struct ml_unopened **at = &org->node->unopened;
    char path[ML_PATH_MAX];
    while (*at != NULL && memcmp(&(*at)->id, &org->id, sizeof(org->id)) != 0) {
        at = &(*at)->next;
    }
    if (*at == NULL) {
        return ML_OK;
    }
    ml_err err = ml_home_file(&org->node->home, path, &org->id, "keystore");
    if (err == ML_OK) {
        char aside[ML_ASIDE_NAME_MAX];
        err = ml_home_set_aside(org->node->env, path, aside);
    }
    if (err == ML_OK) {
        struct ml_unopened *u = *at;
        *at = u->next;
        ml_release(org->node->env, u);
    }
    return err;
}

void ml_org_join(struct ml_org *org)
{
    org->next = org->node->orgs;
    org->node->orgs = org;
}

/* Its twin follows: one bad block of the disk doesn't take away what only these keys open. */
ml_err ml_org_save_keystore(struct ml_org *org)
{
    char path[ML_PATH_MAX];
    char twin[ML_PATH_MAX];
    ml_err err = ml_home_file(&org->node->home, path, &org->id, "keystore");
    if (err == ML_OK) {
        err = ml_home_file(&org->node->home, twin, &org->id, KEYSTORE_TWIN);
    }
    if (err == ML_OK) {
        err = ml_keystore_save(org->keystore, org->node->env, path);
    }
    return err == ML_OK ? ml_keystore_save(org->keystore, org->node->env, twin) : err;
}

ml_err ml_org_take_keystore(struct ml_org *org, struct ml_keystore *changed)
{
    struct ml_keystore *before = org->keystore;
    org->keystore = changed;
    ml_err err = ml_org_save_keystore(org);
    if (err == ML_OK) {
        ml_keystore_free(before);
        return ML_OK;
    }
    org->keystore = before;
    ml_keystore_free(changed);
    if (ml_org_save_keystore(org) != ML_OK) { /* one of the two may be written */
        ml_logf(org->node->env, ML_LOG_ERROR, "node", "the keystore's old form isn't written back");
    }
    return err;
}

ml_err ml_org_save_secrets(struct ml_org *org)
{
    struct ml_secret *section = NULL;
    ml_err err = ml_node_secrets_encode(&section, &org->secrets);
    if (err == ML_OK) {
        err = ml_keystore_put_section(org->keystore, NULL, section);
    }
    ml_secret_free(section);
    return err == ML_OK ? ml_org_save_keystore(org) : err;
}

static bool file_left(const struct ml_fs *fs, const char *path)
{
    const int rc = fs->remove(fs->ctx, path);
    return rc != 0 && rc != ENOENT;
}

ml_err ml_org_first_keystore(struct ml_org *org)
{
    static const char *const names[] = {"keystore", KEYSTORE_TWIN};
    char path[ML_PATH_MAX];
    ml_err err = ml_org_save_keystore(org);
    for (size_t i = 0; err != ML_OK && i < sizeof(names) / sizeof(names[0]); i++) {
        if (ml_home_file(&org->node->home, path, &org->id, names[i]) == ML_OK &&
            file_left(org->node->env->fs, path)) {
            ml_logf(org->node->env, ML_LOG_WARN, "node", "a keystore is left behind");
        }
    }
    return err;
}

/* Told once the log is open: it keeps the note. */
static void keystore_note(struct ml_org *org)
{
    if (org->keystore_twin) {
        struct ml_damage damage = {.file = ML_DAMAGE_KEYSTORE};
        memcpy(damage.aside, org->keystore_aside, sizeof(damage.aside));
        ml_damage_note(org, &damage);
        ml_err err = ml_damage_renew_all(org); /* the twin may be one change behind */
        org->keystore_twin = err != ML_OK;
    }
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
    const struct ml_vfs_setup setup = {.name = name,
                                       .key = ml_secret_bytes(key),
                                       .base = org->node->env->fs->sqlite_vfs,
                                       .env = org->node->env};
    err = (ml_err)ml_vfs_register_with(&setup);
    ml_secret_free(key);
    if (err != ML_OK) {
        name[0] = '\0'; /* nothing has this name: the next one tries again */
    }
    return err;
}

/* A log that an adhesion left behind before its keystore was saved: nobody has its key. */
static ml_err log_create(struct ml_org *org, const struct ml_log_args *args)
{
    ml_err err = ml_log_open(&org->log, args);
    if (err == ML_E_WRONG_KEY || err == ML_E_CORRUPT) {
        char aside[ML_ASIDE_NAME_MAX];
        err = ml_home_set_aside(org->node->env, args->path, aside);
        err = err == ML_OK ? ml_log_open(&org->log, args) : err;
    }
    return err;
}

static ml_err log_open(struct ml_org *org, bool create)
{
    char path[ML_PATH_MAX];
    struct ml_log_args args = {
        .env = org->node->env, .path = path, .vfs = org->log_vfs, .org = org->id, .create = create};
    ml_err err = ml_home_file(&org->node->home, path, &org->id, "log.db");
    if (err == ML_OK) {
        err = ml_damage_log_finish(org);
    }
    if (err != ML_OK || create) {
        return err == ML_OK ? log_create(org, &args) : err;
    }
    err = ml_log_open(&org->log, &args);
    if (err == ML_OK && ml_damage_log_is_bare(org)) {
        ml_log_close(org->log);
        org->log = NULL;
        err = ML_E_CORRUPT;
    }
    if (err == ML_E_CORRUPT || err == ML_E_WRONG_KEY || err == ML_E_NOT_FOUND) {
        err = ml_damage_log(org);
        err = err == ML_OK ? ml_log_open(&org->log, &args) : err;
    }
    return err;
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

static ml_err store_open(struct ml_org *org, bool create)
{
    ml_err err = log_open(org, create);
    if (err == ML_OK) {
        err = ml_anchors_open(org);
    }
    if (err == ML_OK) {
        err = ml_traces_open(org);
    }
    if (err == ML_OK) {
        err = ml_tally_open(org);
    }
    if (err == ML_OK) {
        ml_hlc_init(&org->clock, org->node->env, ml_log_hlc_last(org->log));
        err = ml_exchange_open(org);
    }
    return err;
}

/* What opens may still stumble over a page that is read next: then it is made anew, once. */
ml_err ml_org_store_open(struct ml_org *org, bool create)
{
    ml_err err = store_open(org, create);
    if (err != ML_OK && org->log != NULL && ml_log_damaged(org->log)) {
        ml_org_store_close(org);
        err = ml_damage_log(org);
        err = err == ML_OK ? store_open(org, false) : err;
    }
    return err;
}

void ml_org_store_close(struct ml_org *org)
{
    ml_exchange_close(org);
    ml_tally_close(org);
    ml_traces_close(org);
    ml_anchors_close(org);
    ml_log_close(org->log);
    org->log = NULL;
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
        err = ml_keystore_derive(org->keystore, ML_KDF_NODE_SALT, NULL, &org->salt_key);
    }
    if (err == ML_OK) {
        err = ml_org_store_open(org, create);
    }
    if (err == ML_OK) {
        keystore_note(org);
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
    ml_org_store_close(org);
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
    const struct ml_fact *fact = ml_gov_member(ml_log_gov(org->log), &org->session->member);
    return fact != NULL && fact->rank == ML_RANK_COORDINATOR;
}

void ml_org_after_call(struct ml_org *org)
{
    if (org->open) {
        ml_consent_receipts(org);
        ml_shred_receipts(org);
        ml_exchange_run(org);
    }
}
