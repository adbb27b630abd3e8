/* net/node/methods_log.c -- proofs and bytes: verify, log.show. */
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/explain.h"
#include "core/model/seal.h"
#include "core/record/vault.h"
#include "net/node/exchange.h"
#include "net/node/methods.h"
#include "net/node/session.h"

struct problems {
    struct ml_args *out;
    uint64_t count;
};

static void problem_take(void *user, const char *what)
{
    enum { PROBLEMS_SHOWN = 100 };
    struct problems *p = user;
    if (p->count++ < PROBLEMS_SHOWN) {
        ml_args_text(p->out, what);
    }
}

static ml_err verify_log(struct ml_org *org, struct ml_args *out, uint64_t *problem_count)
{
    struct problems problems = {.out = out};
    ml_args_key(out, "problems");
    ml_args_list(out);
    ml_err err = ml_log_verify(org->log, problem_take, &problems);
    ml_args_end(out);
    *problem_count = problems.count;
    return err;
}

static ml_err verify_hashes(struct ml_org *org, struct ml_args *out)
{
    struct ml_hash hash;
    struct ml_frontier_digest frontier;
    ml_err err = ml_log_state_hash(org->log, &hash);
    if (err == ML_OK) {
        ml_result_hex(out, "state_hash", hash.b, sizeof(hash.b));
        err = ml_log_trace_hash(org->log, &hash);
    }
    if (err == ML_OK) {
        ml_result_hex(out, "trace_hash", hash.b, sizeof(hash.b));
        err = ml_log_digest(org->log, &frontier);
    }
    if (err == ML_OK) {
        ml_result_hex(out, "frontier_digest", frontier.frontier, sizeof(frontier.frontier));
        ml_result_hex(out, "holes_digest", frontier.holes, sizeof(frontier.holes));
    }
    return err;
}

static ml_err verify_vault(struct ml_org *org, struct ml_args *out, uint64_t *problem_count)
{
    struct ml_vault *vault = org->session->vault;
    struct ml_vault_counts counts;
    struct ml_hash hash;
    ml_err err = ml_session_catch_up_all(org);
    if (err == ML_OK) {
        err = ml_vault_view_hash(vault, &hash);
    }
    if (err == ML_OK) {
        ml_result_hex(out, "view_hash", hash.b, sizeof(hash.b));
        err = ml_vault_counts(vault, &counts);
    }
    if (err == ML_OK) {
        ml_result_int(out, "patients", (int64_t)counts.patients);
        ml_result_int(out, "objects", (int64_t)counts.objects);
        ml_result_int(out, "conflicts", (int64_t)counts.conflicts);
        ml_result_int(out, "ops_greyed", (int64_t)counts.ops_greyed);
        ml_result_int(out, "ops_unknown", (int64_t)counts.ops_unknown);
        ml_result_int(out, "bundles_no_key", (int64_t)counts.bundles_no_key);
        err = ml_vault_check(vault, problem_count);
    }
    return err;
}

static ml_err verify(struct ml_call *call)
{
    struct ml_org *org = call->org;
    struct ml_args *out = call->result;
    struct ml_log_counts counts;
    uint64_t log_problems = 0;
    uint64_t vault_problems = 0;
    ml_err err = verify_log(org, out, &log_problems);
    ml_exchange_holes(org); /* it may have found some */
    if (err == ML_OK) {
        err = ml_log_counts(org->log, &counts);
    }
    if (err == ML_OK) {
        ml_result_int(out, "ops", (int64_t)counts.ops);
        ml_result_int(out, "bundles", (int64_t)counts.bundles);
        ml_result_int(out, "bodies_missing", (int64_t)counts.bodies_missing);
        ml_result_int(out, "chunks", (int64_t)counts.chunks);
        ml_result_int(out, "chunks_missing", (int64_t)counts.chunks_missing);
        ml_result_int(out, "pending", (int64_t)counts.pending);
        ml_result_int(out, "waits_version", (int64_t)counts.waits_version);
        ml_result_int(out, "quarantined", (int64_t)counts.quarantined);
        ml_result_int(out, "forks", (int64_t)counts.forks);
        err = verify_hashes(org, out);
    }
    if (err == ML_OK) {
        err = verify_vault(org, out, &vault_problems);
    }
    if (err == ML_OK) {
        ml_result_text(out, "integrity", log_problems + vault_problems == 0 ? "ok" : "damaged");
    }
    return err;
}

/* ---- log.show ---- */

static void range_put(void *user, const struct ml_explain_range *r)
{
    struct ml_args *out = user;
    ml_args_map(out);
    ml_result_int(out, "offset", (int64_t)r->offset);
    ml_result_int(out, "bytes", (int64_t)r->len);
    ml_result_int(out, "depth", r->depth);
    ml_result_text(out, "place", r->place);
    ml_result_text(out, "name", r->name);
    ml_result_text(out, "value", r->value);
    ml_result_text(out, "meaning", r->meaning);
    ml_args_end(out);
}

/* The plaintexts that this member's keys open, each explained too. */
static ml_err opened_put(void *user, const struct ml_opened *opened)
{
    struct ml_args *out = user;
    ml_args_map(out);
    ml_result_int(out, "index", opened->index);
    ml_result_bool(out, "opened", opened->result == ML_OPEN_OK);
    ml_args_key(out, "ranges");
    ml_args_list(out);
    ml_err err = ML_OK;
    if (opened->result == ML_OPEN_OK) {
        err = ml_explain_op(ML_LANE_RECORD, opened->index, opened->plain, range_put, out);
    }
    ml_args_end(out);
    ml_args_end(out);
    return err;
}

static ml_err show_ops(struct ml_call *call, const struct ml_log_entry *entry)
{
    const struct ml_open_args args = {.env = call->node->env,
                                      .org = call->org->id,
                                      .keyring = ml_session_keyring(call->org),
                                      .header = &entry->header,
                                      .body = entry->body.bytes};
    ml_args_key(call->result, "ops");
    ml_args_list(call->result);
    ml_err err = ML_OK;
    if (entry->header.lane == ML_LANE_RECORD && entry->body.absent == ML_ABSENT_NONE) {
        err = ml_open_bundle(&args, opened_put, call->result);
    }
    ml_args_end(call->result);
    return err;
}

static ml_err show_entry(struct ml_call *call, const struct ml_log_entry *entry)
{
    struct ml_args *out = call->result;
    struct ml_buf wire;
    ml_buf_init(&wire, call->node->env, ML_BUNDLE_BYTES_MAX);
    ml_err err = ml_bundle_join(&wire, entry->header_bytes, &entry->sig, &entry->body);
    if (err == ML_OK) {
        ml_result_hex(out, "hash", entry->hash.b, sizeof(entry->hash.b));
        ml_result_int(out, "n", (int64_t)entry->n);
        ml_result_int(out, "bytes", (int64_t)wire.len);
        ml_result_text(out, "verdict", ml_verdict_name(entry->verdict));
        ml_result_text(out, "reason", ml_reason_text(entry->reason));
        ml_args_key(out, "wire");
        ml_args_bytes(out, wire.data, wire.len);
        ml_args_key(out, "ranges");
        ml_args_list(out);
        err = ml_explain_bundle(ml_buf_slice(&wire), range_put, out, NULL);
        ml_args_end(out);
    }
    ml_buf_free(&wire);
    return err == ML_OK ? show_ops(call, entry) : err;
}

/* By the first 16 bytes of its hash, by its ingest number, or the last one. */
static ml_err log_show(struct ml_call *call)
{
    struct ml_log *log = call->org->log;
    const char *which = ml_call_text_or(call, "bundle", "last");
    struct ml_log_entry entry = {0};
    struct ml_hash16 hash;
    int64_t n = ml_value_int(ml_value_get(call->params, "n"), 0);
    ml_err err = ML_OK;
    if (n > 0 || strcmp(which, "last") == 0) {
        uint64_t at = n > 0 ? (uint64_t)n : ml_log_last(log);
        err = at == 0 ? ML_E_NOT_FOUND : ml_log_after(log, at - 1, ~0u, &entry);
    } else {
        size_t len = strlen(which) > 32 ? 32 : strlen(which);
        err = ml_hex_decode(hash.b, sizeof(hash.b), which, len);
        err = err == ML_OK ? ml_log_get(log, &hash, &entry)
                           : ml_call_fail(call, err, "param.id", "param", "bundle");
    }
    if (err == ML_E_NOT_FOUND) {
        return ml_call_fail(call, err, "log.no_bundle", NULL, NULL);
    }
    return err == ML_OK ? show_entry(call, &entry) : err;
}

const struct ml_method ml_methods_log[] = {
    {"verify", ML_NEEDS_SESSION, verify},
    {"log.show", ML_NEEDS_SESSION, log_show},
    {NULL, 0, NULL},
};
