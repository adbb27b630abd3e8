/* net/node/methods_glass.c -- emergency access: open, give back, list, review.
 *
 * Happy path of an opening: right, patient, what he excluded -> the trace entry, fsynced -> the
 * GLASS op, durable, which tells every member -> only then a key is unsealed. Failures before the
 * entry leave nothing; after it they are entries too. A review is somebody else's, of rank 2 or
 * better or whose role reviews (row 23 of the matrix).
 */
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/model/authority.h"
#include "core/record/vault.h"
#include "net/node/card.h"
#include "net/node/glass_inner.h"
#include "net/node/keys.h"
#include "net/node/methods.h"
#include "net/node/right.h"
#include "net/node/session.h"
#include "net/node/trace.h"

#define BIT(c) (1u << ML_COMPARTMENT_##c)
enum {
    TIERS = 3,
    TEXT_MIN = 5,
    SUMMARY = BIT(ADMIN) | BIT(VITAL),
    FULL = SUMMARY | BIT(MEDICAL) | BIT(CARE) | BIT(SOCIAL) | BIT(RCP) | BIT(DOCUMENT),
    LIST_MAX = 200,
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
    uint64_t until_ms; /* UTC */
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
    o->compartments = tier == 1 ? SUMMARY : FULL;
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
    if (err == ML_OK && (o->compartments & ~(1u << ML_COMPARTMENT_ADMIN)) == 0) {
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
    if (o->tier == TIERS) {
        return ml_call_fail(call, ML_E_DENIED, "glass.second", NULL, NULL);
    }
    ml_err err = ml_vault_has(call->session->vault, &o->patient, &o->patient, &entity);
    if (err == ML_E_NOT_FOUND) {
        return ml_call_fail(call, err, "glass.not_here", NULL, NULL);
    }
    return err == ML_OK ? open_exclusions(o) : err;
}

/* ---- saying so ---- */

static ml_err say_append(struct ml_call *call, const struct ml_glass_say *say)
{
    struct ml_keyop op = {.type = ML_KEYOP_GLASS};
    struct ml_buf plain;
    struct ml_buf sealed;
    struct ml_buf bytes;
    struct ml_keys keys;
    ml_buf_init(&plain, call->node->env, ML_SEALED_BYTES_MAX);
    ml_buf_init(&sealed, call->node->env, ML_SEALED_BYTES_MAX);
    ml_buf_init(&bytes, call->node->env, ML_SEALED_BYTES_MAX + ML_KEYOP_AD_MAX);
    ml_keys_init(&keys, call->node->env);
    ml_err err = ml_glass_encode(&plain, say);
    if (err == ML_OK) {
        err = ml_keyring_seal_glass(ml_session_keyring(call->org), ml_buf_slice(&plain), &sealed,
                                    &op.u.glass);
    }
    if (err == ML_OK) {
        err = ml_keyop_encode(&bytes, &op);
    }
    if (err == ML_OK) {
        err = ml_keys_emit(&keys, ml_buf_slice(&bytes));
    }
    if (err == ML_OK) {
        err = ml_keys_append(call->org, &keys);
    }
    ml_keys_free(&keys);
    ml_buf_free(&bytes);
    ml_buf_free(&sealed);
    ml_buf_free(&plain);
    return err;
}

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
    return err == ML_OK ? say_append(o->call, &say) : err;
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
                           .until_ms = o->until_ms};
    ml_err err = ml_glass_make(call->org, g);
    if (err != ML_OK) {
        ml_release(env, g);
        return err;
    }
    g->next = call->session->glasses;
    call->session->glasses = g;
    *out = g;
    return ML_OK;
}

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

static ml_err glass_open(struct ml_call *call)
{
    struct opening o = {.call = call};
    const struct ml_env *env = call->node->env;
    struct ml_glass *glass = NULL;
    ml_err err = open_params(&o);
    if (err == ML_OK) {
        err = open_may(&o);
    }
    if (err != ML_OK) {
        return err;
    }
    struct ml_glass *before = ml_glass_of(call->org, &o.patient);
    if (before == NULL && glass_count(call->session) >= ML_GLASSES_MAX) {
        return ml_call_fail(call, ML_E_LIMIT, "glass.too_many", NULL, NULL);
    }
    env->random(env->ctx, o.id.b, sizeof(o.id.b));
    o.until_ms = wall_of(call) + (uint64_t)o.minutes * 60000;
    err = open_say(&o);
    if (err == ML_OK && before != NULL) {
        ml_glass_end(call->org, call->session, before); /* the new one takes its place */
    }
    if (err == ML_OK) {
        err = open_unseal(&o, &glass);
        if (err != ML_OK && open_note(&o, ML_TRACE_FAILED) != ML_OK) {
            ml_logf(env, ML_LOG_ERROR, "glass", "that it did not open is not traced");
        }
    }
    if (err == ML_E_NOT_FOUND) {
        return ml_call_fail(call, err, "glass.not_here", NULL, NULL);
    }
    return err == ML_OK ? open_answer(&o, glass) : err;
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
    return err == ML_OK ? say_append(call, &say) : err;
}

/* ---- the worklist ---- */

struct known {
    struct ml_glass_id id;
    struct ml_member_id member; /* who opened */
    struct ml_object_id patient;
    uint64_t wall_ms;
    uint64_t until_ms;
    uint64_t closed_ms;   /* 0: not given back */
    uint64_t reviewed_ms; /* 0: not yet */
    struct ml_member_id reviewer;
    uint8_t tier;
    uint8_t reason;
    uint8_t outcome;
};

struct listing {
    struct ml_call *call;
    struct ml_buf known; /* of struct known, in order of arrival */
};

/* Of rank 2 or better, or whose role reviews; never his own. */
static bool may_review(const struct ml_org *org, const struct ml_member_id *who)
{
    const struct ml_fact *fact = ml_gov_member(ml_log_gov(org->log), who);
    const ml_scope see = ml_right_of(org, who, ML_CLASS_BREAK_GLASS, ML_RIGHT_SEE);
    const ml_scope read = ml_right_of(org, who, ML_CLASS_BREAK_GLASS, ML_RIGHT_READ);
    return fact != NULL &&
           (fact->rank <= ML_RANK_REFERENT || (see != ML_SCOPE_NONE && read == ML_SCOPE_NONE));
}

static struct known *known_of(struct listing *l, const struct ml_glass_id *id)
{
    struct known *all = (struct known *)(void *)l->known.data;
    for (size_t i = 0; i < l->known.len / sizeof(*all); i++) {
        if (memcmp(all[i].id.b, id->b, sizeof(id->b)) == 0) {
            return &all[i];
        }
    }
    return NULL;
}

static ml_err opened_take(struct listing *l, const struct ml_glass_say *say,
                          const struct ml_member_id *who)
{
    const struct known one = {.id = say->glass,
                              .member = *who,
                              .patient = say->patient,
                              .wall_ms = say->wall_ms,
                              .until_ms = say->until_ms,
                              .tier = say->tier,
                              .reason = say->reason};
    ml_buf_append(&l->known, &one, sizeof(one));
    return l->known.err;
}

static bool is_by(const struct ml_member_id *a, const struct ml_member_id *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static ml_err note_take(void *user, const struct ml_glass_note *note)
{
    struct listing *l = user;
    const struct ml_org *org = l->call->org;
    const struct ml_fact *opening = ml_gov_opening(ml_log_gov(org->log), &note->writer);
    const struct ml_glass_say *say = &note->say;
    struct known *k = known_of(l, &say->glass);
    if (opening == NULL) {
        return ML_OK;
    }
    const struct ml_member_id *who = &opening->member;
    if (say->kind == ML_GLASS_OPENED) {
        return k == NULL ? opened_take(l, say, who) : ML_OK;
    }
    if (k != NULL && say->kind == ML_GLASS_CLOSED && is_by(who, &k->member)) {
        k->closed_ms = say->wall_ms;
    }
    if (k != NULL && say->kind == ML_GLASS_REVIEWED && !is_by(who, &k->member) &&
        may_review(org, who)) {
        k->reviewed_ms = say->wall_ms;
        k->reviewer = *who;
        k->outcome = say->outcome;
    }
    return ML_OK;
}

static void known_put(struct ml_call *call, const struct known *k)
{
    struct ml_args *out = call->result;
    const uint64_t now = wall_of(call);
    ml_args_map(out);
    ml_result_hex(out, "glass", k->id.b, sizeof(k->id.b));
    ml_card_put_member(call, "member", &k->member);
    ml_result_hex(out, "patient", k->patient.b, sizeof(k->patient.b));
    ml_result_int(out, "tier", k->tier);
    ml_result_text(out, "reason", ml_glass_reason_name(k->reason));
    ml_result_int(out, "wall_ms", (int64_t)k->wall_ms);
    ml_result_int(out, "until_ms", (int64_t)k->until_ms);
    ml_result_bool(out, "open", k->closed_ms == 0 && k->until_ms > now);
    ml_result_bool(out, "mine", is_by(&k->member, &call->session->member));
    if (k->reviewed_ms != 0) {
        ml_result_text(out, "outcome", ml_glass_outcome_name(k->outcome));
        ml_result_int(out, "reviewed_ms", (int64_t)k->reviewed_ms);
        ml_card_put_member(call, "reviewer", &k->reviewer);
    }
    ml_args_end(out);
}

static ml_err listing_read(struct listing *l, struct ml_call *call, uint32_t *closed)
{
    enum { KNOWN_MAX = 100000 };
    l->call = call;
    ml_buf_init(&l->known, call->node->env, KNOWN_MAX * sizeof(struct known));
    return ml_vault_each_glass(call->session->vault, note_take, l, closed);
}

struct wanted {
    bool all;                           /* not only his own */
    bool waiting;                       /* for a review */
    const struct ml_object_id *patient; /* NULL: any */
};

static bool is_wanted(const struct wanted *w, const struct known *k, const struct ml_member_id *me)
{
    return (w->all || is_by(&k->member, me)) && (!w->waiting || k->reviewed_ms == 0) &&
           (w->patient == NULL || ml_object_id_equal(&k->patient, w->patient));
}

/* Latest first. */
static void listing_put(struct listing *l, const struct wanted *wanted)
{
    const struct known *k = (const void *)l->known.data;
    uint32_t shown = 0;
    uint32_t total = 0;
    ml_args_key(l->call->result, "items");
    ml_args_list(l->call->result);
    for (size_t i = l->known.len / sizeof(*k); i > 0; i--) {
        const struct known *one = &k[i - 1];
        if (!is_wanted(wanted, one, &l->call->session->member)) {
            continue;
        }
        total++;
        if (shown < LIST_MAX) {
            known_put(l->call, one);
            shown++;
        }
    }
    ml_args_end(l->call->result);
    ml_result_int(l->call->result, "total", total);
    ml_result_bool(l->call->result, "more", total > shown);
}

/* Who reviews sees all; anybody else his own, and those of a patient before him: whom he is to tell
 * of them. */
static ml_err glass_list(struct ml_call *call)
{
    struct listing l;
    struct ml_object_id patient;
    uint32_t closed = 0;
    const bool of_patient = ml_value_get(call->params, "patient") != NULL;
    const bool all = may_review(call->org, &call->session->member) || of_patient;
    const bool waiting = ml_value_bool(ml_value_get(call->params, "waiting"), false);
    ml_err err = of_patient ? ml_call_patient(call, &patient) : ML_OK;
    if (err == ML_OK) {
        err = ml_call_note(call, ML_TRACE_LIST, of_patient ? &patient : NULL);
    }
    if (err != ML_OK) {
        return err;
    }
    err = listing_read(&l, call, &closed);
    if (err == ML_OK) {
        const struct wanted wanted = {all, waiting, of_patient ? &patient : NULL};
        listing_put(&l, &wanted);
    }
    ml_buf_free(&l.known);
    ml_result_bool(call->result, "all", all);
    ml_result_int(call->result, "closed", closed);
    return err;
}

static ml_err review_say(struct ml_call *call, const struct known *k)
{
    struct ml_glass_say say = {.kind = ML_GLASS_REVIEWED, .glass = k->id, .wall_ms = wall_of(call)};
    const char *text = ml_call_text_or(call, "text", "");
    struct ml_trace_note note = {
        .action = ML_TRACE_REVIEW, .result = ML_TRACE_DONE, .patient = k->patient};
    memcpy(note.object.b, k->id.b, sizeof(note.object.b));
    say.outcome = ml_glass_outcome_named(ml_call_text_or(call, "outcome", ""));
    say.text = ml_slice_str(text);
    if (say.outcome == 0 || say.text.len > ML_GLASS_TEXT_MAX) {
        return ml_call_fail(call, ML_E_INVALID, "glass.outcome", NULL, NULL);
    }
    ml_err err = ml_trace_note(call, &note);
    return err == ML_OK ? say_append(call, &say) : err;
}

static ml_err review_one(struct ml_call *call, const struct known *k)
{
    if (k == NULL) {
        return ml_call_fail(call, ML_E_NOT_FOUND, "glass.unknown", NULL, NULL);
    }
    if (is_by(&k->member, &call->session->member) ||
        !may_review(call->org, &call->session->member)) {
        return ml_call_fail(call, ML_E_DENIED, "glass.reviewer", NULL, NULL);
    }
    return review_say(call, k);
}

static ml_err glass_review(struct ml_call *call)
{
    struct listing l;
    struct ml_glass_id id;
    uint32_t closed = 0;
    ml_err err = ml_call_id(call, id.b, sizeof(id.b), "glass");
    if (err != ML_OK) {
        return err;
    }
    err = listing_read(&l, call, &closed);
    if (err == ML_OK) {
        err = review_one(call, known_of(&l, &id));
    }
    ml_buf_free(&l.known);
    return err;
}

const struct ml_method ml_methods_glass[] = {
    {"breakglass.open", ML_NEEDS_SESSION, glass_open},
    {"breakglass.close", ML_NEEDS_SESSION, glass_close},
    {"breakglass.list", ML_NEEDS_SESSION, glass_list},
    {"breakglass.review", ML_NEEDS_SESSION, glass_review},
    {NULL, 0, NULL},
};
