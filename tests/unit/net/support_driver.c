/* tests/unit/net/support_driver.c -- see support_driver.h. */
#include "support_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/crypto/box.h"

/* --- memory --- */

static _Thread_local bool on_loop;

static bool memory_fails(struct driver_memory *m)
{
    atomic_long *fail = on_loop ? &m->fail_loop : &m->fail_org;
    m->taken++;
    return atomic_load(fail) > 0 && atomic_fetch_sub(fail, 1) == 1;
}

static void *memory_alloc(void *ctx, size_t size)
{
    struct driver_memory *m = ctx;
    void *p = memory_fails(m) ? NULL : calloc(1, size);
    m->live += p != NULL;
    return p;
}

static void *memory_resize(void *ctx, void *old, size_t size)
{
    struct driver_memory *m = ctx;
    void *p = memory_fails(m) ? NULL : realloc(old, size);
    m->live += p != NULL && old == NULL;
    return p;
}

static void memory_release(void *ctx, void *p)
{
    struct driver_memory *m = ctx;
    m->live -= p != NULL;
    free(p);
}

const struct ml_env *driver_memory_env(struct driver_memory *m)
{
    m->env = *ml_env_system();
    m->env.alloc = memory_alloc;
    m->env.resize = memory_resize;
    m->env.release = memory_release;
    m->env.ctx = m;
    return &m->env;
}

/* --- the node --- */

void driver_dial(struct ml_node *node)
{
    struct driver_fixture *f = node->f;
    const struct ml_dial_request r = {.dial = ++f->last_dial,
                                      .kind = ML_LINK_KNOWN,
                                      .org = f->org,
                                      .remote_static = f->sides[0].pk,
                                      .address = f->dialled};
    node->ports->dial(node->ports->ctx, &r);
}

static void node_call(struct ml_node *node, uint64_t call, const struct ml_node_caller *caller,
                      struct ml_slice method, struct ml_slice params)
{
    (void)caller;
    if (node->own_call != NULL && node->own_call(node, call, method)) {
        return;
    }
    if (ml_slice_equal(method, ml_slice_str("dial"))) {
        driver_dial(node);
    }
    if (ml_slice_equal(method, ml_slice_str("hold"))) {
        node->held = call;
        return;
    }
    if (ml_slice_equal(method, ml_slice_str("wake"))) {
        node->held = call;
        node->ports->wake_at(node->ports->ctx, node->memory->env.now_ms(node->memory) + 5);
        return;
    }
    node->ports->event(node->ports->ctx, "called", params);
    node->ports->reply(node->ports->ctx, call, ML_OK, params);
}

static void node_cancel(struct ml_node *node, uint64_t call)
{
    node->cancels++;
    if (node->held == call) {
        node->held = 0;
        node->ports->reply(node->ports->ctx, call, ML_E_CANCELED, ml_slice(NULL, 0));
    }
}

static void node_tick(struct ml_node *node)
{
    node->ticks++;
    if (node->own_tick != NULL) {
        node->own_tick(node);
    }
    if (node->held != 0) {
        node->ports->reply(node->ports->ctx, node->held, ML_OK, ml_slice(NULL, 0));
        node->held = 0;
    }
}

void driver_ping(struct ml_node *node)
{
    uint8_t ping[DRIVER_PING_BYTES];
    memset(ping, 0x20, sizeof(ping));
    node->ports->link_send(node->ports->ctx, node->link, ping, sizeof(ping));
}

static void node_up(struct ml_node *node, uint64_t link, const struct ml_link_peer *peer)
{
    node->ups++;
    node->link = link;
    snprintf(node->address, sizeof(node->address), "%s", peer->address);
    assert_int_equal(peer->handshake_hash.len, ML_NOISE_HASH_BYTES);
    if (node->own_up != NULL) {
        node->own_up(node);
    } else if (!node->answers) {
        driver_ping(node);
    }
    uv_sem_post(&node->progress);
}

static void node_message(struct ml_node *node, uint64_t link, struct ml_slice msg)
{
    assert_true(link == node->link && msg.len == DRIVER_PING_BYTES);
    if (++node->messages == DRIVER_PINGS) {
        uv_sem_post(&node->progress);
    }
    if (node->own_message != NULL) {
        node->own_message(node);
        return;
    }
    if (node->answers || node->messages < DRIVER_PINGS) {
        driver_ping(node);
    }
}

static void node_sent(struct ml_node *node, uint64_t link, size_t bytes)
{
    (void)link;
    node->sent_bytes += bytes;
}

static void node_down(struct ml_node *node, uint64_t link, ml_err reason)
{
    (void)link;
    node->link = 0;
    node->downs++;
    node->reason = reason;
    uv_sem_post(&node->progress);
}

static void node_dial_failed(struct ml_node *node, uint64_t dial, ml_err reason)
{
    node->first_failed = node->fails == 0 ? dial : node->first_failed;
    node->last_failed = dial;
    node->fails++;
    node->dial_reason = reason;
    uv_sem_post(&node->progress);
}

static void node_close(struct ml_node *node)
{
    node->closes++;
    if (node->held != 0) {
        node->ports->reply(node->ports->ctx, node->held, ML_E_CANCELED, ml_slice(NULL, 0));
    }
    if (node->link != 0) { /* a last word */
        driver_ping(node);
        node->ports->link_close(node->ports->ctx, node->link, ML_OK);
    }
}

static void on_closed(void *user)
{
    ((struct driver_side *)user)->closed++;
}

static void on_stop(uv_async_t *async)
{
    struct driver_fixture *f = async->data;
    for (size_t i = 0; i < 2; i++) {
        ml_driver_stop(f->sides[i].driver, on_closed, &f->sides[i]);
    }
    uv_close((uv_handle_t *)async, NULL);
}

static void identity(struct driver_fixture *f, struct driver_side *s)
{
    const struct ml_link_identity id = {.org = f->org,
                                        .noise_static = s->key,
                                        .network_psk = f->psk,
                                        .network_mac = f->mac,
                                        .network_epoch = 1};
    const struct ml_node_ports *ports = ml_driver_ports(s->driver);
    ports->identity_set(ports->ctx, &id);
}

static void side_open(struct driver_fixture *f, struct driver_side *s)
{
    const struct ml_env *env = driver_memory_env(&s->memory);
    snprintf(s->dir, sizeof(s->dir), "/tmp/maille-drv-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    assert_int_equal(ml_place_find(&s->place, s->dir, true), ML_OK);
    assert_int_equal(ml_box_keypair(&s->pk, &s->key, env), ML_OK);
    const struct ml_driver_args args = {
        .env = env,
        .loop = &f->loop,
        .socket = s->place.socket,
        .listen = "127.0.0.1:0",
        .calls = {node_call, node_cancel, node_up, node_message, node_sent, node_down,
                  node_dial_failed, node_tick, node_close},
        .times = ML_LINK_TIMES_DEFAULT,
    };
    assert_int_equal(ml_driver_open(&s->driver, &args), ML_OK);
    s->node.ports = ml_driver_ports(s->driver);
    s->node.memory = &s->memory;
    s->node.f = f;
    assert_int_equal(uv_sem_init(&s->node.progress, 0), 0);
    identity(f, s);
}

static void loop_run(void *arg)
{
    on_loop = true;
    uv_run(&((struct driver_fixture *)arg)->loop, UV_RUN_DEFAULT);
}

int driver_setup(void **state)
{
    static struct driver_fixture f;
    const uint8_t fill[32] = {1, 2, 3};
    memset(&f, 0, sizeof(f));
    (void)signal(SIGPIPE, SIG_IGN);
    unsetenv("XDG_RUNTIME_DIR"); // NOLINT(concurrency-mt-unsafe): before any thread
    assert_int_equal(ml_crypto_init(), ML_OK);
    assert_int_equal(ml_secret_from(&f.psk, fill, sizeof(fill)), ML_OK);
    assert_int_equal(ml_secret_from(&f.mac, fill, sizeof(fill)), ML_OK);
    assert_int_equal(uv_loop_init(&f.loop), 0);
    assert_int_equal(uv_async_init(&f.loop, &f.stop, on_stop), 0);
    f.stop.data = &f;
    for (size_t i = 0; i < 2; i++) {
        side_open(&f, &f.sides[i]);
    }
    f.sides[0].node.answers = true;
    *state = &f;
    return 0;
}

void driver_start(struct driver_fixture *f)
{
    snprintf(f->dialled, sizeof(f->dialled), "127.0.0.1:%u", ml_driver_port(f->sides[0].driver));
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(ml_driver_start(f->sides[i].driver, &f->sides[i].node), ML_OK);
    }
    assert_int_equal(uv_thread_create(&f->thread, loop_run, f), 0);
}

void driver_stop(struct driver_fixture *f)
{
    uv_async_send(&f->stop);
    uv_thread_join(&f->thread);
}

int driver_teardown(void **state)
{
    struct driver_fixture *f = *state;
    for (size_t i = 0; i < 2; i++) {
        struct driver_side *s = &f->sides[i];
        assert_int_equal(s->closed, 1);
        assert_int_equal(s->memory.live, 0);
        assert_int_equal(s->node.closes, 1);
        assert_true(s->node.downs <= s->node.ups); /* a closed node hears no more */
        ml_secret_free(s->key);
        uv_sem_destroy(&s->node.progress);
        assert_int_equal(rmdir(s->place.run) | rmdir(s->dir), 0);
        ml_place_free(&s->place);
    }
    ml_secret_free(f->psk);
    ml_secret_free(f->mac);
    return uv_loop_close(&f->loop);
}

struct ml_client *driver_client(const struct driver_fixture *f, unsigned side)
{
    struct ml_client *c = NULL;
    const struct ml_client_options options = {.home = f->sides[side].dir, .token_fd = -1};
    assert_int_equal(ml_client_open(&c, &options), ML_OK);
    return c;
}

ml_err driver_ask(const struct driver_fixture *f, unsigned side, const char *method)
{
    struct ml_client *c = driver_client(f, side);
    ml_err err = ml_client_request(c, NULL, method, NULL, DRIVER_GUARD_MS);
    ml_client_close(c);
    return err;
}

void driver_wait(struct driver_fixture *f, unsigned side, unsigned steps)
{
    while (steps-- > 0) {
        uv_sem_wait(&f->sides[side].node.progress);
    }
}
