/* tests/fuzz/net/fuzz_rpc_server.c -- what a program of the same account may send to the local
 * socket, through a real one. The backend answers by turns: at once later, never, too much. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "net/link/rpc_server.h"

enum { HELD = 64, TURNS_MAX = 200 };

static void must(bool holds)
{
    ML_ASSERT(holds);
}

static uv_loop_t loop;
static struct ml_rpc_server *server;
static char path[64];
static uint64_t held[HELD];
static size_t held_count;

static bool backend_call(void *ctx, uint64_t call, const struct ml_node_caller *caller,
                         const struct ml_rpc_frame *request)
{
    (void)ctx;
    must(caller->token.len <= ML_RPC_TOKEN_BYTES_MAX);
    must(request->method.len > 0 && request->body.len > 0);
    if (held_count < HELD) {
        held[held_count++] = call;
        return true;
    }
    return false;
}

static void backend_cancel(void *ctx, uint64_t call)
{
    (void)ctx;
    must(call > 0);
}

static void path_remove(void)
{
    (void)unlink(path);
}

static void server_start(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    ml_err err = ml_crypto_init();
    must(err == ML_OK);
    int rc = uv_loop_init(&loop);
    must(rc == 0);
    snprintf(path, sizeof(path), "/tmp/maille-fuzz-%d.sock", (int)getpid());
    const struct ml_rpc_server_args args = {.env = ml_env_system(),
                                            .loop = &loop,
                                            .path = path,
                                            .backend = {backend_call, backend_cancel, NULL}};
    err = ml_rpc_server_open(&server, &args);
    must(err == ML_OK);
    (void)atexit(path_remove);
}

static int client(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    memcpy(addr.sun_path, path, sizeof(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    must(fd >= 0);
    int rc = connect(fd, (const struct sockaddr *)&addr, sizeof(addr));
    must(rc == 0);
    return fd;
}

static void answer_held(void)
{
    static const uint8_t nil[] = {0xc0};
    for (size_t i = 0; i < held_count; i++) {
        ml_rpc_server_reply(server, held[i], i % 2 == 0 ? ML_OK : ML_E_INVALID,
                            ml_slice(nil, sizeof(nil)));
    }
    held_count = 0;
}

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t hello[] = "\0\0\0\x17\x94\0\1\xa9rpc.hello\x81\xa7version\1";
    char sink[512];
    ssize_t n = 1;
    if (server == NULL) {
        server_start();
    }
    int fd = client();
    if (size > 0 && (data[0] & 1u) != 0) { /* else it may forget to say hello */
        n = send(fd, hello, sizeof(hello) - 1, MSG_NOSIGNAL);
    }
    if (size > 1) {
        n = send(fd, data + 1, size - 1, MSG_NOSIGNAL);
    }
    (void)shutdown(fd, SHUT_WR);
    for (unsigned turn = 0; turn < TURNS_MAX && n != 0; turn++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        answer_held();
        n = recv(fd, sink, sizeof(sink), 0); /* 0: the session is closed */
    }
    close(fd);
    uv_run(&loop, UV_RUN_NOWAIT);
    answer_held();
    return 0;
}
