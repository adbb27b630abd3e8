/* net/daemon/instance.c -- see instance.h. The parent waits on a pipe: its end closes when the
 * child says ready or dies, so nothing sleeps and nothing is guessed. */
#include "net/daemon/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef ML_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "net/client/place.h"

void ml_instance_harden(void)
{
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none); /* lowering a limit can't fail */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)umask(0077);
}

static void lock_read_holder(int fd, int *other)
{
    char text[16] = {0};
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    *other = n > 0 ? (int)strtol(text, NULL, 10) : 0;
}

ml_err ml_instance_lock(int *fd, int *other, const char *home)
{
    char path[PATH_MAX];
    *other = 0;
    int n = snprintf(path, sizeof(path), "%s/lock", home);
    if (n < 0 || (size_t)n >= sizeof(path)) {
        return ML_E_LIMIT;
    }
    int f = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (f < 0) {
        return ml_err_from_errno(errno);
    }
    if (flock(f, LOCK_EX | LOCK_NB) != 0) {
        ml_err err = errno == EWOULDBLOCK ? ML_E_BUSY : ml_err_from_errno(errno);
        lock_read_holder(f, other);
        close(f);
        return err;
    }
    char text[16];
    int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (ftruncate(f, 0) != 0 || pwrite(f, text, (size_t)len, 0) != len) {
        ml_err err = ml_err_from_errno(errno);
        close(f);
        return err;
    }
    *fd = f;
    return ML_OK;
}

static _Noreturn void parent_wait(int fd)
{
    char line[1024];
    size_t have = 0;
    ssize_t n = 1;
    while (n != 0 && have < sizeof(line)) {
        n = read(fd, line + have, sizeof(line) - have);
        if (n < 0 && errno != EINTR) {
            break;
        }
        have += n > 0 ? (size_t)n : 0;
    }
    if (have > 0) {
        (void)fwrite(line, 1, have, stdout);
        (void)fflush(stdout);
    }
    _exit(have > 0 ? 0 : 1);
}

ml_err ml_instance_detach(int *ready_fd)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return ml_err_from_errno(errno);
    }
    pid_t pid = fork();
    if (pid < 0) {
        ml_err err = ml_err_from_errno(errno);
        close(ends[0]);
        close(ends[1]);
        return err;
    }
    if (pid > 0) {
        close(ends[1]);
        parent_wait(ends[0]);
    }
    close(ends[0]);
    (void)setsid();      /* can't fail: we are a fresh child */
    int rc = chdir("/"); /* else the folder it was started in could not be unmounted */
    (void)rc;            /* it stays there then: no reason not to serve */
    *ready_fd = ends[1];
    return ML_OK;
}

static void redirect(const char *path, int flags, int to)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)dup2(fd, to);
        close(fd);
    }
}

void ml_instance_ready(int ready_fd, const char *line, const char *log_path)
{
    if (ready_fd < 0) {
        (void)puts(line);
        (void)fflush(stdout);
        return;
    }
    (void)dprintf(ready_fd, "%s\n", line);
    redirect("/dev/null", O_RDONLY, STDIN_FILENO);
    redirect("/dev/null", O_WRONLY, STDOUT_FILENO);
    redirect(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, STDERR_FILENO);
    close(ready_fd); /* last: whoever waits may go on */
}

void ml_instance_notify(const char *state)
{
#ifdef ML_HAVE_SYSTEMD
    (void)sd_notify(0, state); /* 0 or an error where no manager listens */
#else
    (void)state;
#endif
}
