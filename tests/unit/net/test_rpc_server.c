/* tests/unit/net/test_rpc_server.c -- the local socket, from a real client and from a raw one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/codec/mp_write.h"
#include "maille/client.h"
#include "net/client/connect.h"
#include "net/client/place.h"
#include "net/client/rpc_frame.h"
#include "support_rpc.h"

enum { GUARD_MS = 30000 }; /* a hang guard, never waited for */

static struct ml_client *opened(const struct rpc_fixture *f)
{
    struct ml_client *c = NULL;
    const struct ml_client_options options = {.home = f->dir, .token_fd = -1};
    assert_int_equal(ml_client_open(&c, &options), ML_OK);
    return c;
}

static struct ml_args *number(const char *key, int64_t n)
{
    struct ml_args *a = ml_args_new();
    ml_args_map(a);
    ml_args_key(a, key);
    ml_args_int(a, n);
    ml_args_end(a);
    return a;
}

static void a_call_is_answered_with_its_result(void **state)
{
    struct ml_client *c = opened(*state);
    struct ml_args *a = number("n", 42);
    struct ml_tree *answer = NULL;
    assert_int_equal(ml_client_request(c, &answer, "echo", a, GUARD_MS), ML_OK);
    assert_int_equal(ml_value_int(ml_value_get(ml_tree_root(answer), "n"), 0), 42);
    ml_tree_free(answer);
    ml_args_free(a);
    ml_client_close(c);
}

static void an_error_comes_with_its_details(void **state)
{
    struct ml_client *c = opened(*state);
    struct ml_args *a = number("n", 7);
    struct ml_tree *answer = NULL;
    assert_int_equal(ml_client_request(c, &answer, "fail", a, GUARD_MS), ML_E_NOT_FOUND);
    assert_int_equal(ml_value_int(ml_value_get(ml_tree_root(answer), "n"), 0), 7);
    ml_tree_free(answer);
    ml_args_free(a);
    assert_int_equal(ml_client_request(c, NULL, "none", NULL, GUARD_MS), ML_E_UNSUPPORTED);
    ml_client_close(c);
}

static void a_result_over_the_frame_limit_is_an_error_not_an_end(void **state)
{
    struct ml_client *c = opened(*state);
    assert_int_equal(ml_client_request(c, NULL, "large", NULL, GUARD_MS), ML_E_LIMIT);
    assert_int_equal(ml_client_request(c, NULL, "echo", NULL, GUARD_MS), ML_OK);
    ml_client_close(c);
}

static void the_backend_learns_who_calls(void **state)
{
    struct rpc_fixture *f = *state;
    struct ml_client *c = NULL;
    struct ml_tree *answer = NULL;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "6a65746f6e\n", 11), 11);
    close(ends[1]);
    const struct ml_client_options options = {.home = f->dir, .token_fd = ends[0]};
    assert_int_equal(ml_client_open(&c, &options), ML_OK);
    close(ends[0]);
    assert_int_equal(ml_client_request(c, &answer, "who", NULL, GUARD_MS), ML_OK);
    const struct ml_value *who = ml_tree_root(answer);
    assert_int_equal(ml_value_int(ml_value_at(who, 0), -1), (int64_t)geteuid());
    assert_int_equal(ml_value_int(ml_value_at(who, 1), -1), (int64_t)getsid(0));
    assert_string_equal(ml_value_text(ml_value_at(who, 2), ""), "jeton");
    ml_tree_free(answer);
    ml_client_close(c);
}

static void the_socket_is_ours_alone(void **state)
{
    struct rpc_fixture *f = *state;
    struct ml_place place;
    struct stat st;
    assert_int_equal(ml_place_find(&place, f->dir, false), ML_OK);
    assert_int_equal(stat(place.socket, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(place.run, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    ml_place_free(&place);
}

struct heard {
    unsigned answers;
    ml_err last;
    unsigned events;
    int64_t number;
    char name[32];
};

static void on_answer(void *user, uint64_t ticket, const struct ml_answer *answer)
{
    struct heard *h = user;
    (void)ticket;
    h->answers++;
    h->last = answer->err;
}

static void on_event(void *user, const char *name, const struct ml_value *params)
{
    struct heard *h = user;
    h->events++;
    snprintf(h->name, sizeof(h->name), "%s", name);
    h->number = ml_value_int(ml_value_get(params, "n"), 0);
}

static ml_err called(struct ml_client *c, uint64_t *ticket, const char *method, struct heard *h)
{
    const struct ml_ask call = {.method = method, .done = on_answer, .user = h};
    return ml_client_call(c, ticket, &call);
}

static void work_until(struct ml_client *c, const unsigned *count, unsigned enough)
{
    while (*count < enough) {
        assert_int_equal(ml_client_work(c, GUARD_MS), ML_OK);
    }
}

static void a_cancelled_call_is_answered_once(void **state)
{
    struct ml_client *c = opened(*state);
    struct heard h = {.answers = 0};
    uint64_t ticket = 0;
    assert_int_equal(called(c, &ticket, "hold", &h), ML_OK);
    assert_int_equal(ml_client_cancel(c, ticket), ML_OK);
    assert_int_equal(ml_client_cancel(c, ticket), ML_OK);
    work_until(c, &h.answers, 1);
    assert_int_equal(h.last, ML_E_CANCELED);
    assert_int_equal(ml_client_request(c, NULL, "echo", NULL, GUARD_MS), ML_OK);
    assert_int_equal(h.answers, 1);
    ml_client_close(c);
}

static void a_waiting_request_ends_at_its_time(void **state)
{
    struct ml_client *c = opened(*state);
    assert_int_equal(ml_client_request(c, NULL, "hold", NULL, 1), ML_E_TIMEOUT);
    assert_int_equal(ml_client_request(c, NULL, "echo", NULL, GUARD_MS), ML_OK);
    ml_client_close(c);
    assert_int_equal(((struct rpc_fixture *)*state)->held_count, 0); /* it was cancelled there */
}

static void a_waiting_request_is_stopped_and_still_answered(void **state)
{
    struct ml_client *c = opened(*state);
    volatile sig_atomic_t stop = 0;
    ml_client_set_stop(c, &stop);
    assert_int_equal(ml_client_request(c, NULL, "echo", NULL, 0), ML_OK);
    stop = 1;
    assert_int_equal(ml_client_request(c, NULL, "hold", NULL, 0), ML_E_CANCELED);
    assert_int_equal(ml_client_request(c, NULL, "hold", NULL, GUARD_MS), ML_E_CANCELED);
    ml_client_set_stop(c, NULL);
    assert_int_equal(ml_client_request(c, NULL, "echo", NULL, GUARD_MS), ML_OK);
    ml_client_close(c);
}

static void answers_come_in_any_order(void **state)
{
    struct ml_client *c = opened(*state);
    struct heard held = {.answers = 0};
    struct heard quick = {.answers = 0};
    uint64_t ticket = 0;
    assert_int_equal(called(c, &ticket, "hold", &held), ML_OK);
    assert_int_equal(called(c, NULL, "echo", &quick), ML_OK);
    work_until(c, &quick.answers, 1);
    assert_int_equal(held.answers, 0);
    assert_int_equal(ml_client_cancel(c, ticket), ML_OK);
    work_until(c, &held.answers, 1);
    ml_client_close(c);
}

static void who_subscribed_hears_and_who_left_does_not(void **state)
{
    struct ml_client *c = opened(*state);
    struct ml_client *other = opened(*state);
    struct heard h = {.events = 0};
    struct heard deaf = {.events = 0};
    struct ml_args *a = number("n", 5);
    assert_int_equal(ml_client_subscribe(c, "news", on_event, &h), ML_OK);
    assert_int_equal(ml_client_subscribe(other, "olds", on_event, &deaf), ML_OK);
    assert_int_equal(ml_client_request(c, NULL, "echo", NULL, GUARD_MS), ML_OK);
    assert_int_equal(ml_client_request(other, NULL, "tell", a, GUARD_MS), ML_OK);
    work_until(c, &h.events, 1);
    assert_string_equal(h.name, "news");
    assert_int_equal(h.number, 5);
    assert_int_equal(ml_client_subscribe(c, "news", NULL, NULL), ML_OK);
    assert_int_equal(ml_client_request(c, NULL, "tell", a, GUARD_MS), ML_OK);
    assert_int_equal(h.events, 1);
    assert_int_equal(deaf.events, 0);
    ml_args_free(a);
    ml_client_close(other);
    ml_client_close(c);
}

static void a_stopping_server_says_bye_and_fails_open_calls(void **state)
{
    struct ml_client *c = opened(*state);
    struct heard h = {.answers = 0};
    assert_int_equal(ml_client_subscribe(c, "*", on_event, &h), ML_OK);
    assert_int_equal(ml_client_request(c, NULL, "echo", NULL, GUARD_MS), ML_OK);
    assert_int_equal(called(c, NULL, "hold", &h), ML_OK);
    rpc_fixture_stop_server(*state);
    ml_err err = ML_OK;
    while (err == ML_OK) {
        err = ml_client_work(c, GUARD_MS);
    }
    assert_int_equal(err, ML_E_UNREACHABLE);
    assert_string_equal(h.name, "rpc.bye");
    assert_int_equal(h.answers, 1);
    assert_int_equal(h.last, ML_E_UNREACHABLE);
    assert_int_equal(called(c, NULL, "echo", &h), ML_E_UNREACHABLE);
    ml_client_close(c);
}

static void calls_over_the_limit_wait_their_turn(void **state)
{
    struct rpc_fixture *f = *state;
    struct ml_client *c = opened(f);
    struct heard h = {.answers = 0};
    uint64_t tickets[ML_RPC_CALLS_MAX];
    for (unsigned i = 0; i < ML_RPC_CALLS_MAX; i++) {
        assert_int_equal(called(c, &tickets[i], "hold", &h), ML_OK);
    }
    struct heard late = {.answers = 0};
    assert_int_equal(called(c, NULL, "echo", &late), ML_OK);
    while (ml_client_wants_write(c)) {
        assert_int_equal(ml_client_work(c, GUARD_MS), ML_OK);
    }
    struct ml_client *other = opened(f); /* another session is served meanwhile */
    assert_int_equal(ml_client_request(other, NULL, "echo", NULL, GUARD_MS), ML_OK);
    ml_client_close(other);
    assert_int_equal(late.answers, 0);
    ml_client_close(c); /* all held calls are cancelled */
}

static void calls_of_a_client_end_at_their_limit(void **state)
{
    struct ml_client *c = opened(*state);
    struct heard h = {.answers = 0};
    for (unsigned i = 0; i < ML_CLIENT_CALLS_MAX; i++) {
        assert_int_equal(called(c, NULL, "echo", &h), ML_OK);
    }
    assert_int_equal(called(c, NULL, "echo", &h), ML_E_LIMIT);
    work_until(c, &h.answers, ML_CLIENT_CALLS_MAX);
    assert_int_equal(h.last, ML_OK);
    assert_int_equal(called(c, NULL, "echo", &h), ML_OK);
    work_until(c, &h.answers, ML_CLIENT_CALLS_MAX + 1); /* the refused one was never answered */
    ml_client_close(c);
}

static ml_err subscribed(struct ml_client *c, unsigned number_of)
{
    char name[16];
    struct ml_args *a = ml_args_new();
    snprintf(name, sizeof(name), "news-%u", number_of);
    ml_args_map(a);
    ml_args_key(a, "name");
    ml_args_text(a, name);
    ml_args_end(a);
    ml_err err = ml_client_request(c, NULL, "rpc.subscribe", a, GUARD_MS);
    ml_args_free(a);
    return err;
}

static void subscriptions_of_a_session_end_at_their_limit(void **state)
{
    struct ml_client *c = opened(*state);
    for (unsigned i = 0; i < ML_RPC_NAMES_MAX; i++) {
        assert_int_equal(subscribed(c, i), ML_OK);
    }
    assert_int_equal(subscribed(c, ML_RPC_NAMES_MAX), ML_E_LIMIT);
    assert_int_equal(subscribed(c, 0), ML_OK); /* known already: takes no room */
    ml_client_close(c);
}

/* --- raw clients --- */

static int raw(const struct rpc_fixture *f)
{
    int fd = -1;
    const struct ml_client_options options = {.home = f->dir, .token_fd = -1};
    assert_int_equal(ml_client_connect(&fd, &options), ML_OK);
    return fd;
}

/* Sends bytes and returns the error of the first answer; UNREACHABLE when it was hung up. */
static ml_err raw_answer(int fd, const void *bytes, size_t len)
{
    uint8_t in[512];
    size_t got = 0;
    size_t frame_len = 0;
    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
    while (frame_len == 0) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, GUARD_MS), 1);
        ssize_t n = recv(fd, in + got, sizeof(in) - got, 0);
        if (n <= 0) {
            return ML_E_UNREACHABLE;
        }
        got += (size_t)n;
        assert_int_equal(ml_rpc_frame_length(&frame_len, ml_slice(in, got)), ML_OK);
    }
    struct ml_rpc_frame frame;
    assert_int_equal(ml_rpc_frame_read(&frame, ml_slice(in + 4, frame_len)), ML_OK);
    return frame.err;
}

static ml_err raw_request(const struct rpc_fixture *f, const char *method, const char *params,
                          size_t params_len)
{
    struct ml_buf out;
    ml_buf_init(&out, ml_env_system(), 4096);
    const struct ml_rpc_frame frame = {.kind = ML_RPC_REQUEST,
                                       .id = 1,
                                       .method = ml_slice_str(method),
                                       .body = ml_slice(params, params_len)};
    assert_int_equal(ml_rpc_frame_write(&out, &frame), ML_OK);
    int fd = raw(f);
    ml_err err = raw_answer(fd, out.data, out.len);
    close(fd);
    ml_buf_free(&out);
    return err;
}

static void the_first_call_is_hello_with_our_version(void **state)
{
    assert_int_equal(raw_request(*state, "echo", "\x80", 1), ML_E_PROTOCOL);
    assert_int_equal(raw_request(*state, "rpc.hello", "\x81\xa7version\x02", 10), ML_E_VERSION);
    assert_int_equal(raw_request(*state, "rpc.hello", "\x81\xa7version\x01", 10), ML_OK);
    assert_int_equal(raw_request(*state, "rpc.hello", "\x80", 1), ML_E_VERSION);
    assert_int_equal(raw_request(*state, "rpc.hello", "\x81\xa7version\xa1x", 11), ML_E_INVALID);
}

static void a_token_has_128_bytes_at_most(void **state)
{
    static const char head[] = "\x82\xa7version\x01\xa5token\xc4";
    char params[sizeof(head) + 1 + ML_RPC_TOKEN_BYTES_MAX] = "";
    memcpy(params, head, sizeof(head) - 1);
    for (unsigned over = 0; over < 2; over++) {
        size_t len = ML_RPC_TOKEN_BYTES_MAX + over;
        params[sizeof(head) - 1] = (char)len;
        assert_int_equal(raw_request(*state, "rpc.hello", params, sizeof(head) + len),
                         over ? ML_E_INVALID : ML_OK);
    }
}

/* Sends `count` large calls of equal length and reads no answer before all are sent. Returns the
 * bytes of answers that came before the end of the session, or the last byte expected. to_the_end:
 * the session must end before anything is read. */
static size_t flood(const struct rpc_fixture *f, unsigned count, struct ml_slice frame,
                    bool to_the_end)
{
    static const char hello[] = "\0\0\0\x17\x94\0\1\xa9rpc.hello\x81\xa7version\1";
    static uint8_t in[65536];
    int fd = raw(f);
    assert_int_equal(raw_answer(fd, hello, sizeof(hello) - 1), ML_OK);
    bool hung_up = false;
    size_t got = 0;
    size_t want = (size_t)count * frame.len; /* an answer is a little shorter than its call */
    for (size_t sent = 0; sent < want && !hung_up;) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        assert_int_equal(poll(&p, 1, GUARD_MS), 1);
        size_t at = sent % frame.len;
        ssize_t n = send(fd, frame.data + at, frame.len - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        hung_up = n < 0;
        sent += n < 0 ? 0 : (size_t)n;
    }
    if (to_the_end) { /* nothing is taken until the server has given up */
        struct pollfd p = {.fd = fd, .events = 0};
        assert_int_equal(poll(&p, 1, GUARD_MS), 1);
        assert_true((p.revents & POLLHUP) != 0);
    }
    while (got < want - (size_t)count * 64) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, GUARD_MS), 1);
        ssize_t n = recv(fd, in, sizeof(in), 0);
        if (n <= 0) {
            break;
        }
        got += (size_t)n;
    }
    close(fd);
    return got;
}

static void a_session_that_takes_no_answers_is_closed(void **state)
{
    static uint8_t filler[ML_RPC_BYTES_MAX - 64];
    struct ml_buf body;
    struct ml_buf out;
    ml_buf_init(&body, ml_env_system(), ML_RPC_BYTES_MAX);
    ml_buf_init(&out, ml_env_system(), ML_RPC_BYTES_MAX + 4);
    ml_mp_put_map(&body, 1);
    ml_mp_put_str(&body, ml_slice_str("b"));
    ml_mp_put_bin(&body, ml_slice(filler, sizeof(filler)));
    const struct ml_rpc_frame frame = {.kind = ML_RPC_REQUEST,
                                       .id = 1,
                                       .method = ml_slice_str("echo"),
                                       .body = ml_buf_slice(&body)};
    assert_int_equal(ml_rpc_frame_write(&out, &frame), ML_OK);
    const unsigned fits = ML_RPC_QUEUE_BYTES_MAX / ML_RPC_BYTES_MAX;
    const size_t most = fits * out.len;
    const size_t least = most - (size_t)fits * 64;
    assert_in_range(flood(*state, fits, ml_buf_slice(&out), false), least, most);
    assert_true(flood(*state, fits + 1, ml_buf_slice(&out), true) < most);
    ml_buf_free(&body);
    ml_buf_free(&out);
}

static void bytes_that_are_no_message_end_the_session(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"\0\0\0\0", 4},                         /* empty */
        {"\x00\x40\x00\x01", 4},                 /* one byte over the limit */
        {"GET / HTTP/1.1\r\n\r\n", 18},          /* another protocol */
        {"\0\0\0\x05\x94\x00\x01\xa0\x80", 9},   /* no method */
        {"\0\0\0\x06\x94\x00\x01\xa1x\x90", 10}, /* params that are no map */
        {"\0\0\0\x04\x94\x01\x01\xc0", 8},       /* cut short inside */
        {"\0\0\0\x05\x94\x01\x01\xc0\xc0", 9},   /* an answer: nobody asked */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = raw(*state);
        assert_int_equal(raw_answer(fd, cases[i].bytes, cases[i].len), ML_E_UNREACHABLE);
        close(fd);
    }
    struct ml_client *c = opened(*state); /* others don't suffer */
    ml_client_close(c);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    static const uint8_t hello[] = {0,    0,   0,   23,  0x94, 0,   1,   0xa9, 'r',
                                    'p',  'c', '.', 'h', 'e',  'l', 'l', 'o',  0x81,
                                    0xa7, 'v', 'e', 'r', 's',  'i', 'o', 'n',  1};
    int fd = raw(*state);
    for (size_t i = 0; i + 1 < sizeof(hello); i++) {
        assert_int_equal(send(fd, hello + i, 1, MSG_NOSIGNAL), 1);
    }
    assert_int_equal(raw_answer(fd, hello + sizeof(hello) - 1, 1), ML_OK);
    close(fd);
}

static void sessions_over_the_limit_are_closed(void **state)
{
    struct rpc_fixture *f = *state;
    struct ml_client *c[ML_RPC_SESSIONS_MAX];
    for (unsigned i = 0; i < ML_RPC_SESSIONS_MAX; i++) {
        c[i] = opened(f);
    }
    struct ml_client *over = NULL;
    const struct ml_client_options options = {.home = f->dir, .token_fd = -1};
    assert_int_equal(ml_client_open(&over, &options), ML_E_UNREACHABLE);
    ml_client_close(c[0]);
    assert_int_equal(ml_client_request(c[1], NULL, "echo", NULL, GUARD_MS), ML_OK);
    struct ml_client *again = opened(f);
    ml_client_close(again);
    for (unsigned i = 1; i < ML_RPC_SESSIONS_MAX; i++) {
        ml_client_close(c[i]);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rpc_fixture_start, rpc_fixture_end)
    const struct CMUnitTest tests[] = {
        T(a_call_is_answered_with_its_result),
        T(an_error_comes_with_its_details),
        T(a_result_over_the_frame_limit_is_an_error_not_an_end),
        T(the_backend_learns_who_calls),
        T(the_socket_is_ours_alone),
        T(a_cancelled_call_is_answered_once),
        T(a_waiting_request_ends_at_its_time),
        T(a_waiting_request_is_stopped_and_still_answered),
        T(answers_come_in_any_order),
        T(who_subscribed_hears_and_who_left_does_not),
        T(a_stopping_server_says_bye_and_fails_open_calls),
        T(calls_over_the_limit_wait_their_turn),
        T(calls_of_a_client_end_at_their_limit),
        T(subscriptions_of_a_session_end_at_their_limit),
        T(a_token_has_128_bytes_at_most),
        T(a_session_that_takes_no_answers_is_closed),
        T(the_first_call_is_hello_with_our_version),
        T(bytes_that_are_no_message_end_the_session),
        T(a_request_may_come_byte_by_byte),
        T(sessions_over_the_limit_are_closed),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
