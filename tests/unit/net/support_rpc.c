/* tests/unit/net/support_rpc.c -- see support_rpc.h. */
#include "support_rpc.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/codec/mp_write.h"
#include "core/crypto/secret.h"
#include "net/client/place.h"
#include "net/client/rpc_frame.h"

enum { STOP_SERVER = -1, END = -2 };

/* What the backend decided inside the call; done later, as the contract asks. */
struct later {
    struct ml_letter letter;
    struct rpc_fixture *f;
    uint64_t call;
    ml_err err;
    struct ml_buf body;
    bool tell;
    int order;
};

static void on_server_closed(void *user)
{
    ((struct rpc_fixture *)user)->server = NULL;
}

static void server_stop(struct rpc_fixture *f)
{
    if (f->server != NULL) {
        ml_rpc_server_close(f->server, on_server_closed, f);
    }
}

static void later_open(struct ml_letter *letter, bool canceled)
{
    struct later *l = (struct later *)letter;
    struct rpc_fixture *f = l->f;
    if (l->order != 0) {
        server_stop(f);
    }
    if (l->order == END) {
        ml_mailbox_close_loop(&f->mailbox, NULL, NULL);
    }
    if (!canceled && l->order == 0 && f->server != NULL) {
        if (l->tell) {
            ml_rpc_server_event(f->server, "news", ml_buf_slice(&l->body));
        }
        ml_rpc_server_reply(f->server, l->call, l->err, ml_buf_slice(&l->body));
    }
    ml_buf_free(&l->body);
    free(l);
}

static struct later *later_new(struct rpc_fixture *f, uint64_t call, ml_err err)
{
    struct later *l = calloc(1, sizeof(*l));
    assert_non_null(l);
    l->letter.open = later_open;
    l->f = f;
    l->call = call;
    l->err = err;
    ml_buf_init(&l->body, ml_env_system(), (size_t)2 * ML_RPC_BYTES_MAX);
    return l;
}

static bool is(struct ml_slice method, const char *name)
{
    return ml_slice_equal(method, ml_slice_str(name));
}

static bool backend_call(void *ctx, uint64_t call, const struct ml_node_caller *caller,
                         const struct ml_rpc_frame *request)
{
    struct ml_slice method = request->method;
    struct ml_slice params = request->body;
    struct rpc_fixture *f = ctx;
    f->calls++;
    if (is(method, "hold")) {
        f->held[f->held_count++] = call;
        return true;
    }
    struct later *l = later_new(f, call, ML_OK);
    if (is(method, "echo") || is(method, "tell")) {
        ml_mp_put_raw(&l->body, params);
        l->tell = is(method, "tell");
    } else if (is(method, "fail")) {
        l->err = ML_E_NOT_FOUND;
        ml_mp_put_raw(&l->body, params);
    } else if (is(method, "who")) {
        ml_mp_put_array(&l->body, 3);
        ml_mp_put_uint(&l->body, caller->uid);
        ml_mp_put_uint(&l->body, caller->session_id);
        ml_mp_put_str(&l->body, caller->token);
    } else if (is(method, "large")) {
        static uint8_t zeros[ML_RPC_BYTES_MAX];
        ml_mp_put_bin(&l->body, ml_slice(zeros, sizeof(zeros)));
    } else {
        l->err = ML_E_UNSUPPORTED;
    }
    ml_mailbox_post(&f->mailbox, &l->letter);
    return true;
}

static void backend_cancel(void *ctx, uint64_t call)
{
    struct rpc_fixture *f = ctx;
    f->cancels++;
    for (unsigned i = 0; i < f->held_count; i++) {
        if (f->held[i] == call) {
            f->held[i] = f->held[--f->held_count];
            ml_mailbox_post(&f->mailbox, &later_new(f, call, ML_E_CANCELED)->letter);
            return;
        }
    }
}

static void loop_run(void *arg)
{
    struct rpc_fixture *f = arg;
    uv_run(&f->loop, UV_RUN_DEFAULT);
}

int rpc_fixture_start(void **state)
{
    static struct rpc_fixture f;
    struct ml_place place;
    f = (struct rpc_fixture){.dir = "/tmp/maille-rpc-XXXXXX"};
    (void)signal(SIGPIPE, SIG_IGN); /* as mailled does: libuv writes with write() */
    assert_int_equal(ml_crypto_init(), ML_OK);
    assert_non_null(mkdtemp(f.dir));
    unsetenv("XDG_RUNTIME_DIR"); // NOLINT(concurrency-mt-unsafe): before any thread
    assert_int_equal(ml_place_find(&place, f.dir, true), ML_OK);
    assert_int_equal(uv_loop_init(&f.loop), 0);
    assert_int_equal(ml_mailbox_init_loop(&f.mailbox, &f.loop), ML_OK);
    const struct ml_rpc_server_args args = {
        .env = ml_env_system(),
        .loop = &f.loop,
        .path = place.socket,
        .backend = {.call = backend_call, .cancel = backend_cancel, .ctx = &f}};
    assert_int_equal(ml_rpc_server_open(&f.server, &args), ML_OK);
    ml_place_free(&place);
    assert_int_equal(uv_thread_create(&f.thread, loop_run, &f), 0);
    *state = &f;
    return 0;
}

void rpc_fixture_stop_server(struct rpc_fixture *f)
{
    struct later *l = later_new(f, 0, ML_OK);
    l->order = STOP_SERVER;
    ml_mailbox_post(&f->mailbox, &l->letter);
}

int rpc_fixture_end(void **state)
{
    struct rpc_fixture *f = *state;
    struct later *l = later_new(f, 0, ML_OK);
    l->order = END;
    ml_mailbox_post(&f->mailbox, &l->letter);
    uv_thread_join(&f->thread);
    snprintf(f->run, sizeof(f->run), "%s/run", f->dir);
    int left = rmdir(f->run) | rmdir(f->dir); /* fails if the socket is still there */
    return left | uv_loop_close(&f->loop);
}
