/* core/record/drafts.h -- what isn't signed yet: forms being filled, by (patient, form).
 *
 * `drafts/<member-id>.db`, under its own key, synchronous=FULL, never rebuilt: a crash loses no
 * draft that a put acknowledged (rules B12; hazard H25). A draft is the interface's own bytes; this
 * file doesn't read them. One thread.
 *
 * Errors of every call, beside its own: NOMEM, FULL, IO, READONLY, CORRUPT.
 */
#ifndef ML_RECORD_DRAFTS_H
#define ML_RECORD_DRAFTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/env.h"
#include "maille/err.h"
#include "maille/types.h"

#define ML_DRAFT_BYTES_MAX (1u << 20)
#define ML_DRAFT_FORM_MAX  64u    /* bytes of a form's name */
#define ML_DRAFTS_MAX      10000u /* kept at once */

struct ml_drafts; /* opaque; owned by who opened it */

struct ml_drafts_args {
    const struct ml_env *env; /* borrowed */
    const char *path;
    const char *vfs; /* registered name, with the drafts' key; NULL: stock SQLite (tests) */
    bool create;
};

/** NOT_FOUND (without create), WRONG_KEY, UNSUPPORTED, INVALID (not a file of drafts). */
ml_err ml_drafts_open(struct ml_drafts **out, const struct ml_drafts_args *args) ML_MUST_CHECK;
void ml_drafts_close(struct ml_drafts *d); /* NULL is allowed */
/** A call met a block that can't be read. */
bool ml_drafts_damaged(const struct ml_drafts *d);

/** `form`: what is filled, "observation" or "treatment/<object>". */
struct ml_draft_key {
    struct ml_object_id patient; /* zero: of no patient */
    const char *form;
};

/** Puts into `d` what can still be read of a damaged file. *lost: drafts that are named there and
 * can't be read; others may have gone unnamed. */
ml_err ml_drafts_salvage(struct ml_drafts *d, struct ml_drafts *damaged,
                         uint32_t *lost) ML_MUST_CHECK;

/** Durable when it returns; replaces the one of this key. LIMIT. */
ml_err ml_drafts_put(struct ml_drafts *d, const struct ml_draft_key *key,
                     struct ml_slice bytes) ML_MUST_CHECK;
/** Appends to `out`. *saved_ms (may be NULL): wall clock of the put. NOT_FOUND. */
ml_err ml_drafts_get(struct ml_drafts *d, const struct ml_draft_key *key, struct ml_buf *out,
                     uint64_t *saved_ms) ML_MUST_CHECK;
/** NOT_FOUND. */
ml_err ml_drafts_delete(struct ml_drafts *d, const struct ml_draft_key *key) ML_MUST_CHECK;

typedef ml_err ml_draft_cb(void *user, const struct ml_draft_key *key, uint64_t saved_ms,
                           size_t bytes);
/** Of one patient, or (NULL) all, latest first. An error of `each` ends the walk. */
ml_err ml_drafts_list(struct ml_drafts *d, const struct ml_object_id *patient, ml_draft_cb *each,
                      void *user) ML_MUST_CHECK;

#endif
