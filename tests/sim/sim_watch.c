/* tests/sim/sim_watch.c -- sees what comes to every log and every vault, and counts it: two calls
 * of the code under test go through here (tests/CMakeLists.txt wraps them) and change nothing, but
 * where a rogue signs something else (sim_rogue.c). */
#include "core/codec/bundle.h"
#include "core/codec/govop.h"
#include "core/codec/keyop.h"
#include "core/record/object.h"
#include "core/record/vault_int.h"
#include "core/store/log_impl.h"
#include "sim.h"

static struct sim *watching;

ml_err ingest_real(struct ml_log *log, const struct ml_slice *wires, size_t count,
                   ml_log_outcome_cb *each, void *user) __asm__("__real_ml_log_ingest");
ml_err ingest_here(struct ml_log *log, const struct ml_slice *wires, size_t count,
                   ml_log_outcome_cb *each, void *user) __asm__("__wrap_ml_log_ingest");
uint8_t content_real(const struct ml_entity *entity, const struct ml_change *change,
                     const struct ml_dict_entry *entry,
                     const struct ml_stream_info *stream) __asm__("__real_ml_content_verdict");
uint8_t content_here(const struct ml_entity *entity, const struct ml_change *change,
                     const struct ml_dict_entry *entry,
                     const struct ml_stream_info *stream) __asm__("__wrap_ml_content_verdict");

void sim_watch(struct sim *s)
{
    watching = s;
}

struct outcomes {
    const struct sim_node *node;
    const struct ml_slice *wires;
    ml_log_outcome_cb *each;
    void *user;
};

/* The ops that are in clear. */
static void ops_count(struct sim_count *c, struct ml_slice wire, ml_verdict verdict)
{
    struct ml_bundle bundle;
    struct ml_body_walk walk;
    struct ml_body_op op;
    if (ml_bundle_decode(&bundle, wire, NULL) != ML_OK) {
        return;
    }
    sim_count_row(c, SIM_ROW_LANE, bundle.header.lane);
    if (bundle.header.lane == ML_LANE_RECORD && verdict == ML_VERDICT_QUARANTINED) {
        sim_count_row(c, SIM_ROW_GREY, ML_GREY_QUARANTINED); /* no vault judges its content */
    }
    if (bundle.header.lane > ML_LANE_KEYS || bundle.body.absent != ML_ABSENT_NONE) {
        return;
    }
    ml_body_walk(&walk, bundle.body.bytes);
    while (ml_body_next(&walk, &op)) {
        struct ml_govop govop;
        struct ml_keyop keyop;
        const bool governs = bundle.header.lane == ML_LANE_GOVERNANCE;
        if (governs && ml_govop_decode(&govop, op.sealed, NULL) == ML_OK) {
            sim_count_row(c, SIM_ROW_GOVOP, govop.type);
        } else if (!governs && ml_keyop_decode(&keyop, op.sealed, NULL) == ML_OK) {
            sim_count_row(c, SIM_ROW_KEYOP, keyop.type);
        }
    }
}

/* Of what an adversary forged: how often a log of somebody else was asked, and what it said. */
static void forged_count(const struct outcomes *all, const struct ml_log_outcome *o)
{
    struct sim_wire *w = &watching->wire;
    if (w->len == 0 || o->index == ML_LOG_NO_INDEX || all->node->index == w->from) {
        return;
    }
    const struct ml_slice wire = all->wires[o->index];
    if (wire.len == w->len && memcmp(wire.data, w->bytes, w->len) == 0) {
        w->judged[o->result]++;
    }
}

static void outcome_count(void *user, const struct ml_log_outcome *o)
{
    const struct outcomes *all = user;
    struct sim_count *c = &watching->count;
    sim_count_row(c, SIM_ROW_RESULT, o->result);
    forged_count(all, o);
    if (o->result == ML_LOG_STORED || o->result == ML_LOG_PENDING) {
        sim_count_row(c, SIM_ROW_VERDICT,
                      o->result == ML_LOG_PENDING ? ML_VERDICT_PENDING : o->verdict);
    }
    sim_count_row(c, SIM_ROW_REASON, o->reason);
    if (o->result == ML_LOG_STORED && o->index != ML_LOG_NO_INDEX) {
        ops_count(c, all->wires[o->index], o->verdict);
    }
    if (o->reason != ML_REASON_NONE && o->result != ML_LOG_DUPLICATE) {
        sim_say(watching, "node %u has bundle %02x%02x%02x%02x/%u/%u: %s", all->node->index,
                o->id.writer.b[0], o->id.writer.b[1], o->id.writer.b[2], o->id.writer.b[3],
                o->id.lane, o->id.seq, ml_reason_name(o->reason));
    }
    all->each(all->user, o);
}

ml_err ingest_here(struct ml_log *log, const struct ml_slice *wires, size_t count,
                   ml_log_outcome_cb *each, void *user)
{
    struct outcomes all = {.node = log->env->ctx, .wires = wires, .each = each, .user = user};
    struct ml_buf lie;
    ml_buf_init(&lie, ml_env_system(), ML_BUNDLE_BYTES_MAX);
    if (count == 1 && sim_rogue_lies(watching, &log->org, wires[0], &lie)) {
        const struct ml_slice other = ml_buf_slice(&lie);
        all.wires = &other;
        ml_err err = ingest_real(log, &other, 1, outcome_count, &all);
        ml_buf_free(&lie);
        return err;
    }
    return ingest_real(log, wires, count, outcome_count, &all);
}

uint8_t content_here(const struct ml_entity *entity, const struct ml_change *change,
                     const struct ml_dict_entry *entry, const struct ml_stream_info *stream)
{
    const uint8_t grey = content_real(entity, change, entry, stream);
    sim_count_row(&watching->count, SIM_ROW_CHANGE, change->type);
    sim_count_row(&watching->count, SIM_ROW_GREY, grey);
    return grey;
}
