/* tests/sim/sim_rogue.c -- a hostile peer: an enrolled member whose program was changed.
 *
 * What it signs goes to others with the genuine bundles of its node, which doesn't hold it itself;
 * or, where only the content is wrong, through its node's own log. Each kind names the verdict that
 * it is after; sim_watch.c counts those that come. Nothing of it may stand in any view, keep nodes
 * from being equal, or keep anything genuine from arriving. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/ids.h"
#include "core/codec/govop.h"
#include "core/codec/msg.h"
#include "core/crypto/hash.h"
#include "core/store/log.h"
#include "net/node/org.h"
#include "net/node/session.h"
#include "net/node/turn.h"
#include "net/node/write.h"
#include "sim.h"

enum { ROGUE_MAX = 8, PARTS_MAX = 2, OP_MAX = 2 };

struct rogue {
    struct sim *s;
    struct ml_org *org;
    struct ml_author author;
    struct ml_secret *seed; /* of a writer of its own, drawn for one bundle */
    struct ml_author other; /* with `seed` */
    struct ml_header header;
    struct ml_dep deps[ML_BUNDLE_DEPS_MAX + 1];
    struct ml_buf ops[OP_MAX];
    uint32_t op_count;
    struct ml_buf wire;
};

static void must(ml_err err)
{
    ML_ASSERT(err == ML_OK);
}

static void rogue_begin(struct rogue *r, struct sim *s, struct ml_org *org)
{
    const struct ml_env *env = org->node->env;
    *r = (struct rogue){.s = s, .org = org};
    ml_session_author(org, &r->author);
    must(ml_secret_new(&r->seed, 32));
    env->random(env->ctx, ml_secret_writable(r->seed), 32);
    ml_author_of(&r->other, r->seed);
    ml_buf_init(&r->wire, ml_env_system(), ML_BUNDLE_BYTES_MAX);
    for (size_t i = 0; i < OP_MAX; i++) {
        ml_buf_init(&r->ops[i], ml_env_system(), ML_GOVOP_BYTES_MAX);
    }
}

static void rogue_end(struct rogue *r)
{
    ml_secret_free(r->seed);
    ml_buf_free(&r->wire);
    for (size_t i = 0; i < OP_MAX; i++) {
        ml_buf_free(&r->ops[i]);
    }
}

/* ---- parts of a bundle ---- */

/* The header that an honest program would sign next. */
static bool header_next(struct rogue *r, const struct ml_author *author, uint8_t lane)
{
    if (ml_org_next_header(r->org, &r->header, author, lane) != ML_OK) {
        return false;
    }
    memcpy(r->deps, r->header.deps.items, r->header.deps.count * sizeof(r->deps[0]));
    r->header.deps.items = r->deps;
    return true;
}

static void op_member(struct rogue *r)
{
    struct ml_govop op = {.type = ML_GOVOP_MEMBER_ADD, .must_understand = true};
    op.u.member_add.rank = 3;
    op.u.member_add.role = 60;
    op.u.member_add.member.b[0] = (uint8_t)sim_below(r->s, 256);
    must(ml_govop_encode(&r->ops[r->op_count++], &op));
}

static void op_open(struct rogue *r, const struct ml_secret *cosigns, bool names)
{
    struct ml_govop op = {.type = ML_GOVOP_WRITER_OPEN, .must_understand = true};
    struct ml_log_next own;
    struct ml_dep head = {.writer = r->author.id};
    ml_sign_pk_of(&op.u.writer_open.writer, r->seed);
    op.u.writer_open.member = r->org->session->member;
    op.u.writer_open.node = r->org->secrets.node;
    if (names && ml_log_next_own(r->org->log, &r->author.id, ML_LANE_GOVERNANCE, &own) == ML_OK) {
        head.seq = own.seq - 1;
        head.hash = ml_hash16_of(&own.prev);
        op.u.writer_open.heads.items = &head;
        op.u.writer_open.heads.count = 1;
    }
    must(ml_govop_encode_cosigned(&r->ops[r->op_count++], &op, &r->org->id, cosigns));
}

static void bundle_sign(struct rogue *r, const struct ml_secret *seed)
{
    struct ml_op_draft ops[OP_MAX];
    struct ml_hash hash;
    const struct ml_env *env = r->org->node->env;
    struct ml_bundle_draft draft = {.header = r->header, .ops = ops, .op_count = r->op_count};
    for (uint32_t i = 0; i < r->op_count; i++) {
        ops[i] = (struct ml_op_draft){.sealed = ml_buf_slice(&r->ops[i])};
    }
    env->random(env->ctx, draft.header.salt.b, sizeof(draft.header.salt.b));
    must(ml_bundle_build(&r->wire, &hash, &draft, &r->org->id, seed));
}

static struct ml_dep genesis_of(const struct rogue *r)
{
    const struct ml_fact *f = ml_gov_next(ml_log_gov(r->org->log), ML_FACT_ORG, NULL);
    return f->at;
}

static int dep_compare(const void *a, const void *b)
{
    return ml_dep_compare(a, b);
}

/* One citation more, in its place of the order. */
static void cite(struct rogue *r, const struct ml_dep *dep)
{
    r->deps[r->header.deps.count++] = *dep;
    qsort(r->deps, r->header.deps.count, sizeof(r->deps[0]), dep_compare);
}

/* ---- what is refused ---- */

static bool own_lane_0(struct rogue *r)
{
    op_member(r);
    return header_next(r, &r->author, ML_LANE_GOVERNANCE) && r->header.seq > 1;
}

static bool format(struct rogue *r)
{
    if (!own_lane_0(r)) {
        return false;
    }
    ml_buf_clear(&r->ops[0]);
    ml_buf_append(&r->ops[0], "\xc1\xc1\xc1", 3);
    bundle_sign(r, r->author.seed);
    return true;
}

static bool signature(struct rogue *r)
{
    if (!own_lane_0(r)) {
        return false;
    }
    bundle_sign(r, r->seed);
    return true;
}

static bool body(struct rogue *r)
{
    if (!own_lane_0(r)) {
        return false;
    }
    bundle_sign(r, r->author.seed);
    r->wire.data[r->wire.len - 1] ^= 1;
    return true;
}

static bool no_body(struct rogue *r)
{
    struct ml_bundle bundle;
    struct ml_buf bare;
    const struct ml_wire_body absent = {.absent = ML_ABSENT_NOT_RECEIVED};
    if (!own_lane_0(r)) {
        return false;
    }
    bundle_sign(r, r->author.seed);
    must(ml_bundle_decode(&bundle, ml_buf_slice(&r->wire), NULL));
    ml_buf_init(&bare, ml_env_system(), ML_BUNDLE_BYTES_MAX);
    must(ml_bundle_join(&bare, bundle.header_bytes, &bundle.sig, &absent));
    ml_buf_free(&r->wire);
    r->wire = bare;
    return true;
}

static bool cites_itself(struct rogue *r)
{
    if (!own_lane_0(r)) {
        return false;
    }
    const struct ml_dep own = {.writer = r->author.id,
                               .lane = ML_LANE_GOVERNANCE,
                               .seq = r->header.seq - 1,
                               .hash = ml_hash16_of(&r->header.prev)};
    cite(r, &own);
    bundle_sign(r, r->author.seed);
    return true;
}

static bool names(const struct ml_header *h, const struct ml_writer_id *writer)
{
    struct ml_list_walk walk;
    struct ml_dep dep;
    bool found = false;
    ml_list_walk(&walk, &h->deps);
    while (ml_dep_next(&walk, &dep)) {
        found = found || memcmp(&dep.writer, writer, sizeof(*writer)) == 0;
    }
    return found;
}

/* Whether the author's first bundle cites this chain itself. */
static bool cited_before(struct rogue *r, const struct ml_writer_id *writer)
{
    struct ml_log_entry e = {0};
    bool found = false;
    while (!found && ml_log_after(r->org->log, e.n, ML_LOG_LANE(ML_LANE_GOVERNANCE), &e) == ML_OK) {
        found = e.header.seq == 1 && names(&e.header, writer) &&
                memcmp(&e.header.writer, &r->author.id, sizeof(*writer)) == 0;
    }
    return found;
}

static bool backwards(struct rogue *r)
{
    const struct ml_dep genesis = genesis_of(r);
    if (!own_lane_0(r) || !cited_before(r, &genesis.writer)) {
        return false; /* else it would be sound, and sign one number twice */
    }
    r->header.deps.count = 0;
    cite(r, &genesis);
    bundle_sign(r, r->author.seed);
    return true;
}

static bool gctx(struct rogue *r)
{
    if (!own_lane_0(r)) {
        return false;
    }
    r->header.gctx.b[3] ^= 1;
    bundle_sign(r, r->author.seed);
    return true;
}

static bool backdated(struct rogue *r)
{
    if (!own_lane_0(r)) {
        return false;
    }
    r->header.hlc = 1;
    bundle_sign(r, r->author.seed);
    return true;
}

/* A first bundle of a lane that its writer has perhaps not used, or of a writer of its own. */
static void first_bundle(struct rogue *r, const struct ml_author *author, uint8_t lane)
{
    const struct ml_dep genesis = genesis_of(r);
    r->header = (struct ml_header){
        .version = ML_BUNDLE_VERSION, .writer = author->id, .lane = lane, .seq = 1, .hlc = 1};
    r->header.deps.items = r->deps;
    cite(r, &genesis);
}

static bool no_opening(struct rogue *r)
{
    op_member(r);
    first_bundle(r, &r->author, ML_LANE_KEYS);
    r->header.deps.count = 0;
    bundle_sign(r, r->author.seed);
    return true;
}

static bool opening(struct rogue *r)
{
    op_member(r);
    first_bundle(r, &r->other, ML_LANE_GOVERNANCE);
    bundle_sign(r, r->seed);
    return true;
}

static bool stranger(struct rogue *r)
{
    op_open(r, r->seed, false);
    first_bundle(r, &r->other, ML_LANE_GOVERNANCE);
    r->header.deps.count = 0;
    bundle_sign(r, r->seed);
    return true;
}

static bool other_genesis(struct rogue *r)
{
    if (!stranger(r)) {
        return false;
    }
    ml_buf_clear(&r->wire);
    r->header.flags = ML_BUNDLE_FLAG_GENESIS;
    bundle_sign(r, r->seed);
    return true;
}

/* ---- what is set aside ---- */

static bool open_more(struct rogue *r)
{
    if (!header_next(r, &r->other, ML_LANE_GOVERNANCE)) {
        return false;
    }
    bundle_sign(r, r->seed);
    return true;
}

static bool not_enrolled(struct rogue *r)
{
    op_open(r, r->seed, true);
    return open_more(r);
}

static bool no_predecessor(struct rogue *r)
{
    op_open(r, r->org->session->secrets.mon_sign, false);
    return open_more(r);
}

static bool no_authority(struct rogue *r)
{
    op_open(r, r->org->session->secrets.mon_sign, true);
    op_member(r);
    return !ml_org_is_coordinator(r->org) && open_more(r);
}

/* A proof of a fork that is none: an op like others, that nobody believes. */
static bool fork_proof(struct rogue *r)
{
    struct ml_govop op = {.type = ML_GOVOP_FORK_PROOF, .must_understand = false};
    op.u.fork_proof.header_a = ml_slice_str("une branche");
    op.u.fork_proof.header_b = ml_slice_str("une autre");
    op_open(r, r->org->session->secrets.mon_sign, true);
    must(ml_govop_encode(&r->ops[r->op_count++], &op));
    return open_more(r);
}

/* ---- what waits for ever ---- */

static bool newer(struct rogue *r)
{
    op_open(r, r->org->session->secrets.mon_sign, true);
    ml_buf_append(&r->ops[r->op_count++], "\x82\x01\xcd\x03\xe7\x02\xc3", 7);
    return open_more(r);
}

static bool no_writer(struct rogue *r)
{
    op_member(r);
    first_bundle(r, &r->other, ML_LANE_KEYS);
    bundle_sign(r, r->seed);
    return true;
}

/* ---- signed and placed well, of wrong content: through the node's own log ---- */

static const struct sim_object *object_of(struct sim *s, bool event)
{
    for (unsigned i = 0; i < 50; i++) {
        const struct sim_object *o = &s->model.objects[sim_below(s, s->model.object_count)];
        if (!o->entity->is_patient && (o->entity->merge == ML_MERGE_EVENT) == event) {
            return o;
        }
    }
    return NULL;
}

struct content {
    ml_change_type type;
    bool event;      /* of an object that is one */
    bool misplaced;  /* in another compartment */
    bool of_patient; /* says to be a patient, and is another one */
    bool action;     /* announced as another action */
};

static bool id_read(uint8_t out[16], const char *hex)
{
    return ml_hex_decode(out, 16, hex, strlen(hex)) == ML_OK;
}

static bool item_fill(struct rogue *r, const struct content *c, struct ml_seal_item *item,
                      struct ml_object_id *patient)
{
    const struct sim_object *o = object_of(r->s, c->event);
    if (o == NULL || !id_read(patient->b, r->s->model.patients[o->patient]) ||
        !id_read(item->change.object.b, o->id)) {
        return false;
    }
    const struct ml_entity *e = o->entity;
    item->change.schema = ML_SCHEMA_VERSION;
    item->change.type = (uint8_t)c->type;
    item->change.slot = ml_field_slot(&e->fields[0]);
    item->change.value = ml_slice_str("\xc3"); /* true: of no field that is looked for */
    item->change.reason = ml_slice_str("programme modifié");
    if (c->of_patient) {
        e = ml_schema_entity_named(ml_schema_builtin(), "patient");
        item->change.object.b[15] ^= 1;
        item->change.slot = 0;
        item->change.value = ml_slice(NULL, 0);
    }
    item->change.entity = e->id;
    item->compartment = (uint8_t)e->compartment;
    if (c->misplaced) {
        item->compartment = e->compartment == ML_COMPARTMENT_MEDICAL ? ML_COMPARTMENT_VITAL
                                                                     : ML_COMPARTMENT_MEDICAL;
    }
    return true;
}

static void content_write(struct rogue *r, const struct content *c)
{
    struct ml_object_id patient;
    struct ml_seal_item item = {0};
    if (!item_fill(r, c, &item, &patient)) {
        return;
    }
    r->s->rogue.lies = c->action ? r->author.seed : NULL;
    ml_err err = ml_org_write(r->org, &patient, &item, 1);
    r->s->rogue.lies = NULL;
    sim_say(r->s, "a modified program writes %s: %s", ml_change_type_name((uint8_t)c->type),
            ml_err_name(err));
    ml_org_after_call(r->org);
    ml_node_wake(r->org->node);
}

/* ---- the act ---- */

struct kind {
    const char *name;
    bool (*make)(struct rogue *r); /* false: it can't, here */
    bool waits;                    /* stays pending where it comes */
};

static const struct kind kinds[] = {
    {"an op that doesn't parse", format, false},
    {"a wrong signature", signature, false},
    {"another body", body, false},
    {"governance without its body", no_body, false},
    {"a citation of itself", cites_itself, false},
    {"an older citation", backwards, false},
    {"a wrong governance digest", gctx, false},
    {"an earlier time", backdated, false},
    {"no citation of its opening", no_opening, false},
    {"an opening that is none", opening, false},
    {"no citation of governance", stranger, false},
    {"another genesis", other_genesis, false},
    {"a writer that nobody enrolled", not_enrolled, false},
    {"a writer without predecessor", no_predecessor, false},
    {"a member's act of governance", no_authority, false},
    {"a proof of no fork", fork_proof, false},
    {"an op of a newer version", newer, true},
    {"a bundle of an unknown writer", no_writer, true},
};

static const struct content contents[] = {
    {.type = ML_CHANGE_SET, .event = true},
    {.type = ML_CHANGE_MOVE, .event = true},
    {.type = ML_CHANGE_SET},
    {.type = ML_CHANGE_SET, .misplaced = true},
    {.type = ML_CHANGE_CREATE, .of_patient = true},
    {.type = ML_CHANGE_SET, .action = true},
};

enum {
    KINDS = sizeof(kinds) / sizeof(kinds[0]),
    CONTENTS = sizeof(contents) / sizeof(contents[0])
};

static void wire_arm(struct rogue *r, unsigned node, const struct kind *k)
{
    struct sim *s = r->s;
    if (!k->make(r)) {
        return;
    }
    free(s->rogue.wire);
    s->rogue.wire = malloc(r->wire.len);
    ML_ASSERT(s->rogue.wire != NULL);
    memcpy(s->rogue.wire, r->wire.data, r->wire.len);
    s->rogue.len = r->wire.len;
    s->rogue.from = node;
    s->rogue.waits = k->waits;
    s->rogue.name = k->name;
}

void sim_rogue(struct sim *s, unsigned node)
{
    struct ml_org *org = s->nodes[node].node->orgs;
    struct rogue r;
    if (org == NULL || org->session == NULL || !org->session->writers_open || s->forked ||
        s->rogue.acts++ >= ROGUE_MAX) {
        return;
    }
    rogue_begin(&r, s, org);
    const size_t i = (size_t)sim_below(s, KINDS + CONTENTS + 1);
    if (i < KINDS) {
        wire_arm(&r, node, &kinds[i]);
    } else if (i < KINDS + CONTENTS) {
        content_write(&r, &contents[i - KINDS]);
    } else {
        s->rogue.withholds = true;
        s->rogue.from = node;
    }
    rogue_end(&r);
}

/* The same bundle, announced as another action and signed again. */
bool sim_rogue_lies(struct sim *s, const struct ml_org_id *org, struct ml_slice wire,
                    struct ml_buf *out)
{
    struct ml_bundle bundle;
    struct ml_list_walk walk;
    struct ml_dict_entry dict[2];
    static struct ml_dep deps[ML_BUNDLE_DEPS_MAX + 1];
    struct ml_body_walk body_walk;
    struct ml_body_op op;
    struct ml_hash hash;
    if (s->rogue.lies == NULL || ml_bundle_decode(&bundle, wire, NULL) != ML_OK ||
        bundle.header.lane != ML_LANE_RECORD || bundle.header.n_ops != 1) {
        return false;
    }
    struct ml_bundle_draft draft = {.header = bundle.header, .op_count = 1};
    ml_list_walk(&walk, &bundle.header.deps);
    for (uint32_t i = 0; ml_dep_next(&walk, &deps[i]); i++) {
    }
    ml_list_walk(&walk, &bundle.header.dictionary);
    bool one = ml_dict_next(&walk, &dict[0]);
    ml_body_walk(&body_walk, bundle.body.bytes);
    one = one && ml_body_next(&body_walk, &op);
    ML_ASSERT(one);
    dict[0].action = dict[0].action == ML_ACTION_CREATE ? ML_ACTION_AMEND : ML_ACTION_CREATE;
    const struct ml_op_draft as_before = {
        .dict = op.dict, .hlc_delta = op.hlc_delta, .sealed = op.sealed};
    draft.ops = &as_before;
    draft.header.deps.items = deps;
    draft.header.dictionary.items = dict;
    must(ml_bundle_build(out, &hash, &draft, org, s->rogue.lies));
    return true;
}

/* ---- on the wire ---- */

/* One body after the other is left out of what is given. */
static void list_fill(struct sim *s, const struct ml_msg *msg, struct ml_slice *wires,
                      struct ml_buf *bare)
{
    struct ml_list_walk walk;
    struct ml_bundle bundle;
    size_t at = 0;
    uint32_t i = 0;
    const struct ml_wire_body absent = {.absent = ML_ABSENT_NOT_RECEIVED};
    ml_list_walk(&walk, &msg->u.bundles.items);
    for (; ml_list_next(&walk, &ml_format_wire_bundle, &wires[i]); i++) {
        const size_t start = bare->len;
        const bool decoded = ml_bundle_decode(&bundle, wires[i], NULL) == ML_OK;
        if (s->rogue.withholds && decoded && bundle.header.lane == ML_LANE_RECORD) {
            must(ml_bundle_join(bare, bundle.header_bytes, &bundle.sig, &absent));
            wires[i] = ml_slice(NULL, bare->len - start);
        }
    }
    for (uint32_t k = 0; k < i; k++) { /* the buffer moves no more */
        if (wires[k].data == NULL) {
            wires[k].data = bare->data + at;
            at += wires[k].len;
        }
    }
}

static void message_change(struct sim *s, struct ml_msg *msg, struct ml_buf *out)
{
    struct ml_slice *wires = calloc(msg->u.bundles.items.count + 1, sizeof(*wires));
    struct ml_buf bare;
    ML_ASSERT(wires != NULL);
    ml_buf_init(&bare, ml_env_system(), SIZE_MAX);
    list_fill(s, msg, wires, &bare);
    uint32_t count = msg->u.bundles.items.count;
    if (s->rogue.wire != NULL) {
        wires[count++] = ml_slice(s->rogue.wire, s->rogue.len);
    }
    msg->u.bundles.items = (struct ml_list){.count = count, .items = wires};
    must(ml_msg_encode(out, msg));
    ml_buf_free(&bare);
    free(wires);
}

bool sim_rogue_changes(struct sim *s, unsigned from, unsigned to, struct ml_slice bytes,
                       struct ml_buf *out)
{
    struct ml_msg msg;
    const bool armed = s->rogue.wire != NULL || s->rogue.withholds;
    if (!armed || from != s->rogue.from || ml_msg_decode(&msg, bytes, NULL) != ML_OK ||
        msg.kind != ML_MSG_BUNDLES) {
        return false;
    }
    message_change(s, &msg, out);
    sim_say(s, "node %u gives node %u %s", from, to,
            s->rogue.wire == NULL ? "headers without bodies" : s->rogue.name);
    s->count.of[SIM_ROGUE]++;
    s->rogue.waiting += s->rogue.waits;
    free(s->rogue.wire);
    s->rogue.wire = NULL;
    s->rogue.waits = s->rogue.withholds = false;
    return true;
}
