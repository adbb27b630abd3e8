/* tests/unit/net/test_hub.c -- links between two hubs on one loop: both kinds, every refusal, each
 * named limit on both of its sides. No sleeps: short times are deadlines of the code under test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/crypto/box.h"
#include "fake_env.h"
#include "net/link/hub.h"

enum { ENDS = 3, RAW_MAX = 64 };

struct end {
    struct ml_hub *hub;
    unsigned ups, downs, fails, messages;
    uint64_t link;
    ml_err reason;
    struct ml_link_peer peer;
    size_t bytes, sent_bytes;
    uint8_t last[64];
    bool hold; /* don't say consumed */
};

struct fixture {
    struct fake_env fake;
    uv_loop_t loop;
    struct end ends[ENDS]; /* 0 answers, 1 dials, 2 when a limit asks for a third */
    struct ml_secret *statics[ENDS], *psk, *mac, *other;
    struct ml_box_pk pks[ENDS];
    struct ml_org_id org;
    char address[32];
    struct sockaddr_storage sock;
    unsigned closed;
};

static void on_up(void *ctx, uint64_t link, const struct ml_link_peer *peer)
{
    struct end *e = ctx;
    e->ups++;
    e->link = link;
    e->peer = *peer;
}

static void on_message(void *ctx, uint64_t link, struct ml_slice message)
{
    struct end *e = ctx;
    e->messages++;
    e->bytes += message.len;
    memcpy(e->last, message.data, message.len < sizeof(e->last) ? message.len : sizeof(e->last));
    if (!e->hold) {
        ml_hub_consumed(e->hub, link, message.len);
    }
}

static void on_sent(void *ctx, uint64_t link, size_t bytes)
{
    struct end *e = ctx;
    (void)link;
    e->sent_bytes += bytes;
}

static void on_down(void *ctx, uint64_t link, ml_err reason)
{
    struct end *e = ctx;
    (void)link;
    e->downs++;
    e->reason = reason;
}

static void on_dial_failed(void *ctx, uint64_t dial, ml_err reason)
{
    struct end *e = ctx;
    (void)dial;
    e->fails++;
    e->reason = reason;
}

static struct ml_secret *secret(uint8_t fill)
{
    struct ml_secret *s = NULL;
    uint8_t bytes[32];
    memset(bytes, fill, sizeof(bytes));
    assert_int_equal(ml_secret_from(&s, bytes, sizeof(bytes)), ML_OK);
    return s;
}

static void end_open(struct fixture *f, unsigned i, struct ml_link_times times)
{
    struct end *e = &f->ends[i];
    const struct ml_hub_args args = {
        .env = &f->fake.env,
        .loop = &f->loop,
        .calls = {on_up, on_message, on_sent, on_down, on_dial_failed, e},
        .times = times};
    assert_int_equal(ml_hub_open(&e->hub, &args), ML_OK);
}

static void identity(struct fixture *f, unsigned i, const struct ml_secret *enrol_psk,
                     const struct ml_secret *enrol_mac)
{
    const struct ml_link_identity id = {.org = f->org,
                                        .noise_static = f->statics[i],
                                        .network_psk = f->psk,
                                        .network_mac = f->mac,
                                        .network_epoch = 7,
                                        .enrolment_psk = enrol_psk,
                                        .enrolment_mac = enrol_mac};
    assert_int_equal(ml_hub_identity_set(f->ends[i].hub, &id), ML_OK);
}

static int setup_with(void **state, struct ml_link_times times)
{
    static struct fixture f;
    uint16_t port = 0;
    memset(&f, 0, sizeof(f));
    fake_env_init(&f.fake, 1);
    assert_int_equal(ml_crypto_init(), ML_OK);
    assert_int_equal(uv_loop_init(&f.loop), 0);
    memset(&f.org, 0xaa, sizeof(f.org));
    f.psk = secret(1);
    f.mac = secret(2);
    f.other = secret(3);
    for (unsigned i = 0; i < ENDS; i++) {
        assert_int_equal(ml_box_keypair(&f.pks[i], &f.statics[i], &f.fake.env), ML_OK);
        end_open(&f, i, times);
        identity(&f, i, NULL, NULL);
    }
    assert_int_equal(ml_hub_listen(f.ends[0].hub, &port, "127.0.0.1:0"), ML_OK);
    snprintf(f.address, sizeof(f.address), "127.0.0.1:%u", port);
    assert_int_equal(uv_ip4_addr("127.0.0.1", port, (struct sockaddr_in *)&f.sock), 0);
    *state = &f;
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, (struct ml_link_times)ML_LINK_TIMES_DEFAULT);
}

static void on_hub_closed(void *user)
{
    ++*(unsigned *)user;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < ENDS; i++) {
        ml_hub_close(f->ends[i].hub, on_hub_closed, &f->closed);
        ml_secret_free(f->statics[i]);
    }
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(f->closed, ENDS);
    ml_secret_free(f->psk);
    ml_secret_free(f->mac);
    ml_secret_free(f->other);
    assert_int_equal(f->fake.live, 0);
    return uv_loop_close(&f->loop);
}

static void until(struct fixture *f, const unsigned *count, unsigned enough)
{
    while (*count < enough) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
}

static struct ml_dial_request known(struct fixture *f)
{
    return (struct ml_dial_request){.dial = 11,
                                    .kind = ML_LINK_KNOWN,
                                    .org = f->org,
                                    .remote_static = f->pks[0],
                                    .address = f->address};
}

static void linked(struct fixture *f)
{
    const struct ml_dial_request r = known(f);
    unsigned answered = f->ends[0].ups;
    ml_hub_dial(f->ends[1].hub, &r);
    until(f, &f->ends[1].ups, f->ends[1].ups + 1);
    until(f, &f->ends[0].ups, answered + 1);
}

static void known_nodes_meet_and_prove_their_keys(void **state)
{
    struct fixture *f = *state;
    linked(f);
    struct end *a = &f->ends[0];
    struct end *b = &f->ends[1];
    assert_memory_equal(&a->peer.remote_static, &f->pks[1], sizeof(f->pks[1]));
    assert_memory_equal(&b->peer.remote_static, &f->pks[0], sizeof(f->pks[0]));
    assert_memory_equal(&a->peer.org, &f->org, sizeof(f->org));
    assert_int_equal(b->peer.dial, 11);
    assert_int_equal(a->peer.dial, 0);
    assert_true(b->peer.initiator && !a->peer.initiator);
    assert_int_equal(a->peer.kind, ML_LINK_KNOWN);
}

static void a_name_is_dialled_too(void **state)
{
    struct fixture *f = *state;
    char name[40];
    snprintf(name, sizeof(name), "localhost%s", strrchr(f->address, ':'));
    struct ml_dial_request r = known(f);
    r.address = name;
    ml_hub_dial(f->ends[1].hub, &r);
    until(f, &f->ends[0].ups, 1);
}

static void messages_of_every_size_arrive_whole_and_in_order(void **state)
{
    static uint8_t big[ML_MSG_BYTES_MAX + 1];
    static const size_t sizes[] = {
        1, 45, 46, 47, 63, 64, 65450, 65454, 65455, 200000, ML_MSG_BYTES_MAX};
    struct fixture *f = *state;
    struct end *a = &f->ends[0];
    size_t total = 0;
    linked(f);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memset(big, (int)(0x20 + i), sizes[i]); /* a kind, so no HELLO */
        ml_hub_send(f->ends[1].hub, f->ends[1].link, ml_slice(big, sizes[i]));
        total += sizes[i];
        until(f, &a->messages, (unsigned)i + 1);
        assert_int_equal(a->last[0], 0x20 + i);
        assert_int_equal(a->bytes, total);
    }
    ml_hub_send(f->ends[1].hub, f->ends[1].link, ml_slice(big, sizeof(big))); /* one byte over */
    until(f, &f->ends[1].downs, 1);
    assert_int_equal(f->ends[1].reason, ML_E_LIMIT);
}

static void enrolment_needs_the_waiting_code(void **state)
{
    struct fixture *f = *state;
    struct ml_dial_request r = {.dial = 5,
                                .kind = ML_LINK_ENROL,
                                .psk = f->other,
                                .mac = f->other,
                                .static_key = f->statics[1],
                                .address = f->address};
    ml_hub_dial(f->ends[1].hub, &r); /* no code waits */
    until(f, &f->ends[1].fails, 1);
    assert_int_equal(f->ends[0].ups, 0);
    identity(f, 0, f->other, f->other);
    ml_hub_dial(f->ends[1].hub, &r);
    until(f, &f->ends[0].ups, 1);
    until(f, &f->ends[1].ups, 1);
    assert_int_equal(f->ends[0].peer.kind, ML_LINK_ENROL);
    assert_memory_equal(&f->ends[0].peer.remote_static, &f->pks[1], sizeof(f->pks[1]));
    assert_memory_equal(&f->ends[0].peer.org, &f->org, sizeof(f->org));
    r.psk = f->psk; /* right mac, wrong code */
    ml_hub_dial(f->ends[1].hub, &r);
    until(f, &f->ends[1].ups, 2); /* our side ends first: message 3 has the last word */
    until(f, &f->ends[1].downs, 1);
    assert_int_equal(f->ends[0].ups, 1);
}

/* Dials with one thing wrong: the answering side must never say `up`. */
static void refused(struct fixture *f, const struct ml_dial_request *r)
{
    unsigned ends = f->ends[1].fails + f->ends[1].downs;
    unsigned ups = f->ends[0].ups;
    ml_hub_dial(f->ends[1].hub, r);
    while (f->ends[1].fails + f->ends[1].downs == ends) {
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_int_equal(f->ends[0].ups, ups);
}

static void whoever_lacks_one_key_is_refused(void **state)
{
    struct fixture *f = *state;
    struct ml_dial_request r = known(f);
    r.remote_static = f->pks[1]; /* not the key of who answers */
    refused(f, &r);
    r = known(f);
    memset(&r.org, 0xbb, sizeof(r.org)); /* a structure that we aren't in */
    refused(f, &r);
    assert_int_equal(f->ends[1].reason, ML_E_LOCKED);

    struct ml_secret *mac = f->mac;
    f->mac = f->other;
    identity(f, 1, NULL, NULL);
    f->mac = mac;
    r = known(f);
    refused(f, &r);

    struct ml_secret *psk = f->psk;
    f->psk = f->other;
    identity(f, 1, NULL, NULL);
    f->psk = psk;
    r = known(f);
    refused(f, &r);

    identity(f, 1, NULL, NULL);
    linked(f); /* all keys right: the test proves something */
}

/* The first two ends hold epoch 7, the first one also 6 and 5 of before. */
static void an_epoch_of_the_past_opens_a_link(void **state)
{
    struct fixture *f = *state;
    struct ml_secret *past = NULL;
    assert_int_equal(ml_secret_new(&past, 2 * (size_t)ML_NETWORK_PAST_KEYS), ML_OK);
    memset(ml_secret_writable(past) + ML_NETWORK_PAST_KEYS, 9, ML_NETWORK_PAST_KEYS);
    struct ml_link_identity id = {.org = f->org,
                                  .network_psk = f->psk,
                                  .network_mac = f->mac,
                                  .network_epoch = 7,
                                  .past_count = 2,
                                  .past_epochs = {6, 5},
                                  .past_keys = past};
    for (unsigned i = 0; i < 2; i++) {
        id.noise_static = f->statics[i];
        assert_int_equal(ml_hub_identity_set(f->ends[i].hub, &id), ML_OK);
    }
    struct ml_dial_request r = known(f);
    r.past = 2;
    ml_hub_dial(f->ends[1].hub, &r);
    until(f, &f->ends[1].ups, 1);
    until(f, &f->ends[0].ups, 1);
    assert_int_equal(f->ends[0].peer.epoch, 5);
    assert_int_equal(f->ends[1].peer.epoch, 5);
    r.past = 3; /* there is none */
    refused(f, &r);
    assert_int_equal(f->ends[1].reason, ML_E_NOT_FOUND);
    identity(f, 0, NULL, NULL); /* it never heard of 6 */
    r.past = 1;
    refused(f, &r);
    assert_int_equal(f->ends[1].reason, ML_E_WRONG_KEY); /* it is there, and another may do */
    ml_secret_free(past);
}

static void a_cleared_identity_ends_its_links_and_answers_nobody(void **state)
{
    struct fixture *f = *state;
    linked(f);
    ml_hub_identity_clear(f->ends[0].hub, &f->org);
    until(f, &f->ends[0].downs, 1);
    assert_int_equal(f->ends[0].reason, ML_E_LOCKED);
    until(f, &f->ends[1].downs, 1);
    const struct ml_dial_request r = known(f);
    refused(f, &r);
}

static void a_closed_port_fails_the_dial(void **state)
{
    struct fixture *f = *state;
    struct ml_dial_request r = known(f);
    r.address = "127.0.0.1:1";
    refused(f, &r);
    assert_int_equal(f->ends[1].reason, ML_E_UNREACHABLE);
    r.address = "no port";
    refused(f, &r);
    assert_int_equal(f->ends[1].reason, ML_E_INVALID);
}

static void a_drained_link_says_what_it_sent(void **state)
{
    static const uint8_t message[300];
    struct fixture *f = *state;
    linked(f);
    ml_hub_send(f->ends[1].hub, f->ends[1].link, ml_slice(message, sizeof(message)));
    ml_hub_send(f->ends[1].hub, f->ends[1].link, ml_slice(message, sizeof(message)));
    until(f, &f->ends[0].messages, 2);
    ml_hub_end(f->ends[0].hub, f->ends[0].link, ML_OK);
    until(f, &f->ends[1].downs, 1);
    assert_int_equal(f->ends[1].sent_bytes, 2 * sizeof(message));
    assert_int_equal(f->ends[0].sent_bytes, 0);
}

static void an_ended_link_sends_what_was_queued(void **state)
{
    static uint8_t message[ML_MSG_BYTES_MAX];
    struct fixture *f = *state;
    linked(f);
    memset(message, 0x20, sizeof(message));
    for (unsigned i = 0; i < 8; i++) {
        ml_hub_send(f->ends[1].hub, f->ends[1].link, ml_slice(message, sizeof(message)));
    }
    ml_hub_end(f->ends[1].hub, f->ends[1].link, ML_OK);
    until(f, &f->ends[0].downs, 1);
    assert_int_equal(f->ends[0].messages, 8);
    until(f, &f->ends[1].downs, 1);
    assert_int_equal(f->ends[1].reason, ML_OK);
}

static void a_reader_that_is_behind_stops_the_sender_not_the_node(void **state)
{
    static uint8_t message[ML_MSG_BYTES_MAX];
    struct fixture *f = *state;
    struct end *a = &f->ends[0];
    struct end *b = &f->ends[1];
    linked(f);
    a->hold = true;
    memset(message, 0x20, sizeof(message));
    while (b->downs == 0) { /* until the sender's own queue is full */
        ml_hub_send(b->hub, b->link, ml_slice(message, sizeof(message)));
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(b->reason, ML_E_LIMIT);
    assert_in_range(a->bytes, ML_LINK_UNREAD_BYTES_MAX,
                    ML_LINK_UNREAD_BYTES_MAX + 2 * ML_MSG_BYTES_MAX);
    size_t bytes = a->bytes;
    a->hold = false;
    ml_hub_consumed(a->hub, a->link, bytes);
    until(f, &a->downs, 1);
    assert_true(a->bytes > bytes); /* what had been sent was still read */
}

/* The newcomer comes from a node that has no other link: only who answers is full. */
static void open_links_end_at_their_limit(void **state)
{
    struct fixture *f = *state;
    struct ml_hub_stats stats;
    for (unsigned i = 0; i < ML_LINKS_MAX; i++) {
        linked(f);
    }
    ml_hub_stats(f->ends[0].hub, &stats);
    assert_int_equal(stats.links, ML_LINKS_MAX);
    assert_int_equal(stats.refused_links, 0);
    const struct ml_dial_request r = known(f);
    ml_hub_dial(f->ends[2].hub, &r);
    until(f, &f->ends[2].downs, 1); /* its own end opens first: message 3 has the last word */
    ml_hub_stats(f->ends[0].hub, &stats);
    assert_int_equal(stats.refused_links, 1);
    assert_int_equal(f->ends[0].ups, ML_LINKS_MAX);
    assert_int_equal(f->ends[0].downs, 0); /* the others stay */
    ml_hub_end(f->ends[0].hub, f->ends[0].link, ML_OK);
    until(f, &f->ends[0].downs, 1);
    ml_hub_dial(f->ends[2].hub, &r); /* one went: there is room again */
    until(f, &f->ends[0].ups, ML_LINKS_MAX + 1);
}

static void own_dials_end_at_their_limit(void **state)
{
    struct fixture *f = *state;
    struct end *b = &f->ends[1];
    struct ml_dial_request r = known(f);
    r.address = "127.0.0.1:1"; /* nobody: they all end by themselves */
    for (unsigned i = 0; i < ML_LINK_DIALS_MAX; i++) {
        ml_hub_dial(b->hub, &r);
    }
    assert_int_equal(b->fails, 0); /* all under way: the loop hasn't run */
    ml_hub_dial(b->hub, &r);
    assert_int_equal(b->fails, 1);
    assert_int_equal(b->reason, ML_E_LIMIT);
    until(f, &b->fails, 1 + ML_LINK_DIALS_MAX);
    assert_int_equal(b->reason, ML_E_UNREACHABLE);
    linked(f);
}

/* --- raw connections: peers that prove nothing --- */

struct raw {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    unsigned *ended;
    char say[ML_HANDSHAKE_BYTES_MAX];
    size_t len;
};

static void raw_on_closed(uv_handle_t *handle)
{
    struct raw *r = handle->data;
    ++*r->ended;
}

static void raw_on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    static char room[256];
    (void)handle;
    (void)suggested;
    *buf = uv_buf_init(room, sizeof(room));
}

static void raw_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    (void)buf;
    if (n < 0) {
        uv_close((uv_handle_t *)stream, raw_on_closed);
    }
}

static void raw_on_connect(uv_connect_t *req, int status)
{
    struct raw *r = req->data;
    assert_int_equal(status, 0);
    uv_buf_t buf = uv_buf_init(r->say, (unsigned)r->len);
    assert_int_equal(uv_read_start((uv_stream_t *)&r->tcp, raw_on_room, raw_on_read), 0);
    if (r->len > 0) {
        assert_int_equal(uv_write(&r->write, (uv_stream_t *)&r->tcp, &buf, 1, NULL), 0);
    }
}

/* From another address of this machine than 127.0.0.1: 127.0.0.`last`. */
static void raw_open_from(struct fixture *f, struct raw *r, unsigned *ended, unsigned last)
{
    char address[16];
    struct sockaddr_in from;
    snprintf(address, sizeof(address), "127.0.0.%u", last);
    r->ended = ended;
    assert_int_equal(uv_ip4_addr(address, 0, &from), 0);
    assert_int_equal(uv_tcp_init(&f->loop, &r->tcp), 0);
    r->tcp.data = r;
    r->connect.data = r;
    assert_int_equal(uv_tcp_bind(&r->tcp, (const struct sockaddr *)&from, 0), 0);
    assert_int_equal(
        uv_tcp_connect(&r->connect, &r->tcp, (const struct sockaddr *)&f->sock, raw_on_connect), 0);
}

static void raw_open(struct fixture *f, struct raw *r, unsigned *ended)
{
    r->ended = ended;
    r->tcp.data = r;
    assert_int_equal(uv_tcp_init(&f->loop, &r->tcp), 0);
    r->tcp.data = r;
    r->connect.data = r;
    assert_int_equal(
        uv_tcp_connect(&r->connect, &r->tcp, (const struct sockaddr *)&f->sock, raw_on_connect), 0);
}

/* What a connection costs before its peer has proved anything: its handles, its state, and the 512
 * bytes that may come (I7). A frame alone would be eight times as much. */
#define STRANGER_BYTES 8192u

static void an_outsider_costs_no_memory_and_is_dropped(void **state)
{
    static char flood[ML_HANDSHAKE_BYTES_MAX];
    static const char wrong_mac[1 + 23 + 48] = "\x01\x01\0\0\0\x07" /* version, kind, epoch */
                                               "0123456789abcdef"   /* mac */
                                               "\0\x30";            /* length; message 1 zeros */
    const struct {
        const char *say;
        size_t len;
    } cases[] = {{"\0", 1},                                 /* version 0 */
                 {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27}, /* kind 'E' */
                 {"\x01\x01\0\0\0\x07"
                  "0123456789abcdef\xff\xff",
                  24}, /* a length that the kind hasn't */
                 {wrong_mac, sizeof(wrong_mac)},
                 {flood, sizeof(flood)}};
    struct fixture *f = *state;
    memset(flood, 1, sizeof(flood));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct raw r = {.len = cases[i].len};
        memcpy(r.say, cases[i].say, cases[i].len);
        unsigned ended = 0;
        long before = f->fake.live;
        size_t asked = f->fake.asked;
        raw_open(f, &r, &ended);
        until(f, &ended, 1);
        assert_int_equal(f->fake.live, before);
        assert_in_range(f->fake.asked - asked, 1, STRANGER_BYTES);
    }
    struct ml_hub_stats stats;
    ml_hub_stats(f->ends[0].hub, &stats);
    assert_int_equal(stats.failed_handshakes, sizeof(cases) / sizeof(cases[0]));
    assert_int_equal(f->ends[0].ups, 0);
}

static int setup_short(void **state)
{
    return setup_with(state,
                      (struct ml_link_times){
                          .handshake_ms = 500, .idle_ms = 1000, .alive_ms = 100, .close_ms = 20});
}

static int setup_medium(void **state) /* long enough to open all of them, by far */
{
    return setup_with(state,
                      (struct ml_link_times){
                          .handshake_ms = 2000, .idle_ms = 9000, .alive_ms = 3000, .close_ms = 20});
}

static void who_says_nothing_is_dropped_at_the_deadline(void **state)
{
    struct fixture *f = *state;
    struct raw r = {.len = 0};
    unsigned ended = 0;
    raw_open(f, &r, &ended);
    until(f, &ended, 1);
}

static void half_open_connections_of_an_address_are_limited(void **state)
{
    static struct raw raws[ML_LINK_HALF_OPEN_PER_ADDRESS + 1];
    struct fixture *f = *state;
    struct ml_hub_stats stats;
    unsigned ended = 0;
    memset(raws, 0, sizeof(raws));
    for (unsigned i = 0; i < ML_LINK_HALF_OPEN_PER_ADDRESS; i++) {
        raw_open(f, &raws[i], &ended);
    }
    do {
        uv_run(&f->loop, UV_RUN_ONCE);
        ml_hub_stats(f->ends[0].hub, &stats);
    } while (stats.accepted < ML_LINK_HALF_OPEN_PER_ADDRESS);
    assert_int_equal(stats.half_open, ML_LINK_HALF_OPEN_PER_ADDRESS);
    assert_int_equal(stats.refused_address, 0);
    raw_open(f, &raws[ML_LINK_HALF_OPEN_PER_ADDRESS], &ended);
    until(f, &ended, 1);
    ml_hub_stats(f->ends[0].hub, &stats);
    assert_int_equal(stats.refused_address, 1);
    until(f, &ended, ML_LINK_HALF_OPEN_PER_ADDRESS + 1); /* their deadline */
    ml_hub_stats(f->ends[0].hub, &stats);
    assert_int_equal(stats.half_open, 0);
}

static void half_open_connections_are_limited_in_all(void **state)
{
    static struct raw raws[ML_LINK_HALF_OPEN_MAX + 1];
    struct fixture *f = *state;
    struct ml_hub_stats stats;
    unsigned ended = 0;
    memset(raws, 0, sizeof(raws));
    for (unsigned i = 0; i < ML_LINK_HALF_OPEN_MAX; i++) {
        raw_open_from(f, &raws[i], &ended, 2 + i / ML_LINK_HALF_OPEN_PER_ADDRESS);
    }
    do {
        uv_run(&f->loop, UV_RUN_ONCE);
        ml_hub_stats(f->ends[0].hub, &stats);
    } while (stats.accepted < ML_LINK_HALF_OPEN_MAX);
    assert_int_equal(stats.half_open, ML_LINK_HALF_OPEN_MAX);
    assert_int_equal(stats.refused_half_open, 0);
    raw_open_from(f, &raws[ML_LINK_HALF_OPEN_MAX], &ended, 100);
    until(f, &ended, 1);
    ml_hub_stats(f->ends[0].hub, &stats);
    assert_int_equal(stats.refused_half_open, 1);
    until(f, &ended, ML_LINK_HALF_OPEN_MAX + 1); /* closed with the hub, or at their deadline */
}

static void a_quiet_link_lives_by_empty_frames(void **state)
{
    struct fixture *f = *state;
    linked(f);
    uint64_t start = uv_now(&f->loop);
    while (uv_now(&f->loop) - start < 2500) { /* several idle times over */
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    assert_int_equal(f->ends[0].downs + f->ends[1].downs, 0);
    assert_int_equal(f->ends[0].messages, 0);
}

static void each_failed_allocation_ends_one_link_and_leaks_nothing(void **state)
{
    struct fixture *f = *state;
    for (long n = 1;; n++) {
        const struct ml_dial_request r = known(f);
        unsigned ends = f->ends[1].fails + f->ends[1].ups;
        f->fake.fail_alloc = n;
        ml_hub_dial(f->ends[1].hub, &r);
        while (f->ends[1].fails + f->ends[1].ups == ends) {
            uv_run(&f->loop, UV_RUN_ONCE);
        }
        if (f->fake.fail_alloc > 0) {
            f->fake.fail_alloc = 0;
            break; /* none was left to fail */
        }
    }
    linked(f);
}

int main(void)
{
#define T(name)      cmocka_unit_test_setup_teardown(name, setup, teardown)
#define MEDIUM(name) cmocka_unit_test_setup_teardown(name, setup_medium, teardown)
#define SHORT(name)  cmocka_unit_test_setup_teardown(name, setup_short, teardown)
    const struct CMUnitTest tests[] = {
        T(known_nodes_meet_and_prove_their_keys),
        T(a_name_is_dialled_too),
        T(messages_of_every_size_arrive_whole_and_in_order),
        T(enrolment_needs_the_waiting_code),
        T(whoever_lacks_one_key_is_refused),
        T(an_epoch_of_the_past_opens_a_link),
        T(a_cleared_identity_ends_its_links_and_answers_nobody),
        T(a_closed_port_fails_the_dial),
        T(a_drained_link_says_what_it_sent),
        T(an_ended_link_sends_what_was_queued),
        T(a_reader_that_is_behind_stops_the_sender_not_the_node),
        T(open_links_end_at_their_limit),
        T(own_dials_end_at_their_limit),
        T(an_outsider_costs_no_memory_and_is_dropped),
        SHORT(who_says_nothing_is_dropped_at_the_deadline),
        MEDIUM(half_open_connections_of_an_address_are_limited),
        MEDIUM(half_open_connections_are_limited_in_all),
        SHORT(a_quiet_link_lives_by_empty_frames),
        SHORT(each_failed_allocation_ends_one_link_and_leaks_nothing),
    };
#undef T
#undef SHORT
#undef MEDIUM
    return cmocka_run_group_tests(tests, NULL, NULL);
}
