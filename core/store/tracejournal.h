/* core/store/tracejournal.h -- trace entries of this node, kept from the answer to the bundle
 * (decisions 16). Append-only, sealed, never replicated; bundles of lane 2 are cut from it.
 *
 *   file    = header, record ...
 *   header  = "MLJ1", file id 16 (random), first index u64be, nonce 24, tag 16 (over all before)
 *   record  = index u64be, length u32be, nonce 24, ciphertext with its tag
 *   record's associated data: "MLJ1", file id, index
 *
 * Indexes never repeat, also over cuts: whoever cuts a bundle notes the last index with it in one
 * transaction, so that nothing is cut twice after a crash. A torn last record is dropped: the
 * answer that it belonged to may have been given, unless the append was synced. One thread at a
 * time. Errors: NOMEM, LIMIT, IO, FULL, READONLY, NOT_FOUND (the folder).
 */
#ifndef ML_STORE_TRACEJOURNAL_H
#define ML_STORE_TRACEJOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/env.h"
#include "core/crypto/secret.h"
#include "maille/err.h"

#define ML_TRACEJOURNAL_ENTRY_MAX 65536u
#define ML_TRACEJOURNAL_FILE_MAX  67108864u

struct ml_tracejournal; /* owned by who opened it */

/** An entry found at opening; `plain` is borrowed for the call. An error ends the opening. */
typedef ml_err ml_tracejournal_cb(void *user, uint64_t index, struct ml_slice plain);

struct ml_tracejournal_args {
    const struct ml_env *env;    /* borrowed */
    const char *path;            /* made when absent */
    const struct ml_secret *key; /* 32 bytes (KDF trace-journal), borrowed until _close */
    uint64_t first;              /* of a new file: above all that was noted as cut; 0: 1 */
    ml_tracejournal_cb *each;    /* for each entry that is there, in order */
    void *user;
};

/** *damaged: entries that can't be read any more, beside a torn last one. WRONG_KEY:
 * another key sealed it. CORRUPT: its header is destroyed. */
ml_err ml_tracejournal_open(struct ml_tracejournal **out, uint32_t *damaged,
                            const struct ml_tracejournal_args *args) ML_MUST_CHECK;
void ml_tracejournal_close(struct ml_tracejournal *j); /* NULL is allowed */

/** `sync`: durable when it returns; else it outlives this process, not the machine's power. */
ml_err ml_tracejournal_append(struct ml_tracejournal *j, uint64_t *index, struct ml_slice plain,
                              bool sync) ML_MUST_CHECK;

/** Index of the last entry ever appended; 0: none. */
uint64_t ml_tracejournal_last(const struct ml_tracejournal *j);

/** All entries up to `last` are in bundles: once that is the last entry, an empty file takes this
 * one's place. Durable when it returns. Else nothing is done. */
ml_err ml_tracejournal_cut(struct ml_tracejournal *j, uint64_t last) ML_MUST_CHECK;

#endif
