/* net/node/tally.c -- see tally.h.
 *
 *   setting "trace.exchange" (big-endian)
 *   +---------+-----+-----------+--------+--------------+-------+----------------+
 *   | closing | day | exchanges | failed | flow: 4 u64  | peers | peer ids of 16 |
 *   |    8    |  8  |     4     |   4    |      32      |   1   |   0 .. 16      |
 *   +---------+-----+-----------+--------+--------------+-------+----------------+
 *
 * Telling a day: `closing` = the index that the entry will have in the journal, kept; the entry,
 * fsynced; a new, empty tally, kept. After a crash between the first two steps the journal ends
 * below `closing`: the day is told again. After one between the last two it doesn't: the entry is
 * there. So a day is told exactly once. This is decided at the opening, before any other entry.
 */
#include "net/node/tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/store/tracejournal.h"
#include "net/node/exchange.h"
#include "net/node/org.h"
#include "net/node/trace_inner.h"

#define SETTING "trace.exchange"
enum {
    DAY_MS = 86400000,
    LOOK_MS = 60000, /* a machine that slept has jumped over midnight */
    PEERS_MAX = 16,  /* named in the entry; others are exchanged with all the same */
    PEER_BYTES = 16,
    FIXED_BYTES = 8 + 8 + 4 + 4 + 4 * 8 + 1,
    VALUE_BYTES_MAX = FIXED_BYTES + PEERS_MAX * PEER_BYTES,
};

struct ml_tally {
    uint64_t closing; /* 0: the day isn't being told */
    uint64_t day;     /* since 1970, UTC */
    uint32_t exchanges;
    uint32_t failed; /* by the peer's fault */
    struct ml_tally_flow flow;
    uint8_t peer_count;
    struct ml_node_id peers[PEERS_MAX];
    uint64_t retry_ms; /* monotonic; in memory: a day couldn't be told before */
};

static uint64_t today(const struct ml_org *org)
{
    const struct ml_env *env = org->node->env;
    return env->wall_ms(env->ctx) / DAY_MS;
}

static bool is_empty(const struct ml_tally *t)
{
    return t->exchanges == 0 && t->flow.bundles_in == 0 && t->flow.bundles_out == 0;
}

static ml_err tally_keep(struct ml_org *org)
{
    const struct ml_tally *t = org->tally;
    struct ml_buf value;
    ml_buf_init(&value, org->node->env, VALUE_BYTES_MAX);
    ml_buf_u64be(&value, t->closing);
    ml_buf_u64be(&value, t->day);
    ml_buf_u32be(&value, t->exchanges);
    ml_buf_u32be(&value, t->failed);
    ml_buf_u64be(&value, t->flow.bundles_in);
    ml_buf_u64be(&value, t->flow.bytes_in);
    ml_buf_u64be(&value, t->flow.bundles_out);
    ml_buf_u64be(&value, t->flow.bytes_out);
    ml_buf_append(&value, &t->peer_count, 1);
    ml_buf_append(&value, t->peers, (size_t)t->peer_count * PEER_BYTES);
    ml_err err = value.err;
    if (err == ML_OK) {
        err = ml_log_setting_put(org->log, SETTING, ml_buf_slice(&value));
    }
    ml_buf_free(&value);
    return err;
}

static void tally_read(struct ml_tally *t, struct ml_slice value)
{
    const uint8_t *p = value.data;
    const uint8_t peers = value.len < FIXED_BYTES ? 0 : p[FIXED_BYTES - 1];
    if (peers > PEERS_MAX || value.len != FIXED_BYTES + (size_t)peers * PEER_BYTES) {
        return; /* of another version: a new one begins */
    }
    t->closing = ml_get_u64be(p);
    t->day = ml_get_u64be(p + 8);
    t->exchanges = ml_get_u32be(p + 16);
    t->failed = ml_get_u32be(p + 20);
    t->flow = (struct ml_tally_flow){ml_get_u64be(p + 24), ml_get_u64be(p + 32),
                                     ml_get_u64be(p + 40), ml_get_u64be(p + 48)};
    t->peer_count = peers;
    memcpy(t->peers, p + FIXED_BYTES, (size_t)peers * PEER_BYTES);
}

/* A crash came while a day was being told. */
static ml_err closing_resolve(struct ml_org *org)
{
    struct ml_tally *t = org->tally;
    if (ml_tracejournal_last(org->traces->journal) >= t->closing) {
        *t = (struct ml_tally){.day = today(org)};
    }
    t->closing = 0;
    return tally_keep(org);
}

ml_err ml_tally_open(struct ml_org *org)
{
    struct ml_buf value;
    struct ml_tally *t = ml_alloc(org->node->env, sizeof(*t));
    if (t == NULL) {
        return ML_E_NOMEM;
    }
    org->tally = t;
    t->day = today(org);
    ml_buf_init(&value, org->node->env, VALUE_BYTES_MAX);
    ml_err err = ml_log_setting_get(org->log, SETTING, &value);
    if (err == ML_OK) {
        tally_read(t, ml_buf_slice(&value));
    }
    ml_buf_free(&value);
    if (err == ML_OK && t->closing != 0) {
        err = closing_resolve(org);
    }
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

void ml_tally_close(struct ml_org *org)
{
    if (org->tally != NULL && org->log != NULL && !is_empty(org->tally)) {
        ml_err err = tally_keep(org);
        if (err != ML_OK) {
            ml_logf(org->node->env, ML_LOG_WARN, "trace", "exchanges are not counted: %s",
                    ml_err_name(err));
        }
    }
    ml_release(org->node->env, org->tally);
    org->tally = NULL;
}

void ml_tally_began(struct ml_org *org, const struct ml_node_id *peer)
{
    struct ml_tally *t = org->tally;
    ml_tally_tick(org);
    t->exchanges++;
    for (uint8_t i = 0; i < t->peer_count; i++) {
        if (memcmp(&t->peers[i], peer, sizeof(*peer)) == 0) {
            return;
        }
    }
    if (t->peer_count < PEERS_MAX) {
        t->peers[t->peer_count++] = *peer;
    }
}

static void raise(uint64_t *sum, uint64_t before, uint64_t now)
{
    *sum += now >= before ? now - before : now;
}

void ml_tally_moved(struct ml_org *org, const struct ml_tally_flow *before,
                    const struct ml_tally_flow *now)
{
    struct ml_tally_flow *sum = &org->tally->flow;
    raise(&sum->bundles_in, before->bundles_in, now->bundles_in);
    raise(&sum->bytes_in, before->bytes_in, now->bytes_in);
    raise(&sum->bundles_out, before->bundles_out, now->bundles_out);
    raise(&sum->bytes_out, before->bytes_out, now->bytes_out);
}

void ml_tally_ended(struct ml_org *org, ml_err reason)
{
    org->tally->failed += reason != ML_OK && ml_err_class_of(reason) == ML_CLASS_PEER;
    ml_err err = tally_keep(org);
    if (err != ML_OK) {
        ml_logf(org->node->env, ML_LOG_WARN, "trace", "exchanges are not counted: %s",
                ml_err_name(err));
    }
}

/* ---- the day's entry ---- */

static void describe(char out[ML_TRACE_TEXT_MAX], const struct ml_tally *t)
{
    int len = snprintf(out, ML_TRACE_TEXT_MAX,
                       "day %" PRIu64 "; failed %" PRIu32 "; in %" PRIu64 " bundles, %" PRIu64
                       " bytes; out %" PRIu64 " bundles, %" PRIu64 " bytes; with",
                       t->day, t->failed, t->flow.bundles_in, t->flow.bytes_in, t->flow.bundles_out,
                       t->flow.bytes_out);
    for (uint8_t i = 0; i < t->peer_count && len > 0 && len < (int)ML_TRACE_TEXT_MAX; i++) {
        char hex[ML_ID_HEX_SIZE];
        ml_hex_encode(hex, t->peers[i].b, sizeof(t->peers[i].b));
        len += snprintf(out + len, ML_TRACE_TEXT_MAX - (size_t)len, " %s", hex);
    }
}

static ml_err day_write(struct ml_org *org)
{
    struct ml_tally *t = org->tally;
    char context[ML_TRACE_TEXT_MAX];
    uint64_t index = 0;
    describe(context, t);
    const struct ml_trace_of_node what = {.action = ML_TRACE_EXCHANGE,
                                          .result = ML_TRACE_DONE,
                                          .context = ml_slice_str(context),
                                          .count = t->exchanges,
                                          .wall_ms = (t->day + 1) * DAY_MS - 1};
    t->closing = ml_tracejournal_last(org->traces->journal) + 1;
    ml_err err = tally_keep(org);
    if (err == ML_OK) {
        err = ml_trace_of_node(org, &what, &index);
    }
    if (err != ML_OK) { /* other entries will take that place */
        t->closing = 0;
        ml_err kept = tally_keep(org);
        err = kept == ML_OK ? err : kept;
    }
    return err;
}

/* The day is over. */
static ml_err day_tell(struct ml_org *org)
{
    ml_err err = is_empty(org->tally) ? ML_OK : day_write(org);
    if (err == ML_OK) {
        *org->tally = (struct ml_tally){.day = today(org)};
        err = tally_keep(org);
    }
    return err;
}

uint64_t ml_tally_next_ms(const struct ml_org *org)
{
    const struct ml_env *env = org->node->env;
    const struct ml_tally *t = org->tally;
    const uint64_t wall = env->wall_ms(env->ctx);
    const uint64_t end = (t->day + 1) * DAY_MS;
    uint64_t wait = end > wall ? end - wall : 0;
    wait = wait < LOOK_MS ? wait : LOOK_MS;
    const uint64_t at = env->now_ms(env->ctx) + wait;
    return at > t->retry_ms ? at : t->retry_ms;
}

void ml_tally_tick(struct ml_org *org)
{
    const struct ml_env *env = org->node->env;
    struct ml_tally *t = org->tally;
    const uint64_t now = env->now_ms(env->ctx);
    if (t->day >= today(org) || now < t->retry_ms) {
        return; /* a clock put back waits for its day */
    }
    ml_exchange_tell_tally(org);
    ml_err err = day_tell(org);
    if (err != ML_OK) {
        t->retry_ms = now + LOOK_MS;
        ml_logf(env, ML_LOG_WARN, "trace", "the day's exchanges are not told: %s",
                ml_err_name(err));
    }
}
