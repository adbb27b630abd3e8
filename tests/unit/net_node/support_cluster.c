/* support_cluster.c -- see support_cluster.h. */
#include "support_cluster.h"

#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/codec/msg.h"
#include "core/crypto/box.h"
#include "fake_epochs.h"
#include "net/node/state.h"
#include "support_refusal.h"

enum { RUN_EVENTS_MAX = 200000, CALL_MS_MAX = 120000, STEP_MS = 10 };

typedef enum event_kind { EVENT_UP, EVENT_MESSAGE, EVENT_DOWN, EVENT_DIAL_FAILED } event_kind;

struct cluster_event {
    struct cluster_event *next;
    event_kind kind;
    unsigned node;
    uint64_t link; /* or the dial that failed */
    struct ml_link_peer peer;
    ml_err reason;
    size_t len;
    uint8_t bytes[];
};

static struct cluster_event *event_push(struct cluster *c, event_kind kind, unsigned node,
                                        size_t len)
{
    struct cluster_event *e = calloc(1, sizeof(*e) + len);
    ML_ASSERT(e != NULL);
    e->kind = kind;
    e->node = node;
    e->len = len;
    if (c->tail != NULL) {
        c->tail->next = e;
    } else {
        c->head = e;
    }
    c->tail = e;
    return e;
}

static unsigned other_end(const struct cluster_link *l, unsigned n)
{
    return l->end[0] == n ? l->end[1] : l->end[0];
}

static void port_identity_set(void *ctx, const struct ml_link_identity *identity)
{
    struct cluster_node *n = ctx;
    n->identity = *identity;
    n->has_identity = true;
}

static void port_identity_clear(void *ctx, const struct ml_org_id *org)
{
    struct cluster_node *n = ctx;
    (void)org;
    n->has_identity = false;
}

static void link_drop(struct cluster *c, uint64_t link, ml_err reason)
{
    struct cluster_link *l = &c->links[link - 1];
    if (!l->up) {
        return;
    }
    l->up = false;
    for (unsigned i = 0; i < 2; i++) {
        struct cluster_event *e = event_push(c, EVENT_DOWN, l->end[i], 0);
        e->link = link;
        e->reason = reason;
    }
}

/* Whether both ends hold what Noise would ask of them. */
static bool dial_agrees(const struct ml_dial_request *r, const struct cluster_node *to)
{
    if (to->node == NULL || !to->has_identity) {
        return false;
    }
    if (r->kind == ML_LINK_ENROL) {
        return to->identity.enrolment_psk != NULL &&
               ml_secret_equal(r->psk, to->identity.enrolment_psk);
    }
    struct ml_box_pk pk;
    ml_box_pk_of(&pk, to->identity.noise_static);
    return memcmp(&pk, &r->remote_static, sizeof(pk)) == 0;
}

/* "node:1"; CLUSTER_NODES: no such name. */
static unsigned node_named(const char *address)
{
    const bool named = strncmp(address, "node:", 5) == 0;
    return named ? (unsigned)strtoul(address + 5, NULL, 10) : CLUSTER_NODES;
}

static bool is_reached(const struct cluster_node *from, unsigned to,
                       const struct ml_dial_request *r)
{
    const struct cluster *c = from->cluster;
    const ptrdiff_t me = from - c->nodes;
    return to < CLUSTER_NODES && !c->cut[me][to] && !c->silent[me] && dial_agrees(r, &c->nodes[to]);
}

/* Under which epoch; or why it fails. */
static ml_err dial_opens(struct cluster_node *from, unsigned to, const struct ml_dial_request *r,
                         uint32_t *epoch)
{
    struct cluster *c = from->cluster;
    if (r->kind == ML_LINK_KNOWN && !from->has_identity) {
        return ML_E_LOCKED;
    }
    if (!is_reached(from, to, r)) {
        return ML_E_UNREACHABLE;
    }
    if (r->kind == ML_LINK_KNOWN &&
        !fake_epochs_agree(&from->identity, r->past, &c->nodes[to].identity, epoch)) {
        c->refused++;
        return ML_E_WRONG_KEY;
    }
    return ML_OK;
}

static void port_dial(void *ctx, const struct ml_dial_request *r)
{
    static const uint8_t handshake_hash[64] = {0x68};
    struct cluster_node *from = ctx;
    struct cluster *c = from->cluster;
    unsigned me = (unsigned)(from - c->nodes);
    const unsigned to = node_named(r->address);
    uint32_t epoch = 0;
    const ml_err err = dial_opens(from, to, r, &epoch);
    if (err != ML_OK) {
        event_push(c, EVENT_DIAL_FAILED, me, 0)->link = r->dial;
        c->tail->reason = err;
        return;
    }
    ML_ASSERT(c->link_count < CLUSTER_LINKS);
    c->links[c->link_count++] = (struct cluster_link){true, {me, to}, r->kind};
    struct ml_box_pk mine;
    ml_box_pk_of(&mine, r->kind == ML_LINK_ENROL ? r->static_key : from->identity.noise_static);
    for (unsigned i = 0; i < 2; i++) {
        struct cluster_event *e = event_push(c, EVENT_UP, i == 0 ? me : to, 0);
        e->link = c->link_count;
        e->peer.dial = i == 0 ? r->dial : 0;
        e->peer.kind = r->kind;
        e->peer.epoch = epoch;
        e->peer.org = i == 0 && r->kind == ML_LINK_ENROL ? r->org : c->nodes[to].identity.org;
        e->peer.handshake_hash = ml_slice(handshake_hash, sizeof(handshake_hash));
        e->peer.address = "cluster";
        e->peer.initiator = i == 0;
        if (i == 0) {
            ml_box_pk_of(&e->peer.remote_static, c->nodes[to].identity.noise_static);
        } else {
            e->peer.remote_static = mine;
            e->peer.remote_static.b[0] ^= c->other_key;
        }
    }
}

static void port_link_send(void *ctx, uint64_t link, const uint8_t *msg, size_t len)
{
    struct cluster_node *from = ctx;
    struct cluster *c = from->cluster;
    struct cluster_link *l = &c->links[link - 1];
    unsigned me = (unsigned)(from - c->nodes);
    unsigned to = other_end(l, me);
    if (!l->up) {
        return;
    }
    if (c->cut[me][to]) {
        link_drop(c, link, ML_E_UNREACHABLE);
        return;
    }
    c->keys_only += l->kind == ML_LINK_KNOWN && len == ML_HELLO_BYTES &&
                    msg[0] <= ML_MSG_VERSION_LAST && (msg[1] & ML_HELLO_KEYS) != 0;
    struct cluster_event *e = event_push(c, EVENT_MESSAGE, to, len);
    e->link = link;
    memcpy(e->bytes, msg, len);
}

static void port_link_close(void *ctx, uint64_t link, ml_err reason)
{
    link_drop(((struct cluster_node *)ctx)->cluster, link, reason);
}

static void port_reply(void *ctx, uint64_t call, ml_err err, struct ml_slice document)
{
    struct cluster *c = ((struct cluster_node *)ctx)->cluster;
    const bool is_long = c->long_call != 0 && call == c->long_call;
    struct cluster_answer *answer = is_long ? &c->long_answer : &c->answer;
    ML_ASSERT((is_long || call == c->next_call) && !answer->done);
    answer->done = true;
    answer->err = err;
    if (err == ML_E_DENIED) {
        refusal_check(document);
    } else if (refusal_is_undone(err)) {
        refusal_check_undone(err, document);
    }
    ml_buf_clear(&answer->document);
    ml_buf_append(&answer->document, document.data, document.len);
}

static void port_event(void *ctx, const char *name, struct ml_slice document)
{
    struct cluster_node *node = ctx;
    node->events++;
    if (strcmp(name, "progress") == 0) {
        ml_buf_clear(&node->progress);
        ml_buf_append(&node->progress, document.data, document.len);
        node->progress_count++;
    }
}

static void port_wake_at(void *ctx, uint64_t at_ms)
{
    ((struct cluster_node *)ctx)->wake_at = at_ms;
}

void cluster_init(struct cluster *c, uint64_t seed)
{
    memset(c, 0, sizeof(*c));
    fake_env_init(&c->fake, seed);
    snprintf(c->folder, sizeof(c->folder), "%s/maille-cluster-XXXXXX",
             getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    ML_ASSERT(mkdtemp(c->folder) != NULL);
    ml_buf_init_wiped(&c->answer.document, ml_env_system(), 64u << 20);
    ml_buf_init_wiped(&c->long_answer.document, ml_env_system(), 64u << 20);
    for (unsigned n = 0; n < CLUSTER_NODES; n++) {
        struct cluster_node *node = &c->nodes[n];
        node->cluster = c;
        node->posix_session = 1;
        ml_buf_init(&node->progress, ml_env_system(), 4096);
        snprintf(node->home, sizeof(node->home), "%s/home%u", c->folder, n);
        snprintf(node->state, sizeof(node->state), "%s/state%u", c->folder, n);
    }
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void cluster_free(struct cluster *c)
{
    for (unsigned n = 0; n < CLUSTER_NODES; n++) {
        cluster_stop(c, n);
        ml_buf_free(&c->nodes[n].progress);
    }
    while (c->head != NULL) {
        struct cluster_event *next = c->head->next;
        free(c->head);
        c->head = next;
    }
    ml_buf_free(&c->answer.document);
    ml_buf_free(&c->long_answer.document);
    nftw(c->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    ML_ASSERT(c->fake.live == 0);
}

void cluster_start(struct cluster *c, unsigned n)
{
    struct cluster_node *node = &c->nodes[n];
    const struct ml_node_ports ports = {.ctx = node,
                                        .identity_set = port_identity_set,
                                        .identity_clear = port_identity_clear,
                                        .dial = port_dial,
                                        .link_send = port_link_send,
                                        .link_close = port_link_close,
                                        .reply = port_reply,
                                        .event = port_event,
                                        .wake_at = port_wake_at};
    const struct ml_node_args args = {.env = &c->fake.env,
                                      .home = node->home,
                                      .state_home = node->state,
                                      .ports = &ports,
                                      .test_keys = true};
    node->wake_at = UINT64_MAX;
    ml_err err = ml_node_open(&node->node, &args);
    ML_ASSERT(err == ML_OK);
}

void cluster_stop(struct cluster *c, unsigned n)
{
    struct cluster_node *node = &c->nodes[n];
    if (node->node == NULL) {
        return;
    }
    for (unsigned i = 0; i < c->link_count; i++) {
        if (c->links[i].end[0] == n || c->links[i].end[1] == n) {
            link_drop(c, i + 1, ML_E_UNREACHABLE);
        }
    }
    ml_node_close(node->node);
    node->node = NULL;
    node->has_identity = false;
    node->token_len = 0;
}

static char *strdup_env(const char *text)
{
    char *copy = ml_copy(ml_env_system(), text, strlen(text));
    ML_ASSERT(copy != NULL);
    return copy;
}

void cluster_spawn(const char *const *argv)
{
    pid_t pid = 0;
    int status = 0;
    char *copy[8] = {NULL};
    ML_ASSERT(argv[0] != NULL);
    for (size_t i = 0; argv[i] != NULL && i < 7; i++) {
        copy[i] = strdup_env(argv[i]);
    }
    int rc = posix_spawnp(&pid, copy[0], NULL, NULL, copy, environ);
    ML_ASSERT(rc == 0);
    pid_t ended = waitpid(pid, &status, 0);
    ML_ASSERT(ended == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    for (size_t i = 0; copy[i] != NULL; i++) {
        free(copy[i]);
    }
}

void cluster_copy_home(struct cluster *c, unsigned n, const char *name)
{
    char to[256];
    snprintf(to, sizeof(to), "%s/%s", c->folder, name);
    const char *const argv[] = {"cp", "-a", c->nodes[n].home, to, NULL};
    cluster_spawn(argv);
}

void cluster_restore_home(struct cluster *c, unsigned n, const char *name)
{
    char from[256];
    snprintf(from, sizeof(from), "%s/%s", c->folder, name);
    const char *const drop[] = {"rm", "-r", c->nodes[n].home, NULL};
    cluster_spawn(drop);
    const char *const argv[] = {"cp", "-a", from, c->nodes[n].home, NULL};
    cluster_spawn(argv);
}

/* Large ones may be counted, and the link cut at one of them, or a byte of one changed. */
static void message_deliver(struct cluster *c, struct ml_node *node, struct cluster_event *e)
{
    struct ml_node *sender = c->nodes[other_end(&c->links[e->link - 1], e->node)].node;
    if (e->len > CLUSTER_LARGE) {
        c->large++;
        if (c->cut_at_large > 0 && c->large == c->cut_at_large) {
            link_drop(c, e->link, ML_E_UNREACHABLE);
            return;
        }
        if (c->alter_large) {
            c->alter_large = false;
            e->bytes[e->len / 2] ^= 1;
        }
    }
    ml_node_link_message(node, e->link, ml_slice(e->bytes, e->len));
    if (sender != NULL) {
        ml_node_link_sent(sender, e->link, e->len);
    }
}

static void event_deliver(struct cluster *c, struct cluster_event *e)
{
    struct ml_node *node = c->nodes[e->node].node;
    if (node == NULL) {
        return;
    }
    switch (e->kind) {
    case EVENT_UP:
        ml_node_link_up(node, e->link, &e->peer);
        break;
    case EVENT_MESSAGE:
        message_deliver(c, node, e);
        break;
    case EVENT_DOWN:
        ml_node_link_down(node, e->link, e->reason);
        break;
    case EVENT_DIAL_FAILED:
        ml_node_dial_failed(node, e->link, e->reason);
        break;
    }
}

static void timers_run(struct cluster *c)
{
    for (unsigned n = 0; n < CLUSTER_NODES; n++) {
        struct cluster_node *node = &c->nodes[n];
        if (node->node != NULL && node->wake_at <= c->fake.now_ms) {
            node->wake_at = UINT64_MAX;
            ml_node_tick(node->node);
        }
    }
}

static void deliver_all(struct cluster *c)
{
    for (unsigned i = 0; c->head != NULL && i < RUN_EVENTS_MAX; i++) {
        struct cluster_event *e = c->head;
        c->head = e->next;
        c->tail = c->head == NULL ? NULL : c->tail;
        event_deliver(c, e);
        free(e);
    }
    ML_ASSERT(c->head == NULL); /* else the nodes talk for ever */
}

void cluster_run(struct cluster *c, uint64_t ms)
{
    uint64_t end = c->fake.now_ms + ms;
    for (;;) {
        timers_run(c);
        deliver_all(c);
        if (c->fake.now_ms >= end) {
            return;
        }
        c->fake.now_ms += STEP_MS;
        c->fake.wall_ms += STEP_MS;
    }
}

static void call_send(struct cluster *c, unsigned n, const char *method, struct ml_slice params)
{
    const struct cluster_node *node = &c->nodes[n];
    const struct ml_node_caller caller = {.uid = (uint32_t)getuid(),
                                          .session_id = node->posix_session,
                                          .token = ml_slice(node->token, node->token_len)};
    ml_node_call(node->node, c->next_call, &caller, ml_slice_str(method), params);
}

void cluster_begin(struct cluster *c, unsigned n, const char *method, struct ml_slice params)
{
    c->long_call = ++c->next_call;
    c->long_answer.done = false;
    call_send(c, n, method, params);
}

ml_err cluster_call(struct cluster *c, unsigned n, const char *method, struct ml_slice params,
                    struct ml_slice *document)
{
    c->next_call++;
    c->answer.done = false;
    call_send(c, n, method, params);
    uint64_t end = c->fake.now_ms + CALL_MS_MAX;
    while (!c->answer.done && c->fake.now_ms < end) {
        cluster_run(c, STEP_MS);
    }
    ML_ASSERT(c->answer.done);
    *document = ml_buf_slice(&c->answer.document);
    return c->answer.err;
}

void cluster_keep_token(struct cluster *c, unsigned n, struct ml_slice token)
{
    struct cluster_node *node = &c->nodes[n];
    ML_ASSERT(token.len <= sizeof(node->token));
    memcpy(node->token, token.data, token.len);
    node->token_len = token.len;
}

struct ml_org *cluster_org(const struct cluster *c, unsigned n)
{
    return c->nodes[n].node->orgs;
}

void cluster_cut(struct cluster *c, unsigned a, unsigned b, bool cut)
{
    c->cut[a][b] = c->cut[b][a] = cut;
}
