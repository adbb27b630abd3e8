/* maille/vfs.h -- the encrypting SQLite VFS, usable by any program (docs/storage.md, rules C).
 *
 * Main file: one XChaCha20-Poly1305 per page, nonce and tag in the page's reserved bytes. WAL: one
 * per frame with its header. wal-index and transient files stay in heap memory; journals are
 * refused. Only WAL mode, 4096-byte pages.
 */
#ifndef MAILLE_VFS_H
#define MAILLE_VFS_H

#include <stdint.h>

#include "maille/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Registers a VFS named `name` (copied) over the default one. `key` is copied to guarded memory;
 * the caller wipes its own. make_default != 0: new connections use it. Any thread, before the
 * databases are opened. Returns 0, or an ml_err: EXISTS (a VFS has this name), NOMEM, INVALID.
 */
ML_API int ml_vfs_register(const char *name, const uint8_t key[32], int make_default);

/** Wipes the key. Returns 0, BUSY while a file of it is open, NOT_FOUND. Any thread. */
ML_API int ml_vfs_unregister(const char *name);

#ifdef __cplusplus
}
#endif
#endif
