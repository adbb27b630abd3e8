/* net/node/methods_glass.c -- emergency access: open, give back.
 *
 * Happy path of an opening: right, patient, what he excluded -> the trace entry, fsynced -> the
 * GLASS op, durable, which tells every member -> only then a key is unsealed. Failures before the
 * entry leave nothing; after it they are entries too. What follows: methods_glass_list.c.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/record/vault.h"
#include "net/node/glass_inner.h"
#include "net/node/glass_second.h"
#include "net/node/methods.h"
#include "net/node/right.h"
#include "net/node/session.h"
#include "net/node/trace.h"

#define BIT(c) (1u << ML_COMPARTMENT_##c)
enum {
    TIERS = 3, /* the last takes a second device */
    TEXT_MIN = 5,
    SUMMARY = BIT(ADMIN) | BIT(VITAL),
    FULL = SUMMARY | BIT(MEDICAL) | BIT(CARE) | BIT(SOCIAL) | BIT(RCP) | BIT(DOCUMENT),
    ALL = FULL | BIT(SENSITIVE),
};
#undef BIT

struct opening {
    struct ml_call *call;
    struct ml_object_id patient;
    uint8_t tier;
    uint8_t reason;
    const char *text;
    uint32_t minutes;
    uint16_t compartments;
    uint16_t excluded;
    struct ml_glass_id id;
    uint64_t until_ms;        /* UTC */
    struct ml_glass_ask *ask; /* tier 3, of the session */
};

static uint64_t wall_of(const struct ml_call *call)
{
    return call->node->env->wall_ms(call->node->env->ctx);
}

/* ---- what is asked ---- */

static ml_err open_reason(struct opening *o)
{
    struct ml_call *call = o->call;
    const char *reason = NULL;
    ml_err err = ml_call_text(call, &reason, "reason");
    if (err != ML_OK) {
        return ml_call_fail(call, ML_E_INVALID, "glass.reason", NULL, NULL);
    }
    o->reason = ml_glass_reason_named(reason);
    o->text = ml_call_text_or(call, "text", "");
    if (o->reason == 0) {
        return ml_call_fail(call, ML_E_INVALID, "glass.reason", NULL, NULL);
    }
    const bool told = strlen(o->text) >= TEXT_MIN && strlen(o->text) <= ML_GLASS_TEXT_MAX;
    const bool asked = o->tier > 1 || o->reason == ML_GLASS_FOR_OTHER || o->text[0] != '\0';
    return asked && !told ? ml_call_fail(call, ML_E_INVALID, "glass.text", NULL, NULL) : ML_OK;
}

static ml_err open_params(struct opening *o)
{
    struct ml_call *call = o->call;
    const int64_t tier = ml_value_int(ml_value_get(call->params, "tier"), 1);
    const int64_t minutes =
        ml_value_int(ml_value_get(call->params, "minutes"), ML_GLASS_MINUTES_DEFAULT);
    ml_err err = ml_call_patient(call, &o->patient);
    if (err != ML_OK) {
        return err;
    }
    if (tier < 1 || tier > TIERS) {
        return ml_call_fail(call, ML_E_INVALID, "glass.tier", NULL, NULL);
    }
    if (minutes < 1 || minutes > ML_GLASS_MINUTES_MAX) {
        return ml_call_fail(call, ML_E_INVALID, "glass.minutes", NULL, NULL);
    }
    o->tier = (uint8_t)tier;
    o->minutes = (uint32_t)minutes;
    o->compartments = tier == 1 ? SUMMARY : tier < TIERS ? FULL : ALL;
    return open_reason(o);
}

/* Clinical compartments that the patient shut for emergencies too. */
static ml_err open_exclusions(struct opening *o)
{
    struct ml_call *call = o->call;
    const struct ml_exclusions *all = ml_glass_exclusions(call->org);
    ml_err err = ML_OK;
    for (unsigned c = 1; all != NULL && c <= ML_COMPARTMENT_LAST && err == ML_OK; c++) {
        struct ml_exclusion shut = {.any = false};
        if ((o->compartments >> c & 1u) == 0) {
            continue;
        }
        err = all->ask(all->ctx, &shut, &o->patient, (ml_compartment)c, &call->session->member);
        if (err == ML_OK && shut.emergency) {
            o->excluded |= (uint16_t)(1u << c);
        }
    }
    o->compartments &= (uint16_t)~o->excluded;
    const bool shut = (o->compartments & ~(1u << ML_COMPARTMENT_ADMIN)) == 0 ||
                      (o->excluded >> ML_COMPARTMENT_SENSITIVE & 1u) != 0;
    if (err == ML_OK && shut) {
        return ml_call_fail(call, ML_E_DENIED, "glass.excluded", NULL, NULL);
    }
    return err;
}

static ml_err open_may(struct opening *o)
{
    struct ml_call *call = o->call;
    uint16_t entity = 0;
    if (ml_right_now(call->org, ML_CLASS_BREAK_GLASS, ML_RIGHT_READ) == ML_SCOPE_NONE) {
        return ml_call_fail(call, ML_E_DENIED, "glass.right", NULL, NULL);
    }
    ml_err err = ml_vault_has(call->session->vault, &o->patient, &o->patient, &entity);
    if (err == ML_E_NOT_FOUND) {
        return ml_call_fail(call, err, "glass.not_here", NULL, NULL);
    }
    return err == ML_OK ? open_exclusions(o) : err;
}

/* ---- saying so ---- */

static ml_err open_note(const struct opening *o, ml_trace_result result)
{
    char purpose[ML_GLASS_TEXT_MAX + 64];
    snprintf(purpose, sizeof(purpose), "%s (%u) %s", ml_glass_reason_name(o->reason), o->tier,
             o->text);
    struct ml_trace_note note = {.action = ML_TRACE_BREAK_GLASS,
                                 .result = result,
                                 .patient = o->patient,
                                 .purpose = purpose};
    memcpy(note.object.b, o->id.b, sizeof(note.object.b));
    return ml_trace_note(o->call, &note);
}

/* The entry is fsynced before anybody else hears of it, and both before a key is unsealed. */
static ml_err open_say(const struct opening *o)
{
    const struct ml_glass_say say = {.kind = ML_GLASS_OPENED,
                                     .glass = o->id,
                                     .patient = o->patient,
                                     .tier = o->tier,
                                     .reason = o->reason,
                                     .wall_ms = wall_of(o->call),
                                     .until_ms = o->until_ms};
    ml_err err = open_note(o, ML_TRACE_DONE);
    return err == ML_OK ? ml_glass_say(o->call, &say) : err;
}

static ml_err open_unseal(const struct opening *o, struct ml_glass **out)
{
    struct ml_call *call = o->call;
    const struct ml_env *env = call->node->env;
    struct ml_glass *g = ml_alloc(env, sizeof(*g));
    if (g == NULL) {
        return ML_E_NOMEM;
    }
    *g = (struct ml_glass){.id = o->id,
                           .patient = o->patient,
                           .compartments = o->compartments,
                           .tier = o->tier,
                           .end_ms = env->now_ms(env->ctx) + (uint64_t)o->minutes * 60000,
                           .until_ms = o->until_ms,
                           .reply = o->ask == NULL ? NULL : o->ask->reply};
    ml_err err = ml_glass_make(call->org, g);
    if (err != ML_OK) {
        ml_release(env, g);
        return err;
    }
    if (o->ask != NULL) { /* its secret lives as long as the glass now */
        o->ask->reply = NULL;
        ml_glass_ask_drop(call->org, call->session, o->ask);
    }
    g->next = call->session->glasses;
    call->session->glasses = g;
    *out = g;
    return ML_OK;
}

/* ---- the third tier ---- */

static size_t ask_count(const struct ml_session *s)
{
    size_t count = 0;
    for (const struct ml_glass_ask *a = s->asks; a != NULL; a = a->next) {
        count++;
    }
    return count;
}

static void ask_put(const struct opening *o, const struct ml_glass_id *id, uint64_t end_ms)
{
    const struct ml_env *env = o->call->node->env;
    struct ml_args *out = o->call->result;
    ml_result_hex(out, "glass", id->b, sizeof(id->b));
    ml_result_int(out, "tier", o->tier);
    ml_result_bool(out, "asked", true);
    ml_result_int(out, "until_ms",
                  (int64_t)(env->wall_ms(env->ctx) + end_ms - env->now_ms(env->ctx)));
    ml_result_int(out, "seconds", (int64_t)ml_glass_seconds(o->call->org));
}

/* Traced, then said to all: who answers is another member, on a device of his. */
static ml_err ask_say(struct opening *o, struct ml_glass_ask *ask, const struct ml_box_pk *reply)
{
    const uint64_t now = wall_of(o->call);
    const struct ml_glass_say say = {.kind = ML_GLASS_ASKED,
                                     .glass = ask->id,
                                     .patient = o->patient,
                                     .tier = o->tier,
                                     .reason = o->reason,
                                     .wall_ms = now,
                                     .until_ms = now + (uint64_t)ML_GLASS_ASK_MINUTES * 60000,
                                     .reply = *reply};
    o->id = ask->id;
    ml_err err = open_note(o, ML_TRACE_DONE);
    return err == ML_OK ? ml_glass_say(o->call, &say) : err;
}

static ml_err ask_new(struct opening *o)
{
    struct ml_call *call = o->call;
    struct ml_box_pk reply;
    struct ml_glass_ask *ask = NULL;
    if (ml_glass_seconds(call->org) == 0) {
        return ml_call_fail(call, ML_E_DENIED, "glass.alone", NULL, NULL);
    }
    if (ask_count(call->session) >= ML_GLASSES_MAX) {
        return ml_call_fail(call, ML_E_LIMIT, "glass.too_many", NULL, NULL);
    }
    ml_err err = ml_glass_ask_new(&ask, &reply, call->org, &o->patient);
    if (err != ML_OK) {
        return err;
    }
    ml_glass_ask_keep(call->session, ask);
    err = ask_say(o, ask, &reply);
    if (err != ML_OK) {
        ml_glass_ask_drop(call->org, call->session, ask);
        return err;
    }
    ask_put(o, &ask->id, ask->end_ms);
    return ML_OK;
}

static ml_err is_answered(const struct opening *o, bool *answered)
{
    struct ml_glass of = {.id = o->ask->id, .reply = o->ask->reply};
    struct ml_secret *lent = NULL;
    size_t count = 0;
    ml_err err = ml_glass_lent_read(o->call->org, &of, &lent, &count);
    ml_secret_free(lent);
    *answered = count > 0;
    return err;
}

/* *waits: it was asked for, now or before, and nobody has answered. */
static ml_err open_second(struct opening *o, bool *waits)
{
    bool answered = false;
    o->ask = ml_glass_ask_of(o->call->org, &o->patient);
    *waits = true;
    if (o->ask == NULL) {
        return ask_new(o);
    }
    ml_err err = is_answered(o, &answered);
    o->id = o->ask->id;
    *waits = !answered;
    if (err == ML_OK && !answered) {
        ask_put(o, &o->ask->id, o->ask->end_ms);
    }
    return err;
}

/* ---- opening and giving back ---- */

static void compartments_put(struct ml_args *out, const char *key, uint16_t bits)
{
    ml_args_key(out, key);
    ml_args_list(out);
    for (int c = 1; c <= (int)ML_COMPARTMENT_LAST; c++) {
        if ((bits >> c & 1) != 0) {
            ml_args_int(out, c);
        }
    }
    ml_args_end(out);
}

static ml_err open_answer(const struct opening *o, const struct ml_glass *g)
{
    struct ml_args *out = o->call->result;
    struct ml_vault_counts counts;
    ml_err err = ml_vault_counts(g->vault, &counts);
    if (err != ML_OK) {
        return err;
    }
    ml_result_hex(out, "glass", o->id.b, sizeof(o->id.b));
    ml_result_int(out, "tier", o->tier);
    ml_result_int(out, "until_ms", (int64_t)o->until_ms);
    ml_result_int(out, "objects", (int64_t)counts.objects);
    ml_result_int(out, "keys_opened", g->found.deks_opened);
    ml_result_int(out, "keys_closed", g->found.deks_closed);
    compartments_put(out, "compartments", g->compartments);
    compartments_put(out, "excluded", o->excluded);
    return ML_OK;
}

static size_t glass_count(const struct ml_session *s)
{
    size_t count = 0;
    for (const struct ml_glass *g = s->glasses; g != NULL; g = g->next) {
        count++;
    }
    return count;
}

/* All is checked: said first, then unsealed. */
static ml_err open_now(struct opening *o)
{
    struct ml_call *call = o->call;
    struct ml_glass *glass = NULL;
    struct ml_glass *before = ml_glass_of(call->org, &o->patient);
    if (before == NULL && glass_count(call->session) >= ML_GLASSES_MAX) {
        return ml_call_fail(call, ML_E_LIMIT, "glass.too_many", NULL, NULL);
    }
    o->until_ms = wall_of(call) + (uint64_t)o->minutes * 60000;
    ml_err err = open_say(o);
    if (err == ML_OK && before != NULL) {
        ml_glass_end(call->org, call->session, before); /* the new one takes its place */
    }
    if (err == ML_OK) {
        err = open_unseal(o, &glass);
        if (err != ML_OK && open_note(o, ML_TRACE_FAILED) != ML_OK) {
            ml_logf(call->node->env, ML_LOG_ERROR, "glass", "that it did not open is not traced");
        }
    }
    if (err == ML_E_NOT_FOUND) {
        return ml_call_fail(call, err, "glass.not_here", NULL, NULL);
    }
    return err == ML_OK ? open_answer(o, glass) : err;
}

static ml_err glass_open(struct ml_call *call)
{
    struct opening o = {.call = call};
    const struct ml_env *env = call->node->env;
    bool waits = false;
    ml_err err = open_params(&o);
    if (err == ML_OK) {
        err = open_may(&o);
    }
    if (err != ML_OK) {
        return err;
    }
    env->random(env->ctx, o.id.b, sizeof(o.id.b));
    if (o.tier == TIERS) {
        err = open_second(&o, &waits);
    }
    return err == ML_OK && !waits ? open_now(&o) : err;
}

static ml_err glass_close(struct ml_call *call)
{
    struct ml_object_id patient;
    ml_err err = ml_call_patient(call, &patient);
    struct ml_glass *g = err == ML_OK ? ml_glass_of(call->org, &patient) : NULL;
    if (err == ML_OK && g == NULL) {
        return ml_call_fail(call, ML_E_NOT_FOUND, "glass.none", NULL, NULL);
    }
    if (err != ML_OK) {
        return err;
    }
    const struct ml_glass_say say = {
        .kind = ML_GLASS_CLOSED, .glass = g->id, .wall_ms = wall_of(call)};
    ml_glass_end(call->org, call->session, g);
    err = ml_call_note(call, ML_TRACE_BREAK_GLASS, &patient);
    return err == ML_OK ? ml_glass_say(call, &say) : err;
}

const struct ml_method ml_methods_glass[] = {
    {"breakglass.open", ML_NEEDS_SESSION, glass_open},
    {"breakglass.close", ML_NEEDS_SESSION, glass_close},
    {NULL, 0, NULL},
};
