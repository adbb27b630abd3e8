/* tests/bench/fixture_seal.c -- see fixture_seal.h. */
#include "fixture_seal.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/hlc.h"
#include "core/codec/govop.h"
#include "core/model/seal.h"
#include "core/record/schema.h"
#include "net/node/keys.h"
#include "net/node/session.h"

enum { KEYS_PATIENTS = 1000 };

/* ---- writers ---- */

static bool gov_append(struct seal *s, const struct ml_author *author, struct ml_govop *op,
                       const struct ml_secret *cosigner)
{
    struct ml_buf bytes;
    ml_buf_init(&bytes, s->b->env, ML_GOVOP_BYTES_MAX);
    ml_err err = cosigner == NULL ? ml_govop_encode(&bytes, op)
                                  : ml_govop_encode_cosigned(&bytes, op, &s->org->id, cosigner);
    if (err == ML_OK) {
        const struct ml_slice one = ml_buf_slice(&bytes);
        err = ml_org_append_plain(s->org, author, ML_LANE_GOVERNANCE, &one, 1);
    }
    ml_buf_free(&bytes);
    return bench_good(s->b, err, "governance");
}

static bool enrol(struct seal *s, struct seal_writer *w, const struct ml_secret *mon_sign,
                  const struct ml_sign_pk *mon_pk)
{
    struct ml_author founder;
    struct ml_govop member = {.type = ML_GOVOP_MEMBER_ADD, .must_understand = true};
    struct ml_govop node = {.type = ML_GOVOP_NODE_ENROL, .must_understand = true};
    struct ml_govop opening = {.type = ML_GOVOP_WRITER_OPEN, .must_understand = true};
    struct ml_secret *box = NULL;
    const struct ml_env *env = s->b->env;
    ml_session_author(s->org, &founder);
    env->random(env->ctx, member.u.member_add.member.b, sizeof(member.u.member_add.member.b));
    member.u.member_add.rank = ML_RANK_LAST;
    member.u.member_add.role = 60;
    node.u.node_enrol.member = member.u.member_add.member;
    env->random(env->ctx, node.u.node_enrol.node.b, sizeof(node.u.node_enrol.node.b));
    node.u.node_enrol.mon_sign = *mon_pk;
    ml_err err = ml_box_keypair(&node.u.node_enrol.noise, &box, env);
    node.u.node_enrol.mon_box = node.u.node_enrol.noise;
    ml_secret_free(box);
    ml_sign_pk_of(&opening.u.writer_open.writer, w->seed);
    opening.u.writer_open.member = member.u.member_add.member;
    opening.u.writer_open.node = node.u.node_enrol.node;
    struct ml_author author;
    ml_author_of(&author, w->seed);
    w->id = author.id;
    return bench_good(s->b, err, "keys") && gov_append(s, &founder, &member, NULL) &&
           gov_append(s, &founder, &node, NULL) && gov_append(s, &author, &opening, mon_sign);
}

bool seal_enrol(struct seal *s, unsigned count)
{
    for (unsigned i = 0; i < count && !s->b->failed; i++) {
        struct seal_writer *w = &s->writers[i];
        struct ml_sign_pk pk;
        struct ml_sign_pk mon_pk;
        struct ml_secret *mon = NULL;
        ml_err err = ml_sign_keypair(&pk, &w->seed, s->b->env);
        if (err == ML_OK) {
            err = ml_sign_keypair(&mon_pk, &mon, s->b->env);
        }
        if (bench_good(s->b, err, "keys")) {
            enrol(s, w, mon, &mon_pk);
        }
        ml_secret_free(mon);
    }
    return !s->b->failed;
}

/* ---- keys of patients ---- */

static bool opens_emit(struct seal *s, const struct plan *p, size_t from, size_t to)
{
    const struct ml_fact *team = ml_gov_next(ml_log_gov(s->org->log), ML_FACT_TEAM, NULL);
    struct ml_keys keys;
    ml_err err = team == NULL ? ML_E_NOT_FOUND : ML_OK;
    ml_keys_init(&keys, s->b->env);
    for (size_t i = from; i < to && err == ML_OK; i++) {
        const struct plan_bundle *bundle = plan_bundle(p, i);
        if (!bundle->later) {
            err = ml_keyring_make_open(ml_session_keyring(s->org), &bundle->patient, &team->team,
                                       ml_keys_emit, &keys);
        }
    }
    err = err == ML_OK && keys.sizes.len > 0 ? ml_keys_append(s->org, &keys) : err;
    ml_keys_free(&keys);
    return bench_good(s->b, err, "streams");
}

static ml_err deks_of(struct seal *s, const struct plan_bundle *bundle, struct ml_keys *keys)
{
    struct ml_keyring *k = ml_session_keyring(s->org);
    ml_err err = ML_OK;
    for (unsigned c = 1; c <= ML_COMPARTMENT_LAST && err == ML_OK; c++) {
        struct ml_seal_key key;
        if ((bundle->compartments >> c & 1u) == 0) {
            continue;
        }
        err = ml_keyring_seal_key(k, &bundle->patient, (ml_compartment)c, &key);
        if (err == ML_E_NO_KEY) {
            err = ml_keyring_make_dek(k, &bundle->patient, (ml_compartment)c, ml_keys_emit, keys);
        }
    }
    return err;
}

static bool deks_emit(struct seal *s, const struct plan *p, size_t from, size_t to)
{
    struct ml_keys keys;
    ml_err err = ML_OK;
    ml_keys_init(&keys, s->b->env);
    for (size_t i = from; i < to && err == ML_OK; i++) {
        err = plan_bundle(p, i)->later ? ML_OK : deks_of(s, plan_bundle(p, i), &keys);
    }
    err = err == ML_OK && keys.sizes.len > 0 ? ml_keys_append(s->org, &keys) : err;
    ml_keys_free(&keys);
    return bench_good(s->b, err, "data keys");
}

bool seal_keys(struct seal *s, const struct plan *p)
{
    const size_t count = plan_bundle_count(p);
    for (size_t from = 0; from < count && !s->b->failed; from += KEYS_PATIENTS) {
        size_t to = from + KEYS_PATIENTS < count ? from + KEYS_PATIENTS : count;
        if (opens_emit(s, p, from, to)) {
            deks_emit(s, p, from, to);
        }
    }
    return !s->b->failed;
}

/* ---- bundles ---- */

bool seal_begin(struct seal *s)
{
    s->hlc = ml_log_hlc_last(s->org->log);
    for (unsigned i = 0; i < FIXTURE_WRITERS && !s->b->failed; i++) {
        struct seal_writer *w = &s->writers[i];
        struct ml_log_next next;
        if (bench_good(s->b, ml_log_next_own(s->org->log, &w->id, ML_LANE_RECORD, &next), "next")) {
            w->gctx = next.gctx;
            w->first_count = (uint32_t)next.dep_count;
            memcpy(w->first, next.deps, next.dep_count * sizeof(w->first[0]));
        }
    }
    return !s->b->failed;
}

/* Which ones are written before this one, by which writer. */
static unsigned writer_of(size_t i)
{
    return (unsigned)(i / SEAL_TURN % FIXTURE_WRITERS);
}

static int dep_order(const void *a, const void *b)
{
    return ml_dep_compare(a, b);
}

/* The heads of the others, those that wrote in this round before as they were when it began. */
static uint32_t others_heads(struct ml_dep *deps, const struct ml_dep *round_began,
                             const struct seal_writer *self)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < FIXTURE_WRITERS; i++) {
        if (round_began[i].seq > 0 && memcmp(&round_began[i].writer, &self->id, 16) != 0) {
            deps[count++] = round_began[i];
        }
    }
    qsort(deps, count, sizeof(*deps), dep_order);
    return count;
}

static void round_begin(const struct seal *s, struct ml_dep *heads)
{
    for (unsigned i = 0; i < FIXTURE_WRITERS; i++) {
        const struct seal_writer *w = &s->writers[i];
        heads[i] = (struct ml_dep){.writer = w->id, .lane = ML_LANE_RECORD, .seq = w->seq};
        heads[i].hash = ml_hash16_of(&w->prev);
    }
}

/* One of the same compartment before it, or NULL. */
static const struct ml_seal_item *item_like(const struct ml_seal_item *items, uint16_t i)
{
    for (uint16_t k = 0; k < i; k++) {
        if (items[k].compartment == items[i].compartment) {
            return &items[k];
        }
    }
    return NULL;
}

static bool items_of(struct seal *s, const struct plan *p, const struct plan_bundle *bundle,
                     struct ml_seal_item *items)
{
    for (uint16_t i = 0; i < bundle->count; i++) {
        const struct plan_item *from = plan_item(p, bundle->first + i);
        items[i] = (struct ml_seal_item){
            .change = {.schema = ML_SCHEMA_VERSION,
                       .type = ML_CHANGE_CREATE,
                       .entity = from->entity->id,
                       .object = from->id,
                       .value = ml_slice(p->values.data + from->values_at, from->values_len),
                       .effective = from->effective,
                       .author = from->author},
            .hlc_delta = i,
            .compartment = (uint8_t)from->entity->compartment};
        const struct ml_seal_item *like = item_like(items, i);
        ml_err err = ML_OK;
        if (like != NULL) {
            items[i].key = like->key;
        } else {
            err = ml_keyring_seal_key(ml_session_keyring(s->org), &bundle->patient,
                                      from->entity->compartment, &items[i].key);
        }
        if (!bench_good(s->b, err, "key")) {
            return false;
        }
    }
    return true;
}

bool seal_bundle(struct seal *s, struct ml_buf *out, const struct plan *p, size_t i)
{
    static struct ml_dep heads[FIXTURE_WRITERS];
    struct ml_seal_item items[PLAN_BUNDLE_OPS];
    struct ml_dep deps[SEAL_DEPS] = {{.seq = 0}};
    struct seal_writer *w = &s->writers[writer_of(i)];
    const struct plan_bundle *bundle = plan_bundle(p, i);
    struct ml_seal_place place = {
        .writer = w->id, .seq = w->seq + 1, .prev = w->prev, .gctx = w->gctx, .deps = deps};
    struct ml_hash hash;
    uint32_t taken = 0;
    if (i % ((size_t)SEAL_TURN * FIXTURE_WRITERS) == 0) {
        round_begin(s, heads);
    }
    if (w->seq == 0) {
        memcpy(deps, w->first, w->first_count * sizeof(deps[0]));
        place.dep_count = w->first_count;
    } else if (i % SEAL_TURN == 0) {
        place.dep_count = others_heads(deps, heads, w);
    }
    s->hlc += 1u << 16;
    place.hlc = s->hlc;
    const struct ml_sealer sealer = {.env = s->b->env,
                                     .org = s->org->id,
                                     .keyring = ml_session_keyring(s->org),
                                     .node_salt = s->org->salt_key,
                                     .seed = w->seed};
    const struct ml_seal_args args = {
        .sealer = &sealer, .place = &place, .items = items, .count = bundle->count};
    if (!items_of(s, p, bundle, items) ||
        !bench_good(s->b, ml_seal_bundle(&args, out, &taken, &hash), "seal")) {
        return false;
    }
    w->seq++;
    w->prev = hash;
    return taken == bundle->count || bench_fail(s->b, "a bundle of 16 ops", ML_E_LIMIT);
}

void seal_end(struct seal *s)
{
    for (unsigned i = 0; i < FIXTURE_WRITERS; i++) {
        ml_secret_free(s->writers[i].seed);
        s->writers[i].seed = NULL;
    }
}
