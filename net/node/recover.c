/* net/node/recover.c -- see recover.h.
 *
 * `org.recover` proves that the sheets at hand make Root, writes what Root says of a new
 * coordinator when asked (root_act.h), and cuts new sheets when asked.
 */
#include "net/node/recover.h"

#include <string.h>

#include "core/crypto/box.h"
#include "core/crypto/sign.h"
#include "core/model/gov.h"
#include "core/store/log.h"
#include "maille/value.h"
#include "net/node/methods.h"
#include "net/node/root.h"
#include "net/node/root_act.h"
#include "net/node/trace.h"

struct sheets {
    struct ml_secret *share[2 * ML_SHARE_MAX]; /* owned */
    size_t count;
};

static void sheets_free(struct sheets *s)
{
    while (s->count > 0) {
        ml_secret_free(s->share[--s->count]);
    }
}

static void detail_int(struct ml_call *call, const char *key, size_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%zu", value);
    ml_call_detail(call, key, text);
}

/* What a person has to do about it; `sheet` is the place of the text in the call. */
static ml_err share_fail(struct ml_call *call, ml_err err, const struct ml_share_error *error)
{
    static const char *const texts[] = {[ML_SHARE_WORD_UNKNOWN] = "share.word_unknown",
                                        [ML_SHARE_WORD_COUNT] = "share.word_count",
                                        [ML_SHARE_WORD_WRONG] = "share.word_wrong",
                                        [ML_SHARE_WORD_SWAPPED] = "share.swapped",
                                        [ML_SHARE_LATER] = "share.later",
                                        [ML_SHARE_OTHER_ORG] = "share.other_org",
                                        [ML_SHARE_OTHER_SET] = "share.other_set",
                                        [ML_SHARE_TWICE] = "share.twice",
                                        [ML_SHARE_TOO_FEW] = "share.too_few",
                                        [ML_SHARE_DISAGREE] = "share.disagree"};
    const bool anywhere = error->fault == ML_SHARE_WORD_WRONG && error->word == 0;
    (void)ml_call_fail(call, err, anywhere ? "share.wrong" : texts[error->fault], NULL, NULL);
    detail_int(call, "sheet", error->share);
    detail_int(call, "word", error->word);
    detail_int(call, "next", error->word + 1);
    detail_int(call, "need", error->need);
    return err;
}

static ml_err sheets_read(struct ml_call *call, struct sheets *s, size_t max)
{
    const struct ml_value *v = ml_value_at(ml_value_get(call->params, "shares"), 0);
    struct ml_share_error error = {.fault = ML_SHARE_WORD_WRONG};
    ml_err err = ML_OK;
    for (; v != NULL && err == ML_OK; v = ml_value_next(v)) {
        const char *text = ml_value_text(v, "");
        if (s->count == max) {
            return ml_call_fail(call, ML_E_INVALID, "share.too_many", NULL, NULL);
        }
        err = ml_share_read(&s->share[s->count], ml_slice_str(text), &error);
        s->count += err == ML_OK;
    }
    if (err == ML_E_INVALID || err == ML_E_UNSUPPORTED) {
        error.share = s->count + 1;
        return share_fail(call, err, &error);
    }
    return err;
}

static bool public_is(const struct ml_secret *box, const struct ml_box_pk *expect)
{
    struct ml_box_pk pk;
    ml_box_pk_of(&pk, box);
    return memcmp(pk.b, expect->b, sizeof(pk.b)) == 0;
}

/* Do the public halves that governance tells hang on this secret? */
static ml_err whose(const struct ml_org *org, struct ml_joined *j)
{
    const struct ml_fact *f = NULL;
    struct ml_root_keys keys = {0};
    struct ml_sign_pk sign = {{0}};
    const bool auditor = j->kind == ML_SHARE_AUDITOR;
    ml_err err = auditor ? ML_OK : ml_root_open(&keys, j->secret);
    if (err == ML_OK && !auditor) {
        ml_sign_pk_of(&sign, keys.sign);
    }
    while (err == ML_OK && (f = ml_gov_next_root(ml_log_gov(org->log), f)) != NULL) {
        const bool is = auditor ? public_is(j->secret, &f->audit)
                                : memcmp(sign.b, f->sign_pk.b, sizeof(sign.b)) == 0 &&
                                      public_is(keys.audit, &f->audit);
        if (is && (j->root == NULL || ml_gov_had_right(ml_log_gov(org->log), f))) {
            j->root = f; /* what was proposed is said more than once */
        }
    }
    ml_root_close(&keys);
    return err;
}

/* The sheets of the set of the first one that is left, which are taken out. */
static ml_err set_join(struct ml_call *call, struct sheets *s, struct ml_joined *j)
{
    struct ml_share_error error = {.fault = ML_SHARE_TOO_FEW};
    struct ml_share_head first = {.kind = ML_SHARE_STRUCTURE};
    struct sheets set = {.count = 0};
    size_t left = 0;
    ml_err err = s->count == 0 ? ML_OK : ml_share_head(&first, s->share[0]);
    for (size_t i = 0; i < s->count; i++) {
        struct ml_share_head head = {.kind = ML_SHARE_STRUCTURE};
        err = err == ML_OK ? ml_share_head(&head, s->share[i]) : err;
        struct sheets *to = memcmp(head.set, first.set, sizeof(head.set)) == 0 ? &set : s;
        to->share[to == s ? left++ : to->count++] = s->share[i];
    }
    s->count = left;
    if (err == ML_OK) {
        err = ml_share_join(&j->secret, &first, (const struct ml_secret *const *)set.share,
                            set.count, &error);
    }
    sheets_free(&set);
    if (err == ML_E_INVALID || err == ML_E_UNSUPPORTED) {
        return share_fail(call, err, &error);
    }
    j->kind = first.kind;
    return err == ML_OK ? whose(call->org, j) : err;
}

ml_err ml_recover_sets(struct ml_call *call, struct ml_joined *out, size_t max, size_t *count)
{
    struct sheets s = {.count = 0};
    ml_err err = sheets_read(call, &s, 2 * (size_t)ML_SHARE_MAX);
    *count = 0;
    do {
        if (err == ML_OK && *count == max) {
            err = ml_call_fail(call, ML_E_INVALID, "share.sets", NULL, NULL);
        }
        if (err == ML_OK) {
            out[*count] = (struct ml_joined){.kind = ML_SHARE_STRUCTURE};
            err = set_join(call, &s, &out[(*count)++]);
        }
    } while (err == ML_OK && s.count > 0);
    sheets_free(&s);
    return err;
}

/* Of one set, all of them; of any kind. */
static ml_err recover_any(struct ml_call *call, struct ml_joined *out)
{
    struct ml_share_error error = {.fault = ML_SHARE_TOO_FEW};
    struct sheets s = {.count = 0};
    struct ml_share_head head = {.kind = ML_SHARE_STRUCTURE};
    *out = (struct ml_joined){.kind = ML_SHARE_STRUCTURE};
    ml_err err = sheets_read(call, &s, ML_SHARE_MAX);
    if (err == ML_OK) {
        err = ml_share_join(&out->secret, &head, (const struct ml_secret *const *)s.share, s.count,
                            &error);
        err = err == ML_E_INVALID || err == ML_E_UNSUPPORTED ? share_fail(call, err, &error) : err;
    }
    sheets_free(&s);
    if (err == ML_OK) {
        out->kind = head.kind;
        err = whose(call->org, out);
    }
    if (err == ML_OK && out->root == NULL) {
        err = ml_call_fail(call, ML_E_INVALID, "share.not_ours", NULL, NULL);
    }
    if (err != ML_OK) {
        ml_secret_free(out->secret);
        out->secret = NULL;
    }
    return err;
}

/* Old sheets make nothing any more, and those that nobody agreed to yet neither. */
static ml_err is_in_force(struct ml_call *call, const struct ml_joined *j)
{
    const struct ml_gov *gov = ml_log_gov(call->org->log);
    const struct ml_fact *root = ml_gov_root(gov);
    const bool same =
        root != NULL && memcmp(&j->root->sign_pk, &root->sign_pk, sizeof(root->sign_pk)) == 0;
    if (same) {
        return ML_OK;
    }
    return ml_call_fail(call, ML_E_DENIED,
                        ml_gov_had_right(gov, j->root) ? "share.old" : "share.proposed", NULL,
                        NULL);
}

ml_err ml_recover_auditor(struct ml_call *call, struct ml_secret **secret)
{
    struct ml_joined joined;
    struct ml_root_keys keys;
    ml_err err = recover_any(call, &joined);
    if (err != ML_OK || joined.kind == ML_SHARE_AUDITOR) {
        *secret = joined.secret;
        return err;
    }
    err = ml_root_open(&keys, joined.secret);
    if (err == ML_OK) {
        *secret = keys.audit;
        keys.audit = NULL;
    }
    ml_root_close(&keys);
    ml_secret_free(joined.secret);
    return err;
}

ml_err ml_shares_plan(struct ml_call *call, struct ml_share_plan *plan)
{
    const bool alone = ml_value_bool(ml_value_get(call->params, "alone"), false);
    const int64_t need =
        ml_value_int(ml_value_get(call->params, "need"), alone ? ML_ALONE_NEED : ML_SHARES_NEED);
    const int64_t count =
        ml_value_int(ml_value_get(call->params, "count"), alone ? ML_ALONE_COUNT : ML_SHARES_COUNT);
    if (need < ML_SHARE_NEED_MIN || need > count || count > ML_SHARE_MAX) {
        return ml_call_fail(call, ML_E_INVALID, "share.plan", NULL, NULL);
    }
    *plan = (struct ml_share_plan){
        .kind = ML_SHARE_STRUCTURE, .need = (uint8_t)need, .count = (uint8_t)count};
    return ML_OK;
}

static ml_err share_answer(struct ml_call *call, const struct ml_secret *share)
{
    struct ml_share_head head = {.index = 0};
    struct ml_secret *words = NULL;
    struct ml_secret *line = NULL;
    ml_err err = ml_share_head(&head, share);
    if (err == ML_OK) {
        err = ml_share_words(&words, share);
    }
    if (err == ML_OK) {
        err = ml_share_line(&line, share);
    }
    if (err == ML_OK) {
        ml_args_map(call->result);
        ml_result_int(call->result, "index", head.index);
        ml_result_int(call->result, "need", head.need);
        ml_result_hex(call->result, "set", head.set, sizeof(head.set));
        ml_result_text(call->result, "words", (const char *)ml_secret_bytes(words));
        ml_result_text(call->result, "line", (const char *)ml_secret_bytes(line));
        ml_args_end(call->result);
    }
    ml_secret_free(words);
    ml_secret_free(line);
    return err;
}

ml_err ml_shares_answer(struct ml_call *call, const struct ml_share_plan *plan,
                        const struct ml_secret *secret)
{
    struct ml_secret *shares[ML_SHARE_MAX];
    ml_err err = ml_share_cut(shares, call->node->env, plan, secret);
    if (err != ML_OK) {
        return err;
    }
    ml_args_key(call->result, "shares");
    ml_args_list(call->result);
    for (size_t i = 0; i < plan->count; i++) {
        err = err == ML_OK ? share_answer(call, shares[i]) : err;
        ml_secret_free(shares[i]);
    }
    ml_args_end(call->result);
    return err;
}

/* Of what was joined; or, with params.auditor, of the auditor's key alone, which hangs on the
 * structure's secret. */
static ml_err cut_anew(struct ml_call *call, struct ml_share_plan *plan,
                       const struct ml_secret *secret)
{
    struct ml_root_keys keys;
    plan->org = &call->org->id;
    if (plan->kind == ML_SHARE_AUDITOR ||
        !ml_value_bool(ml_value_get(call->params, "auditor"), false)) {
        return ml_shares_answer(call, plan, secret);
    }
    plan->kind = ML_SHARE_AUDITOR;
    ml_err err = ml_root_open(&keys, secret);
    if (err == ML_OK) {
        err = ml_shares_answer(call, plan, keys.audit);
    }
    ml_root_close(&keys);
    return err;
}

/* New sheets only when their number is said: what is shown must be kept by somebody. */
static ml_err recover_answer(struct ml_call *call, ml_share_kind kind,
                             const struct ml_secret *secret)
{
    struct ml_share_plan plan;
    const bool wanted = ml_value_get(call->params, "count") != NULL ||
                        ml_value_bool(ml_value_get(call->params, "alone"), false);
    const struct ml_trace_note note = {.action = ML_TRACE_GOVERN, .result = ML_TRACE_DONE};
    ml_err err = wanted ? ml_shares_plan(call, &plan) : ML_OK;
    if (err == ML_OK && ml_root_act_wanted(call)) {
        err = kind == ML_SHARE_STRUCTURE
                  ? ml_root_act(call, secret)
                  : ml_call_fail(call, ML_E_INVALID, "share.auditor", NULL, NULL);
    }
    if (err == ML_OK) {
        err = ml_trace_note(call, &note);
    }
    if (err == ML_OK && wanted) {
        plan.kind = kind;
        err = cut_anew(call, &plan, secret);
    }
    ml_result_hex(call->result, "org", call->org->id.b, sizeof(call->org->id.b));
    ml_result_bool(call->result, "root", kind == ML_SHARE_STRUCTURE);
    ml_result_bool(call->result, "auditor", true);
    return err == ML_OK ? ml_args_fault(call->result) : err;
}

ml_err ml_method_org_recover(struct ml_call *call)
{
    struct ml_joined joined;
    ml_err err = recover_any(call, &joined);
    if (err == ML_OK) {
        err = is_in_force(call, &joined);
    }
    if (err == ML_OK) {
        err = recover_answer(call, joined.kind, joined.secret);
    }
    ml_secret_free(joined.secret);
    return err;
}
