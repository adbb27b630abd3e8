/* net/node/shred_list.c -- who destroyed the keys that an exclusion replaced, and who hasn't said
 * so: of one patient, every member on a node once. */
#include <string.h>

#include "core/base/hlc.h"
#include "core/base/ids.h"
#include "core/codec/keyop.h"
#include "net/node/call.h"
#include "net/node/card.h"
#include "net/node/session.h"
#include "net/node/shred.h"

#define SAME(a, b) (memcmp(&(a), &(b), sizeof(a)) == 0)

enum { LIST_BYTES_MAX = 16 << 20 };

/* A SHRED about one of the patient's streams. */
struct one {
    struct ml_version_id shred;
};

/* A receipt for one of them. */
struct answer {
    struct ml_version_id shred;
    struct ml_member_id member;
    struct ml_node_id node;
    uint64_t ms;
};

struct list {
    struct ml_call *call;
    struct ml_stream_id streams[ML_KEYRING_LINKS_MAX * ML_COMPARTMENT_LAST];
    size_t stream_count;
    struct ml_buf shreds;  /* of struct one */
    struct ml_buf answers; /* of struct answer */
};

static ml_err streams_gather(struct list *l, const struct ml_object_id *patient)
{
    struct ml_keyring *k = ml_session_keyring(l->call->org);
    ml_err err = ML_OK;
    for (unsigned c = 1; c < ML_COMPARTMENT_ANNUAIRE && err == ML_OK; c++) {
        size_t count = 0;
        err =
            ml_keyring_streams(k, patient, (ml_compartment)c, l->streams + l->stream_count, &count);
        l->stream_count += count;
    }
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

static bool is_his(const struct list *l, const struct ml_stream_id *stream)
{
    size_t i = 0;
    while (i < l->stream_count && !SAME(l->streams[i], *stream)) {
        i++;
    }
    return i < l->stream_count;
}

static const struct one *shreds_of(const struct list *l, size_t *count)
{
    *count = l->shreds.len / sizeof(struct one);
    return (const void *)l->shreds.data;
}

static bool is_listed(const struct list *l, const struct ml_version_id *shred)
{
    size_t count = 0;
    const struct one *all = shreds_of(l, &count);
    size_t i = 0;
    while (i < count && ml_version_id_compare(&all[i].shred, shred) != 0) {
        i++;
    }
    return i < count;
}

static ml_err shreds_gather(struct list *l)
{
    struct ml_log_shredded at = {.number = 0};
    ml_err err = ML_OK;
    while ((err = ml_log_shredded_after(l->call->org->log, at.number, &at)) == ML_OK) {
        const struct one one = {at.shred};
        if (is_his(l, &at.stream) && !is_listed(l, &at.shred)) {
            ml_buf_append(&l->shreds, &one, sizeof(one));
        }
        if (l->shreds.err != ML_OK) {
            return l->shreds.err;
        }
    }
    return err == ML_E_NOT_FOUND ? ML_OK : err;
}

static ml_err answer_take(void *user, const struct ml_log_entry *entry, uint8_t index,
                          const struct ml_keyop *op)
{
    struct list *l = user;
    const struct ml_fact *f = ml_gov_opening(ml_log_gov(l->call->org->log), &entry->header.writer);
    struct ml_list_walk walk;
    struct ml_op_ref ref;
    if (op->type != ML_KEYOP_SHRED_DONE || f == NULL ||
        !ml_log_op_counts(l->call->org->log, entry, index)) {
        return ML_OK;
    }
    ml_list_walk(&walk, &op->u.shred_done.shreds);
    while (ml_op_ref_next(&walk, &ref)) {
        const struct answer answer = {.shred = ref.op.id,
                                      .member = f->member,
                                      .node = f->node,
                                      .ms = ml_hlc_ms(entry->header.hlc)};
        ml_buf_append(&l->answers, &answer, sizeof(answer));
    }
    return l->answers.err;
}

static ml_err answers_gather(struct list *l)
{
    size_t count = 0;
    const struct one *all = shreds_of(l, &count);
    ml_err err = ML_OK;
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        const struct ml_hash16 *name = &all[i].shred.bundle;
        const bool again = i > 0 && SAME(all[i - 1].shred.bundle, *name);
        err = again ? ML_OK
                    : ml_log_keyops(l->call->org->log, ml_slice(name->b, sizeof(name->b)),
                                    answer_take, l);
    }
    return err;
}

/* When he signed for one of them; 0: not yet. */
static uint64_t answered_ms(const struct list *l, const struct ml_fact *mon,
                            const struct ml_version_id *shred)
{
    const struct answer *all = (const void *)l->answers.data;
    const size_t count = l->answers.len / sizeof(*all);
    for (size_t i = 0; i < count; i++) {
        if (SAME(all[i].member, mon->member) && SAME(all[i].node, mon->node) &&
            ml_version_id_compare(&all[i].shred, shred) == 0) {
            return all[i].ms;
        }
    }
    return 0;
}

/* When he had signed for all; 0: not yet. */
static uint64_t done_ms(const struct list *l, const struct ml_fact *mon)
{
    size_t count = 0;
    const struct one *all = shreds_of(l, &count);
    uint64_t last = 0;
    for (size_t i = 0; i < count; i++) {
        const uint64_t ms = answered_ms(l, mon, &all[i].shred);
        if (ms == 0) {
            return 0;
        }
        last = ms > last ? ms : last;
    }
    return last;
}

static void card_put(struct ml_call *call, const char *key, ml_card_kind kind, const uint8_t id[16])
{
    struct ml_card_place of = {.kind = kind};
    memcpy(of.id, id, sizeof(of.id));
    ml_args_key(call->result, key);
    ml_args_map(call->result);
    ml_result_hex(call->result, "id", id, sizeof(of.id));
    ml_card_describe(call->org, call->result, &of);
    ml_args_end(call->result);
}

static void mon_put(struct ml_call *call, const struct ml_fact *mon, uint64_t ms)
{
    struct ml_args *out = call->result;
    ml_args_map(out);
    card_put(call, "member", ML_CARD_MEMBER, mon->member.b);
    card_put(call, "node", ML_CARD_NODE, mon->node.b);
    ml_result_bool(out, "destroyed", ms != 0);
    ml_result_text(out, "text", ms != 0 ? "shred.done" : "consent.awaited");
    if (ms != 0) {
        ml_result_int(out, "destroyed_ms", (int64_t)ms);
    }
    ml_args_end(out);
}

static void list_put(const struct list *l)
{
    struct ml_args *out = l->call->result;
    const struct ml_gov *gov = ml_log_gov(l->call->org->log);
    const struct ml_fact *mon = NULL;
    int64_t awaited = 0;
    size_t count = 0;
    (void)shreds_of(l, &count);
    ml_args_key(out, "shreds");
    ml_args_map(out);
    ml_result_int(out, "count", (int64_t)count);
    ml_args_key(out, "nodes");
    ml_args_list(out);
    while (count > 0 && (mon = ml_gov_next(gov, ML_FACT_MON, mon)) != NULL) {
        const uint64_t ms = done_ms(l, mon);
        mon_put(l->call, mon, ms);
        awaited += ms == 0;
    }
    ml_args_end(out);
    ml_result_int(out, "awaited", awaited);
    ml_args_end(out);
}

ml_err ml_shred_describe(struct ml_call *call, const struct ml_object_id *patient)
{
    struct list *l = ml_alloc(call->node->env, sizeof(*l));
    if (l == NULL) {
        return ML_E_NOMEM;
    }
    l->call = call;
    ml_buf_init(&l->shreds, call->node->env, LIST_BYTES_MAX);
    ml_buf_init(&l->answers, call->node->env, LIST_BYTES_MAX);
    ml_err err = streams_gather(l, patient);
    if (err == ML_OK) {
        err = shreds_gather(l);
    }
    if (err == ML_OK) {
        err = answers_gather(l);
    }
    if (err == ML_OK) {
        list_put(l);
    }
    ml_buf_free(&l->shreds);
    ml_buf_free(&l->answers);
    ml_release(call->node->env, l);
    return err;
}
