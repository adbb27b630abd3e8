/* net/node/session.c -- see session.h. */
#include "net/node/session.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/record/drafts.h"
#include "core/record/vault.h"
#include "maille/vfs.h"
#include "net/node/anchors.h"
#include "net/node/card.h"
#include "net/node/consent.h"
#include "net/node/damage.h"
#include "net/node/exchange.h"
#include "net/node/glass.h"
#include "net/node/ingest.h"
#include "net/node/keys.h"
#include "net/node/trace.h"

static ml_err secrets_load(struct ml_org *org, struct ml_session *s)
{
    struct ml_secret *section = NULL;
    ml_err err = ml_keystore_get_section(org->keystore, &s->member, &section);
    if (err == ML_OK) {
        err = ml_member_secrets_decode(&s->secrets, section);
    }
    ml_secret_free(section);
    return err;
}

/* The new key, in the keystore before anything is signed with it. */
static ml_err writer_draw(struct ml_org *org, struct ml_session *s)
{
    struct ml_sign_pk pk;
    struct ml_secret *seed = NULL;
    struct ml_secret *section = NULL;
    ml_err err = ml_sign_keypair(&pk, &seed, org->node->env);
    if (err == ML_OK) {
        ml_secret_free(s->secrets.writer);
        s->secrets.writer = seed;
        err = ml_member_secrets_encode(&section, &s->secrets);
    }
    if (err == ML_OK) {
        err = ml_keystore_put_section(org->keystore, &s->member, section);
    }
    ml_secret_free(section);
    if (err == ML_OK) {
        err = ml_org_save_keystore(org);
    }
    s->restored = err == ML_OK;
    return err;
}

/* Before the new key: the answer to this unlock may never be read. The old one may have forked too,
 * and nobody looks at it any more. */
static ml_err renewal_tell(struct ml_org *org, const struct ml_writer_id *writer, bool restored)
{
    const struct ml_damage back = {.file = ML_DAMAGE_RESTORED};
    const struct ml_damage forked = {.file = ML_DAMAGE_DOUBLED};
    ml_err err = restored ? ml_damage_keep(org, &back) : ML_OK;
    if (err == ML_OK && ml_log_is_frozen(org->log, writer)) {
        err = ml_damage_keep(org, &forked);
    }
    return err;
}

/* A store that was restored, or that lost a part, never signs again with the key that went further
 * than it knows: it draws a new writer, which names the heads that are known here (rules B18).
 * Peers give back the rest. */
static ml_err writer_renew(struct ml_org *org, struct ml_session *s)
{
    struct ml_author author;
    ml_author_of(&author, s->secrets.writer);
    bool ahead = false;
    ml_err err = ml_anchors_ahead(org, &author.id, &ahead);
    const bool mended = ml_damage_must_renew(org, &s->member);
    if (err != ML_OK || (!ahead && !mended)) {
        return err;
    }
    ml_logf(org->node->env, ML_LOG_WARN, "session",
            "the store was restored or repaired: a new writer is opened");
    err = renewal_tell(org, &author.id, !mended);
    if (err == ML_OK) {
        err = writer_draw(org, s);
    }
    if (err == ML_OK) {
        err = ml_anchors_told(org);
    }
    return err == ML_OK ? ml_damage_renewed(org, &s->member) : err;
}

ml_err ml_session_renew_writer(struct ml_org *org)
{
    const struct ml_damage damage = {.file = ML_DAMAGE_DOUBLED};
    ml_logf(org->node->env, ML_LOG_WARN, "session",
            "another machine signs with the same key: a new writer is opened");
    ml_err err = ml_damage_keep(org, &damage);
    return err == ML_OK ? writer_draw(org, org->session) : err;
}

/* A vault that doesn't open is made again: it is derived from the log (I5). */
static ml_err vault_open(struct ml_org *org, struct ml_session *s)
{
    char path[ML_PATH_MAX];
    ml_err err = ml_home_member_file(&org->node->home, path, &org->id, "vaults", &s->member);
    if (err != ML_OK) {
        return err;
    }
    const struct ml_vault_args args = {.env = org->node->env,
                                       .path = path,
                                       .vfs = s->vault_vfs,
                                       .org = org->id,
                                       .member = s->member,
                                       .mon_box = s->secrets.mon_box,
                                       .schema = org->node->schema,
                                       .create = true};
    err = ml_vault_open(&s->vault, &args);
    if (err == ML_E_CORRUPT || err == ML_E_WRONG_KEY || err == ML_E_UNSUPPORTED) {
        const struct ml_damage damage = {.file = ML_DAMAGE_VAULT};
        const bool newer = err == ML_E_UNSUPPORTED; /* a later program's: sound, and derived */
        ml_logf(org->node->env, ML_LOG_WARN, "session", "vault is rebuilt: %s", ml_err_name(err));
        err = ml_home_remove_db(org->node->env, path);
        err = err == ML_OK ? ml_vault_open(&s->vault, &args) : err;
        if (err == ML_OK && !newer) {
            ml_damage_note(org, &damage);
        }
    }
    return err;
}

static void vfs_drop(const struct ml_org *org, const char *name)
{
    int rc = name[0] == '\0' ? ML_OK : ml_vfs_unregister(name);
    if (rc != ML_OK) {
        ml_logf(org->node->env, ML_LOG_WARN, "session", "vfs still in use: %s",
                ml_err_name((ml_err)rc));
    }
}

static void session_free(struct ml_org *org, struct ml_session *s)
{
    ml_glass_end_all(org, s);
    ml_vault_close(s->vault);
    vfs_drop(org, s->vault_vfs);
    ml_drafts_close(s->drafts);
    vfs_drop(org, s->drafts_vfs);
    ml_member_secrets_free(&s->secrets);
    ml_wipe(s->token, sizeof(s->token));
    ml_release(org->node->env, s);
}

/* What was denied is known before any answer; a vault that is damaged says so only now. */
static ml_err denials_first(struct ml_org *org)
{
    ml_err err = ml_session_denials(org);
    if (err != ML_OK && ml_vault_damaged(org->session->vault)) {
        err = ml_session_vault_again(org);
        err = err == ML_OK ? ml_session_denials(org) : err;
    }
    return err;
}

static const struct ml_gov *gov_of(void *ctx)
{
    const struct ml_org *org = ctx;
    return ml_log_gov(org->log);
}

ml_err ml_session_begin(struct ml_org *org, const struct ml_member_id *member,
                        uint32_t posix_session)
{
    const struct ml_env *env = org->node->env;
    struct ml_session *s = ml_alloc(env, sizeof(*s));
    if (s == NULL) {
        return ML_E_NOMEM;
    }
    ml_session_end_other(org, member);
    s->member = *member;
    s->posix_session = posix_session;
    s->last_call_ms = env->now_ms(env->ctx);
    env->random(env->ctx, s->token, sizeof(s->token));
    ml_err err = secrets_load(org, s);
    if (err == ML_OK) {
        err = writer_renew(org, s);
    }
    if (err == ML_OK) {
        err = ml_org_vfs(org, s->vault_vfs, ML_KDF_VAULT, member);
    }
    if (err == ML_OK) {
        err = vault_open(org, s);
    }
    if (err != ML_OK) {
        session_free(org, s);
        return err;
    }
    ml_glass_sweep(org);
    s->names = (struct ml_view_names){.ctx = org, .member = ml_card_member_name, .gov = gov_of};
    ml_vault_set_names(s->vault, &s->names);
    s->exclusions = (struct ml_exclusions){.ctx = org, .ask = ml_consent_ask};
    org->session = s;
    err = denials_first(org);
    if (err != ML_OK) {
        org->session = NULL;
        session_free(org, s);
    }
    return err;
}

ml_err ml_session_denials(struct ml_org *org)
{
    bool known = false;
    bool more = true;
    ml_err err = ml_vault_knows_denials(org->session->vault, org->log, &known);
    while (err == ML_OK && more && (!known || ml_keys_hold_ms(org) == 0)) {
        err = ml_session_catch_up(org, ML_VAULT_BATCH_BUNDLES, &more);
        org->behind = more;
        if (err == ML_OK) {
            err = ml_vault_knows_denials(org->session->vault, org->log, &known);
        }
    }
    return err;
}

ml_err ml_session_mended(struct ml_org *org)
{
    bool opened = false;
    if (org->session == NULL) {
        return ML_OK;
    }
    ml_err err = writer_renew(org, org->session);
    if (err == ML_OK) {
        org->session->keys = (struct ml_keys_told){0};
        org->session->keep = (struct ml_keep){0};
        org->session->writers_open = false;
        org->behind = true;
        err = ml_session_open_writers(org, &opened);
    }
    return err;
}

ml_err ml_session_vault_again(struct ml_org *org)
{
    const struct ml_damage damage = {.file = ML_DAMAGE_VAULT};
    struct ml_session *s = org->session;
    char path[ML_PATH_MAX];
    ml_err err = ml_home_member_file(&org->node->home, path, &org->id, "vaults", &s->member);
    ml_vault_close(s->vault);
    s->vault = NULL;
    if (err == ML_OK) {
        err = ml_home_remove_db(org->node->env, path);
    }
    if (err == ML_OK) {
        err = vault_open(org, s);
    }
    if (err == ML_OK) {
        s->keys = (struct ml_keys_told){0};
        s->keep = (struct ml_keep){0};
        ml_vault_set_names(s->vault, &s->names);
        org->behind = true;
        ml_damage_note(org, &damage);
    }
    return err;
}

void ml_session_end_other(struct ml_org *org, const struct ml_member_id *member)
{
    struct ml_session *s = org->session;
    if (s == NULL) {
        return;
    }
    if (memcmp(&s->member, member, sizeof(*member)) != 0) {
        ml_keystore_lock(org->keystore, &s->member);
    }
    org->session = NULL;
    org->gone_acts = SIZE_MAX; /* he may be gone himself: looked at in the next turn */
    session_free(org, s);
}

void ml_session_end(struct ml_org *org)
{
    static const struct ml_member_id nobody;
    ml_session_end_other(org, &nobody);
}

static ml_err drafts_open(struct ml_org *org, struct ml_drafts **out, const char *path, bool create)
{
    const struct ml_drafts_args args = {
        .env = org->node->env, .path = path, .vfs = org->session->drafts_vfs, .create = create};
    return ml_drafts_open(out, &args);
}

/* Never derived from anything: what can't be read is kept for whoever can, and told. */
static ml_err drafts_set_aside(struct ml_org *org, const char *path)
{
    struct ml_damage damage = {.file = ML_DAMAGE_DRAFTS};
    struct ml_session *s = org->session;
    struct ml_drafts *old = NULL;
    char aside[ML_PATH_MAX];
    uint32_t lost = 0;
    ml_err err = ml_home_set_aside(org->node->env, path, damage.aside);
    if (err == ML_OK) {
        char name[ML_ASIDE_NAME_MAX + sizeof("drafts/")];
        snprintf(name, sizeof(name), "drafts/%s", damage.aside);
        err = ml_home_file(&org->node->home, aside, &org->id, name);
    }
    if (err == ML_OK) {
        err = drafts_open(org, &s->drafts, path, true);
    }
    if (err != ML_OK) {
        return err;
    }
    if (drafts_open(org, &old, aside, false) == ML_OK) {
        err = ml_drafts_salvage(s->drafts, old, &lost);
    }
    ml_drafts_close(old);
    damage.found.lost = lost;
    ml_damage_note(org, &damage);
    return err;
}

ml_err ml_session_drafts_aside(struct ml_org *org)
{
    struct ml_session *s = org->session;
    char path[ML_PATH_MAX];
    ml_err err = ml_home_member_file(&org->node->home, path, &org->id, "drafts", &s->member);
    ml_drafts_close(s->drafts);
    s->drafts = NULL;
    return err == ML_OK ? drafts_set_aside(org, path) : err;
}

void ml_session_end_idle(struct ml_org *org)
{
    const struct ml_env *env = org->node->env;
    const struct ml_session *s = org->session;
    if (s != NULL && s->last_call_ms + ML_SESSION_IDLE_MS <= env->now_ms(env->ctx)) {
        ml_session_end(org);
    }
}

ml_err ml_session_drafts(struct ml_org *org, struct ml_drafts **out)
{
    struct ml_session *s = org->session;
    ml_err err = ML_OK;
    if (s->drafts_vfs[0] == '\0') {
        err = ml_org_vfs(org, s->drafts_vfs, ML_KDF_DRAFTS, &s->member);
    }
    if (err == ML_OK && s->drafts == NULL) {
        char path[ML_PATH_MAX];
        err = ml_home_member_file(&org->node->home, path, &org->id, "drafts", &s->member);
        if (err == ML_OK) {
            err = drafts_open(org, &s->drafts, path, true);
        }
        if (err == ML_E_CORRUPT || err == ML_E_WRONG_KEY) {
            err = drafts_set_aside(org, path);
        }
    }
    *out = s->drafts;
    return err;
}

struct ml_keyring *ml_session_keyring(const struct ml_org *org)
{
    return ml_vault_keyring(org->session->vault);
}

void ml_session_author(const struct ml_org *org, struct ml_author *out)
{
    ml_author_of(out, org->session->secrets.writer);
}

bool ml_org_is_own_writer(const struct ml_org *org, const struct ml_writer_id *writer)
{
    const struct ml_fact *opening = ml_gov_opening(ml_log_gov(org->log), writer);
    return opening != NULL &&
           memcmp(&opening->node, &org->secrets.node, sizeof(opening->node)) == 0;
}

ml_err ml_session_catch_up(struct ml_org *org, uint32_t bundles_max, bool *more)
{
    bool done = true;
    ml_err err = ML_OK;
    if (org->session != NULL) {
        err = ml_vault_catch_up(org->session->vault, org->log, bundles_max, &done);
        err = err == ML_OK && done ? ml_keys_tell(org) : err;
        err = err == ML_OK && done ? ml_exchange_network(org) : err;
    }
    *more = !done;
    return err;
}

ml_err ml_session_catch_up_all(struct ml_org *org)
{
    bool more = true;
    ml_err err = ML_OK;
    while (err == ML_OK && more) {
        err = ml_session_catch_up(org, ML_VAULT_BATCH_BUNDLES, &more);
    }
    if (err != ML_OK) {
        ml_org_follow_later(org, err);
    }
    return err;
}

void ml_session_describe(struct ml_org *org, struct ml_args *out)
{
    const struct ml_session *s = org->session;
    const struct ml_fact *fact = ml_gov_member(ml_log_gov(org->log), &s->member);
    struct ml_card_place of = {.kind = ML_CARD_MEMBER};
    memcpy(of.id, s->member.b, sizeof(of.id));
    ml_result_hex(out, "org", org->id.b, sizeof(org->id.b));
    ml_result_hex(out, "member", s->member.b, sizeof(s->member.b));
    ml_result_hex(out, "node", org->secrets.node.b, sizeof(org->secrets.node.b));
    ml_result_hex(out, "token", s->token, sizeof(s->token));
    ml_result_int(out, "rank", fact == NULL ? 0 : fact->rank);
    ml_result_int(out, "role", fact == NULL ? 0 : fact->role);
    ml_result_bool(out, "test_key", ml_keystore_is_test(org->keystore));
    ml_result_bool(out, "restored", s->restored);
    ml_result_bool(out, "may_write", s->writers_open);
    ml_result_bool(out, "complete", ml_vault_complete(s->vault));
    ml_card_describe(org, out, &of);
}
