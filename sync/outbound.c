/* sync/outbound.c -- what the peer lacks, and how it gets it.
 *
 * `theirs` is what we believe the peer has: its FRONTIER, plus what we sent, plus what it sent.
 * Each of its heads is known here, ahead of us, being asked about, open or forked (frontier.h). The
 * scan walks ours beside theirs. Of a chain, the peer lacks something when one of our heads isn't
 * among its, and either all of its heads are known here (a head of ours can't lie below one of
 * them), or we know where we part. A head of its that is ahead of us is the peer's to judge: it
 * sees that ours is lower than its own, looks ours up, and asks for our branch if it doesn't know
 * it (BUNDLE_REQUEST).
 *
 * Sending: lanes in stages, one LOAD at a time, never more than the window that the peer gave and
 * than a small backlog in the link, so that a revocation written now overtakes yesterday's records.
 *
 * Invariant: open_bytes and open_bundles are the sums over flights, and within the windows.
 */
#include <string.h>

#include "sync/internal.h"

/* ---- comparison ---- */

struct chain_view {
    const struct ml_chain_pair *pair; /* a: ours, b: theirs */
    bool unknown;                     /* of theirs, a head that isn't here */
    bool ahead;
    bool unsettled;
    bool forked;
    bool missing; /* of ours, a head that isn't theirs */
};

static struct chain_view chain_look(const struct ml_chain_pair *pair)
{
    struct chain_view v = {.pair = pair};
    for (size_t i = 0; i < pair->b.count; i++) {
        uint8_t flags = pair->b.heads[i].flags;
        v.unknown = v.unknown || (flags & ML_HEAD_KNOWN) == 0;
        v.ahead = v.ahead || (flags & ML_HEAD_AHEAD) != 0;
        v.forked = v.forked || (flags & ML_HEAD_FORKED) != 0;
        v.unsettled = v.unsettled || flags == 0 || (flags & (ML_HEAD_ASKED | ML_HEAD_OPEN)) != 0;
    }
    for (size_t i = 0; i < pair->a.count; i++) {
        v.missing = v.missing || !ml_chain_holds(&pair->b, &pair->a.heads[i].id);
    }
    return v;
}

/* Who drains, or isn't known, lacks what he lacks. */
static bool is_given(const struct ml_sess *s, uint8_t lane)
{
    return (s->given >> lane & 1u) != 0;
}

static bool chain_is_lacking(const struct ml_sess *s, const struct chain_view *v)
{
    return is_given(s, v->pair->lane) && v->missing && !v->unsettled && (!v->ahead || v->forked) &&
           !ml_sync_is_held_back(s->e, &v->pair->writer, v->pair->lane, ml_chain_top(&v->pair->a));
}

/* Marks what ours alone can tell, and lists what the store must be asked. */
static void chain_mark(struct ml_sess *s, const struct ml_chain_pair *pair, size_t room)
{
    uint32_t top = ml_chain_top(&pair->a);
    for (size_t i = 0; i < pair->b.count; i++) {
        struct ml_head *head = &pair->b.heads[i];
        if (head->flags & (ML_HEAD_KNOWN | ML_HEAD_ASKED | ML_HEAD_OPEN | ML_HEAD_FORKED)) {
            continue;
        }
        if (ml_chain_holds(&pair->a, &head->id)) {
            head->flags = ML_HEAD_KNOWN;
        } else if (head->id.seq > top) {
            head->flags = ML_HEAD_AHEAD;
        } else if (s->asked_count < room) {
            head->flags = ML_HEAD_ASKED;
            s->asked[s->asked_count++] = head->id;
        } else {
            head->flags = 0; /* its turn comes with the next question */
        }
    }
}

static void scan_count(struct ml_sess *s, const struct ml_chain_pair *pair)
{
    struct chain_view v = chain_look(pair);
    bool trace = pair->lane == ML_LANE_TRACE;
    for (size_t i = 0; i < pair->b.count; i++) {
        uint8_t flags = pair->b.heads[i].flags;
        s->unknown += (flags & ML_HEAD_KNOWN) == 0;
        s->asking += flags == 0 || (flags & ML_HEAD_ASKED) != 0;
    }
    if (!trace && (v.missing || v.unknown)) {
        s->equal = false;
    }
    if (chain_is_lacking(s, &v) && (!trace || (s->trace_known && s->ride))) {
        s->lacking |= ML_LANE_BIT(pair->lane);
    }
}

static void scan_all(struct ml_sess *s, size_t room)
{
    struct ml_chain_walk walk;
    struct ml_chain_pair pair;
    s->unknown = s->asking = 0;
    s->lacking = 0;
    s->equal = true;
    ml_chain_walk(&walk, &s->e->mine, &s->theirs);
    while (ml_chain_next(&walk, &pair)) {
        chain_mark(s, &pair, room);
        scan_count(s, &pair);
    }
}

/* The peer knows where its chain and ours part: below `first` it has what we have. */
static void chain_is_forked(struct ml_sess *s, const struct ml_chain_range *r)
{
    struct ml_chain theirs = ml_sync_frontier_chain(&s->theirs, &r->writer, r->lane);
    struct ml_chain ours = ml_sync_frontier_chain(&s->e->mine, &r->writer, r->lane);
    for (size_t i = 0; i < theirs.count; i++) {
        struct ml_head *head = &theirs.heads[i];
        if ((head->flags & ML_HEAD_KNOWN) == 0) {
            bool lower = (head->flags & ML_HEAD_FORKED) == 0 || r->first < head->from;
            head->from = lower ? r->first : head->from;
            head->flags = ML_HEAD_FORKED;
        } else if (ours.count > 1 && head->id.seq >= r->first && head->id.seq <= r->last) {
            head->flags =
                ML_HEAD_FORKED; /* of one of several branches we sent but the upper part */
            head->from = r->first;
        }
    }
}

static bool requests_apply(struct ml_sess *s)
{
    bool any = s->request_count > 0 && s->asking == 0;
    for (size_t i = 0; any && i < s->request_count; i++) {
        chain_is_forked(s, &s->requests[i]);
    }
    s->request_count = any ? 0 : s->request_count;
    return any;
}

ml_err ml_sess_scan(struct ml_sess *s)
{
    bool may_ask = !s->known.due && s->known.query == 0;
    if (!s->scan_due || !s->front_got) {
        return ML_OK;
    }
    if (may_ask && s->asked == NULL) {
        s->asked = ml_alloc_array(s->e->env, ML_SYNC_QUERY_HEADS_MAX, sizeof(*s->asked));
        if (s->asked == NULL) {
            return ML_E_NOMEM;
        }
    }
    s->asked_count = may_ask ? 0 : s->asked_count;
    scan_all(s, may_ask ? ML_SYNC_QUERY_HEADS_MAX : 0);
    if (requests_apply(s)) {
        scan_all(s, 0);
    }
    if (may_ask && s->asked_count > 0) {
        s->known.due = true;
        s->known_fork = NULL;
    }
    s->scan_due = false;
    s->starved = 0;
    return ML_OK;
}

static void heads_answered(struct ml_sess *s, const bool *known)
{
    for (size_t i = 0; i < s->asked_count; i++) {
        struct ml_head *head = ml_sync_frontier_find(&s->theirs, &s->asked[i]);
        if (head != NULL && head->flags & ML_HEAD_ASKED) {
            head->flags = known[i] ? ML_HEAD_KNOWN : ML_HEAD_OPEN;
        }
    }
}

void ml_sync_on_known(struct ml_sync *e, uint32_t session, uint32_t query, const bool *known)
{
    struct ml_sess *s = ml_sync_session(e, session);
    if (s == NULL || !ml_sess_is_open(s) || query == 0 || s->known.query != query) {
        return;
    }
    ml_err err = ML_OK;
    s->known.query = 0;
    if (s->known_fork != NULL) {
        err = ml_fork_known(s, s->known_fork, known);
        s->known_fork = NULL;
    } else {
        heads_answered(s, known);
    }
    s->scan_due = s->pump_due = true;
    if (err != ML_OK) {
        ml_sess_close(s, err);
    }
}

/* What we send stands beside their heads that we don't know: it is of our branch. */
static ml_err peer_given(struct ml_sess *s, const struct ml_sync_bundle *bundle)
{
    s->scan_due = true;
    return s->front_got
               ? ml_sync_frontier_extend(&s->theirs, &bundle->id, &bundle->prev, ML_HEAD_KNOWN)
               : ML_OK;
}

ml_err ml_sess_peer_has(struct ml_sess *s, const struct ml_sync_bundle *bundle, bool known)
{
    const struct ml_dep *id = &bundle->id;
    if (!s->front_got || (id->lane == ML_LANE_TRACE && !s->trace_known)) {
        return ML_OK; /* the whole picture is still to come */
    }
    s->scan_due = true;
    struct ml_head *head = ml_sync_frontier_find(&s->theirs, id);
    if (head != NULL) {
        head->flags = known ? ML_HEAD_KNOWN : head->flags;
        return ML_OK;
    }
    struct ml_chain chain = ml_sync_frontier_chain(&s->theirs, &id->writer, id->lane);
    for (size_t i = 0; i < chain.count; i++) {
        if ((chain.heads[i].flags & ML_HEAD_KNOWN) == 0 && chain.heads[i].id.seq > id->seq) {
            return ML_OK; /* on the way to a head that it told us */
        }
    }
    return ml_sync_frontier_extend(&s->theirs, id, &bundle->prev, known ? ML_HEAD_KNOWN : 0);
}

/* ---- ranges ---- */

void ml_sess_drop_ranges(struct ml_sess *s)
{
    ml_release(s->e->env, s->ranges);
    ml_release(s->e->env, s->after);
    s->ranges = NULL;
    s->after = NULL;
    s->range_count = 0;
    s->load = (struct ml_question){0};
    s->measuring = false;
}

static struct ml_sync_range range_of(const struct ml_chain_pair *pair, struct ml_dep *after)
{
    struct ml_sync_range r = {.writer = pair->writer,
                              .lane = pair->lane,
                              .from = 1,
                              .to = ml_chain_top(&pair->a),
                              .after = after};
    uint32_t from = UINT32_MAX;
    for (size_t i = 0; i < pair->b.count; i++) {
        const struct ml_head *head = &pair->b.heads[i];
        const bool forked = (head->flags & ML_HEAD_FORKED) != 0;
        if (head->flags & ML_HEAD_KNOWN) {
            after[r.after_count++] = head->id;
        } else if (forked && head->from < from) {
            from = head->from;
        }
        if (forked && head->shared > 0) {
            after[r.after_count++] =
                (struct ml_dep){pair->writer, pair->lane, head->shared, head->common};
        }
    }
    r.from = from != UINT32_MAX ? from : 1;
    return r;
}

static ml_err ranges_build(struct ml_sess *s, uint8_t lanes)
{
    const struct ml_env *env = s->e->env;
    struct ml_chain_walk walk;
    struct ml_chain_pair pair;
    size_t afters = 0;
    ml_sess_drop_ranges(s);
    s->ranges = ml_alloc_array(env, s->e->mine.count + 1, sizeof(*s->ranges));
    s->after = ml_alloc_array(env, s->theirs.count + 1, sizeof(*s->after));
    if (s->ranges == NULL || s->after == NULL) {
        ml_sess_drop_ranges(s);
        return ML_E_NOMEM;
    }
    ml_chain_walk(&walk, &s->e->mine, &s->theirs);
    while (ml_chain_next(&walk, &pair)) {
        struct chain_view v = chain_look(&pair);
        if ((lanes & ML_LANE_BIT(pair.lane)) == 0 || !chain_is_lacking(s, &v)) {
            continue;
        }
        struct ml_sync_range *r = &s->ranges[s->range_count++];
        *r = range_of(&pair, s->after + afters);
        afters += r->after_count;
    }
    s->load.due = true;
    return ML_OK;
}

/* The lanes that go now, of those of which something is lacking. */
static uint8_t stage_of(const struct ml_sess *s)
{
    static const uint8_t by_lane[] = {ML_LANES_KEYS, ML_LANE_BIT(ML_LANE_RECORD),
                                      ML_LANE_BIT(ML_LANE_BLOB), ML_LANE_BIT(ML_LANE_TRACE)};
    static const uint8_t causal[] = {ML_LANES_ALL & (uint8_t)~ML_LANE_BIT(ML_LANE_TRACE),
                                     ML_LANE_BIT(ML_LANE_TRACE)};
    bool lanes_first = s->e->order == ML_SYNC_ORDER_LANES;
    const uint8_t *stages = lanes_first ? by_lane : causal;
    size_t count = lanes_first ? sizeof(by_lane) : sizeof(causal);
    uint8_t lanes = s->lacking & s->lanes;
    for (size_t i = 0; i < count; i++) {
        const uint8_t stage = lanes & stages[i];
        if (stage != 0) {
            return stage;
        }
    }
    return 0;
}

bool ml_sess_has_bundles(const struct ml_sess *s)
{
    return s->scan_due || s->load.due || s->load.query != 0 || stage_of(s) != 0;
}

/* ---- PLAN ---- */

static ml_err plan_send(struct ml_sess *s, const struct ml_sync_count *lanes)
{
    struct ml_plan_lane rows[ML_LANES];
    struct ml_msg msg = {.kind = ML_MSG_PLAN};
    struct ml_sync_flow *out = &s->peer->last.out;
    uint32_t count = 0;
    out->bundles_planned = out->bundles;
    out->bytes_planned = out->bytes;
    out->ops_planned = 0;
    for (uint8_t lane = 0; lanes != NULL && lane < ML_LANES; lane++) {
        const struct ml_sync_count *c = &lanes[lane];
        uint32_t ops = c->ops < c->bundles ? c->bundles : c->ops; /* one each at least */
        if (c->bundles == 0 || c->bytes == 0) {
            continue;
        }
        rows[count++] = (struct ml_plan_lane){lane, c->bundles, c->bytes, ops};
        out->bundles_planned += c->bundles;
        out->bytes_planned += c->bytes;
        out->ops_planned += ops;
    }
    msg.u.plan.lanes = (struct ml_list){.count = count, .items = rows};
    s->planned = true;
    ml_peer_changed(s->peer);
    return ml_sess_send(s, &msg);
}

void ml_sync_on_measured(struct ml_sync *e, uint32_t session, uint32_t query,
                         const struct ml_sync_count lanes[ML_LANES])
{
    struct ml_sess *s = ml_sync_session(e, session);
    if (s == NULL || !ml_sess_is_open(s) || query == 0 || s->load.query != query || !s->measuring) {
        return;
    }
    ml_sess_drop_ranges(s);
    s->pump_due = true;
    ml_err err = plan_send(s, lanes);
    if (err != ML_OK) {
        ml_sess_close(s, err);
    }
}

static ml_err plan_step(struct ml_sess *s)
{
    if (s->asking > 0) {
        return ML_OK;
    }
    uint8_t lanes = s->lacking & s->lanes;
    if (lanes == 0) {
        return plan_send(s, NULL);
    }
    ml_err err = ranges_build(s, lanes);
    s->measuring = err == ML_OK;
    return err;
}

/* ---- LOAD and BUNDLES ---- */

size_t ml_sess_room(const struct ml_sess *s)
{
    if (s->unsent >= ML_SYNC_UNSENT_BYTES || s->open_bytes >= s->window_bytes ||
        s->open_bundles >= s->window_bundles) {
        return 0;
    }
    size_t window = s->window_bytes - s->open_bytes;
    size_t link = ML_SYNC_UNSENT_BYTES - s->unsent;
    return window < link ? window : link;
}

ml_err ml_sess_outbound_step(struct ml_sess *s)
{
    if (!s->front_got || s->load.due || s->load.query != 0 || s->scan_due) {
        return ML_OK;
    }
    if (!s->planned) {
        return plan_step(s);
    }
    size_t room = ml_sess_room(s);
    uint8_t stage = stage_of(s);
    if (stage == 0 && ml_sm_at(&s->sm) == ML_SYNC_STATE_LIVE && s->trace_known) {
        s->ride = false; /* lane 2 has gone with the rest */
    }
    if (stage == 0 || room == 0 || room <= s->starved) {
        return ML_OK;
    }
    s->load_bytes = room;
    s->load_bundles = s->window_bundles - s->open_bundles;
    return ranges_build(s, stage);
}

static ml_err flight_add(struct ml_sess *s, uint32_t bundles, size_t bytes)
{
    size_t count = (size_t)(s->sent_number - s->acked_number);
    if (s->flight_first + count == s->flight_cap && s->flight_first > 0) {
        memmove(s->flights, s->flights + s->flight_first, count * sizeof(*s->flights));
        s->flight_first = 0;
    }
    if (count == s->flight_cap) {
        size_t cap = count == 0 ? 16 : count * 2;
        struct ml_flight *flights = ml_resize(s->e->env, s->flights, cap * sizeof(*flights));
        if (flights == NULL) {
            return ML_E_NOMEM;
        }
        s->flights = flights;
        s->flight_cap = cap;
    }
    s->flights[s->flight_first + count] = (struct ml_flight){bundles, (uint32_t)bytes};
    s->sent_number++;
    s->open_bundles += bundles;
    s->open_bytes += bytes;
    return ML_OK;
}

static ml_err bundles_message(struct ml_sess *s, const struct ml_slice *wires, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += wires[i].len;
    }
    struct ml_msg msg = {.kind = ML_MSG_BUNDLES};
    msg.u.bundles.number = s->sent_number + 1;
    msg.u.bundles.items = (struct ml_list){.count = (uint32_t)count, .items = wires};
    msg.u.bundles.live = ml_sm_at(&s->sm) == ML_SYNC_STATE_LIVE;
    ml_err err = ml_sess_send(s, &msg);
    return err == ML_OK ? flight_add(s, (uint32_t)count, bytes) : err;
}

ml_err ml_sess_send_bundles(struct ml_sess *s, const struct ml_slice *wires, size_t count)
{
    ml_err err = ML_OK;
    size_t first = 0;
    while (err == ML_OK && first < count) {
        size_t bytes = wires[first].len;
        size_t end = first + 1;
        while (end < count && end - first < ML_MSG_BUNDLES_MAX &&
               bytes + wires[end].len <= ML_SYNC_MESSAGE_BYTES) {
            bytes += wires[end++].len;
        }
        err = bundles_message(s, wires + first, end - first);
        first = end;
    }
    if (count > 0) {
        ml_sess_progress(s);
    }
    return err;
}

/* The store has nothing where our frontier has: what neither can give must not be asked for ever.
 */
static ml_err ranges_give_up(struct ml_sess *s)
{
    ml_err err = ML_OK;
    ml_logf(s->e->env, ML_LOG_DEBUG, "sync", "%zu ranges hold nothing", s->range_count);
    for (size_t i = 0; err == ML_OK && i < s->range_count; i++) {
        struct ml_chain chain =
            ml_sync_frontier_chain(&s->e->mine, &s->ranges[i].writer, s->ranges[i].lane);
        for (size_t k = 0; err == ML_OK && k < chain.count; k++) {
            err = ml_sync_frontier_put(&s->theirs, &chain.heads[k].id, ML_HEAD_KNOWN);
        }
    }
    return err;
}

/* Notes what goes; what our own writer added since the question, and may not offer yet, doesn't. */
static ml_err loaded_pick(struct ml_sess *s, const struct ml_sync_load *load,
                          struct ml_slice *wires, size_t *count)
{
    ml_err err = ML_OK;
    size_t bytes = 0;
    for (size_t i = 0; err == ML_OK && i < load->count; i++) {
        const struct ml_sync_loaded *one = &load->bundles[i];
        const struct ml_dep *id = &one->bundle.id;
        bytes += one->wire.len;
        if (!ml_sync_is_held_back(s->e, &id->writer, id->lane, id->seq)) {
            wires[(*count)++] = one->wire;
            s->ride = s->ride || id->lane != ML_LANE_TRACE;
            err = peer_given(s, &one->bundle);
        }
    }
    bool overrun = bytes > s->load_bytes || load->count > s->load_bundles;
    return err == ML_OK && overrun ? ML_E_INVALID : err; /* by our own store */
}

static ml_err loaded_send(struct ml_sess *s, const struct ml_sync_load *load)
{
    size_t count = 0;
    struct ml_slice *wires = ml_alloc_array(s->e->env, load->count, sizeof(*wires));
    ml_err err = wires == NULL ? ML_E_NOMEM : loaded_pick(s, load, wires, &count);
    if (err == ML_OK) {
        err = ml_sess_send_bundles(s, wires, count);
    }
    ml_release(s->e->env, wires);
    return err;
}

static ml_err loaded_take(struct ml_sess *s, const struct ml_sync_load *load)
{
    if (load->count > 0) {
        return loaded_send(s, load);
    }
    if (load->more) {
        s->starved = s->load_bytes;
        return ML_OK;
    }
    return ranges_give_up(s);
}

void ml_sync_on_loaded(struct ml_sync *e, uint32_t session, uint32_t query,
                       const struct ml_sync_load *load)
{
    struct ml_sess *s = ml_sync_session(e, session);
    if (s == NULL || !ml_sess_is_open(s) || query == 0 || s->load.query != query || s->measuring) {
        return;
    }
    ml_err err = loaded_take(s, load);
    ml_sess_drop_ranges(s);
    s->scan_due = s->scan_due || load->count > 0 || !load->more;
    s->pump_due = true;
    if (err != ML_OK) {
        ml_sess_close(s, err);
    }
}

/* ---- what the peer says of it ---- */

ml_err ml_sess_on_commit(struct ml_sess *s, const struct ml_msg_commit *msg)
{
    struct ml_sync_flow *out = &s->peer->last.out;
    if (msg->number <= s->acked_number || msg->number > s->sent_number) {
        return ML_E_PROTOCOL;
    }
    while (s->acked_number < msg->number) {
        const struct ml_flight *f = &s->flights[s->flight_first++];
        s->acked_number++;
        s->open_bundles -= f->bundles;
        s->open_bytes -= f->bytes;
        out->bundles += f->bundles;
        out->bytes += f->bytes;
    }
    memcpy(s->peer_digest, msg->frontier.b, sizeof(s->peer_digest));
    s->peer_moved = false;
    s->starved = 0;
    ml_sess_progress(s);
    ml_peer_changed(s->peer);
    return ML_OK;
}

static size_t add_capped(size_t a, uint32_t b, size_t max)
{
    return b < max - a ? a + b : max;
}

ml_err ml_sess_on_credit(struct ml_sess *s, const struct ml_msg_credit *msg)
{
    s->window_bytes = add_capped(s->window_bytes, msg->bytes, ML_SYNC_WINDOW_BYTES_MAX);
    s->window_bundles = add_capped(s->window_bundles, msg->bundles, ML_SYNC_WINDOW_BUNDLES_MAX);
    s->starved = 0;
    return ML_OK;
}

/* It may come before the frontier that it is about: kept until that is compared. More than we keep
 * are lost, and a later round brings them again. */
ml_err ml_sess_on_bundle_request(struct ml_sess *s, const struct ml_msg_bundle_request *msg)
{
    struct ml_list_walk walk;
    struct ml_chain_range range;
    ml_list_walk(&walk, &msg->ranges);
    while (s->request_count < ML_SYNC_FORKS_MAX &&
           ml_list_next(&walk, &ml_format_chain_range, &range)) {
        s->requests[s->request_count++] = range;
    }
    s->scan_due = true;
    return ML_OK;
}
