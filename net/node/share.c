/* net/node/share.c -- see share.h. */
#include "net/node/share.h"

#include <string.h>

#include "core/model/keyring_except.h"
#include "net/node/consent.h"
#include "net/node/exclude.h"
#include "net/node/keys.h"
#include "net/node/session.h"

/* ---- what he decided ---- */

struct passing {
    struct ml_org *org;
    const struct ml_consents *c;
    struct ml_keys *keys;
};

static bool same_id(const struct ml_consent_fact *a, const struct ml_consent_fact *b)
{
    return memcmp(&a->id, &b->id, sizeof(a->id)) == 0;
}

static bool same_member(const struct ml_member_id *a, const struct ml_member_id *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static bool is_for(const struct passing *p, const struct ml_consent_fact *f,
                   const struct ml_member_id *member)
{
    struct ml_consent_person person;
    ml_consent_person_now(p->org, &person, member);
    const struct ml_consent_member m = ml_consent_person_as(&person, p->c->teams, p->c->team_count);
    return ml_consent_is_for(&f->said, &m);
}

/* Does it lift something against its author, or against who would pass it on? */
static bool lifts_own(const struct passing *p, const struct ml_consent_fact *by)
{
    struct ml_list_walk walk;
    struct ml_consent_id id;
    bool own = false;
    ml_list_walk(&walk, &by->said.ends);
    while (!own && ml_list_next(&walk, &ml_format_consent_id, &id)) {
        for (size_t i = 0; i < p->c->weighed && !own; i++) {
            const struct ml_consent_fact *f = &p->c->facts[i];
            own = memcmp(&f->id, &id, sizeof(id)) == 0 && f->said.kind != ML_CONSENT_AGREED &&
                  (is_for(p, f, &by->author) || is_for(p, f, &p->org->session->member));
        }
    }
    return own;
}

/* Said again it has another author, and its author decides what it counts for. */
static bool may_pass(const struct passing *p, const struct ml_consent_fact *f)
{
    if (!f->counts) {
        return false;
    }
    switch (f->said.kind) {
    case ML_CONSENT_OPPOSED: /* who it is about could lift his own copy */
        return !is_for(p, f, &p->org->session->member);
    case ML_CONSENT_AGREED:
        return !is_for(p, f, &f->author) && !lifts_own(p, f);
    default:
        return !lifts_own(p, f);
    }
}

static bool is_heard(const struct passing *p, const struct ml_consent_fact *what,
                     const struct ml_team_id *team)
{
    for (size_t i = 0; i < p->c->weighed; i++) {
        const struct ml_consent_fact *f = &p->c->facts[i];
        if (same_id(f, what) && memcmp(f->team.b, team->b, sizeof(team->b)) == 0 &&
            (f->counts || same_member(&f->author, &p->org->session->member))) {
            return true;
        }
    }
    return false;
}

/* Its copies for several teams are several facts: the first that may be passed on is. */
static bool is_first(const struct passing *p, size_t fact)
{
    size_t i = 0;
    while (i < fact &&
           !(same_id(&p->c->facts[i], &p->c->facts[fact]) && may_pass(p, &p->c->facts[i]))) {
        i++;
    }
    return i == fact;
}

static ml_err pass_one(const struct passing *p, const struct ml_consent_fact *f,
                       const struct ml_team_id *team)
{
    struct ml_buf plain;
    ml_buf_init(&plain, p->org->node->env, ML_SEALED_BYTES_MAX);
    ml_err err = ml_consent_encode(&plain, &f->said);
    if (err == ML_OK) {
        err = ml_keyring_make_consent_in(ml_session_keyring(p->org), team, ml_buf_slice(&plain),
                                         ml_keys_emit, p->keys);
    }
    ml_wipe(plain.data, plain.len);
    ml_buf_free(&plain);
    return err;
}

static ml_err pass_to(const struct passing *p, const struct ml_team_id *team)
{
    ml_err err = ML_OK;
    for (size_t i = 0; i < p->c->weighed && err == ML_OK; i++) {
        const struct ml_consent_fact *f = &p->c->facts[i];
        if (!is_heard(p, f, team) && may_pass(p, f) && is_first(p, i)) {
            err = pass_one(p, f, team);
        }
    }
    return err;
}

/* Of the patient's teams those whose key this member has: another passes it on to the others. */
static ml_err pass_to_all(const struct passing *p)
{
    const struct ml_keyring *k = ml_session_keyring(p->org);
    ml_err err = ML_OK;
    for (size_t i = 0; i < p->c->team_count && err == ML_OK; i++) {
        size_t first = 0;
        while (memcmp(p->c->teams[first].b, p->c->teams[i].b, sizeof(p->c->teams[i].b)) != 0) {
            first++;
        }
        if (first == i && ml_keyring_can_seal(k, &p->c->teams[i], ML_COMPARTMENT_ADMIN)) {
            err = pass_to(p, &p->c->teams[i]);
        }
    }
    return err;
}

/* ---- data keys ---- */

/* Each team knows of the other one. Data keys of before too: he is followed by both. Where somebody
 * is left out they are sealed one by one, without him. */
static ml_err data_keys_emit(struct ml_org *org, const struct ml_object_id *patient,
                             struct ml_keys *keys)
{
    ml_err err = ml_keyring_make_reopen(ml_session_keyring(org), patient, ml_keys_emit, keys);
    for (unsigned c = 1; c <= ML_COMPARTMENT_LAST && err == ML_OK; c++) {
        const struct ml_exclude_at at = {patient, (ml_compartment)c};
        bool any = false;
        err = ml_exclude_any(org, &at, &any);
        if (err == ML_OK && !any) {
            err = ml_keyring_make_missing(ml_session_keyring(org), patient, at.compartment,
                                          ml_keys_emit, keys);
        }
    }
    return err;
}

static ml_err data_keys(struct ml_org *org, const struct ml_object_id *patient)
{
    struct ml_keys keys;
    ml_keys_init(&keys, org->node->env);
    ml_err err = data_keys_emit(org, patient, &keys);
    if (err == ML_OK && keys.sizes.len > 0) {
        err = ml_keys_append(org, &keys);
    }
    ml_keys_free(&keys);
    return err == ML_OK ? ml_exclude_apply(org, patient, ML_KEYS_ALL) : err;
}

/* ---- both ---- */

static ml_err open_emit(struct ml_org *org, const struct ml_object_id *patient,
                        const struct ml_team_id *team, struct ml_keys *keys)
{
    struct ml_consents c;
    const struct passing p = {org, &c, keys};
    ml_err err = ml_consents_load(&c, org->session->vault, ml_log_gov(org->log), patient);
    if (err == ML_OK && c.weighed > ML_CONSENT_FACTS_MAX) {
        err = ML_E_LIMIT;
    }
    if (err == ML_OK) {
        err = pass_to(&p, team);
    }
    if (err == ML_OK) {
        err = ml_keyring_make_open(ml_session_keyring(org), patient, team, ml_keys_emit, keys);
    }
    ml_consents_free(&c);
    return err == ML_E_EXISTS ? ML_OK : err;
}

ml_err ml_share_open(struct ml_org *org, const struct ml_object_id *patient,
                     const struct ml_team_id *team)
{
    struct ml_keys keys;
    ml_err err = ml_keys_ready(org, ML_KEYS_ALL);
    ml_keys_init(&keys, org->node->env);
    if (err == ML_OK) {
        err = open_emit(org, patient, team, &keys);
    }
    if (err == ML_OK && keys.sizes.len > 0) {
        err = ml_keys_append(org, &keys);
    }
    ml_keys_free(&keys);
    return err == ML_OK ? data_keys(org, patient) : err;
}

static ml_err share_one(struct ml_org *org, const struct ml_object_id *patient,
                        struct ml_keys *keys)
{
    struct ml_team_id teams[ML_KEYRING_LINKS_MAX];
    struct ml_consents c;
    size_t count = 0;
    const struct passing p = {org, &c, keys};
    ml_err err = ml_keyring_teams(ml_session_keyring(org), patient, teams, &count);
    if (err != ML_OK || count < 2) {
        return err == ML_E_NOT_FOUND ? ML_OK : err;
    }
    err = ml_consents_load(&c, org->session->vault, ml_log_gov(org->log), patient);
    if (err == ML_OK) {
        err = pass_to_all(&p);
    }
    ml_consents_free(&c);
    return err;
}

ml_err ml_share_keep(struct ml_org *org)
{
    struct ml_object_id patient = {{0}};
    struct ml_keys keys;
    ml_keys_init(&keys, org->node->env);
    ml_err err = ml_vault_decided(org->session->vault, &patient);
    while (err == ML_OK) {
        err = share_one(org, &patient, &keys);
        err = err == ML_OK ? ml_vault_decided(org->session->vault, &patient) : err;
    }
    err = err == ML_E_NOT_FOUND ? ML_OK : err;
    if (err == ML_OK && keys.sizes.len > 0) {
        err = ml_keys_append(org, &keys);
    }
    ml_keys_free(&keys);
    return err;
}
