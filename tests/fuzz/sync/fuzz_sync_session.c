/* tests/fuzz/sync/fuzz_sync_session.c -- any sequence of messages, answers and time to an engine.
 *
 * Input: records of one byte of kind, then what the kind takes (see play). The store is real enough
 * to be led on: it keeps the bundles that came, and answers by them or, when told to, at random.
 * Nothing may crash, assert, leak, write what it can't read, or pile up messages without bound.
 */
#include <stdlib.h>
#include <string.h>

#include "fake_env.h"
#include "sync/status.h"
#include "sync/sync.h"

enum { HELD_MAX = 64, ACTIONS_MAX = 20000 };

struct held {
    struct ml_sync_bundle bundle;
    uint8_t *wire;
};

struct play {
    struct fake_env fake;
    struct ml_sync *e;
    const uint8_t *data;
    size_t len;
    struct held held[HELD_MAX];
    size_t held_count;
    struct ml_node_id peer[2];
    uint32_t session[2];
    uint64_t now_ms;
    uint32_t own_seq;
    uint8_t mood;         /* bits: answers at random, batches fail, sends stay unsent */
    unsigned chunks_here; /* bits */
    unsigned actions;
};

static void broken(void)
{
    abort();
}

static uint8_t take_byte(struct play *p)
{
    if (p->len == 0) {
        return 0;
    }
    p->len--;
    return *p->data++;
}

static struct ml_slice take_bytes(struct play *p)
{
    size_t want = take_byte(p);
    want = want << 8 | take_byte(p);
    size_t n = want < p->len ? want : p->len;
    struct ml_slice s = {p->data, n};
    p->data += n;
    p->len -= n;
    return s;
}

static int held_find(const struct play *p, const struct ml_dep *id)
{
    for (size_t i = 0; i < p->held_count; i++) {
        if (ml_dep_compare(&p->held[i].bundle.id, id) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* ---- the store ---- */

static struct ml_sync_outcome ingest_one(struct play *p, struct ml_slice wire)
{
    static const struct ml_org_id org;
    struct ml_bundle b;
    struct ml_sync_outcome o = {.result = ML_SYNC_REFUSED, .err = ML_E_FORGED};
    if (ml_bundle_decode(&b, wire, NULL) != ML_OK) {
        broken(); /* the engine has looked at it */
    }
    struct ml_hash hash = ml_bundle_hash(&b, &org);
    o.bundle = (struct ml_sync_bundle){
        .id = {b.header.writer, b.header.lane, b.header.seq, ml_hash16_of(&hash)},
        .prev = ml_hash16_of(&b.header.prev),
        .bytes = (uint32_t)wire.len};
    if (p->mood & 1u) {
        o.result = (ml_sync_result)(fake_below(&p->fake, 6));
        return o;
    }
    o.result = held_find(p, &o.bundle.id) >= 0 ? ML_SYNC_DUPLICATE : ML_SYNC_STOPPED;
    if (o.result == ML_SYNC_STOPPED && p->held_count < HELD_MAX) {
        struct held *h = &p->held[p->held_count++];
        h->bundle = o.bundle;
        h->wire = malloc(wire.len);
        memcpy(h->wire, wire.data, wire.len);
        o.result = ML_SYNC_STORED;
    }
    return o;
}

static void answer_ingest(struct play *p, const struct ml_sync_action *a)
{
    size_t count = a->u.ingest.count;
    struct ml_sync_outcome *out = calloc(count + 1, sizeof(*out));
    for (size_t i = 0; i < count; i++) {
        out[i] = ingest_one(p, a->u.ingest.bundles[i]);
        out[i].index = (uint32_t)i;
    }
    ml_sync_on_ingested(p->e, a->query, p->mood & 2u ? ML_E_IO : ML_OK, out, count);
    free(out);
}

/* A store that gave what nobody asked for would be asked for the same again, for ever. */
static bool in_range(const struct ml_sync_range *r, const struct ml_dep *id)
{
    bool known = false;
    for (size_t i = 0; i < r->after_count; i++) {
        known = known || ml_dep_compare(&r->after[i], id) == 0;
    }
    return !known && memcmp(&r->writer, &id->writer, sizeof(r->writer)) == 0 &&
           r->lane == id->lane && r->from <= id->seq && id->seq <= r->to;
}

static bool is_asked(const struct ml_sync_action *a, const struct ml_dep *id)
{
    bool asked = false;
    for (size_t i = 0; i < a->u.ranges.count; i++) {
        asked = asked || in_range(&a->u.ranges.ranges[i], id);
    }
    return asked;
}

static void answer_load(struct play *p, const struct ml_sync_action *a)
{
    struct ml_sync_loaded out[HELD_MAX];
    struct ml_sync_load load = {.bundles = out};
    size_t bytes = 0;
    for (size_t i = 0; i < p->held_count; i++) {
        const struct held *h = &p->held[i];
        if (!is_asked(a, &h->bundle.id)) {
            continue;
        }
        bytes += h->bundle.bytes;
        if (bytes > a->u.ranges.bytes_max || load.count == a->u.ranges.bundles_max) {
            load.more = true;
            break;
        }
        out[load.count++] = (struct ml_sync_loaded){h->bundle, ml_slice(h->wire, h->bundle.bytes)};
    }
    ml_sync_on_loaded(p->e, a->session, a->query, &load);
}

static void answer_known(struct play *p, const struct ml_sync_action *a)
{
    bool *known = calloc(a->u.known.count + 1, sizeof(*known));
    for (size_t i = 0; i < a->u.known.count; i++) {
        known[i] =
            p->mood & 1u ? fake_below(&p->fake, 2) != 0 : held_find(p, &a->u.known.heads[i]) >= 0;
    }
    ml_sync_on_known(p->e, a->session, a->query, known);
    free(known);
}

static void answer_places(struct play *p, const struct ml_sync_action *a)
{
    struct ml_hash16 hashes[ML_SYNC_FORK_PLACES_MAX] = {{{1}}};
    size_t count = (a->u.places.last - a->u.places.first) / a->u.places.step + 1;
    if (count > ML_SYNC_FORK_PLACES_MAX) {
        broken();
    }
    ml_sync_on_places(p->e, a->session, a->query, hashes, p->mood & 1u ? count : 0);
}

static void answer_measure(struct play *p, const struct ml_sync_action *a)
{
    struct ml_sync_count lanes[ML_LANES] = {{0}};
    lanes[ML_LANE_RECORD] = (struct ml_sync_count){.bytes = 100, .bundles = 1, .ops = 1};
    ml_sync_on_measured(p->e, a->session, a->query, lanes);
}

static void answer_bodies(struct play *p, const struct ml_sync_action *a)
{
    struct ml_sync_body bodies[ML_SYNC_BODIES_MAX] = {{.reason = ML_ABSENT_PRUNED}};
    if (a->u.bodies.count > ML_SYNC_BODIES_MAX) {
        broken();
    }
    if (p->held_count > 0) {
        bodies[0].wire = ml_slice(p->held[0].wire, p->held[0].bundle.bytes);
    }
    ml_sync_on_bodies(p->e, a->session, a->query, bodies, a->u.bodies.count);
}

static void answer_wanted(struct play *p, const struct ml_sync_action *a)
{
    struct ml_hash16 hashes[3] = {{{1}}, {{2}}, {{3}}};
    bool first = a->u.wanted.after.b[0] == 0;
    ml_sync_on_wanted(p->e, a->session, a->query, hashes, first ? 3 : 0);
}

/* Three chunks are missing: those of 20 equal bytes, 1, 2 and 3. */
static struct ml_slice chunk_bytes(unsigned i)
{
    static uint8_t bytes[3][20];
    memset(bytes[i], (int)i + 1, sizeof(bytes[i]));
    return ml_slice(bytes[i], sizeof(bytes[i]));
}

static void answer_wanted_chunks(struct play *p, const struct ml_sync_action *a)
{
    struct ml_sync_chunk_want wants[3];
    size_t count = 0;
    for (unsigned i = 0; i < 3; i++) {
        if (i >= a->u.wanted_chunks.after && (p->chunks_here >> i & 1u) == 0) {
            wants[count].id = i + 1;
            wants[count++].hash = ml_chunk_hash(chunk_bytes(i));
        }
    }
    ml_sync_on_wanted_chunks(p->e, a->query, wants, count);
}

/* Nothing that wasn't asked for, or was altered, goes to the store. */
static void answer_store_chunks(struct play *p, const struct ml_sync_action *a)
{
    const ml_err err = p->mood & 8u ? ML_E_FULL : ML_OK;
    for (size_t k = 0; k < a->u.store_chunks.count; k++) {
        const struct ml_sync_chunk *c = &a->u.store_chunks.chunks[k];
        unsigned i = 0;
        while (i < 3 && !ml_slice_equal(c->sealed, chunk_bytes(i))) {
            i++;
        }
        if (i == 3 || (p->chunks_here >> i & 1u) != 0) {
            broken();
        }
        p->chunks_here |= err == ML_OK ? 1u << i : 0;
    }
    ml_sync_on_chunks_stored(p->e, a->query, err);
    ml_sync_on_chunks(p->e, (uint64_t)(3 - __builtin_popcount(p->chunks_here)));
}

static void snapshot_give(struct play *p)
{
    static const struct ml_dep heads[] = {{{{1}}, 0, 3, {{30}}}, {{{1}}, 3, 9, {{90}}}};
    struct ml_sync_snapshot snap = {.heads = heads, .head_count = 2};
    snap.holes.wanted = 3;
    snap.holes.digest[0] = 7;
    snap.chunks_missing = 3;
    ml_sync_on_snapshot(p->e, &snap);
}

static void sent_check(struct play *p, const struct ml_sync_action *a)
{
    struct ml_msg msg;
    if (ml_msg_decode(&msg, a->u.send, NULL) != ML_OK) {
        broken();
    }
    if ((p->mood & 4u) == 0) {
        ml_sync_on_sent(p->e, a->session, a->u.send.len);
    }
}

static void act(struct play *p, const struct ml_sync_action *a)
{
    switch (a->kind) {
    case ML_SYNC_SNAPSHOT:
        snapshot_give(p);
        break;
    case ML_SYNC_SEND:
        sent_check(p, a);
        break;
    case ML_SYNC_CLOSE:
        ml_sync_on_closed(p->e, a->session);
        break;
    case ML_SYNC_ANCHOR:
        ml_sync_on_anchored(p->e, &a->u.anchor);
        break;
    case ML_SYNC_INGEST:
        answer_ingest(p, a);
        break;
    case ML_SYNC_KNOWN:
        answer_known(p, a);
        break;
    case ML_SYNC_PLACES:
        answer_places(p, a);
        break;
    case ML_SYNC_MEASURE:
        answer_measure(p, a);
        break;
    case ML_SYNC_LOAD:
        answer_load(p, a);
        break;
    case ML_SYNC_LOAD_BODIES:
        answer_bodies(p, a);
        break;
    case ML_SYNC_WANTED:
        answer_wanted(p, a);
        break;
    case ML_SYNC_STORE_CHUNKS:
        answer_store_chunks(p, a);
        break;
    case ML_SYNC_WANTED_CHUNKS:
        answer_wanted_chunks(p, a);
        break;
    case ML_SYNC_LOAD_CHUNK:
        ml_sync_on_chunk(p->e, a->session, a->query,
                         p->mood & 16u ? chunk_bytes(0) : ml_slice(NULL, 0));
        break;
    case ML_SYNC_REMEMBER:
    case ML_SYNC_CHANGED:
    case ML_SYNC_TIMER:
        break;
    }
}

static void drain(struct play *p)
{
    struct ml_sync_action a;
    while (ml_sync_next(p->e, &a)) {
        act(p, &a);
        if (++p->actions > ACTIONS_MAX) {
            broken();
        }
    }
    p->actions = 0;
}

/* ---- what the input may do ---- */

static void open_link(struct play *p, unsigned i)
{
    const struct ml_sync_open open = {.peer = p->peer[i], .initiator = i == 0};
    (void)(ml_sync_on_open(p->e, &open, &p->session[i]) == ML_OK);
}

static void say_hello(struct play *p, unsigned i, uint8_t how)
{
    struct ml_msg msg = {.kind = ML_MSG_HELLO, .u.hello = {.flags = how & 8u}};
    struct ml_buf buf;
    ml_sync_digest(p->e, msg.u.hello.digest);
    msg.u.hello.digest[0] ^= how & 1u;
    ml_buf_init(&buf, &p->fake.env, ML_MSG_BYTES_MAX);
    if (ml_msg_encode(&buf, &msg) == ML_OK) {
        ml_sync_on_message(p->e, p->session[i], ml_buf_slice(&buf));
    }
    ml_buf_free(&buf);
}

static void append_own(struct play *p, uint8_t lane)
{
    uint32_t seq = ++p->own_seq;
    struct ml_sync_bundle b = {.id = {{{0xee}}, lane % ML_LANES, seq, {{(uint8_t)seq}}},
                               .bytes = 100};
    b.prev.b[0] = (uint8_t)(seq - 1);
    ml_sync_on_append(p->e, &b, lane > 100);
}

static void play(struct play *p)
{
    uint8_t kind = take_byte(p);
    unsigned i = kind >> 7;
    struct ml_slice bytes;
    switch (kind & 0x0fu) {
    case 0:
        open_link(p, i);
        break;
    case 1:
        say_hello(p, i, take_byte(p));
        break;
    case 2:
        p->now_ms += (uint64_t)take_byte(p) * 200;
        ml_sync_tick(p->e, p->now_ms);
        break;
    case 3:
        p->mood = take_byte(p);
        break;
    case 4:
        append_own(p, take_byte(p));
        break;
    case 5:
        ml_sync_on_closed(p->e, p->session[i]);
        break;
    case 6:
        ml_sync_drained(p->e);
        break;
    default:
        bytes = take_bytes(p);
        ml_sync_on_message(p->e, p->session[i], bytes);
        break;
    }
    drain(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct play p = {.data = data, .len = len, .peer = {{{1}}, {{2}}}};
    fake_env_init(&p.fake, 1);
    const struct ml_sync_config config = {.env = &p.fake.env, .self = {{9}}};
    if (ml_sync_new(&p.e, &config) != ML_OK) {
        return 0;
    }
    drain(&p);
    open_link(&p, 0);
    while (p.len > 0) {
        play(&p);
    }
    ml_sync_free(p.e);
    for (size_t i = 0; i < p.held_count; i++) {
        free(p.held[i].wire);
    }
    if (p.fake.live != 0) {
        broken();
    }
    return 0;
}
