/* net/node/append.c -- own bundles: built on what the log says of their chain, then ingested like
 * anyone's, so that a node never stores of its own what it would refuse of another's. */
#include <string.h>

#include "core/crypto/hash.h"
#include "net/node/exchange.h"
#include "net/node/org.h"
#include "net/node/turn.h"

void ml_author_of(struct ml_author *out, const struct ml_secret *seed)
{
    struct ml_sign_pk pk;
    ml_sign_pk_of(&pk, seed);
    const struct ml_slice part = ml_slice(pk.b, sizeof(pk.b));
    ml_hash_parts(out->id.b, sizeof(out->id.b), ml_slice(NULL, 0), &part, 1);
    out->seed = seed;
}

void ml_org_salt(struct ml_org *org, struct ml_salt *out, const struct ml_header *header,
                 const struct ml_slice *plain, size_t count)
{
    uint8_t chance[32];
    uint8_t digest[32];
    uint8_t place[5] = {header->lane};
    const struct ml_env *env = org->node->env;
    env->random(env->ctx, chance, sizeof(chance));
    ml_hash_parts(digest, sizeof(digest), ml_slice(NULL, 0), plain, count);
    ml_put_u32be(place + 1, header->seq);
    const struct ml_slice parts[] = {
        ml_slice(chance, sizeof(chance)), ml_slice(digest, sizeof(digest)),
        ml_slice(header->writer.b, sizeof(header->writer.b)), ml_slice(place, sizeof(place))};
    const struct ml_slice key =
        ml_slice(ml_secret_bytes(org->salt_key), ml_secret_len(org->salt_key));
    ml_hash_parts(out->b, sizeof(out->b), key, parts, 4);
}

struct append {
    struct ml_org *org;
    struct ml_own_outcomes *later; /* NULL: it is durable, the exchange is told at once */
    bool *counts; /* not NULL: an act that its author may not say alone is kept, *counts false */
    size_t stored;
    ml_err err;
    ml_reason reason;
};

static void outcome_tell(struct ml_org *org, const struct ml_log_outcome *o)
{
    if (o->index == ML_LOG_NO_INDEX) {
        ml_exchange_on_stored(org, o);
    } else {
        ml_exchange_on_append(org, o);
    }
}

static void append_outcome(void *user, const struct ml_log_outcome *o)
{
    struct append *a = user;
    const bool own = o->index != ML_LOG_NO_INDEX;
    const bool proposed = a->counts != NULL && o->reason == ML_REASON_NO_AUTHORITY;
    if (own && a->counts != NULL) {
        *a->counts = o->verdict == ML_VERDICT_ACCEPTED;
    }
    if (own && (o->result != ML_LOG_STORED || (o->verdict != ML_VERDICT_ACCEPTED && !proposed))) {
        const bool denied = o->result == ML_LOG_STORED && o->reason != ML_REASON_FORK;
        a->err = denied ? ML_E_DENIED : ML_E_ROLLED_BACK;
        a->err = o->result == ML_LOG_REFUSED ? o->err : a->err;
        a->reason = o->reason;
        return;
    }
    a->stored += own;
    if (a->later != NULL) {
        ml_buf_append(&a->later->outcomes, o, sizeof(*o));
    } else {
        outcome_tell(a->org, o);
    }
}

/* What his role may not write isn't written at all: who asks is told, and nothing is left behind.
 */
static ml_err check_rights(const struct ml_org *org, const struct ml_slice *wires, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct ml_bundle bundle;
        ml_err err = ml_bundle_decode(&bundle, wires[i], NULL);
        if (err != ML_OK) {
            return err;
        }
        const struct ml_gov_lane in = {.writer = bundle.header.writer,
                                       .lane = bundle.header.lane,
                                       .writes = ml_writes_of(&bundle.header),
                                       .hlc = bundle.header.hlc};
        if (ml_gov_may_write(ml_log_gov(org->log), &in) != ML_REASON_NONE) {
            return ML_E_DENIED;
        }
    }
    return ML_OK;
}

static ml_err wires_append(struct append *a, const struct ml_slice *wires, size_t count)
{
    ml_err err = check_rights(a->org, wires, count);
    if (err != ML_OK) {
        return err;
    }
    err = ml_log_ingest(a->org->log, wires, count, append_outcome, a);
    if (err != ML_OK) {
        return err;
    }
    if (a->stored == count) {
        return ML_OK;
    }
    ml_logf(a->org->node->env, ML_LOG_ERROR, "node", "own bundle not taken: %s",
            ml_reason_text(a->reason));
    return a->err;
}

ml_err ml_org_append_wires(struct ml_org *org, const struct ml_slice *wires, size_t count)
{
    struct append a = {.org = org};
    return wires_append(&a, wires, count);
}

ml_err ml_org_append_part(struct ml_org *org, const struct ml_slice *wires, size_t count,
                          struct ml_own_outcomes *later)
{
    struct append a = {.org = org, .later = later};
    ml_err err = wires_append(&a, wires, count);
    return err == ML_OK ? later->outcomes.err : err;
}

void ml_org_tell(struct ml_org *org, const struct ml_own_outcomes *later)
{
    const struct ml_log_outcome *o = (const void *)later->outcomes.data;
    const size_t count = later->outcomes.len / sizeof(*o);
    for (size_t i = 0; i < count; i++) {
        outcome_tell(org, &o[i]);
    }
}

uint64_t ml_org_hlc(struct ml_org *org)
{
    ml_hlc_receive(&org->clock, ml_log_hlc_last(org->log));
    return ml_hlc_tick(&org->clock);
}

ml_err ml_org_next_header(struct ml_org *org, struct ml_header *out, const struct ml_author *author,
                          uint8_t lane)
{
    struct ml_log_next next;
    ml_err err = ml_log_next_own(org->log, &author->id, lane, &next);
    if (err != ML_OK) {
        return err;
    }
    uint64_t now = ml_org_hlc(org);
    *out = (struct ml_header){.version = ML_BUNDLE_VERSION,
                              .writer = author->id,
                              .lane = lane,
                              .seq = next.seq,
                              .prev = next.prev,
                              .gctx = next.gctx,
                              .hlc = now > next.hlc_min ? now : next.hlc_min};
    out->deps.items = next.deps;
    out->deps.count = (uint32_t)next.dep_count;
    return ML_OK;
}

static ml_err plain_append(struct append *a, const struct ml_author *author, uint8_t lane,
                           const struct ml_slice *ops, size_t count)
{
    struct ml_org *org = a->org;
    struct ml_op_draft drafts[ML_BUNDLE_OPS_MAX];
    struct ml_bundle_draft draft = {.op_count = (uint32_t)count};
    struct ml_hash hash;
    struct ml_buf wire;
    if (count == 0 || count > ML_BUNDLE_OPS_MAX) {
        return ML_E_LIMIT;
    }
    ml_err err = ml_org_next_header(org, &draft.header, author, lane);
    if (err != ML_OK) {
        return err;
    }
    for (size_t i = 0; i < count; i++) {
        drafts[i] = (struct ml_op_draft){.sealed = ops[i]};
    }
    draft.ops = drafts;
    ml_org_salt(org, &draft.header.salt, &draft.header, ops, count);
    ml_buf_init(&wire, org->node->env, ML_BUNDLE_BYTES_MAX);
    err = ml_bundle_build(&wire, &hash, &draft, &org->id, author->seed);
    if (err == ML_OK) {
        const struct ml_slice one = ml_buf_slice(&wire);
        err = wires_append(a, &one, 1);
    }
    ml_buf_free(&wire);
    return err;
}

ml_err ml_org_append_plain(struct ml_org *org, const struct ml_author *author, uint8_t lane,
                           const struct ml_slice *ops, size_t count)
{
    struct append a = {.org = org};
    return plain_append(&a, author, lane, ops, count);
}

ml_err ml_org_append_act(struct ml_org *org, const struct ml_author *author, struct ml_slice op,
                         bool *counts)
{
    struct append a = {.org = org};
    a.counts = counts;
    return plain_append(&a, author, ML_LANE_GOVERNANCE, &op, 1);
}
