/* core/model/gvec.h -- lane-0 vectors: the governance that a chain has seen (rules B10).
 *
 * One entry a writer: the highest lane-0 sequence number cited, and the start of its hash. A
 * vector never changes once made; chains of one gctx share it by counting references. One thread
 * at a time.
 */
#ifndef ML_MODEL_GVEC_H
#define ML_MODEL_GVEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/env.h"
#include "core/codec/bundle.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_GVEC_WRITERS_MAX 65536u /* writers ever opened in a structure */
#define ML_GVEC_ENTRY_BYTES 36u    /* writer16, seq u32be, hash16: what gctx hashes, and on disk */

struct ml_gvec; /* opaque, counted; NULL is the empty vector (the genesis' own) */

/**
 * Joins `count` entries, sorted by writer, one each, into *v, whose reference the caller has: of
 * each writer the higher number stays; of equal ones, the branches of a fork, the smaller hash. *v
 * is another vector afterwards, with the reference, unless it had all of them already; on an error
 * it is as before. MALFORMED: the order is wrong. LIMIT, NOMEM.
 */
ml_err ml_gvec_add(struct ml_gvec **v, const struct ml_env *env, const struct ml_dep *add,
                   size_t count) ML_MUST_CHECK;

/** The same with all entries of `other`: the least vector above both, whatever the order. */
ml_err ml_gvec_join(struct ml_gvec **v, const struct ml_env *env,
                    struct ml_gvec *other) ML_MUST_CHECK;

struct ml_gvec *ml_gvec_ref(struct ml_gvec *v); /* NULL is allowed in all three */
void ml_gvec_unref(struct ml_gvec *v);
size_t ml_gvec_count(const struct ml_gvec *v);

/** Sorted by writer. */
const struct ml_dep *ml_gvec_at(const struct ml_gvec *v, size_t index);
/** NULL when the vector has no entry of this writer. */
const struct ml_dep *ml_gvec_find(const struct ml_gvec *v, const struct ml_writer_id *writer);
/** 0 when there is none. */
uint32_t ml_gvec_seq(const struct ml_gvec *v, const struct ml_writer_id *writer);

/** Same writers, numbers and hashes. */
bool ml_gvec_equal(const struct ml_gvec *a, const struct ml_gvec *b);

/** gctx: computed once for each org and kept. */
struct ml_hash16 ml_gvec_digest(struct ml_gvec *v, const struct ml_org_id *org);

/** As stored: entries of ML_GVEC_ENTRY_BYTES. NOMEM, LIMIT. */
ml_err ml_gvec_encode(struct ml_buf *out, const struct ml_gvec *v) ML_MUST_CHECK;
/** CORRUPT: not what _encode writes. NOMEM, LIMIT. */
ml_err ml_gvec_decode(struct ml_gvec **out, const struct ml_env *env,
                      struct ml_slice bytes) ML_MUST_CHECK;

#endif
