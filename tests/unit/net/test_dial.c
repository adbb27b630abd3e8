/* tests/unit/net/test_dial.c -- names with many addresses. The resolver is this file's own: the
 * linker takes it before libuv's, so that no network is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "fake_env.h"
#include "net/link/dial.h"

static struct {
    uv_getaddrinfo_t *req;
    uv_getaddrinfo_cb answer;
} asked;

// NOLINTNEXTLINE(readability-function-size): the six parameters are libuv's
int uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *req, uv_getaddrinfo_cb cb, const char *node,
                   const char *service, const struct addrinfo *hints)
{
    (void)loop;
    (void)hints;
    assert_string_equal(node, "cabinet.example");
    assert_string_equal(service, "4433");
    asked.req = req;
    asked.answer = cb;
    return 0;
}

void uv_freeaddrinfo(struct addrinfo *list)
{
    (void)list; /* the test's own */
}

struct dialled {
    bool done;
    ml_err result;
    uv_tcp_t *tcp;
};

static void on_dialled(void *user, uv_tcp_t *tcp, ml_err result)
{
    struct dialled *d = user;
    d->done = true;
    d->result = result;
    d->tcp = tcp;
}

static void on_connection(uv_stream_t *listener, int status)
{
    (void)listener; /* the kernel has accepted it: that is enough for a dial */
    (void)status;
}

static void on_closed(uv_handle_t *handle)
{
    (void)handle;
}

/* The only address that answers is the last of `count`. */
static ml_err dial_last_of(unsigned count)
{
    struct fake_env fake;
    uv_loop_t loop;
    uv_tcp_t listener;
    struct sockaddr_in here;
    struct sockaddr_in nobody;
    struct addrinfo list[ML_DIAL_ADDRESSES_MAX + 1] = {{.ai_flags = 0}};
    struct dialled d = {.done = false};
    struct ml_dial *dial = NULL;
    int len = sizeof(here);
    fake_env_init(&fake, 1);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_tcp_init(&loop, &listener), 0);
    assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &here), 0);
    assert_int_equal(uv_ip4_addr("127.0.0.1", 1, &nobody), 0);
    assert_int_equal(uv_tcp_bind(&listener, (const struct sockaddr *)&here, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&listener, 8, on_connection), 0);
    assert_int_equal(uv_tcp_getsockname(&listener, (struct sockaddr *)&here, &len), 0);
    for (unsigned i = 0; i < count; i++) {
        list[i].ai_addr = (struct sockaddr *)(i + 1 == count ? &here : &nobody);
        list[i].ai_next = i + 1 == count ? NULL : &list[i + 1];
    }
    const struct ml_dial_args args = {.env = &fake.env,
                                      .loop = &loop,
                                      .address = "cabinet.example:4433",
                                      .timeout_ms = 30000, /* a hang guard */
                                      .done = on_dialled,
                                      .user = &d};
    assert_int_equal(ml_dial_start(&dial, &args), ML_OK);
    asked.answer(asked.req, 0, list);
    while (!d.done) {
        uv_run(&loop, UV_RUN_ONCE);
    }
    uv_close((uv_handle_t *)&listener, on_closed);
    if (d.tcp != NULL) {
        uv_close((uv_handle_t *)d.tcp, on_closed);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    ml_release(&fake.env, d.tcp);
    assert_int_equal(fake.live, 0);
    assert_int_equal(uv_loop_close(&loop), 0);
    return d.result;
}

static void four_addresses_of_a_name_are_tried_at_most(void **state)
{
    (void)state;
    assert_int_equal(dial_last_of(1), ML_OK);
    assert_int_equal(dial_last_of(ML_DIAL_ADDRESSES_MAX), ML_OK);
    assert_int_equal(dial_last_of(ML_DIAL_ADDRESSES_MAX + 1), ML_E_UNREACHABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_addresses_of_a_name_are_tried_at_most)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
