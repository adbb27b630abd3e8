/* tests/tools/powercut/wire.h -- between mailled-powercut and the process that owns its disk.
 *
 * The program asks, one question at a time over a socket that it inherits, and each file that it
 * reads or writes is the owner's: a fault_disk in the owner's memory. So the owner may kill the
 * program at any change of the disk, and says afterwards what the cut has left. Both ends are of
 * one build and one machine: structs as they lie in memory, nothing checked twice.
 *
 *   question: struct wire_ask, then `len` bytes       answer: struct wire_answer, then `len` bytes
 */
#ifndef ML_TESTS_POWERCUT_WIRE_H
#define ML_TESTS_POWERCUT_WIRE_H

#include <stdatomic.h>
#include <stdint.h>

#define WIRE_DISK_ENV  "ML_POWERCUT_DISK"  /* the socket's descriptor; absent: the real disk */
#define WIRE_CLOCK_ENV "ML_POWERCUT_CLOCK" /* of a struct wire_clock; absent: the real clock */
#define WIRE_BYTES_MAX (64u << 20)
#define WIRE_SMALL     8192u /* goes out together with its head */

enum wire_op {
    WIRE_DB_OPEN, /* SQLite's: text is the name, arg its flags -> number, other: flags */
    WIRE_DB_CLOSE,
    WIRE_DB_READ, /* at, arg: bytes -> bytes */
    WIRE_DB_WRITE,
    WIRE_DB_TRUNCATE,
    WIRE_DB_SYNC,
    WIRE_DB_SIZE, /* -> number */
    WIRE_DB_DELETE,
    WIRE_DB_ACCESS, /* -> number */
    WIRE_HOST_RENAME,
    WIRE_HOST_SYNC_FOLDER,
    WIRE_HOST_LOCK, /* -> number */
    WIRE_HOST_UNLOCK,
    WIRE_HOST_IDENTIFY, /* -> number, other */
    WIRE_FS_OPEN,       /* arg: ml_fs_how -> number */
    WIRE_FS_CLOSE,
    WIRE_FS_READ,
    WIRE_FS_WRITE,
    WIRE_FS_TRUNCATE,
    WIRE_FS_SYNC,
    WIRE_FS_RENAME, /* two texts, each with its NUL */
    WIRE_FS_REMOVE,
    WIRE_FS_EXISTS, /* -> number */
    WIRE_FS_MAKE_FOLDER,
    WIRE_FS_SYNC_FOLDER,
    WIRE_FS_LIST, /* -> names, each with its NUL */
    WIRE_OPS,
};

struct wire_ask {
    uint32_t op;
    uint32_t len; /* bytes that follow: a path with its NUL, or what to write */
    int64_t handle;
    uint64_t at;
    uint64_t arg;
};

struct wire_answer {
    int32_t code; /* SQLite's, or an errno */
    uint32_t len;
    int64_t number;
    int64_t other;
};

/* Shared memory: what is added to the machine's clocks. */
struct wire_clock {
    _Atomic int64_t now_ms;
    _Atomic int64_t wall_ms;
};

#endif
