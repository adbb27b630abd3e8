/* tests/unit/net/test_driver.c -- a node on its thread, its sockets on the loop: two such pairs
 * meet, a client is served, and a stop loses no last word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/crypto/box.h"
#include "maille/client.h"
#include "net/client/place.h"
#include "net/link/driver.h"

enum { GUARD_MS = 30000, PINGS = 200 };

/* What stands for the node: org thread only, but for what the test reads after the end. */
struct ml_node {
    const struct ml_node_ports *ports;
    const struct ml_env *env;
    unsigned ups, downs, messages, ticks, cancels, closes;
    uint64_t held, link;
    size_t sent_bytes;
    ml_err reason, dial_reason;
    uv_sem_t *progress; /* posted at each up, down, failed dial and at the last ping */
    bool answers;       /* pings with pings */
    char address[64];
};

struct side {
    char dir[64];
    struct ml_place place;
    struct ml_driver *driver;
    struct ml_node node;
    struct ml_secret *key;
    struct ml_box_pk pk;
    unsigned closed;
};

struct fixture {
    uv_loop_t loop;
    uv_async_t stop;
    uv_thread_t thread;
    uv_sem_t progress;
    struct side sides[2];
    struct ml_secret *psk, *mac;
    struct ml_org_id org;
};

static void node_call(struct ml_node *node, uint64_t call, const struct ml_node_caller *caller,
                      struct ml_slice method, struct ml_slice params)
{
    (void)caller;
    if (ml_slice_equal(method, ml_slice_str("hold"))) {
        node->held = call;
        return;
    }
    if (ml_slice_equal(method, ml_slice_str("wake"))) {
        node->held = call;
        node->ports->wake_at(node->ports->ctx, node->env->now_ms(node->env->ctx) + 5);
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
    if (node->held != 0) {
        node->ports->reply(node->ports->ctx, node->held, ML_OK, ml_slice(NULL, 0));
        node->held = 0;
    }
}

static void node_ping(struct ml_node *node)
{
    uint8_t ping[1000];
    memset(ping, 0x20, sizeof(ping));
    node->ports->link_send(node->ports->ctx, node->link, ping, sizeof(ping));
}

static void node_up(struct ml_node *node, uint64_t link, const struct ml_link_peer *peer)
{
    node->ups++;
    node->link = link;
    snprintf(node->address, sizeof(node->address), "%s", peer->address);
    assert_int_equal(peer->handshake_hash.len, ML_NOISE_HASH_BYTES);
    if (!node->answers) {
        node_ping(node);
    }
    uv_sem_post(node->progress);
}

static void node_message(struct ml_node *node, uint64_t link, struct ml_slice msg)
{
    assert_true(link == node->link && msg.len == 1000);
    if (++node->messages == PINGS) {
        uv_sem_post(node->progress);
    }
    if (node->answers || node->messages < PINGS) {
        node_ping(node);
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
    node->downs++;
    node->reason = reason;
    uv_sem_post(node->progress);
}

static void node_dial_failed(struct ml_node *node, uint64_t dial, ml_err reason)
{
    (void)dial;
    node->dial_reason = reason;
    uv_sem_post(node->progress);
}

static void node_close(struct ml_node *node)
{
    node->closes++;
    if (node->held != 0) {
        node->ports->reply(node->ports->ctx, node->held, ML_E_CANCELED, ml_slice(NULL, 0));
    }
    if (node->link != 0) { /* a last word */
        node_ping(node);
        node->ports->link_close(node->ports->ctx, node->link, ML_OK);
    }
}

static void on_closed(void *user)
{
    ((struct side *)user)->closed++;
}

static void on_stop(uv_async_t *async)
{
    struct fixture *f = async->data;
    for (size_t i = 0; i < 2; i++) {
        ml_driver_stop(f->sides[i].driver, on_closed, &f->sides[i]);
    }
    uv_close((uv_handle_t *)async, NULL);
}

static void identity(struct fixture *f, struct side *s)
{
    const struct ml_link_identity id = {.org = f->org,
                                        .noise_static = s->key,
                                        .network_psk = f->psk,
                                        .network_mac = f->mac,
                                        .network_epoch = 1};
    const struct ml_node_ports *ports = ml_driver_ports(s->driver);
    ports->identity_set(ports->ctx, &id);
}

static void side_open(struct fixture *f, struct side *s)
{
    const struct ml_env *env = ml_env_system();
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
    s->node.env = env;
    s->node.progress = &f->progress;
    identity(f, s);
}

static void loop_run(void *arg)
{
    uv_run(&((struct fixture *)arg)->loop, UV_RUN_DEFAULT);
}

static int setup(void **state)
{
    static struct fixture f;
    const uint8_t fill[32] = {1, 2, 3};
    memset(&f, 0, sizeof(f));
    (void)signal(SIGPIPE, SIG_IGN);
    unsetenv("XDG_RUNTIME_DIR"); // NOLINT(concurrency-mt-unsafe): before any thread
    assert_int_equal(ml_crypto_init(), ML_OK);
    assert_int_equal(ml_secret_from(&f.psk, fill, sizeof(fill)), ML_OK);
    assert_int_equal(ml_secret_from(&f.mac, fill, sizeof(fill)), ML_OK);
    assert_int_equal(uv_loop_init(&f.loop), 0);
    assert_int_equal(uv_sem_init(&f.progress, 0), 0);
    assert_int_equal(uv_async_init(&f.loop, &f.stop, on_stop), 0);
    f.stop.data = &f;
    for (size_t i = 0; i < 2; i++) {
        side_open(&f, &f.sides[i]);
    }
    f.sides[0].node.answers = true;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(ml_driver_start(f.sides[i].driver, &f.sides[i].node), ML_OK);
    }
    assert_int_equal(uv_thread_create(&f.thread, loop_run, &f), 0);
    *state = &f;
    return 0;
}

static void stop(struct fixture *f)
{
    uv_async_send(&f->stop);
    uv_thread_join(&f->thread);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < 2; i++) {
        struct side *s = &f->sides[i];
        assert_int_equal(s->closed, 1);
        assert_int_equal(s->node.closes, 1);
        assert_true(s->node.downs <= s->node.ups); /* a closed node hears no more */
        ml_secret_free(s->key);
        assert_int_equal(rmdir(s->place.run) | rmdir(s->dir), 0);
        ml_place_free(&s->place);
    }
    ml_secret_free(f->psk);
    ml_secret_free(f->mac);
    uv_sem_destroy(&f->progress);
    return uv_loop_close(&f->loop);
}

static void dial(struct fixture *f, const char *address)
{
    const struct ml_node_ports *ports = ml_driver_ports(f->sides[1].driver);
    const struct ml_dial_request r = {.dial = 1,
                                      .kind = ML_LINK_KNOWN,
                                      .org = f->org,
                                      .remote_static = f->sides[0].pk,
                                      .address = address};
    ports->dial(ports->ctx, &r);
}

static void nodes_meet_talk_and_part(void **state)
{
    struct fixture *f = *state;
    char address[32];
    snprintf(address, sizeof(address), "127.0.0.1:%u", ml_driver_port(f->sides[0].driver));
    dial(f, address);
    for (unsigned i = 0; i < 4; i++) { /* two ups, and each side's last ping */
        uv_sem_wait(&f->progress);
    }
    stop(f);
    assert_true(f->sides[0].node.messages >= PINGS);
    assert_true(f->sides[1].node.messages >= PINGS);
    assert_int_equal(strncmp(f->sides[1].node.address, "127.0.0.1:", 10), 0);
}

static void a_dial_to_nobody_is_told(void **state)
{
    struct fixture *f = *state;
    dial(f, "127.0.0.1:1");
    uv_sem_wait(&f->progress);
    stop(f);
    assert_int_equal(f->sides[1].node.dial_reason, ML_E_UNREACHABLE);
}

static void on_event(void *user, const char *name, const struct ml_value *params)
{
    (void)params;
    *(bool *)user = strcmp(name, "called") == 0;
}

static void on_answer(void *user, uint64_t ticket, const struct ml_answer *answer)
{
    (void)ticket;
    *(ml_err *)user = answer->err;
}

static void a_client_is_served_by_the_node(void **state)
{
    struct fixture *f = *state;
    struct ml_client *c = NULL;
    bool heard = false;
    ml_err held = ML_OK;
    const struct ml_client_options options = {.home = f->sides[0].dir, .token_fd = -1};
    assert_int_equal(ml_client_open(&c, &options), ML_OK);
    assert_int_equal(ml_client_subscribe(c, "called", on_event, &heard), ML_OK);
    assert_int_equal(ml_client_request(c, NULL, "echo", NULL, GUARD_MS), ML_OK);
    assert_true(heard);
    assert_int_equal(ml_client_request(c, NULL, "wake", NULL, GUARD_MS), ML_OK);
    assert_int_equal(ml_client_request(c, NULL, "hold", NULL, 1), ML_E_TIMEOUT);
    assert_int_equal(ml_client_request(c, NULL, "echo", NULL, GUARD_MS), ML_OK);
    const struct ml_ask ask = {.method = "hold", .done = on_answer, .user = &held};
    assert_int_equal(ml_client_call(c, NULL, &ask), ML_OK);
    assert_int_equal(ml_client_request(c, NULL, "echo", NULL, GUARD_MS), ML_OK);
    stop(f);
    while (held == ML_OK) { /* its answer was the node's last word */
        ml_err err = ml_client_work(c, GUARD_MS);
        assert_true(err == ML_OK || held != ML_OK);
    }
    assert_int_equal(held, ML_E_CANCELED);
    ml_client_close(c);
    assert_int_equal(f->sides[0].node.ticks, 1);
    assert_int_equal(f->sides[0].node.cancels, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(nodes_meet_talk_and_part),
        T(a_dial_to_nobody_is_told),
        T(a_client_is_served_by_the_node),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
