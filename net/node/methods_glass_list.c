/* net/node/methods_glass_list.c -- what follows an emergency access: who looks at it, and who tells
 * the patient; and what precedes one of tier 3: another's share.
 *
 * A review is somebody else's, of rank 2 or better or whose role reviews (row 23 of the matrix).
 * That the patient was told is noted by whoever did it, who opened it too: it is for him to do
 * first, for his colleague at the next opening of the record else (domain 4.5).
 */
#include <string.h>

#include "core/base/ids.h"
#include "net/node/card.h"
#include "net/node/glass_second.h"
#include "net/node/methods.h"
#include "net/node/right.h"
#include "net/node/trace.h"

enum { LIST_MAX = 200 };

static uint64_t wall_of(const struct ml_call *call)
{
    return call->node->env->wall_ms(call->node->env->ctx);
}

static bool is_me(const struct ml_call *call, const struct ml_member_id *who)
{
    return memcmp(who->b, call->session->member.b, sizeof(who->b)) == 0;
}

/* ---- the worklist ---- */

/* For another's share. */
static bool is_waiting(const struct ml_call *call, const struct ml_glass_known *k)
{
    return k->wall_ms == 0 && k->answered_ms == 0 && k->waits_ms > wall_of(call);
}

static void known_put(struct ml_call *call, const struct ml_glass_known *k)
{
    struct ml_args *out = call->result;
    ml_args_map(out);
    ml_result_hex(out, "glass", k->id.b, sizeof(k->id.b));
    ml_card_put_member(call, "member", &k->member);
    ml_result_hex(out, "patient", k->patient.b, sizeof(k->patient.b));
    ml_result_int(out, "tier", k->tier);
    ml_result_text(out, "reason", ml_glass_reason_name(k->reason));
    ml_result_bool(out, "mine", is_me(call, &k->member));
    if (k->asked_ms != 0) {
        ml_result_int(out, "asked_ms", (int64_t)k->asked_ms);
        ml_result_int(out, "waits_ms", (int64_t)k->waits_ms);
        ml_result_bool(out, "waits", is_waiting(call, k));
    }
    if (k->answered_ms != 0) {
        ml_result_int(out, "answered_ms", (int64_t)k->answered_ms);
        ml_card_put_member(call, "second", &k->second);
    }
    if (k->wall_ms != 0) {
        ml_result_int(out, "wall_ms", (int64_t)k->wall_ms);
        ml_result_int(out, "until_ms", (int64_t)k->until_ms);
    }
    ml_result_bool(out, "open", k->closed_ms == 0 && k->until_ms > wall_of(call));
    if (k->reviewed_ms != 0) {
        ml_result_text(out, "outcome", ml_glass_outcome_name(k->outcome));
        ml_result_int(out, "reviewed_ms", (int64_t)k->reviewed_ms);
        ml_card_put_member(call, "reviewer", &k->reviewer);
    }
    if (k->told_ms != 0) {
        ml_result_text(out, "how", ml_glass_how_name(k->how));
        ml_result_int(out, "told_ms", (int64_t)k->told_ms);
        ml_card_put_member(call, "teller", &k->teller);
    }
    ml_args_end(out);
}

struct wanted {
    bool all;                           /* not only his own */
    bool waiting;                       /* for a review */
    bool untold;                        /* the patient doesn't know of it yet */
    const struct ml_object_id *patient; /* NULL: any */
};

static bool is_wanted(const struct wanted *w, const struct ml_call *call,
                      const struct ml_glass_known *k)
{
    const bool opened = k->wall_ms != 0;
    return (w->all || is_me(call, &k->member) || is_waiting(call, k)) &&
           (!w->waiting || (opened && k->reviewed_ms == 0)) &&
           (!w->untold || (opened && k->told_ms == 0)) &&
           (w->patient == NULL || ml_object_id_equal(&k->patient, w->patient));
}

/* Latest first. */
static void listing_put(const struct ml_glass_listing *l, const struct wanted *wanted)
{
    const struct ml_glass_known *k = (const void *)l->known.data;
    struct ml_args *out = l->call->result;
    uint32_t shown = 0;
    uint32_t total = 0;
    ml_args_key(out, "items");
    ml_args_list(out);
    for (size_t i = l->known.len / sizeof(*k); i > 0; i--) {
        const struct ml_glass_known *one = &k[i - 1];
        if (!is_wanted(wanted, l->call, one)) {
            continue;
        }
        total++;
        if (shown < LIST_MAX) {
            known_put(l->call, one);
            shown++;
        }
    }
    ml_args_end(out);
    ml_result_int(out, "total", total);
    ml_result_bool(out, "more", total > shown);
}

static bool flag_of(const struct ml_call *call, const char *name)
{
    return ml_value_bool(ml_value_get(call->params, name), false);
}

/* Who reviews sees all; anybody else his own, requests that wait for somebody like him, and those
 * of a patient before him: whom he is to tell of them. */
static ml_err glass_list(struct ml_call *call)
{
    struct ml_glass_listing l;
    struct ml_object_id patient;
    const bool of_patient = ml_value_get(call->params, "patient") != NULL;
    const bool all = ml_glass_may_review(call->org, &call->session->member) || of_patient;
    ml_err err = of_patient ? ml_call_patient(call, &patient) : ML_OK;
    if (err == ML_OK) {
        err = ml_call_note(call, ML_TRACE_LIST, of_patient ? &patient : NULL);
    }
    if (err != ML_OK) {
        return err;
    }
    err = ml_glass_listing_read(&l, call);
    if (err == ML_OK) {
        const struct wanted wanted = {all, flag_of(call, "waiting"), flag_of(call, "untold"),
                                      of_patient ? &patient : NULL};
        listing_put(&l, &wanted);
    }
    ml_result_bool(call->result, "all", all);
    ml_result_int(call->result, "closed", l.closed);
    ml_glass_listing_free(&l);
    return err;
}

/* ---- what is said of one ---- */

typedef ml_err known_fn(struct ml_call *call, const struct ml_glass_known *k);

static ml_err with_known(struct ml_call *call, known_fn *fn)
{
    struct ml_glass_listing l;
    struct ml_glass_id id;
    ml_err err = ml_call_id(call, id.b, sizeof(id.b), "glass");
    if (err != ML_OK) {
        return err;
    }
    err = ml_glass_listing_read(&l, call);
    const struct ml_glass_known *k = err == ML_OK ? ml_glass_known_of(&l, &id) : NULL;
    if (err == ML_OK) {
        err = k == NULL ? ml_call_fail(call, ML_E_NOT_FOUND, "glass.unknown", NULL, NULL)
                        : fn(call, k);
    }
    ml_glass_listing_free(&l);
    return err;
}

/* Traced first, then said to all. */
static ml_err say_of(struct ml_call *call, const struct ml_glass_known *k, ml_trace_action action,
                     struct ml_glass_say *say)
{
    const char *text = ml_call_text_or(call, "text", "");
    struct ml_trace_note note = {
        .action = action, .result = ML_TRACE_DONE, .patient = k->patient, .purpose = text};
    memcpy(note.object.b, k->id.b, sizeof(note.object.b));
    say->glass = k->id;
    say->wall_ms = wall_of(call);
    say->text = ml_slice_str(text);
    ml_err err = ml_trace_note(call, &note);
    return err == ML_OK ? ml_glass_say(call, say) : err;
}

static bool text_fits(const struct ml_call *call)
{
    return strlen(ml_call_text_or(call, "text", "")) <= ML_GLASS_TEXT_MAX;
}

static ml_err unopened(struct ml_call *call)
{
    return ml_call_fail(call, ML_E_NOT_FOUND, "glass.unopened", NULL, NULL);
}

static ml_err review_one(struct ml_call *call, const struct ml_glass_known *k)
{
    struct ml_glass_say say = {.kind = ML_GLASS_REVIEWED};
    if (k->wall_ms == 0) {
        return unopened(call);
    }
    if (is_me(call, &k->member) || !ml_glass_may_review(call->org, &call->session->member)) {
        return ml_call_fail(call, ML_E_DENIED, "glass.reviewer", NULL, NULL);
    }
    say.outcome = ml_glass_outcome_named(ml_call_text_or(call, "outcome", ""));
    if (say.outcome == 0) {
        return ml_call_fail(call, ML_E_INVALID, "glass.outcome", NULL, NULL);
    }
    if (!text_fits(call)) {
        return ml_call_fail(call, ML_E_INVALID, "glass.words", NULL, NULL);
    }
    return say_of(call, k, ML_TRACE_REVIEW, &say);
}

static ml_err glass_review(struct ml_call *call)
{
    return with_known(call, review_one);
}

static ml_err told_one(struct ml_call *call, const struct ml_glass_known *k)
{
    struct ml_glass_say say = {.kind = ML_GLASS_TOLD};
    if (k->wall_ms == 0) {
        return unopened(call);
    }
    say.how = ml_glass_how_named(ml_call_text_or(call, "how", ""));
    if (say.how == 0) {
        return ml_call_fail(call, ML_E_INVALID, "glass.how", NULL, NULL);
    }
    if (!text_fits(call)) {
        return ml_call_fail(call, ML_E_INVALID, "glass.words", NULL, NULL);
    }
    return say_of(call, k, ML_TRACE_CONSENT, &say);
}

static ml_err glass_told(struct ml_call *call)
{
    return with_known(call, told_one);
}

/* ---- the second device ---- */

/* Why this member doesn't answer; NULL: he may. */
static const char *answer_refusal(const struct ml_call *call, const struct ml_glass_known *k)
{
    const struct ml_org *org = call->org;
    if (ml_right_now(org, ML_CLASS_BREAK_GLASS, ML_RIGHT_READ) == ML_SCOPE_NONE) {
        return "glass.right";
    }
    if (is_me(call, &k->member)) {
        return "glass.own_second";
    }
    if (ml_right_of(org, &k->member, ML_CLASS_BREAK_GLASS, ML_RIGHT_READ) == ML_SCOPE_NONE) {
        return "glass.asker";
    }
    return k->asked_ms == 0 || k->wall_ms != 0 || k->waits_ms <= wall_of(call) ? "glass.lapsed"
                                                                               : NULL;
}

static ml_err answer_one(struct ml_call *call, const struct ml_glass_known *k)
{
    const struct ml_exclusions *all = ml_glass_exclusions(call->org);
    struct ml_exclusion shut = {.any = false};
    const char *why = answer_refusal(call, k);
    if (why != NULL) {
        return ml_call_fail(call, ML_E_DENIED, why, NULL, NULL);
    }
    ml_err err = all == NULL
                     ? ML_OK
                     : all->ask(all->ctx, &shut, &k->patient, ML_COMPARTMENT_SENSITIVE, &k->member);
    if (err == ML_OK && shut.emergency) {
        return ml_call_fail(call, ML_E_DENIED, "glass.excluded", NULL, NULL);
    }
    struct ml_trace_note note = {.action = ML_TRACE_BREAK_GLASS,
                                 .result = ML_TRACE_DONE,
                                 .patient = k->patient,
                                 .purpose = "second device"};
    memcpy(note.object.b, k->id.b, sizeof(note.object.b));
    err = err == ML_OK ? ml_trace_note(call, &note) : err;
    err = err == ML_OK ? ml_glass_answer(call, k) : err;
    return err == ML_E_NOT_FOUND ? ml_call_fail(call, err, "glass.no_share", NULL, NULL) : err;
}

static ml_err glass_confirm(struct ml_call *call)
{
    return with_known(call, answer_one);
}

const struct ml_method ml_methods_glass_list[] = {
    {"breakglass.list", ML_NEEDS_SESSION, glass_list},
    {"breakglass.review", ML_NEEDS_SESSION, glass_review},
    {"breakglass.told", ML_NEEDS_SESSION, glass_told},
    {"breakglass.confirm", ML_NEEDS_SESSION, glass_confirm},
    {NULL, 0, NULL},
};
