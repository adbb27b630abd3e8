/* tests/tools/powercut/ask.c -- questions to the owner of the disk, one at a time. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "powercut.h"

enum { GONE = 111 }; /* exit code: whoever owns the disk has ended */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int owner = -1;

void powercut_socket(int fd)
{
    owner = fd;
}

static void put(const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = send(owner, at, len, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) {
            _exit(GONE);
        }
        at += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
}

/* In one message where it is small: the owner is woken once. */
static void put_both(const struct wire_ask *ask, const void *bytes)
{
    uint8_t both[sizeof(*ask) + WIRE_SMALL];
    if (ask->len > WIRE_SMALL) {
        put(ask, sizeof(*ask));
        put(bytes, ask->len);
        return;
    }
    memcpy(both, ask, sizeof(*ask));
    if (ask->len > 0) {
        memcpy(both + sizeof(*ask), bytes, ask->len);
    }
    put(both, sizeof(*ask) + ask->len);
}

static void get(void *bytes, size_t len)
{
    char *at = bytes;
    while (len > 0) {
        ssize_t n = recv(owner, at, len, 0);
        if (n == 0 || (n < 0 && errno != EINTR)) {
            _exit(GONE);
        }
        at += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
}

struct wire_answer powercut_ask(const struct wire_ask *ask, const void *bytes, void *out,
                                size_t room)
{
    struct wire_answer answer;
    pthread_mutex_lock(&lock);
    put_both(ask, bytes);
    get(&answer, sizeof(answer));
    if (answer.len > room) {
        _exit(GONE); /* both ends are of one build */
    }
    get(out, answer.len);
    pthread_mutex_unlock(&lock);
    return answer;
}

struct wire_answer powercut_ask_path(enum wire_op op, const char *path, uint64_t arg)
{
    const struct wire_ask ask = {.op = op, .len = (uint32_t)strlen(path) + 1, .arg = arg};
    return powercut_ask(&ask, path, NULL, 0);
}

struct wire_answer powercut_ask_names(enum wire_op op, const char *from, const char *to)
{
    char both[8192];
    const size_t first = strlen(from) + 1;
    const size_t second = strlen(to) + 1;
    if (first + second > sizeof(both)) {
        return (struct wire_answer){.code = ENAMETOOLONG};
    }
    memcpy(both, from, first);
    memcpy(both + first, to, second);
    const struct wire_ask ask = {.op = op, .len = (uint32_t)(first + second)};
    return powercut_ask(&ask, both, NULL, 0);
}
