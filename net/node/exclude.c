/* net/node/exclude.c -- see exclude.h. */
#include "net/node/exclude.h"

#include <string.h>

#include "core/model/keyring_deposit.h"
#include "core/record/consents.h"
#include "net/node/session.h"
#include "net/node/shred.h"

enum { NAMED_BYTES_MAX = 1 << 20 };

static ml_err ask(const struct ml_org *org, const struct ml_exclude_at *at,
                  const struct ml_member_id *member, struct ml_exclusion *out)
{
    const struct ml_exclusions *x = &org->session->exclusions;
    *out = (struct ml_exclusion){0};
    return x->ask == NULL ? ML_OK : x->ask(x->ctx, out, at->patient, at->compartment, member);
}

ml_err ml_exclude_any(struct ml_org *org, const struct ml_exclude_at *at, bool *any)
{
    struct ml_exclusion exclusion;
    ml_err err = ask(org, at, &org->session->member, &exclusion);
    *any = err == ML_OK && exclusion.any;
    return err;
}

/* Whom the keys are for: the entitled of every team of the patient, but those left out. */
struct naming {
    struct ml_org *org;
    const struct ml_exclude_at *at;
    struct ml_buf keys; /* of struct ml_box_pk */
    bool emergency;
};

static bool is_named(const struct naming *n, const struct ml_box_pk *pk)
{
    const struct ml_box_pk *keys = (const void *)n->keys.data;
    const size_t count = n->keys.len / sizeof(*keys);
    size_t i = 0;
    while (i < count && memcmp(keys[i].b, pk->b, sizeof(pk->b)) != 0) {
        i++;
    }
    return i < count;
}

static ml_err name_one(void *user, const struct ml_fact *mon)
{
    struct naming *n = user;
    struct ml_exclusion exclusion;
    ml_err err = ask(n->org, n->at, &mon->member, &exclusion);
    n->emergency |= exclusion.emergency;
    if (err == ML_OK && !exclusion.member && !is_named(n, &mon->box_pk)) {
        ml_buf_append(&n->keys, mon->box_pk.b, sizeof(mon->box_pk.b));
        err = n->keys.err;
    }
    return err;
}

static ml_err name_all(struct naming *n)
{
    const struct ml_gov *gov = ml_log_gov(n->org->log);
    struct ml_team_id teams[ML_KEYRING_LINKS_MAX];
    size_t count = 0;
    ml_err err = ml_keyring_teams(ml_session_keyring(n->org), n->at->patient, teams, &count);
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        const struct ml_gov_group group = {.team = teams[i],
                                           .compartment = (uint8_t)n->at->compartment,
                                           .ms = ml_keys_utc_ms(n->org)};
        err = ml_gov_each_entitled(gov, &group, name_one, n);
    }
    return err;
}

typedef ml_err exception_fn(struct ml_keyring *k, const struct ml_exception *who, void *user);

static ml_err with_exception(struct ml_org *org, const struct ml_exclude_at *at, exception_fn *fn,
                             void *user)
{
    struct naming n = {.org = org, .at = at};
    ml_buf_init(&n.keys, org->node->env, NAMED_BYTES_MAX);
    ml_err err = name_all(&n);
    if (err == ML_OK) {
        const struct ml_exception who = {.patient = *at->patient,
                                         .compartment = at->compartment,
                                         .to = (const void *)n.keys.data,
                                         .count = n.keys.len / sizeof(struct ml_box_pk),
                                         .emergency = n.emergency};
        err = fn(ml_session_keyring(org), &who, user);
    }
    ml_buf_free(&n.keys);
    return err;
}

static ml_err key_of(struct ml_keyring *k, const struct ml_exception *who, void *user)
{
    return ml_keyring_exception_key(k, who, user);
}

ml_err ml_exclude_key(struct ml_org *org, const struct ml_exclude_at *at, struct ml_seal_key *key)
{
    return with_exception(org, at, key_of, key);
}

static ml_err emit_of(struct ml_keyring *k, const struct ml_exception *who, void *user)
{
    return ml_keyring_make_exception(k, who, ml_keys_emit, user);
}

ml_err ml_exclude_emit(struct ml_org *org, const struct ml_exclude_at *at, struct ml_keys *keys)
{
    return with_exception(org, at, emit_of, keys);
}

static ml_err deposit_to_some(struct ml_keyring *k, const struct ml_exception *who, void *user)
{
    struct ml_deposit *d = user;
    return who->count == 0 ? ML_E_NO_KEY
                           : ml_keyring_make_deposit(k, who, &d->key, ml_keys_emit, d->keys);
}

ml_err ml_exclude_deposit(struct ml_org *org, const struct ml_exclude_at *at,
                          struct ml_deposit *deposit)
{
    const struct ml_exception all = {.patient = *at->patient, .compartment = at->compartment};
    bool any = false;
    ml_err err = ml_exclude_any(org, at, &any);
    if (err != ML_OK || any) {
        return err != ML_OK ? err : with_exception(org, at, deposit_to_some, deposit);
    }
    return ml_keyring_make_deposit(ml_session_keyring(org), &all, &deposit->key, ml_keys_emit,
                                   deposit->keys);
}

static ml_err has_exception(struct ml_org *org, const struct ml_exclude_at *at, bool *has)
{
    struct ml_keyring *k = ml_session_keyring(org);
    struct ml_stream_id streams[ML_KEYRING_LINKS_MAX];
    size_t count = 0;
    *has = false;
    ml_err err = ml_keyring_streams(k, at->patient, at->compartment, streams, &count);
    for (size_t i = 0; i < count && !*has; i++) {
        *has = ml_keyring_has_exception(k, &streams[i]);
    }
    return err;
}

/* Nobody is left out: what was sealed one by one is the groups' again. */
static ml_err take_in(struct ml_org *org, const struct ml_exclude_at *at, struct ml_keys *keys)
{
    bool has = false;
    ml_err err = has_exception(org, at, &has);
    return err == ML_OK && has ? ml_keyring_make_missing(ml_session_keyring(org), at->patient,
                                                         at->compartment, ml_keys_emit, keys)
                               : err;
}

static ml_err apply_one(struct ml_org *org, const struct ml_exclude_at *at, struct ml_keys *keys)
{
    bool any = false;
    ml_err err = ml_exclude_any(org, at, &any);
    if (err == ML_OK) {
        err = any ? ml_exclude_emit(org, at, keys) : take_in(org, at, keys);
    }
    return err == ML_E_NO_KEY || err == ML_E_NOT_FOUND ? ML_OK : err;
}

/* Of these compartments those where something was sealed: elsewhere the first writer makes the key.
 */
static ml_err written(struct ml_org *org, const struct ml_object_id *patient,
                      unsigned *compartments)
{
    ml_err err = ML_OK;
    for (unsigned c = 1; c <= ML_COMPARTMENT_LAST && err == ML_OK; c++) {
        bool any = false;
        if ((*compartments >> c & 1u) != 0) {
            err = ml_keyring_has_any(ml_session_keyring(org), patient, (ml_compartment)c, &any);
        }
        *compartments &= any ? ~0u : ~(1u << c);
    }
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

static ml_err shred_of(struct ml_keyring *k, const struct ml_exception *who, void *user)
{
    (void)k;
    return ml_shred_run(user, who);
}

ml_err ml_exclude_shred(struct ml_org *org, const struct ml_exclude_at *at)
{
    bool any = false;
    ml_err err = ml_exclude_any(org, at, &any);
    if (err == ML_OK && any) {
        err = with_exception(org, at, shred_of, org);
    }
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

static ml_err shred_all(struct ml_org *org, const struct ml_object_id *patient,
                        unsigned compartments)
{
    ml_err err = ML_OK;
    for (unsigned c = 1; c <= ML_COMPARTMENT_LAST && err == ML_OK; c++) {
        const struct ml_exclude_at at = {.patient = patient, .compartment = (ml_compartment)c};
        err = (compartments >> c & 1u) != 0 ? ml_exclude_shred(org, &at) : ML_OK;
    }
    return err;
}

static ml_err apply_all(struct ml_org *org, const struct ml_object_id *patient,
                        unsigned compartments)
{
    struct ml_keys keys;
    ml_err err = ml_keys_ready(org, compartments);
    ml_keys_init(&keys, org->node->env);
    for (unsigned c = 1; c <= ML_COMPARTMENT_LAST && err == ML_OK; c++) {
        if ((compartments >> c & 1u) != 0) {
            const struct ml_exclude_at at = {.patient = patient, .compartment = (ml_compartment)c};
            err = apply_one(org, &at, &keys);
        }
    }
    if (err == ML_OK && keys.sizes.len > 0) {
        err = ml_keys_append(org, &keys);
    }
    ml_keys_free(&keys);
    return err == ML_OK ? shred_all(org, patient, compartments) : err;
}

ml_err ml_exclude_apply(struct ml_org *org, const struct ml_object_id *patient,
                        unsigned compartments)
{
    ml_err err = written(org, patient, &compartments);
    return err == ML_OK && compartments != 0 ? apply_all(org, patient, compartments) : err;
}

/* ---- in step with who is there ---- */

/* The compartments of this patient where keys are sealed one by one. */
static ml_err excepted(struct ml_org *org, const struct ml_object_id *patient, unsigned *out)
{
    ml_err err = ML_OK;
    *out = 0;
    for (unsigned c = 1; c <= ML_COMPARTMENT_LAST && err == ML_OK; c++) {
        const struct ml_exclude_at at = {.patient = patient, .compartment = (ml_compartment)c};
        bool has = false;
        err = has_exception(org, &at, &has);
        *out |= has ? 1u << c : 0;
    }
    return err == ML_E_NOT_FOUND ? ML_OK : err; /* not open here */
}

ml_err ml_exclude_keep(struct ml_org *org)
{
    struct ml_object_id patient = {{0}};
    ml_err err = ml_vault_decided(org->session->vault, &patient);
    while (err == ML_OK) {
        unsigned compartments = 0;
        err = excepted(org, &patient, &compartments);
        if (err == ML_OK && compartments != 0) {
            err = ml_exclude_apply(org, &patient, compartments);
        }
        err = err == ML_OK ? ml_vault_decided(org->session->vault, &patient) : err;
    }
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}
