/* net/node/methods_consent.c -- what a patient decided: shown, said, withdrawn, and who obeys it
 * (domain 4.2, rules B21). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hlc.h"
#include "core/base/ids.h"
#include "net/node/card.h"
#include "net/node/consent.h"
#include "net/node/fields.h"
#include "net/node/keep.h"
#include "net/node/methods.h"
#include "net/node/right.h"
#include "net/node/session.h"
#include "net/node/shred.h"
#include "net/node/team.h"

static uint64_t now_ms(const struct ml_call *call)
{
    const struct ml_env *env = call->node->env;
    return env->wall_ms(env->ctx);
}

static ml_err load(struct ml_call *call, struct ml_consents *c, struct ml_object_id *patient)
{
    static const struct ml_object_id nobody;
    ml_err err = ml_call_patient(call, patient);
    *c = (struct ml_consents){.env = call->node->env};
    if (err == ML_OK) {
        err = ml_consents_load(c, call->session->vault, ml_log_gov(call->org->log), patient);
    }
    const bool unknown = memcmp(patient, &nobody, sizeof(nobody)) == 0 || c->team_count == 0;
    return err == ML_OK && unknown
               ? ml_call_fail(call, ML_E_NOT_FOUND, "patient.unknown", NULL, NULL)
               : err;
}

/* ---- shown ---- */

static void card_put(struct ml_org *org, struct ml_args *out, const char *key, ml_card_kind kind,
                     const uint8_t id[16])
{
    struct ml_card_place of = {.kind = kind};
    memcpy(of.id, id, sizeof(of.id));
    ml_args_key(out, key);
    ml_args_map(out);
    ml_result_hex(out, "id", id, sizeof(of.id));
    ml_card_describe(org, out, &of);
    ml_args_end(out);
}

static void members_put(struct ml_org *org, struct ml_args *out, const struct ml_list *members)
{
    struct ml_list_walk walk;
    struct ml_member_id member;
    ml_args_key(out, "except");
    ml_args_list(out);
    ml_list_walk(&walk, members);
    while (ml_list_next(&walk, &ml_format_consent_member, &member)) {
        struct ml_card_place of = {.kind = ML_CARD_MEMBER};
        memcpy(of.id, member.b, sizeof(of.id));
        ml_args_map(out);
        ml_result_hex(out, "id", member.b, sizeof(member.b));
        ml_card_describe(org, out, &of);
        ml_args_end(out);
    }
    ml_args_end(out);
}

static void audience_put(struct ml_org *org, struct ml_args *out, const struct ml_consent *c)
{
    static const char *const names[] = {"all", "all_except", "profession", "team", "person"};
    char number[16];
    ml_result_text(out, "audience", names[c->audience <= ML_AUDIENCE_LAST ? c->audience : 0]);
    if (c->audience == ML_AUDIENCE_ALL_EXCEPT) {
        members_put(org, out, &c->members);
    } else if (c->audience == ML_AUDIENCE_PROFESSION) {
        const char *name = ml_matrix_role_name(c->role);
        snprintf(number, sizeof(number), "%u", c->role);
        ml_result_int(out, "role", c->role);
        ml_result_text(out, "profession", name == NULL ? number : name);
    } else if (c->audience == ML_AUDIENCE_TEAM) {
        card_put(org, out, "team", ML_CARD_TEAM, c->audience_id);
    } else if (c->audience == ML_AUDIENCE_PERSON) {
        card_put(org, out, "person", ML_CARD_MEMBER, c->audience_id);
    }
}

static void item_put(struct ml_args *out, const struct ml_consent *c)
{
    static const char *const names[] = {"all", "compartment", "class", "object"};
    ml_result_text(out, "item", names[c->item <= ML_ITEM_LAST ? c->item : 0]);
    if (c->item == ML_ITEM_COMPARTMENT) {
        ml_result_text(out, "compartment", ml_compartment_name((ml_compartment)c->number));
    } else if (c->item == ML_ITEM_CLASS) {
        const char *name = ml_class_name(c->number);
        ml_result_int(out, "number", c->number);
        ml_result_text(out, "class", name == NULL ? "?" : name);
    } else if (c->item == ML_ITEM_OBJECT) {
        ml_result_hex(out, "object", c->object.b, sizeof(c->object.b));
    }
}

static void slice_put(struct ml_args *out, const char *key, struct ml_slice text)
{
    ml_args_key(out, key);
    ml_args_text_len(out, text.len == 0 ? "" : (const char *)text.data, text.len);
}

static void said_put(struct ml_args *out, const struct ml_consent_fact *f)
{
    const struct ml_consent *c = &f->said;
    const bool patient = c->source == ML_CONSENT_BY_PATIENT;
    ml_result_text(out, "source", patient ? "patient" : "representative");
    ml_result_int(out, "recorded_ms", (int64_t)ml_hlc_ms(f->hlc));
    ml_result_int(out, "said_ms", (int64_t)(c->said_ms != 0 ? c->said_ms : ml_hlc_ms(f->hlc)));
    if (c->until_ms != 0) {
        ml_result_int(out, "until_ms", (int64_t)c->until_ms);
    }
    slice_put(out, "means", c->means);
    slice_put(out, "reason", c->reason);
}

static void fact_put(struct ml_call *call, const struct ml_consents *c, size_t i)
{
    struct ml_args *out = call->result;
    const struct ml_consent_fact *f = &c->facts[i];
    const struct ml_consent_fact *by = NULL;
    char text[ML_CALL_TEXT_MAX];
    const char *kind = ml_consent_kind_name(f->said.kind);
    const bool holds = ml_consent_holds(c->set, i, now_ms(call), &by);
    snprintf(text, sizeof(text), "consent.%s",
             f->said.kind == ML_CONSENT_NO_EMERGENCY ? "no_emergency" : kind);
    ml_args_map(out);
    ml_result_hex(out, "statement", f->id.b, sizeof(f->id.b));
    ml_result_text(out, "kind", kind);
    ml_result_text(out, "text", text);
    ml_result_bool(out, "holds", holds);
    audience_put(call->org, out, &f->said);
    item_put(out, &f->said);
    said_put(out, f);
    card_put(call->org, out, "by", ML_CARD_MEMBER, f->author.b);
    if (by != NULL) {
        ml_result_hex(out, "ended_by", by->id.b, sizeof(by->id.b));
    }
    ml_args_end(out);
}

/* The copy of a statement that was listed already, for another team. */
static bool is_copy(const struct ml_consents *c, size_t at)
{
    size_t i = 0;
    while (i < at && memcmp(&c->facts[i].id, &c->facts[at].id, sizeof(c->facts[i].id)) != 0) {
        i++;
    }
    return i < at;
}

/* Wishes are a class of the matrix like others (3); whoever may read none is told so. */
static ml_err may_read(struct ml_call *call, const struct ml_consents *c, ml_scope *scope)
{
    *scope = ml_right_here(call->org, ML_CLASS_WISHES, ML_RIGHT_READ, c->teams, c->team_count);
    return *scope != ML_SCOPE_NONE ? ML_OK
                                   : ml_call_fail(call, ML_E_DENIED, "right.unread", "class",
                                                  ml_class_name(ML_CLASS_WISHES));
}

/* Whether he was informed is told to all who may read any: they are to ask him else. */
static void facts_put(struct ml_call *call, const struct ml_consents *c, ml_scope scope)
{
    const struct ml_member_id *self = &call->session->member;
    bool informed = false;
    ml_args_key(call->result, "statements");
    ml_args_list(call->result);
    for (size_t i = 0; i < c->weighed; i++) {
        informed = informed || (c->facts[i].said.kind == ML_CONSENT_INFORMED &&
                                ml_consent_holds(c->set, i, now_ms(call), NULL));
        const bool own = memcmp(c->facts[i].author.b, self->b, sizeof(self->b)) == 0;
        if (!is_copy(c, i) && (own || scope > ML_SCOPE_OWN)) {
            fact_put(call, c, i);
        }
    }
    ml_args_end(call->result);
    ml_result_bool(call->result, "informed", informed);
}

static ml_err consent_show(struct ml_call *call)
{
    struct ml_consents c;
    struct ml_object_id patient;
    bool hidden = false;
    ml_scope scope = ML_SCOPE_NONE;
    ml_err err = load(call, &c, &patient);
    if (err == ML_OK) {
        err = may_read(call, &c, &scope);
    }
    if (err == ML_OK) {
        err = ml_vault_hides_any(call->session->vault, &patient, &hidden);
    }
    if (err == ML_OK) {
        err = ml_call_note(call, ML_TRACE_READ, &patient);
    }
    if (err == ML_OK) {
        ml_result_hex(call->result, "patient", patient.b, sizeof(patient.b));
        facts_put(call, &c, scope);
        ml_result_bool(call->result, "hidden", hidden);
        ml_result_bool(call->result, "complete", ml_vault_complete(call->session->vault));
    }
    ml_consents_free(&c);
    return err;
}

/* ---- said ---- */

struct saying {
    struct ml_call *call;
    struct ml_consents c;
    struct ml_consent said;
    struct ml_member_id except[ML_CONSENT_MEMBERS_MAX];
    struct ml_consent_id ends[ML_CONSENT_NAMES_MAX];
};

static int bytes16_order(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

static ml_err except_add(struct saying *s, const struct ml_member_id *member)
{
    struct ml_list *list = &s->said.members;
    for (uint32_t i = 0; i < list->count; i++) {
        if (memcmp(&s->except[i], member, sizeof(*member)) == 0) {
            return ML_OK;
        }
    }
    if (list->count == ML_CONSENT_MEMBERS_MAX) {
        return ml_call_fail(s->call, ML_E_LIMIT, "consent.audience", NULL, NULL);
    }
    s->except[list->count++] = *member;
    list->items = s->except;
    s->said.audience = ML_AUDIENCE_ALL_EXCEPT;
    return ML_OK;
}

static ml_err except_read(struct saying *s)
{
    const struct ml_value *list = ml_value_get(s->call->params, "except");
    ml_err err = ML_OK;
    for (const struct ml_value *v = ml_value_at(list, 0); v != NULL && err == ML_OK;
         v = ml_value_next(v)) {
        struct ml_member_id member;
        const char *hex = ml_value_text(v, "");
        err = ml_hex_decode(member.b, sizeof(member.b), hex, strlen(hex)) == ML_OK
                  ? except_add(s, &member)
                  : ml_call_fail(s->call, ML_E_INVALID, "param.id", "param", "except");
    }
    return err;
}

static bool has(const struct ml_call *call, const char *key)
{
    return ml_value_get(call->params, key) != NULL;
}

/* person, team, role or except: one of them at most; none: everybody. */
static ml_err audience_read(struct saying *s)
{
    struct ml_call *call = s->call;
    const int given =
        has(call, "person") + has(call, "team") + has(call, "role") + has(call, "except");
    ml_err err = ML_OK;
    if (given > 1) {
        return ml_call_fail(call, ML_E_INVALID, "consent.audience", NULL, NULL);
    }
    if (has(call, "person") || has(call, "team")) {
        const bool person = has(call, "person");
        s->said.audience = person ? ML_AUDIENCE_PERSON : ML_AUDIENCE_TEAM;
        return ml_call_id(call, s->said.audience_id, sizeof(s->said.audience_id),
                          person ? "person" : "team");
    }
    if (has(call, "role")) {
        const int64_t role = ml_value_int(ml_value_get(call->params, "role"), 0);
        s->said.audience = ML_AUDIENCE_PROFESSION;
        s->said.role = (uint16_t)role;
        return role >= 1 && role <= UINT16_MAX
                   ? ML_OK
                   : ml_call_fail(call, ML_E_INVALID, "consent.role", NULL, NULL);
    }
    if (has(call, "except")) {
        err = except_read(s);
    }
    return err;
}

static ml_err compartment_read(struct saying *s, const char *name)
{
    unsigned c = ML_COMPARTMENT_LAST;
    while (c > 0 && strcmp(ml_compartment_name((ml_compartment)c), name) != 0) {
        c--;
    }
    s->said.item = ML_ITEM_COMPARTMENT;
    s->said.number = (uint8_t)c;
    return c != 0 ? ML_OK : ml_call_fail(s->call, ML_E_INVALID, "consent.item", NULL, NULL);
}

static ml_err class_read(struct saying *s, const char *name)
{
    const unsigned class = ml_call_class(name);
    s->said.item = ML_ITEM_CLASS;
    s->said.number = (uint8_t) class;
    if (class == 0) {
        return ml_call_fail(s->call, ML_E_INVALID, "right.class", "class", name);
    }
    const bool open = class == ML_CLASS_IDENTITY || class == ML_CLASS_WISHES;
    return open ? ml_call_fail(s->call, ML_E_INVALID, "consent.open", "class", ml_class_name(class))
                : ML_OK;
}

/* object, class or compartment: one of them at most; none: all that is clinical. */
static ml_err item_read(struct saying *s)
{
    struct ml_call *call = s->call;
    if (has(call, "object") + has(call, "class") + has(call, "compartment") > 1) {
        return ml_call_fail(call, ML_E_INVALID, "consent.item", NULL, NULL);
    }
    if (has(call, "object")) {
        s->said.item = ML_ITEM_OBJECT;
        return ml_call_id(call, s->said.object.b, sizeof(s->said.object.b), "object");
    }
    if (has(call, "class")) {
        return class_read(s, ml_call_text_or(call, "class", ""));
    }
    return has(call, "compartment") ? compartment_read(s, ml_call_text_or(call, "compartment", ""))
                                    : ML_OK;
}

static ml_err circumstances_read(struct saying *s)
{
    struct ml_call *call = s->call;
    const char *source = ml_call_text_or(call, "source", "patient");
    ml_err err = ml_call_time(call, "said", &s->said.said_ms);
    if (err == ML_OK) {
        err = ml_call_time(call, "until", &s->said.until_ms);
    }
    s->said.means = ml_slice_str(ml_call_text_or(call, "means", ""));
    s->said.reason = ml_slice_str(ml_call_text_or(call, "reason", ""));
    s->said.source =
        strcmp(source, "patient") == 0 ? ML_CONSENT_BY_PATIENT : ML_CONSENT_BY_REPRESENTATIVE;
    if (strcmp(source, "patient") != 0 && strcmp(source, "representative") != 0) {
        return ml_call_fail(call, ML_E_INVALID, "consent.source", NULL, NULL);
    }
    const bool late = s->said.until_ms != 0 && s->said.until_ms <= now_ms(call);
    if (err == ML_OK && late) {
        return ml_call_fail(call, ML_E_INVALID, "consent.until", NULL, NULL);
    }
    const bool fits =
        s->said.means.len <= ML_CONSENT_TEXT_MAX && s->said.reason.len <= ML_CONSENT_TEXT_MAX;
    return err == ML_OK && !fits ? ml_call_fail(call, ML_E_LIMIT, "consent.long", NULL, NULL) : err;
}

static ml_err saying_begin(struct saying *s, struct ml_call *call, uint8_t kind)
{
    memset(s, 0, sizeof(*s));
    s->call = call;
    s->said.kind = kind;
    ml_err err = load(call, &s->c, &s->said.patient);
    if (err == ML_OK) {
        const struct ml_team_act act = {ML_CLASS_WISHES, ML_RIGHT_CREATE, s->c.teams,
                                        s->c.team_count};
        err = ml_call_may_in(call, &act);
    }
    return err == ML_OK ? circumstances_read(s) : err;
}

static ml_err ends_add(struct saying *s, const struct ml_consent_id *id)
{
    struct ml_list *ends = &s->said.ends;
    for (uint32_t i = 0; i < ends->count; i++) {
        if (memcmp(&s->ends[i], id, sizeof(*id)) == 0) {
            return ML_OK;
        }
    }
    if (ends->count == ML_CONSENT_NAMES_MAX) {
        return ML_E_LIMIT;
    }
    s->ends[ends->count++] = *id;
    ends->items = s->ends;
    return ML_OK;
}

static bool is_side(uint8_t kind)
{
    return kind == ML_CONSENT_OPPOSED || kind == ML_CONSENT_AGREED;
}

/* About the same people and the same thing? What is said now stands in its place. */
static bool same_place(const struct ml_consent *a, const struct ml_consent *b)
{
    const bool sides = a->kind == b->kind || (is_side(a->kind) && is_side(b->kind));
    const bool audience = a->audience == b->audience && a->role == b->role &&
                          memcmp(a->audience_id, b->audience_id, sizeof(a->audience_id)) == 0 &&
                          a->audience != ML_AUDIENCE_ALL_EXCEPT;
    const bool item = a->item == b->item && a->number == b->number &&
                      memcmp(&a->object, &b->object, sizeof(a->object)) == 0;
    return sides && audience && item;
}

/* Did only he end it whom it is about? For himself that doesn't count: it still has to go. */
static bool is_ended_by_whom(const struct saying *s, const struct ml_consent_fact *f,
                             const struct ml_consent_fact *by)
{
    struct ml_consent_person person;
    ml_consent_person_now(s->call->org, &person, &by->author);
    const struct ml_consent_member m = ml_consent_person_as(&person, s->c.teams, s->c.team_count);
    return ml_consent_is_about(f, &m);
}

static ml_err ends_gather(struct saying *s)
{
    ml_err err = ML_OK;
    for (size_t i = 0; i < s->c.weighed && err == ML_OK; i++) {
        const struct ml_consent_fact *f = &s->c.facts[i];
        const struct ml_consent_fact *by = NULL;
        const bool holds = ml_consent_holds(s->c.set, i, now_ms(s->call), &by);
        if (same_place(&s->said, &f->said) &&
            (holds || (by != NULL && is_ended_by_whom(s, f, by)))) {
            err = ends_add(s, &f->id);
        }
    }
    return err;
}

static ml_err saying_say(struct saying *s)
{
    struct ml_call *call = s->call;
    struct ml_consent_id id;
    const struct ml_object_id patient = s->said.patient;
    qsort(s->except, s->said.members.count, sizeof(s->except[0]), bytes16_order);
    qsort(s->ends, s->said.ends.count, sizeof(s->ends[0]), bytes16_order);
    ml_err err = ml_consent_say(call->org, &s->said, &id);
    if (err == ML_E_DENIED) {
        return ml_call_no_writer(call);
    }
    if (err != ML_OK) {
        return err;
    }
    ml_result_hex(call->result, "patient", patient.b, sizeof(patient.b));
    ml_result_hex(call->result, "statement", id.b, sizeof(id.b));
    ml_result_int(call->result, "ended", s->said.ends.count);
    if (s->said.item != ML_ITEM_OBJECT) { /* one object is the vault's to hide */
        ml_keep_decided(call->org, &patient);
    }
    return ml_call_note(call, ML_TRACE_CONSENT, &patient);
}

/* Whoever takes it down is told before it shuts him out too. */
static ml_err saying_ask_self(struct saying *s)
{
    struct ml_call *call = s->call;
    const struct ml_consent_fact fact = {.said = s->said, .counts = true};
    struct ml_consent_person person;
    struct ml_consent said = s->said;
    struct ml_buf bytes;
    if (ml_value_bool(ml_value_get(call->params, "myself"), false)) {
        return ML_OK;
    }
    /* The list of whom it excepts is read from its bytes. */
    ml_buf_init(&bytes, call->node->env, ML_SEALED_BYTES_MAX);
    qsort(s->except, said.members.count, sizeof(s->except[0]), bytes16_order);
    said.ends = (struct ml_list){.count = 0};
    ml_err err = ml_consent_encode(&bytes, &said);
    if (err == ML_OK) {
        struct ml_consent_fact read = fact;
        err = ml_consent_decode(&read.said, ml_buf_slice(&bytes), NULL);
        ml_consent_person_now(call->org, &person, &call->session->member);
        const struct ml_consent_member self =
            ml_consent_person_as(&person, s->c.teams, s->c.team_count);
        if (err == ML_OK && ml_consent_is_about(&read, &self)) {
            err = ml_call_fail(call, ML_E_INVALID, "consent.myself", NULL, NULL);
        }
    }
    ml_buf_free(&bytes);
    return err;
}

static ml_err say_about(struct ml_call *call, uint8_t kind)
{
    struct saying s;
    ml_err err = saying_begin(&s, call, kind);
    if (err == ML_OK && is_side(kind)) {
        err = audience_read(&s);
    }
    if (err == ML_OK && kind != ML_CONSENT_INFORMED) {
        err = item_read(&s);
    }
    if (err == ML_OK) {
        err = ends_gather(&s);
    }
    if (err == ML_OK && kind == ML_CONSENT_OPPOSED) {
        err = saying_ask_self(&s);
    }
    if (err == ML_OK) {
        err = saying_say(&s);
    }
    ml_consents_free(&s.c);
    return err;
}

static ml_err consent_give(struct ml_call *call)
{
    const bool informed = ml_value_bool(ml_value_get(call->params, "informed"), false);
    return say_about(call, informed ? ML_CONSENT_INFORMED : ML_CONSENT_AGREED);
}

static ml_err consent_oppose(struct ml_call *call)
{
    if (ml_value_bool(ml_value_get(call->params, "emergency"), false)) {
        return say_about(call, ML_CONSENT_NO_EMERGENCY);
    }
    const bool secret = ml_value_bool(ml_value_get(call->params, "representatives"), false);
    return say_about(call, secret ? ML_CONSENT_SECRET : ML_CONSENT_OPPOSED);
}

/* One entry, kept from all but those whom it names and who takes it down. */
static ml_err consent_mask(struct ml_call *call)
{
    struct saying s;
    const char *object = NULL;
    ml_err err = ml_call_text(call, &object, "object");
    if (err != ML_OK) {
        return err;
    }
    err = saying_begin(&s, call, ML_CONSENT_OPPOSED);
    if (err == ML_OK) {
        err = item_read(&s);
    }
    if (err == ML_OK) {
        err = except_read(&s);
    }
    if (err == ML_OK) {
        err = except_add(&s, &call->session->member);
    }
    if (err == ML_OK) {
        err = saying_say(&s);
    }
    ml_consents_free(&s.c);
    return err;
}

/* Would he lift himself what another took down against him? It wouldn't count. */
static bool is_own_gain(const struct saying *s, const struct ml_consent_fact *f)
{
    const struct ml_call *call = s->call;
    const struct ml_member_id *me = &call->session->member;
    struct ml_consent_person person;
    ml_consent_person_now(call->org, &person, me);
    const struct ml_consent_member self =
        ml_consent_person_as(&person, s->c.teams, s->c.team_count);
    return ml_consent_is_about(f, &self) && memcmp(f->author.b, me->b, sizeof(me->b)) != 0;
}

/* One that another has withdrawn may be withdrawn again: for whom it is about, his own word didn't
 * count. */
static ml_err withdraw(struct saying *s)
{
    struct ml_call *call = s->call;
    struct ml_consent_id id;
    bool known = false;
    bool own = false;
    ml_err err = ml_call_id(call, id.b, sizeof(id.b), "statement");
    for (size_t i = 0; i < s->c.weighed && err == ML_OK; i++) {
        const struct ml_consent_fact *f = &s->c.facts[i];
        if (memcmp(&f->id, &id, sizeof(id)) == 0 && f->said.kind != ML_CONSENT_WITHDRAWN) {
            known = true;
            own = own || is_own_gain(s, f);
        }
    }
    if (err == ML_OK && !known) {
        return ml_call_fail(call, ML_E_NOT_FOUND, "consent.not_holding", NULL, NULL);
    }
    if (err == ML_OK && own) {
        return ml_call_fail(call, ML_E_DENIED, "consent.own_word", NULL, NULL);
    }
    if (err == ML_OK) {
        err = ends_add(s, &id);
    }
    return err == ML_OK ? saying_say(s) : err;
}

static ml_err consent_withdraw(struct ml_call *call)
{
    struct saying s;
    ml_err err = saying_begin(&s, call, ML_CONSENT_WITHDRAWN);
    if (err == ML_OK) {
        err = withdraw(&s);
    }
    ml_consents_free(&s.c);
    return err;
}

/* ---- who obeys ---- */

/* When the vault of this member on this node signed for the statement; 0: not yet. */
static uint64_t signed_ms(const struct ml_call *call, const struct ml_consents *c, size_t fact,
                          const struct ml_fact *mon)
{
    for (size_t r = c->weighed; r < c->count; r++) {
        struct ml_list_walk walk;
        struct ml_consent_id id;
        bool named = false;
        ml_list_walk(&walk, &c->facts[r].said.seen);
        while (ml_list_next(&walk, &ml_format_consent_id, &id)) {
            named = named || memcmp(&id, &c->facts[fact].id, sizeof(id)) == 0;
        }
        if (named && ml_consent_is_receipt(call->org, c, r, &mon->member, &mon->node)) {
            return ml_hlc_ms(c->facts[r].hlc);
        }
    }
    return 0;
}

static void mon_put(struct ml_call *call, const struct ml_fact *mon, uint64_t obeyed_ms)
{
    struct ml_args *out = call->result;
    ml_args_map(out);
    card_put(call->org, out, "member", ML_CARD_MEMBER, mon->member.b);
    card_put(call->org, out, "node", ML_CARD_NODE, mon->node.b);
    ml_result_bool(out, "obeyed", obeyed_ms != 0);
    ml_result_text(out, "text", obeyed_ms != 0 ? "consent.obeyed" : "consent.awaited");
    if (obeyed_ms != 0) {
        ml_result_int(out, "obeyed_ms", (int64_t)obeyed_ms);
    }
    ml_args_end(out);
}

/* Every member on a node whom it is about: his vault there has something to erase. */
static unsigned receipts_put(struct ml_call *call, const struct ml_consents *c, size_t fact)
{
    const struct ml_gov *gov = ml_log_gov(call->org->log);
    const struct ml_fact *mon = NULL;
    unsigned awaited = 0;
    while ((mon = ml_gov_next(gov, ML_FACT_MON, mon)) != NULL) {
        struct ml_consent_person person;
        ml_consent_person_now(call->org, &person, &mon->member);
        const struct ml_consent_member m = ml_consent_person_as(&person, c->teams, c->team_count);
        if (ml_consent_is_about(&c->facts[fact], &m)) {
            const uint64_t obeyed_ms = signed_ms(call, c, fact, mon);
            mon_put(call, mon, obeyed_ms);
            awaited += obeyed_ms == 0;
        }
    }
    return awaited;
}

/* Of one opposition: how many haven't signed. */
static unsigned opposition_put(struct ml_call *call, const struct ml_consents *c, size_t fact)
{
    const struct ml_consent_fact *f = &c->facts[fact];
    ml_args_map(call->result);
    ml_result_hex(call->result, "statement", f->id.b, sizeof(f->id.b));
    audience_put(call->org, call->result, &f->said);
    item_put(call->result, &f->said);
    ml_args_key(call->result, "nodes");
    ml_args_list(call->result);
    const unsigned awaited = receipts_put(call, c, fact);
    ml_args_end(call->result);
    ml_args_end(call->result);
    return awaited;
}

static void oppositions_put(struct ml_call *call, const struct ml_consents *c)
{
    unsigned awaited = 0;
    ml_args_key(call->result, "statements");
    ml_args_list(call->result);
    for (size_t i = 0; i < c->weighed; i++) {
        if (c->facts[i].said.kind == ML_CONSENT_OPPOSED && !is_copy(c, i) &&
            ml_consent_holds(c->set, i, now_ms(call), NULL)) {
            awaited += opposition_put(call, c, i);
        }
    }
    ml_args_end(call->result);
    ml_result_int(call->result, "awaited", awaited);
}

static ml_err consent_receipts(struct ml_call *call)
{
    struct ml_consents c;
    struct ml_object_id patient;
    ml_scope scope = ML_SCOPE_NONE;
    ml_err err = load(call, &c, &patient);
    if (err == ML_OK) {
        err = may_read(call, &c, &scope);
    }
    if (err == ML_OK) {
        err = ml_call_note(call, ML_TRACE_READ, &patient);
    }
    if (err == ML_OK) {
        oppositions_put(call, &c);
        err = ml_shred_describe(call, &patient);
    }
    ml_consents_free(&c);
    return err;
}

const struct ml_method ml_methods_consent[] = {
    {"consent.show", ML_NEEDS_SESSION, consent_show},
    {"consent.give", ML_NEEDS_SESSION, consent_give},
    {"consent.oppose", ML_NEEDS_SESSION, consent_oppose},
    {"consent.mask", ML_NEEDS_SESSION, consent_mask},
    {"consent.withdraw", ML_NEEDS_SESSION, consent_withdraw},
    {"consent.receipts", ML_NEEDS_SESSION, consent_receipts},
    {NULL, 0, NULL},
};
