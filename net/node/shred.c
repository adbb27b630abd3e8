/* net/node/shred.c -- see shred.h.
 *
 * Happy path: the wraps of a stream are read from the log -> a DEK that somebody else has too and
 * that this member didn't seal to all is sealed to them -> when that is durable, a SHRED names what
 * it replaces; the log obeys as every node does. A stop between the two leaves more wraps than
 * needed, never fewer: the next call goes on. The vault follows, and then signs.
 */
#include "net/node/shred.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/codec/keyop.h"
#include "core/model/keyring_group.h"
#include "net/node/consent.h"
#include "net/node/keys.h"
#include "net/node/session.h"

#define SAME(a, b) (memcmp(&(a), &(b), sizeof(a)) == 0)

enum { ITEMS_BYTES_MAX = 16 << 20 };

/* An op of lane 1 that gives a DEK of the stream to somebody. */
struct item {
    struct ml_version_id at;
    struct ml_key_id dek;
    struct ml_key_id kek;         /* of wraps */
    struct ml_box_pk break_glass; /* of BG_WRAP */
    bool goes;                    /* somebody has it by this op who is not to */
    bool covers;                  /* ours: to all who are to have it, and nobody else */
};

struct gathering {
    struct ml_org *org;
    const struct ml_exception *who;
    struct ml_stream_id stream;
    struct ml_buf items; /* of struct item */
    struct ml_recipient_id self;
    struct ml_shred_end *end; /* of a record whose time is over; NULL: somebody is left out */
    struct ml_buf named;      /* of struct ml_version_id: wraps that this member named as ended */
};

static struct item *items_of(const struct gathering *g, size_t *count)
{
    *count = g->items.len / sizeof(struct item);
    return (void *)g->items.data;
}

/* ---- what there is ---- */

static bool is_own(const struct ml_org *org, const struct ml_log_entry *entry)
{
    const struct ml_fact *f = ml_gov_opening(ml_log_gov(org->log), &entry->header.writer);
    return f != NULL && SAME(f->member, org->session->member);
}

static size_t place_in(const struct ml_exception *who, const struct ml_recipient_id *id)
{
    size_t i = 0;
    for (; i < who->count; i++) {
        const struct ml_recipient_id one = ml_recipient_id_of(&who->to[i]);
        if (SAME(one, *id)) {
            break;
        }
    }
    return i;
}

/* Of slots, which name each of theirs once: strangers make it go, if this member has one too. */
static void slots_weigh(const struct gathering *g, struct item *item,
                        const struct ml_dek_slots *slots, bool own)
{
    struct ml_list_walk walk;
    struct ml_dek_slot slot;
    size_t named = 0;
    bool stranger = false;
    bool mine = false;
    ml_list_walk(&walk, &slots->slots);
    while (ml_dek_slot_next(&walk, &slot)) {
        const bool is = place_in(g->who, &slot.recipient) < g->who->count;
        named += is;
        stranger = stranger || !is;
        mine = mine || SAME(slot.recipient, g->self);
    }
    item->goes = stranger && mine;
    item->covers = own && !stranger && named == g->who->count;
}

static void signer_add(struct ml_shred_end *end, const struct ml_member_id *member)
{
    uint32_t i = 0;
    while (i < end->signer_count && !SAME(end->signers[i], *member)) {
        i++;
    }
    if (i == end->signer_count && i < ML_SHRED_SIGNERS_MAX) {
        end->signers[end->signer_count++] = *member;
    }
}

/* Wraps that somebody named as what nothing replaces. */
static ml_err end_take(struct gathering *g, const struct ml_log_entry *entry,
                       const struct ml_shred *op)
{
    const struct ml_fact *by = ml_gov_opening(ml_log_gov(g->org->log), &entry->header.writer);
    struct ml_list_walk walk;
    struct ml_shred_wrap one;
    ml_list_walk(&walk, &op->wraps);
    while (by != NULL && ml_shred_wrap_next(&walk, &one)) {
        if (one.wrap.same_bundle || one.by.same_bundle ||
            ml_version_id_compare(&one.wrap.id, &one.by.id) != 0) {
            continue;
        }
        signer_add(g->end, &by->member);
        if (SAME(by->member, g->org->session->member)) {
            ml_buf_append(&g->named, &one.wrap.id, sizeof(one.wrap.id));
        }
    }
    return g->named.err;
}

static ml_err item_take(void *user, const struct ml_log_entry *entry, uint8_t index,
                        const struct ml_keyop *op)
{
    struct gathering *g = user;
    if (op->type == ML_KEYOP_SHRED && g->end != NULL &&
        ml_log_op_counts(g->org->log, entry, index)) {
        return end_take(g, entry, &op->u.shred);
    }
    struct item item = {.at = {ml_hash16_of(&entry->hash), index}};
    const bool own = is_own(g->org, entry) && ml_log_op_counts(g->org->log, entry, index);
    switch (op->type) {
    case ML_KEYOP_DEK_WRAP:
        item.dek = op->u.dek_wrap.dek;
        item.kek = op->u.dek_wrap.kek;
        item.goes = true;
        break;
    case ML_KEYOP_DEPOSIT_WRAP:
        item.dek = op->u.deposit_wrap.dek;
        item.kek = op->u.deposit_wrap.kek;
        item.goes = true;
        break;
    case ML_KEYOP_BG_WRAP:
        item.dek = op->u.bg_wrap.dek;
        if (g->who->compartment != ML_COMPARTMENT_SENSITIVE) { /* there members have shares */
            item.break_glass = op->u.bg_wrap.break_glass;
        }
        item.goes = g->who->emergency;
        break;
    case ML_KEYOP_DEK_SLOTS:
        item.dek = op->u.dek_slots.dek;
        slots_weigh(g, &item, &op->u.dek_slots, own);
        break;
    default:
        return ML_OK;
    }
    ml_buf_append(&g->items, &item, sizeof(item));
    return g->items.err;
}

static ml_err items_gather(struct gathering *g)
{
    ml_buf_clear(&g->items);
    return ml_log_wraps(g->org->log, &g->stream, item_take, g);
}

static const struct item *cover_of(const struct gathering *g, const struct ml_key_id *dek)
{
    size_t count = 0;
    const struct item *items = items_of(g, &count);
    size_t i = 0;
    while (i < count && (!items[i].covers || !SAME(items[i].dek, *dek))) {
        i++;
    }
    return i < count ? &items[i] : NULL;
}

/* ---- sealing anew ---- */

/* Is it the first that goes of its DEK? */
static bool is_first(const struct item *items, size_t at)
{
    size_t i = 0;
    while (!items[i].goes || !SAME(items[i].dek, items[at].dek)) {
        i++;
    }
    return i == at;
}

/* Every DEK that something gives to a stranger, to all who are to have it. */
static ml_err covers_make(struct gathering *g)
{
    struct ml_keys keys;
    size_t count = 0;
    const struct item *items = items_of(g, &count);
    ml_err err = ML_OK;
    ml_keys_init(&keys, g->org->node->env);
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        const struct ml_seal_key key = {g->stream, items[i].dek};
        if (items[i].goes && is_first(items, i) && cover_of(g, &items[i].dek) == NULL) {
            err = ml_keyring_make_slots(ml_session_keyring(g->org), g->who, &key, ml_keys_emit,
                                        &keys);
            err = err == ML_E_NO_KEY ? ML_OK : err; /* not ours to destroy */
        }
    }
    if (err == ML_OK && keys.sizes.len > 0) {
        err = ml_keys_append(g->org, &keys);
        err = err == ML_OK ? items_gather(g) : err;
    }
    ml_keys_free(&keys);
    return err;
}

/* ---- whose group it was ---- */

struct epoch_search {
    const struct item *of;
    struct ml_key_id kek; /* of the group, for what names none */
    ml_compartment compartment;
    struct ml_version_id at;
    bool found;
};

static bool has_kek(const struct item *item)
{
    return !ml_is_zero(item->kek.b, sizeof(item->kek.b));
}

static bool has_pair(const struct item *item)
{
    return !ml_is_zero(item->break_glass.b, sizeof(item->break_glass.b));
}

static ml_err epoch_take(void *user, const struct ml_log_entry *entry, uint8_t index,
                         const struct ml_keyop *op)
{
    struct epoch_search *s = user;
    if (s->found || op->type != ML_KEYOP_KEK_EPOCH || entry->verdict != ML_VERDICT_ACCEPTED ||
        op->u.kek_epoch.compartment != s->compartment) {
        return ML_OK;
    }
    s->found = has_pair(s->of) ? SAME(op->u.kek_epoch.break_glass, s->of->break_glass)
                               : SAME(op->u.kek_epoch.kek, s->kek);
    s->at = (struct ml_version_id){ml_hash16_of(&entry->hash), index};
    return ML_OK;
}

/* Slots name no group: the one of any team of the patient whose key seals here. */
static ml_err group_kek(const struct gathering *g, struct ml_key_id *kek)
{
    struct ml_keyring *k = ml_session_keyring(g->org);
    struct ml_team_id teams[ML_KEYRING_LINKS_MAX];
    size_t count = 0;
    bool found = false;
    ml_err err = ml_keyring_teams(k, &g->who->patient, teams, &count);
    for (size_t i = 0; err == ML_OK && i < count && !found; i++) {
        found = ml_keyring_group_kek(k, &teams[i], g->who->compartment, kek);
    }
    return err == ML_OK && !found ? ML_E_NOT_FOUND : err;
}

/* NOT_FOUND: nobody here can say. */
static ml_err epoch_of(const struct gathering *g, const struct item *item, struct epoch_search *s)
{
    ml_err err = ML_OK;
    const bool again = s->found && has_pair(s->of) == has_pair(item) &&
                       SAME(s->of->break_glass, item->break_glass) && SAME(s->of->kek, item->kek);
    if (again) {
        return ML_OK;
    }
    *s = (struct epoch_search){.of = item, .kek = item->kek, .compartment = g->who->compartment};
    if (!has_kek(item) && !has_pair(item)) {
        err = group_kek(g, &s->kek);
    }
    if (err == ML_OK) {
        const struct ml_slice name =
            has_pair(item) ? ml_slice(item->break_glass.b, sizeof(item->break_glass.b))
                           : ml_slice(s->kek.b, sizeof(s->kek.b));
        err = ml_log_keyops(g->org->log, name, epoch_take, s);
    }
    return err == ML_OK && !s->found ? ML_E_NOT_FOUND : err;
}

/* ---- destroying ---- */

static int wrap_order(const void *a, const void *b)
{
    const struct ml_shred_wrap *x = a;
    const struct ml_shred_wrap *y = b;
    return ml_version_id_compare(&x->wrap.id, &y->wrap.id);
}

static bool is_named(const struct gathering *g, const struct ml_version_id *wrap)
{
    const struct ml_version_id *all = (const void *)g->named.data;
    const size_t count = g->named.len / sizeof(*all);
    size_t i = 0;
    while (i < count && ml_version_id_compare(&all[i], wrap) != 0) {
        i++;
    }
    return i < count;
}

/* What stands in its place: of a record that ends the wrap itself. NULL: nothing to be done. */
static const struct ml_version_id *by_of(const struct gathering *g, const struct item *item)
{
    if (g->end != NULL) {
        return item->goes && !is_named(g, &item->at) ? &item->at : NULL;
    }
    const struct item *cover = item->goes ? cover_of(g, &item->dek) : NULL;
    return cover == NULL ? NULL : &cover->at;
}

static ml_err wraps_name(const struct gathering *g, struct ml_buf *wraps)
{
    struct epoch_search s = {.found = false};
    size_t count = 0;
    const struct item *items = items_of(g, &count);
    ml_err err = ML_OK;
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        const struct ml_version_id *by = by_of(g, &items[i]);
        if (by == NULL) {
            continue;
        }
        err = epoch_of(g, &items[i], &s);
        if (err == ML_OK) {
            const struct ml_shred_wrap one = {
                .wrap.id = items[i].at, .by.id = *by, .epoch.id = s.at, .dek = items[i].dek};
            ml_buf_append(wraps, &one, sizeof(one));
            err = wraps->err;
        }
        err = err == ML_E_NOT_FOUND ? ML_OK : err;
    }
    return err;
}

static ml_err shreds_emit(const struct gathering *g, struct ml_buf *wraps, struct ml_keys *keys)
{
    struct ml_shred_wrap *all = (void *)wraps->data;
    const size_t count = wraps->len / sizeof(*all);
    ml_err err = ML_OK;
    if (count > 0) {
        qsort(all, count, sizeof(*all), wrap_order);
    }
    for (size_t at = 0; at < count && err == ML_OK; at += ML_KEYOP_SHRED_MAX) {
        const size_t left = count - at;
        struct ml_keyop op = {.type = ML_KEYOP_SHRED, .u.shred.stream = g->stream};
        struct ml_buf buf;
        op.u.shred.wraps.items = all + at;
        op.u.shred.wraps.count = (uint32_t)(left < ML_KEYOP_SHRED_MAX ? left : ML_KEYOP_SHRED_MAX);
        ml_buf_init(&buf, g->org->node->env, ML_BODY_BYTES_MAX);
        err = ml_keyop_encode(&buf, &op);
        err = err == ML_OK ? ml_keys_emit(keys, ml_buf_slice(&buf)) : err;
        ml_buf_free(&buf);
    }
    return err;
}

static ml_err shreds_make(struct gathering *g)
{
    struct ml_keys keys;
    struct ml_buf wraps;
    ml_keys_init(&keys, g->org->node->env);
    ml_buf_init(&wraps, g->org->node->env, ITEMS_BYTES_MAX);
    ml_err err = wraps_name(g, &wraps);
    if (err == ML_OK) {
        err = shreds_emit(g, &wraps, &keys);
    }
    if (err == ML_OK && keys.sizes.len > 0) {
        err = ml_keys_append(g->org, &keys);
    }
    ml_buf_free(&wraps);
    ml_keys_free(&keys);
    return err;
}

static ml_err stream_shred(struct gathering *g)
{
    bool shared = false; /* asked first: the log would be read as a whole */
    ml_err err = ml_keyring_is_shared(ml_session_keyring(g->org), g->who, &g->stream, &shared);
    if (err == ML_OK && shared) {
        err = items_gather(g);
        err = err == ML_OK ? covers_make(g) : err;
        err = err == ML_OK ? shreds_make(g) : err;
    }
    return err;
}

ml_err ml_shred_run(struct ml_org *org, const struct ml_exception *who)
{
    struct ml_keyring *k = ml_session_keyring(org);
    struct ml_stream_id streams[ML_KEYRING_LINKS_MAX];
    struct gathering g = {.org = org, .who = who, .self = ml_keyring_self(k)};
    size_t count = 0;
    if (place_in(who, &g.self) == who->count) {
        return ML_OK; /* who is left out himself destroys nothing */
    }
    ml_buf_init(&g.items, org->node->env, ITEMS_BYTES_MAX);
    ml_err err = ml_keyring_streams(k, &who->patient, who->compartment, streams, &count);
    for (size_t i = 0; i < count && err == ML_OK; i++) {
        g.stream = streams[i];
        err = stream_shred(&g);
    }
    ml_buf_free(&g.items);
    return err;
}

/* ---- a record whose time is over ---- */

/* The patient's streams stay known here while his wraps go. */
struct ending {
    struct ml_stream_id streams[ML_KEYRING_LINKS_MAX];
    size_t count;
    struct ml_exception who; /* nobody */
};

static ml_err streams_look(struct gathering *g, const struct ending *e)
{
    ml_err err = ML_OK;
    g->who = &e->who;
    for (size_t i = 0; i < e->count && err == ML_OK; i++) {
        size_t count = 0;
        ml_buf_clear(&g->named);
        g->stream = e->streams[i];
        err = items_gather(g);
        const struct item *items = items_of(g, &count);
        for (size_t k = 0; k < count && err == ML_OK; k++) {
            g->end->standing++;
            g->end->closed += !items[k].goes || !is_named(g, &items[k].at);
        }
    }
    return err;
}

static ml_err streams_end(struct gathering *g, const struct ending *e)
{
    ml_err err = ML_OK;
    g->who = &e->who;
    for (size_t i = 0; i < e->count && err == ML_OK; i++) {
        ml_buf_clear(&g->named);
        g->stream = e->streams[i];
        err = items_gather(g);
        err = err == ML_OK ? shreds_make(g) : err;
    }
    return err;
}

static ml_err endings_find(struct ml_org *org, struct ending all[ML_COMPARTMENT_ANNUAIRE],
                           const struct ml_object_id *patient)
{
    ml_err err = ML_OK;
    for (unsigned c = 1; c < ML_COMPARTMENT_ANNUAIRE && err == ML_OK; c++) {
        all[c] = (struct ending){
            .who = {.patient = *patient, .compartment = (ml_compartment)c, .emergency = true}};
        err = ml_keyring_streams(ml_session_keyring(org), patient, (ml_compartment)c,
                                 all[c].streams, &all[c].count);
    }
    return err;
}

static ml_err end_run(struct ml_org *org, const struct ml_object_id *patient,
                      struct ml_shred_end *out, bool sign)
{
    struct ml_shred_end end = {.standing = 0};
    struct gathering g = {
        .org = org, .self = ml_keyring_self(ml_session_keyring(org)), .end = &end};
    struct ending *all =
        ml_alloc_array(org->node->env, ML_COMPARTMENT_ANNUAIRE, sizeof(struct ending));
    if (all == NULL) {
        return ML_E_NOMEM;
    }
    ml_buf_init(&g.items, org->node->env, ITEMS_BYTES_MAX);
    ml_buf_init(&g.named, org->node->env, ITEMS_BYTES_MAX);
    ml_err err = endings_find(org, all, patient);
    for (unsigned c = 1; c < ML_COMPARTMENT_ANNUAIRE && err == ML_OK && sign; c++) {
        err = streams_end(&g, &all[c]);
    }
    end = (struct ml_shred_end){.standing = 0};
    for (unsigned c = 1; c < ML_COMPARTMENT_ANNUAIRE && err == ML_OK; c++) {
        err = streams_look(&g, &all[c]);
    }
    if (err == ML_OK) {
        *out = end;
    }
    ml_buf_free(&g.named);
    ml_buf_free(&g.items);
    ml_release(org->node->env, all);
    return err;
}

ml_err ml_shred_end_look(struct ml_org *org, const struct ml_object_id *patient,
                         struct ml_shred_end *out)
{
    return end_run(org, patient, out, false);
}

ml_err ml_shred_end(struct ml_org *org, const struct ml_object_id *patient,
                    struct ml_shred_end *out)
{
    return end_run(org, patient, out, true);
}

/* ---- receipts ---- */

struct refs {
    struct ml_op_ref ref[ML_KEYOP_DONE_MAX];
    uint32_t count;
};

static void ref_add(struct refs *refs, const struct ml_version_id *id)
{
    uint32_t at = refs->count;
    while (at > 0 && ml_version_id_compare(&refs->ref[at - 1].op.id, id) >= 0) {
        at--;
    }
    if (at < refs->count && ml_version_id_compare(&refs->ref[at].op.id, id) == 0) {
        return;
    }
    memmove(&refs->ref[at + 1], &refs->ref[at], (refs->count - at) * sizeof(refs->ref[0]));
    refs->ref[at] = (struct ml_op_ref){.op.id = *id};
    refs->count++;
}

struct answer_search {
    const struct ml_org *org;
    struct ml_version_id shred;
    bool found;
};

static ml_err answer_take(void *user, const struct ml_log_entry *entry, uint8_t index,
                          const struct ml_keyop *op)
{
    struct answer_search *s = user;
    const struct ml_fact *f = ml_gov_opening(ml_log_gov(s->org->log), &entry->header.writer);
    struct ml_list_walk walk;
    struct ml_op_ref ref;
    (void)index;
    if (op->type != ML_KEYOP_SHRED_DONE || f == NULL || !SAME(f->member, s->org->session->member) ||
        !SAME(f->node, s->org->secrets.node)) {
        return ML_OK;
    }
    ml_list_walk(&walk, &op->u.shred_done.shreds);
    while (ml_op_ref_next(&walk, &ref)) {
        s->found = s->found || ml_version_id_compare(&ref.op.id, &s->shred) == 0;
    }
    return ML_OK;
}

/* Did this member on this node sign for it already, perhaps by a vault that is gone? */
static ml_err is_answered(struct ml_org *org, const struct ml_version_id *shred, bool *answered)
{
    struct answer_search s = {.org = org, .shred = *shred};
    ml_err err = ml_log_keyops(org->log, ml_slice(shred->bundle.b, sizeof(shred->bundle.b)),
                               answer_take, &s);
    *answered = s.found;
    return err;
}

static ml_err ref_take(struct ml_org *org, struct refs *refs, const struct ml_log_shredded *one)
{
    bool answered = false;
    if (one->left != 0) {
        return ML_OK; /* another wrap of it is still to go, and comes later */
    }
    ml_err err = is_answered(org, &one->shred, &answered);
    if (err == ML_OK && !answered) {
        ref_add(refs, &one->shred);
    }
    return err;
}

/* Up to a number; *last is how far it came. */
static ml_err refs_gather(struct ml_org *org, struct refs *refs, uint64_t *last)
{
    const uint64_t end = ml_log_shreds(org->log);
    struct ml_version_id before = {.index = 0};
    ml_err err = ML_OK;
    while (err == ML_OK && *last < end && refs->count < ML_KEYOP_DONE_MAX) {
        struct ml_log_shredded one;
        err = ml_log_shredded_after(org->log, *last, &one);
        if (err == ML_OK && ml_version_id_compare(&one.shred, &before) != 0) {
            before = one.shred;
            err = ref_take(org, refs, &one);
        }
        *last = err == ML_OK ? one.number : *last;
    }
    return err;
}

static ml_err receipt_emit(struct ml_org *org, const struct refs *refs)
{
    struct ml_keyop op = {.type = ML_KEYOP_SHRED_DONE};
    struct ml_keys keys;
    struct ml_buf buf;
    if (refs->count == 0) {
        return ML_OK;
    }
    op.u.shred_done.shreds = (struct ml_list){.items = refs->ref, .count = refs->count};
    ml_keys_init(&keys, org->node->env);
    ml_buf_init(&buf, org->node->env, ML_BODY_BYTES_MAX);
    ml_err err = ml_keyop_encode(&buf, &op);
    if (err == ML_OK) {
        err = ml_keys_emit(&keys, ml_buf_slice(&buf));
    }
    if (err == ML_OK) {
        err = ml_keys_append(org, &keys);
    }
    ml_buf_free(&buf);
    ml_keys_free(&keys);
    return err;
}

static ml_err receipts_write(struct ml_org *org)
{
    struct ml_vault *v = org->session->vault;
    uint64_t told = 0;
    ml_err err = ml_vault_shreds_told(v, &told);
    told = told > ml_log_shreds(org->log) ? 0 : told; /* of another log */
    if (err == ML_OK && told < ml_log_shreds(org->log)) {
        err = ml_log_shreds_wiped(org->log);
        err = err == ML_OK ? ml_vault_wiped(v, org->log) : err;
    }
    while (err == ML_OK && told < ml_log_shreds(org->log)) {
        struct refs refs = {.count = 0};
        err = refs_gather(org, &refs, &told);
        if (err == ML_OK) {
            err = receipt_emit(org, &refs);
        }
        if (err == ML_OK) {
            err = ml_vault_shreds_tell(v, told);
        }
    }
    return err;
}

void ml_shred_receipts(struct ml_org *org)
{
    if (org->session == NULL || !org->session->writers_open || org->behind || org->signing ||
        ml_log_shreds(org->log) == 0) {
        return;
    }
    org->signing = true; /* what is written is followed, which comes here again */
    ml_err err = receipts_write(org);
    if (err != ML_OK) {
        ml_logf(org->node->env, ML_LOG_WARN, "shred", "a receipt waits: %s", ml_err_name(err));
    }
    org->signing = false;
}
