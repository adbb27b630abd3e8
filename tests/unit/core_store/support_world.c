/* support_world.c -- see support_world.h. */
#include "support_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/codec/manifest.h"
#include "core/crypto/key_id.h"
#include "core/crypto/sign.h"
#include "support_dir.h"

static void actor_init(struct world *w, unsigned i)
{
    struct actor *a = &w->actors[i];
    assert_int_equal(ml_sign_keypair(&a->pk, &a->seed, &w->fake.env), ML_OK);
    assert_int_equal(ml_sign_keypair(&a->mon_pk, &a->mon, &w->fake.env), ML_OK);
    a->id = ml_writer_id_of(&a->pk);
    memset(a->member.b, (int)(0x10 + i), sizeof(a->member.b));
    memset(a->node.b, (int)(0x40 + i), sizeof(a->node.b));
}

void world_init(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof(*w));
    fake_env_init(&w->fake, seed);
    w->fake.wall_ms = 1700000000000u;
    assert_int_equal(ml_crypto_init(), ML_OK);
    assert_int_equal(ml_sign_keypair(&w->root_pk, &w->root, &w->fake.env), ML_OK);
    for (unsigned i = 0; i < WORLD_ACTORS; i++) {
        actor_init(w, i);
    }
    support_dir_make(w->dir, sizeof(w->dir));
}

void world_forget_last(struct world *w)
{
    union {
        const uint8_t *in;
        void *out;
    } p = {.in = w->made[--w->made_count].wire.data};
    ml_release(&w->fake.env, p.out);
}

int world_free(struct world *w)
{
    for (unsigned i = 0; i < WORLD_ACTORS; i++) {
        ml_secret_free(w->actors[i].seed);
        ml_secret_free(w->actors[i].mon);
    }
    ml_secret_free(w->root);
    while (w->made_count > 0) {
        world_forget_last(w);
    }
    support_dir_remove(w->dir);
    return w->fake.live == 0 ? 0 : -1;
}

void world_path(const struct world *w, char *out, size_t size)
{
    char name[32];
    snprintf(name, sizeof(name), "log%u.db", w->files);
    support_path(out, size, w->dir, name);
}

ml_err world_try_open(struct world *w, struct ml_log **log)
{
    char path[300];
    world_path(w, path, sizeof(path));
    const struct ml_log_args args = {
        .env = &w->fake.env, .path = path, .vfs = w->vfs, .org = w->org, .create = true};
    return ml_log_open(log, &args);
}

struct ml_log *world_log(struct world *w)
{
    struct ml_log *log = NULL;
    w->files++;
    assert_int_equal(world_try_open(w, &log), ML_OK);
    return log;
}

struct ml_log *world_reopen(struct world *w, struct ml_log *log)
{
    struct ml_log *again = NULL;
    ml_log_close(log);
    assert_int_equal(world_try_open(w, &again), ML_OK);
    return again;
}

static struct ml_slice remember(struct world *w, struct ml_buf *wire, const struct ml_dep *id)
{
    assert_true(w->made_count < WORLD_WIRES);
    w->made[w->made_count++] = (struct made){ml_buf_slice(wire), *id};
    return ml_buf_slice(wire);
}

#define ROOT_MARK 0x52 /* hands sign where the op stands, so when its bundle is built */
#define HAND_MARK 0x48

static bool is_mark(const uint8_t *at, uint8_t mark)
{
    struct ml_signature all;
    memset(all.b, mark, sizeof(all.b));
    return memcmp(at, all.b, sizeof(all.b)) == 0;
}

/* A second is writer16 and signature, with two bytes of a head before the latter. */
static const struct actor *actor_before(const struct world *w, const uint8_t *sig)
{
    for (unsigned i = 0; i < WORLD_ACTORS; i++) {
        if (memcmp(sig - 2 - sizeof(w->actors[i].id), &w->actors[i].id, sizeof(w->actors[i].id)) ==
            0) {
            return &w->actors[i];
        }
    }
    fail_msg("nobody of this world signs");
    return NULL;
}

/* The op with signatures in the place of the marks. */
static struct ml_slice hands_sign(struct world *w, struct ml_slice bytes, const struct ml_header *h)
{
    static uint8_t room[1u << 16];
    static size_t used;
    struct ml_govop op;
    struct ml_hash hands;
    struct ml_hash root;
    if (h->lane != ML_LANE_GOVERNANCE || ml_govop_decode(&op, bytes, NULL) != ML_OK || !op.known ||
        ml_govop_hands(&op) == NULL || bytes.len < sizeof(struct ml_signature)) {
        return bytes;
    }
    used = used + bytes.len > sizeof(room) ? 0 : used;
    uint8_t *copy = memcpy(room + used, bytes.data, bytes.len);
    used += bytes.len;
    assert_int_equal(ml_govop_hands_hash(&hands, bytes, &w->org, h), ML_OK);
    assert_int_equal(ml_govop_root_hash(&root, bytes, &w->org, h), ML_OK);
    for (size_t i = 0; i <= bytes.len - sizeof(struct ml_signature); i++) {
        if (is_mark(copy + i, ROOT_MARK)) {
            ml_sign(copy + i, ml_slice(root.b, sizeof(root.b)), w->root);
        } else if (is_mark(copy + i, HAND_MARK)) {
            ml_sign(copy + i, ml_slice(hands.b, sizeof(hands.b)), actor_before(w, copy + i)->seed);
        }
    }
    return ml_slice(copy, bytes.len);
}

struct ml_slice world_build(struct world *w, struct ml_log *log, const struct draft *d)
{
    struct ml_log_next next = {0};
    struct ml_op_draft ops[64];
    struct ml_dict_entry entry = {.compartment = ML_COMPARTMENT_VITAL, .action = ML_ACTION_CREATE};
    struct ml_hash hash;
    struct ml_buf wire;
    if (d->next != NULL) {
        next = *d->next;
    } else {
        assert_int_equal(ml_log_next_own(log, &d->by->id, d->lane, &next), ML_OK);
    }
    for (uint32_t i = 0; i < d->op_count; i++) {
        ops[i] = (struct ml_op_draft){.hlc_delta = i, .sealed = d->ops[i]};
    }
    uint64_t now = ml_hlc_make(w->fake.wall_ms++, 0);
    struct ml_bundle_draft draft = {
        .header = {.writer = d->by->id,
                   .lane = d->lane,
                   .seq = next.seq,
                   .prev = next.prev,
                   .gctx = next.gctx,
                   .deps = {.items = next.deps, .count = (uint32_t)next.dep_count},
                   .hlc = now > next.hlc_min ? now : next.hlc_min},
        .ops = ops,
        .op_count = d->op_count};
    if (d->hlc != 0) {
        draft.header.hlc = d->hlc;
    }
    for (uint32_t i = 0; i < d->op_count; i++) {
        ops[i].sealed = hands_sign(w, ops[i].sealed, &draft.header);
    }
    if (d->lane >= ML_LANE_TRACE) {
        draft.header.dictionary = (struct ml_list){.items = &entry, .count = 1};
    }
    w->fake.env.random(w->fake.env.ctx, draft.header.salt.b, sizeof(draft.header.salt.b));
    ml_buf_init(&wire, &w->fake.env, ML_BUNDLE_BYTES_MAX);
    assert_int_equal(ml_bundle_build(&wire, &hash, &draft, &w->org, d->by->seed), ML_OK);
    const struct ml_dep id = {
        .writer = d->by->id, .lane = d->lane, .seq = next.seq, .hash = ml_hash16_of(&hash)};
    return remember(w, &wire, &id);
}

struct last {
    struct ml_log_outcome outcome;
    size_t count;
};

static void keep_first(void *user, const struct ml_log_outcome *o)
{
    struct last *last = user;
    if (last->count++ == 0) {
        last->outcome = *o;
    }
}

struct ml_log_outcome world_ingest(struct ml_log *log, struct ml_slice wire)
{
    struct last last = {0};
    assert_int_equal(ml_log_ingest(log, &wire, 1, keep_first, &last), ML_OK);
    assert_true(last.count >= 1);
    return last.outcome;
}

struct ml_log_outcome world_append(struct world *w, struct ml_log *log, const struct draft *d)
{
    struct ml_log_outcome o = world_ingest(log, world_build(w, log, d));
    assert_int_equal(o.reason, ML_REASON_NONE);
    assert_int_equal(o.result, ML_LOG_STORED);
    assert_int_equal(o.verdict, ML_VERDICT_ACCEPTED);
    return o;
}

struct ml_slice world_op(struct world *w, struct ml_govop *op, const struct ml_secret *cosigner)
{
    static uint8_t bytes[8192];
    struct ml_buf buf;
    ml_buf_init(&buf, &w->fake.env, sizeof(bytes));
    op->known = true;
    ml_err err = cosigner == NULL ? ml_govop_encode(&buf, op)
                                  : ml_govop_encode_cosigned(&buf, op, &w->org, cosigner);
    assert_int_equal(err, ML_OK);
    memcpy(bytes, buf.data, buf.len);
    struct ml_slice out = ml_slice(bytes, buf.len);
    ml_buf_free(&buf);
    return out;
}

void world_found(struct world *w)
{
    static const struct ml_org_id zero;
    const struct actor *a = &w->actors[0];
    struct ml_govop op = {.type = ML_GOVOP_ORG_FOUND};
    struct ml_hash hash;
    struct ml_buf wire;
    op.u.org_found = (struct ml_org_found){.root_sign = w->root_pk,
                                           .network_epoch = 1,
                                           .member = a->member,
                                           .role = 10,
                                           .node = a->node,
                                           .mon_sign = a->mon_pk,
                                           .writer = a->pk,
                                           .created = ml_hlc_make(w->fake.wall_ms, 0)};
    memset(op.u.org_found.noise.b, 0x70, sizeof(op.u.org_found.noise.b));
    const struct ml_op_draft ops[] = {{.sealed = world_op(w, &op, w->root)}};
    struct ml_bundle_draft draft = {.header = {.flags = ML_BUNDLE_FLAG_GENESIS,
                                               .writer = a->id,
                                               .seq = 1,
                                               .gctx = ml_gctx_of(&zero, NULL, 0),
                                               .hlc = op.u.org_found.created},
                                    .ops = ops,
                                    .op_count = 1};
    ml_buf_init(&wire, &w->fake.env, ML_BUNDLE_BYTES_MAX);
    assert_int_equal(ml_bundle_build(&wire, &hash, &draft, NULL, a->seed), ML_OK);
    memcpy(w->org.b, hash.b, sizeof(w->org.b));
    const struct ml_dep id = {.writer = a->id, .seq = 1, .hash = ml_hash16_of(&hash)};
    (void)remember(w, &wire, &id);
}

void world_admit(struct world *w, struct ml_log *log, const struct actor *a)
{
    struct ml_govop add = {.type = ML_GOVOP_MEMBER_ADD,
                           .u.member_add = {.member = a->member, .rank = 3, .role = 60}};
    struct ml_govop enrol = {
        .type = ML_GOVOP_NODE_ENROL,
        .u.node_enrol = {.member = a->member, .node = a->node, .mon_sign = a->mon_pk}};
    memcpy(enrol.u.node_enrol.noise.b, a->mon_pk.b, sizeof(enrol.u.node_enrol.noise.b));
    struct ml_slice op = world_op(w, &add, NULL);
    (void)world_append(w, log, &(struct draft){.by = &w->actors[0], .ops = &op, .op_count = 1});
    op = world_op(w, &enrol, NULL);
    (void)world_append(w, log, &(struct draft){.by = &w->actors[0], .ops = &op, .op_count = 1});
}

struct ml_govop world_matrix(struct world *w, const struct ml_matrix *matrix)
{
    static uint8_t bytes[4096];
    struct ml_govop op = {.type = ML_GOVOP_MATRIX, .must_understand = true};
    struct ml_buf buf;
    ml_buf_init(&buf, &w->fake.env, sizeof(bytes));
    assert_int_equal(ml_matrix_encode(&buf, matrix), ML_OK);
    memcpy(bytes, buf.data, buf.len);
    op.u.matrix.table = ml_slice(bytes, buf.len);
    ml_buf_free(&buf);
    return op;
}

struct ml_slice world_opening(struct world *w, const struct actor *a)
{
    struct ml_govop open = {
        .type = ML_GOVOP_WRITER_OPEN,
        .u.writer_open = {.writer = a->pk, .member = a->member, .node = a->node}};
    return world_op(w, &open, a->mon);
}

void world_enrol(struct world *w, struct ml_log *log, unsigned i)
{
    const struct actor *a = &w->actors[i];
    world_admit(w, log, a);
    struct ml_slice op = world_opening(w, a);
    (void)world_append(w, log, &(struct draft){.by = a, .ops = &op, .op_count = 1});
}

struct ml_log_outcome world_record(struct world *w, struct ml_log *log, unsigned i, uint32_t ops)
{
    static const struct ml_slice op = {(const uint8_t *)"sealed bytes, sealed bytes", 26};
    struct ml_slice all[64];
    for (uint32_t k = 0; k < ops; k++) {
        all[k] = op;
    }
    return world_append(
        w, log,
        &(struct draft){.by = &w->actors[i], .lane = ML_LANE_RECORD, .ops = all, .op_count = ops});
}

struct ml_slice world_manifest(const struct ml_hash *chunks, uint32_t count, uint32_t bytes)
{
    static uint8_t kept[ML_BODY_BYTES_MAX];
    const struct ml_manifest m = {.chunks = {.items = chunks, .count = count},
                                  .bytes = bytes,
                                  .sealed = ml_slice("sealed bytes, sealed bytes", 26)};
    struct ml_buf b;
    ml_buf_init(&b, ml_env_system(), sizeof(kept));
    assert_int_equal(ml_manifest_encode(&b, &m), ML_OK);
    const size_t len = b.len;
    memcpy(kept, b.data, len);
    ml_buf_free(&b);
    return ml_slice(kept, len);
}

struct ml_slice world_sealed(uint8_t lane)
{
    static const struct ml_hash chunk = {{1, 2, 3}};
    return lane == ML_LANE_BLOB ? world_manifest(&chunk, 1, 100)
                                : ml_slice("sealed bytes, sealed bytes", 26);
}

struct ml_log_outcome world_lane(struct world *w, struct ml_log *log, unsigned i, uint8_t lane)
{
    const struct ml_slice op = world_sealed(lane);
    return world_append(
        w, log, &(struct draft){.by = &w->actors[i], .lane = lane, .ops = &op, .op_count = 1});
}

void world_hands(struct world *w, struct ml_govop *op, const unsigned *actors, uint32_t count,
                 bool root)
{
    static struct ml_second seconds[ML_HANDS_MAX];
    struct ml_hands hands = {.second = {.items = seconds, .count = count}};
    assert_true(count <= ML_HANDS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const struct actor *a = &w->actors[actors[i]];
        uint32_t at = i;
        for (; at > 0 && memcmp(&seconds[at - 1].writer, &a->id, sizeof(a->id)) > 0; at--) {
            seconds[at] = seconds[at - 1];
        }
        seconds[at].writer = a->id;
        memset(seconds[at].sig.b, HAND_MARK, sizeof(seconds[at].sig.b));
    }
    if (root) {
        memset(hands.root.b, ROOT_MARK, sizeof(hands.root.b));
    }
    ml_govop_set_hands(op, &hands);
}

struct heads {
    struct ml_log *log;
    const struct ml_member_id *member;
    struct ml_dep at[ML_CUTS_MAX];
    uint32_t count;
};

static ml_err take_head(void *user, const struct ml_dep *head)
{
    struct heads *h = user;
    const struct ml_fact *opening = ml_gov_opening(ml_log_gov(h->log), &head->writer);
    if (h->member == NULL ||
        (opening != NULL && memcmp(&opening->member, h->member, sizeof(*h->member)) == 0)) {
        h->at[h->count++] = *head;
    }
    return ML_OK;
}

struct ml_list world_heads(struct ml_log *log, const struct ml_member_id *member)
{
    static struct heads h;
    h = (struct heads){.log = log, .member = member};
    assert_int_equal(ml_log_heads(log, take_head, &h), ML_OK);
    return (struct ml_list){.items = h.at, .count = h.count};
}

struct ml_ruling world_ruling(struct ml_log *log, const struct ml_dep *id)
{
    struct ml_log_entry e;
    assert_int_equal(ml_log_get(log, &id->hash, &e), ML_OK);
    return (struct ml_ruling){e.verdict, e.reason};
}

bool world_same_state(struct ml_log *a, struct ml_log *b)
{
    struct ml_hash ha;
    struct ml_hash hb;
    struct ml_frontier_digest da;
    struct ml_frontier_digest db;
    assert_int_equal(ml_log_state_hash(a, &ha), ML_OK);
    assert_int_equal(ml_log_state_hash(b, &hb), ML_OK);
    assert_int_equal(ml_log_digest(a, &da), ML_OK);
    assert_int_equal(ml_log_digest(b, &db), ML_OK);
    return memcmp(&ha, &hb, sizeof(ha)) == 0 && memcmp(&da, &db, sizeof(da)) == 0;
}
