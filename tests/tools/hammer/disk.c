/* tests/tools/hammer/disk.c -- the owner's side of powercut/wire.h: a fault_disk in this process,
 * served to a mailled-powercut by a thread, one life of the program after the other.
 *
 * At the change that the cut hits the disk is dead: the thread kills the program before it hears
 * of anything, as the end of power would. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../powercut/wire.h"
#include "core/base/assert.h"
#include "core/store/vfs/vfs.h"
#include "hammer.h"

enum { OPEN_MAX_FILES = 64, NAMES_BYTES = 16384 };

struct disk {
    pthread_mutex_t lock; /* over the disk */
    pthread_t thread;
    struct fault_disk *fault;
    struct ml_fs fs;
    sqlite3_vfs *vfs;
    const struct ml_vfs_host *host;
    int ends[2]; /* ours, the program's */
    pid_t pid;   /* of the program; 0: none is served */
    sqlite3_file *databases[OPEN_MAX_FILES];
    intptr_t files[OPEN_MAX_FILES]; /* 0: free */
    uint8_t *bytes;                 /* of the question, with room for those of the answer */
    uint8_t *reply;
    size_t bytes_room;
    size_t reply_room;
};

/* A question with what it brought, and the answer to be. */
struct talk {
    struct disk *disk;
    const struct wire_ask *ask;
    const char *text; /* the bytes: a path, or what to write */
    struct wire_answer *answer;
};

static uint8_t *room(uint8_t **bytes, size_t *have, size_t want)
{
    if (want <= *have) {
        return *bytes;
    }
    *bytes = realloc(*bytes, want);
    ML_ASSERT(*bytes != NULL);
    *have = want;
    return *bytes;
}

/* ---- SQLite's files ---- */

static sqlite3_file *database_of(const struct talk *t)
{
    ML_ASSERT(t->ask->handle >= 0 && t->ask->handle < OPEN_MAX_FILES);
    sqlite3_file *file = t->disk->databases[t->ask->handle];
    ML_ASSERT(file != NULL);
    return file;
}

static void database_open(struct talk *t)
{
    struct disk *d = t->disk;
    int64_t at = 0;
    int flags = 0;
    while (at < OPEN_MAX_FILES && d->databases[at] != NULL) {
        at++;
    }
    sqlite3_file *file = calloc(1, (size_t)d->vfs->szOsFile);
    ML_ASSERT(at < OPEN_MAX_FILES && file != NULL);
    t->answer->code = d->vfs->xOpen(d->vfs, t->text, file, (int)t->ask->arg, &flags);
    t->answer->number = at;
    t->answer->other = flags;
    if (t->answer->code == SQLITE_OK) {
        d->databases[at] = file;
    } else {
        free(file);
    }
}

static void database_close(struct disk *d, int64_t at)
{
    if (d->databases[at] != NULL) {
        (void)d->databases[at]->pMethods->xClose(d->databases[at]);
        free(d->databases[at]);
        d->databases[at] = NULL;
    }
}

static void database_read(struct talk *t)
{
    sqlite3_file *file = database_of(t);
    uint8_t *out = room(&t->disk->reply, &t->disk->reply_room, (size_t)t->ask->arg);
    t->answer->code = file->pMethods->xRead(file, out, (int)t->ask->arg, (sqlite3_int64)t->ask->at);
    t->answer->len = (uint32_t)t->ask->arg;
}

static void database_talk(struct talk *t)
{
    const struct wire_ask *q = t->ask;
    sqlite3_vfs *vfs = t->disk->vfs;
    sqlite3_int64 size = 0;
    int found = 0;
    switch (q->op) {
    case WIRE_DB_OPEN:
        database_open(t);
        return;
    case WIRE_DB_CLOSE:
        (void)database_of(t);
        database_close(t->disk, q->handle);
        return;
    case WIRE_DB_READ:
        database_read(t);
        return;
    case WIRE_DB_WRITE:
        t->answer->code = database_of(t)->pMethods->xWrite(database_of(t), t->text, (int)q->len,
                                                           (sqlite3_int64)q->at);
        return;
    case WIRE_DB_TRUNCATE:
        t->answer->code = database_of(t)->pMethods->xTruncate(database_of(t), (sqlite3_int64)q->at);
        return;
    case WIRE_DB_SYNC:
        t->answer->code = database_of(t)->pMethods->xSync(database_of(t), (int)q->arg);
        return;
    case WIRE_DB_SIZE:
        t->answer->code = database_of(t)->pMethods->xFileSize(database_of(t), &size);
        t->answer->number = size;
        return;
    case WIRE_DB_DELETE:
        t->answer->code = vfs->xDelete(vfs, t->text, (int)q->arg);
        return;
    default: /* WIRE_DB_ACCESS */
        t->answer->code = vfs->xAccess(vfs, t->text, (int)q->arg, &found);
        t->answer->number = found;
        return;
    }
}

/* ---- what the sealing VFS asks beside ---- */

static void host_talk(struct talk *t)
{
    const struct ml_vfs_host *host = t->disk->host;
    const char *second = t->text + strlen(t->text) + 1;
    uint64_t id[2] = {0, 0};
    intptr_t held = 0;
    switch (t->ask->op) {
    case WIRE_HOST_RENAME:
        t->answer->code = host->rename(host->ctx, t->text, second);
        return;
    case WIRE_HOST_SYNC_FOLDER:
        t->answer->code = host->sync_folder(host->ctx, t->text);
        return;
    case WIRE_HOST_LOCK:
        t->answer->code = host->lock(host->ctx, t->text, (int)t->ask->arg, &held);
        t->answer->number = held;
        return;
    case WIRE_HOST_UNLOCK:
        host->unlock(host->ctx, (intptr_t)t->ask->handle);
        return;
    default: /* WIRE_HOST_IDENTIFY */
        t->answer->code = host->identify(host->ctx, t->text, id);
        t->answer->number = (int64_t)id[0];
        t->answer->other = (int64_t)id[1];
        return;
    }
}

/* ---- small files ---- */

static void file_open(struct talk *t)
{
    struct disk *d = t->disk;
    intptr_t file = 0;
    size_t at = 0;
    t->answer->code = d->fs.open(d->fs.ctx, t->text, (ml_fs_how)t->ask->arg, &file);
    while (at < OPEN_MAX_FILES && d->files[at] != 0) {
        at++;
    }
    ML_ASSERT(at < OPEN_MAX_FILES);
    d->files[at] = t->answer->code == 0 ? file : 0;
    t->answer->number = file;
}

static void file_close(struct disk *d, intptr_t file)
{
    for (size_t i = 0; i < OPEN_MAX_FILES; i++) {
        if (d->files[i] == file) {
            d->files[i] = 0;
            d->fs.close(d->fs.ctx, file);
            return;
        }
    }
}

static void file_read(struct talk *t)
{
    struct disk *d = t->disk;
    size_t got = 0;
    uint8_t *out = room(&d->reply, &d->reply_room, (size_t)t->ask->arg);
    t->answer->code =
        d->fs.read(d->fs.ctx, (intptr_t)t->ask->handle, t->ask->at, out, (size_t)t->ask->arg, &got);
    t->answer->len = (uint32_t)got;
}

static void name_take(void *user, const char *name)
{
    struct talk *t = user;
    uint8_t *out = room(&t->disk->reply, &t->disk->reply_room, NAMES_BYTES);
    size_t len = strlen(name) + 1;
    ML_ASSERT(t->answer->len + len <= NAMES_BYTES);
    memcpy(out + t->answer->len, name, len);
    t->answer->len += (uint32_t)len;
}

static void file_talk(struct talk *t)
{
    const struct ml_fs *fs = &t->disk->fs;
    const struct wire_ask *q = t->ask;
    switch (q->op) {
    case WIRE_FS_OPEN:
        file_open(t);
        return;
    case WIRE_FS_CLOSE:
        file_close(t->disk, (intptr_t)q->handle);
        return;
    case WIRE_FS_READ:
        file_read(t);
        return;
    case WIRE_FS_WRITE:
        t->answer->code = fs->write(fs->ctx, (intptr_t)q->handle, q->at, t->text, q->len);
        return;
    case WIRE_FS_TRUNCATE:
        t->answer->code = fs->truncate(fs->ctx, (intptr_t)q->handle, q->at);
        return;
    default: /* WIRE_FS_SYNC */
        t->answer->code = fs->sync(fs->ctx, (intptr_t)q->handle);
        return;
    }
}

static void path_talk(struct talk *t)
{
    const struct ml_fs *fs = &t->disk->fs;
    switch (t->ask->op) {
    case WIRE_FS_RENAME:
        t->answer->code = fs->rename(fs->ctx, t->text, t->text + strlen(t->text) + 1);
        return;
    case WIRE_FS_REMOVE:
        t->answer->code = fs->remove(fs->ctx, t->text);
        return;
    case WIRE_FS_EXISTS:
        t->answer->number = fs->exists(fs->ctx, t->text);
        return;
    case WIRE_FS_MAKE_FOLDER:
        t->answer->code = fs->make_folder(fs->ctx, t->text);
        return;
    case WIRE_FS_SYNC_FOLDER:
        t->answer->code = fs->sync_folder(fs->ctx, t->text);
        return;
    default: /* WIRE_FS_LIST */
        t->answer->code = fs->list(fs->ctx, t->text, name_take, t);
        return;
    }
}

/* ---- the thread ---- */

static bool take(int fd, void *bytes, size_t len)
{
    char *at = bytes;
    while (len > 0) {
        ssize_t n = recv(fd, at, len, 0);
        if (n == 0 || (n < 0 && errno != EINTR)) {
            return false;
        }
        at += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool give(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        at += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* In one message where it is small: the program is woken once. */
static bool give_both(int fd, const struct wire_answer *answer, const uint8_t *bytes)
{
    uint8_t both[sizeof(*answer) + WIRE_SMALL];
    if (answer->len > WIRE_SMALL) {
        return give(fd, answer, sizeof(*answer)) && give(fd, bytes, answer->len);
    }
    memcpy(both, answer, sizeof(*answer));
    if (answer->len > 0) {
        memcpy(both + sizeof(*answer), bytes, answer->len);
    }
    return give(fd, both, sizeof(*answer) + answer->len);
}

static void talk_run(struct talk *t)
{
    if (t->ask->op <= WIRE_DB_ACCESS) {
        database_talk(t);
    } else if (t->ask->op <= WIRE_HOST_IDENTIFY) {
        host_talk(t);
    } else if (t->ask->op <= WIRE_FS_SYNC) {
        file_talk(t);
    } else {
        path_talk(t);
    }
}

/* False: the program has ended, or was killed for want of power. */
static bool disk_answer(struct disk *d)
{
    struct wire_ask ask;
    struct wire_answer answer = {.code = 0};
    struct talk t = {.disk = d, .ask = &ask, .answer = &answer};
    if (!take(d->ends[0], &ask, sizeof(ask)) || ask.op >= WIRE_OPS || ask.len > WIRE_BYTES_MAX) {
        return false;
    }
    uint8_t *bytes = room(&d->bytes, &d->bytes_room, (size_t)ask.len + 1);
    bytes[ask.len] = 0;
    if (!take(d->ends[0], bytes, ask.len)) {
        return false;
    }
    t.text = (const char *)bytes;
    pthread_mutex_lock(&d->lock);
    talk_run(&t);
    bool dead = fault_disk_is_dead(d->fault);
    pthread_mutex_unlock(&d->lock);
    if (dead) {
        kill(d->pid, SIGKILL);
        return false;
    }
    return give_both(d->ends[0], &answer, d->reply);
}

static void *disk_run(void *arg)
{
    struct disk *d = arg;
    while (disk_answer(d)) {
    }
    return NULL;
}

/* ---- for the rest of the program ---- */

struct disk *disk_new(const char *name, uint64_t seed)
{
    struct disk *d = calloc(1, sizeof(*d));
    ML_ASSERT(d != NULL);
    pthread_mutex_init(&d->lock, NULL);
    d->fault = fault_disk_new(name, seed);
    ML_ASSERT(d->fault != NULL);
    fault_disk_fs(d->fault, &d->fs);
    d->vfs = sqlite3_vfs_find(name);
    ML_ASSERT(d->vfs != NULL);
    sqlite3_syscall_ptr host = d->vfs->xGetSystemCall(d->vfs, "ml_vfs_host");
    d->host = ((ml_vfs_host_of)host)(d->vfs);
    d->ends[0] = d->ends[1] = -1;
    return d;
}

int disk_plug(struct disk *d)
{
    int rc = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, d->ends);
    ML_ASSERT(rc == 0);
    return d->ends[1];
}

void disk_serve(struct disk *d, pid_t pid)
{
    close(d->ends[1]); /* the program has its own by now */
    d->ends[1] = -1;
    d->pid = pid;
    int rc = pthread_create(&d->thread, NULL, disk_run, d);
    ML_ASSERT(rc == 0);
}

bool disk_cut_at(struct disk *d, long nth)
{
    pthread_mutex_lock(&d->lock);
    bool dead = fault_disk_is_dead(d->fault);
    if (!dead) {
        fault_disk_cut_at(d->fault, nth);
    }
    pthread_mutex_unlock(&d->lock);
    return !dead;
}

bool disk_restart(struct disk *d, enum fault_keep keep)
{
    if (d->pid != 0) {
        pthread_join(d->thread, NULL);
        close(d->ends[0]);
        d->pid = 0;
    }
    for (int64_t i = 0; i < OPEN_MAX_FILES; i++) {
        database_close(d, i);
        if (d->files[i] != 0) {
            file_close(d, d->files[i]);
        }
    }
    bool dead = fault_disk_is_dead(d->fault);
    fault_disk_restart(d->fault, dead ? keep : FAULT_KEEP_ALL);
    return dead;
}

void disk_room(struct disk *d, uint64_t bytes)
{
    pthread_mutex_lock(&d->lock);
    fault_disk_quota(d->fault, bytes == 0 ? 0 : fault_disk_used(d->fault) + bytes);
    pthread_mutex_unlock(&d->lock);
}

uint64_t disk_changes(struct disk *d)
{
    static const enum fault_op ops[] = {FAULT_WRITE,  FAULT_SYNC,   FAULT_TRUNCATE,
                                        FAULT_DELETE, FAULT_RENAME, FAULT_FOLDER};
    uint64_t sum = 0;
    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        sum += fault_disk_calls(d->fault, ops[i]);
    }
    pthread_mutex_unlock(&d->lock);
    return sum;
}

void disk_free(struct disk *d)
{
    if (d == NULL) {
        return;
    }
    (void)disk_restart(d, FAULT_KEEP_ALL);
    fault_disk_free(d->fault);
    free(d->bytes);
    free(d->reply);
    pthread_mutex_destroy(&d->lock);
    free(d);
}
