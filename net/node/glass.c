/* net/node/glass.c -- see glass.h: the life of glasses, and who holds the emergency pair.
 *
 * Happy path: glass_new draws a key and a file name -> the vault of this patient is made in it ->
 * reads go there -> at the end the vault is closed, the key wiped, the file deleted. Failures: what
 * can't be deleted is swept at the next opening; without its key it is noise.
 */
#include "net/node/glass.h"

#include <stdio.h>
#include <string.h>

#include "core/base/fs.h"
#include "core/base/ids.h"
#include "core/model/keyring_pair.h"
#include "core/record/views.h"
#include "core/store/vfs/vfs.h"
#include "maille/vfs.h"
#include "net/node/glass_inner.h"
#include "net/node/glass_second.h"
#include "net/node/keys.h"
#include "net/node/right.h"
#include "net/node/session.h"

static uint64_t now_of(const struct ml_org *org)
{
    return org->node->env->now_ms(org->node->env->ctx);
}

/* ---- files ---- */

static ml_err file_of(const struct ml_org *org, const struct ml_glass *g, char path[ML_PATH_MAX])
{
    char hex[ML_HEX_SIZE(sizeof(g->id.b))];
    char name[sizeof("vaults/glass-.db") + sizeof(hex)];
    ml_hex_encode(hex, g->id.b, sizeof(g->id.b));
    snprintf(name, sizeof(name), "vaults/glass-%s.db", hex);
    return ml_home_file(&org->node->home, path, &org->id, name);
}

static ml_err vfs_take(struct ml_org *org, struct ml_glass *g)
{
    char hex[ML_HEX_SIZE(8)];
    uint8_t key[32];
    const struct ml_env *env = org->node->env;
    ml_hex_encode(hex, g->id.b, 8);
    snprintf(g->vfs, sizeof(g->vfs), "ml-g-%s-%zx", hex, (size_t)org->node);
    env->random(env->ctx, key, sizeof(key));
    const struct ml_vfs_setup setup = {
        .name = g->vfs, .key = key, .base = env->fs->sqlite_vfs, .env = env};
    const ml_err err = (ml_err)ml_vfs_register_with(&setup);
    ml_wipe(key, sizeof(key));
    if (err != ML_OK) {
        g->vfs[0] = '\0';
    }
    return err;
}

struct sweep {
    struct ml_org *org;
    const char *prefix;
    char folder[ML_PATH_MAX];
};

static void sweep_name(void *user, const char *name)
{
    struct sweep *s = user;
    char path[ML_PATH_MAX];
    const struct ml_fs *fs = s->org->node->env->fs;
    if (strncmp(name, s->prefix, strlen(s->prefix)) != 0 ||
        (size_t)snprintf(path, sizeof(path), "%s/%s", s->folder, name) >= sizeof(path)) {
        return;
    }
    if (fs->remove(fs->ctx, path) != 0) {
        ml_logf(s->org->node->env, ML_LOG_WARN, "glass", "a file stays, without its key");
    }
}

/* Databases, what belongs to them, and their locks. */
static void sweep(struct ml_org *org, const char *prefix)
{
    struct sweep s = {.org = org, .prefix = prefix};
    const struct ml_fs *fs = org->node->env->fs;
    const ml_err err = ml_home_file(&org->node->home, s.folder, &org->id, "vaults");
    if (err == ML_OK && fs->exists(fs->ctx, s.folder) &&
        fs->list(fs->ctx, s.folder, sweep_name, &s) != 0) {
        ml_logf(org->node->env, ML_LOG_WARN, "glass", "what is left can't be listed");
    }
}

void ml_glass_sweep(struct ml_org *org)
{
    sweep(org, "glass-");
}

static void glass_close(struct ml_org *org, struct ml_glass *g)
{
    char hex[ML_HEX_SIZE(sizeof(g->id.b))];
    char prefix[sizeof("glass-") + sizeof(hex)];
    ml_vault_close(g->vault);
    g->vault = NULL;
    if (g->vfs[0] != '\0' && ml_vfs_unregister(g->vfs) != ML_OK) {
        ml_logf(org->node->env, ML_LOG_WARN, "glass", "its vfs is still in use");
    }
    g->vfs[0] = '\0';
    ml_hex_encode(hex, g->id.b, sizeof(g->id.b));
    snprintf(prefix, sizeof(prefix), "glass-%s", hex);
    sweep(org, prefix);
}

static struct ml_glass_args args_of(const struct ml_org *org, const struct ml_glass *g,
                                    const char *path)
{
    const struct ml_session *s = org->session;
    return (struct ml_glass_args){.vault = {.env = org->node->env,
                                            .path = path,
                                            .vfs = g->vfs,
                                            .org = org->id,
                                            .member = s->member,
                                            .mon_box = s->secrets.mon_box,
                                            .schema = org->node->schema,
                                            .create = true},
                                  .from = s->vault,
                                  .patient = g->patient,
                                  .compartments = g->compartments};
}

ml_err ml_glass_make(struct ml_org *org, struct ml_glass *g)
{
    char path[ML_PATH_MAX];
    ml_err err = file_of(org, g, path);
    if (err == ML_OK) {
        err = vfs_take(org, g);
    }
    struct ml_glass_args args = args_of(org, g, path);
    struct ml_secret *lent = NULL;
    if (err == ML_OK && g->reply != NULL) {
        err = ml_glass_lent_read(org, g, &lent, &args.lent_count);
        args.lent = lent == NULL ? NULL : (const void *)ml_secret_bytes(lent);
    }
    if (err == ML_OK) {
        err = ml_vault_glass(&g->vault, &g->found, &args);
    }
    ml_secret_free(lent);
    if (err == ML_OK) {
        ml_vault_set_names(g->vault, &org->session->names);
        err = ml_vault_glass_follow(g->vault, org->log, &args);
    }
    if (err != ML_OK) {
        glass_close(org, g);
    }
    return err;
}

/* ---- life ---- */

void ml_glass_end(struct ml_org *org, struct ml_session *s, struct ml_glass *glass)
{
    for (struct ml_glass **at = &s->glasses; *at != NULL; at = &(*at)->next) {
        if (*at == glass) {
            *at = glass->next;
            break;
        }
    }
    glass_close(org, glass);
    ml_secret_free(glass->reply);
    ml_release(org->node->env, glass);
}

void ml_glass_end_all(struct ml_org *org, struct ml_session *s)
{
    while (s->glasses != NULL) {
        ml_glass_end(org, s, s->glasses);
    }
    ml_glass_asks_drop(org, s);
}

void ml_glass_tick(struct ml_org *org)
{
    struct ml_glass *next = NULL;
    if (org->session == NULL) {
        return;
    }
    for (struct ml_glass *g = org->session->glasses; g != NULL; g = next) {
        next = g->next;
        if (g->end_ms <= now_of(org)) {
            ml_glass_end(org, org->session, g);
        }
    }
}

uint64_t ml_glass_next_ms(const struct ml_org *org)
{
    uint64_t at = UINT64_MAX;
    const struct ml_glass *g = org->session == NULL ? NULL : org->session->glasses;
    for (; g != NULL; g = g->next) {
        at = g->end_ms < at ? g->end_ms : at;
    }
    return at;
}

struct ml_glass *ml_glass_of(struct ml_org *org, const struct ml_object_id *patient)
{
    ml_glass_tick(org);
    struct ml_glass *g = org->session->glasses;
    while (g != NULL && !ml_object_id_equal(&g->patient, patient)) {
        g = g->next;
    }
    return g;
}

ml_err ml_glass_vault(struct ml_org *org, const struct ml_object_id *patient, struct ml_vault **out)
{
    struct ml_glass *g = ml_glass_of(org, patient);
    *out = org->session->vault;
    if (g == NULL) {
        return ML_OK;
    }
    const struct ml_glass_args args = args_of(org, g, NULL);
    ml_err err = ml_vault_glass_follow(g->vault, org->log, &args);
    if (err == ML_E_STALE) { /* verdicts changed, or he decided something: the same again */
        glass_close(org, g);
        err = ml_glass_make(org, g);
    }
    if (err != ML_OK) {
        ml_glass_end(org, org->session, g);
        return err;
    }
    *out = g->vault;
    return ML_OK;
}

/* ---- the emergency pair ---- */

struct entitled {
    struct ml_buf all;     /* of struct ml_box_pk */
    struct ml_buf lacking; /* of these who weren't handed the pair */
};

static ml_err entitled_gather(struct ml_org *org, struct entitled *e, const struct ml_box_pk *pair)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_keyring *k = ml_session_keyring(org);
    const struct ml_fact *f = ml_gov_next(gov, ML_FACT_MON, NULL);
    for (; f != NULL; f = ml_gov_next(gov, ML_FACT_MON, f)) {
        if (ml_right_of(org, &f->member, ML_CLASS_BREAK_GLASS, ML_RIGHT_READ) == ML_SCOPE_NONE) {
            continue;
        }
        ml_buf_append(&e->all, &f->box_pk, sizeof(f->box_pk));
        if (!ml_keyring_pair_has(k, pair, &f->box_pk)) {
            ml_buf_append(&e->lacking, &f->box_pk, sizeof(f->box_pk));
        }
    }
    return e->all.err != ML_OK ? e->all.err : e->lacking.err;
}

/* Somebody has it who may no longer, or `renew`: a new pair, to those who may. Else to those who
 * lack it. */
static ml_err pair_hand(struct ml_org *org, const struct entitled *e, const struct ml_box_pk *pair,
                        bool renew)
{
    const struct ml_fact *root = ml_gov_root(ml_log_gov(org->log));
    struct ml_keyring *k = ml_session_keyring(org);
    const size_t count = e->all.len / sizeof(struct ml_box_pk);
    const bool anew = renew || ml_keyring_pair_strays(k, pair, (const void *)e->all.data, count);
    const struct ml_buf *to = anew ? &e->all : &e->lacking;
    const struct ml_pair_args args = {
        .kind = ML_PAIR_EMERGENCY,
        .members = (const void *)to->data,
        .count = to->len / sizeof(struct ml_box_pk),
        .secret = anew ? NULL : ml_keyring_pair_secret(k, ML_PAIR_EMERGENCY, pair),
        .recovery = &root->box_pk};
    struct ml_keys keys;
    if (args.count == 0) {
        return ML_OK;
    }
    ml_keys_init(&keys, org->node->env);
    ml_err err = ml_keyring_make_pair(k, &args, ml_keys_emit, &keys);
    if (err == ML_OK) {
        err = ml_keys_append(org, &keys);
    }
    ml_keys_free(&keys);
    return err;
}

static ml_err tend(struct ml_org *org, bool renew)
{
    struct entitled e;
    const struct ml_keyring *k = ml_session_keyring(org);
    const struct ml_box_pk *now = ml_keyring_pair(k, ML_PAIR_EMERGENCY);
    if (now == NULL || ml_right_now(org, ML_CLASS_BREAK_GLASS, ML_RIGHT_READ) == ML_SCOPE_NONE) {
        return ML_OK;
    }
    const struct ml_box_pk pair = *now;
    const bool held = ml_keyring_pair_secret(k, ML_PAIR_EMERGENCY, now) != NULL;
    ml_buf_init(&e.all, org->node->env, ML_KEYOP_PAIR_MAX * sizeof(struct ml_box_pk));
    ml_buf_init(&e.lacking, org->node->env, ML_KEYOP_PAIR_MAX * sizeof(struct ml_box_pk));
    ml_err err = entitled_gather(org, &e, &pair);
    /* Else another holder's node does it; where none is left who may, whoever may makes it anew. */
    if (err == ML_OK && (held || e.lacking.len == e.all.len)) {
        err = pair_hand(org, &e, &pair, renew);
    }
    ml_buf_free(&e.all);
    ml_buf_free(&e.lacking);
    return err;
}

static void look(struct ml_org *org, bool renew)
{
    struct ml_session *s = org->session;
    const size_t acts = s == NULL ? 0 : ml_gov_acts(ml_log_gov(org->log));
    if (s == NULL || !s->writers_open || org->behind ||
        (!renew && s->glass_acts == acts && ml_keys_utc_ms(org) < s->glass_until_ms)) {
        return;
    }
    const uint64_t until_ms = ml_gov_next_date(ml_log_gov(org->log), ml_keys_utc_ms(org));
    const ml_err err = tend(org, renew);
    if (err == ML_OK) {
        s->glass_acts = acts;
        s->glass_until_ms = until_ms;
    } else {
        ml_logf(org->node->env, ML_LOG_WARN, "glass", "the emergency pair waits: %s",
                ml_err_name(err));
    }
}

void ml_glass_tend(struct ml_org *org)
{
    look(org, false);
}

void ml_glass_renew(struct ml_org *org)
{
    look(org, true);
}

const struct ml_exclusions *ml_glass_exclusions(struct ml_org *org)
{
    const struct ml_exclusions *all = &org->session->exclusions;
    return all->ask == NULL ? NULL : all;
}
