/* net/client/connect.c -- see connect.h.
 *
 * connect -> done, or (nobody there, and we may start it) -> take the start lock -> connect again:
 * another client may have started it meanwhile -> fork, exec mailled -> it leaves the foreground
 * only once its socket answers, closing our pipe -> connect. Nothing sleeps: the lock is held for
 * at most the timeout of its holder, the pipe ends when mailled is ready or dead.
 */
#include "net/client/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/env.h"
#include "net/client/place.h"

#define CONNECT_DEFAULT_MS 10000u

static ml_err peer_check(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
        return ML_E_IO;
    }
    return peer.uid == geteuid() || geteuid() == 0 ? ML_OK : ML_E_DENIED;
}

static ml_err socket_open(int *fd, const struct ml_place *place)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", place->socket);
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0) {
        return ml_err_from_errno(errno);
    }
    ml_err err = ML_OK;
    if (connect(s, (const struct sockaddr *)&addr, sizeof(addr)) != 0) {
        err = errno == EAGAIN ? ML_E_BUSY : ml_err_from_errno(errno);
        err = err == ML_E_NOT_FOUND ? ML_E_UNREACHABLE : err;
    }
    if (err == ML_OK) {
        err = peer_check(s);
    }
    if (err != ML_OK) {
        close(s);
        return err;
    }
    *fd = s;
    return ML_OK;
}

static ml_err place_connect(int *fd, const char *home, bool make)
{
    struct ml_place place;
    ml_err err = ml_place_find(&place, home, make);
    if (err == ML_OK) {
        err = socket_open(fd, &place);
    } else if (err == ML_E_NOT_FOUND) {
        err = ML_E_UNREACHABLE;
    }
    ml_place_free(&place);
    return err;
}

/* mailled beside this program (a build folder, an own prefix), else found in PATH. */
static const char *daemon_path(char out[PATH_MAX], const char *given)
{
    if (given != NULL) {
        return given;
    }
    ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
    char *slash = NULL;
    if (n > 0) {
        out[n] = '\0';
        slash = strrchr(out, '/');
    }
    if (slash == NULL || (size_t)(slash - out) + sizeof("/mailled") > PATH_MAX) {
        return "mailled";
    }
    memcpy(slash, "/mailled", sizeof("/mailled"));
    return access(out, X_OK) == 0 ? out : "mailled";
}

/* Reads until mailled closes its end. TIMEOUT if it doesn't in time. */
static ml_err pipe_wait(int fd, uint64_t deadline_ms)
{
    const struct ml_env *env = ml_env_system();
    for (;;) {
        char ignored[256];
        uint64_t now = env->now_ms(env->ctx);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        uint64_t left_ms = now >= deadline_ms ? 0 : deadline_ms - now;
        int rc = left_ms == 0 ? 0 : poll(&p, 1, left_ms < INT_MAX ? (int)left_ms : INT_MAX);
        if (rc == 0) {
            return ML_E_TIMEOUT;
        }
        if (rc < 0 && errno != EINTR) {
            return ML_E_IO;
        }
        ssize_t n = rc > 0 ? read(fd, ignored, sizeof(ignored)) : 1;
        if (n == 0) {
            return ML_OK;
        }
        if (n < 0 && errno != EINTR) {
            return ML_E_IO;
        }
    }
}

static ml_err spawn_daemon(pid_t *pid, int pipe_out, const char *path, const char *home)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    char name[] = "mailled";
    char flag[] = "--home";
    char home_arg[PATH_MAX];
    char *const args[] = {name, flag, home_arg, NULL};
    snprintf(home_arg, sizeof(home_arg), "%s", home);
    if (posix_spawn_file_actions_init(&actions) != 0) {
        return ML_E_NOMEM;
    }
    int rc = posix_spawnattr_init(&attr);
    if (rc == 0) {
        rc = posix_spawn_file_actions_adddup2(&actions, pipe_out, STDOUT_FILENO);
        rc = rc != 0 ? rc
                     : posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
                                                        O_RDONLY, 0);
        rc = rc != 0 ? rc : posix_spawnp(pid, path, &actions, &attr, args, environ);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&actions);
    return ml_err_from_errno(rc);
}

static ml_err daemon_start(const struct ml_client_options *options, const char *home,
                           uint64_t deadline_ms)
{
    char own[PATH_MAX];
    int ends[2];
    pid_t pid = -1;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return ml_err_from_errno(errno);
    }
    ml_err err = spawn_daemon(&pid, ends[1], daemon_path(own, options->daemon), home);
    close(ends[1]);
    if (err == ML_OK) {
        err = pipe_wait(ends[0], deadline_ms);
        int status = 0;
        pid_t done = waitpid(pid, &status, err == ML_OK ? 0 : WNOHANG);
        if (err == ML_OK && (done != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
            err = ML_E_UNREACHABLE;
        }
    } else {
        err = ML_E_UNREACHABLE; /* no such program */
    }
    close(ends[0]);
    return err;
}

/* One client at a time starts a daemon for a home. */
static ml_err start_locked(int *fd, const struct ml_client_options *options, const char *home,
                           uint64_t deadline_ms)
{
    struct ml_place place;
    ml_err err = ml_place_find(&place, home, true);
    ml_place_free(&place);
    if (err != ML_OK) {
        return err;
    }
    int lock = open(place.run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0) {
        return ml_err_from_errno(errno);
    }
    while (flock(lock, LOCK_EX) != 0) {
        if (errno != EINTR) {
            close(lock);
            return ML_E_IO;
        }
    }
    err = place_connect(fd, home, false);
    if (err == ML_E_UNREACHABLE) {
        err = daemon_start(options, home, deadline_ms);
        err = err == ML_OK ? place_connect(fd, home, false) : err;
    }
    close(lock);
    return err;
}

ml_err ml_client_connect(int *fd, const struct ml_client_options *options)
{
    const struct ml_env *env = ml_env_system();
    char home[PATH_MAX];
    uint32_t timeout_ms = options->timeout_ms == 0 ? CONNECT_DEFAULT_MS : options->timeout_ms;
    uint64_t deadline_ms = env->now_ms(env->ctx) + timeout_ms;
    ml_err err = ml_place_home(home, options->home);
    if (err == ML_OK) {
        err = place_connect(fd, home, false);
    }
    if (err == ML_E_UNREACHABLE && options->start) {
        err = start_locked(fd, options, home, deadline_ms);
    }
    return err;
}
