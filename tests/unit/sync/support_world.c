/* tests/unit/sync/support_world.c -- see support_world.h. */
#include "support_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/assert.h"
#include "core/codec/manifest.h"
#include "core/crypto/hash.h"
#include "core/crypto/secret.h"
#include "support_store.h"

void world_fail(const struct world *w, const char *what)
{
    fail_msg("%s (seed %llu, at %llu ms)", what, (unsigned long long)w->seed,
             (unsigned long long)w->now_ms);
}

static void require(const struct world *w, bool ok, const char *what)
{
    store_require(w, ok, what);
}

void store_require(const struct world *w, bool ok, const char *what)
{
    if (!ok) {
        world_fail(w, what);
    }
}

/* ---- the world ---- */

void world_init(struct world *w, uint64_t seed, unsigned nodes)
{
    static const uint8_t key[32] = {7};
    memset(w, 0, sizeof(*w));
    fake_env_init(&w->fake, seed);
    w->seed = seed;
    w->node_count = nodes;
    require(w, ml_crypto_init() == ML_OK, "crypto");
    require(w, ml_secret_from(&w->seed_key, key, sizeof(key)) == ML_OK, "key");
    store_grow(w);
    for (unsigned i = 0; i < nodes; i++) {
        fake_env_init(&w->node[i].fake, seed + i + 1);
        w->node[i].fake.verbose = getenv("ML_SIM_VERBOSE") != NULL;
        memset(w->node[i].id.b, (int)i + 1, sizeof(w->node[i].id.b));
    }
}

static void job_drop(struct world_job *job)
{
    free(job->copy);
    *job = (struct world_job){.used = false};
}

static void pipe_free(struct world_pipe *p)
{
    while (p->first != NULL) {
        struct world_msg *next = p->first->next;
        free(p->first);
        p->first = next;
    }
    p->last = NULL;
    free(p->sizes);
    free(p->counts);
    p->sizes = p->counts = NULL;
}

void world_free(struct world *w)
{
    long live = 0;
    for (unsigned i = 0; i < w->node_count; i++) {
        world_crash(w, i);
        live += w->node[i].fake.live;
    }
    for (unsigned i = 0; i < WORLD_NODES_MAX; i++) {
        struct world_node *n = &w->node[i];
        free(n->hold);
        free(n->order);
        free(n->no_body);
        for (unsigned k = 0; k < WORLD_NODES_MAX; k++) {
            free(n->base[k]);
        }
    }
    for (size_t i = 0; i < w->bundle_count; i++) {
        ml_release(&w->fake.env, w->bundles[i].wire);
        ml_release(&w->fake.env, w->bundles[i].bare);
    }
    for (size_t i = 0; i < w->chunk_count; i++) {
        free(w->chunks[i].data);
    }
    free(w->bundles);
    ml_secret_free(w->seed_key);
    assert_int_equal(live, 0);
    assert_int_equal(w->fake.live, 0);
}

/* ---- bundles ---- */

static void random_bytes(struct world *w, void *out, size_t len)
{
    w->fake.env.random(&w->fake, out, len);
}

struct ml_writer_id world_writer(struct world *w)
{
    struct ml_writer_id id;
    random_bytes(w, id.b, sizeof(id.b));
    return id;
}

int world_past(struct world *w, const struct ml_writer_id *writer, uint8_t lane, uint32_t seq)
{
    struct world_bundle b = {.prev = -1, .author = -1};
    b.info.id = (struct ml_dep){.writer = *writer, .lane = lane, .seq = seq};
    random_bytes(w, b.hash.b, sizeof(b.hash.b));
    b.info.id.hash = ml_hash16_of(&b.hash);
    int index = store_add(w, &b);
    for (unsigned i = 0; i < w->node_count; i++) {
        store_keep(w, i, index);
    }
    return index;
}

/* The node's head of a chain (of several, one by chance), or -1. */
static int chain_head(struct world *w, unsigned node, const struct ml_writer_id *writer,
                      uint8_t lane)
{
    size_t count = 0;
    struct ml_dep *heads = store_heads(w, node, &count);
    int found = -1;
    unsigned seen = 0;
    for (size_t i = 0; i < count; i++) {
        bool same = heads[i].lane == lane && memcmp(&heads[i].writer, writer, 16) == 0;
        if (same && fake_below(&w->fake, ++seen) == 0) {
            found = store_find(w, &heads[i]);
        }
    }
    free(heads);
    return found;
}

/* What a header may make wait (ADR 0008): lanes 0 and 1, and its own lane. */
static void cite_some(struct world *w, unsigned node, uint8_t lane, struct world_bundle *b)
{
    size_t count = 0;
    struct ml_dep *heads = store_heads(w, node, &count);
    for (size_t i = 0; i < count && b->dep_count < WORLD_DEPS_MAX; i++) {
        bool may = heads[i].lane <= ML_LANE_KEYS || heads[i].lane == lane;
        if (lane <= ML_LANE_KEYS) {
            may = heads[i].lane <= ML_LANE_KEYS;
        }
        int at = store_find(w, &heads[i]);
        if (may && at != b->prev && fake_below(&w->fake, 3) == 0) {
            b->deps[b->dep_count++] = at;
        }
    }
    free(heads);
}

static void bundle_strip(struct world *w, struct world_bundle *b, struct ml_slice wire)
{
    const struct ml_wire_body absent = {.absent = ML_ABSENT_NOT_RECEIVED};
    struct ml_bundle whole;
    struct ml_buf bare;
    ml_buf_init(&bare, &w->fake.env, ML_BUNDLE_BYTES_MAX);
    require(w, ml_bundle_decode(&whole, wire, NULL) == ML_OK, "bundle");
    require(w, ml_bundle_join(&bare, whole.header_bytes, &whole.sig, &absent) == ML_OK, "bare");
    b->bare = bare.data;
    b->bare_len = bare.len;
}

/* An op of lane 4 must be a manifest: of one chunk, named by the first bytes. */
static struct ml_slice manifest_of(struct world *w, struct ml_slice sealed, struct ml_buf *out)
{
    struct ml_hash chunk = {{0}};
    memcpy(chunk.b, sealed.data, sealed.len < 32 ? sealed.len : 32);
    const struct ml_manifest m = {.chunks = {.items = &chunk, .count = 1},
                                  .bytes = 100,
                                  .sealed = sealed.len < 16 ? ml_slice(chunk.b, 16) : sealed};
    ml_buf_init(out, &w->fake.env, ML_BODY_BYTES_MAX);
    require(w, ml_manifest_encode(out, &m) == ML_OK, "manifest");
    return ml_buf_slice(out);
}

static void bundle_build(struct world *w, const struct world_write *write, struct world_bundle *b)
{
    static const struct ml_org_id org;
    struct ml_dict_entry entry = {.compartment = ML_COMPARTMENT_MEDICAL,
                                  .action = ML_ACTION_CREATE};
    struct ml_op_draft ops[ML_BUNDLE_OPS_MAX];
    uint8_t *sealed = calloc(1, write->op_bytes + 1);
    struct ml_buf wire;
    ML_ASSERT(sealed != NULL && write->ops <= ML_BUNDLE_OPS_MAX);
    random_bytes(w, sealed, write->op_bytes < 32 ? write->op_bytes : 32);
    struct ml_slice op = {sealed, write->op_bytes};
    struct ml_buf manifest = {0};
    if (write->lane == ML_LANE_BLOB) {
        op = manifest_of(w, op, &manifest);
    }
    for (uint32_t i = 0; i < write->ops; i++) {
        ops[i] = (struct ml_op_draft){.sealed = op};
    }
    struct ml_bundle_draft draft = {.ops = ops, .op_count = write->ops};
    draft.header.writer = write->writer;
    draft.header.lane = write->lane;
    draft.header.seq = b->info.id.seq;
    draft.header.hlc = w->now_ms << 16;
    random_bytes(w, draft.header.salt.b, sizeof(draft.header.salt.b));
    if (b->prev >= 0) {
        draft.header.prev = w->bundles[b->prev].hash;
        b->info.prev = w->bundles[b->prev].info.id.hash;
    }
    if (write->lane >= ML_LANE_TRACE) {
        draft.header.dictionary = (struct ml_list){.count = 1, .items = &entry};
    }
    ml_buf_init(&wire, &w->fake.env, ML_BUNDLE_BYTES_MAX);
    require(w, ml_bundle_build(&wire, &b->hash, &draft, &org, w->seed_key) == ML_OK, "bundle");
    ml_buf_free(&manifest);
    free(sealed);
    bundle_strip(w, b, ml_buf_slice(&wire));
    b->wire = wire.data;
    b->info.bytes = (uint32_t)wire.len;
    b->info.id.hash = ml_hash16_of(&b->hash);
    b->ops = write->ops;
    b->payload = write->ops * write->op_bytes;
}

int world_make(struct world *w, unsigned node, const struct world_write *write)
{
    struct world_bundle b = {.prev = chain_head(w, node, &write->writer, write->lane),
                             .author = -1};
    b.info.id = (struct ml_dep){.writer = write->writer, .lane = write->lane, .seq = 1};
    if (b.prev >= 0) {
        b.info.id.seq = w->bundles[b.prev].info.id.seq + 1;
    }
    if (!write->lone) {
        cite_some(w, node, write->lane, &b);
    }
    bundle_build(w, write, &b);
    int index = store_add(w, &b);
    store_keep(w, node, index);
    return index;
}

int world_append(struct world *w, unsigned node, const struct world_write *write)
{
    struct world_node *n = &w->node[node];
    int index = world_make(w, node, write);
    bool known = store_own(w, node, &write->writer, write->lane) != NULL;
    w->bundles[index].author = (int)node;
    ML_ASSERT(known || n->own_count < WORLD_OWN_MAX);
    if (!known) {
        n->own[n->own_count++] = (struct world_own){.writer = write->writer, .lane = write->lane};
    }
    if (n->engine != NULL) {
        ml_sync_on_append(n->engine, &w->bundles[index].info, write->urgent);
    }
    return index;
}

/* ---- nodes and links ---- */

void world_start(struct world *w, unsigned node)
{
    struct world_node *n = &w->node[node];
    const struct ml_sync_config config = {.env = &n->fake.env, .self = n->id, .order = w->order};
    n->fake.fail_alloc = 0;
    require(w, n->engine == NULL, "started twice");
    require(w, ml_sync_new(&n->engine, &config) == ML_OK, "engine");
    n->timer_ms = 0;
    ml_sync_tick(n->engine, w->now_ms);
}

unsigned store_side(const struct world_link *l, unsigned node)
{
    return l->node[0] == node ? 0 : 1;
}

static void link_end(struct world *w, struct world_link *l)
{
    for (unsigned i = 0; i < 2; i++) {
        struct world_node *n = &w->node[l->node[i]];
        if (!l->gone[i] && n->engine != NULL) {
            ml_sync_on_closed(n->engine, l->session[i]);
        }
        pipe_free(&l->out[i]);
    }
    *l = (struct world_link){.used = false};
}

void world_cut(struct world *w, int link)
{
    if (link >= 0 && w->link[link].used) {
        link_end(w, &w->link[link]);
    }
}

void world_cut_all(struct world *w)
{
    for (int i = 0; i < WORLD_LINKS_MAX; i++) {
        world_cut(w, i);
    }
}

void world_crash(struct world *w, unsigned node)
{
    struct world_node *n = &w->node[node];
    if (n->engine == NULL) {
        return;
    }
    for (unsigned i = 0; i < WORLD_JOBS_MAX; i++) {
        if (w->job[i].used && w->job[i].node == node) {
            job_drop(&w->job[i]);
        }
    }
    ml_sync_free(n->engine);
    n->engine = NULL;
    n->ingesting = 0;
    for (int i = 0; i < WORLD_LINKS_MAX; i++) {
        struct world_link *l = &w->link[i];
        if (l->used && (l->node[0] == node || l->node[1] == node)) {
            world_cut(w, i);
        }
    }
}

static struct world_link *link_free_slot(struct world *w, int *index)
{
    *index = 0;
    while (*index < WORLD_LINKS_MAX && w->link[*index].used) {
        (*index)++;
    }
    ML_ASSERT(*index < WORLD_LINKS_MAX);
    return &w->link[*index];
}

static ml_err open_side(struct world *w, struct world_link *l, unsigned side, world_kind kind)
{
    struct world_node *n = &w->node[l->node[side]];
    unsigned peer = l->node[1 - side];
    const struct ml_sync_open open = {.peer = w->node[peer].id,
                                      .initiator = side == 0,
                                      .restricted = kind == WORLD_RESTRICTED && side == 1,
                                      .drains = kind == WORLD_DRAINED && side == 0,
                                      .unknown = kind == WORLD_UNKNOWN && side == 0,
                                      .hlc = w->now_ms << 16,
                                      .base = {n->base[peer], n->base_len[peer]}};
    return ml_sync_on_open(n->engine, &open, &l->session[side]);
}

int world_connect_as(struct world *w, unsigned a, unsigned b, world_kind kind)
{
    int index = -1;
    struct world_link *l = link_free_slot(w, &index);
    if (w->node[a].engine == NULL || w->node[b].engine == NULL) {
        return -1;
    }
    *l = (struct world_link){.used = true, .node = {a, b}, .gone = {true, true}};
    for (unsigned i = 0; i < 2; i++) {
        l->out[i].window_bytes = ML_SYNC_WINDOW_BYTES;
        l->out[i].window_bundles = ML_SYNC_WINDOW_BUNDLES;
        if (open_side(w, l, i, kind) != ML_OK) {
            link_end(w, l);
            return -1;
        }
        l->gone[i] = false;
    }
    return index;
}

int world_connect(struct world *w, unsigned a, unsigned b)
{
    return world_connect_as(w, a, b, WORLD_WHOLE);
}

static struct world_link *link_of(struct world *w, unsigned node, uint32_t session)
{
    for (int i = 0; i < WORLD_LINKS_MAX; i++) {
        struct world_link *l = &w->link[i];
        if (l->used && !l->gone[store_side(l, node)] &&
            (l->node[0] == node || l->node[1] == node) &&
            l->session[store_side(l, node)] == session) {
            return l;
        }
    }
    return NULL;
}

/* ---- links at work ---- */

static void pipe_put(struct world *w, struct world_pipe *p, struct ml_slice bytes)
{
    struct world_msg *m = calloc(1, sizeof(*m) + bytes.len);
    ML_ASSERT(m != NULL);
    m->due_ms = store_arrival(w, p, bytes.len);
    m->len = bytes.len;
    memcpy(m->data, bytes.data, bytes.len);
    if (p->last == NULL) {
        p->first = m;
    } else {
        p->last->next = m;
    }
    p->last = m;
}

void world_inject(struct world *w, int link, unsigned to_side, struct ml_slice bytes)
{
    pipe_put(w, &w->link[link].out[1 - to_side], bytes);
}

static void act_send(struct world *w, unsigned node, const struct ml_sync_action *a)
{
    struct world_link *l = link_of(w, node, a->session);
    if (l != NULL) {
        store_tap(w, node, l, a->u.send);
        pipe_put(w, &l->out[store_side(l, node)], a->u.send);
        w->node[node].unsent += w->node[node].slow_link ? a->u.send.len : 0;
        if (!w->node[node].slow_link && w->kbit_s == 0) {
            ml_sync_on_sent(w->node[node].engine, a->session, a->u.send.len);
        }
    }
}

/* The closing side forgets the session at once; what it had sent still arrives. */
static void act_close(struct world *w, unsigned node, const struct ml_sync_action *a)
{
    struct world_link *l = link_of(w, node, a->session);
    w->resets += a->u.close == ML_E_NOMEM;
    w->node[node].closes++;
    w->node[node].last_close = a->u.close;
    require(w, w->checks_off || ml_err_class_of(a->u.close) != ML_CLASS_PEER,
            "an honest peer was blamed");
    if (l != NULL) {
        l->out[store_side(l, node)].closed = true;
        l->gone[store_side(l, node)] = true;
    }
    ml_sync_on_closed(w->node[node].engine, a->session);
    if (l != NULL && l->gone[0] && l->gone[1]) {
        link_end(w, l);
    }
}

static void *copy_of(const void *data, size_t len)
{
    void *copy = malloc(len + 1);
    ML_ASSERT(copy != NULL);
    if (len > 0) {
        memcpy(copy, data, len);
    }
    return copy;
}

static unsigned node_of(const struct world *w, const struct ml_node_id *id)
{
    unsigned i = 0;
    while (i < w->node_count && memcmp(&w->node[i].id, id, sizeof(*id)) != 0) {
        i++;
    }
    require(w, i < w->node_count, "a base with nobody");
    return i;
}

static void act_remember(struct world *w, unsigned node, const struct ml_sync_action *a)
{
    unsigned peer = node_of(w, &a->u.remember.peer);
    struct world_node *n = &w->node[node];
    free(n->base[peer]);
    n->base[peer] = copy_of(a->u.remember.base.data, a->u.remember.base.len);
    n->base_len[peer] = a->u.remember.base.len;
}

/* ---- questions ---- */

/* One block: the ranges, then all their `after` heads. */
static void *copy_ranges(struct ml_sync_action *a)
{
    size_t afters = 0;
    for (size_t i = 0; i < a->u.ranges.count; i++) {
        afters += a->u.ranges.ranges[i].after_count;
    }
    struct ml_sync_range *ranges =
        malloc((a->u.ranges.count + 1) * sizeof(*ranges) + afters * sizeof(struct ml_dep));
    ML_ASSERT(ranges != NULL);
    struct ml_dep *after = (struct ml_dep *)(void *)(ranges + a->u.ranges.count + 1);
    for (size_t i = 0; i < a->u.ranges.count; i++) {
        ranges[i] = a->u.ranges.ranges[i];
        for (size_t k = 0; k < ranges[i].after_count; k++) {
            after[k] = ranges[i].after[k];
        }
        ranges[i].after = after;
        after += ranges[i].after_count;
    }
    a->u.ranges.ranges = ranges;
    return ranges;
}

static void *copy_action(struct ml_sync_action *a)
{
    void *copy = NULL;
    if (a->kind == ML_SYNC_KNOWN) {
        copy = copy_of(a->u.known.heads, a->u.known.count * sizeof(struct ml_dep));
        a->u.known.heads = copy;
    } else if (a->kind == ML_SYNC_LOAD_BODIES) {
        copy = copy_of(a->u.bodies.hashes, a->u.bodies.count * sizeof(struct ml_hash16));
        a->u.bodies.hashes = copy;
    } else if (a->kind == ML_SYNC_LOAD || a->kind == ML_SYNC_MEASURE) {
        copy = copy_ranges(a);
    }
    return copy;
}

static void act_ask(struct world *w, unsigned node, const struct ml_sync_action *a)
{
    unsigned waiting = 0;
    struct world_job *slot = NULL;
    for (unsigned i = 0; i < WORLD_JOBS_MAX; i++) {
        struct world_job *j = &w->job[i];
        slot = slot == NULL && !j->used ? j : slot;
        waiting += j->used && j->node == node && a->session != 0 &&
                   j->action.session == a->session && j->action.kind == a->kind;
    }
    require(w,
            waiting == 0 || a->kind == ML_SYNC_MEASURE || a->kind == ML_SYNC_LOAD ||
                a->kind == ML_SYNC_KNOWN,
            "two questions of one kind");
    ML_ASSERT(slot != NULL);
    if (a->kind == ML_SYNC_KNOWN && a->u.known.count > w->node[node].known_most) {
        w->node[node].known_most = a->u.known.count;
    }
    if (a->kind == ML_SYNC_INGEST) {
        require(w, w->node[node].ingesting++ == 0, "two batches at the store");
    }
    *slot = (struct world_job){.used = true, .node = node, .due_ms = w->now_ms, .action = *a};
    slot->copy = copy_action(&slot->action);
}

static void node_act(struct world *w, unsigned node, const struct ml_sync_action *a)
{
    switch (a->kind) {
    case ML_SYNC_SEND:
        act_send(w, node, a);
        break;
    case ML_SYNC_CLOSE:
        act_close(w, node, a);
        break;
    case ML_SYNC_REMEMBER:
        act_remember(w, node, a);
        break;
    case ML_SYNC_CHANGED:
        w->node[node].changes++;
        break;
    case ML_SYNC_TIMER:
        require(w, a->u.timer_ms > w->now_ms, "a timer in the past");
        w->node[node].timer_ms = a->u.timer_ms;
        break;
    case ML_SYNC_SNAPSHOT:
    case ML_SYNC_ANCHOR:
    case ML_SYNC_INGEST:
    case ML_SYNC_KNOWN:
    case ML_SYNC_PLACES:
    case ML_SYNC_MEASURE:
    case ML_SYNC_LOAD:
    case ML_SYNC_LOAD_BODIES:
    case ML_SYNC_WANTED:
        act_ask(w, node, a);
        break;
    case ML_SYNC_STORE_CHUNKS:
    case ML_SYNC_WANTED_CHUNKS:
    case ML_SYNC_LOAD_CHUNK:
        store_act_chunks(w, node, a);
        break;
    }
}

void world_pump(struct world *w)
{
    for (unsigned i = 0; i < w->node_count; i++) {
        struct ml_sync_action a;
        unsigned guard = 0;
        while (w->node[i].engine != NULL && ml_sync_next(w->node[i].engine, &a)) {
            node_act(w, i, &a);
            require(w, ++guard < 100000, "actions without end");
        }
    }
}

/* ---- events ---- */

static bool job_run(struct world *w, struct world_job *job)
{
    struct world_job mine = *job;
    *job = (struct world_job){.used = false};
    if (w->node[mine.node].engine != NULL) {
        store_answer(w, &mine);
    }
    free(mine.copy);
    return true;
}

static void pipe_deliver(struct world *w, struct world_link *l, unsigned from)
{
    struct world_pipe *p = &l->out[from];
    unsigned to = 1 - from;
    struct world_node *n = &w->node[l->node[to]];
    struct world_msg *m = p->first;
    if (m == NULL) { /* only its end is left */
        if (!l->gone[to]) {
            l->gone[to] = true;
            ml_sync_on_closed(n->engine, l->session[to]);
        }
        link_end(w, l);
        return;
    }
    p->first = m->next;
    p->last = m->next == NULL ? NULL : p->last;
    if (!l->gone[to] && n->engine != NULL && !n->deaf) {
        ml_sync_on_message(n->engine, l->session[to], ml_slice(m->data, m->len));
    }
    free(m);
}

static bool pipe_has(const struct world_link *l, unsigned from)
{
    return l->used && (l->out[from].first != NULL || l->out[from].closed);
}

static void tick_all(struct world *w)
{
    for (unsigned i = 0; i < w->node_count; i++) {
        struct world_node *n = &w->node[i];
        if (n->engine != NULL) {
            ml_sync_tick(n->engine, w->now_ms);
        }
    }
}

static bool pipe_is_due(const struct world *w, const struct world_link *l, unsigned from)
{
    return l->used && l->out[from].first != NULL && l->out[from].first->due_ms <= w->now_ms;
}

/* No message is due: what was received may be committed. */
static void drained_all(struct world *w)
{
    for (int i = 0; i < WORLD_LINKS_MAX; i++) {
        if (pipe_is_due(w, &w->link[i], 0) || pipe_is_due(w, &w->link[i], 1)) {
            return;
        }
    }
    for (unsigned i = 0; i < w->node_count; i++) {
        if (w->node[i].engine != NULL) {
            ml_sync_drained(w->node[i].engine);
        }
    }
}

struct next_event {
    uint64_t at_ms;
    struct world_job *job;
    struct world_link *link;
    unsigned from;
    bool sent; /* only a report that bytes have left */
};

static void earlier_pipe(struct world *w, struct world_link *l, unsigned from, struct next_event *e)
{
    if (l->used && store_sent_ms(&l->out[from]) < e->at_ms) {
        *e = (struct next_event){
            .at_ms = store_sent_ms(&l->out[from]), .link = l, .from = from, .sent = true};
    }
    if (!pipe_has(l, from)) {
        return;
    }
    uint64_t at = l->out[from].first != NULL ? l->out[from].first->due_ms : w->now_ms;
    if (at < e->at_ms) {
        *e = (struct next_event){.at_ms = at, .link = l, .from = from};
    }
}

static struct next_event earliest(struct world *w)
{
    struct next_event e = {.at_ms = UINT64_MAX};
    for (unsigned i = 0; i < w->node_count; i++) {
        uint64_t at = w->node[i].timer_ms;
        if (w->node[i].engine != NULL && at > w->now_ms && at < e.at_ms) {
            e.at_ms = at;
        }
    }
    for (unsigned i = 0; i < WORLD_JOBS_MAX; i++) {
        struct world_job *j = &w->job[i];
        if (j->used && j->due_ms <= e.at_ms && !w->node[j->node].slow_store) {
            e = (struct next_event){.at_ms = j->due_ms, .job = j};
        }
    }
    for (int i = 0; i < WORLD_LINKS_MAX; i++) {
        earlier_pipe(w, &w->link[i], 0, &e);
        earlier_pipe(w, &w->link[i], 1, &e);
    }
    return e;
}

bool world_step(struct world *w, uint64_t until_ms)
{
    drained_all(w);
    world_pump(w);
    struct next_event e = earliest(w);
    if (e.at_ms > until_ms) {
        return false;
    }
    if (e.at_ms > w->now_ms) {
        w->now_ms = e.at_ms;
        tick_all(w);
    }
    if (e.job != NULL) {
        job_run(w, e.job);
    } else if (e.sent) {
        store_sent_report(w, e.link, e.from);
    } else if (e.link != NULL) {
        pipe_deliver(w, e.link, e.from);
    }
    world_pump(w);
    return true;
}

void world_run(struct world *w, uint64_t ms)
{
    uint64_t until = w->now_ms + ms;
    unsigned guard = 0;
    while (world_step(w, until)) {
        world_check(w);
        require(w, ++guard < 1000000, "events without end");
    }
    w->now_ms = until;
    tick_all(w);
    world_pump(w);
    world_check(w);
}

/* The nth of what may happen, or how many there are when it is beyond. */
static unsigned pick_event(struct world *w, unsigned nth, struct next_event *out)
{
    unsigned count = 0;
    for (unsigned i = 0; i < WORLD_JOBS_MAX; i++) {
        if (w->job[i].used && count++ == nth) {
            *out = (struct next_event){.job = &w->job[i]};
        }
    }
    for (unsigned i = 0; i < 2 * WORLD_LINKS_MAX; i++) {
        struct world_link *l = &w->link[i / 2];
        if (pipe_has(l, i % 2) && count++ == nth) {
            *out = (struct next_event){.link = l, .from = i % 2};
        }
    }
    return count;
}

bool world_chance(struct world *w)
{
    struct next_event e = {.at_ms = 0};
    unsigned count = pick_event(w, UINT32_MAX, &e);
    if (count == 0) {
        return false;
    }
    (void)pick_event(w, (unsigned)fake_below(&w->fake, count), &e);
    if (e.job != NULL) {
        return job_run(w, e.job);
    }
    pipe_deliver(w, e.link, e.from);
    return true;
}

void world_answer(struct world *w, unsigned node)
{
    for (unsigned i = 0; i < WORLD_JOBS_MAX; i++) {
        if (w->job[i].used && w->job[i].node == node) {
            job_run(w, &w->job[i]);
        }
    }
    world_pump(w);
}
