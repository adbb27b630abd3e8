/* tests/tools/powercut/powercut.h -- mailled on a disk and a clock that belong to another process.
 * The daemon's own main.c with the environment of this folder: see wire.h. */
#ifndef ML_TESTS_POWERCUT_H
#define ML_TESTS_POWERCUT_H

#include "core/base/fs.h"
#include "wire.h"

/** Asks and waits; an owner that is gone ends the process, as a cut would. `out` (NULL allowed)
 * receives up to `room` bytes of the answer. Any thread. */
struct wire_answer powercut_ask(const struct wire_ask *ask, const void *bytes, void *out,
                                size_t room);
/** The same for what a path is asked. */
struct wire_answer powercut_ask_path(enum wire_op op, const char *path, uint64_t arg);
struct wire_answer powercut_ask_names(enum wire_op op, const char *from, const char *to);

void powercut_socket(int fd);
/** The disk as the node's small files, and as SQLite's base VFS `powercut`. */
extern const struct ml_fs powercut_fs;
void powercut_vfs_register(void);

#endif
