/* net/node/methods_quarantine.c -- what was left out of the record, and taking it in after all
 * (architecture R6, rules B20). */
#include <stdio.h>
#include <string.h>

#include "core/base/hlc.h"
#include "net/node/card.h"
#include "net/node/garant.h"
#include "net/node/methods.h"
#include "net/node/session.h"

enum { LISTED_MAX = 200 };

static void author_put(struct ml_org *org, struct ml_args *out, const struct ml_writer_id *writer)
{
    struct ml_card_place of = {.kind = ML_CARD_MEMBER};
    const struct ml_fact *opening = ml_gov_opening(ml_log_gov(org->log), writer);
    if (opening == NULL) {
        return;
    }
    memcpy(of.id, opening->member.b, sizeof(of.id));
    ml_result_hex(out, "member", opening->member.b, sizeof(opening->member.b));
    ml_card_describe(org, out, &of);
}

static void entry_put(struct ml_org *org, struct ml_args *out, const struct ml_log_entry *entry)
{
    char why[ML_CALL_TEXT_MAX];
    const struct ml_hash hash = entry->hash;
    const struct ml_header header = {.writer = entry->header.writer};
    const uint64_t ms = ml_hlc_ms(entry->header.hlc);
    const uint32_t ops = entry->header.n_ops;
    snprintf(why, sizeof(why), "quarantine.%s", ml_reason_name(entry->reason));
    ml_args_map(out);
    ml_result_hex(out, "bundle", hash.b, sizeof(hash.b));
    ml_result_int(out, "recorded_ms", (int64_t)ms);
    ml_result_int(out, "ops", ops);
    ml_result_text(out, "why", why);
    author_put(org, out, &header.writer);
    ml_args_end(out);
}

/* Bundles of the record, the oldest here first; `after` goes on from "n" of the last answer. */
static ml_err quarantine_list(struct ml_call *call)
{
    struct ml_org *org = call->org;
    const int64_t after = ml_value_int(ml_value_get(call->params, "after"), 0);
    struct ml_log_entry entry = {.n = after > 0 ? (uint64_t)after : 0};
    unsigned count = 0;
    ml_err err = ML_OK;
    ml_args_key(call->result, "bundles");
    ml_args_list(call->result);
    while (count < LISTED_MAX && err == ML_OK) {
        const uint64_t n = entry.n;
        err = ml_log_left_out(org->log, n, ML_LANE_RECORD, &entry);
        if (err == ML_OK) {
            entry_put(org, call->result, &entry);
            count++;
        } else {
            entry.n = n;
        }
    }
    ml_args_end(call->result);
    ml_result_int(call->result, "n", (int64_t)entry.n);
    ml_result_bool(call->result, "more", err == ML_OK);
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

/* Governance hears alike (ml_gov_is_adopted). NULL: he may. */
static const char *why_not_judge(const struct ml_org *org, const struct ml_log_entry *entry)
{
    const struct ml_gov *gov = ml_log_gov(org->log);
    const struct ml_fact *actor = ml_gov_member(gov, &org->session->member);
    const struct ml_fact *opening = ml_gov_opening(gov, &entry->header.writer);
    const bool own = opening != NULL &&
                     memcmp(&opening->member, &org->session->member, sizeof(opening->member)) == 0;
    const bool counts = entry->verdict == ML_VERDICT_ACCEPTED && entry->reason == ML_REASON_NONE;
    if (counts) {
        return "quarantine.none";
    }
    if (entry->header.lane == ML_LANE_GOVERNANCE) {
        return "quarantine.act";
    }
    if (own) {
        return entry->reason == ML_REASON_FORK ? NULL : "quarantine.own";
    }
    return actor != NULL && actor->rank <= ML_RANK_REFERENT ? NULL : ml_rank_wanted(actor);
}

static ml_err judge_append(struct ml_org *org, const struct ml_hash *bundle, bool reject)
{
    struct ml_govop op = {.type = ML_GOVOP_JUDGE,
                          .must_understand = true,
                          .u.judge = {.bundle = *bundle, .reject = reject}};
    struct ml_author author;
    struct ml_buf buf;
    ml_session_author(org, &author);
    ml_buf_init(&buf, org->node->env, ML_GOVOP_BYTES_MAX);
    ml_err err = ml_govop_encode(&buf, &op);
    if (err == ML_OK) {
        const struct ml_slice one = ml_buf_slice(&buf);
        err = ml_org_append_plain(org, &author, ML_LANE_GOVERNANCE, &one, 1);
    }
    ml_buf_free(&buf);
    return err == ML_OK ? ml_session_catch_up_all(org) : err;
}

static ml_err judge(struct ml_call *call, bool reject)
{
    struct ml_org *org = call->org;
    struct ml_log_entry entry;
    struct ml_hash hash;
    ml_err err = ml_call_id(call, hash.b, sizeof(hash.b), "bundle");
    if (err != ML_OK) {
        return err;
    }
    const struct ml_hash16 start = ml_hash16_of(&hash);
    err = ml_log_get(org->log, &start, &entry);
    if (err == ML_E_NOT_FOUND || (err == ML_OK && memcmp(&entry.hash, &hash, sizeof(hash)) != 0)) {
        return ml_call_fail(call, ML_E_NOT_FOUND, "quarantine.unknown", NULL, NULL);
    }
    if (err != ML_OK) {
        return err;
    }
    const char *why = why_not_judge(org, &entry);
    if (why != NULL) {
        return ml_call_fail(call, ML_E_DENIED, why, NULL, NULL);
    }
    err = judge_append(org, &hash, reject);
    if (err == ML_OK) {
        err = ml_log_get(org->log, &start, &entry);
    }
    if (err != ML_OK) {
        return err;
    }
    ml_result_bool(call->result, "counts", entry.verdict == ML_VERDICT_ACCEPTED);
    return ml_call_note(call, ML_TRACE_GOVERN, NULL);
}

static ml_err quarantine_adopt(struct ml_call *call)
{
    return judge(call, false);
}

static ml_err quarantine_reject(struct ml_call *call)
{
    return judge(call, true);
}

const struct ml_method ml_methods_quarantine[] = {
    {"quarantine.list", ML_NEEDS_SESSION, quarantine_list},
    {"quarantine.adopt", ML_NEEDS_SESSION, quarantine_adopt},
    {"quarantine.reject", ML_NEEDS_SESSION, quarantine_reject},
    {NULL, 0, NULL},
};
