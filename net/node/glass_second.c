/* net/node/glass_second.c -- see glass_second.h.
 *
 * Happy path: ask (reply key drawn, ASKED durable) -> another's ANSWER comes in -> lent_read opens
 * it with the reply key -> the glass's vault joins the shares. Failures: what doesn't open is
 * passed over; a request that nobody answered ends by itself.
 */
#include "net/node/glass_second.h"

#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/box.h"
#include "core/model/keyring_except.h"
#include "net/node/keys.h"
#include "net/node/right.h"
#include "net/node/session.h"

/* ---- requests ---- */

static uint64_t now_of(const struct ml_org *org)
{
    return org->node->env->now_ms(org->node->env->ctx);
}

static void ask_free(struct ml_org *org, struct ml_glass_ask *ask)
{
    ml_secret_free(ask->reply);
    ml_release(org->node->env, ask);
}

void ml_glass_ask_keep(struct ml_session *s, struct ml_glass_ask *ask)
{
    ask->next = s->asks;
    s->asks = ask;
}

void ml_glass_ask_drop(struct ml_org *org, struct ml_session *s, struct ml_glass_ask *ask)
{
    for (struct ml_glass_ask **at = &s->asks; *at != NULL; at = &(*at)->next) {
        if (*at == ask) {
            *at = ask->next;
            break;
        }
    }
    if (ask != NULL) {
        ask_free(org, ask);
    }
}

void ml_glass_asks_drop(struct ml_org *org, struct ml_session *s)
{
    while (s->asks != NULL) {
        ml_glass_ask_drop(org, s, s->asks);
    }
}

static void lapsed_drop(struct ml_org *org)
{
    struct ml_glass_ask *next = NULL;
    for (struct ml_glass_ask *a = org->session->asks; a != NULL; a = next) {
        next = a->next;
        if (a->end_ms <= now_of(org)) {
            ml_glass_ask_drop(org, org->session, a);
        }
    }
}

struct ml_glass_ask *ml_glass_ask_of(struct ml_org *org, const struct ml_object_id *patient)
{
    lapsed_drop(org);
    struct ml_glass_ask *a = org->session->asks;
    while (a != NULL && !ml_object_id_equal(&a->patient, patient)) {
        a = a->next;
    }
    return a;
}

ml_err ml_glass_ask_new(struct ml_glass_ask **out, struct ml_box_pk *reply, struct ml_org *org,
                        const struct ml_object_id *patient)
{
    const struct ml_env *env = org->node->env;
    struct ml_glass_ask *ask = ml_alloc(env, sizeof(*ask));
    if (ask == NULL) {
        return ML_E_NOMEM;
    }
    *ask = (struct ml_glass_ask){.patient = *patient,
                                 .end_ms = now_of(org) + (uint64_t)ML_GLASS_ASK_MINUTES * 60000};
    env->random(env->ctx, ask->id.b, sizeof(ask->id.b));
    const ml_err err = ml_box_keypair(reply, &ask->reply, env);
    if (err != ML_OK) {
        ml_release(env, ask);
        return err;
    }
    *out = ask;
    return ML_OK;
}

/* ---- who holds shares ---- */

static bool is_same(const struct ml_member_id *a, const struct ml_member_id *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* Each member on a node who may break a glass. */
static ml_err holders_read(const struct ml_org *org, struct ml_buf *out)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_fact *f = ml_gov_next(gov, ML_FACT_MON, NULL);
    for (; f != NULL; f = ml_gov_next(gov, ML_FACT_MON, f)) {
        const struct ml_share_holder one = {f->member, f->box_pk};
        if (ml_right_of(org, &f->member, ML_CLASS_BREAK_GLASS, ML_RIGHT_READ) != ML_SCOPE_NONE) {
            ml_buf_append(out, &one, sizeof(one));
        }
    }
    return out->err;
}

size_t ml_glass_seconds(const struct ml_org *org)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_fact *f = ml_gov_next(gov, ML_FACT_MEMBER, NULL);
    size_t count = 0;
    for (; f != NULL; f = ml_gov_next(gov, ML_FACT_MEMBER, f)) {
        count += !is_same(&f->member, &org->session->member) &&
                 ml_right_of(org, &f->member, ML_CLASS_BREAK_GLASS, ML_RIGHT_READ) != ML_SCOPE_NONE;
    }
    return count;
}

/* ---- making shares ---- */

enum { HOLDERS_BYTES_MAX = 1 << 20 };

static ml_err share_to(struct ml_org *org, const struct ml_object_id *patient,
                       const struct ml_buf *holders)
{
    const struct ml_sharing who = {.patient = *patient,
                                   .compartment = ML_COMPARTMENT_SENSITIVE,
                                   .to = (const void *)holders->data,
                                   .count = holders->len / sizeof(struct ml_share_holder)};
    struct ml_keys keys;
    ml_keys_init(&keys, org->node->env);
    ml_err err = ml_keyring_make_shares(ml_session_keyring(org), &who, ml_keys_emit, &keys);
    if (err == ML_OK && keys.sizes.len > 0) {
        err = ml_keys_append(org, &keys);
    }
    ml_keys_free(&keys);
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

static ml_err share_patient(struct ml_org *org, const struct ml_object_id *patient,
                            const struct ml_buf *holders)
{
    const struct ml_exclusions *all = ml_glass_exclusions(org);
    struct ml_exclusion shut = {.any = false};
    ml_err err = all == NULL ? ML_OK
                             : all->ask(all->ctx, &shut, patient, ML_COMPARTMENT_SENSITIVE,
                                        &org->session->member);
    return err == ML_OK && !shut.emergency ? share_to(org, patient, holders) : err;
}

ml_err ml_glass_share(struct ml_org *org, const struct ml_object_id *patient)
{
    struct ml_buf holders;
    ml_buf_init(&holders, org->node->env, HOLDERS_BYTES_MAX);
    ml_err err = holders_read(org, &holders);
    if (err == ML_OK) {
        err = share_patient(org, patient, &holders);
    }
    ml_buf_free(&holders);
    return err;
}

ml_err ml_glass_share_all(struct ml_org *org)
{
    enum { PATIENTS_BYTES_MAX = 1 << 26 };
    struct ml_buf patients;
    ml_buf_init(&patients, org->node->env, PATIENTS_BYTES_MAX);
    ml_err err = ml_vault_sensitive(org->session->vault, &patients);
    for (size_t at = 0; err == ML_OK && at < patients.len; at += sizeof(struct ml_object_id)) {
        struct ml_object_id patient;
        memcpy(&patient, patients.data + at, sizeof(patient));
        err = ml_glass_share(org, &patient);
    }
    ml_buf_free(&patients);
    return err;
}

/* ---- answering ---- */

struct answering {
    struct ml_call *call;
    const struct ml_glass_known *asked;
    struct ml_buf shares; /* of struct ml_glass_share */
};

static ml_err share_take(void *user, const struct ml_key_id *dek, const uint8_t share[ML_KEY_BYTES])
{
    struct answering *a = user;
    struct ml_glass_share one = {.dek = *dek};
    const struct ml_share_place at = {a->call->org->id, a->asked->id, *dek};
    ml_err err = ml_share_answer_seal(one.sealed, &at, &a->asked->reply, share, a->call->node->env);
    if (err == ML_OK) {
        ml_buf_append(&a->shares, &one, sizeof(one));
        err = a->shares.err;
    }
    return err;
}

static int share_order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ml_glass_share)); /* its DEK comes first */
}

static ml_err answer_say(const struct answering *a)
{
    const struct ml_env *env = a->call->node->env;
    const struct ml_glass_share *all = (const void *)a->shares.data;
    const size_t count = a->shares.len / sizeof(*all);
    ml_err err = count == 0 ? ML_E_NOT_FOUND : ML_OK;
    for (size_t at = 0; at < count && err == ML_OK; at += ML_GLASS_SHARES_MAX) {
        const size_t left = count - at;
        const size_t part = left < ML_GLASS_SHARES_MAX ? left : ML_GLASS_SHARES_MAX;
        const struct ml_glass_say say = {.kind = ML_GLASS_ANSWER,
                                         .glass = a->asked->id,
                                         .wall_ms = env->wall_ms(env->ctx),
                                         .shares = {.items = &all[at], .count = (uint32_t)part}};
        err = ml_glass_say(a->call, &say);
    }
    return err;
}

ml_err ml_glass_answer(struct ml_call *call, const struct ml_glass_known *asked)
{
    struct answering a = {.call = call, .asked = asked};
    ml_buf_init(&a.shares, call->node->env, SIZE_MAX);
    ml_err err = ml_vault_each_share(call->session->vault, &asked->patient, share_take, &a);
    if (err == ML_OK) {
        if (a.shares.len > 0) {
            qsort(a.shares.data, a.shares.len / sizeof(struct ml_glass_share),
                  sizeof(struct ml_glass_share), share_order);
        }
        err = answer_say(&a);
    }
    ml_buf_free(&a.shares);
    return err;
}

/* ---- what others lent ---- */

struct lending {
    struct ml_org *org;
    const struct ml_glass *glass;
    struct ml_buf all; /* of struct ml_glass_lent; wiped */
};

static ml_err lent_take(struct lending *l, const struct ml_glass_share *share,
                        const struct ml_member_id *member)
{
    const struct ml_share_place at = {l->org->id, l->glass->id, share->dek};
    struct ml_glass_lent one = {.dek = share->dek, .point.member = *member};
    if (ml_share_answer_open(one.point.share, &at, l->glass->reply, share->sealed) != ML_OK) {
        return ML_OK; /* nobody's */
    }
    ml_buf_append(&l->all, &one, sizeof(one));
    ml_wipe(&one, sizeof(one));
    return l->all.err;
}

static ml_err note_take(void *user, const struct ml_glass_note *note)
{
    struct lending *l = user;
    struct ml_list_walk walk;
    struct ml_glass_share share;
    const struct ml_fact *opening = ml_gov_opening(ml_log_gov(l->org->log), &note->writer);
    ml_err err = ML_OK;
    if (opening == NULL || note->say.kind != ML_GLASS_ANSWER ||
        memcmp(note->say.glass.b, l->glass->id.b, sizeof(l->glass->id.b)) != 0) {
        return ML_OK;
    }
    ml_list_walk(&walk, &note->say.shares);
    while (err == ML_OK && ml_glass_share_next(&walk, &share)) {
        err = lent_take(l, &share, &opening->member);
    }
    return err;
}

ml_err ml_glass_lent_read(struct ml_org *org, const struct ml_glass *glass, struct ml_secret **lent,
                          size_t *count)
{
    enum { LENT_BYTES_MAX = 1 << 20 };
    struct lending l = {.org = org, .glass = glass};
    uint32_t closed = 0;
    ml_buf_init_wiped(&l.all, org->node->env, LENT_BYTES_MAX);
    ml_err err = ml_vault_each_glass(org->session->vault, note_take, &l, &closed);
    *lent = NULL;
    *count = l.all.len / sizeof(struct ml_glass_lent);
    if (err == ML_OK && *count > 0) {
        err = ml_secret_from(lent, l.all.data, l.all.len);
    }
    ml_buf_free(&l.all);
    return err;
}
