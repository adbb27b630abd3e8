/* net/node/consent.c -- see consent.h. */
#include "net/node/consent.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "net/node/keys.h"
#include "net/node/session.h"

struct names {
    struct ml_consent_id id[ML_CONSENT_NAMES_MAX];
    uint32_t count;
};

/* In order, each once. */
static ml_err name_add(struct names *names, const struct ml_consent_id *id)
{
    uint32_t at = names->count;
    while (at > 0 && memcmp(names->id[at - 1].b, id->b, sizeof(id->b)) >= 0) {
        at--;
    }
    if (at < names->count && memcmp(names->id[at].b, id->b, sizeof(id->b)) == 0) {
        return ML_OK;
    }
    if (names->count == ML_CONSENT_NAMES_MAX) {
        return ML_E_LIMIT;
    }
    memmove(&names->id[at + 1], &names->id[at], (names->count - at) * sizeof(*id));
    names->id[at] = *id;
    names->count++;
    return ML_OK;
}

static struct ml_list names_list(const struct names *names)
{
    return (struct ml_list){.items = names->count == 0 ? NULL : names->id, .count = names->count};
}

/* ---- saying ---- */

static ml_err say(struct ml_org *org, const struct ml_consent *said, struct ml_consent_id *id)
{
    struct ml_keys keys;
    struct ml_buf plain;
    ml_keys_init(&keys, org->node->env);
    ml_buf_init(&plain, org->node->env, ML_SEALED_BYTES_MAX);
    ml_err err = ml_consent_encode(&plain, said);
    if (err == ML_OK) {
        *id = ml_consent_id_of(ml_buf_slice(&plain));
        err = ml_keyring_make_consent(ml_session_keyring(org), &said->patient, ml_buf_slice(&plain),
                                      ml_keys_emit, &keys);
    }
    if (err == ML_OK) {
        err = ml_keys_append(org, &keys);
    }
    ml_wipe(plain.data, plain.len);
    ml_buf_free(&plain);
    ml_keys_free(&keys);
    return err;
}

ml_err ml_consent_say(struct ml_org *org, struct ml_consent *said, struct ml_consent_id *id)
{
    const struct ml_env *env = org->node->env;
    struct ml_consents c;
    struct names seen = {.count = 0};
    bool opened = false;
    ml_err err = ml_session_open_writers(org, &opened);
    if (err != ML_OK || !opened) {
        return err != ML_OK ? err : ML_E_DENIED;
    }
    err = ml_consents_load(&c, org->session->vault, ml_log_gov(org->log), &said->patient);
    for (size_t i = 0; err == ML_OK && i < c.weighed; i++) {
        if (ml_consent_is_last(c.set, i)) {
            err = name_add(&seen, &c.facts[i].id);
        }
    }
    ml_consents_free(&c);
    if (err == ML_OK) {
        env->random(env->ctx, said->unique, sizeof(said->unique));
        said->seen = names_list(&seen);
        err = say(org, said, id);
        said->seen = (struct ml_list){.count = 0};
    }
    return err;
}

void ml_consent_person_now(const struct ml_org *org, struct ml_consent_person *out,
                           const struct ml_member_id *member)
{
    const struct ml_env *env = org->node->env;
    ml_consent_person_of(out, ml_log_gov(org->log), member, env->wall_ms(env->ctx));
}

/* ---- receipts ---- */

bool ml_consent_is_receipt(const struct ml_org *org, const struct ml_consents *c, size_t fact,
                           const struct ml_member_id *member, const struct ml_node_id *node)
{
    const struct ml_fact *opening = ml_gov_opening(ml_log_gov(org->log), &c->writers[fact]);
    return fact >= c->weighed && opening != NULL &&
           memcmp(opening->member.b, member->b, sizeof(member->b)) == 0 &&
           memcmp(opening->node.b, node->b, sizeof(node->b)) == 0;
}

static bool is_named(const struct ml_list *list, const struct ml_consent_id *id)
{
    struct ml_list_walk walk;
    struct ml_consent_id named;
    ml_list_walk(&walk, list);
    while (ml_list_next(&walk, &ml_format_consent_id, &named)) {
        if (memcmp(named.b, id->b, sizeof(named.b)) == 0) {
            return true;
        }
    }
    return false;
}

/* Did this session's vault sign for it already? */
static bool is_signed(const struct ml_org *org, const struct ml_consents *c, size_t fact)
{
    for (size_t r = c->weighed; r < c->count; r++) {
        if (ml_consent_is_receipt(org, c, r, &org->session->member, &org->secrets.node) &&
            is_named(&c->facts[r].said.seen, &c->facts[fact].id)) {
            return true;
        }
    }
    return false;
}

/* What is about this member and was never signed for. */
static ml_err unsigned_gather(const struct ml_org *org, const struct ml_consents *c,
                              struct names *names)
{
    struct ml_consent_person person;
    ml_err err = ML_OK;
    ml_consent_person_now(org, &person, &org->session->member);
    const struct ml_consent_member self = ml_consent_person_as(&person, c->teams, c->team_count);
    for (size_t i = 0; err == ML_OK && i < c->weighed; i++) {
        if (ml_consent_is_about(&c->facts[i], &self) && !is_signed(org, c, i)) {
            err = name_add(names, &c->facts[i].id);
        }
    }
    return err == ML_E_LIMIT ? ML_OK : err; /* the rest with the next one */
}

static ml_err receipt_write(struct ml_org *org, const struct ml_object_id *patient)
{
    const struct ml_env *env = org->node->env;
    struct ml_consents c;
    struct ml_consent_id id;
    struct names names = {.count = 0};
    ml_err err = ml_consents_load(&c, org->session->vault, ml_log_gov(org->log), patient);
    if (err == ML_OK) {
        err = unsigned_gather(org, &c, &names);
    }
    ml_consents_free(&c);
    if (err == ML_OK && names.count > 0) {
        struct ml_consent receipt = {.kind = ML_CONSENT_RECEIPT,
                                     .patient = *patient,
                                     .source = ML_CONSENT_BY_PATIENT,
                                     .seen = names_list(&names)};
        env->random(env->ctx, receipt.unique, sizeof(receipt.unique));
        err = say(org, &receipt, &id);
    }
    return err == ML_OK ? ml_vault_obeyed_told(org->session->vault, patient) : err;
}

void ml_consent_receipts(struct ml_org *org)
{
    struct ml_object_id patient;
    if (org->session == NULL || !org->session->writers_open || org->behind || org->signing) {
        return;
    }
    org->signing = true; /* what is written is followed, which comes here again */
    ml_err err = ML_OK;
    while (err == ML_OK) {
        err = ml_vault_obeyed(org->session->vault, &patient);
        if (err == ML_OK) {
            err = receipt_write(org, &patient);
        }
    }
    if (err != ML_E_NOT_FOUND) {
        ml_logf(org->node->env, ML_LOG_WARN, "consent", "a receipt waits: %s", ml_err_name(err));
    }
    org->signing = false;
}

/* ---- for keys ---- */

static bool is_closed(const struct ml_org *org, const struct ml_consents *c,
                      ml_compartment compartment, const struct ml_member_id *member)
{
    const struct ml_env *env = org->node->env;
    struct ml_consent_person person;
    ml_consent_person_now(org, &person, member);
    const struct ml_consent_member m = ml_consent_person_as(&person, c->teams, c->team_count);
    return ml_consent_closes(c->set, &m, compartment, env->wall_ms(env->ctx));
}

static bool anybody_closed(const struct ml_org *org, const struct ml_consents *c,
                           ml_compartment compartment)
{
    const struct ml_env *env = org->node->env;
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_fact *member = NULL;
    bool any = false;
    if (!ml_consent_opposes(c->set, env->wall_ms(env->ctx))) {
        return false;
    }
    while (!any && (member = ml_gov_next(gov, ML_FACT_MEMBER, member)) != NULL) {
        any = is_closed(org, c, compartment, &member->member);
    }
    return any;
}

ml_err ml_consent_ask(void *ctx, struct ml_exclusion *out, const struct ml_object_id *patient,
                      ml_compartment compartment, const struct ml_member_id *member)
{
    const struct ml_org *org = ctx;
    const struct ml_env *env = org->node->env;
    struct ml_consents c;
    *out = (struct ml_exclusion){.any = false};
    if (ml_object_id_is_zero(patient)) {
        return ML_OK;
    }
    ml_err err = ml_consents_load(&c, org->session->vault, ml_log_gov(org->log), patient);
    if (err == ML_OK && c.weighed > 0) {
        const bool closed = anybody_closed(org, &c, compartment);
        out->member = closed && is_closed(org, &c, compartment, member);
        out->emergency = ml_consent_closes_emergency(c.set, compartment, env->wall_ms(env->ctx));
        out->any = closed || out->emergency; /* who comes by the emergency pair is somebody */
    }
    ml_consents_free(&c);
    return err;
}
