/* core/store/anchor.h -- the anti-rollback record (rules B18, I11): how far each own chain has been
 * offered to any peer or file. It lies outside the home, so that a restored home finds it ahead.
 *
 *   0       4        8                                     n
 *   +-"MLA1"+-count--+--{writer16, lane u8, seq u32be} ...--+--BLAKE2b-32 (key, all before)--+
 *
 * One thread at a time. Errors: NOMEM, LIMIT, IO, FULL, READONLY, NOT_FOUND (the folder).
 */
#ifndef ML_STORE_ANCHOR_H
#define ML_STORE_ANCHOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/env.h"
#include "core/codec/bundle.h"
#include "core/crypto/secret.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_ANCHOR_CHAINS_MAX 4096u

struct ml_anchor; /* owned by who opened it */

/** `mac_key`: 32 bytes (KDF anchor-mac), borrowed until _close. An absent file is an empty record.
 * CORRUPT: damaged, or of another key. */
ml_err ml_anchor_open(struct ml_anchor **out, const struct ml_env *env, const char *path,
                      const struct ml_secret *mac_key) ML_MUST_CHECK;
void ml_anchor_close(struct ml_anchor *a); /* NULL is allowed */

/** 0: never offered. */
uint32_t ml_anchor_get(const struct ml_anchor *a, const struct ml_writer_id *writer, uint8_t lane);

/** The chain at place `i` of the record, hash zero; false: there are not so many. */
bool ml_anchor_at(const struct ml_anchor *a, size_t i, struct ml_dep *out);

/** Durable when it returns: only then may bundles up to `seq` be offered. A lower number than the
 * record's costs nothing and changes nothing. */
ml_err ml_anchor_raise(struct ml_anchor *a, const struct ml_writer_id *writer, uint8_t lane,
                       uint32_t seq) ML_MUST_CHECK;

#endif
